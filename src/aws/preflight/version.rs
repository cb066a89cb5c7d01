//! Does AWS offer the engine version that a plan sends? When it does not: which does it offer?

use super::{Check, Level, Version};
use crate::aws::{Aws, rds};
use crate::engine::Error;
use std::cmp::Ordering;

const NAME: &str = "engine version";
/// How many others are named.
const NAMED: usize = 8;

/// One finding for each version that is sent.
pub(super) async fn all(aws: &Aws, sent: &[Version]) -> Vec<Check> {
    let mut checks = Vec::new();
    for version in sent {
        checks.push(one(aws, version).await);
    }
    checks
}

async fn one(aws: &Aws, sent: &Version) -> Check {
    if let Some(running) = &sent.running
        && numbers(running).cmp(&numbers(&sent.wanted)) == Ordering::Greater
    {
        let text = format!("{running} runs: AWS cannot go back to {}", sent.wanted);
        // Another major version is refused by the plan, with what it means.
        let level = match numbers(running).first() == numbers(&sent.wanted).first() {
            true => Level::Error,
            false => Level::Warning,
        };
        return Check::new(NAME, level, text)
            .hint(format!("set `database.engine_version` to {running}"));
    }
    let (engine, wanted) = (&sent.engine, &sent.wanted);
    match versions(aws, engine, Some(wanted)).await {
        Ok(found) if found.contains(wanted) => match unreachable(aws, sent).await {
            Some(check) => check,
            None => Check::new(NAME, Level::Ok, format!("{engine} {wanted} is offered")),
        },
        Ok(_) => refused(aws, sent).await,
        // "Cannot find version 14.99 for aurora-postgresql"
        Err(error) if error.message.contains("Cannot find version") => refused(aws, sent).await,
        Err(error) => Check::not_checked(NAME, &error),
    }
}

/// Refuses an upgrade in place that AWS does not offer from the version that runs.
async fn unreachable(aws: &Aws, sent: &Version) -> Option<Check> {
    let running = sent.running.as_ref()?;
    let targets = match targets(aws, &sent.engine, running).await {
        Ok(targets) => targets,
        Err(error) => return Some(Check::not_checked(NAME, &error)),
    };
    // No list is no answer: an old version may be listed no longer.
    if targets.is_empty() || targets.contains(&sent.wanted) {
        return None;
    }
    let near = nearest(&sent.wanted, targets).join(", ");
    let text = format!(
        "AWS offers no upgrade from {running} to {}; it offers {near}",
        sent.wanted
    );
    let hint = format!("set `database.engine_version` to one of {near}");
    Some(Check::new(NAME, Level::Error, text).hint(hint))
}

/// The versions that a version can be upgraded to in place.
async fn targets(aws: &Aws, engine: &str, running: &str) -> Result<Vec<String>, Error> {
    let page = aws
        .call(rds::DESCRIBE_DB_ENGINE_VERSIONS, || {
            let request = aws.rds.client.describe_db_engine_versions().engine(engine);
            request.engine_version(running).include_all(true).send()
        })
        .await?;
    let targets = page.db_engine_versions().iter();
    let targets = targets.flat_map(|v| v.valid_upgrade_target());
    Ok(targets
        .filter_map(|t| t.engine_version().map(str::to_owned))
        .collect())
}

async fn refused(aws: &Aws, sent: &Version) -> Check {
    let text = format!(
        "AWS does not offer {} {} in this region",
        sent.engine, sent.wanted
    );
    let all = match versions(aws, &sent.engine, None).await {
        Ok(all) => all,
        Err(error) => {
            return Check::new(NAME, Level::Error, text).hint(format!(
                "set `database.engine_version` to an offered one; they could not be listed: {error}"
            ));
        }
    };
    let near = nearest(&sent.wanted, all);
    if near.is_empty() {
        // An account or region without the engine at all, or an answer that says nothing.
        return Check::new(NAME, Level::Error, text)
            .hint("the region offers no version of this engine: choose another --region");
    }
    let list = near.join(", ");
    Check::new(NAME, Level::Error, format!("{text}; offered are {list}"))
        .hint(format!("set `database.engine_version` to one of {list}"))
}

fn numbers(version: &str) -> Vec<i64> {
    version.split('.').map_while(|p| p.parse().ok()).collect()
}

/// Those of the same major version first, newest first; then the other majors, nearest and newest first.
fn nearest(wanted: &str, mut all: Vec<String>) -> Vec<String> {
    let major = |v: &str| numbers(v).first().copied().unwrap_or_default();
    all.sort_by_cached_key(|v| {
        let minor: Vec<i64> = numbers(v).iter().skip(1).map(|n| -n).collect();
        ((major(v) - major(wanted)).abs(), -major(v), minor)
    });
    all.dedup();
    all.truncate(NAMED);
    all
}

async fn versions(aws: &Aws, engine: &str, version: Option<&str>) -> Result<Vec<String>, Error> {
    let call = aws.rds.client.describe_db_engine_versions().engine(engine);
    let call = call.set_engine_version(version.map(str::to_owned));
    let call = call.max_records(100);
    let send = |marker| call.clone().set_marker(marker).send();
    let all = aws.pages(rds::DESCRIBE_DB_ENGINE_VERSIONS, send, |page| {
        let found = page.db_engine_versions.unwrap_or_default().into_iter();
        let found = found.filter(|v| v.engine().is_none_or(|e| e == engine));
        (found.filter_map(|v| v.engine_version), page.marker)
    });
    all.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_same_major_come_first_and_the_newest_of_them_first() {
        let all = ["13.9", "14.9", "15.4", "16.1", "14.17", "14.10", "14.9"];
        let all = all.map(str::to_owned).to_vec();
        assert_eq!(
            nearest("14.6", all),
            ["14.17", "14.10", "14.9", "15.4", "13.9", "16.1"]
        );
        let many = (1..30).map(|n| format!("14.{n}")).collect();
        assert_eq!(nearest("14.99", many).len(), NAMED);
    }
}
