//! That the recorder records. It takes a delivery channel first, and the channel stays until it has stopped.

use super::{Channel, Recorder, is_ours, needed_by_others, others, singletons};
use crate::resources::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recording {
    pub recorder: Ref<Recorder>,
    /// Where it delivers.
    pub channel: Ref<Channel>,
}

/// The recorder is its identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RecordingOutputs {
    pub recorder: Ref<Recorder>,
}

const START: Api = config::START_CONFIGURATION_RECORDER;
const STOP: Api = config::STOP_CONFIGURATION_RECORDER;

impl Kind for Recording {
    const TYPE: &'static str = "config/recording";
    type Outputs = RecordingOutputs;
}

impl Resource for Recording {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["recorder", "channel"],
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
        let name = region.recorder_name();
        if name.is_empty() {
            return Ok(None);
        }
        let ours = is_ours(cx, &region, key.identity).await?;
        if ours && !region.recording {
            return Ok(None);
        }
        let channel = region.channel.as_ref().and_then(|c| c.name());
        let spec = Self {
            recorder: name.into(),
            channel: channel.unwrap_or_default().into(),
        };
        let outputs = RecordingOutputs {
            recorder: name.into(),
        };
        let found = Found::of_parent(spec, outputs);
        Ok(Some(if ours { found } else { found.accounts() }))
    }

    async fn create(&self, cx: &Aws, _: &Identity) -> Result<RecordingOutputs, Error> {
        let call = cx.config.client.start_configuration_recorder();
        let call = call.configuration_recorder_name(&self.recorder);
        cx.call(START, || call.clone().send()).await?;
        Ok(RecordingOutputs {
            recorder: self.recorder.clone(),
        })
    }

    /// It goes on while rules of others need it; channel, bucket and role stay with it.
    async fn users(cx: &Aws, it: &RecordingOutputs) -> Result<Vec<String>, Error> {
        others(cx, it.recorder.as_str()).await
    }

    async fn delete(&self, cx: &Aws, it: &RecordingOutputs) -> Result<(), Error> {
        needed_by_others(cx, STOP, it.recorder.as_str()).await?;
        let call = cx.config.client.stop_configuration_recorder();
        let call = call.configuration_recorder_name(&it.recorder);
        cx.delete(STOP, || call.clone().send()).await
    }
}
