//! What stands under a thing that was replaced and is still there: what is found through its parent carries no mark, so with a
//! lost record only the blueprint names it.

use super::clock::Clock;
use super::driver::{Key, Live, Meta, Nature, Phase, Registry};
use super::error::Error;
use super::graph::{Graph, Step};
use super::observe::{Observations, Observed};
use super::ownership::Ownership;
use super::rebuild::connect;
use super::reference::{has_placeholder, resolve, walk};
use super::replaced::{is_replaced, replaced, step_of};
use crate::state::{Record, Stage, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a step has or had.
struct Generation {
    /// The id under which it is recorded.
    id: String,
    outputs: Value,
    /// True for what was replaced, and for what was found under such a thing: nothing was looked for beneath it.
    old: bool,
    /// Set when its outputs are not known, because it could not be read: what stands under it is not known either.
    unread: Option<Error>,
}

/// Those of every step. What it has today comes first.
type Generations = BTreeMap<String, Vec<Generation>>;

/// Looks under every recorded thing that was replaced for what the blueprint puts under its step. What is found is recorded, and
/// observed as it was read: as the step's own when the step has nothing else, so that it is replaced as ever, and else beside that,
/// so that it is removed before its parent.
pub async fn beneath(
    graph: &Graph,
    registry: &Registry,
    clock: &Clock,
    state: &mut State,
    seen: &mut Observations,
) {
    let mut known = generations(graph, state, seen);
    if known.values().all(|all| all.iter().all(|one| !one.old)) {
        return;
    }
    let mut found: BTreeMap<String, Record> = BTreeMap::new();
    for step in &graph.steps {
        let Ok(driver) = registry.get(&step.kind) else {
            continue;
        };
        if driver.meta().nature == Nature::Tagged {
            continue;
        }
        for (spec, above, unread) in places(step, driver.meta(), &known) {
            if let Some(error) = unread {
                // It may stand there, so no other one is made meanwhile.
                if known[&step.id].is_empty() {
                    seen.insert(step.id.clone(), Observed::Unreadable(error));
                }
                continue;
            }
            let identity = step.identity();
            let key = Key {
                spec: &spec,
                outputs: None,
                identity: &identity,
            };
            let ours = |live: &Live| {
                let owner = identity.owner(&live.mark, false, driver.meta().global);
                owner == Ownership::Ours && live.phase != Phase::Deleting
            };
            let (observed, inputs, outputs) = match driver.read(key).await {
                Ok(Some(live)) if ours(&live) => {
                    let (inputs, outputs) = (live.spec.clone(), live.outputs.clone());
                    (Observed::Found(live), inputs, outputs)
                }
                Err(error) if !has_placeholder(&spec) => {
                    (Observed::Unreadable(error), spec, Value::Null)
                }
                Ok(_) | Err(_) => continue,
            };
            let all = known.entry(step.id.clone()).or_default();
            if all
                .iter()
                .any(|one| !outputs.is_null() && one.outputs == outputs)
            {
                continue;
            }
            let taken = |id: &str| state.steps.contains_key(id) || found.contains_key(id);
            let id = if all.is_empty() && !taken(&step.id) {
                step.id.clone()
            } else {
                replaced(&step.id, taken)
            };
            let scope = |id: &String| state.steps.get(id).or(found.get(id));
            let record = Record {
                kind: step.kind.clone(),
                scope: above
                    .iter()
                    .find_map(scope)
                    .map_or_else(|| step.scope.clone(), |r| r.scope.clone()),
                name: step.name.clone(),
                stage: match &observed {
                    Observed::Found(_) => Stage::Created,
                    _ => Stage::Creating,
                },
                token: String::new(),
                tags: step.tags.clone(),
                inputs,
                outputs: outputs.clone(),
                needs: above,
                at: clock.now(),
            };
            if !outputs.is_null() {
                all.push(Generation {
                    id: id.clone(),
                    outputs,
                    old: true,
                    unread: None,
                });
            }
            seen.insert(id.clone(), observed);
            found.insert(id, record);
        }
    }
    connect(state, found);
}

/// The outputs of every step: those of today, and of what it replaced and is still there.
fn generations(graph: &Graph, state: &State, seen: &Observations) -> Generations {
    let mut out = Generations::new();
    for step in &graph.steps {
        let live = seen.get(&step.id).and_then(Observed::live);
        let outputs = live
            .map(|l| &l.outputs)
            .or_else(|| state.outputs(&step.id))
            .filter(|o| !o.is_null());
        let all = outputs.map(|o| Generation {
            id: step.id.clone(),
            outputs: o.clone(),
            old: false,
            unread: None,
        });
        out.insert(step.id.clone(), all.into_iter().collect());
    }
    for (id, record) in state.steps.iter().filter(|(id, _)| is_replaced(id)) {
        let observed = seen.get(id);
        let Some(step) = graph.get(step_of(id)).filter(|s| s.kind == record.kind) else {
            continue;
        };
        // What a lost state was made anew from has its outputs only once it was read.
        let live = observed.and_then(Observed::live).map(|l| &l.outputs);
        let outputs = live.unwrap_or(&record.outputs);
        let unread = match observed {
            Some(Observed::Unreadable(error)) if outputs.is_null() => Some(error.clone()),
            Some(Observed::Absent | Observed::Foreign(..)) => continue,
            _ if outputs.is_null() => continue,
            _ => None,
        };
        out.entry(step.id.clone()).or_default().push(Generation {
            id: id.clone(),
            outputs: outputs.clone(),
            old: true,
            unread,
        });
    }
    out
}

/// A place where a thing of a step may stand under something that was replaced: its settings there, the ids of what was replaced,
/// and why the place is not known, if so.
type Place = (Value, Vec<String>, Option<Error>);

/// Every such place. The fields that AWS cannot change bind a thing to others; its parent is among those.
fn places(step: &Step, meta: &Meta, known: &Generations) -> Vec<Place> {
    let mut bound: BTreeSet<&str> = BTreeSet::new();
    for field in meta.fixed.iter().filter_map(|field| step.spec.get(field)) {
        walk(field, &mut |p| bound.extend([p.step]));
    }
    let mut choices: Vec<BTreeMap<&str, &Generation>> = vec![BTreeMap::new()];
    for id in bound {
        let all = known.get(id).map_or(&[][..], Vec::as_slice);
        if all.is_empty() {
            continue;
        }
        choices = choices
            .iter()
            .flat_map(|choice| {
                all.iter().map(move |one| {
                    let mut choice = choice.clone();
                    choice.insert(id, one);
                    choice
                })
            })
            .collect();
    }
    let place = |choice: BTreeMap<&str, &Generation>| {
        let above = choice.values().filter(|one| one.old);
        let above: Vec<String> = above.map(|one| one.id.clone()).collect();
        let spec = resolve(&step.spec, &|id| {
            let present = || known.get(id).and_then(|all| all.first());
            let one = choice.get(id).copied().or_else(present);
            one.map(|one| &one.outputs)
        });
        let unread = choice.values().find_map(|one| one.unread.clone());
        (!above.is_empty()).then_some((spec, above, unread))
    };
    choices.into_iter().filter_map(place).collect()
}
