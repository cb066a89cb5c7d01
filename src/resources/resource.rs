//! The two shapes of a resource type, and the little structs that all of them use.

use super::{Facts, SubFacts};
use crate::aws::Aws;
use crate::engine::{
    Backup, Between, Data, DeleteOptions, Delta, Derived, Error, Identity, Kind, Phase, Ref,
    Remains, Retention, Upgrade,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Whom somebody let in, and where data is sent, by settings whose default is "nothing": what it is to whom (`grant/id`
/// to `arn:.. Decrypt`). The desired set is always empty: every entry is drift, and an update removes it.
pub type Exposed = BTreeMap<String, String>;

/// A type whose things have an existence of their own: made, changed, deleted.
pub trait Resource:
    Kind<Outputs: Serialize + Send + Sync> + DeserializeOwned + Clone + Send + Sync + 'static
{
    /// What the engine plans with.
    const FACTS: Facts<Self>;
    /// How its data is protected, and what a final snapshot of it needs.
    const RETENTION: Retention = Retention::NONE;
    /// The change in place that cannot be taken back, if there is one.
    const UPGRADE: Option<Upgrade> = None;
    /// Fields with what it stands in, which AWS does not delete while this is there: subnets, security groups, a load balancer.
    const STANDS_IN: &'static [&'static str] = &[];
    /// Fields that show what others put into it and AWS deletes with it: listeners of a load balancer.
    const TAKES_ALONG: &'static [&'static str] = &[];
    /// What its removal interrupts while what it is part of stays, and for how long.
    const GONE: Option<&'static str> = None;
    /// Settings that say how long or how much data is kept, each with what AWS deletes by itself when that becomes less.
    const EXPIRES: &'static [(&'static str, &'static str)] = &[];
    /// For what allows its dependents something: what it allows until they have changed (see `between.rs`).
    const BETWEEN: Option<Between> = None;
    /// The output that follows from the struct alone, if an update changes one.
    const DERIVED: Option<Derived> = None;
    /// How its tags are changed: its service's way, or [`NoTags`].
    type Tags: TagCalls<Self::Outputs>;

    /// Reads it. `None` when it does not exist; what was found by identity and is being deleted does not count.
    fn read(
        cx: &Aws,
        key: Lookup<'_, Self>,
    ) -> impl Future<Output = Result<Option<Found<Self>>, Error>> + Send;

    /// Creates it with exactly one mutating call that carries the tags. What that call cannot set, `update` does.
    fn create(
        &self,
        cx: &Aws,
        identity: &Identity,
    ) -> impl Future<Output = Result<Self::Outputs, Error>> + Send;

    /// Brings the fields that `delta` names to the value in `self`; its tags follow by themselves. Every call in it may be
    /// repeated. Only called when a field differs: a type of which nothing can be changed in place has none.
    fn update(
        &self,
        _cx: &Aws,
        _outputs: &Self::Outputs,
        delta: &Delta,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Err(unchangeable(Self::TYPE, delta)) }
    }

    /// Deletes it. "Not found" is success: see [`Aws::delete`].
    fn delete(
        &self,
        cx: &Aws,
        outputs: &Self::Outputs,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Deletes what holds data, as the user chose. A protected thing is refused unless `options` lift the protection.
    fn delete_data(
        &self,
        cx: &Aws,
        outputs: &Self::Outputs,
        _options: &DeleteOptions,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.delete(cx, outputs)
    }

    /// The data that its deletion would lose, counted where that is cheap. Only asked of types that hold data; a type that
    /// cannot tell counts as full.
    fn data(
        &self,
        _cx: &Aws,
        _outputs: &Self::Outputs,
    ) -> impl Future<Output = Result<Data, Error>> + Send {
        async { Ok(Data::Holds("data".into())) }
    }

    /// What AWS still has of one with this name that vanished, asked before it would be made anew and empty; `None` for what is made
    /// anew without a question. Only asked of types that hold data.
    fn remains(
        &self,
        _cx: &Aws,
        _name: &str,
        _known: Option<&Self::Outputs>,
    ) -> impl Future<Output = Result<Option<Remains>, Error>> + Send {
        async { Ok(None) }
    }

    /// Makes one from a backup that [`Resource::remains`] found, with exactly one mutating call. What that call cannot set, `update`
    /// does.
    fn restore(
        &self,
        _cx: &Aws,
        _identity: &Identity,
        _from: &Backup,
    ) -> impl Future<Output = Result<Self::Outputs, Error>> + Send {
        let text = format!("{} cannot be restored", Self::TYPE);
        async { Err(Error::permanent("restore", text)) }
    }

    /// Who else needs it, in words: as long as there is anybody, it stays with all that it needs. For what an account or
    /// region has once, which others use although it is ours.
    fn users(
        _cx: &Aws,
        _outputs: &Self::Outputs,
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// A type whose things exist exactly when their parent exists: the rules of a group, the routes of a table. Nothing is made
/// or deleted; they are set, and reset when nobody wants them any more.
pub trait SubResource:
    Kind<Outputs: Serialize + Send + Sync> + DeserializeOwned + Clone + Send + Sync + 'static
{
    /// What the engine plans with.
    const FACTS: SubFacts;
    /// The parent, as a list for [`crate::engine::Meta`].
    const FIXED: &'static [&'static str] = &[Self::FACTS.parent];
    /// What it belongs to.
    type Parent;

    fn parent(&self) -> &Ref<Self::Parent>;

    /// Reads it. `None` when the parent does not exist. `known` is what was recorded.
    fn read(
        cx: &Aws,
        parent: &Ref<Self::Parent>,
        known: Option<&Self::Outputs>,
    ) -> impl Future<Output = Result<Option<Found<Self>>, Error>> + Send;

    /// Brings what `delta` names to the value in `self`. Every call in it may be repeated.
    fn set(
        &self,
        cx: &Aws,
        outputs: &Self::Outputs,
        delta: &Delta,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives back what the parent had without us. It is not waited for: what must be gone before something else starts is
    /// gone when this returns. Where the parent's deletion takes all of it along, there is nothing to do.
    fn reset(
        &self,
        cx: &Aws,
        outputs: &Self::Outputs,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// How a service changes the tags of a thing with such outputs.
pub trait TagCalls<O> {
    /// Sets some tags and removes others. Every call in it may be repeated.
    fn change(
        cx: &Aws,
        outputs: &O,
        set: &Tags,
        remove: &[String],
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// For types without tags.
pub enum NoTags {}

impl<O: Sync> TagCalls<O> for NoTags {
    async fn change(_: &Aws, _: &O, _: &Tags, _: &[String]) -> Result<(), Error> {
        Ok(())
    }
}

pub use crate::engine::Mark;

/// A thing as its type reads it.
#[derive(Debug, Clone)]
pub struct Found<R: Kind> {
    /// In the struct that was written.
    pub spec: R,
    /// Ids, ARNs, endpoints.
    pub outputs: R::Outputs,
    /// Whose it is.
    pub mark: Mark,
    /// Where it stands.
    pub phase: Phase,
}

impl<R: Kind> Found<R> {
    /// A thing with tags that is ready.
    pub fn tagged(spec: R, outputs: R::Outputs, tags: Tags) -> Self {
        Self {
            spec,
            outputs,
            mark: Mark::Tags(tags),
            phase: Phase::Ready,
        }
    }

    /// The same, restored from a backup of one with its name in this account and region: see [`Mark::Restored`].
    #[must_use]
    pub fn restored(self) -> Self {
        let mark = match self.mark {
            Mark::Tags(tags) => Mark::Restored(tags),
            other => other,
        };
        Self { mark, ..self }
    }

    /// A thing without tags that is whose its parent is, and ready.
    pub fn of_parent(spec: R, outputs: R::Outputs) -> Self {
        Self {
            spec,
            outputs,
            mark: Mark::Parent,
            phase: Phase::Ready,
        }
    }

    /// The same as the account's own: used, never changed, never deleted.
    #[must_use]
    pub fn accounts(self) -> Self {
        Self {
            mark: Mark::Account,
            ..self
        }
    }

    /// The same in this phase.
    #[must_use]
    pub fn phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// The same, ready or still settling.
    #[must_use]
    pub fn ready_when(self, ready: bool) -> Self {
        let phase = if ready { Phase::Ready } else { Phase::Settling };
        self.phase(phase)
    }
}

/// How to find a thing: recorded outputs when there are any, else the identity, or the parent named in `spec`.
#[derive(Debug)]
pub struct Lookup<'a, R: Resource> {
    /// The desired or recorded struct; for what is found by tags its references may still be placeholders.
    pub spec: &'a R,
    /// What is recorded.
    pub outputs: Option<&'a R::Outputs>,
    /// Name and tags.
    pub identity: &'a Identity,
}

impl<'a, R: Resource<Outputs: HasName>> Lookup<'a, R> {
    /// The recorded name, else the one it should have.
    pub fn name(&self) -> &'a str {
        let wanted = self.identity.name.as_str();
        self.outputs.map_or(wanted, HasName::name)
    }
}

/// Outputs of a type whose name is its identity.
pub trait HasName {
    fn name(&self) -> &str;
}

/// Outputs of a type whose tags are put on its ARN.
pub trait HasArn {
    fn arn(&self) -> &str;
}

/// The outputs of a thing that has an id and nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Id<R> {
    /// `vpc-...`
    pub id: Ref<R>,
}

impl<R> Id<R> {
    pub fn id(&self) -> Ref<R> {
        self.id.clone()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.id.as_str()
    }
}

impl<R> Default for Id<R> {
    fn default() -> Self {
        Self { id: Ref::default() }
    }
}

impl<R> From<&str> for Id<R> {
    fn from(id: &str) -> Self {
        Self { id: id.into() }
    }
}

impl<R> From<&Ref<R>> for Id<R> {
    fn from(id: &Ref<R>) -> Self {
        Self { id: id.clone() }
    }
}

/// The kind of an ARN, for [`Ref`]: `Ref<R>` is the id or the name of an `R`.
pub struct Arn<R>(PhantomData<fn() -> R>);

/// The outputs of a thing whose name is its identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Named<R> {
    pub name: Ref<R>,
    pub arn: Ref<Arn<R>>,
}

impl<R> Named<R> {
    /// Of this name and this ARN.
    pub fn new(name: &str, arn: impl Into<Ref<Arn<R>>>) -> Self {
        Self {
            name: name.into(),
            arn: arn.into(),
        }
    }

    pub fn name(&self) -> Ref<R> {
        self.name.clone()
    }

    pub fn arn(&self) -> Ref<Arn<R>> {
        self.arn.clone()
    }
}

impl<R> Default for Named<R> {
    fn default() -> Self {
        Self::new("", "")
    }
}

impl<R> HasName for Named<R> {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl<R> HasArn for Named<R> {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

/// What somebody has to do about a thing, in words: the kind of an output `attention`, which runs, plans and `status` end with.
pub enum Sentences {}

/// The texts of references, for a call that takes a list.
pub fn texts<T>(references: &[Ref<T>]) -> Vec<String> {
    references.iter().map(String::from).collect()
}

/// Turns "not found" into success.
pub fn ignore_not_found<T>(answer: Result<T, Error>) -> Result<(), Error> {
    found(answer).map(drop)
}

/// Turns "not found" into `None`.
pub fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A field that differs although nothing of the type can be changed: somebody was faster between plan and call.
fn unchangeable(kind: &str, delta: &Delta) -> Error {
    let fields: Vec<String> = delta.changes.iter().map(|c| c.path.to_string()).collect();
    Error::permanent(
        "update",
        format!("{kind}: {} cannot be changed in place", fields.join(", ")),
    )
    .hint("run `deployer apply` again: it replaces what cannot be changed")
}
