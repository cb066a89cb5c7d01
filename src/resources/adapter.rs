//! Adapts typed resources to the engine's JSON driver.

use super::{Found, Listed, Lookup, Resource, SubResource, TagCalls, facts, policy};
use crate::aws::Aws;
use crate::engine::{
    Backup, Data, DeleteOptions, Delta, Driver, Error, Identity, Key, Kind, Live, Meta, Owned,
    Remains,
};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::Arc;

/// The driver of a [`Resource`].
pub(super) struct Typed<R> {
    aws: Arc<Aws>,
    meta: Meta,
    of: PhantomData<fn() -> R>,
}

impl<R: Resource> Typed<R> {
    pub(super) fn new(aws: &Arc<Aws>) -> Self {
        Self {
            aws: aws.clone(),
            meta: facts::meta::<R>(),
            of: PhantomData,
        }
    }
}

/// The driver of a [`SubResource`].
pub(super) struct Sub<S> {
    aws: Arc<Aws>,
    meta: Meta,
    of: PhantomData<fn() -> S>,
}

impl<S: SubResource> Sub<S> {
    pub(super) fn new(aws: &Arc<Aws>) -> Self {
        Self {
            aws: aws.clone(),
            meta: facts::sub_meta::<S>(),
            of: PhantomData,
        }
    }
}

fn parse<T: DeserializeOwned>(kind: &str, what: &str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|e| {
        Error::permanent(kind, format!("the {what} in the state cannot be read: {e}"))
            .hint("the state was written by another version of deployer; use that version, or move the state away and run `deployer state rebuild`")
    })
}

fn settings<R: Kind + DeserializeOwned>(value: &Value) -> Result<R, Error> {
    parse(R::TYPE, "settings", value)
}

fn outputs<R: Kind>(value: &Value) -> Result<R::Outputs, Error> {
    parse(R::TYPE, "outputs", value)
}

/// Outputs of an older deployer may lack what is known today; then the thing is found by its mark or its parent.
fn known<R: Kind>(key: &Key<'_>) -> Option<R::Outputs> {
    key.outputs.and_then(|o| outputs::<R>(o).ok())
}

fn json<T: Serialize>(kind: &str, value: &T) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|e| Error::permanent(kind, e.to_string()))
}

/// What was read, for the engine. A write-only field counts as it is wanted: there is nothing to compare it with.
fn live<R>(found: Found<R>, meta: &Meta, wanted: &Value) -> Result<Live, Error>
where
    R: Kind<Outputs: Serialize>,
{
    let mut spec = json(R::TYPE, &found.spec)?;
    policy::actions_as_wanted(wanted, &mut spec);
    for field in meta.write_only {
        spec[*field] = wanted.get(*field).cloned().unwrap_or_default();
    }
    Ok(Live {
        spec,
        mark: found.mark,
        outputs: json(R::TYPE, &found.outputs)?,
        phase: found.phase,
    })
}

#[async_trait]
impl<R: Resource> Driver for Typed<R> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        let (spec, outputs) = (settings::<R>(key.spec)?, known::<R>(&key));
        let lookup = Lookup {
            spec: &spec,
            outputs: outputs.as_ref(),
            identity: key.identity,
        };
        let found = R::read(&self.aws, lookup).await?;
        found.map(|f| live(f, &self.meta, key.spec)).transpose()
    }

    async fn create(&self, spec: &Value, identity: &Identity) -> Result<Value, Error> {
        let spec: R = settings(spec)?;
        json(R::TYPE, &spec.create(&self.aws, identity).await?)
    }

    async fn update(&self, spec: &Value, known: &Value, delta: &Delta) -> Result<(), Error> {
        let (spec, outputs) = (settings::<R>(spec)?, outputs::<R>(known)?);
        if !delta.changes.is_empty() {
            spec.update(&self.aws, &outputs, delta).await?;
        }
        if delta.touches_tags() {
            R::Tags::change(&self.aws, &outputs, &delta.set_tags, &delta.remove_tags).await?;
        }
        Ok(())
    }

    async fn delete(
        &self,
        spec: &Value,
        known: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let spec: R = settings(spec)?;
        spec.delete_data(&self.aws, &outputs::<R>(known)?, options)
            .await
    }

    async fn data(&self, spec: &Value, known: &Value) -> Result<Data, Error> {
        let spec: R = settings(spec)?;
        spec.data(&self.aws, &outputs::<R>(known)?).await
    }

    async fn users(&self, known: &Value) -> Result<Vec<String>, Error> {
        R::users(&self.aws, &outputs::<R>(known)?).await
    }

    async fn remains(
        &self,
        spec: &Value,
        name: &str,
        known: &Value,
    ) -> Result<Option<Remains>, Error> {
        let spec: R = settings(spec)?;
        let known = outputs::<R>(known).ok();
        spec.remains(&self.aws, name, known.as_ref()).await
    }

    async fn restore(
        &self,
        spec: &Value,
        identity: &Identity,
        from: &Backup,
    ) -> Result<Value, Error> {
        let spec: R = settings(spec)?;
        json(R::TYPE, &spec.restore(&self.aws, identity, from).await?)
    }

    async fn owned(&self, suffix: &str) -> Result<Vec<Owned>, Error> {
        match R::FACTS.listed {
            Listed::WithParent | Listed::ByName | Listed::Ec2Tags => Ok(Vec::new()),
            Listed::Service(_, search) | Listed::Own(search) => search(&self.aws, suffix).await,
        }
    }
}

#[async_trait]
impl<S: SubResource> Driver for Sub<S> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        let (spec, outputs) = (settings::<S>(key.spec)?, known::<S>(&key));
        let found = S::read(&self.aws, spec.parent(), outputs.as_ref()).await?;
        found.map(|f| live(f, &self.meta, key.spec)).transpose()
    }

    async fn create(&self, _: &Value, _: &Identity) -> Result<Value, Error> {
        let text = format!(
            "{} exists with its parent; this is a defect of deployer",
            S::TYPE
        );
        Err(Error::permanent("create", text))
    }

    async fn update(&self, spec: &Value, known: &Value, delta: &Delta) -> Result<(), Error> {
        let spec: S = settings(spec)?;
        spec.set(&self.aws, &outputs::<S>(known)?, delta).await
    }

    async fn delete(&self, spec: &Value, known: &Value, _: &DeleteOptions) -> Result<(), Error> {
        let spec: S = settings(spec)?;
        spec.reset(&self.aws, &outputs::<S>(known)?).await
    }

    async fn owned(&self, _: &str) -> Result<Vec<Owned>, Error> {
        Ok(Vec::new())
    }
}
