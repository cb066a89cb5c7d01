//! The plan that makes the account like the graph.

use super::path::KNOWN_SECONDS;
use super::{DelegatedField, Node, Op, Plan, Problem};
use crate::engine::diff::{Change, diff, diff_tags};
use crate::engine::driver::{Live, Meta, Nature, Phase, Registry};
use crate::engine::event::Verb;
use crate::engine::fault::{Class, Fault};
use crate::engine::graph::{Graph, Step};
use crate::engine::observe::{Observations, Observed};
use crate::engine::reference::{Strength, mentions, resolve};
use crate::state::{Record, Stage, State};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the user allows and the configuration says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Databases, tables, buckets and keys may be replaced.
    pub replace_data: bool,
    /// Tags of other actors (exact, or prefix with `*`) that are neither drift nor removed.
    pub ignore_tags: Vec<String>,
    /// Only this scope and what it needs.
    pub scope: Option<String>,
}

/// What is to happen to one step of the graph, before nodes are made.
struct Decision {
    verb: Option<Verb>,
    changes: Vec<Change>,
    reasons: Vec<String>,
    live: Option<Live>,
    refused: Option<Fault>,
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
            Err(fault) => {
                plan.problems.push(Problem {
                    step: step.id.clone(),
                    fault,
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

fn decide(
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
        Observed::Unreadable(fault) => {
            decision.verb = Some(Verb::Update);
            decision.reasons.push("it could not be read".into());
            decision.refused = Some(fault.clone());
            return decision;
        }
        Observed::Foreign(_, fault) => {
            plan.problems.push(Problem {
                step: step.id.clone(),
                fault: fault.clone(),
            });
            return decision;
        }
        Observed::Found(live) => live,
    };
    decision.live = Some(live.clone());
    let want = resolve(&step.spec, &|id| kept.get(id).copied());
    let (delegated, mut changes) = split(meta, step, diff(&want, &live.spec), &want, live);
    plan.delegated.extend(delegated);
    if let (Some(have), true) = (&live.tags, meta.nature != Nature::Aspect) {
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
        if meta.holds_data && live.phase != Phase::Deleting && !options.replace_data {
            let fault = Fault::of(
                Class::Permanent,
                "plan",
                format!(
                    "{} `{}` holds data and would be replaced: {}",
                    step.kind,
                    step.name,
                    reasons.join("; ")
                ),
            )
            .hint("set the value back, or pass --replace-data if its data may be lost");
            plan.problems.push(Problem {
                step: step.id.clone(),
                fault,
            });
        }
        decision.verb = Some(Verb::Replace);
    } else if record.is_none_or(|r| r.stage == Stage::Creating) {
        decision.verb = Some(Verb::Adopt);
        if meta.nature != Nature::Aspect {
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

/// Removal of recorded steps that left the blueprint.
#[allow(
    clippy::too_many_arguments,
    reason = "one pure function of the planner's whole input"
)]
fn removals(
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
        {
            continue;
        }
        let (found, refused) = match seen.get(id) {
            None | Some(Observed::Absent) => {
                plan.forget.push(id.clone());
                continue;
            }
            Some(Observed::Foreign(_, fault)) => {
                plan.notes.push(format!("{id}: {fault}; it is left alone"));
                continue;
            }
            Some(Observed::Unreadable(fault)) => (None, Some(fault.clone())),
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
    refused: Option<Fault>,
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
    }
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
