//! Nodes that remove what is recorded.

use super::chosen::removes;
use super::circles::uses;
use super::nodes::Ensures;
use super::shrink::dependents;
use super::stays::for_others;
use super::{DataLoss, Inputs, Interruption, Node, Op, Plan, durations};
use crate::engine::driver::{Live, Registry, Replace};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::graph::Graph;
use crate::engine::observe::Observed;
use crate::engine::order::reaches;
use crate::engine::reference::{Strength, mentions};
use crate::engine::replaced::{is_replaced, step_of};
use crate::state::{Record, State};
use std::collections::{BTreeMap, BTreeSet};

/// A recorded step that is to go, and what is known of it.
pub(super) struct Removal<'a> {
    pub(super) step: &'a str,
    pub(super) record: &'a Record,
    pub(super) live: Option<Live>,
    /// Set when it cannot be removed.
    pub(super) refused: Option<Error>,
    pub(super) why: &'a str,
}

impl Removal<'_> {
    pub(super) fn node(self, registry: &Registry, state: &State) -> Node {
        let record = self.record;
        let driver = registry.get(&record.kind).ok();
        let seconds = driver.map_or(1.0, |d| durations(d.meta(), state, registry).1);
        let holds_data = driver.is_some_and(|d| d.meta().holds_data);
        let spec = self.live.as_ref().map_or(&record.inputs, |l| &l.spec);
        Node {
            step: self.step.to_owned(),
            kind: record.kind.clone(),
            scope: record.scope.clone(),
            name: record.name.clone(),
            op: Op::Remove,
            verb: Verb::Delete,
            spec: spec.clone(),
            tags: record.tags.clone(),
            changes: Vec::new(),
            reasons: vec![self.why.to_owned()],
            live: self.live,
            needs: Vec::new(),
            record_needs: record.needs.clone(),
            refused: self.refused,
            replaces: None,
            restore: None,
            upgrade: false,
            seconds,
            destroyed: false,
            loss: DataLoss::default(),
            holds_data,
            interrupts: Vec::new(),
            follows: false,
        }
    }
}

/// Removal of recorded steps that are no longer in the graph.
pub(super) fn removals(inputs: &Inputs<'_>, ensure: &Ensures, plan: &mut Plan) {
    let (graph, state, seen) = (inputs.graph, inputs.state, inputs.seen);
    let scope = inputs.options.scope.as_ref();
    let mut removed: BTreeMap<&str, usize> = BTreeMap::new();
    let goes = |(id, record): &(&String, &Record)| {
        let stays = |at: usize| inputs.chosen[at] || graph.steps[at].kind == record.kind;
        let other = scope.is_some_and(|s| *s != record.scope)
            && !is_replaced_of(graph, inputs.chosen, id)
            || !removes(inputs, id);
        !other && !graph.position(id).is_some_and(stays)
    };
    let going = state.steps.iter().filter(goes);
    let going = going.map(|(id, _)| id.as_str()).collect();
    let mut needed = for_others(&state.steps, &going, &inputs.options.users);
    for (id, record) in state.steps.iter().filter(goes) {
        let driver = inputs.registry.get(&record.kind);
        if driver.is_ok_and(|d| d.meta().retention.is_snapshot) {
            continue;
        }
        let (live, refused) = match seen.get(id) {
            None | Some(Observed::Absent) => {
                plan.forget.push(id.clone());
                continue;
            }
            Some(Observed::Foreign(_, error)) => {
                plan.notes.push(format!("{id}: {error}; it is left alone"));
                continue;
            }
            Some(Observed::Unreadable(error)) => (None, Some(error.clone())),
            Some(Observed::Found(live)) if live.is_the_accounts() => {
                plan.stays(id, state);
                continue;
            }
            Some(Observed::Found(live)) => (Some(live.clone()), None),
        };
        if let Some(stays) = needed.remove(id) {
            plan.kept.push(stays.kept(id.clone(), record));
            continue;
        }
        let removal = Removal {
            step: id,
            record,
            live,
            refused,
            why: "no longer in the blueprint",
        };
        removed.insert(id, plan.nodes.len());
        plan.nodes.push(removal.node(inputs.registry, state));
    }
    // Where all that it is part of goes too, nobody is left to be interrupted.
    for (id, node) in &removed {
        let record = &state.steps[*id];
        let driver = inputs.registry.get(&record.kind);
        let text = driver.ok().and_then(|d| d.meta().gone);
        let mut needs = record.needs.iter();
        let is_part = record.needs.is_empty() || needs.any(|n| !removed.contains_key(n.as_str()));
        plan.nodes[*node].interrupts = text
            .filter(|_| is_part)
            .map(|text| Interruption {
                field: None,
                text: text.to_owned(),
            })
            .into_iter()
            .collect();
    }
    before_replaced(state, &removed, plan);
    after_successors(inputs, &removed, ensure, plan);
    // First what depends on it goes, or stops using it: also through others, as a service does that goes on with the settings of its
    // last revision until the next one runs. What has no record tells by the ids in its settings.
    for (id, node) in &removed {
        let recorded = dependents(state, id);
        let outputs = &state.steps[*id].outputs;
        let adopted = seen.iter().filter(|(step, observed)| {
            let live = observed.live();
            !state.steps.contains_key(*step) && live.is_some_and(|l| mentions(&l.spec, outputs))
        });
        for other in recorded.into_iter().chain(adopted.map(|(o, _)| o.as_str())) {
            let goes = removed.get(other);
            let Some(before) = goes.or_else(|| ensure.get(other)).copied() else {
                continue;
            };
            if goes.is_some() || !waits(plan, before, *node) {
                plan.nodes[*node].needs.push((before, Strength::Ready));
            }
        }
    }
}

