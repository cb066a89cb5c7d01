//! More than one resource with the mark of one step: what has to be known before any difference is read.

use super::paint::Paint;
use crate::engine::drift::{Drift, Status};
use crate::engine::error::{Error, MARKED_TWICE};
use crate::engine::plan::Plan;
use std::collections::BTreeSet;

/// Steps that are named at most.
const NAMED: usize = 3;

/// A sentence about the steps whose mark is on more than one resource, as far as a plan met them.
pub(super) fn of_plan(plan: &Plan) -> Option<String> {
    let refused = plan.nodes.iter();
    let refused = refused.filter_map(|n| Some((&n.step, n.refused.as_ref()?)));
    let problems = plan.problems.iter().map(|p| (&p.step, &p.error));
    let twice = refused
        .chain(problems)
        .filter(|(step, e)| is_twice(step, e));
    sentence(twice.map(|(step, _)| step.as_str()).collect())
}

/// The same of a comparison, which also lists what is marked beside a recorded resource.
pub(super) fn of_drift(drift: &Drift) -> Option<String> {
    let rows = drift.steps.iter();
    let unclear = rows.filter(|r| r.error.as_ref().is_some_and(|e| is_twice(&r.step, e)));
    let rows = drift.steps.iter();
    let there = rows.filter(|r| !matches!(r.status, Status::Missing | Status::Unchecked));
    let there: BTreeSet<&str> = there.map(|r| r.step.as_str()).collect();
    let second = drift.unmanaged.iter().map(|thing| thing.step.as_str());
    let second = second.filter(|step| there.contains(step));
    let unclear = unclear.map(|row| row.step.as_str());
    sentence(unclear.chain(second).collect())
}

/// What belongs to such a step cannot be read for the same reason, but its own mark is not the one.
fn is_twice(step: &str, error: &Error) -> bool {
    error.topic.as_deref() == Some(MARKED_TWICE) && error.message.contains(&format!("`{step}`"))
}

fn sentence(steps: BTreeSet<&str>) -> Option<String> {
    if steps.is_empty() {
        return None;
    }
    let mut names: Vec<&str> = steps.iter().copied().take(NAMED).collect();
    if steps.len() > NAMED {
        names.push("...");
    }
    Some(format!(
        "more than one resource carries the ownership mark of {} ({}). This deployment has probably been applied from two state folders: run `deployer destroy` with the one (`--state-dir`) whose resources are not in use. With one state folder a call was delivered twice: delete by hand what `deployer state list` does not show",
        super::value::many(steps.len() as u64, "step"),
        names.join(", ")
    ))
}

/// The sentence as the first lines of a report.
pub(super) fn first(sentence: Option<String>, paint: Paint) -> String {
    let warning = paint.yellow("warning:");
    sentence.map_or_else(String::new, |text| format!("{warning} {text}\n\n"))
}
