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

/// A point in time of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dated {
    /// What it says: `created`, `last rotated`, `next rotation`, `restorable from`, `restorable to`.
    pub what: &'static str,
    /// When; null when AWS shows none.
    pub at: Option<Timestamp>,
}

/// What is known of one key, secret, database or table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Age {
    /// The step.
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

/// All of them.
pub type Ages = Vec<Age>;

/// An end of support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Support {
    /// The configuration key.
    pub key: &'static str,
    /// The version.
    pub version: String,
    /// Its last day; null when it is not known.
    pub last: Option<Date>,
    /// What comes then.
    pub then: &'static str,
    /// Shown while it is supported.
    pub verdict: Verdict,
}

/// Ends of support of what is configured.
pub fn support(config: &Config, today: Date) -> Vec<Support> {
    let both = [
        (support::DATABASE, &config.database.engine_version),
        (support::RUNTIME, &config.migration.runtime),
    ];
    both.map(|(key, version)| {
        let end = support::end(key, version);
        Support {
            key,
            version: version.clone(),
            last: end.map(|e| e.last),
            then: end.map_or("", |e| e.then),
            verdict: end.map_or(Verdict::NotSeen, |e| Verdict::of(today <= e.last)),
        }
    })
    .into()
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

/// Alarms that nobody gets, and topics without anybody who has confirmed.
pub fn silent(from: &Sources<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for (step, record) in &from.state.steps {
        let Some(Observed::Found(live)) = from.seen.get(step) else {
            continue;
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
            _ => {}
        }
    }
    out
}
