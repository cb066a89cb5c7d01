//! Access to AWS: one client per service, one way to call, error classes, call budgets, batched readers.

mod budget;
mod call;
mod class;
mod connect;
mod ec2;
mod kms;
mod logs;
mod preflight;
mod rds;
mod reader;
mod recent;

pub use call::{Api, Caller, once, read, repeatable};
pub use class::refused;
pub use connect::{Connection, Settings, connect};
pub use ec2::{Ec2Reader, Ec2Readers, EdgeReaders, Find, find, find_all, tags_of};
pub use kms::KmsReaders;
pub use preflight::{Check, Depth, Level, Preflight, Wanted, preflight};
pub use rds::{Listing, Named, RdsReaders, rds_tags_of};
pub use reader::Reader;
pub use recent::{RecentTags, Refreshing};

use crate::engine::{Events, Fault};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use std::sync::Arc;

/// Everything that a resource type needs to reach AWS. Shared by all steps.
pub struct Aws {
    /// The account that the credentials belong to.
    pub account: String,
    /// The region.
    pub region: String,
    /// Clients, one per service.
    pub ec2: aws_sdk_ec2::Client,
    /// Aurora.
    pub rds: aws_sdk_rds::Client,
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Keys.
    pub kms: aws_sdk_kms::Client,
    /// Roles.
    pub iam: aws_sdk_iam::Client,
    /// Log groups.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// The database's managed secret.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Quotas.
    pub quotas: aws_sdk_servicequotas::Client,
    /// Batched EC2 reads.
    pub read: Ec2Readers,
    /// Batched reads of Transit Gateways, endpoints and flow logs.
    pub edge: EdgeReaders,
    /// Batched reads of keys and aliases.
    pub keys: KmsReaders,
    /// Batched reads of log groups, by name.
    pub groups: Reader<String, aws_sdk_cloudwatchlogs::types::LogGroup>,
    /// Tags that were read a moment ago.
    pub recent: RecentTags,
    /// Batched RDS reads.
    pub databases: RdsReaders,
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
        let ec2 = aws_sdk_ec2::Client::new(config);
        let caller = Arc::new(Caller::new(events, read_only, parallelism));
        let kms = aws_sdk_kms::Client::new(config);
        let logs = aws_sdk_cloudwatchlogs::Client::new(config);
        let mut s3 = aws_sdk_s3::config::Builder::from(config);
        // A custom endpoint seldom has wildcard names for buckets.
        s3.set_force_path_style(config.endpoint_url().map(|_| true));
        let rds = aws_sdk_rds::Client::new(config);
        Arc::new(Self {
            account,
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            read: Ec2Readers::new(&ec2, &caller),
            edge: EdgeReaders::new(&ec2, &caller),
            ec2,
            databases: RdsReaders::new(&rds, &caller),
            rds,
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            keys: KmsReaders::new(&kms, &caller),
            groups: logs::groups(&logs, &caller),
            recent: RecentTags::default(),
            kms,
            iam: aws_sdk_iam::Client::new(config),
            logs,
            secrets: aws_sdk_secretsmanager::Client::new(config),
            quotas: aws_sdk_servicequotas::Client::new(config),
            caller,
        })
    }

    /// Sends one API call: within the budget, counted, retried as far as its nature allows.
    pub async fn call<T, E, F>(
        &self,
        api: Api,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Fault>
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

    /// An ARN in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.region, self.account
        )
    }

    /// The `Caller`, for readers of other services.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }
}
