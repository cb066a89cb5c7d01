//! Secrets Manager.

use aws_sdk_secretsmanager::Client;

/// Secrets Manager: its client.
pub struct SecretsManager {
    /// The client.
    pub client: Client,
}

impl SecretsManager {
    pub(super) fn new(config: &aws_config::SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}
