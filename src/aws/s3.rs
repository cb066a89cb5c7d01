//! S3.

use aws_sdk_s3::Client;

/// S3: its client.
pub struct S3 {
    /// The client.
    pub client: Client,
}

impl S3 {
    pub(super) fn new(config: &aws_config::SdkConfig) -> Self {
        let mut s3 = aws_sdk_s3::config::Builder::from(config);
        // A custom endpoint seldom has wildcard names for buckets.
        s3.set_force_path_style(config.endpoint_url().map(|_| true));
        Self {
            client: Client::from_conf(s3.build()),
        }
    }
}
