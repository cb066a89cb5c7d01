//! Nodes that remove what is recorded.

use super::build::{Options, durations};
use super::{DataLoss, Node, Op, Plan};
use crate::engine::driver::{Live, Registry};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::graph::Graph;
use crate::engine::observe::{Observations, Observed};
use crate::engine::reference::{Strength, mentions};
use crate::state::{Record, State};
use std::collections::{BTreeMap, HashMap};

/// Removal of recorded steps that left the blueprint.
#[allow(
    clippy::too_many_arguments,
    reason = "one pure function of the planner's whole input"
)]
pub(super) fn removals(
    graph: &Graph,
    chosen: &[bool],
    state: &State,
    seen: &Observations,
    registry: &Registry,
    options: &Options,
    ensure: &HashMap<String, usize>,
    plan: &mut Plan,
) {
    let in_scope = |record: &Record| options.scope.as_ref().is_none_or(|s| *s == record.scope);
    let mut removed: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, record) in &state.steps {
        if graph
            .position(id)
            .is_some_and(|at| chosen[at] || graph.steps[at].kind == record.kind)
            || !in_scope(record)
            || registry
                .get(&record.kind)
                .is_ok_and(|d| d.meta().retention.is_snapshot)
        {
            continue;
        }
        let (found, refused) = match seen.get(id) {
            None | Some(Observed::Absent) => {
                plan.forget.push(id.clone());
                continue;
            }
            Some(Observed::Foreign(_, error)) => {
                plan.notes.push(format!("{id}: {error}; it is left alone"));
                continue;
            }
            Some(Observed::Unreadable(error)) => (None, Some(error.clone())),
            Some(Observed::Found(live)) => (Some(live.clone()), None),
        };
        plan.nodes.push(removal(
            id,
            record,
            found,
            refused,
            registry,
            state,
            "it left the blueprint",
        ));
        removed.insert(id, plan.nodes.len() - 1);
    }
    // First what rests on it goes, or stops using it. What has no record tells by the ids in its settings.
    for (id, node) in &removed {
        let recorded = state
            .steps
            .iter()
            .filter(|(_, r)| r.needs.iter().any(|n| n == id));
        let outputs = &state.steps[*id].outputs;
        let adopted = seen.iter().filter(|(step, observed)| {
            let live = observed.live();
            !state.steps.contains_key(*step) && live.is_some_and(|l| mentions(&l.spec, outputs))
        });
        for other in recorded.map(|(o, _)| o).chain(adopted.map(|(o, _)| o)) {
            if let Some(before) = removed.get(other.as_str()).or_else(|| ensure.get(other)) {
                plan.nodes[*node].needs.push((*before, Strength::Ready));
            }
        }
    }
}

/// A Remove node for a recorded step.
pub(super) fn removal(
    id: &str,
    record: &Record,
    live: Option<Live>,
    refused: Option<Error>,
    registry: &Registry,
    state: &State,
    why: &str,
) -> Node {
    let seconds = registry
        .get(&record.kind)
        .map_or(1.0, |d| durations(d.meta(), state).1);
    Node {
        step: id.to_owned(),
        kind: record.kind.clone(),
        scope: record.scope.clone(),
        name: record.name.clone(),
        op: Op::Remove,
        verb: Verb::Delete,
        spec: live
            .as_ref()
            .map_or_else(|| record.inputs.clone(), |l| l.spec.clone()),
        tags: record.tags.clone(),
        changes: Vec::new(),
        reasons: vec![why.to_owned()],
        live,
        needs: Vec::new(),
        record_needs: record.needs.clone(),
        refused,
        seconds,
        destroyed: false,
        loss: DataLoss::default(),
    }
}
