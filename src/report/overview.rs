//! `deployer status --all`: every deployment at a glance.

use super::json::Document;
use super::value::{clean, columns, seconds};
use crate::state::{History, Stage, State, What};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// One deployment.
#[derive(Debug, Clone, Serialize)]
pub struct DeploymentRow {
    pub suffix: String,
    /// Its account; empty when no run has met AWS yet.
    pub account: String,
    pub region: String,
    /// The serial of its state.
    pub serial: u64,
    /// Recorded steps by scope.
    pub steps: BTreeMap<String, usize>,
    /// Steps that are not ready.
    pub unfinished: usize,
    /// When the first of its recorded steps was written last: about when it was made.
    pub created: Option<Timestamp>,
    /// When its last run began or ended.
    pub last_run: Option<Timestamp>,
    /// How that ended; `running or killed` for one without an end.
    pub last_result: Option<String>,
    /// Who holds its lock.
    pub locked_by: Option<String>,
    /// Why its state cannot be read.
    pub error: Option<String>,
}

impl DeploymentRow {
    /// Of a state and its history.
    pub fn of(state: &State, history: &History, locked_by: Option<String>) -> Self {
        let mut steps: BTreeMap<String, usize> = BTreeMap::new();
        for record in state.steps.values() {
            *steps.entry(record.scope.clone()).or_default() += 1;
        }
        let last = history.lines.last();
        let first = history.lines.first().map(|l| l.at);
        Self {
            suffix: state.suffix.clone(),
            account: state.account.clone(),
            region: state.region.clone(),
            serial: state.serial,
            steps,
            unfinished: state
                .steps
                .values()
                .filter(|r| r.stage != Stage::Ready)
                .count(),
            created: first.or_else(|| state.steps.values().map(|r| r.at).min()),
            last_run: last.map(|l| l.at),
            last_result: last.map(|l| match l.entry.what {
                What::Started => "running or killed".to_owned(),
                What::Finished => l.entry.result.clone(),
            }),
            locked_by,
            error: None,
        }
    }

    /// Of a state that cannot be read.
    pub fn unreadable(suffix: &str, error: String) -> Self {
        Self {
            suffix: suffix.to_owned(),
            account: String::new(),
            region: String::new(),
            serial: 0,
            steps: BTreeMap::new(),
            unfinished: 0,
            created: None,
            last_run: None,
            last_result: None,
            locked_by: None,
            error: Some(error),
        }
    }
}

/// `deployer status --all --json`.
#[derive(Debug, Clone, Serialize)]
pub struct OverviewDocument {
    /// The folder of the state files.
    pub folder: String,
    /// The deployments, by suffix.
    pub deployments: Vec<DeploymentRow>,
}
impl Document for OverviewDocument {
    const SCHEMA: &'static str = "deployer.status-all/1";
}

/// The same for people; `now` is what ages are counted from.
pub fn overview(document: &OverviewDocument, now: Timestamp) -> String {
    if document.deployments.is_empty() {
        return format!("no deployment is recorded in {}\n", document.folder);
    }
    let head = [
        "suffix", "account", "region", "steps", "age", "last run", "",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in &document.deployments {
        if one.error.is_some() {
            continue;
        }
        let steps = one.steps.iter().map(|(scope, n)| format!("{n} {scope}"));
        let steps: Vec<String> = steps.collect();
        let mut notes: Vec<String> = one.last_result.iter().cloned().collect();
        if one.unfinished > 0 {
            notes.push(format!("{} not ready", one.unfinished));
        }
        notes.extend(
            one.locked_by
                .iter()
                .map(|h| format!("locked by {}", clean(h))),
        );
        rows.push(vec![
            one.suffix.clone(),
            one.account.clone(),
            one.region.clone(),
            if steps.is_empty() {
                "none".into()
            } else {
                steps.join(", ")
            },
            one.created.map_or_else(String::new, |at| age(at, now)),
            one.last_run
                .map_or_else(String::new, |at| format!("{} ago", age(at, now))),
            notes.join(", "),
        ]);
    }
    let mut out = columns(&rows, "");
    for one in &document.deployments {
        if let Some(error) = &one.error {
            out.push_str(&format!(
                "{} cannot be read: {}\n",
                one.suffix,
                clean(error)
            ));
        }
    }
    out
}

/// `5 days`, `3h 02m`.
fn age(at: Timestamp, now: Timestamp) -> String {
    let since = now.duration_since(at).as_secs_f64().max(0.0);
    let days = (since / 86_400.0).floor();
    match days {
        d if d >= 2.0 => format!("{d} days"),
        _ => seconds(since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deployment_is_a_row_with_its_age_and_a_broken_one_says_why() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let one = DeploymentRow {
            steps: BTreeMap::from([("green".to_owned(), 12)]),
            unfinished: 1,
            created: Some(at(0)),
            last_run: Some(at(432_000 - 90)),
            last_result: Some("failed".into()),
            error: None,
            ..DeploymentRow::unreadable("prod", String::new())
        };
        let document = OverviewDocument {
            folder: "state".into(),
            deployments: vec![one, DeploymentRow::unreadable("pr42", "no JSON".into())],
        };
        let text = overview(&document, at(432_000));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].contains("12 green  5 days  1m 30s ago  failed, 1 not ready"),
            "{text}"
        );
        assert_eq!(lines[2], "pr42 cannot be read: no JSON");
    }
}
