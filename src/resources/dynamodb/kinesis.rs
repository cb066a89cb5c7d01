//! Kinesis streams that get every change of a table. The desired set is always empty: every entry is drift.

use crate::resources::prelude::*;
use aws_sdk_dynamodb::types::DestinationStatus;

/// How the entries of `exposed` begin.
const STREAM: &str = "kinesis/";

/// The role that DynamoDB makes when a table of the account first sends its changes to Kinesis ("Using IAM policies for Amazon Kinesis
/// Data Streams and Amazon DynamoDB" in the developer guide).
const ROLE: &str = "AWSServiceRoleForDynamoDBKinesisDataStreamsReplication";

/// False when no table of the account can send its changes to Kinesis: all roles of the account are read anyway, while each table has
/// to be asked for its destinations. A role that cannot be read proves nothing.
pub(super) async fn may_be(cx: &Aws) -> bool {
    !matches!(cx.iam.roles.get(ROLE.to_owned()).await, Ok(None))
}

/// The streams that get the changes of a table.
pub(super) async fn streams(cx: &Aws, table: &str, may_be: bool) -> Result<Exposed, Error> {
    const READ: Api = dynamodb::DESCRIBE_KINESIS_STREAMING_DESTINATION;
    if !may_be {
        return Ok(Exposed::new());
    }
    let call = cx.dynamodb.client.describe_kinesis_streaming_destination();
    let call = call.table_name(table);
    let answer = found(cx.call(READ, || call.clone().send()).await)?;
    let all = answer.and_then(|a| a.kinesis_data_stream_destinations);
    let on = all.unwrap_or_default().into_iter().filter(|one| {
        use DestinationStatus::{Disabled, Disabling, EnableFailed};
        let off = [Disabled, Disabling, EnableFailed];
        one.destination_status
            .as_ref()
            .is_none_or(|s| !off.contains(s))
    });
    let arns = on.filter_map(|one| one.stream_arn);
    Ok(arns
        .map(|arn| (format!("{STREAM}{arn}"), "on".to_owned()))
        .collect())
}

/// The stream that an entry of `exposed` names.
pub(super) fn stream(what: &str) -> Option<&str> {
    what.strip_prefix(STREAM)
}

/// Sends it nothing more.
pub(super) async fn stop(cx: &Aws, table: &str, stream: &str) -> Result<(), Error> {
    const STOP: Api = dynamodb::DISABLE_KINESIS_STREAMING_DESTINATION;
    let call = cx.dynamodb.client.disable_kinesis_streaming_destination();
    let call = call.table_name(table).stream_arn(stream);
    cx.delete(STOP, || call.clone().send()).await
}
