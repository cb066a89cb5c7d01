//! Drift: the account against the blueprint and the state, as a value. A pure function of what was read; nothing is
//! written anywhere.
//!
//! What could not be read is `unchecked` and never `in sync`; what is tagged as ours and is not in the state is `unmanaged`.

mod accept;
mod author;
mod severity;
#[cfg(test)]
mod tests;
mod untracked;

pub use accept::{Accepted, Rule, RuleUse, Use};
pub use author::{Author, Found};
pub use severity::{Difference, Finding, Severities, Severity};

use super::compare::{self, DelegatedField, Wanted};
use super::diff::Change;
use super::driver::{Live, Nature, Owned, Phase, Registry};
use super::error::Error;
use super::graph::Graph;
use super::observe::{Observations, Observed};
use super::reference::resolve;
use crate::state::{Record, Stage, State};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What is the matter with one step. Ordered by how much it matters.
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
    /// The step.
    pub step: String,
    /// Its type.
    pub kind: String,
    /// `blue`, `green` or `shared`.
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// What is the matter.
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
    /// The counts.
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
    /// The state.
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
    let mut known: HashMap<&str, &Value> = HashMap::new();
    let graph = input.graph;
    let waiting = graph.waiting(input.chosen, input.seen, input.state);
    for (at, step) in input.graph.steps.iter().enumerate() {
        let live = input.seen.get(&step.id).and_then(Observed::live);
        if let Some(outputs) = live
            .map(|l| &l.outputs)
            .or_else(|| input.state.outputs(&step.id))
        {
            known.insert(&step.id, outputs);
        }
        if input.chosen.get(at).copied().unwrap_or(false) {
            let mut row = wanted(&input, at, &known, &rows);
            if let (Status::Missing, Some(scope)) = (row.status, waiting[at]) {
                row.status = Status::Waiting;
                row.reason = Some(format!("waiting for {scope}"));
            }
            rows.push(row);
        }
    }
    rows.extend(left(&input));
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

/// A step of the blueprint.
fn wanted(input: &Input<'_>, at: usize, known: &HashMap<&str, &Value>, above: &[Row]) -> Row {
    let step = &input.graph.steps[at];
    let record = input.state.steps.get(&step.id);
    let mut row = Row {
        step: step.id.clone(),
        kind: step.kind.clone(),
        scope: step.scope.clone(),
        name: step.name.clone(),
        status: Status::InSync,
        recorded: record.is_some(),
        changes: Vec::new(),
        unmanaged: Vec::new(),
        out_of_range: Vec::new(),
        reason: None,
        error: None,
    };
    let meta = match input.registry.get(&step.kind) {
        Ok(driver) => driver.meta(),
        Err(error) => return unchecked(row, error),
    };
    let live = match input.seen.get(&step.id) {
        None => return unchecked(row, Error::permanent("read", "it was not read")),
        Some(Observed::Unreadable(error)) => return unchecked(row, error.clone()),
        Some(Observed::Foreign(_, error)) => {
            row.status = Status::Changed;
            row.reason = Some(if record.is_some() {
                "it lost its mark".into()
            } else {
                "its name is taken by a resource that this deployment does not own".into()
            });
            row.error = Some(error.clone());
            return row;
        }
        Some(Observed::Absent) => {
            row.status = Status::Missing;
            row.reason = Some(absence(input, at, record, meta.nature, above));
            return row;
        }
        Some(Observed::Found(live)) => live,
    };
    if live.is_the_accounts() {
        row.reason = Some("it is the account's own and used as it is".into());
        return row;
    }
    let want = resolve(&step.spec, &|id| known.get(id).copied());
    let wanted = Wanted {
        step: &step.id,
        spec: &want,
        tags: &step.tags,
    };
    let changes = compare::changes(meta, wanted, live, input.ignore_tags);
    (row.unmanaged, row.changes) = changes.into_iter().partition(Change::is_extra);
    row.unmanaged.extend(compare::strangers(meta, live));
    row.out_of_range = compare::delegated(meta, wanted, live, input.state);
    row.out_of_range.retain(|d| d.illegal.is_some());
    status(row, live, record, meta.nature)
}

