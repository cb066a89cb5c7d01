//! An account in memory, for the engine alone: every resource type with its durations, in virtual time.

use async_trait::async_trait;
use deployer::engine::driver::{Delegated, Key, Owned};
use deployer::engine::{
    Class, Data, DeleteOptions, Delta, Driver, Error, Identity, Leftover, Live, Meta, Phase,
    Registry, Replace, Retention,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// One thing in the account.
#[derive(Clone)]
pub struct Thing {
    pub spec: Value,
    pub tags: BTreeMap<String, String>,
    pub ready_at: Instant,
    pub gone_at: Option<Instant>,
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
    /// A step whose creation panics.
    pub panics: Mutex<Option<String>>,
    /// How often each thing was updated; an updated thing has this as its output `version`.
    pub updates: Mutex<BTreeMap<String, u64>>,
    /// Seconds of one call.
    pub call_seconds: f64,
    /// Names of outputs that everything has beside its `id`.
    pub outputs: Vec<String>,
}

impl World {
    pub fn new(call_seconds: f64) -> Arc<Self> {
        Arc::new(Self {
            call_seconds,
            ..Self::default()
        })
    }

    /// The outputs of a thing.
    fn outputs(&self, id: &str) -> Value {
        let more = self
            .outputs
            .iter()
            .map(|name| (name.clone(), json!(format!("{name} of {id}"))));
        let updates = self.updates.lock().unwrap();
        let version = updates.get(id).map(|n| json!(format!("v{n}")));
        more.chain([("id".to_owned(), json!(id))])
            .chain(version.map(|v| ("version".to_owned(), v)))
            .collect()
    }

    /// True when another thing has this id in its settings.
    fn uses(&self, id: &str) -> bool {
        let things = self.things.lock().unwrap();
        things
            .values()
            .any(|t| t.spec.to_string().contains(&format!("\"{id}\"")))
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

    fn fault(&self, step: &str) -> Option<Error> {
        let mut faults = self.faults.lock().unwrap();
        faults
            .get_mut(step)
            .and_then(|f| (!f.is_empty()).then(|| f.remove(0)))
    }

    async fn call(&self) {
        if self.call_seconds > 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(self.call_seconds)).await;
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
        Fake {
            world: self.clone(),
            meta: Meta {
                fixed: &["fixed"],
                create_seconds: seconds.0,
                delete_seconds: seconds.1,
                ..Meta::plain(kind)
            },
        }
    }
}

/// A driver of one kind in the world.
pub struct Fake {
    pub world: Arc<World>,
    pub meta: Meta,
}

impl Fake {
    pub fn holding_data(mut self) -> Self {
        self.meta.holds_data = true;
        self
    }
    /// A kind that can be protected and leaves a final snapshot, for which what `key` names is needed.
    pub fn keeping(mut self) -> Self {
        self.meta.holds_data = true;
        self.meta.retention = Retention {
            protection: Some("protected"),
            final_snapshot: Some(&["key"]),
            is_snapshot: false,
        };
        self
    }
    pub fn changing(mut self, outputs: &'static [&'static str]) -> Self {
        self.meta.changing = outputs;
        self
    }
    pub fn create_first(mut self) -> Self {
        self.meta.replace = Replace::CreateFirst;
        self
    }
    pub fn delegating(mut self, delegated: &'static [Delegated]) -> Self {
        self.meta.delegated = delegated;
        self
    }
}

const STEP: &str = "DeployerStep";
const SUFFIX: &str = "EnvironmentSuffix";

