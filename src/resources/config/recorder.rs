//! The recorder of a region.

use super::tags::{ConfigTags, tags};
use super::{after_put, needed_by_others, others, singletons};
use crate::aws::config::Singletons;
use crate::resources::iam::Role;
use crate::resources::owned::marked_of;
use crate::resources::prelude::*;
use aws_sdk_config::types as t;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recorder {
    /// With which it reads what it records, and delivers it.
    pub role: Ref<Arn<Role>>,
    /// The types that it records, `AWS::S3::Bucket`; all of them when empty.
    pub types: BTreeSet<String>,
    /// `CONTINUOUS` or `DAILY`.
    pub frequency: String,
}

const READ: Api = config::DESCRIBE_CONFIGURATION_RECORDERS;
const PUT: Api = config::PUT_CONFIGURATION_RECORDER;
const DELETE: Api = config::DELETE_CONFIGURATION_RECORDER;

impl Kind for Recorder {
    const TYPE: &'static str = "config/recorder";
    /// "ConfigurationRecorder" in the AWS Config API reference.
    const NAME: NameRule = NameRule {
        min: 1,
        max: 256,
        legal: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
        charset: "letters, digits, `-` and `_`",
    };
    type Outputs = Named<Self>;
}

impl Resource for Recorder {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (2.0, 2.0),
        cost: |_| Cost::usage(&["config_items"]),
        fixed: &[],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = ConfigTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let region = singletons(cx).await?;
        let Some(recorder) = &region.recorder else {
            return Ok(None);
        };
        let name = region.recorder_name();
        let arn: Ref<Arn<Self>> = READ.field(recorder.arn(), "arn")?;
        let outputs = Named::new(name, arn);
        let spec = of(recorder);
        if name != key.identity.name {
            return Ok(Some(Found::of_parent(spec, outputs).accounts()));
        }
        let arn = outputs.arn.as_str();
        let tags = cx.tagged(arn, &key.identity.tags, cx.config.tags(arn));
        let Some(tags) = found(tags.await)? else {
            return Ok(None);
        };
        cx.recent.note(outputs.arn.as_str(), &tags);
        Ok(Some(Found::tagged(spec, outputs, tags)))
    }

    /// The answer has no ARN, so it is read.
    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Named<Self>, Error> {
        let call = cx.config.client.put_configuration_recorder();
        let call = call.configuration_recorder(self.form(&identity.name));
        let call = call.set_tags(Some(tags(&identity.tags)));
        cx.call(PUT, || call.clone().send()).await?;
        let region = singletons(cx).await.map_err(after_put)?;
        let arn = region.recorder.as_ref().and_then(|r| r.arn());
        let arn: Ref<Arn<Self>> = PUT.field(arn, "arn")?;
        Ok(Named::new(&identity.name, arn))
    }

    async fn update(&self, cx: &Aws, it: &Named<Self>, _: &Delta) -> Result<(), Error> {
        let call = cx.config.client.put_configuration_recorder();
        let call = call.configuration_recorder(self.form(it.name.as_str()));
        cx.call(PUT, || call.clone().send()).await.map(drop)
    }

    async fn users(cx: &Aws, it: &Named<Self>) -> Result<Vec<String>, Error> {
        others(cx, it.name.as_str()).await
    }

    async fn delete(&self, cx: &Aws, it: &Named<Self>) -> Result<(), Error> {
        let name = it.name.as_str();
        needed_by_others(cx, DELETE, name).await?;
        let call = cx.config.client.delete_configuration_recorder();
        let call = call.configuration_recorder_name(name);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl Recorder {
    fn form(&self, name: &str) -> t::ConfigurationRecorder {
        let types = self.types.iter().map(|t| t.as_str().into());
        let strategy = if self.types.is_empty() {
            t::RecordingStrategyType::AllSupportedResourceTypes
        } else {
            t::RecordingStrategyType::InclusionByResourceTypes
        };
        let group = t::RecordingGroup::builder()
            .all_supported(self.types.is_empty())
            .include_global_resource_types(false)
            .set_resource_types((!self.types.is_empty()).then(|| types.collect()))
            .recording_strategy(t::RecordingStrategy::builder().use_only(strategy).build());
        let mode = t::RecordingMode::builder()
            .recording_frequency(self.frequency.as_str().into())
            .build();
        t::ConfigurationRecorder::builder()
            .name(name)
            .role_arn(&self.role)
            .recording_group(group.build())
            // The one field that it must have is set.
            .set_recording_mode(mode.ok())
            .build()
    }
}

fn of(recorder: &t::ConfigurationRecorder) -> Recorder {
    let group = recorder.recording_group();
    let types = group.map(|g| g.resource_types()).unwrap_or_default();
    let mut types: BTreeSet<String> = types.iter().map(|t| t.as_str().to_owned()).collect();
    // Neither all nor some: all but these, which no list of types can say.
    if let Some(but) = group.and_then(|g| g.exclusion_by_resource_types()) {
        let all = but.resource_types().iter();
        types.extend(all.map(|t| format!("all but {}", t.as_str())));
    }
    if group.is_some_and(|g| g.include_global_resource_types()) {
        types.insert("global types".into());
    }
    let mode = recorder.recording_mode();
    let mut frequency = mode
        .map_or("CONTINUOUS", |m| m.recording_frequency().as_str())
        .to_owned();
    let others = mode
        .map(|m| m.recording_mode_overrides())
        .unwrap_or_default();
    for one in others {
        frequency = format!(
            "{frequency}, {} for some",
            one.recording_frequency().as_str()
        );
    }
    Recorder {
        role: recorder.role_arn().unwrap_or_default().into(),
        types,
        frequency,
    }
}

async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let Singletons { recorder, .. } = singletons(cx).await?;
    let all = recorder.and_then(|r| Some((r.name?, r.arn?)));
    marked_of(
        cx,
        Recorder::TYPE,
        suffix,
        all.into_iter().collect(),
        |cx, arn| Box::pin(async move { found(cx.config.tags(arn).await) }),
    )
    .await
}
