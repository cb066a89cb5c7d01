//! When the migration's functions are called: a group of schedules, which says whose they are, and a schedule for what is
//! called again and again. All are off until a migration runs, which switches them.

use super::EnvironmentBuilder;
use super::keys::Keys;
use super::logging::service_role;
use super::roles::allow;
use crate::engine::Handle;
use crate::resources::Exposed;
use crate::resources::iam::Role;
use crate::resources::lambda::Function;
use crate::resources::policy::Policy;
use crate::resources::scheduler::{Group, Retries, Schedule, Target};
use crate::resources::sqs::Queue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The group in names.
const GROUP: &str = "migration";

/// Who takes on the role of a schedule.
const SCHEDULER: &str = "scheduler.amazonaws.com";

/// Declares the group.
pub fn group(here: &mut EnvironmentBuilder<'_>) -> Handle<Group> {
    here.add(GROUP, Group::default())
}

/// Only the schedules of our group take on a role ("Confused deputy prevention in EventBridge Scheduler"): `aws:SourceArn` is the ARN
/// of the group, not that of a schedule.
pub fn source(here: &EnvironmentBuilder<'_>) -> Value {
    let group = format!("schedule-group/{}", here.name(GROUP));
    json!({"StringEquals": {
        "aws:SourceAccount": here.facts.account,
        "aws:SourceArn": here.arn("scheduler", &group),
    }})
}

/// What a schedule needs besides the function.
pub struct Needs<'a> {
    /// The environment's keys.
    pub keys: &'a Keys,
    pub group: &'a Handle<Group>,
    /// Where the calls go that failed.
    pub failed: &'a Handle<Queue>,
}

/// Calls a function again and again, one time each: what failed is done by the next call. `input` is what it is called with.
pub fn regularly(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    name: &str,
    function: &Handle<Function>,
    input: Value,
) {
    let (keys, failed) = (needs.keys, needs.failed);
    // It is not called before it is active.
    let arn = function.arn().ready().to_string();
    let role = caller(here, keys, failed, name, &arn);
    let minutes = here.config.migration.interval_minutes;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let spec = Schedule {
        group: needs.group.name.clone(),
        description: format!("Calls {}", here.name(&format!("function-{name}"))),
        expression: format!("rate({minutes} {unit})"),
        time_zone: "UTC".into(),
        window_minutes: 0,
        target: Target {
            arn: arn.as_str().into(),
            role: role.arn.ready(),
            input,
            retries: Retries {
                attempts: 0,
                age_seconds: 60,
            },
            dead_letters: Some(failed.arn.clone()),
        },
        enabled: false,
        kms_key: Some(keys.data.arn.clone()),
        limits: Exposed::new(),
    };
    here.add(&format!("schedule-{name}"), spec);
}

/// The role with which a schedule calls one function, puts what failed into its queue, and reads its own input.
fn caller(
    here: &mut EnvironmentBuilder<'_>,
    keys: &Keys,
    failed: &Handle<Queue>,
    function: &str,
    arn: &str,
) -> Handle<Role> {
    let region = &here.config.region;
    let through = ["scheduler", "sqs"].map(|s| format!("{s}.{region}.amazonaws.com"));
    let mut key = allow(
        "UseDataKey",
        &["kms:Decrypt", "kms:GenerateDataKey"],
        json!(keys.data.arn),
    );
    key["Condition"] = json!({"StringEquals": {"kms:ViaService": through}});
    let statements = vec![
        allow("CallFunction", &["lambda:InvokeFunction"], json!(arn)),
        allow("KeepFailedCalls", &["sqs:SendMessage"], json!(failed.arn)),
        key,
    ];
    let role = Role {
        description: format!("Calls {function} on schedule ({})", here.env),
        inline: BTreeMap::from([("call".into(), Policy::of(statements))]),
        ..service_role(SCHEDULER, source(here))
    };
    here.add(&format!("role-schedule-{function}"), role)
}
