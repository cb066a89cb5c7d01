//! The state again, from nothing but the ownership marks.

use super::clock::Clock;
use super::compare::{self, Wanted};
use super::diff::TAGS;
use super::driver::{Identity, Key, Nature, Owned, Ownership, Phase, Registry};
use super::graph::Graph;
use super::observe::{Observations, Observed};
use super::reference::{mentions, resolve};
use crate::state::{Record, Stage, State};
use futures::future::join_all;
use std::collections::BTreeMap;

/// Writes a record for every step of the graph that was found. `state` gives the head (suffix, account, region) and the
/// measured durations; its records are replaced, but for those of steps that left the graph. Settings are recorded as
/// desired where nothing differs, else as read.
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
        let differs = changes.iter().any(|c| c.field() != TAGS);
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
            inputs: if differs { live.spec.clone() } else { desired },
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

/// Records marked things whose step neither the blueprint nor the state has: what an earlier blueprint made and a lost
/// state no longer tells. Their settings are as they were read, their edges follow from the ids in them. What is not
/// found again (its type is unknown, or it is on its way out) stays unrecorded.
pub async fn recover(
    graph: &Graph,
    owned: &[Owned],
    registry: &Registry,
    state: &mut State,
    clock: &Clock,
) {
    let untracked: BTreeMap<&str, &Owned> = owned
        .iter()
        .filter(|o| graph.position(&o.step).is_none() && !state.steps.contains_key(&o.step))
        .map(|o| (o.step.as_str(), o))
        .collect();
    let looks = untracked
        .values()
        .map(|o| record(graph, o, registry, clock));
    let found: BTreeMap<String, Record> = join_all(looks).await.into_iter().flatten().collect();
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

/// The record of one marked thing, as it is read by its mark.
async fn record(
    graph: &Graph,
    owned: &Owned,
    registry: &Registry,
    clock: &Clock,
) -> Option<(String, Record)> {
    let driver = registry.get(&owned.kind).ok()?;
    // Found by its mark, a thing needs no settings to be read; any of its type are of the right shape. What the blueprint
    // has none of (a snapshot) reads without any.
    let like = graph.steps.iter().find(|s| s.kind == owned.kind);
    let nothing = serde_json::json!({});
    if driver.meta().nature != Nature::Tagged {
        return None;
    }
    let name = match owned.tags.get("Name") {
        Some(name) => name,
        None if owned.name.is_empty() => &owned.id,
        None => &owned.name,
    };
    let identity = Identity {
        step: owned.step.clone(),
        name: name.clone(),
        tags: owned.tags.clone(),
        token: String::new(),
    };
    let key = Key {
        spec: like.map_or(&nothing, |s| &s.spec),
        outputs: None,
        identity: &identity,
    };
    let live = driver.read(key).await.ok()??;
    let tags = live.tags?;
    if identity.ownership(&tags, false, driver.meta().global) != Ownership::Ours {
        return None;
    }
    let record = Record {
        kind: owned.kind.clone(),
        scope: tags.get("Environment").cloned().unwrap_or_default(),
        name: tags.get("Name").unwrap_or(name).clone(),
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
    };
    Some((owned.step.clone(), record))
}
