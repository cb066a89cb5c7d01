//! The plan that removes a scope, or everything, in reverse order of the recorded edges.

use super::circles::untie;
use super::data::Choice;
use super::removal::Removal;
use super::stays::{Users, kept};
use super::{Node, Plan, Problem};
use crate::engine::compare::{self, Wanted};
use crate::engine::driver::Registry;
use crate::engine::error::Error;
use crate::engine::graph::{Graph, SHARED};
use crate::engine::observe::{Observations, Observed};
use crate::engine::reference::{Strength, mentions, resolve};
use crate::state::{Record, Stage, State};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Plans the removal of `scope` and of whatever depends on it, or of everything. Steps that exist but are not recorded
/// (the state was lost) are removed too: their marks make them ours. Snapshots that keep data, and what they need, stay
/// unless the choice is that no data remains; what others need (`users`) stays in any case.
pub fn teardown(
    graph: &Graph,
    state: &State,
    seen: &Observations,
    registry: &Registry,
    scope: Option<&str>,
    choice: Option<Choice>,
    users: &Users,
) -> Plan {
    let mut plan = Plan::default();
    let records = known(graph, state, seen);
    let unset = unset(graph, state, seen, registry);
    let mut removed = removed(&records, scope);
    if let Some(scope) = scope {
        // What joins both goes first with either; the shared steps that depend on a scope go with it.
        let joining = graph.joining(scope);
        let joins = |id: &str| graph.position(id).is_some_and(|at| joining[at]);
        let other = removed.iter().find(|id| {
            let of = records[**id].scope.as_str();
            of != SHARED && of != scope && !joins(id) && !unset.contains(**id)
        });
        if let Some(id) = other {
            let error = Error::permanent(
                "plan",
                format!("`{id}` of {} depends on {scope}", records[*id].scope),
            )
            .hint(format!(
                "destroy {} first, or everything with `deployer destroy`",
                records[*id].scope
            ));
            plan.problems.push(Problem {
                step: (*id).to_owned(),
                error,
            });
            return plan;
        }
    }
    let kept = kept(&records, &removed, seen, registry, choice, users);
    removed.retain(|id| !kept.contains_key(*id));
    plan.kept = kept
        .into_iter()
        .map(|(id, stays)| {
            let record = &records[&id];
            stays.kept(id, record)
        })
        .collect();
    let mut nodes: HashMap<&str, usize> = HashMap::new();
    for id in removed.iter().filter(|id| !unset.contains(**id)) {
        let record = &records[*id];
        let (live, refused) = match seen.get(*id) {
            None | Some(Observed::Absent) => {
                plan.forget.push((*id).to_owned());
                continue;
            }
            Some(Observed::Found(live)) if live.is_the_accounts() => {
                plan.stays(id, state);
                continue;
            }
            Some(Observed::Found(live)) => {
                if !state.steps.contains_key(*id) {
                    // Found by its mark. When its deletion does not come to pass, a later run must know of it.
                    plan.refreshed.insert((*id).to_owned(), record.clone());
                }
                (Some(live.clone()), None)
            }
            Some(Observed::Unreadable(error)) => (None, Some(error.clone())),
            Some(Observed::Foreign(_, error)) => {
                let record = state.steps.get(*id);
                if record.is_some_and(|r| r.stage != Stage::Creating) {
                    (None, Some(error.clone()))
                } else {
                    // Never ours: it only has our name, and no call of ours made it.
                    plan.notes.push(format!("{error}; it is left alone"));
                    plan.forget.extend(record.map(|_| (*id).to_owned()));
                    continue;
                }
            }
        };
        if let (Some(live), Ok(driver)) = (&live, registry.get(&record.kind)) {
            for stranger in compare::strangers(driver.meta(), live) {
                let what = stranger.entry().unwrap_or_default();
                plan.notes.push(format!(
                    "`{id}` holds {what}, which deployer did not make: that stays, and the deletion may be refused until it is gone"
                ));
            }
            for stranger in compare::taken_along(driver.meta(), live) {
                plan.notes.push(format!(
                    "`{id}` has {}, which deployer did not make: that goes with it",
                    stranger.path
                ));
            }
            for what in compare::unread(driver.meta(), live) {
                plan.notes.push(format!(
                    "what others have in `{id}` is not known ({what}): the deletion may be refused until it is gone"
                ));
            }
        }
        let removal = Removal {
            step: id,
            record,
            live,
            refused,
            why: "it is destroyed",
        };
        nodes.insert(id, plan.nodes.len());
        plan.nodes.push(Node {
            destroyed: true,
            ..removal.node(registry, state)
        });
    }
    // A step goes after everything that depends on it. A gap in the chain (something already gone) is bridged.
    for (id, at) in &nodes {
        let mut below: Vec<&str> = records[*id].needs.iter().map(String::as_str).collect();
        let mut met = BTreeSet::new();
        while let Some(next) = below.pop() {
            if !met.insert(next) {
                continue;
            }
            match nodes.get(next) {
                Some(node) => plan.nodes[*node].needs.push((*at, Strength::Ready)),
                None => below.extend(
                    records
                        .get(next)
                        .into_iter()
                        .flat_map(|r| r.needs.iter().map(String::as_str)),
                ),
            }
        }
    }
    untie(&mut plan);
    plan.unchanged = records
        .keys()
        .filter(|id| !removed.contains(id.as_str()) && !unset.contains(id.as_str()))
        .cloned()
        .collect();
    plan
}

