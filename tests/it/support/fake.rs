//! The driver of one kind of things in the account in memory: what is done to them, at once. The calls that do it are in
//! `fake/driver.rs`.

mod driver;

use super::world::{Thing, World, holds};
use deployer::engine::driver::{Changing, Delegated, Key, Owned};
use deployer::engine::{
    Backup, Class, DeleteOptions, Delta, Error, Identity, Live, Mark, Meta, Nature, Phase, Replace,
    Retention,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

const STEP: &str = "DeployerStep";
const SUFFIX: &str = "EnvironmentSuffix";

/// The fields with references that AWS holds on to: what they name cannot be deleted.
const HOLDING: [&str; 2] = ["at", "of"];
/// All fields with references.
const REFERENCES: [&str; 4] = ["at", "of", "on", "ready"];

/// A driver of one kind in the world.
#[derive(Clone)]
pub struct Fake {
    pub world: Arc<World>,
    pub meta: Meta,
    /// Its name can be there once only, and it is found by it.
    named: bool,
    /// A second create call with the token of the first makes no second thing.
    tokens: bool,
    /// The account has it once: what is not ours is the account's own.
    once: bool,
    /// When it vanished it is asked for what is left of it.
    restorable: bool,
    /// Its id follows from its name, as that of a table or a database does.
    by_name: bool,
}

impl Fake {
    pub fn new(world: &Arc<World>, meta: Meta) -> Self {
        Self {
            world: world.clone(),
            meta,
            named: false,
            tokens: false,
            once: false,
            restorable: false,
            by_name: false,
        }
    }
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
            ..Retention::NONE
        };
        self
    }
    pub fn changing(mut self, outputs: &'static [Changing]) -> Self {
        self.meta.changing = outputs;
        self
    }
    /// A kind that stands in what these fields name.
    pub fn standing_in(mut self, fields: &'static [&'static str]) -> Self {
        self.meta.stands_in = fields;
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
    pub fn named(mut self) -> Self {
        self.named = true;
        self
    }
    /// A kind that holds data and can be restored from backups.
    pub fn restorable(mut self) -> Self {
        self.meta.holds_data = true;
        self.restorable = true;
        self
    }
    pub fn by_name(mut self) -> Self {
        self.named = true;
        self.by_name = true;
        self
    }
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
    pub fn with_tokens(mut self) -> Self {
        self.tokens = true;
        self
    }
    pub fn fixed(mut self, fields: &'static [&'static str]) -> Self {
        self.meta.fixed = fields;
        self
    }
    pub fn nature(mut self, nature: Nature) -> Self {
        self.meta.nature = nature;
        self
    }

    fn outputs(&self, id: &str, thing: &Thing) -> Value {
        let more = self.world.outputs.iter();
        let more = more.map(|name| (name.clone(), json!(format!("{name} of {id}"))));
        let version = (!self.meta.changing.is_empty())
            .then(|| ("version".to_owned(), json!(format!("v{}", thing.updates))));
        more.chain([("id".to_owned(), json!(id))])
            .chain(version)
            .collect()
    }

    /// A type's seconds count from the call on.
    fn after(&self, seconds: f64) -> Instant {
        Instant::now() + Duration::from_secs_f64((seconds - self.world.call_seconds).max(0.0))
    }

    /// Another thing that has this id in its settings, in a way that keeps it from being deleted.
    fn user(&self, id: &str) -> Option<String> {
        let things = self.world.there();
        // What has failed is not really in use.
        let fails = things.get(id).is_some_and(|t| t.fails);
        let any = self.meta.replace == Replace::CreateFirst && !fails;
        if !any && !self.world.strict {
            return None;
        }
        let by = |t: &Thing| {
            HOLDING.iter().any(|field| holds(&t.spec[*field], id))
                || (any && (holds(&t.spec, id) || t.parts.values().any(|p| holds(p, id))))
        };
        let mut others = things.iter().filter(|(other, _)| *other != id);
        others.find(|(_, t)| by(t)).map(|(other, _)| other.clone())
    }

    /// An id in the settings that nothing has, or nothing but what is being deleted, or that is not visible everywhere yet.
    fn unknown(&self, spec: &Value) -> Option<Error> {
        if !self.world.strict {
            return None;
        }
        let things = self.world.there();
        let stays = |id: &str| things.get(id).filter(|t| t.gone_at.is_none());
        let shown = |id: &str| stays(id).and_then(|t| self.world.view(id, t));
        let all = REFERENCES.iter().flat_map(|field| match &spec[*field] {
            Value::Array(items) => items.clone(),
            other => vec![other.clone()],
        });
        let ids = all.filter_map(|v| v.as_str().map(str::to_owned));
        let mut ids = ids.filter(|id| id.contains('-'));
        let missing = ids.find(|id| shown(id).is_none())?;
        let text = format!("{missing} does not exist");
        Some(Error::of(Class::Propagating, "test:Call", text))
    }

    /// Makes one, as a create call does when it takes effect.
    pub fn make(&self, spec: &Value, identity: &Identity) -> Result<Value, Error> {
        let conflict = |text: &str| Err(Error::of(Class::Conflict, "test:Create", text));
        for (id, other) in self.world.there().iter() {
            if other.kind != self.meta.kind {
                continue;
            }
            if self.tokens && other.token == identity.token && other.gone_at.is_none() {
                return Ok(self.outputs(id, other));
            }
            if self.named && other.name == identity.name {
                return conflict("the name is in use");
            }
            if self.meta.nature == Nature::ByParent && other.spec["of"] == spec["of"] {
                return conflict("the parent has one");
            }
        }
        if let Some(error) = self.unknown(spec) {
            return Err(error);
        }
        let number = self.world.wrote(format!("create {}", identity.step));
        let id = match self.by_name {
            true => format!("{}-named", identity.name),
            false => format!("{}-{number}", identity.step),
        };
        let lag = self.world.lag;
        let thing = Thing {
            kind: self.meta.kind,
            name: identity.name.clone(),
            token: identity.token.clone(),
            spec: spec.clone(),
            tags: identity.tags.clone(),
            parts: BTreeMap::new(),
            updates: 0,
            ready_at: self.after(self.meta.create_seconds),
            gone_at: None,
            fails: false,
            stale: (!lag.is_zero()).then(|| (Instant::now() + lag, None)),
        };
        let outputs = self.outputs(&id, &thing);
        self.world.restored.lock().unwrap().remove(&id);
        if self.restorable {
            let mut data = self.world.data.lock().unwrap();
            data.insert(id.clone(), number as u64);
        }
        self.world.things.lock().unwrap().insert(id, thing);
        Ok(outputs)
    }

    /// Makes one from a backup, as a restore call does when it takes effect: the settings that a backup brings along are those of
    /// its time, and there are no tags.
    pub fn restored(
        &self,
        spec: &Value,
        identity: &Identity,
        from: &Backup,
    ) -> Result<Value, Error> {
        let mut settings = spec.clone();
        if let (Some(all), Some(old)) = (
            settings.as_object_mut(),
            from.source["settings"].as_object(),
        ) {
            all.extend(old.clone());
        }
        let untagged = Identity {
            tags: BTreeMap::new(),
            ..identity.clone()
        };
        let made = self.make(&settings, &untagged)?;
        let id = made["id"].as_str().unwrap_or_default();
        self.world.restored.lock().unwrap().insert(id.to_owned());
        if let Some(data) = from.source["data"].as_u64() {
            self.world.data.lock().unwrap().insert(id.to_owned(), data);
        }
        Ok(made)
    }

    /// Changes one, as an update call does when it takes effect.
    pub fn change(&self, spec: &Value, outputs: &Value, delta: &Delta) -> Result<(), Error> {
        let id = outputs["id"].as_str().unwrap_or_default();
        let strict = self.world.strict;
        let there = |t: &&Thing| !strict || t.gone_at.is_none();
        let ready_at = self.world.there().get(id).filter(there).map(|t| t.ready_at);
        let Some(ready_at) = ready_at else {
            return Err(Error::of(Class::Gone, "test:Update", "it does not exist"));
        };
        if strict && ready_at > Instant::now() {
            return Err(Error::of(Class::NotReady, "test:Update", "it is not ready"));
        }
        let settings = !delta.changes.is_empty();
        if let Some(error) = self.unknown(spec).filter(|_| settings) {
            return Err(error);
        }
        let part = outputs["part"].as_str();
        self.world.wrote(match part {
            Some(part) => format!("update {part} of {id}"),
            None => format!("update {id}"),
        });
        self.world.change(id, |thing| {
            if let Some(part) = part {
                thing.parts.insert(part.to_owned(), spec.clone());
                return;
            }
            if settings {
                thing.spec = spec.clone();
            }
            thing.tags.extend(delta.set_tags.clone());
            for key in &delta.remove_tags {
                thing.tags.remove(key);
            }
            thing.updates += 1;
        });
        Ok(())
    }

    /// Deletes or resets one, as a delete call does when it takes effect.
    pub fn remove(&self, outputs: &Value, options: &DeleteOptions) -> Result<(), Error> {
        let id = outputs["id"].as_str().unwrap_or_default();
        if let Some(part) = outputs["part"].as_str() {
            self.world.wrote(format!("reset {part} of {id}"));
            self.world.change(id, |thing| thing.parts.remove(part));
            return Ok(());
        }
        if let Some(user) = self.user(id) {
            let text = format!("{user} uses it");
            return Err(Error::of(Class::InUse, "test:Delete", text));
        }
        self.world.wrote(format!("delete {id}"));
        let protected = |t: &Thing| t.spec["protected"] == true && !options.lift_protection;
        if self.world.there().get(id).is_some_and(protected) {
            return Err(Error::permanent("delete", "it is protected"));
        }
        if let Some(name) = &options.final_snapshot {
            self.world.wrote(format!("snapshot {name}"));
        }
        let less = |n: usize| n.checked_sub(1);
        let left = &self.world.ignored_deletions;
        if left.fetch_update(Relaxed, Relaxed, less).is_err() {
            let gone = self.after(self.meta.delete_seconds);
            self.world.change(id, |thing| {
                thing.gone_at.get_or_insert(gone);
            });
        }
        Ok(())
    }

    /// What a read shows.
    pub fn show(&self, key: Key<'_>) -> Option<Live> {
        let id = key.outputs.and_then(|o| o["id"].as_str());
        let things = self.world.there();
        if self.meta.nature == Nature::SubResource {
            let id = id.or_else(|| key.spec["of"].as_str())?;
            let parent = self.world.view(id, things.get(id)?)?;
            if parent.gone_at.is_some() {
                return None;
            }
            let recorded = key.outputs.and_then(|o| o["part"].as_str());
            let own = key.identity.step.split('~').next().unwrap_or_default();
            let step = recorded.unwrap_or(own);
            let unset = json!({"of": id});
            return Some(Live {
                spec: parent.parts.get(step).cloned().unwrap_or(unset),
                mark: Mark::Parent,
                outputs: json!({"id": id, "part": step}),
                phase: Phase::Ready,
            });
        }
        let own = &key.identity.tags;
        let ours = |t: &Thing| [STEP, SUFFIX].iter().all(|k| t.tags.get(*k) == own.get(*k));
        let is_it = |t: &Thing| match self.meta.nature {
            Nature::ByParent => t.spec["of"] == key.spec["of"],
            _ if self.once => true,
            _ if self.named => t.name == key.identity.name,
            _ => t.gone_at.is_none() && ours(t),
        };
        let mut all = things.iter().filter(|(_, t)| t.kind == self.meta.kind);
        let (id, thing) = match id {
            Some(id) => all.find(|(at, _)| *at == id)?,
            None => all.find(|(_, thing)| is_it(thing))?,
        };
        let thing = self.world.view(id, thing)?;
        Some(Live {
            spec: thing.spec.clone(),
            mark: if self.meta.nature == Nature::ByParent {
                Mark::Parent
            } else if self.once && !ours(thing) {
                Mark::Account
            } else if self.world.restored.lock().unwrap().contains(id) {
                Mark::Restored(thing.tags.clone())
            } else {
                Mark::Tags(thing.tags.clone())
            },
            outputs: self.outputs(id, thing),
            phase: match thing.gone_at {
                Some(_) => Phase::Deleting,
                None if thing.ready_at > Instant::now() => Phase::Settling,
                None if thing.fails => Phase::Failed("it was asked to".into()),
                None => Phase::Ready,
            },
        })
    }

    /// What the listing of marked things shows.
    pub fn marked(&self, suffix: &str) -> Vec<Owned> {
        if self.meta.nature != Nature::Tagged {
            return Vec::new();
        }
        let things = self.world.there();
        let shown = things
            .iter()
            .filter_map(|(id, t)| Some((id, self.world.view(id, t)?)));
        let marked = shown.filter(|(_, t)| {
            t.kind == self.meta.kind && t.tags.get(SUFFIX).is_some_and(|s| s == suffix)
        });
        let owned = marked.filter_map(|(id, thing)| {
            Some(Owned {
                kind: self.meta.kind.into(),
                step: thing.tags.get(STEP)?.clone(),
                id: id.clone(),
                name: thing.name.clone(),
                tags: thing.tags.clone(),
            })
        });
        owned.collect()
    }
}
