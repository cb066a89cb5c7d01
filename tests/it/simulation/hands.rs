//! What other people do in the account, and to the files of the state.

use super::judge::{Judge, is_ours};
use super::process::Machine;
use super::stores::STORE;
use super::wishes::Wishes;
use crate::support::world::{Thing, World, holds};
use deployer::engine::Nature;
use deployer::engine::ownership::{MARK_DEPLOYMENT, MARK_STEP, MARK_SUFFIX};
use deployer::state::Stage;
use fastrand::Rng;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// What others did, as far as it must be undone before all can be as wanted.
#[derive(Default)]
pub struct Hands {
    /// Things under our names.
    in_our_place: Vec<String>,
    /// Things that lost our mark.
    pub stripped: Vec<String>,
    count: usize,
}

/// One of ours that is not on its way out.
fn any_of_ours(world: &World, rng: &mut Rng) -> Option<String> {
    let there = world.there();
    let ours = there
        .iter()
        .filter(|(_, t)| is_ours(t) && t.gone_at.is_none());
    let ids: Vec<&String> = ours.map(|(id, _)| id).collect();
    rng.choice(ids).cloned()
}

/// A store of ours that is not on its way out.
fn any_store(world: &World, rng: &mut Rng) -> Option<String> {
    let there = world.there();
    let stores = there
        .iter()
        .filter(|(_, t)| t.kind == STORE && is_ours(t) && t.gone_at.is_none());
    let ids: Vec<&String> = stores.map(|(id, _)| id).collect();
    rng.choice(ids).cloned()
}

/// Deletes this, with all that could not stay without it.
fn delete(world: &World, judge: &Judge, rng: &mut Rng, first: Option<String>) -> Option<String> {
    let mut open = vec![first?];
    let all = rng.bool();
    let mut things = world.things.lock().unwrap();
    let mut gone = BTreeSet::new();
    while let Some(id) = open.pop() {
        let needs = |t: &Thing| {
            holds(&t.spec["at"], &id) || t.spec["of"] == id.as_str() || (all && holds(&t.spec, &id))
        };
        let users = things
            .iter()
            .filter(|(other, t)| needs(t) && !gone.contains(*other));
        open.extend(users.map(|(other, _)| other.clone()));
        for thing in things.values_mut() {
            thing.parts.retain(|_, part| !holds(part, &id));
        }
        gone.insert(id);
    }
    let goes = |id: &String, thing: &Thing| gone.contains(id) && is_ours(thing);
    for (id, thing) in things.iter().filter(|(id, t)| goes(id, t)) {
        judge.deleted(id, thing, rng);
    }
    things.retain(|id, thing| !goes(id, thing));
    Some(format!("others delete {gone:?}"))
}

/// Changes a setting, a tag or a part of something.
fn edit(world: &World, rng: &mut Rng) -> Option<String> {
    let id = any_of_ours(world, rng)?;
    // What has no tags has none to change.
    let child = world.there().get(&id)?.kind == "test/Child";
    let kind = rng.u8(if child { 2 } else { 0 }..5);
    world.change(&id, |thing| match kind {
        0 => drop(thing.tags.insert("Theirs".into(), "1".into())),
        1 => drop(thing.tags.remove("Team")),
        2 => drop(thing.parts.pop_first()),
        3 => {
            if let Some(part) = thing.parts.values_mut().next() {
                part["free"] = 77.into();
            }
        }
        _ => thing.spec["free"] = 77.into(),
    });
    Some(format!("others change {id} ({kind})"))
}

impl Hands {
    /// Things of other deployments and of nobody, from the beginning on.
    pub fn neighbours(&mut self, machine: &Machine) {
        let other = |step: &str, suffix: &str| {
            BTreeMap::from([
                (MARK_STEP.to_owned(), step.to_owned()),
                (MARK_SUFFIX.to_owned(), suffix.to_owned()),
            ])
        };
        self.put(machine, "test/Slow", "s0", other("s0", "other"));
        self.put(machine, "test/Quick", "s1", other("s1", "tt"));
        let named = BTreeMap::from([("Name".to_owned(), "s0".to_owned())]);
        self.put(machine, "test/Quick", "s0", named);
    }

    fn put(
        &mut self,
        machine: &Machine,
        kind: &'static str,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> String {
        self.count += 1;
        let id = format!("theirs-{}", self.count);
        let thing = Thing {
            kind,
            name: name.to_owned(),
            token: String::new(),
            spec: json!({"free": 1}),
            tags,
            parts: BTreeMap::new(),
            updates: 0,
            ready_at: Instant::now(),
            gone_at: None,
            fails: false,
            stale: None,
        };
        machine.judge.watch_theirs(&id, &thing);
        let mut things = machine.world.things.lock().unwrap();
        things.insert(id.clone(), thing);
        id
    }

