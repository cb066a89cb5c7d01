//! One file per AWS resource type: how it is read, created, changed and deleted.
//!
//! # Add a resource type
//!
//! 1. Write `service/thing.rs`: a struct with every setting that we manage (with `engine::Ref`s to other steps), its outputs
//!    ([`Id`], [`Named`] or a struct of its own), [`Facts`], and an implementation of [`Resource`], or of [`SubResource`]
//!    for what exists with its parent. `read` answers in the same struct; a setting that is written and not read back makes
//!    every apply fail with "AWS returned a different value".
//! 2. Add one line to `kinds!`.
//! 3. Use it in a section of `blueprint/`. The round-trip, drift and `at_every_write` tests take every type of the blueprint by
//!    themselves; add one mutation by hand for it in `tests/it/mutations.rs`.
//!
//! What others can add to things of a type, and what `drift` reads of it, is in the table of `README.md` here.
//!
//! # Whose is it
//!
//! A thing is changed or deleted only when it is ours, and [`Mark`] says how that is known:
//!
//! * What has tags carries the ownership mark in them. The engine judges them, in the same way for all types.
//! * What has neither tags nor a life of its own (rules, routes, entries, the schedule of a secret) is whose its parent is.
//! * What has no tags and a life of its own is bound to something that has: a key's alias and a Transit Gateway's association
//!   are ours when the key, the attachment is; a scaling policy when the scaled thing is; a schedule when its group is; the
//!   attachment of an internet gateway when the gateway is.
//! * What has neither tags nor such a thing is marked in its own settings: a DNS record by its `SetIdentifier`
//!   `{step}-{suffix}.{region}`, which each of ours has, in a zone of the account; a dashboard by its name, which
//!   ends in the suffix, and a text widget that names step and suffix.
//! * What an account and region has once (the recorder of AWS Config, an account's settings) is the account's: used when it
//!   is there, never changed, never deleted.

pub mod acm;
mod adapter;
pub mod autoscaling;
mod between;
pub mod cloudwatch;
pub mod config;
pub mod dynamodb;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod elbv2;
pub mod events;
mod facts;
mod holders;
pub mod iam;
pub mod kms;
pub mod lambda;
pub mod logs;
mod mappings;
pub mod minimum;
mod owned;
pub mod policy;
mod prelude;
pub mod rds;
mod recovery_points;
mod resource;
mod rest;
pub mod route53;
pub mod s3;
pub mod scheduler;
pub mod secretsmanager;
pub mod severity;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod traffic_tags;
pub mod wafv2;
mod words;

pub use facts::{Cost, Facts, Listed, SubFacts};
pub use resource::{
    Arn, Exposed, Found, HasArn, HasName, Id, Lookup, Mark, Named, NoTags, Resource, Sentences,
    SubResource, TagCalls, Tags, found, ignore_not_found, texts,
};

