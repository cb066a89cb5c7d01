//! What an earlier run began under another configuration, where it was killed: which of the things of one step is the one that the
//! configuration of today means.

use super::diff::diff;
use super::driver::{Registry, Replace};
use super::graph::{Graph, Step};
use super::reference::{has_placeholder, resolve};
use super::replaced::{is_replaced, replaced, step_of};
use crate::state::{Record, Stage, State};
use std::ops::Bound::{Excluded, Unbounded};

/// Gives a step the thing back that another one was about to replace, when the configuration means that one again: what was made in
/// its place is the one to be removed then. What is recorded twice is so no longer. To be called before anything is read.
pub fn take_back(graph: &Graph, state: &mut State, registry: &Registry) {
    once(state, registry);
    for step in &graph.steps {
        let is_meant = |record: &Record| !differs(step, record, state, registry);
        if !state.steps.keys().any(|id| is_former(id, step))
            || state.steps.get(&step.id).is_some_and(is_meant)
        {
            continue;
        }
        let mut formers = state.steps.iter().filter(|(id, _)| is_former(id, step));
        let former = formers.find(|(_, r)| r.stage != Stage::Creating && is_meant(r));
        let Some(former) = former.map(|(id, _)| id.clone()) else {
            continue;
        };
        // Under an id that neither has had: what the journal of a killed run says of the other ids is about other things.
        let apart = replaced(&step.id, |id| state.steps.contains_key(id));
        let back = state.steps.remove(&former);
        let successor = state.steps.remove(&step.id);
        state.steps.extend(successor.map(|record| (apart, record)));
        state
            .steps
            .extend(back.map(|record| (step.id.clone(), record)));
    }
}

/// Keeps an intent of an earlier run, whose creation was not answered, apart from its step when the step means another thing by now,
/// of another name or with other settings that no update changes: today's is not it, and the new intent would take its place.
pub fn set_apart(graph: &Graph, state: &mut State, registry: &Registry) {
    for step in &graph.steps {
        let is_other = |r: &Record| {
            let second = registry.get(&step.kind);
            let second = second.is_ok_and(|d| d.meta().replace == Replace::CreateFirst);
            r.name != step.name || second && differs(step, r, state, registry)
        };
        let intent = state.steps.get(&step.id);
        if intent.is_some_and(|r| r.stage == Stage::Creating && is_other(r)) {
            let id = replaced(&step.id, |id| state.steps.contains_key(id));
            let record = state.steps.remove(&step.id);
            state.steps.extend(record.map(|r| (id, r)));
        }
    }
}

fn is_former(id: &str, step: &Step) -> bool {
    is_replaced(id) && step_of(id) == step.id
}

/// True when a recorded thing cannot become what the step wants: a field that no update changes has another value. What is not known
/// yet differs from nothing.
fn differs(step: &Step, record: &Record, state: &State, registry: &Registry) -> bool {
    let Ok(driver) = registry.get(&step.kind) else {
        return false;
    };
    let fixed = driver.meta().fixed;
    let wanted = resolve(&step.spec, &|id| state.outputs(id));
    let changes = diff(&wanted, &record.inputs);
    record.kind != step.kind
        || changes.iter().any(|change| {
            let field = change.field();
            fixed.contains(&field) && !has_placeholder(&wanted[field])
        })
}

/// Forgets records of what is replaced that are about the thing of their step, or of an earlier such record.
fn once(state: &mut State, registry: &Registry) {
    let same = |a: &Record, b: &Record| {
        let fixed = registry.get(&a.kind).map_or(&[][..], |d| d.meta().fixed);
        let is_made = a
            .outputs
            .as_object()
            .is_some_and(|outputs| !outputs.is_empty());
        is_made
            && a.kind == b.kind
            && a.outputs == b.outputs
            && fixed
                .iter()
                .all(|field| a.inputs[*field] == b.inputs[*field])
    };
    let steps = &state.steps;
    let twice = steps.iter().filter(|(id, record)| {
        let earlier = steps.range::<str, _>((Unbounded, Excluded(id.as_str())));
        let mut earlier = earlier.filter(|(other, _)| step_of(other) == step_of(id));
        is_replaced(id)
            && (steps.get(step_of(id)).is_some_and(|own| same(own, record))
                || earlier.any(|(_, other)| same(other, record)))
    });
    let twice: Vec<String> = twice.map(|(id, _)| id.clone()).collect();
    for id in twice {
        state.steps.remove(&id);
    }
}
