//! DynamoDB.

use aws_sdk_dynamodb::Client;

/// DynamoDB: its client.
pub struct DynamoDb {
    /// The client.
    pub client: Client,
}

impl DynamoDb {
    pub(super) fn new(config: &aws_config::SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}
