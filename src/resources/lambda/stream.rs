//! What takes the records of a table's stream to a function. Off until a migration runs, which switches it.

use super::{Function, LambdaTags, rest};
use crate::engine::ownership::MARK_STEP;
use crate::resources::dynamodb::Stream;
use crate::resources::prelude::*;
use crate::resources::sqs::Queue;
use aws_sdk_lambda::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StreamMapping {
    pub function: Ref<Arn<Function>>,
    pub stream: Ref<Arn<Stream>>,
    /// `TRIM_HORIZON`: from the oldest record that the stream still has.
    pub position: String,
    /// True while it is on.
    pub enabled: bool,
    /// Records of one call at most.
    pub batch: i32,
    /// Attempts after the first that failed, before a record is given up.
    pub retries: i32,
    /// The oldest that a record may become before it is given up.
    pub max_age_seconds: i32,
    /// Halves a batch that failed.
    pub bisect: bool,
    /// The function says which records of a batch failed.
    pub partial: bool,
    /// Takes the place of what was given up.
    pub dead_letters: Ref<Arn<Queue>>,
    /// Settings beside these that somebody set.
    #[serde(default)]
    pub others: Exposed,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StreamMappingOutputs {
    /// What AWS calls it.
    pub id: Ref<StreamMapping>,
    pub arn: Ref<Arn<StreamMapping>>,
}

impl HasArn for StreamMappingOutputs {
    fn arn(&self) -> &str {
        self.arn.as_str()
    }
}

const CREATE: Api = lambda::CREATE_EVENT_SOURCE_MAPPING;
const READ: Api = lambda::LIST_EVENT_SOURCE_MAPPINGS;

impl Kind for StreamMapping {
    const TYPE: &'static str = "lambda/stream_mapping";
    type Outputs = StreamMappingOutputs;
}

impl Resource for StreamMapping {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Own(|cx, suffix| Box::pin(search(cx, suffix))),
        seconds: (20.0, 20.0),
        cost: |_| Cost::NONE,
        fixed: &["function", "stream", "position"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[Delegated {
            field: "enabled",
            owner: "the migration command",
            record: None,
            legal: |_| Ok(()),
        }],
    };
    type Tags = LambdaTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let all = cx.lambda.mappings().await?;
        let one = match key.outputs {
            Some(it) => all.into_iter().find(|m| m.uuid() == Some(it.id.as_str())),
            None => of_step(cx, &key, all).await?,
        };
        let Some(one) = one else { return Ok(None) };
        let outputs = StreamMappingOutputs {
            id: READ.field(one.uuid(), "UUID")?,
            arn: READ.field(one.event_source_mapping_arn(), "EventSourceMappingArn")?,
        };
        let tags = cx.lambda.tags(outputs.arn());
        let tags = cx.tagged(outputs.arn(), &key.identity.tags, tags);
        let Some(tags) = found(tags.await)? else {
            return Ok(None);
        };
        cx.recent.note(outputs.arn(), &tags);
        let phase = phase(&one);
        Ok(Some(Found::tagged(of(&one), outputs, tags).phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<StreamMappingOutputs, Error> {
        let call = cx.lambda.client.create_event_source_mapping();
        let call = call
            .function_name(&self.function)
            .event_source_arn(&self.stream)
            .starting_position(t::EventSourcePosition::from(self.position.as_str()))
            .enabled(self.enabled)
            .batch_size(self.batch)
            .maximum_retry_attempts(self.retries)
            .maximum_record_age_in_seconds(self.max_age_seconds)
            .bisect_batch_on_function_error(self.bisect)
            .set_function_response_types(Some(self.responses()))
            .destination_config(self.destination())
            .set_tags(Some(identity.tags.clone().into_iter().collect()));
        let made = cx.call(CREATE, || call.clone().send()).await?;
        Ok(StreamMappingOutputs {
            id: CREATE.field(made.uuid(), "UUID")?,
            arn: CREATE.field(made.event_source_mapping_arn(), "EventSourceMappingArn")?,
        })
    }

    /// Whether it is on is left as it is: the migration switches it.
    async fn update(
        &self,
        cx: &Aws,
        it: &StreamMappingOutputs,
        delta: &Delta,
    ) -> Result<(), Error> {
        let call = cx.lambda.client.update_event_source_mapping().uuid(&it.id);
        let call = call
            .batch_size(self.batch)
            .maximum_retry_attempts(self.retries)
            .maximum_record_age_in_seconds(self.max_age_seconds)
            .bisect_batch_on_function_error(self.bisect)
            .set_function_response_types(Some(self.responses()))
            .destination_config(self.destination());
        let call = rest::map(call, delta)?;
        let api = lambda::UPDATE_EVENT_SOURCE_MAPPING;
        cx.call(api, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &StreamMappingOutputs) -> Result<(), Error> {
        let call = cx.lambda.client.delete_event_source_mapping().uuid(&it.id);
        let api = lambda::DELETE_EVENT_SOURCE_MAPPING;
        cx.delete(api, || call.clone().send()).await
    }
}

impl StreamMapping {
    fn responses(&self) -> Vec<t::FunctionResponseType> {
        let partial = t::FunctionResponseType::ReportBatchItemFailures;
        self.partial.then_some(partial).into_iter().collect()
    }

    fn destination(&self) -> t::DestinationConfig {
        let failed = t::OnFailure::builder().destination(&self.dead_letters);
        t::DestinationConfig::builder()
            .on_failure(failed.build())
            .build()
    }
}

fn of(one: &t::EventSourceMappingConfiguration) -> StreamMapping {
    let failed = one.destination_config().and_then(|d| d.on_failure());
    let partial = &t::FunctionResponseType::ReportBatchItemFailures;
    let position = one.starting_position().map(t::EventSourcePosition::as_str);
    StreamMapping {
        function: one.function_arn().unwrap_or_default().into(),
        stream: one.event_source_arn().unwrap_or_default().into(),
        position: position.unwrap_or_default().to_owned(),
        enabled: matches!(one.state(), Some("Enabled" | "Enabling")),
        batch: one.batch_size().unwrap_or_default(),
        // -1, for ever, is what AWS does unless told otherwise.
        retries: one.maximum_retry_attempts().unwrap_or(-1),
        max_age_seconds: one.maximum_record_age_in_seconds().unwrap_or(-1),
        bisect: one.bisect_batch_on_function_error().unwrap_or_default(),
        partial: one.function_response_types().contains(partial),
        dead_letters: failed
            .and_then(|f| f.destination())
            .unwrap_or_default()
            .into(),
        others: rest::of_mapping(one),
    }
}

fn phase(one: &t::EventSourceMappingConfiguration) -> Phase {
    match one.state() {
        Some("Deleting") => Phase::Deleting,
        Some("Enabled" | "Disabled") => Phase::Ready,
        _ => Phase::Settling,
    }
}

/// The mapping of this function and stream, of which AWS takes one only; without knowing these, the one with the step's mark.
async fn of_step(
    cx: &Aws,
    key: &Lookup<'_, StreamMapping>,
    all: Vec<t::EventSourceMappingConfiguration>,
) -> Result<Option<t::EventSourceMappingConfiguration>, Error> {
    let (function, stream) = (key.spec.function.as_str(), key.spec.stream.as_str());
    let is_pair = |one: &t::EventSourceMappingConfiguration| {
        one.function_arn() == Some(function) && one.event_source_arn() == Some(stream)
    };
    if let Some(one) = all.iter().find(|one| is_pair(one)) {
        return Ok(Some(one.clone()));
    }
    for one in all {
        let arn = one.event_source_mapping_arn().unwrap_or_default();
        let tags = found(cx.lambda.tags(arn).await)?.unwrap_or_default();
        let step = tags.get(MARK_STEP);
        if of_deployment(key.identity, &tags) && step == key.identity.tags.get(MARK_STEP) {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// Mappings have no name: those of functions that can be ours are asked for their tags.
async fn search(cx: &Aws, suffix: &str) -> Result<Vec<Owned>, Error> {
    let mut out = Vec::new();
    for one in cx.lambda.mappings().await? {
        let function = one.function_arn().unwrap_or_default();
        let name = function.rsplit(':').next().unwrap_or_default();
        let (Some(arn), true) = (
            one.event_source_mapping_arn(),
            is_conventional(name, suffix),
        ) else {
            continue;
        };
        let known = match cx.recent.get(arn).await {
            Some(tags) => Some(tags),
            None => found(cx.lambda.tags(arn).await)?,
        };
        out.extend(known.and_then(|tags| marked(StreamMapping::TYPE, arn, "", tags, suffix)));
    }
    Ok(out)
}
