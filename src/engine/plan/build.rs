//! The plan that makes the account like the graph.

use super::decide::{Decision, decide};
use super::path::KNOWN_SECONDS;
use super::removal::removals;
use super::{DataLoss, Node, Op, Plan, Problem};
use crate::engine::driver::{Live, Meta, Registry};
use crate::engine::event::Verb;
use crate::engine::graph::{Graph, Step};
use crate::engine::observe::{Observations, Observed};
use crate::engine::reference::Strength;
use crate::state::{Record, State};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What the user allows and the configuration says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Tags of other actors (exact, or prefix with `*`) that are neither drift nor removed.
    pub ignore_tags: Vec<String>,
    /// Only this scope and what it needs.
    pub scope: Option<String>,
}

/// Makes the plan for the chosen steps.
pub fn build(
    graph: &Graph,
    chosen: &[bool],
    state: &State,
    seen: &Observations,
    registry: &Registry,
    options: &Options,
) -> Plan {
    let mut plan = Plan::default();
    let mut decisions: Vec<Option<Decision>> = Vec::with_capacity(graph.steps.len());
    let mut kept: HashMap<&str, &Value> = HashMap::new();
    for (at, step) in graph.steps.iter().enumerate() {
        if !chosen[at] {
            decisions.push(None);
            continue;
        }
        let meta = match registry.get(&step.kind) {
            Ok(driver) => driver.meta(),
            Err(error) => {
                plan.problems.push(Problem {
                    step: step.id.clone(),
                    error,
                });
                decisions.push(None);
                continue;
            }
        };
        let observed = seen.get(&step.id).unwrap_or(&Observed::Absent);
        let decision = decide(
            step,
            meta,
            observed,
            state.steps.get(&step.id),
            &kept,
            options,
            &mut plan,
        );
        // What is changed in place keeps its outputs; what is replaced or created gets new ones.
        // What could not be read is taken as recorded: its dependents must not look changed because of that.
        let outputs = observed
            .live()
            .map(|l| &l.outputs)
            .or_else(|| state.outputs(&step.id));
        if let (Some(outputs), false) = (
            outputs,
            matches!(decision.verb, Some(Verb::Replace | Verb::Create)),
        ) {
            kept.insert(&step.id, outputs);
        }
        if decision.verb.is_none() {
            plan.unchanged.push(step.id.clone());
            if let Some(live) = observed.live() {
                refresh_record(&mut plan, step, graph, live, state);
            }
        }
        decisions.push(Some(decision));
    }
    let ensure = nodes_for_steps(graph, decisions, registry, state, &mut plan);
    removals(
        graph, chosen, state, seen, registry, options, &ensure, &mut plan,
    );
    plan
}

/// Makes Ensure nodes (and Remove nodes of replacements). Gives the node of every step that has one.
fn nodes_for_steps(
    graph: &Graph,
    decisions: Vec<Option<Decision>>,
    registry: &Registry,
    state: &State,
    plan: &mut Plan,
) -> HashMap<String, usize> {
    let mut ensure: HashMap<String, usize> = HashMap::new();
    let mut remove: Vec<(usize, usize)> = Vec::new();
    for (at, decision) in decisions.into_iter().enumerate() {
        let Some(Decision {
            verb: Some(verb),
            changes,
            reasons,
            live,
            refused,
        }) = decision
        else {
            continue;
        };
        let step = &graph.steps[at];
        let Ok(driver) = registry.get(&step.kind) else {
            continue;
        };
        let (create, delete) = durations(driver.meta(), state);
        let record_needs: Vec<String> = step.needs(graph);
        let mut needs: Vec<(usize, Strength)> = step
            .needs
            .iter()
            .filter_map(|(to, strength)| Some((*ensure.get(&graph.steps[*to].id)?, *strength)))
            .collect();
        let node = Node {
            step: step.id.clone(),
            kind: step.kind.clone(),
            scope: step.scope.clone(),
            name: step.name.clone(),
            op: Op::Ensure,
            verb,
            spec: step.spec.clone(),
            tags: step.tags.clone(),
            changes,
            reasons,
            live: live.clone(),
            needs: Vec::new(),
            record_needs,
            refused,
            seconds: create,
            destroyed: false,
            loss: DataLoss::default(),
        };
        if let (Verb::Replace, Some(found)) = (verb, live) {
            let removal = Node {
                op: Op::Remove,
                spec: found.spec.clone(),
                live: Some(found),
                seconds: delete,
                changes: Vec::new(),
                ..node.clone()
            };
            plan.nodes.push(removal);
            needs.push((plan.nodes.len() - 1, Strength::Ready));
            remove.push((plan.nodes.len() - 1, at));
        }
        let seconds = match verb {
            Verb::Create | Verb::Replace => create,
            _ => create.min(KNOWN_SECONDS),
        };
        plan.nodes.push(Node {
            needs,
            seconds,
            live: if verb == Verb::Replace {
                None
            } else {
                node.live.clone()
            },
            ..node
        });
        ensure.insert(step.id.clone(), plan.nodes.len() - 1);
    }
    // A replaced step goes only after the replaced steps that rest on it are gone.
    let by_step: HashMap<usize, usize> = remove.iter().map(|(node, at)| (*at, *node)).collect();
    for (node, at) in &remove {
        for (to, _) in &graph.steps[*at].needs {
            if let Some(below) = by_step.get(to) {
                plan.nodes[*below].needs.push((*node, Strength::Ready));
            }
        }
    }
    ensure
}

/// Seconds to create and to delete: measured by earlier runs, else typical.
pub(super) fn durations(meta: &Meta, state: &State) -> (f64, f64) {
    let measured = state.timings.get(meta.kind).copied().unwrap_or_default();
    (
        measured.create.unwrap_or(meta.create_seconds),
        measured.delete.unwrap_or(meta.delete_seconds),
    )
}

/// Keeps the record of an unchanged step true to what was read (a moved endpoint, edges of a newer blueprint).
fn refresh_record(plan: &mut Plan, step: &Step, graph: &Graph, live: &Live, state: &State) {
    let Some(record) = state.steps.get(&step.id) else {
        return;
    };
    let needs: Vec<String> = step.needs(graph);
    let fresh = Record {
        outputs: live.outputs.clone(),
        needs,
        tags: step.tags.clone(),
        ..record.clone()
    };
    if fresh != *record {
        plan.refreshed.insert(step.id.clone(), fresh);
    }
}

/// Applies what a plan learned without writing to AWS: refreshed and forgotten records.
pub fn refresh(plan: &Plan, state: &mut State) {
    for (step, record) in &plan.refreshed {
        state.steps.insert(step.clone(), record.clone());
    }
    let gone: HashSet<&String> = plan.forget.iter().collect();
    state.steps.retain(|step, _| !gone.contains(step));
}