/// True for the record of what one of these steps has replaced.
pub fn is_replaced_of(graph: &Graph, chosen: &[bool], id: &str) -> bool {
    is_replaced(id) && graph.position(step_of(id)).is_some_and(|at| chosen[at])
}

/// What an earlier run has replaced and not removed goes as if this run had replaced it: after its successor is there, and everything
/// that used it has changed to the successor.
fn after_successors(
    inputs: &Inputs<'_>,
    removed: &BTreeMap<&str, usize>,
    ensure: &Ensures,
    plan: &mut Plan,
) {
    let graph = inputs.graph;
    let stands_beside = |id: &str| {
        let driver = inputs.registry.get(&inputs.state.steps[id].kind);
        driver.is_ok_and(|d| d.meta().replace == Replace::CreateFirst)
    };
    for (id, node) in removed.iter().filter(|(id, _)| is_replaced(id)) {
        let Some(step) = graph.position(step_of(id)).filter(|_| stands_beside(id)) else {
            continue;
        };
        let mut users = BTreeSet::from([step]);
        for (at, step) in graph.steps.iter().enumerate() {
            if step.needs.iter().any(|(to, _)| users.contains(to)) {
                users.insert(at);
            }
        }
        for user in users {
            let before = ensure.get(&graph.steps[user].id).copied();
            if let Some(before) = before.filter(|before| !waits(plan, *before, *node)) {
                plan.nodes[*node].needs.push((before, Strength::Ready));
            }
        }
    }
}

/// True when a node waits for another one in the end: a wait the other way round would close a circle. It is left out, and AWS's
/// refusal waited for, where it refuses at all.
fn waits(plan: &Plan, node: usize, other: usize) -> bool {
    let needs = |at: usize| plan.nodes[at].needs.iter().map(|(to, _)| *to).collect();
    reaches(needs, node, other)
}

/// What goes and uses a replaced thing goes before it, too: before its user stops using it, where that one takes the successor. A
/// record that was made anew does not have what it needs: then the settings tell.
fn before_replaced(state: &State, removed: &BTreeMap<&str, usize>, plan: &mut Plan) {
    let nodes = plan.nodes.iter().enumerate();
    let old = nodes.filter(|(_, n)| n.op == Op::Remove && n.verb == Verb::Replace);
    let old: Vec<(usize, String)> = old
        .map(|(at, n)| (at, step_of(&n.step).to_owned()))
        .collect();
    for (at, step) in old {
        for (id, first) in removed {
            let recorded = state.steps[*id].needs.contains(&step);
            if (recorded || uses(plan, *first, at)) && !waits(plan, *first, at) {
                plan.nodes[at].needs.push((*first, Strength::Ready));
            }
        }
    }
}
