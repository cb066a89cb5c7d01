//! Secrets Manager: its client, actions, limits and errors, and its listing. Nothing here reads or writes a value.

use super::api::{ANY, Answer, Api, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::kms::through;
use crate::engine::{Class, Error};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry};
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
/// Those that we make. AWS adds a hyphen and six characters to the name.
const OURS: Grant = named("arn:aws:secretsmanager:{region}:{account}:secret:*-{suffix}-??????");

actions! { SERVICE;
    Read LIST_SECRETS = "ListSecrets", [ANY];
    Read DESCRIBE_SECRET = "DescribeSecret", [MANAGED, OURS];
    Read GET_RESOURCE_POLICY = "GetResourcePolicy", [MANAGED, OURS];
    Once CREATE_SECRET = "CreateSecret", [OURS, OURS.of("secretsmanager:TagResource"), through("kms:Decrypt"), through("kms:GenerateDataKey")];
    Repeatable RESTORE_SECRET = "RestoreSecret", [OURS];
    Repeatable UPDATE_SECRET = "UpdateSecret", [OURS, through("kms:Decrypt"), through("kms:GenerateDataKey")];
    Repeatable DELETE_RESOURCE_POLICY = "DeleteResourcePolicy", [MANAGED, OURS];
    Repeatable REMOVE_REGIONS_FROM_REPLICATION = "RemoveRegionsFromReplication", [MANAGED, OURS];
    Repeatable ROTATE_SECRET = "RotateSecret", [MANAGED];
    Repeatable CANCEL_ROTATE_SECRET = "CancelRotateSecret", [OURS];
    Repeatable TAG_RESOURCE = "TagResource", [OURS];
    Repeatable UNTAG_RESOURCE = "UntagResource", [OURS];
    Repeatable DELETE_SECRET = "DeleteSecret", [OURS];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // "A previous rotation isn't complete. That rotation will be reattempted."
        "InvalidRequestException"
            if says("previous rotation") || says("in progress") || says("is in state") =>
        {
            Class::NotReady
        }
        // "You can't create this secret because a secret with this name is already scheduled for deletion": the step looks
        // whose it is; one that is deleted at once is still there for a moment.
        "InvalidRequestException" if says("scheduled for deletion") => Class::NotReady,
        "ResourceExistsException" => Class::Conflict,
        // Of a secret that was made a moment ago.
        "ResourceNotFoundException" if api.creates_or_changes() => Class::Propagating,
        _ => return None,
    })
}

/// Secrets Manager: its client and its listing.
pub struct SecretsManager {
    pub client: Client,
    caller: Arc<Caller>,
}

impl SecretsManager {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
            caller: caller.clone(),
        }
    }

    /// A secret without its value, by name or ARN; one that is scheduled for deletion has a date for that.
    pub async fn describe(&self, id: &str) -> Result<DescribeSecretOutput, Error> {
        let call = self.client.describe_secret().secret_id(id);
        self.caller
            .call(DESCRIBE_SECRET, || call.clone().send())
            .await
    }

    /// The secrets with this tag. A listing lags up to five minutes behind ("ListSecrets"): it proves no existence.
    pub async fn tagged(&self, key: &str, value: &str) -> Result<Vec<SecretListEntry>, Error> {
        let filter = |name, value: &str| Filter::builder().key(name).values(value).build();
        let key = filter(FilterNameStringType::TagKey, key);
        let value = filter(FilterNameStringType::TagValue, value);
        let call = self.client.list_secrets().max_results(100);
        let call = call.filters(key).filters(value);
        let send = |token| call.clone().set_next_token(token).send();
        let all = self.caller.pages(LIST_SECRETS, send, |page| {
            (page.secret_list.unwrap_or_default(), page.next_token)
        });
        all.await
    }
}
