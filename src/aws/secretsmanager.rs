//! Secrets Manager: its client, actions, limits and errors.

use super::api::{Answer, Api, Grant, Service, actions, bucket, named};
use super::call::Caller;
use crate::engine::Class;
use aws_sdk_secretsmanager::Client;
use std::sync::Arc;

/// Secrets Manager as a service. "Quotas": 50 calls per second for changes of one kind, far more for reads.
pub static SERVICE: Service = Service {
    name: "secretsmanager",
    classify,
    bucket: |api| bucket(api.operation, 50.0, 25.0),
    actions: || ACTIONS,
};

/// The secrets that RDS makes and owns, `rds!cluster-<id>`: their names do not carry our suffix.
const MANAGED: Grant = named("arn:aws:secretsmanager:{region}:{account}:secret:rds!cluster-*");

actions! { SERVICE;
    Read DESCRIBE_SECRET = "DescribeSecret", [MANAGED];
    Read GET_RESOURCE_POLICY = "GetResourcePolicy", [MANAGED];
    Repeatable DELETE_RESOURCE_POLICY = "DeleteResourcePolicy", [MANAGED];
    Repeatable REMOVE_REGIONS_FROM_REPLICATION = "RemoveRegionsFromReplication", [MANAGED];
    Repeatable ROTATE_SECRET = "RotateSecret", [MANAGED];
}

fn classify(_: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // "A previous rotation isn't complete. That rotation will be reattempted."
        "InvalidRequestException"
            if says("previous rotation") || says("in progress") || says("is in state") =>
        {
            Class::NotReady
        }
        _ => return None,
    })
}

/// Secrets Manager: its client.
pub struct SecretsManager {
    /// The client.
    pub client: Client,
}

impl SecretsManager {
    pub(super) fn new(config: &aws_config::SdkConfig, _: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}