use crate::aws::Aws;
use crate::engine::{Meta, Registry};
use adapter::{Sub, Typed};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All resource types: `things` have a life of their own, `parts` exist with their parent. A new type is one line here.
macro_rules! kinds {
    ($do:ident) => {
        $do! {
            things {
                acm::Certificate,
                acm::Validation,
                ec2::Vpc,
                ec2::Subnet,
                ec2::InternetGateway,
                ec2::InternetGatewayAttachment,
                ec2::RouteTable,
                ec2::NetworkAcl,
                ec2::SecurityGroup,
                ec2::TransitGateway,
                ec2::TransitGatewayRouteTable,
                ec2::TransitGatewayAttachment,
                ec2::TransitGatewayAssociation,
                ec2::GatewayEndpoint,
                ec2::InterfaceEndpoint,
                ec2::EndpointService,
                ec2::FlowLog,
                elbv2::LoadBalancer,
                elbv2::TargetGroup,
                elbv2::Listener,
                elbv2::Rule,
                events::Rule,
                kms::Key,
                kms::Alias,
                iam::Role,
                lambda::Function,
                lambda::StreamMapping,
                logs::LogGroup,
                s3::Bucket,
                dynamodb::Table,
                rds::SubnetGroup,
                rds::ClusterParameterGroup,
                rds::ParameterGroup,
                rds::Cluster,
                rds::ClusterSnapshot,
                rds::Instance,
                rds::EventSubscription,
                sns::Topic,
                ssm::Parameter,
                cloudwatch::Alarm,
                cloudwatch::CompositeAlarm,
                cloudwatch::Dashboard,
                config::Recorder,
                config::Channel,
                config::Recording,
                config::Rule,
                ecr::Repository,
                ecs::Cluster,
                ecs::TaskDefinition,
                ecs::Service,
                route53::HealthCheck,
                route53::Record,
                route53::Text,
                route53::Zone,
                scheduler::Group,
                scheduler::Schedule,
                secretsmanager::Secret,
                sqs::Queue,
                wafv2::IpSet,
                wafv2::WebAcl,
                wafv2::Association,
                wafv2::Logging,
            }
            parts {
                ec2::RouteTableSubnets,
                ec2::Routes,
                ec2::MainRouteTable,
                ec2::NetworkAclEntries,
                ec2::NetworkAclSubnets,
                ec2::DefaultNetworkAcl,
                ec2::SecurityGroupRules,
                ec2::DefaultSecurityGroup,
                ec2::TransitGatewayPropagations,
                ec2::TransitGatewayRoutes,
                elbv2::Targets,
                secretsmanager::Rotation,
                autoscaling::Scaling,
            }
        }
    };
}

/// Types whose existence alone counts as data: nothing that is cheap to ask proves that they are empty.
pub const ALWAYS_HOLDS_DATA: [&str; 1] = [<rds::Cluster as crate::engine::Kind>::TYPE];

/// All resource types with their calls.
pub fn registry(aws: &Arc<Aws>) -> Registry {
    let mut all = Registry::default();
    macro_rules! add {
        (things { $($thing:ty,)* } parts { $($part:ty,)* }) => {
            $(all.add(Arc::new(Typed::<$thing>::new(aws)));)*
            $(all.add(Arc::new(Sub::<$part>::new(aws)));)*
        };
    }
    kinds!(add);
    all
}

/// Facts of all resource types.
pub fn metas() -> Vec<Meta> {
    macro_rules! list {
        (things { $($thing:ty,)* } parts { $($part:ty,)* }) => {
            vec![$(facts::meta::<$thing>(),)* $(facts::sub_meta::<$part>(),)*]
        };
    }
    kinds!(list)
}

/// What a thing costs; `None` for a type that is not known and for a struct that cannot be read. What exists with its parent
/// costs nothing of its own.
pub fn cost(kind: &str, spec: &serde_json::Value) -> Option<Cost> {
    use crate::engine::Kind;
    macro_rules! one {
        (things { $($thing:ty,)* } parts { $($part:ty,)* }) => {
            match kind {
                $(<$thing as Kind>::TYPE => facts::cost::<$thing>(spec),)*
                $(<$part as Kind>::TYPE => Some(Cost::NONE),)*
                _ => None,
            }
        };
    }
    kinds!(one)
}

/// Typical seconds of all types: (create, delete).
pub fn typical_seconds() -> BTreeMap<&'static str, (f64, f64)> {
    let seconds = |m: Meta| (m.kind, (m.create_seconds, m.delete_seconds));
    metas().into_iter().map(seconds).collect()
}

/// Typical seconds of a type: (create, delete); `None` for a type that is not known.
pub fn typical(kind: &str) -> Option<(f64, f64)> {
    let meta = metas().into_iter().find(|m| m.kind == kind)?;
    Some((meta.create_seconds, meta.delete_seconds))
}

#[cfg(test)]
mod tests;
