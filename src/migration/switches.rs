//! What calls the functions by itself: schedules and mappings of streams. They are made off and belong to the migrate command.

use super::names::{Function, Names};
use crate::aws::Aws;
use crate::aws::lambda::UPDATE_EVENT_SOURCE_MAPPING;
use crate::aws::scheduler::{GET_SCHEDULE, UPDATE_SCHEDULE};
use crate::engine::Error;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::ScheduleState;
use serde::Serialize;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Switch {
    /// The function that it calls, `sync`.
    pub function: String,
    /// It is on; null when it is not there.
    pub on: Option<bool>,
}

enum There {
    Schedule(Box<GetScheduleOutput>),
    Stream(Box<EventSourceMappingConfiguration>),
}

impl There {
    fn is_on(&self) -> bool {
        match self {
            Self::Schedule(schedule) => schedule.state() == Some(&ScheduleState::Enabled),
            // "Enabled", "Enabling", "Updating" of one that is on; "Disabled", "Disabling".
            Self::Stream(stream) => {
                let state = stream.state().unwrap_or_default();
                state.starts_with("Enabl") || state == "Updating"
            }
        }
    }
}

/// How they stand.
///
/// # Errors
/// When they cannot be read.
pub async fn switches(aws: &Aws, names: &Names) -> Result<Vec<Switch>, Error> {
    let mut all = Vec::new();
    for function in &names.movers {
        let there = find(aws, names, function).await?;
        all.push(Switch {
            function: function.what.to_owned(),
            on: there.as_ref().map(There::is_on),
        });
    }
    Ok(all)
}

/// Turns those of one direction on or off; gives the functions for which something changed.
///
/// # Errors
/// When one is not there, or AWS refuses. The same command resumes from there.
pub async fn turn(aws: &Aws, names: &Names, back: bool, on: bool) -> Result<Vec<String>, Error> {
    let mut changed = Vec::new();
    for function in names.movers.iter().filter(|m| m.back == back) {
        let Some(there) = find(aws, names, function).await? else {
            if !on {
                continue;
            }
            let text = format!(
                "nothing calls {} by itself: its schedule or stream is not there",
                function.name
            );
            return Err(Error::permanent("migrate", text)
                .hint("make both environments with `deployer apply`"));
        };
        if there.is_on() != on {
            set(aws, names, &there, on).await?;
            changed.push(function.what.to_owned());
        }
    }
    Ok(changed)
}

async fn find(aws: &Aws, names: &Names, function: &Function) -> Result<Option<There>, Error> {
    let Some(schedule) = &function.schedule else {
        let mappings = aws.lambda.mappings().await?;
        let ending = format!(":function:{}", function.name);
        let calls = |m: &EventSourceMappingConfiguration| {
            m.function_arn().is_some_and(|arn| arn.ends_with(&ending))
        };
        let found = mappings.into_iter().find(calls);
        return Ok(found.map(|m| There::Stream(Box::new(m))));
    };
    let call = aws.scheduler.client.get_schedule().name(schedule);
    let call = call.group_name(&names.group);
    match aws.call(GET_SCHEDULE, || call.clone().send()).await {
        Ok(found) => Ok(Some(There::Schedule(Box::new(found)))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// UpdateSchedule replaces everything: what was read is sent again with the other state.
async fn set(aws: &Aws, names: &Names, there: &There, on: bool) -> Result<(), Error> {
    match there {
        There::Stream(stream) => {
            let call = aws.lambda.client.update_event_source_mapping();
            let call = call.set_uuid(stream.uuid.clone()).enabled(on);
            let api = UPDATE_EVENT_SOURCE_MAPPING;
            aws.call(api, || call.clone().send()).await.map(drop)
        }
        There::Schedule(live) => {
            let state = if on {
                ScheduleState::Enabled
            } else {
                ScheduleState::Disabled
            };
            let call = aws.scheduler.client.update_schedule();
            let call = call
                .set_name(live.name.clone())
                .group_name(&names.group)
                .set_description(live.description.clone())
                .set_schedule_expression(live.schedule_expression.clone())
                .set_schedule_expression_timezone(live.schedule_expression_timezone.clone())
                .set_start_date(live.start_date)
                .set_end_date(live.end_date)
                .set_flexible_time_window(live.flexible_time_window.clone())
                .set_target(live.target.clone())
                .set_kms_key_arn(live.kms_key_arn.clone())
                .set_action_after_completion(live.action_after_completion.clone())
                .state(state);
            aws.call(UPDATE_SCHEDULE, || call.clone().send())
                .await
                .map(drop)
        }
    }
}
