//! A topic.

use super::{SnsTags, TopicOutputs, subscribers, tags};
use crate::resources::kms::{self as keys, Key};
use crate::resources::policy::Policy;
use crate::resources::prelude::*;
use std::collections::HashMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topic {
    /// The key that encrypts its messages. Its policy must let those who publish use it.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// Who may publish besides the account.
    pub policy: Policy,
    /// Who gets its messages: `email ops@example.com`, `https https://example.com/alerts`.
    pub subscribers: Vec<String>,
    /// Other settings of the topic and of those subscriptions, which change what arrives: see [`OTHERS`] and `subscribers`. The
    /// desired set is always empty.
    #[serde(default)]
    pub others: Exposed,
}

impl Kind for Topic {
    const TYPE: &'static str = "sns/topic";
    const KNOWN_BY_NAME: bool = true;
    /// "CreateTopic" in the SNS API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 256,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = TopicOutputs;
}

impl Resource for Topic {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(tags::search(cx, suffix))),
        seconds: (1.0, 1.0),
        cost: |_| Cost::usage(&["sns"]),
        fixed: &[],
        changing: &[("attention", &["subscribers"])],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = SnsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let arn = cx.arn("sns", key.name());
        let tags = cx.tagged(&arn, &key.identity.tags, cx.sns.tags(&arn));
        let both = futures::future::try_join(cx.sns.topic(&arn), tags).await;
        let Some(((all, subscriptions), tags)) = found(both)? else {
            return Ok(None);
        };
        cx.recent.note(&arn, &tags);
        let (subscribers, attention) = subscribers::counted(&subscriptions, &key.spec.subscribers);
        let mut others = others(&all);
        others.extend(subscribers::others(cx, &subscriptions, &key.spec.subscribers).await?);
        let spec = Self {
            kms_key: all
                .get(KEY)
                .filter(|k| !k.is_empty())
                .map(|k| keys::by_arn(cx, k)),
            policy: Policy::parse(all.get(POLICY).map_or("", String::as_str)),
            subscribers,
            others,
        };
        let outputs = TopicOutputs::new(key.name(), &arn, attention);
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<TopicOutputs, Error> {
        let call = cx.sns.client.create_topic().name(&identity.name);
        let call = call.set_tags(Some(tags::tags(sns::CREATE_TOPIC, &identity.tags)?));
        let call = call.set_attributes(Some(self.attributes().into()));
        let made = cx.call(sns::CREATE_TOPIC, || call.clone().send()).await?;
        let arn: String = sns::CREATE_TOPIC.field(made.topic_arn(), "TopicArn")?;
        Ok(TopicOutputs::new(&identity.name, &arn, Vec::new()))
    }

    async fn update(&self, cx: &Aws, it: &TopicOutputs, delta: &Delta) -> Result<(), Error> {
        let changed = [delta.touches("kms_key"), delta.touches("policy")];
        for ((name, value), _) in self.attributes().into_iter().zip(changed).filter(|c| c.1) {
            let call = cx.sns.client.set_topic_attributes().topic_arn(&it.arn);
            let call = call.attribute_name(name).attribute_value(value);
            let api = sns::SET_TOPIC_ATTRIBUTES;
            cx.call(api, || call.clone().send()).await?;
        }
        let extra = delta.entries("others");
        for (name, nothing) in OTHERS.iter().filter(|(name, _)| extra.contains_key(name)) {
            let call = cx.sns.client.set_topic_attributes().topic_arn(&it.arn);
            let call = call.attribute_name(*name).attribute_value(*nothing);
            let api = sns::SET_TOPIC_ATTRIBUTES;
            cx.call(api, || call.clone().send()).await?;
        }
        subscribers::set(cx, it, &delta.entries("subscribers"), &extra).await
    }

    async fn delete(&self, cx: &Aws, it: &TopicOutputs) -> Result<(), Error> {
        let call = cx.sns.client.delete_topic().topic_arn(&it.arn);
        cx.delete(sns::DELETE_TOPIC, || call.clone().send()).await
    }
}

const KEY: &str = "KmsMasterKeyId";
const POLICY: &str = "Policy";

/// What else a topic has, and what it is when nobody has set it ("SetTopicAttributes" in the SNS API reference, without what FIFO
/// topics alone have; how many deliveries are logged counts with a role only).
const OTHERS: [(&str, &str); 14] = [
    ("DeliveryPolicy", ""),
    ("DisplayName", ""),
    ("SignatureVersion", "1"),
    ("TracingConfig", "PassThrough"),
    ("ApplicationSuccessFeedbackRoleArn", ""),
    ("ApplicationFailureFeedbackRoleArn", ""),
    ("FirehoseSuccessFeedbackRoleArn", ""),
    ("FirehoseFailureFeedbackRoleArn", ""),
    ("HTTPSuccessFeedbackRoleArn", ""),
    ("HTTPFailureFeedbackRoleArn", ""),
    ("LambdaSuccessFeedbackRoleArn", ""),
    ("LambdaFailureFeedbackRoleArn", ""),
    ("SQSSuccessFeedbackRoleArn", ""),
    ("SQSFailureFeedbackRoleArn", ""),
];

fn others(all: &HashMap<String, String>) -> Exposed {
    let set = |(name, nothing): &(&str, &str)| {
        let value = all.get(*name).filter(|v| !v.is_empty() && v != nothing)?;
        Some(((*name).to_owned(), value.clone()))
    };
    OTHERS.iter().filter_map(set).collect()
}

impl Topic {
    /// The attributes in which SNS keeps the key and the policy.
    fn attributes(&self) -> [(String, String); 2] {
        let key = self.kms_key.as_ref().map(String::from).unwrap_or_default();
        [(KEY.into(), key), (POLICY.into(), self.policy.document())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_a_topic_that_somebody_made_is_a_difference() {
        let of = |name: &str, value: &str| {
            let shown = [
                ("TopicArn", "arn"),
                ("Policy", "{}"),
                ("DisplayName", ""),
                ("SignatureVersion", "1"),
                (name, value),
            ];
            others(&shown.map(|(k, v)| (k.to_owned(), v.to_owned())).into())
        };
        assert!(of("SubscriptionsPending", "1").is_empty());
        assert!(of("TracingConfig", "PassThrough").is_empty());
        for (name, _) in OTHERS {
            assert_eq!(
                of(name, "2"),
                Exposed::from([(name.to_owned(), "2".to_owned())])
            );
        }
    }
}
