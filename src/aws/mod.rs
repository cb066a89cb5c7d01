//! Access to AWS: one file per service (client, readers, actions, error classes, throttling buckets), and one way to call
//! all of them. A new service is its file, its `mod` line and its line in `services!`.

mod api;
mod budget;
mod call;
mod class;
mod clock;
mod connect;
mod dates;
mod deliveries;
mod environment;
mod error;
mod hints;
mod listing;
mod objects;
mod own;
mod pages;
pub mod permissions;
mod preflight;
mod reader;
mod recent;
mod redact;
pub mod simulate;
mod whole;
#[cfg(test)]
pub(crate) mod wire;

pub mod acm;
pub mod autoscaling;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod config;
pub mod dynamodb;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod elbv2;
pub mod events;
pub mod iam;
pub mod kms;
pub mod lambda;
pub mod logs;
pub mod rds;
pub mod route53;
pub mod s3;
pub mod scheduler;
pub mod secretsmanager;
pub mod servicequotas;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod sts;
pub mod tagging;
pub mod wafv2;

pub use api::{Answer, Api, Bucket, Grant, Guard, METRICS, Nature, Service};
pub use call::Caller;
pub use clock::ahead;
pub use connect::{Connection, Settings, connect};
pub use dates::{dates, shown_by, stamp};
pub use deliveries::{said, said_by};
pub use ec2::{Ec2Reader, Find, PerTable, find, find_all, tags_of};
pub use environment::{connector_to, profiles, region, trusted};
pub use error::{chain, refused};
pub use listing::{Listing, Named};
pub use objects::{StateObjects, in_region_of};
pub use own::{Own, OwnThing};
pub use preflight::{
    Count, Demand, Preflight, Version, certificate, check_demand, supported, survey,
};
pub use rds::rds_tags_of;
pub use reader::Reader;
pub use recent::{RecentTags, Refreshing};

use crate::engine::Error;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use std::sync::Arc;

/// The services: a field of [`Aws`] with its type, and an entry in the list of all.
macro_rules! services {
    ($($field:ident: $type:ident;)*) => {
        /// Everything that a resource type needs to reach AWS. Shared by all steps.
        pub struct Aws {
            /// The account that the credentials belong to; empty until somebody asked.
            pub account: String,
            pub region: String,
            $(
                #[doc = concat!("The service `", stringify!($field), "`.")]
                pub $field: $field::$type,
            )*
            /// Tags that were read a moment ago.
            pub recent: RecentTags,
            /// The things of this deployment; none before a session knows them.
            pub own: Own,
            caller: Arc<Caller>,
        }

        impl Aws {
            /// Clients and readers over one connection; all calls go through `caller`. The account is not known yet.
            pub fn new(connection: &Connection, caller: Arc<Caller>) -> Self {
                let config = &connection.config;
                Self {
                    account: String::new(),
                    region: config.region().map(ToString::to_string).unwrap_or_default(),
                    $($field: $field::$type::new(config, &caller),)*
                    recent: RecentTags::default(),
                    own: Own::default(),
                    caller,
                }
            }
        }

        pub static SERVICES: &[&Service] = &[$(&$field::SERVICE),*];
    };
}

services! {
    acm: Acm;
    autoscaling: AutoScaling;
    cloudtrail: CloudTrail;
    cloudwatch: CloudWatch;
    config: AwsConfig;
    dynamodb: DynamoDb;
    ec2: Ec2;
    ecr: Ecr;
    ecs: Ecs;
    elbv2: ElasticLoadBalancing;
    events: Events;
    iam: Iam;
    kms: Kms;
    lambda: Lambda;
    logs: Logs;
    rds: Rds;
    route53: Route53;
    s3: S3;
    scheduler: Scheduler;
    secretsmanager: SecretsManager;
    servicequotas: ServiceQuotas;
    sns: Sns;
    sqs: Sqs;
    ssm: Ssm;
    sts: Sts;
    tagging: Tagging;
    wafv2: Wafv2;
}

impl Aws {
    /// Sends one API call: within the budget, counted, retried as far as its nature allows.
    pub async fn call<T, E, F>(
        &self,
        api: Api,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Error>
    where
        E: aws_smithy_types::error::metadata::ProvideErrorMetadata
            + std::error::Error
            + Send
            + Sync
            + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.caller.call(api, send).await
    }

    /// Sends a call that deletes something: that it is gone already is success.
    pub async fn delete<T, E, F>(
        &self,
        api: Api,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<(), Error>
    where
        E: aws_smithy_types::error::metadata::ProvideErrorMetadata
            + std::error::Error
            + Send
            + Sync
            + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        match self.call(api, send).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// An ARN in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.region, self.account
        )
    }
}
