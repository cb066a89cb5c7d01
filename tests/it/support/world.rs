//! An account in memory, for the engine alone: things with their durations, in virtual time. What can be done to them is in
//! `fake.rs`.

use super::fake::Fake;
use deployer::engine::{Backup, Class, Error, Meta, Registry};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// One thing in the account.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    pub kind: &'static str,
    pub name: String,
    pub token: String,
    pub spec: Value,
    pub tags: BTreeMap<String, String>,
    /// The settings of its sub-resources, by step.
    pub parts: BTreeMap<String, Value>,
    /// How often it was updated.
    pub updates: u64,
    pub ready_at: Instant,
    pub gone_at: Option<Instant>,
    /// It ends as failed instead of ready.
    pub fails: bool,
    /// What reads may still show, and until when: the thing before its last change, or nothing before its creation.
    pub stale: Option<(Instant, Option<Box<Thing>>)>,
}

/// The account: things by id.
#[derive(Default)]
pub struct World {
    pub things: Mutex<BTreeMap<String, Thing>>,
    pub writes: Mutex<Vec<String>>,
    /// Faults to answer with, by step: each is used once, before or after the effect (`Leftover::Unknown`: after).
    pub faults: Mutex<BTreeMap<String, Vec<Error>>>,
    /// How many deletions are answered and then come to nothing.
    pub ignored_deletions: AtomicUsize,
    /// Things that reads do not show before an instant: by id, when they are seen again.
    pub hidden: Mutex<BTreeMap<String, Instant>>,
    /// From when until when reads are not answered, and of which class their error is.
    pub outage: Mutex<Option<(Instant, Instant, Class)>>,
    /// Kinds that cannot be read.
    pub unread: Mutex<BTreeSet<String>>,
    /// What others need, and who they are: by id.
    pub users: Mutex<BTreeMap<String, String>>,
    /// What is left of things that are gone, by name.
    pub backups: Mutex<BTreeMap<String, Vec<Backup>>>,
    /// What is in the stores: a number by id. A new one has a number of its own.
    pub data: Mutex<BTreeMap<String, u64>>,
    /// Ids of what was restored from a backup; a restore sets no tags.
    pub restored: Mutex<BTreeSet<String>>,
    /// A step whose creation panics.
    pub panics: Mutex<Option<String>>,
    /// Seconds of one call.
    pub call_seconds: f64,
    /// Names of outputs that everything has beside its `id`.
    pub outputs: Vec<String>,
    /// How long after a change a read shows what was before, as chance has it.
    pub lag: Duration,
    /// Whether calls are refused as AWS does: what is in use stays, what is not there cannot be referred to.
    pub strict: bool,
    /// Decides what a read shows while it lags.
    pub chance: Mutex<fastrand::Rng>,
}

impl World {
    pub fn new(call_seconds: f64) -> Arc<Self> {
        Arc::new(Self {
            call_seconds,
            ..Self::default()
        })
    }

    pub fn live(&self) -> Vec<String> {
        self.things.lock().unwrap().keys().cloned().collect()
    }

    pub fn fail(&self, step: &str, fault: Error) {
        self.faults
            .lock()
            .unwrap()
            .entry(step.into())
            .or_default()
            .push(fault);
    }

    pub(super) fn fault(&self, step: &str) -> Option<Error> {
        let mut faults = self.faults.lock().unwrap();
        faults
            .get_mut(step)
            .and_then(|f| (!f.is_empty()).then(|| f.remove(0)))
    }

    /// Lets reads fail with this class, from so many seconds on for so many.
    pub fn break_reads(&self, after: u64, seconds: u64, class: Class) {
        let from = Instant::now() + Duration::from_secs(after);
        let until = from + Duration::from_secs(seconds);
        *self.outage.lock().unwrap() = Some((from, until, class));
    }

    pub(super) fn unanswered(&self) -> Option<Error> {
        let outage = *self.outage.lock().unwrap();
        let (from, until, class) = outage?;
        let is_now = (from..until).contains(&Instant::now());
        is_now.then(|| Error::of(class, "test:Read", "no answer"))
    }

    pub(super) async fn call(&self) {
        if self.call_seconds > 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(self.call_seconds)).await;
        }
    }

    /// Notes a change, and gives its number.
    pub(super) fn wrote(&self, what: String) -> usize {
        let mut writes = self.writes.lock().unwrap();
        writes.push(what);
        writes.len()
    }

    /// Changes a thing; reads may show it as it was for as long as they lag.
    pub fn change<T>(&self, id: &str, change: impl FnOnce(&mut Thing) -> T) -> Option<T> {
        let mut things = self.there();
        let thing = things.get_mut(id)?;
        let before = thing.clone();
        let out = change(thing);
        if !self.lag.is_zero() {
            let now = Instant::now();
            let lagging = before.stale.clone().filter(|(until, _)| *until > now);
            let was = lagging.map_or_else(|| Some(Box::new(before)), |(_, was)| was);
            thing.stale = Some((now + self.lag, was));
        }
        Some(out)
    }

    /// Everything as it is, but for what is gone.
    pub fn there(&self) -> MutexGuard<'_, BTreeMap<String, Thing>> {
        let now = Instant::now();
        let mut things = self.things.lock().unwrap();
        things.retain(|_, t| t.gone_at.is_none_or(|at| at > now));
        things
    }

    /// A thing as a read shows it.
    pub(super) fn view<'a>(&self, id: &str, thing: &'a Thing) -> Option<&'a Thing> {
        let now = Instant::now();
        let hidden = self.hidden.lock().unwrap();
        if hidden.get(id).is_some_and(|until| *until > now) {
            return None;
        }
        match thing.stale.as_ref().filter(|(until, _)| *until > now) {
            Some((_, was)) if self.chance.lock().unwrap().bool() => was.as_deref(),
            _ => Some(thing),
        }
    }

    /// A registry with a driver for every kind, with these (create, delete) seconds.
    pub fn registry(
        self: &Arc<Self>,
        kinds: impl IntoIterator<Item = (&'static str, (f64, f64))>,
    ) -> Registry {
        let mut all = Registry::default();
        for (kind, seconds) in kinds {
            all.add(Arc::new(self.kind(kind, seconds)));
        }
        all
    }

    pub fn kind(self: &Arc<Self>, kind: &'static str, seconds: (f64, f64)) -> Fake {
        let meta = Meta {
            fixed: &["fixed"],
            create_seconds: seconds.0,
            delete_seconds: seconds.1,
            ..Meta::plain(kind)
        };
        Fake::new(self, meta)
    }
}

/// True when a value holds this text.
pub fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(one) => one == text,
        Value::Array(items) => items.iter().any(|v| holds(v, text)),
        Value::Object(map) => map.values().any(|v| holds(v, text)),
        _ => false,
    }
}
