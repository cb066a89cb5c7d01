//! IAM.

use aws_sdk_iam::Client;

/// IAM: its client.
pub struct Iam {
    /// The client.
    pub client: Client,
}

impl Iam {
    pub(super) fn new(config: &aws_config::SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}
