//! What this machine says: variables, the configuration, versions and their ends, tools, names.

use crate::blueprint::{self, Facts};
use crate::cli::args::Common;
use crate::cli::connection::state_folder;
use crate::config::{Config, ConfigError};
use crate::report::{Finding, Verdict};
use crate::state::State;
use crate::support;
use jiff::civil::Date;
use std::path::Path;

/// Days before an end of support from which on it is a warning.
const AHEAD: i32 = 180;

/// Variables that change where calls go or who sends them.
pub fn environment(common: &Common) -> Vec<Finding> {
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let mut out = Vec::new();
    if common.sandbox {
        let text = "all calls go to the sandbox; no credentials are read";
        out.push(Finding::new("target", Verdict::Ok, text));
        return out;
    }
    if let Some(endpoint) = variable("AWS_ENDPOINT_URL") {
        let text = format!("AWS_ENDPOINT_URL is set: all calls go to {endpoint}, not to AWS");
        out.push(Finding::new("target", Verdict::Warning, text).end("unset AWS_ENDPOINT_URL"));
    }
    let key = variable("AWS_ACCESS_KEY_ID");
    let secret = variable("AWS_SECRET_ACCESS_KEY");
    if key.is_some() != secret.is_some() {
        let text = "one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set without the other";
        let end = "set both, or `unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY`";
        out.push(Finding::new("credentials", Verdict::Error, text).end(end));
    }
    if let (Some(_), Some(profile), None) = (&key, variable("AWS_PROFILE"), &common.profile) {
        let text =
            format!("AWS_PROFILE is {profile}, and access keys are set too, which take precedence");
        let end =
            format!("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY, or pass --profile {profile}");
        out.push(Finding::new("credentials", Verdict::Warning, text).end(end));
    }
    if let Some(bundle) = variable("AWS_CA_BUNDLE")
        && let Err(error) = std::fs::metadata(&bundle)
    {
        let text = format!("AWS_CA_BUNDLE names {bundle}, which cannot be read: {error}");
        out.push(Finding::new("certificates", Verdict::Error, text).end("unset AWS_CA_BUNDLE"));
    }
    out
}

/// Every problem of a configuration.
pub fn wrong(error: &ConfigError) -> Vec<Finding> {
    let file = &error.file;
    let each = error.problems.iter().map(|problem| {
        let text = match problem.line {
            Some(line) => format!("{file}:{line}: {}", problem.text),
            None => problem.text.clone(),
        };
        Finding::new("configuration", Verdict::Error, text)
            .end("correct it; `deployer config` prints every key with its default")
    });
    each.collect()
}

/// What was read of the configuration.
pub fn read(config: &Config, common: &Common) -> Finding {
    let source = Config::source(common.config.as_deref());
    let text = format!(
        "{source}: suffix {}, region {} ({})",
        config.suffix, config.region, config.region_source
    );
    match &config.other_region {
        None => Finding::new("configuration", Verdict::Ok, text),
        Some((region, who)) => {
            let text = format!("{text}; {who} says {region}, which is not used");
            Finding::new("configuration", Verdict::Warning, text)
                .end(format!("--region {}", config.region))
        }
    }
}

/// Versions that AWS supports no more, or not for long.
pub fn versions(config: &Config) -> Vec<Finding> {
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    [
        (support::DATABASE, config.database.engine_version.as_str()),
        (support::RUNTIME, config.migration.runtime.as_str()),
    ]
    .map(|(key, version)| version_of(key, version, today))
    .into()
}

pub(super) fn version_of(key: &str, version: &str, today: Date) -> Finding {
    let about = "version";
    let Some(end) = support::end(key, version) else {
        let as_of = support::AS_OF;
        let text = format!("{version}: the end of its support is not known here (as of {as_of})");
        return Finding::new(about, Verdict::Unknown, text)
            .end(format!("look it up in AWS's documentation, for `{key}`"));
    };
    let (last, then) = (end.last, end.then);
    let near = today.checked_add(jiff::Span::new().days(AHEAD));
    if last < today {
        let text = format!("standard support of {version} ended on {last}: {then}");
        Finding::new(about, Verdict::Warning, text).end(format!("set `{key}` to a newer version"))
    } else if near.is_ok_and(|near| last < near) {
        let text = format!("standard support of {version} ends on {last}: {then}");
        Finding::new(about, Verdict::Warning, text).end(format!("set `{key}` to a newer version"))
    } else {
        Finding::new(
            about,
            Verdict::Ok,
            format!("{version} is supported until {last}"),
        )
    }
}

/// Node.js, of which the functions of green are built.
pub fn tools() -> Finding {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |tool: &str| std::env::split_paths(&path).any(|dir| dir.join(tool).is_file());
    let missing: Vec<&str> = ["node", "npm"]
        .into_iter()
        .filter(|t| !is_there(t))
        .collect();
    let about = "tools";
    if missing.is_empty() {
        return Finding::new(about, Verdict::Ok, "node and npm are there");
    }
    let text = format!(
        "{} not found in PATH: the functions of green cannot be built",
        missing.join(" and ")
    );
    let end =
        "install Node.js 18 or later with npm, or make blue alone: `deployer apply --env blue`";
    Finding::new(about, Verdict::Warning, text).end(end)
}

/// Whether all names fit into what AWS takes. Without a run the account is assumed, which no name holds.
pub fn names(config: &Config, state: Option<&State>) -> Finding {
    let recorded = state.and_then(|s| Facts::recorded(&s.facts));
    let facts = recorded.unwrap_or_else(|| Facts::assumed(config));
    match blueprint::build(config, &facts) {
        Ok(graph) => {
            let text = format!("the names of all {} steps are legal", graph.steps.len());
            Finding::new("names", Verdict::Ok, text)
        }
        Err(error) => Finding::new("names", Verdict::Error, error.to_string())
            .end("choose a shorter --suffix, or correct the configuration"),
    }
}

/// Whether the folder of the state can be written, without writing to it.
pub fn folder(common: &Common) -> Option<Finding> {
    let folder = state_folder(common);
    let mut there: &Path = &folder;
    while !there.exists() {
        there = there.parent().filter(|p| !p.as_os_str().is_empty())?;
    }
    let data = match std::fs::metadata(there) {
        Ok(data) => data,
        Err(error) => {
            let text = format!("{} cannot be looked at: {error}", there.display());
            return Some(Finding::new("state", Verdict::Error, text).end("--state-dir DIR"));
        }
    };
    if data.is_dir() && !data.permissions().readonly() {
        return None;
    }
    let text = format!("{} is no folder that can be written", there.display());
    let end = format!("chmod u+w {}, or --state-dir DIR", there.display());
    Some(Finding::new("state", Verdict::Error, text).end(end))
}
