//! What must hold: during a life at every write, and at its end.

use super::REGION;
use super::stores::{STORE, Stores};
use crate::support::world::{Thing, World};
use deployer::engine::reference::resolve;
use deployer::engine::{Graph, Identity};
use deployer::state::{Record, Stage, State};
use fastrand::Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// What a line of the journal says: a step and its record.
type Line = (String, Option<Record>);

/// What a store holds, as far as its writes were answered.
#[derive(Default)]
struct Durable {
    records: BTreeMap<String, Record>,
    /// Steps whose lines are being written.
    open: BTreeSet<String>,
    /// True while the state is being written whole.
    saving: bool,
}

/// Watches one life.
pub struct Judge {
    world: Arc<World>,
    began: Instant,
    /// Of what holds data.
    pub stores: Stores,
    durable: Mutex<Durable>,
    /// Things of others, as they must stay.
    theirs: Mutex<BTreeMap<String, Thing>>,
    /// True while lost marks are put back: the one call on a thing without a mark.
    pub marking: AtomicBool,
    wrong: Mutex<Vec<String>>,
    log: Mutex<Vec<String>>,
}

/// True for a thing with our mark.
pub fn is_ours(thing: &Thing) -> bool {
    let deployment = format!("1/{REGION}/t");
    thing
        .tags
        .get("EnvironmentSuffix")
        .is_some_and(|s| s == "t")
        && thing
            .tags
            .get("DeployerDeployment")
            .is_none_or(|d| *d == deployment)
}

impl Judge {
    pub fn of(world: &Arc<World>) -> Self {
        Self {
            world: world.clone(),
            began: Instant::now(),
            stores: Stores::of(world),
            durable: Mutex::default(),
            theirs: Mutex::default(),
            marking: AtomicBool::new(false),
            wrong: Mutex::default(),
            log: Mutex::default(),
        }
    }

    /// Notes what happens.
    pub fn log(&self, text: impl Into<String>) {
        let line = format!(
            "{:10.3} {}",
            self.began.elapsed().as_secs_f64(),
            text.into()
        );
        self.log.lock().unwrap().push(line);
    }

    /// Notes what must not happen.
    pub fn wrong(&self, text: impl Into<String>) {
        let text = text.into();
        self.log(format!("WRONG: {text}"));
        self.wrong.lock().unwrap().push(text);
    }

    /// The log, and what was wrong.
    pub fn verdict(&self) -> (Vec<String>, Vec<String>) {
        let log = self.log.lock().unwrap().clone();
        (log, self.wrong.lock().unwrap().clone())
    }

    /// Something of somebody else, which must stay as it is.
    pub fn watch_theirs(&self, id: &str, thing: &Thing) {
        let mut theirs = self.theirs.lock().unwrap();
        theirs.insert(id.to_owned(), thing.clone());
    }

    /// Its owner takes it away.
    pub fn let_go(&self, id: &str) {
        self.theirs.lock().unwrap().remove(id);
    }

    /// Lines of the journal are about to be written.
    pub fn writing(&self, lines: &[Line]) {
        let steps = lines.iter().map(|(step, _)| step.clone());
        self.durable.lock().unwrap().open.extend(steps);
    }

    /// They are durable.
    pub fn wrote(&self, lines: Vec<Line>) {
        let mut durable = self.durable.lock().unwrap();
        for (step, record) in lines {
            durable.open.remove(&step);
            match record {
                Some(record) => drop(durable.records.insert(step, record)),
                None => drop(durable.records.remove(&step)),
            }
        }
    }

    /// The state is about to be written whole.
    pub fn saving(&self) {
        self.durable.lock().unwrap().saving = true;
    }

    /// It is durable.
    pub fn saved(&self, state: &[u8]) {
        let state: State = serde_json::from_slice(state).unwrap();
        let mut durable = self.durable.lock().unwrap();
        durable.records = state.steps;
        durable.saving = false;
    }

    /// The files were lost.
    pub fn lost(&self) {
        *self.durable.lock().unwrap() = Durable::default();
        self.stores.forgotten();
    }

