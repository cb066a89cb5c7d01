//! What is to happen to one step of the graph: a pure function of what is wanted, recorded and found.

use super::build::Options;
use super::{DelegatedField, Plan, Problem};
use crate::engine::diff::{Change, diff, diff_tags};
use crate::engine::driver::{Live, Meta, Nature, Phase};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::graph::Step;
use crate::engine::observe::Observed;
use crate::engine::reference::resolve;
use crate::state::{Record, Stage};
use serde_json::Value;
use std::collections::HashMap;

/// What is to happen to one step of the graph, before nodes are made.
pub(super) struct Decision {
    pub(super) verb: Option<Verb>,
    pub(super) changes: Vec<Change>,
    pub(super) reasons: Vec<String>,
    pub(super) live: Option<Live>,
    pub(super) refused: Option<Error>,
}

pub(super) fn decide(
    step: &Step,
    meta: &Meta,
    observed: &Observed,
    record: Option<&Record>,
    kept: &HashMap<&str, &Value>,
    options: &Options,
    plan: &mut Plan,
) -> Decision {
    let mut decision = Decision {
        verb: None,
        changes: Vec::new(),
        reasons: Vec::new(),
        live: None,
        refused: None,
    };
    let live = match observed {
        Observed::Absent => {
            decision.verb = Some(Verb::Create);
            if record.is_some_and(|r| r.stage != Stage::Creating) {
                decision
                    .reasons
                    .push("it is recorded but no longer exists".into());
            }
            return decision;
        }
        Observed::Unreadable(error) => {
            decision.verb = Some(Verb::Update);
            decision.reasons.push("it could not be read".into());
            decision.refused = Some(error.clone());
            return decision;
        }
        Observed::Foreign(_, error) => {
            plan.problems.push(Problem {
                step: step.id.clone(),
                error: error.clone(),
            });
            return decision;
        }
        Observed::Found(live) => live,
    };
    decision.live = Some(live.clone());
    let want = resolve(&step.spec, &|id| kept.get(id).copied());
    let (delegated, mut changes) = split(meta, step, diff(&want, &live.spec), &want, live);
    plan.delegated.extend(delegated);
    if let (Some(have), true) = (&live.tags, meta.nature != Nature::SubResource) {
        changes.extend(diff_tags(&step.tags, have, &options.ignore_tags));
    }
    let fixed: Vec<&Change> = changes
        .iter()
        .filter(|c| meta.fixed.contains(&c.field()))
        .collect();
    let mut reasons: Vec<String> = fixed
        .iter()
        .map(|c| format!("`{}` cannot be changed in place", c.path))
        .collect();
    match &live.phase {
        Phase::Failed(why) => reasons.push(format!("it has failed: {why}")),
        Phase::Deleting => reasons.push("it is being deleted".into()),
        _ => {}
    }
    if !reasons.is_empty() {
        decision.verb = Some(Verb::Replace);
    } else if record.is_none_or(|r| r.stage == Stage::Creating) {
        decision.verb = Some(Verb::Adopt);
        if meta.nature != Nature::SubResource {
            reasons.push("it carries our mark and is not in the state".into());
        }
    } else if !changes.is_empty() {
        decision.verb = Some(Verb::Update);
    } else if live.phase == Phase::Settling || record.is_some_and(|r| r.stage != Stage::Ready) {
        decision.verb = Some(Verb::Update);
        reasons.push("an earlier run did not see it ready".into());
    }
    decision.changes = changes;
    decision.reasons = reasons;
    decision
}

/// Takes the fields out of a list of changes that someone else owns at run time.
fn split(
    meta: &Meta,
    step: &Step,
    changes: Vec<Change>,
    want: &Value,
    live: &Live,
) -> (Vec<DelegatedField>, Vec<Change>) {
    let mut delegated = Vec::new();
    for d in meta.delegated {
        let (want, have) = (
            want.get(d.field).unwrap_or(&Value::Null),
            live.spec.get(d.field).unwrap_or(&Value::Null),
        );
        delegated.push(DelegatedField {
            step: step.id.clone(),
            field: d.field.to_owned(),
            owner: d.owner.to_owned(),
            have: have.clone(),
            illegal: (d.legal)(want, have).err(),
        });
    }
    let changes = changes
        .into_iter()
        .filter(|c| !meta.delegated.iter().any(|d| d.field == c.field()))
        .collect();
    (delegated, changes)
}