    /// Between two runs.
    pub async fn between(&mut self, machine: &Machine, wishes: &Wishes, rng: &mut Rng) {
        let world = &machine.world;
        let done = match rng.u8(0..11) {
            0 | 1 => {
                let any = any_of_ours(world, rng);
                delete(world, &machine.judge, rng, any)
            }
            6..9 => {
                let store = any_store(world, rng);
                delete(world, &machine.judge, rng, store)
            }
            2 | 3 => edit(world, rng),
            4 => self.strip(machine, rng).await,
            5 => self.take_a_name(machine, wishes, rng),
            _ => None,
        };
        if let Some(done) = done {
            machine.judge.log(done);
        }
    }

    /// While a run goes on.
    pub fn meanwhile(machine: &Machine, rng: &mut Rng) {
        let (world, judge) = (machine.world.clone(), machine.judge.clone());
        let mut rng = rng.fork();
        tokio::spawn(async move {
            let after = rng.u64(0..60_000) / rng.u64(1..20);
            tokio::time::sleep(Duration::from_millis(after)).await;
            let done = if rng.bool() {
                let store = if rng.bool() {
                    any_store(&world, &mut rng)
                } else {
                    None
                };
                let any = store.or_else(|| any_of_ours(&world, &mut rng));
                delete(&world, &judge, &mut rng, any)
            } else {
                edit(&world, &mut rng)
            };
            if let Some(done) = done {
                judge.log(done);
            }
        });
    }

    /// Takes our mark off something that is recorded.
    async fn strip(&mut self, machine: &Machine, rng: &mut Rng) -> Option<String> {
        let state = machine.state().await;
        let id = any_of_ours(&machine.world, rng)?;
        let known = state.steps.values().any(|r| {
            let driver = super::wishes::fakes(&machine.world);
            let tagged = |r: &deployer::state::Record| {
                let mut all = driver.iter();
                all.any(|f| f.meta.kind == r.kind && f.meta.nature == Nature::Tagged)
            };
            let made = r.stage == Stage::Ready;
            made && r.outputs["id"] == id.as_str() && tagged(r)
        });
        if !known {
            return None;
        }
        machine.world.change(&id, |thing| {
            for key in [MARK_STEP, MARK_SUFFIX, MARK_DEPLOYMENT] {
                thing.tags.remove(key);
            }
        });
        tokio::time::sleep(machine.world.lag).await;
        self.stripped.push(id.clone());
        Some(format!("others take the mark off {id}"))
    }

    /// Puts something of theirs under a name that we will want.
    fn take_a_name(&mut self, machine: &Machine, wishes: &Wishes, rng: &mut Rng) -> Option<String> {
        let graph = wishes.graph();
        let named = ["test/Named", "test/Target", "test/Store"];
        let steps = graph.steps.iter().filter_map(|s| {
            let kind = named.iter().find(|k| **k == s.kind)?;
            let there = machine.world.there();
            let free = !there.values().any(|t| t.kind == *kind && t.name == s.name);
            free.then(|| (*kind, s.name.clone()))
        });
        let (kind, name) = rng.choice(steps.collect::<Vec<_>>())?;
        let tags = BTreeMap::from([("Owner".to_owned(), "them".to_owned())]);
        let id = self.put(machine, kind, &name, tags);
        let done = format!("others make {id} under the name {name}");
        self.in_our_place.push(id);
        Some(done)
    }

    /// True when something of theirs has one of our names.
    pub fn have_our_names(&self) -> bool {
        !self.in_our_place.is_empty()
    }

    /// What has our names goes.
    pub fn give_names_back(&mut self, machine: &Machine) {
        for id in self.in_our_place.drain(..) {
            machine.judge.let_go(&id);
            machine.world.things.lock().unwrap().remove(&id);
        }
    }
}

/// True when everything can be found again by its mark: nothing without one, and nothing twice.
pub fn all_is_marked(world: &World, wishes: &Wishes) -> bool {
    let restored = world.restored.lock().unwrap().clone();
    let there = world.there().clone();
    if there
        .iter()
        .any(|(id, t)| restored.contains(id) && !is_ours(t))
    {
        return false;
    }
    let wanted: BTreeSet<&str> = wishes.all.iter().map(|w| w.step.as_str()).collect();
    let mut steps = BTreeSet::new();
    let there = world.there();
    let mut ours = there.values().filter(|t| is_ours(t));
    ours.all(|thing| {
        let step = thing.tags.get(MARK_STEP).map_or("", String::as_str);
        let known = thing.kind != "test/Child" || wanted.contains(step);
        let mut parts = thing.parts.keys();
        known && steps.insert(step.to_owned()) && parts.all(|p| wanted.contains(p.as_str()))
    })
}