fn status(mut row: Row, live: &Live, record: Option<&Record>, nature: Nature) -> Row {
    if !row.changes.is_empty() {
        row.status = Status::Changed;
    } else if !row.unmanaged.is_empty() {
        row.status = Status::Unmanaged;
    } else if !row.out_of_range.is_empty() {
        row.status = Status::OutOfRange;
    }
    // An aspect is there as soon as its parent is; without a record it is as AWS made it.
    if record.is_none() && nature != Nature::SubResource {
        row.status = row.status.max(Status::Unmanaged);
        row.reason = Some("tagged as ours, not in the state file".into());
    }
    match &live.phase {
        Phase::Ready => {}
        Phase::Settling => row.reason = Some("AWS is still working on it".into()),
        Phase::Failed(why) => {
            row.status = Status::Changed;
            row.reason = Some(format!("it has failed: {why}"));
        }
        Phase::Deleting => {
            row.status = Status::Missing;
            row.reason = Some("it is being deleted".into());
        }
    }
    row
}

fn unchecked(mut row: Row, error: Error) -> Row {
    row.status = Status::Unchecked;
    row.reason = Some("it could not be read".into());
    row.error = Some(error);
    row
}

/// Why something is not there.
fn absence(
    input: &Input<'_>,
    at: usize,
    record: Option<&Record>,
    nature: Nature,
    above: &[Row],
) -> String {
    if nature != Nature::Tagged {
        let needs = &input.graph.steps[at].needs;
        let parent = needs.iter().find_map(|(to, _)| {
            let id = &input.graph.steps[*to].id;
            above
                .iter()
                .find(|r| r.step == *id && r.status == Status::Missing)
        });
        if let Some(parent) = parent {
            return format!("`{}`, which it belongs to, is missing", parent.step);
        }
    }
    match record.map(|r| r.stage) {
        None => "not created yet".into(),
        Some(Stage::Creating) => "an earlier run did not finish it".into(),
        Some(Stage::Deleting) => "an earlier run deleted it".into(),
        Some(_) => GONE.into(),
    }
}

fn is_snapshot(input: &Input<'_>, record: &Record) -> bool {
    let driver = input.registry.get(&record.kind);
    driver.is_ok_and(|d| d.meta().retention.is_snapshot)
}

/// Recorded steps that are no longer in the blueprint and still exist.
fn left<'a>(input: &'a Input<'_>) -> impl Iterator<Item = Row> + 'a {
    let gone = |(id, record): &(&String, &Record)| {
        input.graph.position(id).is_none() && input.scope.is_none_or(|s| s == record.scope)
    };
    input
        .state
        .steps
        .iter()
        .filter(gone)
        .filter_map(|(id, record)| {
            let needed = input.needed.get(id);
            let (status, reason, error) = match input.seen.get(id) {
                None | Some(Observed::Absent) => return None,
                Some(Observed::Found(_)) if needed.is_some() => {
                    (Status::InSync, needed.map_or("", String::as_str), None)
                }
                Some(Observed::Found(_)) if is_snapshot(input, record) => (
                    Status::InSync,
                    "a snapshot that keeps data; `deployer destroy --destroy-data` deletes it",
                    None,
                ),
                Some(Observed::Found(_)) => (
                    Status::Changed,
                    "no longer in the blueprint; `deployer apply` deletes it",
                    None,
                ),
                Some(Observed::Foreign(_, error)) => (
                    Status::Changed,
                    "no longer in the blueprint, and it lost its ownership tags",
                    Some(error.clone()),
                ),
                Some(Observed::Unreadable(error)) => (
                    Status::Unchecked,
                    "it could not be read",
                    Some(error.clone()),
                ),
            };
            Some(Row {
                step: id.clone(),
                kind: record.kind.clone(),
                scope: record.scope.clone(),
                name: record.name.clone(),
                status,
                recorded: true,
                changes: Vec::new(),
                unmanaged: Vec::new(),
                out_of_range: Vec::new(),
                reason: Some(reason.into()),
                error,
            })
        })
}
