//! The state again, from nothing but the ownership marks.

use super::clock::Clock;
use super::compare::{self, Wanted};
use super::diff::TAGS;
use super::driver::{Identity, Key, Nature, Owned, Phase, Registry, Replace};
use super::error::Error;
use super::graph::{Graph, Step};
use super::observe::{Observations, Observed};
use super::ownership::{Ownership, TAG_OF_NAME, TAG_OF_SCOPE};
use super::reference::{mentions, resolve};
use super::replaced::replaced;
use crate::state::{Record, Stage, State};
use futures::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;

/// Writes a record for every step of the graph that was found. `state` gives the head (suffix, account, region) and the
/// measured durations; its records are replaced, but for those of steps that left the graph. Settings are recorded as
/// desired where nothing differs, else as read. A part of which nothing is there is not recorded.
pub fn rebuild(
    graph: &Graph,
    seen: &Observations,
    registry: &Registry,
    state: &mut State,
    clock: &Clock,
) {
    let old = std::mem::take(&mut state.steps);
    for step in &graph.steps {
        let Some(Observed::Found(live)) = seen.get(&step.id) else {
            continue;
        };
        let desired = resolve(&step.spec, &|id| {
            seen.get(id).and_then(Observed::live).map(|l| &l.outputs)
        });
        let Ok(driver) = registry.get(&step.kind) else {
            continue;
        };
        let wanted = Wanted {
            step: &step.id,
            spec: &desired,
            tags: &step.tags,
        };
        let changes = compare::changes(driver.meta(), wanted, live, &[]);
        if !old.contains_key(&step.id) && compare::is_unset(driver.meta(), wanted, live) {
            continue;
        }
        let own = live.is_the_accounts();
        let differs = !own && changes.iter().any(|c| c.field() != TAGS);
        let record = Record {
            kind: step.kind.clone(),
            scope: step.scope.clone(),
            name: step.name.clone(),
            stage: if live.phase == Phase::Ready && !differs {
                Stage::Ready
            } else {
                Stage::Created
            },
            token: old
                .get(&step.id)
                .map(|r| r.token.clone())
                .unwrap_or_default(),
            tags: step.tags.clone(),
            inputs: if differs || own {
                live.spec.clone()
            } else {
                desired
            },
            outputs: live.outputs.clone(),
            needs: step.needs(graph),
            at: clock.now(),
        };
        state.steps.insert(step.id.clone(), record);
    }
    let left = old
        .into_iter()
        .filter(|(id, _)| graph.position(id).is_none());
    state.steps.extend(left);
}

/// Chosen steps without a record whose type has a second name: made earlier, they may stand under another name than today's, where
/// only their mark shows them. A first run, or one after the state was lost, looks for everything that is marked; but when that
/// one was stopped before it had recorded all that it found, the next one has a state, and still no record of these.
pub fn unsearched<'a>(
    graph: &'a Graph,
    chosen: &[bool],
    state: &State,
    registry: &Registry,
) -> Vec<&'a Step> {
    let steps = graph.steps.iter().zip(chosen);
    let steps = steps.filter(|(step, chosen)| {
        let driver = registry.get(&step.kind);
        let second = driver.is_ok_and(|d| d.meta().replace == Replace::CreateFirst);
        **chosen && second && !state.steps.contains_key(&step.id)
    });
    steps.map(|(step, _)| step).collect()
}

/// Adds what could not be read while marked things were taken in, where nothing else was found of a step: one of them may be its
/// own, so nothing is made in its place.
pub fn add_unread(seen: &mut Observations, unread: Observations) {
    for (step, observed) in unread {
        if matches!(seen.get(&step), None | Some(Observed::Absent)) {
            seen.insert(step, observed);
        }
    }
}

/// Records marked things whose step neither the blueprint nor the state has, and those that a step's successor stands beside:
/// what an earlier blueprint made and a lost state no longer tells. Their settings are as they were read, their edges follow from the ids in them. What is not
/// found again (its type is unknown, or it is on its way out) stays unrecorded. Gives the steps of which it could not be read whether
/// a marked thing is their own: see [`add_unread`].
pub async fn recover(
    graph: &Graph,
    owned: &[Owned],
    registry: &Registry,
    state: &mut State,
    clock: &Clock,
) -> Observations {
    let mut untracked: BTreeMap<String, &Owned> = BTreeMap::new();
    for one in owned {
        let taken = |id: &str| state.steps.contains_key(id) || untracked.contains_key(id);
        if let Some(id) = unknown(graph, one, registry, state, taken) {
            untracked.insert(id, one);
        }
    }
    let looks = untracked.iter().map(async |(id, owned)| {
        let own = is_own(graph, owned, registry).await;
        let record = match own {
            Ok(false) => record(graph, owned, registry, clock).await,
            Ok(true) | Err(_) => None,
        };
        (id, owned, own.err(), record)
    });
    let (mut found, mut unread) = (BTreeMap::new(), Observations::new());
    for (id, owned, error, record) in join_all(looks).await {
        found.extend(record.map(|record| (id.clone(), record)));
        let observed = error.map(Observed::Unreadable);
        unread.extend(observed.map(|o| (owned.step.clone(), o)));
    }
    connect(state, found);
    unread
}

