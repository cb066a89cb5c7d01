//! What must hold of stores, whose data is lost when they are made anew: one that others deleted comes back with the data of its
//! backup, or empty after a word for that, and never in silence.

use crate::support::world::{Thing, World};
use deployer::engine::Backup;
use deployer::engine::plan::{Allowed, Plan, Problem};
use deployer::state::{Record, Stage};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::Instant;

/// The kind of things that hold data.
pub const STORE: &str = "test/Store";

#[derive(Default)]
struct Known {
    /// Steps whose store others deleted, at any time.
    deleted: BTreeSet<String>,
    /// Of those: recorded ones that nobody has said a word about yet.
    vanished: BTreeSet<String>,
    /// Steps whose store the run under way deletes itself.
    removing: BTreeSet<String>,
    /// The data that must be in the store of a step.
    data: BTreeMap<String, u64>,
}

/// Watches the stores of one life.
pub struct Stores {
    world: Arc<World>,
    began: Instant,
    known: Mutex<Known>,
}

impl Stores {
    pub fn of(world: &Arc<World>) -> Self {
        Self {
            world: world.clone(),
            began: Instant::now(),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Others delete a store; AWS may have a backup of it.
    pub fn deleted(&self, id: &str, thing: &Thing, record: Option<&Record>, rng: &mut Rng) {
        let step = thing.name.clone();
        let mut known = self.known();
        known.deleted.insert(step.clone());
        // What is still being made holds nothing yet.
        if thing.ready_at > Instant::now() || thing.gone_at.is_some() {
            return;
        }
        let made = record.is_some_and(|r| matches!(r.stage, Stage::Created | Stage::Ready));
        if made && !known.removing.contains(&step) {
            known.vanished.insert(step.clone());
        }
        let data = self.world.data.lock().unwrap().get(id).copied();
        if rng.u8(0..4) == 0 {
            return;
        }
        let mut backups = self.world.backups.lock().unwrap();
        let backups = backups.entry(step).or_default();
        backups.push(Backup {
            name: format!("b{}", backups.len()),
            text: "backup".into(),
            at: Timestamp::UNIX_EPOCH + self.began.elapsed(),
            since: None,
            unfit: None,
            source: json!({"settings": {"free": thing.spec["free"]}, "data": data}),
        });
    }

    /// The files of the state are lost: nobody knows any more that something is missing.
    pub fn forgotten(&self) {
        self.known().vanished.clear();
    }

    /// A plan is about to run: a step that it knows to have vanished has got its word.
    pub fn agreed(&self, plan: &Plan, destroys: bool) {
        let mut known = self.known();
        for lost in &plan.vanished {
            let node = plan.nodes.iter().find(|n| n.step == lost.step);
            if node.is_some_and(|n| n.restore.is_none()) {
                known.vanished.remove(&lost.step);
            }
        }
        if destroys {
            known.vanished.clear();
        }
        let removed = plan.nodes.iter();
        let removed = removed.filter(|n| n.op == deployer::engine::plan::Op::Remove);
        known.removing = removed.map(|n| n.step.clone()).collect();
        // What vanished after it was read, and is to go anyway, needs no word.
        let Known {
            vanished, removing, ..
        } = &mut *known;
        vanished.retain(|step| !removing.contains(step));
    }

    /// The run has ended, or died.
    pub fn ended(&self) {
        self.known().removing.clear();
    }

    /// A store was made anew. Says what is wrong with that.
    pub fn created(&self, step: &str, id: &str) -> Option<String> {
        let mut known = self.known();
        let data = self.world.data.lock().unwrap().get(id).copied();
        known.data.extend(data.map(|d| (step.to_owned(), d)));
        let silent = known.vanished.remove(step);
        silent.then(|| format!("{step} vanished and is made anew, empty, without a word"))
    }

    /// A store was restored.
    pub fn restored(&self, step: &str, from: &Backup) {
        let mut known = self.known();
        known.vanished.remove(step);
        let data = from.source["data"].as_u64();
        known.data.extend(data.map(|d| (step.to_owned(), d)));
    }

    /// Whether the store of a step holds what it must.
    pub fn holds_its_data(&self, step: &str, id: &str) -> bool {
        let data = self.world.data.lock().unwrap().get(id).copied();
        data.is_some() && self.known().data.get(step).copied() == data
    }

    /// True when these problems of a plan are questions about stores that are gone: others deleted them, or a deletion of an
    /// earlier run took effect after a later one had seen them.
    pub fn are_questions(problems: &[Problem]) -> bool {
        problems.iter().all(|p| p.error.code == "DataVanished")
    }

    /// What the user says: nothing, restore all, restore from any backup, or make one empty.
    pub fn some_words(&self, rng: &mut Rng) -> Allowed {
        let mut out = Allowed::default();
        let steps: Vec<String> = self.known().deleted.iter().cloned().collect();
        let Some(step) = rng.choice(steps) else {
            return out;
        };
        match rng.u8(0..4) {
            0 => {}
            1 => out.restore.push("*".into()),
            2 => {
                out.restore.push("*".into());
                out.make_empty.push(step);
            }
            _ => {
                let backups = self.world.backups.lock().unwrap();
                let count = backups.get(&step).map_or(0, Vec::len);
                out.restore
                    .push(format!("{step}=b{}", rng.usize(0..=count)));
            }
        }
        out
    }

    /// Everything is restored that can be, and the rest is made empty.
    pub fn all_words(&self) -> Allowed {
        let backups = self.world.backups.lock().unwrap();
        Allowed {
            restore: backups.keys().cloned().collect(),
            make_empty: vec!["*".into()],
            ..Allowed::default()
        }
    }
}
