//! DynamoDB: its client, actions, limits and errors.

use super::api::{
    ANY, Answer, Api, Bucket, Grant, Guard, Service, actions, bucket, guarded, named,
};
use super::call::Caller;
use super::kms::through;
use crate::engine::Class;
use aws_sdk_dynamodb::Client;
use std::sync::Arc;

/// DynamoDB as a service.
pub static SERVICE: Service = Service {
    name: "dynamodb",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// Changes of tables share one limit ("Service quotas": up to 500 tables and indexes may be changing at once); reads of
/// settings have far higher ones.
fn limits(api: Api) -> Bucket {
    if api.writes() {
        bucket("control plane", 50.0, 10.0)
    } else {
        bucket(api.operation, 50.0, 10.0)
    }
}

const TABLE: Grant = named("arn:aws:dynamodb:{region}:{account}:table/*-{suffix}");
/// A stream has a policy of its own.
const STREAM: Grant = named("arn:aws:dynamodb:{region}:{account}:table/*-{suffix}/stream/*");
const BACKUP: Grant = named("arn:aws:dynamodb:{region}:{account}:table/*-{suffix}/backup/*");

/// What a restore does with items in the caller's name ("Using IAM with DynamoDB backup and restore").
const fn of_items(action: &'static str) -> Grant {
    guarded(
        "arn:aws:dynamodb:{region}:{account}:table/*-{suffix}",
        Guard::Behalf,
    )
    .of(action)
}

actions! { SERVICE;
    Read LIST_TABLES = "ListTables", [ANY];
    Read DESCRIBE_TABLE = "DescribeTable", [TABLE];
    Read SCAN = "Scan", [guarded("arn:aws:dynamodb:{region}:{account}:table/*-{suffix}", Guard::Count)];
    Read DESCRIBE_CONTINUOUS_BACKUPS = "DescribeContinuousBackups", [TABLE];
    Read DESCRIBE_TIME_TO_LIVE = "DescribeTimeToLive", [TABLE];
    Read LIST_TAGS_OF_RESOURCE = "ListTagsOfResource", [TABLE];
    Read GET_RESOURCE_POLICY = "GetResourcePolicy", [TABLE, STREAM];
    Read DESCRIBE_KINESIS_STREAMING_DESTINATION = "DescribeKinesisStreamingDestination", [TABLE];
    Read LIST_BACKUPS = "ListBackups", [ANY];
    Once CREATE_TABLE = "CreateTable", [TABLE, TABLE.of("dynamodb:TagResource"), through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*")];
    Once RESTORE_TABLE_FROM_BACKUP = "RestoreTableFromBackup", [BACKUP, TABLE, of_items("dynamodb:BatchWriteItem"), of_items("dynamodb:DeleteItem"), of_items("dynamodb:GetItem"), of_items("dynamodb:PutItem"), of_items("dynamodb:Query"), of_items("dynamodb:Scan"), of_items("dynamodb:UpdateItem"), through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*")];
    Repeatable UPDATE_TABLE = "UpdateTable", [TABLE, through("kms:DescribeKey"), through("kms:CreateGrant"), through("kms:Decrypt"), through("kms:GenerateDataKey*")];
    Repeatable UPDATE_TIME_TO_LIVE = "UpdateTimeToLive", [TABLE];
    Repeatable DELETE_RESOURCE_POLICY = "DeleteResourcePolicy", [TABLE, STREAM];
    Repeatable DISABLE_KINESIS_STREAMING_DESTINATION = "DisableKinesisStreamingDestination", [TABLE];
    Repeatable UPDATE_CONTINUOUS_BACKUPS = "UpdateContinuousBackups", [TABLE];
    Repeatable TAG_RESOURCE = "TagResource", [TABLE];
    Repeatable UNTAG_RESOURCE = "UntagResource", [TABLE];
    Repeatable DELETE_TABLE = "DeleteTable", [TABLE];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let says = |text: &str| answer.says(text);
    Some(match answer.code {
        // A table of our name that is on its way out; a new one can be made when it is gone.
        "ResourceInUseException" if says("being deleted") => Class::NotReady,
        // CreateTable of an existing table and any call on a table that is being changed share one code.
        "ResourceInUseException" if says("already exists") || api.operation == "CreateTable" => {
            Class::Conflict
        }
        "ResourceInUseException" => Class::NotReady,
        // RestoreTableFromBackup of an existing table.
        "TableAlreadyExistsException" => Class::Conflict,
        // So many table operations and index changes at once ("... can be created, updated, or deleted
        // simultaneously"); its other limits, of tables for instance, last.
        "LimitExceededException" if says("simultaneously") => Class::NotReady,
        "ContinuousBackupsUnavailableException" => Class::NotReady,
        // A key that was made a moment ago, or its policy, is not visible to the service yet.
        "ValidationException" if says("KMS") && says("key") => Class::Propagating,
        _ => return None,
    })
}

/// DynamoDB: its client.
pub struct DynamoDb {
    pub client: Client,
}

impl DynamoDb {
    pub(super) fn new(config: &aws_config::SdkConfig, _: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}
