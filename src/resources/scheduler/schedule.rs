//! A schedule: when whom is called with what. It has no tags: it is ours when its group is.
//!
//! Whether it is switched on belongs to the migration command; it is made switched off. UpdateSchedule replaces all of a
//! schedule, so an update reads first whether it is on and sends that again. AWS has no condition for it: a switch in the moment
//! between the two calls would be undone, so the migration command reads back what it switched.

use super::Group;
use super::group::is_leaving;
use crate::resources::iam::Role;
use crate::resources::kms::Key;
use crate::resources::prelude::*;
use crate::resources::sqs::Queue;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types as t;
use serde_json::Value;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schedule {
    pub group: Ref<Group>,
    /// What it is for, up to 512 characters.
    pub description: String,
    /// `rate(1 minute)`, `cron(0 3 * * ? *)`, `at(2026-11-28T03:00:00)`
    pub expression: String,
    /// Where a `cron` or `at` expression is meant, `UTC`.
    pub time_zone: String,
    /// Minutes within which a call may be late on purpose; 0 for none.
    pub window_minutes: i32,
    pub target: Target,
    /// It is switched on. Made switched off whatever this says: see above.
    pub enabled: bool,
    /// The key that encrypts it; `None` for the service's own.
    pub kms_key: Option<Ref<Arn<Key>>>,
    /// A first or last date and what happens after it, which somebody set: `start`, `end`, `after`.
    #[serde(default)]
    pub limits: Exposed,
}

/// Whom it calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// The ARN of what is called: of a function, of a queue.
    pub arn: Ref<()>,
    /// The role with which it calls. Take it with `.ready()`.
    pub role: Ref<Arn<Role>>,
    /// What it is called with, as JSON; `null` for the event of EventBridge Scheduler.
    pub input: Value,
    /// How often a call that failed is repeated.
    pub retries: Retries,
    /// Where the calls go that failed for good.
    pub dead_letters: Option<Ref<Arn<Queue>>>,
}

/// Until when a call that failed is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retries {
    /// 0 to 185 times.
    pub attempts: i32,
    /// For 60 to 86,400 seconds.
    pub age_seconds: i32,
}