    /// Others delete a thing.
    pub fn deleted(&self, id: &str, thing: &Thing, rng: &mut Rng) {
        if thing.kind == STORE {
            let durable = self.durable.lock().unwrap();
            let known = |(step, r): &(&String, &Record)| {
                r.kind == STORE && r.outputs["id"] == id && !durable.open.contains(*step)
            };
            let record = durable.records.iter().find(known).map(|(_, r)| r);
            self.stores.deleted(id, thing, record, rng);
        }
    }

    /// A process read the state: all that was durable, and of what was being written anything.
    pub fn opened(&self, state: &State) {
        let mut durable = self.durable.lock().unwrap();
        let steps = durable.records.keys().chain(state.steps.keys());
        let differs = |step: &&String| {
            !durable.open.contains(*step) && durable.records.get(*step) != state.steps.get(*step)
        };
        let wrong: Vec<&String> = steps.filter(differs).collect();
        if !durable.saving && !wrong.is_empty() {
            self.wrong(format!(
                "the store read otherwise than it was written: {wrong:?}"
            ));
        }
        *durable = Durable {
            records: state.steps.clone(),
            ..Durable::default()
        };
    }

    /// Intent before effect: the record of a creation is durable before its call leaves.
    pub fn creating(&self, kind: &str, identity: &Identity) {
        let durable = self.durable.lock().unwrap();
        let record = durable.records.get(&identity.step);
        let intent = record.is_some_and(|r| {
            r.kind == kind
                && r.stage == Stage::Creating
                && r.token == identity.token
                && r.tags == identity.tags
        });
        if !intent || identity.token.is_empty() {
            self.wrong(format!(
                "no record before the creation of {}",
                identity.step
            ));
        }
    }

    /// What is to be restored stays recorded as what it was until it is there again.
    pub fn restoring(&self, kind: &str, identity: &Identity) {
        let durable = self.durable.lock().unwrap();
        let record = durable.records.get(&identity.step);
        let known = record.is_some_and(|r| r.kind == kind && r.stage == Stage::Created);
        if !known {
            self.wrong(format!("no record before the restore of {}", identity.step));
        }
    }

    /// The same for a change or a deletion.
    pub fn changing(&self, kind: &str, outputs: &Value, stages: &[Stage]) {
        let durable = self.durable.lock().unwrap();
        let same = |r: &Record| {
            ["id", "part"]
                .iter()
                .all(|k| r.outputs.get(k) == outputs.get(k))
        };
        let mut records = durable.records.values();
        if !records.any(|r| r.kind == kind && stages.contains(&r.stage) && same(r)) {
            self.wrong(format!("no record ({stages:?}) before a call on {outputs}"));
        }
    }

    /// A call on a thing takes effect. What lost its mark stops its own step only, not those of its sub-resources.
    pub fn touches(&self, outputs: &Value) {
        let id = outputs["id"].as_str().unwrap_or_default();
        let theirs = self.theirs.lock().unwrap().contains_key(id);
        let there = self.world.there();
        let unmarked = there.get(id).is_some_and(|t| !self.owns(id, t));
        let allowed = self.marking.load(Relaxed) || outputs.get("part").is_some();
        if theirs || (unmarked && !allowed) {
            self.wrong(format!("{id} does not carry our mark and is changed"));
        }
    }

    /// True for a thing with our mark, and for what we restored, which has no tags at first.
    fn owns(&self, id: &str, thing: &Thing) -> bool {
        is_ours(thing) || self.world.restored.lock().unwrap().contains(id)
    }

    /// A creation took effect: nothing else of its step is there, but for what it replaces.
    pub fn created(&self, outputs: &Value, identity: &Identity) {
        let id = outputs["id"].as_str().unwrap_or_default();
        if id.ends_with("-named")
            && let Some(wrong) = self.stores.created(&identity.step, id)
        {
            self.wrong(wrong);
        }
        let durable = self.durable.lock().unwrap();
        let beside = format!("{}~replaced", identity.step);
        let records = durable.records.iter();
        let beside: Vec<&Record> = records
            .filter(|(step, _)| step.starts_with(&beside))
            .map(|(_, record)| record)
            .collect();
        let replaced = |other: &str, thing: &Thing| {
            beside.iter().any(|r| match r.outputs.get("id") {
                Some(id) => id == other,
                // Its creation was never answered.
                None => r.name == thing.name,
            })
        };
        let there = self.world.there();
        let others = there.iter().filter(|(other, t)| {
            *other != id
                && !replaced(other, t)
                && t.gone_at.is_none()
                && is_ours(t)
                && t.tags.get("DeployerStep") == Some(&identity.step)
        });
        for (other, _) in others {
            self.wrong(format!("{id} is a second one beside {other}"));
        }
    }

