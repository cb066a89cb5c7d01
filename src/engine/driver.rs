//! What the engine knows of a resource type: an object-safe driver over JSON. `resources` adapts typed resources to it;
//! tests give drivers of their own.

use super::backup::{Backup, Remains};
use super::diff::{Change, TAGS};
use super::error::Error;
pub use super::identity::{Identity, Owned};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How something is to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeleteOptions {
    /// The name of the snapshot that keeps its data.
    pub final_snapshot: Option<String>,
    /// Deletion protection is switched off first. Without this, a protected thing is refused.
    pub lift_protection: bool,
    /// The user chose that nothing remains: what could be brought back for some days goes at once.
    #[serde(skip)]
    pub at_once: bool,
}

/// The data that a deletion would lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// It was looked at, and there is none.
    Empty,
    /// There is some, in words: `12 objects`.
    Holds(String),
    /// It holds none itself, but data elsewhere cannot be read without it (an encryption key), in words.
    Unlocks(String),
}

pub use super::meta::{
    Between, Changing, Delegated, Derived, Meta, Nature, Owner, Replace, Retention, Upgrade,
};
use super::ownership::Mark;

/// How to find a resource: recorded outputs when there are any, else the identity; `spec` for what is found by its parent.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The resolved desired (or recorded) struct.
    pub spec: &'a Value,
    /// Recorded outputs.
    pub outputs: Option<&'a Value>,
    /// Name and tags.
    pub identity: &'a Identity,
}

/// The life phase of something that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// AWS is still working on it.
    Settling,
    /// Usable.
    Ready,
    /// On its way out.
    Deleting,
    /// Broken for good; the reason as AWS tells it.
    Failed(String),
}

/// A resource as it was read, in the struct that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The struct.
    pub spec: Value,
    /// Whose it is, as far as its type can tell.
    pub mark: Mark,
    /// Ids, ARNs, endpoints.
    pub outputs: Value,
    pub phase: Phase,
}

impl Live {
    /// Its tags; `None` for types without tags.
    pub fn tags(&self) -> Option<&BTreeMap<String, String>> {
        match &self.mark {
            Mark::Tags(tags) | Mark::Restored(tags) => Some(tags),
            Mark::Parent | Mark::Foreign(_) | Mark::Account => None,
        }
    }

    /// True for what an account has once and did not get from us: it is used as it is.
    pub fn is_the_accounts(&self) -> bool {
        self.mark == Mark::Account
    }
}

/// What is to be changed on a resource, by field path.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delta {
    /// All changes of the struct (tags are below).
    pub changes: Vec<Change>,
    pub set_tags: BTreeMap<String, String>,
    /// Tag keys to remove.
    pub remove_tags: Vec<String>,
}

/// What is to happen to one entry of a map or a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// It is wanted and not there.
    Add,
    /// It is there and differs.
    Change,
    /// It is there and not wanted.
    Remove,
}

impl Delta {
    /// Splits a list of changes into struct and tags.
    pub fn of(all: Vec<Change>) -> Self {
        let mut out = Self::default();
        for change in all {
            let tag = (change.field() == TAGS).then(|| change.entry()).flatten();
            match (tag, &change.want) {
                (Some(key), Some(Value::String(value))) => {
                    out.set_tags.insert(key.to_owned(), value.clone());
                }
                (Some(key), None) => out.remove_tags.push(key.to_owned()),
                _ => out.changes.push(change),
            }
        }
        out
    }

    /// True when something in this field differs.
    pub fn touches(&self, field: &str) -> bool {
        self.changes.iter().any(|c| c.field() == field)
    }

