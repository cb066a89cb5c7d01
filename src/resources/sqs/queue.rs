//! A queue that takes what others could not deal with.

use crate::resources::kms::{self as keys, Key};
use crate::resources::mappings::readers;
use crate::resources::owned::marked_of;
use crate::resources::policy::Policy;
use crate::resources::prelude::*;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use std::collections::HashMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Queue {
    /// The key that encrypts its messages; `None` for SQS's own.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// How long it uses one data key before it asks KMS for the next, 60 to 86,400.
    pub key_reuse_seconds: u32,
    /// How long it keeps a message that nobody takes, 60 to 1,209,600.
    pub retention_seconds: u32,
    /// How long a message that somebody took is hidden from others.
    pub visibility_seconds: u32,
    /// Who may send and receive besides the account.
    pub policy: Policy,
    /// The queue to which messages go that were taken too often.
    #[serde(default)]
    pub exposed: Exposed,
    /// Other settings, which change what it takes and when it gives it: see [`OTHERS`]. The desired set is always empty.
    #[serde(default)]
    pub others: Exposed,
    /// Functions of others that take messages out of it.
    #[serde(default)]
    pub members: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct QueueOutputs {
    pub name: Ref<Queue>,
    pub arn: Ref<Arn<Queue>>,
    /// What every call takes.
    pub url: Ref<()>,
}

impl HasName for QueueOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl QueueOutputs {
    fn new(cx: &Aws, name: &str, url: &str) -> Self {
        Self {
            name: name.into(),
            arn: sqs::arn(cx, name).into(),
            url: url.into(),
        }
    }
}

/// SQS's way to change tags: by URL.
pub enum SqsTags {}

impl Kind for Queue {
    const TYPE: &'static str = "sqs/queue";
    const KNOWN_BY_NAME: bool = true;
    /// "CreateQueue" in the SQS API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 80,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = QueueOutputs;
}

impl Resource for Queue {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        // "DeleteQueue": the deletion takes up to 60 seconds, and so long the name is not free.
        seconds: (1.0, 60.0),
        cost: |_| Cost::usage(&["sqs"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: true,
        interrupts: &[],
        write_only: &[],
        watched: &["members"],
        delegated: &[],
    };
    const EXPIRES: &'static [(&'static str, &'static str)] = &[(
        "retention_seconds",
        "messages that are older are deleted for good",
    )];
    type Tags = SqsTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let url = match key.outputs {
            Some(it) => it.url.to_string(),
            None => match found(cx.sqs.url(key.name()).await)? {
                Some(url) => url,
                None => return Ok(None),
            },
        };
        let outputs = QueueOutputs::new(cx, key.name(), &url);
        let arn = outputs.arn.as_str();
        let tags = cx.tagged(arn, &key.identity.tags, cx.sqs.tags(&url));
        let readers = readers(cx, key.identity, |source| source == arn);
        let all = futures::future::try_join3(cx.sqs.attributes(&url), tags, readers).await;
        let Some((all, tags, members)) = found(all)? else {
            return Ok(None);
        };
        cx.recent.note(outputs.arn.as_str(), &tags);
        let text = |name: &Attribute| all.get(name).map_or("", String::as_str);
        let number = |name: &Attribute| text(name).parse().unwrap_or_default();
        let kms_key = Some(text(&Attribute::KmsMasterKeyId)).filter(|k| !k.is_empty());
        let spec = Self {
            kms_key: kms_key.map(|k| keys::by_arn(cx, k)),
            key_reuse_seconds: number(&Attribute::KmsDataKeyReusePeriodSeconds),
            retention_seconds: number(&Attribute::MessageRetentionPeriod),
            visibility_seconds: number(&Attribute::VisibilityTimeout),
            policy: Policy::parse(text(&Attribute::Policy)),
            exposed: redrive(text(&Attribute::RedrivePolicy)),
            others: others(&all),
            members,
        };
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<QueueOutputs, Error> {
        let call = cx.sqs.client.create_queue().queue_name(&identity.name);
        let call = call.set_tags(Some(identity.tags.clone().into_iter().collect()));
        let all = self.attributes().into_iter();
        let call = call.set_attributes(Some(all.map(|(_, name, value)| (name, value)).collect()));
        let made = cx.call(sqs::CREATE_QUEUE, || call.clone().send()).await?;
        let url: String = sqs::CREATE_QUEUE.field(made.queue_url(), "QueueUrl")?;
        Ok(QueueOutputs::new(cx, &identity.name, &url))
    }

    async fn update(&self, cx: &Aws, it: &QueueOutputs, delta: &Delta) -> Result<(), Error> {
        let all = self.attributes().into_iter();
        let changed = all.filter(|(field, ..)| delta.touches(field));
        let mut changed: HashMap<Attribute, String> =
            changed.map(|(_, name, value)| (name, value)).collect();
        if delta.touches("exposed") {
            // An empty text removes it, as that of a policy (localstack/localstack#11385, compared with AWS).
            changed.insert(Attribute::RedrivePolicy, String::new());
        }
        let extra = delta.entries("others");
        for (name, nothing) in OTHERS {
            if extra.contains_key(name.as_str()) {
                changed.insert(name, nothing.to_owned());
            }
        }
        let call = cx.sqs.client.set_queue_attributes().queue_url(&it.url);
        let call = call.set_attributes(Some(changed));
        let api = sqs::SET_QUEUE_ATTRIBUTES;
        cx.call(api, || call.clone().send()).await.map(drop)
    }

    /// Messages that nobody took, those that somebody has taken and not dealt with among them.
    async fn data(&self, cx: &Aws, it: &QueueOutputs) -> Result<Data, Error> {
        let Some(all) = found(cx.sqs.attributes(it.url.as_str()).await)? else {
            return Ok(Data::Empty);
        };
        let waiting = [
            Attribute::ApproximateNumberOfMessages,
            Attribute::ApproximateNumberOfMessagesNotVisible,
            Attribute::ApproximateNumberOfMessagesDelayed,
        ];
        let waiting = waiting.iter().filter_map(|name| all.get(name));
        let count: u64 = waiting.filter_map(|n| n.parse::<u64>().ok()).sum();
        Ok(match count {
            0 => Data::Empty,
            1 => Data::Holds("1 message".into()),
            more => Data::Holds(format!("{more} messages")),
        })
    }

    async fn delete(&self, cx: &Aws, it: &QueueOutputs) -> Result<(), Error> {
        let call = cx.sqs.client.delete_queue().queue_url(&it.url);
        cx.delete(sqs::DELETE_QUEUE, || call.clone().send()).await
    }
}

