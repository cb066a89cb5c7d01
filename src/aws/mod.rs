//! Access to AWS: one client per service, one way to call, error classes, call budgets, batched readers.

mod budget;
mod call;
mod class;
mod connect;
mod dynamodb;
mod ec2;
mod iam;
mod kms;
mod logs;
mod preflight;
mod rds;
mod reader;
mod recent;
mod s3;
mod secretsmanager;

pub use call::{Api, Caller, once, read, repeatable};
pub use class::refused;
pub use connect::{Connection, Settings, connect};
pub use dynamodb::DynamoDb;
pub use ec2::{Ec2, Ec2Reader, Find, PerTable, find, find_all, tags_of};
pub use iam::Iam;
pub use kms::Kms;
pub use logs::Logs;
pub use preflight::{Check, Depth, Level, Preflight, Wanted, preflight};
pub use rds::{Listing, Named, Rds, rds_tags_of};
pub use reader::Reader;
pub use recent::{RecentTags, Refreshing};
pub use s3::S3;
pub use secretsmanager::SecretsManager;

use crate::engine::{Error, Events};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use std::sync::Arc;

/// Everything that a resource type needs to reach AWS. Shared by all steps.
pub struct Aws {
    /// The account that the credentials belong to.
    pub account: String,
    /// The region.
    pub region: String,
    /// The network.
    pub ec2: Ec2,
    /// Aurora.
    pub rds: Rds,
    /// Buckets.
    pub s3: S3,
    /// Tables.
    pub dynamodb: DynamoDb,
    /// Keys and aliases.
    pub kms: Kms,
    /// Roles.
    pub iam: Iam,
    /// Log groups.
    pub logs: Logs,
    /// The database's managed secret.
    pub secretsmanager: SecretsManager,
    /// Tags that were read a moment ago.
    pub recent: RecentTags,
    caller: Arc<Caller>,
}

impl Aws {
    /// Clients and readers over one connection. `read_only` refuses every mutating call before it leaves; at
    /// most `parallelism` calls are in flight.
    pub fn new(
        connection: &Connection,
        account: String,
        events: Events,
        read_only: bool,
        parallelism: usize,
    ) -> Arc<Self> {
        let config = &connection.config;
        let caller = Arc::new(Caller::new(events, read_only, parallelism));
        Arc::new(Self {
            account,
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            ec2: Ec2::new(config, &caller),
            rds: Rds::new(config, &caller),
            s3: S3::new(config),
            dynamodb: DynamoDb::new(config),
            kms: Kms::new(config, &caller),
            iam: Iam::new(config),
            logs: Logs::new(config, &caller),
            secretsmanager: SecretsManager::new(config),
            recent: RecentTags::default(),
            caller,
        })
    }

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