    /// At the end: what is there is what is wanted and what is recorded, each once.
    pub fn all_is_as_wanted(&self, graph: &Graph, state: &State) {
        let there = self.world.there();
        let mut left: BTreeSet<&String> = there
            .iter()
            .filter(|(_, t)| is_ours(t))
            .map(|t| t.0)
            .collect();
        let mut parts: BTreeSet<(&str, &str)> = BTreeSet::new();
        for step in &graph.steps {
            let Some(record) = state.steps.get(&step.id) else {
                self.wrong(format!("{} is not recorded", step.id));
                continue;
            };
            let wanted = resolve(&step.spec, &|id| state.outputs(id));
            let id = record.outputs["id"].as_str().unwrap_or_default();
            let Some((id, thing)) = there.get_key_value(id) else {
                self.wrong(format!("{} is not there", step.id));
                continue;
            };
            let part = record.outputs["part"].as_str();
            let spec = match part {
                Some(part) => thing.parts.get(part).unwrap_or(&Value::Null),
                None => &thing.spec,
            };
            let right = record.stage == Stage::Ready
                && *spec == wanted
                && record.inputs == wanted
                && record.tags == step.tags
                && thing.gone_at.is_none()
                && thing.ready_at <= Instant::now()
                && (part.is_some() || thing.tags == step.tags && left.remove(id));
            if step.kind == STORE && !self.stores.holds_its_data(&step.id, id) {
                self.wrong(format!("{} does not hold its data", step.id));
            }
            if !right {
                self.wrong(format!(
                    "{} is not as wanted: {record:?}, {thing:?}",
                    step.id
                ));
            }
            parts.extend(part.map(|part| (id.as_str(), part)));
        }
        let kept = there
            .iter()
            .flat_map(|(id, t)| t.parts.keys().map(|p| (id.as_str(), p.as_str())));
        for (id, part) in kept.filter(|kept| !parts.contains(kept)) {
            self.wrong(format!("{id} still has the settings of {part}"));
        }
        for id in left {
            self.wrong(format!("{id} is left over"));
        }
        let more = state.steps.keys().filter(|s| graph.get(s).is_none());
        for step in more {
            self.wrong(format!("{step} is recorded and not wanted"));
        }
    }

    /// After a destroy: nothing of ours is there or recorded.
    pub fn nothing_is_left(&self, state: &State) {
        for id in self
            .world
            .there()
            .iter()
            .filter(|(id, t)| self.owns(id, t))
            .map(|t| t.0)
        {
            self.wrong(format!("{id} is left after the destroy"));
        }
        for step in state.steps.keys() {
            self.wrong(format!("{step} is recorded after the destroy"));
        }
    }

    /// What belongs to others is as it was.
    pub fn theirs_is_untouched(&self) {
        let there = self.world.there();
        for (id, was) in self.theirs.lock().unwrap().iter() {
            let same = |now: &Thing| {
                Thing {
                    stale: None,
                    ..now.clone()
                } == *was
            };
            if !there.get(id).is_some_and(same) {
                self.wrong(format!("{id} belongs to somebody else and was changed"));
            }
        }
    }
}

/// Steps and records of whole lines of the journal.
pub fn parse(lines: &[u8]) -> Vec<Line> {
    let lines = lines.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    let line = |line| {
        let mut line: Value = serde_json::from_slice(line).unwrap();
        let record = serde_json::from_value(line["record"].take()).unwrap();
        (line["step"].as_str().unwrap().to_owned(), record)
    };
    lines.map(line).collect()
}
