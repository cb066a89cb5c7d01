//! Drift: the account against the blueprint and the state, as a value. A pure function of what was read; nothing is
//! written anywhere.
//!
//! What could not be read is `unchecked` and never `in sync`; what is tagged as ours and is not in the state is `unmanaged`.

mod accept;
mod author;
mod rows;
mod severity;
#[cfg(test)]
mod tests;
mod untracked;

pub use accept::{Accepted, Rule, RuleUse, Use};
pub use author::{Author, Found};
pub use severity::{Difference, Finding, Severities, Severity};
pub(super) use untracked::names;

use super::compare::DelegatedField;
use super::diff::Change;
use super::driver::{Owned, Registry};
use super::error::Error;
use super::graph::{Graph, Step};
use super::observe::{Observations, Observed};
use super::waiting::waiting;
use crate::state::State;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// The drift status of one step. Ordered by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As the blueprint and the state say.
    InSync,
    /// It needs another scope, which is not there yet. No difference.
    Waiting,
    /// A field that someone else owns is outside its owner's legal range.
    OutOfRange,
    /// It is tagged as ours and not in the state, or elements were added to a set that we own.
    Unmanaged,
    /// It could not be looked at.
    Unchecked,
    /// Settings differ, or it lost its mark, or it has failed.
    Changed,
    /// It does not exist.
    Missing,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub step: String,
    /// Its type.
    pub kind: String,
    /// A scope that the blueprint names, or [`SHARED`](super::graph::SHARED).
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// Its drift status.
    pub status: Status,
    /// True when the state has a record of it.
    #[serde(skip)]
    pub recorded: bool,
    /// Settings that differ, with what is wanted and what is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Elements that nobody asked for: rules, routes, tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmanaged: Vec<Change>,
    /// Fields that someone else owns and that are outside the legal range.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub out_of_range: Vec<DelegatedField>,
    /// More, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it could not be read, or whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// Something with our mark that belongs to no recorded step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unmanaged {
    /// Its type.
    pub kind: String,
    /// The step that its mark names.
    pub step: String,
    /// Its id, name or ARN.
    pub id: String,
    /// Its name, when it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Why it is listed.
    pub reason: String,
}

/// A type whose marked resources could not be listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unlisted {
    /// The type.
    pub kind: String,
    /// Why.
    pub error: Error,
}

/// How many steps (and, for `unmanaged` and `unchecked`, other things too) there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Steps in sync.
    pub in_sync: usize,
    /// Steps with settings that differ.
    pub changed: usize,
    /// Steps that do not exist.
    pub missing: usize,
    /// Extra elements, steps that are not recorded, and marked things of no step.
    pub unmanaged: usize,
    /// Steps that could not be read and types that could not be listed.
    pub unchecked: usize,
    /// Delegated fields outside their range.
    pub out_of_range: usize,
    /// Steps that need another scope, which is not there yet.
    pub waiting: usize,
    /// Differences that a rule of the configuration accepts; they count nowhere else.
    pub accepted: usize,
    /// The differences by severity.
    pub severity: Severities,
}

/// The whole comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Drift {
    pub summary: Counts,
    /// One row per step, in the order of the graph; recorded steps that are no longer in the blueprint come last.
    pub steps: Vec<Row>,
    /// Marked things of no recorded step.
    pub unmanaged: Vec<Unmanaged>,
    /// Types that could not be listed.
    pub unlisted: Vec<Unlisted>,
    /// What each difference means, the most severe first.
    pub findings: Vec<Finding>,
    /// Differences that rules of the configuration accept.
    pub accepted: Vec<Accepted>,
    /// The rules, and what became of each.
    pub rules: Vec<RuleUse>,
    /// Who changed what differs.
    pub authors: Vec<Author>,
    /// Why the account's history of calls could not be read.
    pub event_history: Option<String>,
}

impl Row {
    /// True for what is not as the blueprint and the state say, or was not looked at.
    pub fn differs(&self) -> bool {
        !matches!(self.status, Status::InSync | Status::Waiting)
    }
}

