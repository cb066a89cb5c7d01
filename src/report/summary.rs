//! The end of a run, outputs, and what is recorded, for people.

use super::calls::CallTotals;
use super::paint::Paint;
use super::plan::scopes;
use super::value::{clean, columns, cut, many, seconds};
use crate::engine::event::Verb;
use crate::engine::exec::{Outcome, Report};
use crate::engine::plan::{Node, Plan};
use crate::state::{HistoryLine, Stage, State, What};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What a run did, counted in steps. A replacement counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Steps that were created.
    pub created: usize,
    /// Steps that existed with our mark and were recorded.
    pub adopted: usize,
    /// Steps that were changed in place.
    pub updated: usize,
    /// Steps that were deleted and created.
    pub replaced: usize,
    /// Steps that were deleted.
    pub deleted: usize,
    /// Steps that were as they should be.
    pub unchanged: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that were not started because something they need failed.
    pub blocked: usize,
    /// Steps that were not started, or whose wait was cut short, because a stop was asked for.
    pub interrupted: usize,
}

impl Totals {
    /// Counts the outcomes of a plan.
    pub fn of(plan: &Plan, report: &Report) -> Self {
        let mut out = Self {
            unchanged: plan.unchanged.len(),
            ..Self::default()
        };
        let mut met = BTreeSet::new();
        for (at, (step, verb, outcome)) in report.outcomes.iter().enumerate() {
            let slot = match outcome {
                Outcome::Done if plan.nodes.get(at).is_some_and(Node::is_second_half) => continue,
                Outcome::Done => match verb {
                    Verb::Create => &mut out.created,
                    Verb::Adopt => &mut out.adopted,
                    Verb::Update => &mut out.updated,
                    Verb::Replace => &mut out.replaced,
                    Verb::Delete => &mut out.deleted,
                },
                // Both halves of a step do not count twice.
                _ if !met.insert(step) => continue,
                Outcome::Failed(_) => &mut out.failed,
                Outcome::Blocked(_) => &mut out.blocked,
                Outcome::Interrupted => &mut out.interrupted,
            };
            *slot += 1;
        }
        out
    }
}

/// One line: `Done in 4m 12s: 140 created, ...; 340 calls (200 reads, 140 writes)`.
pub fn summary(totals: &Totals, calls: &CallTotals, run_seconds: f64, paint: Paint) -> String {
    let word = match totals {
        t if t.failed > 0 => paint.red("Failed"),
        t if t.interrupted > 0 => paint.yellow("Interrupted"),
        _ => paint.green("Done"),
    };
    if *totals
        == (Totals {
            unchanged: totals.unchanged,
            ..Totals::default()
        })
    {
        return format!(
            "No changes: {} in sync; {} ({}, {})\n",
            many(totals.unchanged as u64, "step"),
            many(calls.all(), "call"),
            many(calls.reads, "read"),
            many(calls.writes, "write")
        );
    }
    let mut parts = vec![format!("{} created", totals.created)];
    let mut some = |n: usize, what: &str| {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    };
    some(totals.adopted, "adopted");
    parts.push(format!("{} updated", totals.updated));
    parts.push(format!("{} replaced", totals.replaced));
    parts.push(format!("{} deleted", totals.deleted));
    parts.push(format!("{} unchanged", totals.unchanged));
    let mut some = |n: usize, what: &str| {
        if n > 0 {
            parts.push(paint.red(&format!("{n} {what}")));
        }
    };
    some(totals.failed, "failed");
    some(totals.blocked, "blocked");
    some(totals.interrupted, "not finished");
    let mut text = format!(
        "{word} in {}: {}; {} ({}, {}",
        seconds(run_seconds),
        parts.join(", "),
        many(calls.all(), "call"),
        many(calls.reads, "read"),
        many(calls.writes, "write")
    );
    if calls.throttled > 0 {
        let _ = write!(text, ", {} throttled", calls.throttled);
    }
    text.push_str(")\n");
    text
}

/// What was not done, by step, when something was not: the closing block of a run, with what to type. Empty otherwise. One
/// cause of many failures is one line.
pub fn unfinished(report: &Report, command: &str, paint: Paint) -> String {
    let mut failed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let (mut blocked, mut open) = (BTreeSet::new(), BTreeSet::new());
    for (step, _, outcome) in &report.outcomes {
        match outcome {
            Outcome::Done => {}
            Outcome::Failed(error) => {
                let cause = match error.code.as_str() {
                    "" => clean(&error.action),
                    code => format!("{} {code}", clean(&error.action)),
                };
                failed.entry(cause).or_default().insert(step);
            }
            Outcome::Blocked(_) => drop(blocked.insert(step.as_str())),
            Outcome::Interrupted => drop(open.insert(step.as_str())),
        }
    }
    let mut out = String::new();
    let mut list = |what: &str, steps: &BTreeSet<&str>, cause: &str| {
        if !steps.is_empty() {
            let steps: Vec<&str> = steps.iter().copied().collect();
            let _ = writeln!(out, "{} {}{cause}", paint.red(what), steps.join(", "));
        }
    };
    for (cause, steps) in &failed {
        list("Failed:", steps, &format!(" ({cause})"));
    }
    list("Blocked:", &blocked, "");
    list("Not finished:", &open, "");
    if !out.is_empty() {
        let _ = writeln!(
            out,
            "Run the same command again, it resumes from here: {command}"
        );
    }
    out
}