#[async_trait]
impl Driver for Fake {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        let now = Instant::now();
        let mut things = self.world.things.lock().unwrap();
        things.retain(|_, t| t.gone_at.is_none_or(|at| at > now));
        let id = key
            .outputs
            .and_then(|o| o["id"].as_str())
            .map(str::to_owned);
        let hidden = self.world.hidden.lock().unwrap();
        let visible = |id: &str| hidden.get(id).is_none_or(|until| *until <= now);
        let mut things = things.iter().filter(|(id, _)| visible(id));
        let found = things.find(|(at, thing)| match &id {
            Some(id) => *at == id,
            None => {
                thing.tags.get(STEP) == Some(&key.identity.step)
                    && thing.spec["kind"] == self.meta.kind
                    && thing.gone_at.is_none()
            }
        });
        Ok(found.map(|(id, thing)| {
            let mut spec = thing.spec.clone();
            spec.as_object_mut().map(|s| s.remove("kind"));
            Live {
                spec,
                tags: Some(thing.tags.clone()),
                outputs: self.world.outputs(id),
                phase: match thing.gone_at {
                    Some(_) => Phase::Deleting,
                    None if thing.ready_at > now => Phase::Settling,
                    None => Phase::Ready,
                },
            }
        }))
    }

    async fn create(&self, spec: &Value, identity: &Identity) -> Result<Value, Error> {
        self.world.call().await;
        let panics = self
            .world
            .panics
            .lock()
            .unwrap()
            .take_if(|s| *s == identity.step);
        assert_eq!(panics, None, "the panic that was asked for");
        let fault = self.world.fault(&identity.step);
        if let Some(fault) = fault.as_ref().filter(|f| f.leftover == Leftover::Nothing) {
            return Err(fault.clone());
        }
        let mut writes = self.world.writes.lock().unwrap();
        writes.push(format!("create {}", identity.step));
        let id = format!("{}-{}", identity.step, writes.len());
        let mut spec = spec.clone();
        if let Some(map) = spec.as_object_mut() {
            map.insert("kind".into(), self.meta.kind.into());
        }
        // A type's seconds count from the call on.
        let settle = (self.meta.create_seconds - self.world.call_seconds).max(0.0);
        let settle = Duration::from_secs_f64(settle);
        let thing = Thing {
            spec,
            tags: identity.tags.clone(),
            ready_at: Instant::now() + settle,
            gone_at: None,
        };
        self.world.things.lock().unwrap().insert(id.clone(), thing);
        fault.map_or_else(|| Ok(self.world.outputs(&id)), Err)
    }

    async fn update(&self, spec: &Value, outputs: &Value, delta: &Delta) -> Result<(), Error> {
        self.world.call().await;
        let id = outputs["id"].as_str().unwrap_or_default();
        let step = id.rsplit_once('-').map_or(id, |p| p.0);
        if let Some(fault) = self.world.fault(&format!("update {step}")) {
            return Err(fault);
        }
        self.world
            .writes
            .lock()
            .unwrap()
            .push(format!("update {id}"));
        let mut things = self.world.things.lock().unwrap();
        let thing = things
            .get_mut(id)
            .ok_or_else(|| Error::permanent("update", "gone"))?;
        let mut spec = spec.clone();
        if let Some(map) = spec.as_object_mut() {
            map.insert("kind".into(), self.meta.kind.into());
        }
        thing.spec = spec;
        thing.tags.extend(delta.set_tags.clone());
        for key in &delta.remove_tags {
            thing.tags.remove(key);
        }
        *self
            .world
            .updates
            .lock()
            .unwrap()
            .entry(id.into())
            .or_default() += 1;
        Ok(())
    }

    async fn data(&self, spec: &Value, _outputs: &Value) -> Result<Data, Error> {
        Ok(match spec["rows"].as_u64() {
            Some(0) => Data::Empty,
            Some(n) => Data::Holds(format!("{n} rows")),
            None => Data::Unlocks("what it encrypts".into()),
        })
    }

    async fn delete(
        &self,
        _spec: &Value,
        outputs: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        self.world.call().await;
        let id = outputs["id"].as_str().unwrap_or_default();
        let used = self.meta.replace == Replace::CreateFirst && self.world.uses(id);
        if used || self.world.fault(&format!("delete {id}")).is_some() {
            return Err(Error::of(Class::InUse, "delete", "something uses it"));
        }
        self.world
            .writes
            .lock()
            .unwrap()
            .push(format!("delete {id}"));
        let protected = |t: &Thing| t.spec["protected"] == true;
        if let Some(thing) = self.world.things.lock().unwrap().get(id)
            && protected(thing)
            && !options.lift_protection
        {
            return Err(Error::permanent("delete", "it is protected"));
        }
        if let Some(name) = &options.final_snapshot {
            let mut writes = self.world.writes.lock().unwrap();
            writes.push(format!("snapshot {name}"));
        }
        let left = &self.world.ignored_deletions;
        let less = |n: usize| n.checked_sub(1);
        if left.fetch_update(Relaxed, Relaxed, less).is_ok() {
            return Ok(());
        }
        if let Some(thing) = self.world.things.lock().unwrap().get_mut(id) {
            thing.gone_at = Some(
                Instant::now()
                    + Duration::from_secs_f64(
                        (self.meta.delete_seconds - self.world.call_seconds).max(0.0),
                    ),
            );
        }
        Ok(())
    }

    async fn owned(&self, suffix: &str) -> Result<Vec<Owned>, Error> {
        let things = self.world.things.lock().unwrap();
        let marked = things.iter().filter(|(_, t)| {
            t.tags.get(SUFFIX).is_some_and(|s| s == suffix) && t.spec["kind"] == self.meta.kind
        });
        let owned = marked.map(|(id, thing)| Owned {
            kind: self.meta.kind.into(),
            step: thing.tags[STEP].clone(),
            id: id.clone(),
            name: String::new(),
            tags: thing.tags.clone(),
        });
        Ok(owned.collect())
    }
}