/// What was read and what it is compared with.
pub struct Input<'a> {
    /// The blueprint.
    pub graph: &'a Graph,
    /// The steps that are compared.
    pub chosen: &'a [bool],
    /// The scope that was asked for.
    pub scope: Option<&'a str>,
    pub state: &'a State,
    /// What was read: the chosen steps, and recorded ones of the scope that are no longer in the blueprint.
    pub seen: &'a Observations,
    /// Everything in the account that is tagged as ours.
    pub owned: &'a [Owned],
    /// Global things with this suffix, of which no tag says which account and region they belong to.
    pub undecided: &'a [Owned],
    /// Types that could not be listed.
    pub unlisted: Vec<Unlisted>,
    /// The resource types.
    pub registry: &'a Registry,
    /// Tags of other actors that are no drift.
    pub ignore_tags: &'a [String],
    /// Recorded steps that are no longer in the blueprint and stay because others need them, with the reason.
    pub needed: &'a BTreeMap<String, String>,
}

impl Drift {
    /// True when something differs: exit code 2.
    pub fn differs(&self) -> bool {
        let c = &self.summary;
        c.changed + c.missing + c.unmanaged + c.out_of_range > 0
    }

    /// True when everything was looked at. Only then does "nothing differs" mean that all is well.
    pub fn complete(&self) -> bool {
        self.summary.unchecked == 0
    }
}

/// The reason of what was there once.
pub const GONE: &str = "it is recorded but no longer exists";

/// Compares.
pub fn drift(input: Input<'_>) -> Drift {
    let mut rows: Vec<Row> = Vec::new();
    let mut known: HashMap<&str, Cow<'_, Value>> = HashMap::new();
    let graph = input.graph;
    let waiting = waiting(graph, input.chosen, input.seen, input.state);
    for (at, step) in input.graph.steps.iter().enumerate() {
        let mut differs = Vec::new();
        if input.chosen.get(at).copied().unwrap_or(false) {
            let mut row = rows::wanted(&input, at, &known, &rows);
            // The empty part of a thing that is there differs; it waits all the same.
            let is_new = match row.status {
                Status::Missing => true,
                Status::Changed => !input.state.steps.contains_key(&step.id),
                _ => false,
            };
            if let (true, Some(scope)) = (is_new, waiting[at]) {
                row.changes.clear();
                row.status = Status::Waiting;
                row.reason = Some(format!("waiting for {scope}"));
            }
            differs.extend(row.changes.iter().chain(&row.unmanaged).cloned());
            rows.push(row);
        }
        let outputs = today(&input, step, &differs);
        known.extend(outputs.map(|outputs| (step.id.as_str(), outputs)));
    }
    rows.extend(rows::left(&input));
    let unmanaged = untracked::untracked(&input);
    let mut summary = count(&rows);
    summary.unmanaged += unmanaged.len();
    summary.unchecked += input.unlisted.len();
    Drift {
        summary,
        steps: rows,
        unmanaged,
        unlisted: input.unlisted,
        ..Drift::default()
    }
}

/// The outputs that what refers to a step is compared with: those that were read. What the repair of these differences will
/// change is as recorded, and so is what AWS does not show: that others follow is no difference of theirs.
fn today<'a>(input: &Input<'a>, step: &Step, differs: &[Change]) -> Option<Cow<'a, Value>> {
    let recorded = input.state.outputs(&step.id);
    let live = input.seen.get(&step.id).and_then(Observed::live);
    let Some(live) = live.map(|l| &l.outputs) else {
        return recorded.map(Cow::Borrowed);
    };
    let driver = input.registry.get(&step.kind).ok();
    let driver = driver.filter(|_| !differs.is_empty());
    let renews = |name: &str| driver.is_some_and(|d| d.meta().renews(name, differs));
    let follows = |name: &str| live.get(name).is_none() || renews(name);
    let mut outputs = Cow::Borrowed(live);
    let recorded = recorded.and_then(Value::as_object).into_iter().flatten();
    for (name, value) in recorded.filter(|(name, _)| follows(name)) {
        if let Some(outputs) = outputs.to_mut().as_object_mut() {
            outputs.insert(name.clone(), value.clone());
        }
    }
    Some(outputs)
}

fn count(rows: &[Row]) -> Counts {
    let mut out = Counts::default();
    for row in rows {
        match row.status {
            Status::InSync => out.in_sync += 1,
            Status::Changed => out.changed += 1,
            Status::Missing => out.missing += 1,
            Status::Unchecked => out.unchecked += 1,
            Status::Unmanaged if row.unmanaged.is_empty() => out.unmanaged += 1,
            Status::Waiting => out.waiting += 1,
            Status::Unmanaged | Status::OutOfRange => {}
        }
        out.unmanaged += row.unmanaged.len();
        out.out_of_range += row.out_of_range.len();
    }
    out
}