/// What counts when nothing is said ("RetryPolicy" in the EventBridge Scheduler API reference).
const DEFAULT: Retries = Retries {
    attempts: 185,
    age_seconds: 86_400,
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ScheduleOutputs {
    pub name: Ref<Schedule>,
    pub group: Ref<Group>,
    pub arn: Ref<Arn<Schedule>>,
}

impl HasName for ScheduleOutputs {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl ScheduleOutputs {
    fn new(cx: &Aws, group: &Ref<Group>, name: &str) -> Self {
        Self {
            name: name.into(),
            group: group.clone(),
            arn: cx
                .arn("scheduler", &format!("schedule/{group}/{name}"))
                .into(),
        }
    }
}

/// "CreateSchedule" and "CreateScheduleGroup" in the EventBridge Scheduler API reference.
pub(super) const NAME: NameRule = NameRule {
    min: 1,
    max: 64,
    legal: |c| c.is_ascii_alphanumeric() || "-_.".contains(c),
    charset: "letters, digits, `-`, `_` and `.`",
};

impl Kind for Schedule {
    const TYPE: &'static str = "scheduler/schedule";
    const NAME: NameRule = NAME;
    type Outputs = ScheduleOutputs;
}

impl Resource for Schedule {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (1.0, 1.0),
        cost: |_| Cost::usage(&["schedules"]),
        fixed: &["group"],
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
            legal: |owner| match owner.found {
                Value::Bool(_) => Ok(()),
                _ => Err("a schedule is switched on or off".into()),
            },
        }],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let (group, name) = match key.outputs {
            Some(it) => (&it.group, it.name.as_str()),
            None => (&key.spec.group, key.name()),
        };
        let Some(live) = found(get(cx, group.as_str(), name).await)? else {
            return Ok(None);
        };
        let outputs = ScheduleOutputs::new(cx, group, name);
        let mut found = Found::of_parent(of(group, &live), outputs);
        if key.outputs.is_none() {
            let arn = cx.arn("scheduler", &format!("schedule-group/{group}"));
            let tags = match cx.scheduler.tags(&arn).await {
                Err(error) if error.is_not_found() => return Ok(None),
                tags => tags?,
            };
            if !key.identity.same_deployment(&tags) {
                found.mark = Mark::Foreign(format!("its group {group} is not ours"));
            }
        }
        Ok(Some(found))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ScheduleOutputs, Error> {
        const CREATE: Api = scheduler::CREATE_SCHEDULE;
        let call = cx.scheduler.client.create_schedule().name(&identity.name);
        let call = call
            .group_name(&self.group)
            .client_token(&identity.token)
            .description(&self.description)
            .schedule_expression(&self.expression)
            .schedule_expression_timezone(&self.time_zone)
            .flexible_time_window(self.window(CREATE)?)
            .target(self.target(CREATE)?)
            .state(t::ScheduleState::Disabled)
            .set_kms_key_arn(self.kms_key.as_ref().map(String::from))
            .action_after_completion(t::ActionAfterCompletion::None);
        match cx.call(CREATE, || call.clone().send()).await {
            Ok(_) => Ok(ScheduleOutputs::new(cx, &self.group, &identity.name)),
            Err(mut error) => {
                if error.class == Class::Conflict && is_leaving(cx, self.group.as_str()).await {
                    error.class = Class::NotReady;
                }
                Err(error)
            }
        }
    }

    async fn update(&self, cx: &Aws, it: &ScheduleOutputs, _: &Delta) -> Result<(), Error> {
        const UPDATE: Api = scheduler::UPDATE_SCHEDULE;
        let (group, name) = (it.group.as_str(), it.name.as_str());
        let Some(live) = found(get(cx, group, name).await)? else {
            let text = format!("the schedule {group}/{name} is no longer there");
            return Err(Error::permanent(UPDATE.action(), text)
                .hint("run `deployer apply` again: it makes it anew"));
        };
        let state = live
            .state()
            .ok_or_else(|| scheduler::GET_SCHEDULE.missing("State"))?;
        let call = cx.scheduler.client.update_schedule().name(name);
        let call = call
            .group_name(group)
            .description(&self.description)
            .schedule_expression(&self.expression)
            .schedule_expression_timezone(&self.time_zone)
            .flexible_time_window(self.window(UPDATE)?)
            .target(self.target(UPDATE)?)
            .state(state.clone())
            .set_kms_key_arn(self.kms_key.as_ref().map(String::from))
            .action_after_completion(t::ActionAfterCompletion::None);
        cx.call(UPDATE, || call.clone().send()).await.map(drop)
    }

    async fn delete(&self, cx: &Aws, it: &ScheduleOutputs) -> Result<(), Error> {
        let call = cx.scheduler.client.delete_schedule().name(&it.name);
        let call = call.group_name(&it.group);
        let api = scheduler::DELETE_SCHEDULE;
        cx.delete(api, || call.clone().send()).await
    }
}

impl Schedule {
    fn window(&self, api: Api) -> Result<t::FlexibleTimeWindow, Error> {
        let window = t::FlexibleTimeWindow::builder();
        let window = match self.window_minutes {
            0 => window.mode(t::FlexibleTimeWindowMode::Off),
            minutes => window
                .mode(t::FlexibleTimeWindowMode::Flexible)
                .maximum_window_in_minutes(minutes),
        };
        built(api, window.build())
    }

    fn target(&self, api: Api) -> Result<t::Target, Error> {
        let to = &self.target;
        let retries = t::RetryPolicy::builder()
            .maximum_retry_attempts(to.retries.attempts)
            .maximum_event_age_in_seconds(to.retries.age_seconds);
        let dead = to.dead_letters.as_ref();
        let dead = dead.map(|arn| t::DeadLetterConfig::builder().arn(arn).build());
        let input = Some(&to.input).filter(|i| !i.is_null());
        let target = t::Target::builder()
            .arn(&to.arn)
            .role_arn(&to.role)
            .set_input(input.map(Value::to_string))
            .retry_policy(retries.build())
            .set_dead_letter_config(dead);
        built(api, target.build())
    }
}

fn built<T>(api: Api, made: Result<T, aws_sdk_scheduler::error::BuildError>) -> Result<T, Error> {
    made.map_err(|e| Error::permanent(api.action(), e.to_string()))
}

async fn get(cx: &Aws, group: &str, name: &str) -> Result<GetScheduleOutput, Error> {
    let call = cx.scheduler.client.get_schedule();
    let call = call.group_name(group).name(name);
    let api = scheduler::GET_SCHEDULE;
    cx.call(api, || call.clone().send()).await
}