impl Queue {
    /// The attributes in which SQS keeps each field.
    fn attributes(&self) -> [(&'static str, Attribute, String); 5] {
        let key = self.kms_key.as_ref().map(String::from).unwrap_or_default();
        let reuse = self.key_reuse_seconds.to_string();
        let retention = self.retention_seconds.to_string();
        let visibility = self.visibility_seconds.to_string();
        [
            ("kms_key", Attribute::KmsMasterKeyId, key),
            (
                "key_reuse_seconds",
                Attribute::KmsDataKeyReusePeriodSeconds,
                reuse,
            ),
            (
                "retention_seconds",
                Attribute::MessageRetentionPeriod,
                retention,
            ),
            (
                "visibility_seconds",
                Attribute::VisibilityTimeout,
                visibility,
            ),
            ("policy", Attribute::Policy, self.policy.document()),
        ]
    }
}

/// What else a queue has, and what it is when nobody has set it ("SetQueueAttributes" in the SQS API reference, without what FIFO
/// queues alone have).
const OTHERS: [(Attribute, &str); 4] = [
    (Attribute::DelaySeconds, "0"),
    (Attribute::MaximumMessageSize, "1048576"),
    (Attribute::ReceiveMessageWaitTimeSeconds, "0"),
    (Attribute::RedriveAllowPolicy, ""),
];
/// The most that a message could have until August 2025: a queue from before has it still.
const FORMER_SIZE: &str = "262144";

fn others(all: &HashMap<Attribute, String>) -> Exposed {
    let set = |(name, nothing): &(Attribute, &str)| {
        let value = all.get(name).filter(|v| !v.is_empty() && v != nothing)?;
        let former = *name == Attribute::MaximumMessageSize && value == FORMER_SIZE;
        (!former).then(|| (name.as_str().to_owned(), value.clone()))
    };
    OTHERS.iter().filter_map(set).collect()
}

/// Where messages go that were taken too often: they leave the queue in which they are looked for.
fn redrive(policy: &str) -> Exposed {
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap_or_default();
    let to = policy["deadLetterTargetArn"].as_str();
    let to = to.map(|to| (format!("redrive/{to}"), "on".to_owned()));
    to.into_iter().collect()
}

impl TagCalls<QueueOutputs> for SqsTags {
    async fn change(
        cx: &Aws,
        it: &QueueOutputs,
        set: &Tags,
        remove: &[String],
    ) -> Result<(), Error> {
        if !set.is_empty() {
            let call = cx.sqs.client.tag_queue().queue_url(&it.url);
            let call = call.set_tags(Some(set.clone().into_iter().collect()));
            cx.call(sqs::TAG_QUEUE, || call.clone().send()).await?;
        }
        if !remove.is_empty() {
            let call = cx.sqs.client.untag_queue().queue_url(&it.url);
            let call = call.set_tag_keys(Some(remove.to_vec()));
            cx.call(sqs::UNTAG_QUEUE, || call.clone().send()).await?;
        }
        Ok(())
    }
}

/// ListQueues answers URLs only: those whose name can be ours are asked for their tags.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let all = cx.sqs.queues().await?;
    let all = all.iter().map(|url| sqs::name(url));
    let all = all.map(|name| (name.to_owned(), sqs::arn(cx, name)));
    marked_of(cx, Queue::TYPE, suffix, all.collect(), |cx, arn| {
        Box::pin(async move {
            let Some(url) = found(cx.sqs.url(sqs::name(arn)).await)? else {
                return Ok(None);
            };
            found(cx.sqs.tags(&url).await)
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_a_queue_that_somebody_made_is_a_difference() {
        let fresh = OTHERS.map(|(name, nothing)| (name, nothing.to_owned()));
        let fresh = HashMap::from(fresh);
        assert!(others(&fresh).is_empty());
        for (name, value) in [
            (Attribute::DelaySeconds, "900"),
            (Attribute::MaximumMessageSize, "1024"),
            (Attribute::ReceiveMessageWaitTimeSeconds, "20"),
            (
                Attribute::RedriveAllowPolicy,
                r#"{"redrivePermission": "denyAll"}"#,
            ),
        ] {
            let mut set = fresh.clone();
            set.insert(name.clone(), value.to_owned());
            let one = (name.as_str().to_owned(), value.to_owned());
            assert_eq!(others(&set), Exposed::from([one]));
        }
        let mut former = fresh.clone();
        former.insert(Attribute::MaximumMessageSize, FORMER_SIZE.to_owned());
        assert!(others(&former).is_empty());
    }
}
