//! A topic.

use super::{SnsTags, TopicOutputs, subscribers, tags};
use crate::resources::kms::Key;
use crate::resources::policy::Policy;
use crate::resources::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topic {
    /// The key that encrypts its messages. Its policy must let those who publish use it.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// Who may publish besides the account.
    pub policy: Policy,
    /// Who gets its messages: `email ops@example.com`, `https https://example.com/alerts`.
    pub subscribers: Vec<String>,
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
        let spec = Self {
            kms_key: all
                .get(KEY)
                .filter(|k| !k.is_empty())
                .map(|k| k.as_str().into()),
            policy: Policy::parse(all.get(POLICY).map_or("", String::as_str)),
            subscribers,
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
        subscribers::set(cx, it, &delta.entries("subscribers")).await
    }

    async fn delete(&self, cx: &Aws, it: &TopicOutputs) -> Result<(), Error> {
        let call = cx.sns.client.delete_topic().topic_arn(&it.arn);
        cx.delete(sns::DELETE_TOPIC, || call.clone().send()).await
    }
}

const KEY: &str = "KmsMasterKeyId";
const POLICY: &str = "Policy";

impl Topic {
    /// The attributes in which SNS keeps the key and the policy.
    fn attributes(&self) -> [(String, String); 2] {
        let key = self.kms_key.as_ref().map(String::from).unwrap_or_default();
        [(KEY.into(), key), (POLICY.into(), self.policy.document())]
    }
}
