//! SNS: its client, actions, limits and errors.

use super::Aws;
use super::api::{NOTIFIED, Service, actions, bucket, named};
use super::call::Caller;
use crate::engine::Error;
use aws_sdk_sns::Client;
use std::sync::Arc;

/// SNS as a service. "Amazon SNS endpoints and quotas": at least 300 messages per second and topic.
pub static SERVICE: Service = Service {
    name: "sns",
    classify: |_, _| None,
    bucket: |api| bucket(api.operation, 30.0, 30.0),
    actions: || ACTIONS,
};

actions! { SERVICE;
    Once PUBLISH = "Publish", [named(NOTIFIED)];
}

/// SNS: its client.
pub struct Sns {
    /// The client.
    pub client: Client,
}

impl Sns {
    pub(super) fn new(config: &aws_config::SdkConfig, _: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

/// Publishes a message; `subject` has at most 100 ASCII characters.
pub async fn publish(cx: &Aws, topic: &str, subject: &str, message: &str) -> Result<(), Error> {
    let publish = || {
        let call = cx.sns.client.publish().topic_arn(topic);
        call.subject(subject).message(message).send()
    };
    cx.call(PUBLISH, publish).await.map(drop)
}
