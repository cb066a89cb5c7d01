//! One file per AWS resource type: how it is read, created, changed and deleted.
//!
//! # Add a resource type
//!
//! 1. Write `service/thing.rs`: a struct with every setting that we manage (with `engine::Ref`s to other steps), the outputs, and
//!    an implementation of [`Resource`]. `read` answers in the same struct; a setting that is written and not read back
//!    makes every apply fail with "reads back otherwise".
//! 2. Add one line to [`registry`], and its typical seconds to `durations.rs`.
//! 3. Use it in a section of `blueprint/`. The round-trip, drift and sweep tests take every type of the blueprint by
//!    themselves; add one mutation by hand for it in `tests/it/mutations.rs`.

mod durations;
pub mod dynamodb;
pub mod ec2;
pub mod iam;
pub mod kms;
pub mod logs;
mod owned;
pub mod policy;
pub mod rds;
pub mod s3;
pub mod secretsmanager;

pub use durations::typical;

use crate::aws::Aws;
use crate::engine::driver::Owned;
use crate::engine::{
    Data, Delegated, DeleteOptions, Delta, Driver, Error, Identity, Key, Kind, Live, Meta, Nature,
    Phase, Registry, Retention,
};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A resource as a type reads it.
#[derive(Debug, Clone)]
pub struct Found<R: Resource> {
    /// In the struct that was written.
    pub spec: R,
    /// Its tags; `None` for a type that has none.
    pub tags: Option<BTreeMap<String, String>>,
    /// Ids, ARNs, endpoints.
    pub outputs: R::Outputs,
    /// Where it stands.
    pub phase: Phase,
}

/// How to find a resource: recorded outputs when there are any, else the identity, or the parent named in `spec`.
#[derive(Debug)]
pub struct Lookup<'a, R: Resource> {
    /// The desired or recorded struct; for `Nature::Tagged` its references may still be placeholders.
    pub spec: &'a R,
    /// What is recorded.
    pub outputs: Option<&'a R::Outputs>,
    /// Name and tags.
    pub identity: &'a Identity,
}

/// One AWS resource type. Facts that the engine plans with are constants; the rest is four calls.
pub trait Resource: Kind + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Fields that AWS cannot change in place.
    const FIXED: &'static [&'static str] = &[];
    /// True when deleting it loses data.
    const HOLDS_DATA: bool = false;
    /// How its data is protected, and what a final snapshot of it needs.
    const RETENTION: Retention = Retention {
        protection: None,
        final_snapshot: None,
        is_snapshot: false,
    };
    /// How it exists and is found.
    const NATURE: Nature = Nature::Tagged;
    /// Fields that another actor owns at run time.
    const DELEGATED: &'static [Delegated] = &[];
    /// Ids, ARNs, endpoints; never a secret.
    type Outputs: Serialize + DeserializeOwned + Send + Sync;

    /// Reads it. `None` when it does not exist; what was found by identity and is being deleted does not count.
    fn read(
        cx: &Aws,
        key: Lookup<'_, Self>,
    ) -> impl Future<Output = Result<Option<Found<Self>>, Error>> + Send;

    /// Creates it with exactly one mutating call that carries the tags. What that call cannot set, `update` does.
    /// Never called for `Nature::SubResource`.
    fn create(
        &self,
        cx: &Aws,
        identity: &Identity,
    ) -> impl Future<Output = Result<Self::Outputs, Error>> + Send;

    /// Brings what `delta` names to the value in `self`. Every call in it may be repeated.
    fn update(
        &self,
        cx: &Aws,
        outputs: &Self::Outputs,
        delta: &Delta,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Deletes it (an aspect: resets it). "Not found" is success: see [`ignore_not_found`].
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

    /// The data that its deletion would lose, counted where that is cheap. Only asked when [`Self::HOLDS_DATA`].
    fn data(
        &self,
        _cx: &Aws,
        _outputs: &Self::Outputs,
    ) -> impl Future<Output = Result<Data, Error>> + Send {
        async { Ok(Data::Holds("data".into())) }
    }

    /// Everything of this type in the account that carries this deployment's mark. Types whose parent is listed, and
    /// EC2 types (one DescribeTags covers them all), keep the default.
    fn owned(_cx: &Aws, _suffix: &str) -> impl Future<Output = Result<Vec<Owned>, Error>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// Types whose existence alone counts as data: nothing that is cheap to ask proves that they are empty.
pub const ALWAYS_HOLDS_DATA: [&str; 1] = [rds::Cluster::TYPE];

/// Turns "not found" into success.
pub fn ignore_not_found<T>(answer: Result<T, Error>) -> Result<(), Error> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Turns "not found" into `None`.
pub fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An answer of AWS that lacks a field it always has.
pub fn missing_field(action: &str, field: &str) -> Error {
    Error::permanent(action, format!("the answer has no `{field}`"))
        .leftover(crate::engine::Leftover::Unknown)
}

/// What an aspect answers to `create`: it exists with its parent, so the engine sets it and never creates it.
pub fn never_created(kind: &str) -> Error {
    Error::permanent(
        "create",
        format!(
            "{kind} exists with its parent and cannot be created; this is a defect of deployer"
        ),
    )
}

/// All resource types. A new type is one line here.
pub fn registry(aws: &Arc<Aws>) -> Registry {
    let mut all = Registry::default();
    macro_rules! types { ($($type:ty),* $(,)?) => { $(all.add(Arc::new(Typed::<$type>::new(aws)));)* }; }
    types! {
        ec2::Vpc,
        ec2::Subnet,
        ec2::InternetGateway,
        ec2::InternetGatewayAttachment,
        ec2::RouteTable,
        ec2::RouteTableSubnets,
        ec2::Routes,
        ec2::NetworkAcl,
        ec2::NetworkAclEntries,
        ec2::NetworkAclSubnets,
        ec2::DefaultNetworkAcl,
        ec2::SecurityGroup,
        ec2::SecurityGroupRules,
        ec2::DefaultSecurityGroup,
        ec2::TransitGateway,
        ec2::TransitGatewayRouteTable,
        ec2::TransitGatewayAttachment,
        ec2::TransitGatewayAssociation,
        ec2::TransitGatewayPropagations,
        ec2::TransitGatewayRoutes,
        ec2::GatewayEndpoint,
        ec2::InterfaceEndpoint,
        ec2::FlowLog,
        kms::Key,
        kms::Alias,
        iam::Role,
        logs::LogGroup,
        s3::Bucket,
        dynamodb::Table,
        rds::SubnetGroup,
        rds::ClusterParameterGroup,
        rds::ParameterGroup,
        rds::Cluster,
        rds::ClusterSnapshot,
        rds::Instance,
        secretsmanager::Rotation,
    }
    all
}

/// Adapts a typed resource to the engine's JSON driver.
struct Typed<R> {
    aws: Arc<Aws>,
    meta: Meta,
    of: std::marker::PhantomData<fn() -> R>,
}

impl<R: Resource> Typed<R> {
    fn new(aws: &Arc<Aws>) -> Self {
        let (create_seconds, delete_seconds) = durations::typical(R::TYPE);
        let meta = Meta {
            kind: R::TYPE,
            fixed: R::FIXED,
            holds_data: R::HOLDS_DATA,
            retention: R::RETENTION,
            nature: R::NATURE,
            delegated: R::DELEGATED,
            create_seconds,
            delete_seconds,
        };
        Self {
            aws: aws.clone(),
            meta,
            of: std::marker::PhantomData,
        }
    }
}

fn parse<T: DeserializeOwned>(kind: &str, what: &str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|e| {
        Error::permanent(kind, format!("the {what} in the state cannot be read: {e}"))
            .hint("the state was written by another version of deployer; use that version, or move the state away and run `deployer state rebuild`")
    })
}