/// Takes found things into the state. Their edges follow from the ids in the settings, theirs and those of the others.
pub(super) fn connect(state: &mut State, found: BTreeMap<String, Record>) {
    let all: Vec<(&String, &Record)> = state.steps.iter().chain(&found).collect();
    let mut edges: Vec<(String, String)> = Vec::new();
    for (id, thing) in &found {
        for (other, record) in all.iter().filter(|(other, _)| *other != id) {
            if mentions(&thing.inputs, &record.outputs) {
                edges.push((id.clone(), (*other).clone()));
            }
            if mentions(&record.inputs, &thing.outputs) {
                edges.push(((*other).clone(), id.clone()));
            }
        }
    }
    state.steps.extend(found);
    for (from, to) in edges {
        let needs = |step: &str, other: &String| {
            let record = state.steps.get(step);
            record.is_some_and(|r| r.needs.contains(other))
        };
        if needs(&from, &to) || needs(&to, &from) {
            continue;
        }
        if let Some(record) = state.steps.get_mut(&from) {
            record.needs.push(to);
        }
    }
}

/// The id under which a marked thing is recorded; `None` when it is known. A thing of a step of the blueprint under another
/// name than the step's is an earlier one: its successor stands beside it, or will.
fn unknown(
    graph: &Graph,
    owned: &Owned,
    registry: &Registry,
    state: &State,
    taken: impl Fn(&str) -> bool,
) -> Option<String> {
    let Some(step) = graph.get(&owned.step) else {
        let known = state.steps.contains_key(&owned.step);
        return (!known).then(|| owned.step.clone());
    };
    let meta = registry.get(&owned.kind).ok()?.meta();
    let earlier = meta.replace == Replace::CreateFirst
        && step.kind == owned.kind
        && !owned.name.is_empty()
        && step.name != owned.name;
    // Not everything has its name on AWS (a certificate has none): then the recorded id shows that it is the step's own.
    let id = Value::String(owned.id.clone());
    let is_it = |r: &Record| r.name == owned.name || mentions(&id, &r.outputs);
    let known = state.steps.values();
    let known = known.filter(|r| r.kind == owned.kind).any(is_it);
    (earlier && !known).then(|| replaced(&owned.step, taken))
}

/// True when a thing of a step of the blueprint is what the step itself finds by its mark: the step takes it as its own.
async fn is_own(graph: &Graph, owned: &Owned, registry: &Registry) -> Result<bool, Error> {
    let (Some(step), Ok(driver)) = (graph.get(&owned.step), registry.get(&owned.kind)) else {
        return Ok(false);
    };
    let identity = step.identity();
    let key = Key {
        spec: &step.spec,
        outputs: None,
        identity: &identity,
    };
    let found = driver.read(key).await?;
    Ok(found.is_some_and(|live| {
        let id = Value::String(owned.id.clone());
        mentions(&id, &live.outputs)
    }))
}

/// What a marked thing is read by. Found by its mark, it needs no settings; any of its type are of the right shape. What the
/// blueprint has none of (a snapshot) reads without any.
pub(super) fn by_mark(graph: &Graph, owned: &Owned, kind: &str) -> (Value, Identity) {
    let like = graph.steps.iter().find(|s| s.kind == kind);
    let spec = like.map_or_else(|| serde_json::json!({}), |s| s.spec.clone());
    // The tag need not hold all of the name.
    let name = match owned.tags.get(TAG_OF_NAME) {
        _ if !owned.name.is_empty() => &owned.name,
        Some(name) => name,
        None => &owned.id,
    };
    let identity = Identity {
        step: owned.step.clone(),
        name: name.clone(),
        tags: owned.tags.clone(),
        token: String::new(),
    };
    (spec, identity)
}

/// The record of one marked thing, as it is read by its mark.
async fn record(
    graph: &Graph,
    owned: &Owned,
    registry: &Registry,
    clock: &Clock,
) -> Option<Record> {
    let driver = registry.get(&owned.kind).ok()?;
    if driver.meta().nature != Nature::Tagged {
        return None;
    }
    let (spec, identity) = by_mark(graph, owned, &owned.kind);
    let key = Key {
        spec: &spec,
        outputs: None,
        identity: &identity,
    };
    let live = match driver.read(key).await {
        Ok(found) => found?,
        Err(_) => return Some(unread(owned, key, clock)),
    };
    let tags = live.tags()?.clone();
    if identity.ownership(&tags, false, driver.meta().global) != Ownership::Ours {
        return None;
    }
    Some(Record {
        kind: owned.kind.clone(),
        scope: tags.get(TAG_OF_SCOPE).cloned().unwrap_or_default(),
        name: identity.name.clone(),
        stage: if driver.meta().retention.is_snapshot && live.phase == Phase::Ready {
            Stage::Ready
        } else {
            Stage::Created
        },
        token: String::new(),
        tags,
        inputs: live.spec,
        outputs: live.outputs,
        needs: Vec::new(),
        at: clock.now(),
    })
}

/// The record of a marked thing that could not be read: as if its creation had not been answered, so that it is looked for by its
/// mark until it is found.
fn unread(owned: &Owned, key: Key<'_>, clock: &Clock) -> Record {
    Record {
        kind: owned.kind.clone(),
        scope: owned.tags.get(TAG_OF_SCOPE).cloned().unwrap_or_default(),
        name: key.identity.name.clone(),
        stage: Stage::Creating,
        token: String::new(),
        tags: owned.tags.clone(),
        inputs: key.spec.clone(),
        outputs: serde_json::Value::Null,
        needs: Vec::new(),
        at: clock.now(),
    }
}
