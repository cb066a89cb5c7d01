//! The plan that makes the account match the graph.

use super::between::in_two;
use super::chosen::apart;
use super::circles::untie;
use super::decide::{Decision, decide};
use super::nodes::{beside, nodes};
use super::removal::removals;
use super::shrink::wait_for_removals;
use super::users::{needed_and_replaced, users};
use super::{Inputs, Options, Plan, Problem, Waiting};
use crate::engine::driver::{Live, Meta, Registry, Replace};
use crate::engine::event::Verb;
use crate::engine::graph::{Graph, Step};
use crate::engine::observe::{Observations, Observed};
use crate::engine::reference::{has_placeholder, resolve};
use crate::engine::waiting::waiting;
use crate::state::{Record, State};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Makes the plan for the chosen steps.
pub fn build(
    graph: &Graph,
    chosen: &[bool],
    state: &State,
    seen: &Observations,
    registry: &Registry,
    options: &Options,
) -> Plan {
    let inputs = Inputs {
        graph,
        chosen,
        state,
        seen,
        registry,
        options,
    };
    let mut plan = Plan::default();
    let decisions = decisions(&inputs, &mut plan);
    let mut ensure = nodes(&inputs, decisions, &mut plan);
    in_two(&inputs, &mut ensure, &mut plan);
    removals(&inputs, &ensure, &mut plan);
    wait_for_removals(state, &ensure, &mut plan);
    apart(&mut plan, graph, chosen, state, &options.only);
    needed_and_replaced(&mut plan, &options.users);
    untie(&mut plan);
    plan
}

/// The same, with what others need asked of the account: it stays.
pub async fn build_asking(
    graph: &Graph,
    chosen: &[bool],
    state: &State,
    seen: &Observations,
    registry: &Registry,
    options: Options,
) -> Plan {
    let first = build(graph, chosen, state, seen, registry, &options);
    let users = users(&first, registry).await;
    if users.is_empty() {
        return first;
    }
    let options = Options { users, ..options };
    build(graph, chosen, state, seen, registry, &options)
}

/// Decides about every chosen step, in the order of the graph; `None` for a step that is not planned.
fn decisions(inputs: &Inputs<'_>, plan: &mut Plan) -> Vec<Option<Decision>> {
    let (graph, state) = (inputs.graph, inputs.state);
    let mut kept: HashMap<&str, Cow<'_, Value>> = HashMap::new();
    // What goes before its successor comes.
    let mut going = HashSet::new();
    let mut decisions = Vec::with_capacity(graph.steps.len());
    let waiting = waiting(graph, inputs.chosen, inputs.seen, state);
    for (at, step) in graph.steps.iter().enumerate() {
        let observed = inputs.seen.get(&step.id).unwrap_or(&Observed::Absent);
        // What could not be read is taken as recorded: its dependents must not look changed because of that.
        let outputs = observed.live().map(|l| &l.outputs);
        let outputs = outputs.or_else(|| state.outputs(&step.id));
        if !inputs.chosen[at] {
            // Of another scope: it is read because a chosen step needs it, and not planned.
            kept.extend(outputs.map(|o| (step.id.as_str(), Cow::Borrowed(o))));
            decisions.push(None);
            continue;
        }
        if let Some(scope) = waiting[at] {
            let (step, scope) = (step.id.clone(), scope.to_owned());
            plan.waiting.push(Waiting { step, scope });
            decisions.push(None);
            continue;
        }
        let meta = match inputs.registry.get(&step.kind) {
            Ok(driver) => driver.meta(),
            Err(error) => {
                let step = step.id.clone();
                plan.problems.push(Problem { step, error });
                decisions.push(None);
                continue;
            }
        };
        let want = resolve(&step.spec, &|id| kept.get(id).map(Cow::as_ref));
        let mut decision = decide(step, &want, meta, observed, state, inputs.options);
        decision.give_way(meta, step.needs.iter().any(|(to, _)| going.contains(to)));
        if decision.is_replacement() && !beside(meta, &decision.changes) {
            going.insert(at);
        }
        let outputs = staying(&decision, meta, &want, outputs);
        kept.extend(outputs.map(|outputs| (step.id.as_str(), outputs)));
        plan.delegated.append(&mut decision.delegated);
        let notes = decision.notes.drain(..);
        plan.notes
            .extend(notes.map(|note| format!("{}: {note}", step.id)));
        if let Some(error) = decision.problem.take() {
            let step = step.id.clone();
            plan.problems.push(Problem { step, error });
        } else if decision.verb.is_none() {
            plan.unchanged.push(step.id.clone());
            if let Some(live) = observed.live() {
                refresh_record(plan, step, graph, live, state);
            }
        }
        decisions.push(Some(decision));
    }
    decisions
}

/// The outputs of a step that dependents may count on: what is changed in place keeps those that an update does not
/// change; what is replaced or created gets new ones. Those that repeat a field ([`crate::engine::Kind::Outputs`]) or follow
/// from the struct are as they will be, and those that follow from its name as they are.
fn staying<'a>(
    decision: &Decision,
    meta: &Meta,
    want: &Value,
    outputs: Option<&'a Value>,
) -> Option<Cow<'a, Value>> {
    // One that stands beside the one that it replaces has another name.
    let beside = decision.verb == Some(Verb::Replace) && meta.replace == Replace::CreateFirst;
    let by_name = meta.known_by_name && !beside;
    let mut known = match decision.verb {
        Some(Verb::Create | Verb::Replace) if by_name && outputs.is_some() => {
            return outputs.map(Cow::Borrowed);
        }
        Some(Verb::Replace) => Map::new(),
        // What is only set on its parent has the outputs that were read.
        Some(Verb::Create) if decision.live.is_none() => Map::new(),
        Some(Verb::Create | Verb::Update | Verb::Adopt) if !decision.changes.is_empty() => {
            let mut kept = outputs?.as_object()?.clone();
            kept.retain(|name, _| !meta.renews(name, &decision.changes));
            kept
        }
        _ => return outputs.map(Cow::Borrowed),
    };
    for (name, value) in want.as_object().into_iter().flatten() {
        known.remove(name);
        if !has_placeholder(value) {
            known.insert(name.clone(), value.clone());
        }
    }
    if let Some((name, of)) = meta.derived {
        let value = of(want).filter(|value| !has_placeholder(value));
        known.extend(value.map(|value| (name.to_owned(), value)));
    }
    Some(Cow::Owned(Value::Object(known)))
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