/// Everything recorded, and everything of the graph that was found without a record.
fn known(graph: &Graph, state: &State, seen: &Observations) -> BTreeMap<String, Record> {
    let mut records = state.steps.clone();
    for step in &graph.steps {
        if records.contains_key(&step.id) {
            continue;
        }
        let (inputs, outputs) = match seen.get(&step.id) {
            Some(Observed::Found(live) | Observed::Foreign(live, _)) => {
                (live.spec.clone(), live.outputs.clone())
            }
            Some(Observed::Unreadable(_)) => (step.spec.clone(), serde_json::Value::Null),
            _ => continue,
        };
        let mut needs = step.needs(graph);
        // What is no longer in the blueprint is not among the edges of the graph.
        let left = state
            .steps
            .iter()
            .filter(|(id, r)| graph.position(id).is_none() && mentions(&inputs, &r.outputs));
        needs.extend(left.map(|(id, _)| id.clone()));
        let record = Record {
            kind: step.kind.clone(),
            scope: step.scope.clone(),
            name: step.name.clone(),
            stage: Stage::Created,
            token: String::new(),
            tags: step.tags.clone(),
            inputs,
            outputs,
            needs,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        records.insert(step.id.clone(), record);
    }
    records
}

/// Parts without a record of which nothing is there: there is nothing to delete, whatever their parents are.
fn unset<'a>(
    graph: &'a Graph,
    state: &State,
    seen: &Observations,
    registry: &Registry,
) -> BTreeSet<&'a str> {
    let outputs = |id: &str| seen.get(id).and_then(Observed::live).map(|l| &l.outputs);
    let steps = graph.steps.iter().filter(|step| {
        let live = seen.get(&step.id).and_then(Observed::live);
        let (Some(live), Ok(driver)) = (live, registry.get(&step.kind)) else {
            return false;
        };
        let wanted = Wanted {
            step: &step.id,
            spec: &resolve(&step.spec, &outputs),
            tags: &step.tags,
        };
        !state.steps.contains_key(&step.id) && compare::is_unset(driver.meta(), wanted, live)
    });
    steps.map(|step| step.id.as_str()).collect()
}

/// The steps of the scope, and transitively whatever needs one of them.
fn removed<'a>(records: &'a BTreeMap<String, Record>, scope: Option<&str>) -> BTreeSet<&'a str> {
    let mut dependents: HashMap<&str, Vec<&str>> = HashMap::new();
    for (id, record) in records {
        record
            .needs
            .iter()
            .for_each(|n| dependents.entry(n).or_default().push(id));
    }
    let mut out = BTreeSet::new();
    let mut open: Vec<&str> = records
        .iter()
        .filter(|(_, r)| scope.is_none_or(|s| r.scope == s))
        .map(|(id, _)| id.as_str())
        .collect();
    while let Some(id) = open.pop() {
        if out.insert(id) {
            open.extend(dependents.get(id).into_iter().flatten());
        }
    }
    out
}
