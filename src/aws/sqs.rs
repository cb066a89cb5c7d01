//! SQS: its client, actions, limits and errors, and its listing.

use super::Aws;
use super::api::{ANY, Answer, Api, Grant, Service, actions, bucket, named};
use super::call::Caller;
use crate::engine::{Class, Error};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type Tags = BTreeMap<String, String>;
type Attributes = HashMap<QueueAttributeName, String>;

/// SQS as a service. It publishes no rate for its control calls; ten a second are well below where it throttles.
pub static SERVICE: Service = Service {
    name: "sqs",
    classify,
    bucket: |api| bucket(api.operation, 10.0, 10.0),
    actions: || ACTIONS,
};

const QUEUE: Grant = named("arn:aws:sqs:{region}:{account}:*-{suffix}");

actions! { SERVICE;
    Read LIST_QUEUES = "ListQueues", [ANY];
    Read GET_QUEUE_URL = "GetQueueUrl", [QUEUE];
    Read GET_QUEUE_ATTRIBUTES = "GetQueueAttributes", [QUEUE];
    Read LIST_QUEUE_TAGS = "ListQueueTags", [QUEUE];
    Repeatable CREATE_QUEUE = "CreateQueue", [QUEUE, QUEUE.of("sqs:TagQueue")];
    Repeatable SET_QUEUE_ATTRIBUTES = "SetQueueAttributes", [QUEUE];
    Repeatable TAG_QUEUE = "TagQueue", [QUEUE];
    Repeatable UNTAG_QUEUE = "UntagQueue", [QUEUE];
    Repeatable DELETE_QUEUE = "DeleteQueue", [QUEUE];
}

/// The codes of the JSON protocol, and those of the query protocol that SQS still sends in a header.
fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    let code = answer.code;
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    Some(match code {
        // Of a queue that was made a moment ago.
        "QueueDoesNotExist" | "NonExistentQueue" if api.creates_or_changes() => Class::Propagating,
        "QueueDoesNotExist" | "NonExistentQueue" => Class::Gone,
        "QueueNameExists" | "QueueAlreadyExists" => Class::Conflict,
        // "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        "QueueDeletedRecently" => Class::NotReady,
        "RequestThrottled" => Class::Throttled,
        _ => return None,
    })
}

/// SQS: its client and its listing.
pub struct Sqs {
    pub client: Client,
    caller: Arc<Caller>,
}

impl Sqs {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
            caller: caller.clone(),
        }
    }

    /// The URLs of all queues of the region.
    pub async fn queues(&self) -> Result<Vec<String>, Error> {
        // Without a size there is no next page.
        let call = self.client.list_queues().max_results(1000);
        let send = |token| call.clone().set_next_token(token).send();
        let all = self.caller.pages(LIST_QUEUES, send, |page| {
            (page.queue_urls.unwrap_or_default(), page.next_token)
        });
        all.await
    }

    /// The URL of the queue of this name.
    pub async fn url(&self, name: &str) -> Result<String, Error> {
        let call = self.client.get_queue_url().queue_name(name);
        let answer = self.caller.call(GET_QUEUE_URL, || call.clone().send());
        GET_QUEUE_URL.field(answer.await?.queue_url(), "QueueUrl")
    }

    /// The attributes of a queue.
    pub async fn attributes(&self, url: &str) -> Result<Attributes, Error> {
        let call = self.client.get_queue_attributes().queue_url(url);
        let call = call.attribute_names(QueueAttributeName::All);
        let api = GET_QUEUE_ATTRIBUTES;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// The tags of a queue.
    pub async fn tags(&self, url: &str) -> Result<Tags, Error> {
        let call = self.client.list_queue_tags().queue_url(url);
        let answer = self.caller.call(LIST_QUEUE_TAGS, || call.clone().send());
        Ok(answer.await?.tags.unwrap_or_default().into_iter().collect())
    }
}

/// The name in a queue's URL or ARN.
pub fn name(of: &str) -> &str {
    of.rsplit(['/', ':']).next().unwrap_or_default()
}

/// The ARN of the queue of this name.
pub fn arn(cx: &Aws, name: &str) -> String {
    cx.arn("sqs", name)
}