/// Outputs as a table; lists and tables of values on lines of their own.
pub fn outputs(all: &BTreeMap<String, Value>) -> String {
    let mut rows = Vec::new();
    for (name, value) in all {
        flat(name, value, &mut rows);
    }
    columns(&rows, "")
}

fn flat(name: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(k, v)| flat(&format!("{name}.{k}"), v, rows)),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            rows.push(vec![name.to_owned(), items.join(", ")]);
        }
        other => rows.push(vec![name.to_owned(), plain(other)]),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains("@{") => super::value::value(value),
        Value::String(text) => clean(text),
        Value::Null => "not known yet".into(),
        other => other.to_string(),
    }
}

fn stage(of: Stage) -> &'static str {
    match of {
        Stage::Creating => "creating",
        Stage::Created => "created",
        Stage::Ready => "ready",
        Stage::Deleting => "deleting",
    }
}

/// `deployer status`: what is recorded, per environment and stage, and what is not finished.
pub fn status(state: &State, scope: Option<&str>, holder: Option<&str>, paint: Paint) -> String {
    let mut out = String::new();
    let account = if state.account.is_empty() {
        "not known yet"
    } else {
        &state.account
    };
    let _ = writeln!(
        out,
        "suffix {}, account {account}, region {}, serial {}",
        paint.bold(&state.suffix),
        state.region,
        state.serial
    );
    let steps: Vec<_> = state
        .steps
        .iter()
        .filter(|(_, r)| scope.is_none_or(|s| s == r.scope))
        .collect();
    let mut rows = Vec::new();
    for name in scopes(steps.iter().map(|(_, r)| r.scope.as_str())) {
        let count = |s: Stage| {
            steps
                .iter()
                .filter(|(_, r)| r.scope == name && r.stage == s)
                .count()
        };
        let stages = [
            Stage::Ready,
            Stage::Created,
            Stage::Creating,
            Stage::Deleting,
        ];
        let counts = stages
            .iter()
            .filter(|s| count(**s) > 0)
            .map(|s| format!("{} {}", count(*s), stage(*s)));
        rows.push(vec![name.to_owned(), counts.collect::<Vec<_>>().join(", ")]);
    }
    if rows.is_empty() {
        out.push_str("nothing is recorded\n");
    }
    out.push_str(&columns(&rows, "  "));
    for (id, record) in steps.iter().filter(|(_, r)| r.stage != Stage::Ready) {
        let _ = writeln!(
            out,
            "  {} {id}: {} since {}",
            paint.yellow("!"),
            stage(record.stage),
            record.at.strftime("%Y-%m-%d %H:%M:%S UTC")
        );
    }
    if let Some(holder) = holder {
        let _ = writeln!(out, "locked by {}", clean(holder));
    }
    out
}

/// The last line of the history of runs, in one line.
pub fn last_run(line: &HistoryLine) -> String {
    let ended = match line.entry.what {
        What::Started => "began, and has not ended",
        What::Finished => line.entry.result.as_str(),
    };
    format!(
        "last run: {} `{}` of {}: {ended}\n",
        line.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        clean(&line.entry.command),
        clean(&line.entry.who)
    )
}

/// `deployer state list`.
pub fn state_list(state: &State) -> String {
    let rows: Vec<Vec<String>> = state
        .steps
        .iter()
        .map(|(id, r)| {
            let thing = ["id", "arn", "name"]
                .iter()
                .find_map(|k| r.outputs.get(k)?.as_str())
                .unwrap_or(&r.name);
            vec![
                id.clone(),
                r.kind.clone(),
                stage(r.stage).to_owned(),
                cut(&clean(thing), 80),
            ]
        })
        .collect();
    columns(&rows, "")
}

/// `deployer state history`.
pub fn history(lines: &[HistoryLine]) -> String {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let steps = line
                .entry
                .steps
                .iter()
                .map(|(what, n)| format!("{n} {what}"));
            let what = match line.entry.what {
                What::Started => "started".to_owned(),
                What::Finished => line.entry.result.clone(),
            };
            vec![
                line.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
                what,
                clean(&line.entry.who),
                clean(&line.entry.command),
                steps.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    columns(&rows, "")
}
