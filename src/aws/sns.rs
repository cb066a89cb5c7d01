//! SNS: its client, actions, limits and errors, and its listings.

use super::Aws;
use super::api::{ANY, Answer, Api, Bucket, Grant, NOTIFIED, Service, actions, bucket, named};
use super::call::Caller;
use crate::engine::{Class, Error};
use aws_sdk_sns::Client;
use aws_sdk_sns::types::Subscription;
use futures::future::try_join;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type Map = HashMap<String, String>;
type Tags = BTreeMap<String, String>;

/// SNS as a service.
pub static SERVICE: Service = Service {
    name: "sns",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

/// "Amazon Simple Notification Service endpoints and quotas", "Hard limits on API calls": 10 a second for tags, 100 for
/// subscriptions, 30 for most others.
fn limits(api: Api) -> Bucket {
    let rate = match api.operation {
        "TagResource" | "UntagResource" | "ListTagsForResource" => 10.0,
        "Subscribe" | "Unsubscribe" => 100.0,
        _ => 30.0,
    };
    bucket(api.operation, rate, rate)
}

const TOPIC: Grant = named("arn:aws:sns:{region}:{account}:*-{suffix}");

actions! { SERVICE;
    Once PUBLISH = "Publish", [named(NOTIFIED)];
    Read LIST_TOPICS = "ListTopics", [ANY];
    Read GET_TOPIC_ATTRIBUTES = "GetTopicAttributes", [TOPIC];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [TOPIC];
    Read LIST_SUBSCRIPTIONS_BY_TOPIC = "ListSubscriptionsByTopic", [TOPIC];
    Read GET_SUBSCRIPTION_ATTRIBUTES = "GetSubscriptionAttributes", [ANY];
    Repeatable SET_SUBSCRIPTION_ATTRIBUTES = "SetSubscriptionAttributes", [ANY];
    Repeatable CREATE_TOPIC = "CreateTopic", [TOPIC, TOPIC.of("sns:TagResource")];
    Repeatable SET_TOPIC_ATTRIBUTES = "SetTopicAttributes", [TOPIC];
    Repeatable SUBSCRIBE = "Subscribe", [TOPIC];
    Repeatable UNSUBSCRIBE = "Unsubscribe", [ANY];
    Repeatable TAG_RESOURCE = "TagResource", [TOPIC];
    Repeatable UNTAG_RESOURCE = "UntagResource", [TOPIC];
    Repeatable DELETE_TOPIC = "DeleteTopic", [TOPIC];
}

fn classify(api: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // Of a topic that was made a moment ago.
        "NotFound" if api.creates_or_changes() && api.operation != "Publish" => Class::Propagating,
        // Tags on a topic that is not visible everywhere yet, or no longer there.
        "ResourceNotFound" if api.creates_or_changes() => Class::Propagating,
        "ResourceNotFound" => Class::Gone,
        // "Invalid parameter: Attributes Reason: Topic already exists with different attributes", or tags.
        "InvalidParameter" if answer.says("already exists with different") => Class::Conflict,
        "Throttled" => Class::Throttled,
        "ConcurrentAccess" | "StaleTag" => Class::NotReady,
        _ => return None,
    })
}

/// SNS: its client and its listings.
pub struct Sns {
    pub client: Client,
    caller: Arc<Caller>,
}

impl Sns {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        Self {
            client: Client::new(config),
            caller: caller.clone(),
        }
    }

    /// The ARNs of all topics of the region.
    pub async fn topics(&self) -> Result<Vec<String>, Error> {
        let send = |token| self.client.list_topics().set_next_token(token).send();
        let all = self.caller.pages(LIST_TOPICS, send, |page| {
            let topics = page.topics.unwrap_or_default().into_iter();
            (topics.filter_map(|t| t.topic_arn), page.next_token)
        });
        all.await
    }

    /// The attributes and the subscriptions of a topic: two calls at once.
    pub async fn topic(&self, arn: &str) -> Result<(Map, Vec<Subscription>), Error> {
        let call = self.client.get_topic_attributes().topic_arn(arn);
        let attributes = self
            .caller
            .call(GET_TOPIC_ATTRIBUTES, || call.clone().send());
        let (attributes, subscriptions) = try_join(attributes, self.subscriptions(arn)).await?;
        Ok((attributes.attributes.unwrap_or_default(), subscriptions))
    }

    /// The tags of a topic.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Error> {
        let call = self.client.list_tags_for_resource().resource_arn(arn);
        let api = LIST_TAGS_FOR_RESOURCE;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags.map(|t| (t.key, t.value)).collect())
    }

    /// The attributes of a confirmed subscription.
    pub async fn subscription(&self, arn: &str) -> Result<Map, Error> {
        let call = self.client.get_subscription_attributes();
        let call = call.subscription_arn(arn);
        let api = GET_SUBSCRIPTION_ATTRIBUTES;
        let answer = self.caller.call(api, || call.clone().send()).await?;
        Ok(answer.attributes.unwrap_or_default())
    }

    pub async fn subscriptions(&self, topic: &str) -> Result<Vec<Subscription>, Error> {
        let call = self.client.list_subscriptions_by_topic().topic_arn(topic);
        let send = |token| call.clone().set_next_token(token).send();
        let api = LIST_SUBSCRIPTIONS_BY_TOPIC;
        let all = self.caller.pages(api, send, |page| {
            (page.subscriptions.unwrap_or_default(), page.next_token)
        });
        all.await
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
