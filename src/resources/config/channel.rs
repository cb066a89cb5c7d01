//! Where a recorder delivers what it records. It has no tags: with our name it is ours as far as the recorder is, and any other
//! is the account's.

use super::{Recorder, is_ours, singletons};
use crate::resources::prelude::*;
use crate::resources::s3::Bucket;
use aws_sdk_config::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Channel {
    /// The recorder, which must be there first.
    pub recorder: Ref<Recorder>,
    /// Its policy must let AWS Config in.
    pub bucket: Ref<Bucket>,
    /// Before `AWSLogs/`; empty for none.
    pub prefix: String,
    /// How often everything is written down again: `TwentyFour_Hours`; empty for never.
    pub snapshots: String,
    /// A topic that each delivery is announced to, and the key of somebody else: the desired set has neither.
    #[serde(default)]
    pub exposed: Exposed,
}

/// Its name is its identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChannelOutputs {
    pub name: Ref<Channel>,
}

impl HasName for ChannelOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

const PUT: Api = config::PUT_DELIVERY_CHANNEL;
const DELETE: Api = config::DELETE_DELIVERY_CHANNEL;

impl Kind for Channel {
    const TYPE: &'static str = "config/channel";
    const KNOWN_BY_NAME: bool = true;
    const NAME: NameRule = Recorder::NAME;
    type Outputs = ChannelOutputs;
}

impl Resource for Channel {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::ByName,
        seconds: (2.0, 2.0),
        cost: |_| Cost::NONE,
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let region = singletons(cx).await?;
        let recorder = region.recorder_name();
        // Without a recorder nothing but the record says whose a channel is.
        let theirs = match recorder {
            "" => region.channel.is_some() && key.outputs.is_none(),
            _ => !is_ours(cx, &region, key.identity).await?,
        };
        let Some(channel) = &region.channel else {
            // None is made for a recorder of others.
            let outputs = ChannelOutputs::default();
            let nothing = Found::of_parent(key.spec.clone(), outputs).accounts();
            return Ok(theirs.then_some(nothing));
        };
        let name = channel.name().unwrap_or_default();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let snapshots = channel.config_snapshot_delivery_properties();
        let mut exposed = Exposed::new();
        if let Some(topic) = channel.sns_topic_arn() {
            exposed.insert("topic".into(), topic.into());
        }
        if let Some(key) = channel.s3_kms_key_arn() {
            exposed.insert("key".into(), key.into());
        }
        let spec = Self {
            recorder: recorder.into(),
            bucket: text(channel.s3_bucket_name()).into(),
            prefix: text(channel.s3_key_prefix()),
            snapshots: text(
                snapshots
                    .and_then(|s| s.delivery_frequency())
                    .map(|f| f.as_str()),
            ),
            exposed,
        };
        let ours = name == key.identity.name && !theirs;
        let found = Found::of_parent(spec, ChannelOutputs { name: name.into() });
        Ok(Some(if ours { found } else { found.accounts() }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ChannelOutputs, Error> {
        self.put(cx, &identity.name).await?;
        Ok(ChannelOutputs {
            name: identity.name.as_str().into(),
        })
    }

    async fn update(&self, cx: &Aws, it: &ChannelOutputs, _: &Delta) -> Result<(), Error> {
        self.put(cx, it.name()).await
    }

    async fn delete(&self, cx: &Aws, it: &ChannelOutputs) -> Result<(), Error> {
        let call = cx.config.client.delete_delivery_channel();
        let call = call.delivery_channel_name(it.name());
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl Channel {
    async fn put(&self, cx: &Aws, name: &str) -> Result<(), Error> {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let snapshots = some(&self.snapshots).map(|frequency| {
            t::ConfigSnapshotDeliveryProperties::builder()
                .delivery_frequency(frequency.as_str().into())
                .build()
        });
        let channel = t::DeliveryChannel::builder()
            .name(name)
            .s3_bucket_name(&self.bucket)
            .set_s3_key_prefix(some(&self.prefix))
            .set_config_snapshot_delivery_properties(snapshots)
            .build();
        let call = cx.config.client.put_delivery_channel();
        let call = call.delivery_channel(channel);
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }
}
