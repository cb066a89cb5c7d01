//! One row of the comparison: a step of the blueprint against what was read, or a recorded step that is no longer wanted.

use super::{GONE, Input, Row, Status};
use crate::engine::compare::{self, Wanted};
use crate::engine::diff::Change;
use crate::engine::driver::{Live, Nature, Phase};
use crate::engine::error::Error;
use crate::engine::observe::Observed;
use crate::engine::reference::resolve;
use crate::state::{Record, Stage};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// A step of the blueprint.
pub(super) fn wanted(
    input: &Input<'_>,
    at: usize,
    known: &HashMap<&str, Cow<'_, Value>>,
    above: &[Row],
) -> Row {
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
    let want = resolve(&step.spec, &|id| known.get(id).map(Cow::as_ref));
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
    if record.is_none() && compare::is_unset(meta, wanted, live) {
        // Its settings stay in the row: without any state nobody knows whether somebody took them away, and they are rated.
        row.status = Status::Missing;
        row.reason = Some(absence(input, at, record, meta.nature, above));
        return row;
    }
    let mut row = status(row, live, record, meta.nature);
    let unread = compare::unread(meta, live);
    if !unread.is_empty() {
        row.status = row.status.max(Status::Unchecked);
        let text = format!("what others have in it: {}", unread.join(", "));
        row.reason = Some(match row.reason {
            Some(reason) => format!("{reason}; {text}"),
            None => text,
        });
    }
    row
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
pub(super) fn left<'a>(input: &'a Input<'_>) -> impl Iterator<Item = Row> + 'a {
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
