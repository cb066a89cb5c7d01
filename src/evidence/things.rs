//! Ages, restore windows, alarms that reach nobody, log groups, ends of support.

use super::{Sources, Verdict};
use crate::config::Config;
use crate::engine::observe::{Observations, Observed};
use crate::state::State;
use crate::support;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// When KMS deletes a key, and with it whatever only that key decrypts.
pub const DELETION: &str = "deletion";

/// A point in time of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dated {
    /// What it says: `created`, `last rotated`, `next rotation`, `restorable from`, `restorable to`,
    /// `issued`, `valid until`, `deletion`.
    pub what: &'static str,
    /// When; null when AWS shows none.
    pub at: Option<Timestamp>,
}

/// What is known of one key, secret, database, table or certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Age {
    pub step: String,
    /// ARN, id or name.
    pub resource: String,
    /// The API action.
    pub operation: String,
    /// Its points in time.
    pub dates: Vec<Dated>,
    /// When they were read.
    pub read: Timestamp,
    /// Why it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

pub type Ages = Vec<Age>;

/// An end of support of a version that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Support {
    /// The configuration key that ends it.
    pub key: &'static str,
    /// The version as it was read; the configured one when nothing was read.
    pub version: String,
    /// The API action that showed it.
    pub operation: &'static str,
    /// AWS's name of it.
    pub field: &'static str,
    /// The steps that run it; empty when nothing was read.
    pub steps: Vec<String>,
    /// Its last day; null when it is not known.
    pub last: Option<Date>,
    /// What comes then.
    pub then: &'static str,
    /// Shown while a version that was read is supported.
    pub verdict: Verdict,
}

/// Ends of support of the versions that were read; of a type of which none was read, the configured one, which shows nothing.
pub fn support(state: &State, seen: &Observations, config: &Config, today: Date) -> Vec<Support> {
    let kinds = [
        (
            support::DATABASE,
            "rds/cluster",
            "running_version",
            ("rds:DescribeDBClusters", "EngineVersion"),
            &config.database.engine_version,
        ),
        (
            support::RUNTIME,
            "lambda/function",
            "runtime",
            ("lambda:GetFunction", "Runtime"),
            &config.migration.runtime,
        ),
    ];
    let mut out = Vec::new();
    for (key, kind, name, (operation, field), configured) in kinds {
        let mut running: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (step, _) in state.steps.iter().filter(|(_, r)| r.kind == kind) {
            let live = seen.get(step).and_then(Observed::live);
            if let Some(version) = live.and_then(|l| l.spec[name].as_str()) {
                running.entry(version).or_default().push(step.clone());
            }
        }
        if running.is_empty() {
            running.insert(configured, Vec::new());
        }
        for (version, steps) in running {
            let end = support::end(key, version);
            let verdict = match end {
                Some(end) if !steps.is_empty() => Verdict::of(today <= end.last),
                _ => Verdict::NotSeen,
            };
            out.push(Support {
                key,
                version: version.to_owned(),
                operation,
                field,
                steps,
                last: end.map(|e| e.last),
                then: end.map_or("", |e| e.then),
                verdict,
            });
        }
    }
    out
}

/// Log groups whose retention is not 90 days.
pub fn log_groups(seen: &Observations, state: &State) -> Vec<(String, Option<i64>)> {
    let groups = state
        .steps
        .iter()
        .filter(|(_, r)| r.kind == "logs/log_group");
    let each = groups.filter_map(|(step, _)| match seen.get(step) {
        Some(Observed::Found(live)) => {
            let days = live.spec.get("retention_days").and_then(Value::as_i64);
            (days != Some(90)).then(|| (step.clone(), days))
        }
        _ => None,
    });
    each.collect()
}

/// Alarms that nobody gets, and topics without anybody who has confirmed. An alarm that notifies nobody itself counts when no
/// composite alarm that notifies somebody watches it.
pub fn silent(from: &Sources<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let watched = watched(from);
    for (step, record) in &from.state.steps {
        let live = match from.seen.get(step) {
            Some(Observed::Found(live)) => live,
            Some(Observed::Absent) if record.kind == "sns/topic" => {
                out.push(format!(
                    "{step}: the topic is not there, so no alarm reaches anybody"
                ));
                continue;
            }
            _ => continue,
        };
        match record.kind.as_str() {
            "sns/topic" => {
                let none = live.spec["subscribers"]
                    .as_array()
                    .is_none_or(Vec::is_empty);
                let pending = live.outputs.get("attention").and_then(Value::as_str);
                match pending {
                    Some(text) => out.push(format!("{step}: {text}")),
                    None if none => out.push(format!(
                        "{step}: nobody is subscribed (`monitoring.notify`), so no alarm reaches anybody"
                    )),
                    None => {}
                }
            }
            "cloudwatch/alarm" | "cloudwatch/composite_alarm"
                if live.spec.get("actions") == Some(&Value::Bool(false)) =>
            {
                out.push(format!("{step}: its actions are switched off"));
            }
            "cloudwatch/alarm" | "cloudwatch/composite_alarm"
                if notifies_nobody(&live.spec) && !watched.contains(record.name.as_str()) =>
            {
                out.push(format!("{step}: it notifies nobody"));
            }
            _ => {}
        }
    }
    out
}

fn notifies_nobody(alarm: &Value) -> bool {
    alarm["notify"].as_array().is_none_or(Vec::is_empty)
}

/// Names of alarms that a composite alarm watches which notifies somebody.
fn watched<'a>(from: &'a Sources<'_>) -> BTreeSet<&'a str> {
    let composites = from.state.steps.iter().filter_map(|(step, record)| {
        let live = from.seen.get(step).and_then(Observed::live)?;
        let notifies = live.spec["actions"] == true && !notifies_nobody(&live.spec);
        (record.kind == "cloudwatch/composite_alarm" && notifies).then_some(&live.spec["any_of"])
    });
    let names = composites.filter_map(Value::as_array).flatten();
    names.filter_map(Value::as_str).collect()
}