fn json<T: Serialize>(kind: &str, value: &T) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|e| Error::permanent(kind, e.to_string()))
}

#[async_trait]
impl<R: Resource> Driver for Typed<R> {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        let spec: R = parse(R::TYPE, "settings", key.spec)?;
        // Outputs of an older deployer may lack what is known today; then it is found by its mark or its parent.
        let outputs = key
            .outputs
            .and_then(|o| parse::<R::Outputs>(R::TYPE, "outputs", o).ok());
        let lookup = Lookup {
            spec: &spec,
            outputs: outputs.as_ref(),
            identity: key.identity,
        };
        let Some(found) = R::read(&self.aws, lookup).await? else {
            return Ok(None);
        };
        Ok(Some(Live {
            spec: json(R::TYPE, &found.spec)?,
            tags: found.tags,
            outputs: json(R::TYPE, &found.outputs)?,
            phase: found.phase,
        }))
    }

    async fn create(&self, spec: &Value, identity: &Identity) -> Result<Value, Error> {
        let spec: R = parse(R::TYPE, "settings", spec)?;
        json(R::TYPE, &spec.create(&self.aws, identity).await?)
    }

    async fn update(&self, spec: &Value, outputs: &Value, delta: &Delta) -> Result<(), Error> {
        let spec: R = parse(R::TYPE, "settings", spec)?;
        spec.update(&self.aws, &parse(R::TYPE, "outputs", outputs)?, delta)
            .await
    }

    async fn delete(
        &self,
        spec: &Value,
        outputs: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let spec: R = parse(R::TYPE, "settings", spec)?;
        spec.delete_data(&self.aws, &parse(R::TYPE, "outputs", outputs)?, options)
            .await
    }

    async fn data(&self, spec: &Value, outputs: &Value) -> Result<Data, Error> {
        let spec: R = parse(R::TYPE, "settings", spec)?;
        spec.data(&self.aws, &parse(R::TYPE, "outputs", outputs)?)
            .await
    }

    async fn owned(&self, suffix: &str) -> Result<Vec<Owned>, Error> {
        R::owned(&self.aws, suffix).await
    }
}