/// What was read, in the struct that was written.
fn of(group: &Ref<Group>, live: &GetScheduleOutput) -> Schedule {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let window = live.flexible_time_window();
    let target = live.target();
    let retries = target.and_then(t::Target::retry_policy);
    let retries = Retries {
        attempts: retries
            .and_then(t::RetryPolicy::maximum_retry_attempts)
            .unwrap_or(DEFAULT.attempts),
        age_seconds: retries
            .and_then(t::RetryPolicy::maximum_event_age_in_seconds)
            .unwrap_or(DEFAULT.age_seconds),
    };
    let input = target.and_then(t::Target::input).unwrap_or_default();
    let input = match serde_json::from_str(input) {
        Ok(value) => value,
        Err(_) if input.is_empty() => Value::Null,
        Err(_) => Value::String(input.to_owned()),
    };
    let dead = target.and_then(t::Target::dead_letter_config);
    let dead = dead.and_then(t::DeadLetterConfig::arn);
    Schedule {
        group: group.clone(),
        description: text(live.description()),
        expression: text(live.schedule_expression()),
        time_zone: live
            .schedule_expression_timezone()
            .unwrap_or("UTC")
            .to_owned(),
        window_minutes: window
            .and_then(t::FlexibleTimeWindow::maximum_window_in_minutes)
            .unwrap_or_default(),
        target: Target {
            arn: target.map_or("", t::Target::arn).into(),
            role: target.map_or("", t::Target::role_arn).into(),
            input,
            retries,
            dead_letters: dead.map(Ref::from),
        },
        enabled: live.state() == Some(&t::ScheduleState::Enabled),
        kms_key: live.kms_key_arn().map(Ref::from),
        limits: limits(live),
    }
}

fn limits(live: &GetScheduleOutput) -> Exposed {
    let mut out = Exposed::new();
    for (name, date) in [("start", live.start_date()), ("end", live.end_date())] {
        out.extend(date.map(|d| (name.to_owned(), d.to_string())));
    }
    let after = live.action_after_completion();
    let after = after.filter(|a| **a != t::ActionAfterCompletion::None);
    out.extend(after.map(|a| ("after".to_owned(), a.as_str().to_owned())));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schedule() -> Schedule {
        Schedule {
            group: "migration-green-dev".into(),
            description: "Copies what changed".into(),
            expression: "rate(1 minute)".into(),
            time_zone: "UTC".into(),
            window_minutes: 0,
            target: Target {
                arn: "arn:aws:lambda:eu-central-1:123456789012:function:sync-green-dev".into(),
                role: "arn:aws:iam::123456789012:role/role-schedule-green-dev".into(),
                input: json!({"task": "sync", "b": [1, 2]}),
                retries: Retries {
                    attempts: 0,
                    age_seconds: 60,
                },
                dead_letters: Some("arn:aws:sqs:eu-central-1:123456789012:dead".into()),
            },
            enabled: false,
            kms_key: Some("arn:aws:kms:eu-central-1:123456789012:key/1".into()),
            limits: Exposed::new(),
        }
    }

    /// What AWS answers after `it` was sent.
    fn answer(it: &Schedule) -> GetScheduleOutput {
        let api = scheduler::CREATE_SCHEDULE;
        GetScheduleOutput::builder()
            .description(&it.description)
            .schedule_expression(&it.expression)
            .schedule_expression_timezone(&it.time_zone)
            .flexible_time_window(it.window(api).unwrap())
            .target(it.target(api).unwrap())
            .state(t::ScheduleState::Disabled)
            .set_kms_key_arn(it.kms_key.as_ref().map(String::from))
            .action_after_completion(t::ActionAfterCompletion::None)
            .build()
    }

    fn read_back(it: &Schedule) {
        let shown = of(&it.group, &answer(it));
        let json = |it: &Schedule| serde_json::to_value(it).unwrap();
        assert_eq!(json(&shown), json(it));
    }

    #[test]
    fn what_is_sent_reads_back_as_it_was_written() {
        read_back(&schedule());
        let mut bare = schedule();
        bare.window_minutes = 15;
        bare.target.input = Value::Null;
        bare.target.dead_letters = None;
        bare.kms_key = None;
        read_back(&bare);
    }

    #[test]
    fn what_somebody_set_beside_it_shows() {
        let it = schedule();
        let mut live = answer(&it);
        live.start_date = Some(aws_smithy_types::DateTime::from_secs(0));
        live.action_after_completion = Some(t::ActionAfterCompletion::Delete);
        live.state = Some(t::ScheduleState::Enabled);
        let target = live.target.as_mut().unwrap();
        target.input = Some("no JSON".into());
        target.retry_policy = None;
        let shown = of(&it.group, &live);
        assert!(shown.enabled);
        assert_eq!(shown.target.input, json!("no JSON"));
        assert_eq!(shown.target.retries, DEFAULT);
        let limits = [("after", "DELETE"), ("start", "1970-01-01T00:00:00Z")];
        let limits = limits.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(shown.limits, Exposed::from(limits));
    }
}