    /// What differs in a field that is a map or a set: its entries by name, each once.
    pub fn entries(&self, field: &str) -> BTreeMap<&str, Edit> {
        let mut out = BTreeMap::new();
        for change in self.changes.iter().filter(|c| c.field() == field) {
            let Some(name) = change.entry() else { continue };
            let edit = match (&change.want, &change.have) {
                _ if change.path.len() > 2 => Edit::Change,
                (Some(_), None) => Edit::Add,
                (None, _) => Edit::Remove,
                (Some(_), Some(_)) => Edit::Change,
            };
            out.insert(name, edit);
        }
        out
    }

    /// True when tags differ.
    pub fn touches_tags(&self) -> bool {
        !self.set_tags.is_empty() || !self.remove_tags.is_empty()
    }

    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.touches_tags()
    }
}

/// One resource type, as the engine sees it.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Facts for planning.
    fn meta(&self) -> &Meta;
    /// Reads it; `None` when it does not exist (or is already being deleted and found by identity only).
    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error>;
    /// Creates it with exactly one mutating call. Not called for aspects. Gives the outputs known so far.
    async fn create(&self, spec: &Value, identity: &Identity) -> Result<Value, Error>;
    /// Brings what differs to the desired value, with calls that may be repeated.
    async fn update(&self, spec: &Value, outputs: &Value, delta: &Delta) -> Result<(), Error>;
    /// Deletes (or resets) it. "Not found" is success.
    async fn delete(
        &self,
        spec: &Value,
        outputs: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Error>;
    /// What its deletion would lose. Only asked of types that hold data.
    async fn data(&self, _spec: &Value, _outputs: &Value) -> Result<Data, Error> {
        Ok(Data::Holds("data".into()))
    }
    /// Who else needs it, in words, so that it stays when everything else goes. Asked before a removal.
    async fn users(&self, _outputs: &Value) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
    /// What AWS still has of one with this name that vanished, `None` when the type is made anew without a question. Only asked of
    /// types that hold data.
    async fn remains(
        &self,
        _spec: &Value,
        _name: &str,
        _outputs: &Value,
    ) -> Result<Option<Remains>, Error> {
        Ok(None)
    }
    /// Makes one from a backup, with exactly one mutating call. Gives the outputs known so far.
    async fn restore(
        &self,
        _spec: &Value,
        _identity: &Identity,
        _from: &Backup,
    ) -> Result<Value, Error> {
        Err(Error::permanent("restore", "this type cannot be restored"))
    }
    /// Everything of this type that carries this deployment's mark.
    async fn owned(&self, suffix: &str) -> Result<Vec<Owned>, Error>;
}

/// All resource types by name.
#[derive(Clone, Default)]
pub struct Registry {
    drivers: BTreeMap<&'static str, Arc<dyn Driver>>,
    pace: Option<f64>,
}

/// The least that a step takes: its call, in seconds.
const CALL_SECONDS: f64 = 0.1;

impl Registry {
    /// Where things take this part of their typical durations, estimates say so. Limits of waiting stay as they are.
    pub fn set_pace(&mut self, pace: f64) {
        self.pace = Some(pace);
    }

    /// A typical duration in seconds, as it is here.
    pub fn usually(&self, seconds: f64) -> f64 {
        self.pace
            .map_or(seconds, |pace| (seconds * pace).max(CALL_SECONDS))
    }

    /// Adds a driver under its type's name.
    pub fn add(&mut self, driver: Arc<dyn Driver>) {
        self.drivers.insert(driver.meta().kind, driver);
    }

    /// The driver of a type. A state file from a newer deployer can name one that we do not have.
    pub fn get(&self, kind: &str) -> Result<&Arc<dyn Driver>, Error> {
        self.drivers.get(kind).ok_or_else(|| {
            Error::permanent(
                "state",
                format!("this deployer knows no resource type `{kind}`"),
            )
            .hint("the state was written by a newer deployer: use that version")
        })
    }

    /// True for a type whose names or ids reach beyond one region.
    pub fn is_global(&self, kind: &str) -> bool {
        self.get(kind).is_ok_and(|driver| driver.meta().global)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Driver>> {
        self.drivers.values()
    }
}
