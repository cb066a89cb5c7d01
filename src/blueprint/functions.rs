//! The migration's functions (`lambda/README.md`) and what stands beside each of them. They belong to green, which they fill and
//! which stays; what they do concerns blue too, so the functions themselves come when blue is there.

use super::function_roles as roles;
use super::keys::Keys;
use super::{Env, EnvironmentBuilder, schedules, tables, tooling};
use crate::engine::{Handle, Ref};
use crate::functions::DEFAULT_MAPPING;
use crate::resources::dynamodb::Table;
use crate::resources::ec2::{SecurityGroup, Subnet};
use crate::resources::lambda::{Function, Network, StreamMapping};
use crate::resources::logs::LogGroup;
use crate::resources::policy::Policy;
use crate::resources::rds::Cluster;
use crate::resources::scheduler::Group;
use crate::resources::secretsmanager::Secret;
use crate::resources::sqs::Queue;
use crate::resources::ssm::{PATH, Parameter};
use crate::resources::{Arn, Exposed};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a function reaches besides its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Both databases.
    Databases,
    /// Both databases, and it makes the key of hashes.
    Control,
    /// Both databases, and it counts sessions on both sides.
    Verify,
    /// The sessions of both sides; from blue to green when true.
    Sessions(bool),
}

/// One function.
#[derive(Debug)]
pub struct Spec {
    /// In names: `function-sync-green-dev`.
    pub name: &'static str,
    /// The zip that has its handler.
    pub zip: &'static str,
    /// Seconds of one invocation at most.
    pub timeout: i32,
    /// MiB; the processor time follows from it.
    pub memory: i32,
    /// What it reaches.
    pub reach: Reach,
}

impl Spec {
    /// The thing in names: the function `sessions` is not the table of this name.
    pub fn thing(&self) -> String {
        format!("function-{}", self.name)
    }
}

const fn spec(name: &'static str, zip: &'static str, timeout: i32, reach: Reach) -> Spec {
    Spec {
        name,
        zip,
        timeout,
        memory: 512,
        reach,
    }
}

/// Where they run: the ways to the other environment's database are open from there alone.
pub const HOME: Env = Env::Green;

/// Concurrent executions of each function: a run, the next call of its schedule, which sees the run and ends, and a call by hand.
/// With one alone Lambda would keep the calls that it refuses for up to six hours and make them later, also after the end of a
/// migration ("Asynchronous invocation", "Configuring reserved concurrency for a function").
pub const RESERVED: i32 = 3;

pub const FUNCTIONS: [Spec; 6] = [
    spec("sync", "sync", 900, Reach::Databases),
    spec("sync-reverse", "sync", 900, Reach::Databases),
    spec("control", "control", 300, Reach::Control),
    spec("verify", "verify", 900, Reach::Verify),
    spec("sessions", "sessions", 60, Reach::Sessions(true)),
    spec("sessions-reverse", "sessions", 60, Reach::Sessions(false)),
];

/// The longest that SQS keeps a message: what a stream discarded can be replayed for as long.
const KEPT_SECONDS: u32 = 14 * 86_400;

/// Days that a log group keeps what a function writes.
const LOG_DAYS: i32 = 90;

/// Days for which the hash key can be brought back after its deletion was asked for.
const RECOVERY_DAYS: i64 = 30;

/// What one side has that a migration needs.
pub struct Side {
    pub database: Handle<Cluster>,
    /// The table of sessions, with its stream.
    pub sessions: Handle<Table>,
    /// The key of both.
    pub data_key: Ref<Arn<crate::resources::kms::Key>>,
}

/// What stands beside the functions, made with green alone.
pub struct Beside {
    logs: Vec<Handle<LogGroup>>,
    failures: Vec<Handle<Queue>>,
    states: [Handle<Table>; 2],
    mapping: Handle<Parameter>,
    hash_key: Handle<Secret>,
    group: Handle<Group>,
}

/// Declares what stands beside the functions.
pub fn beside(here: &mut EnvironmentBuilder<'_>, keys: &Keys) -> Beside {
    let mut logs = Vec::new();
    let mut failures = Vec::new();
    for function in &FUNCTIONS {
        logs.push(log_group(here, keys, function));
        failures.push(queue(here, keys, function.name));
    }
    Beside {
        logs,
        failures,
        states: tables::migration(here, keys),
        mapping: mapping(here),
        hash_key: hash_key(here, keys),
        group: schedules::group(here),
    }
}

/// Where the functions run.
pub struct Place<'a> {
    /// The subnets of green's app tier.
    pub subnets: &'a [Handle<Subnet>],
    /// The one group of all functions, which share their interfaces so.
    pub group: &'a Handle<SecurityGroup>,
    /// Green's keys.
    pub keys: &'a Keys,
}

/// Declares the functions, each of which waits for blue, and the mappings of the streams, which are off.
pub fn declare(
    here: &mut EnvironmentBuilder<'_>,
    place: &Place<'_>,
    beside: &Beside,
    blue: &Side,
    green: &Side,
) {
    let mut sessions = Vec::new();
    let mut all = Vec::new();
    for (at, function) in FUNCTIONS.iter().enumerate() {
        let variables = variables(here, function, beside, blue, green);
        let needs = roles::Needs {
            function,
            queue: beside.failures[at].arn.clone(),
            blue,
            green,
            mapping: beside.mapping.arn(),
            hash_key: beside.hash_key.arn.clone(),
            states: &beside.states,
        };
        let role = roles::declare(here, &needs);
        let spec = Function {
            // Without its policies Lambda refuses it.
            role: role.arn().ready(),
            runtime: here.config.migration.runtime.clone(),
            handler: format!("{}.handler", function.zip),
            code_sha256: here.facts.code.of(function.zip),
            memory_mib: function.memory,
            timeout_seconds: function.timeout,
            network: Some(Network {
                subnets: place.subnets.iter().map(|s| s.id()).collect(),
                security_groups: vec![place.group.id()],
            }),
            environment: variables,
            kms_key: place.keys.data.arn.clone(),
            log_group: beside.logs[at].name(),
            dead_letters: beside.failures[at].arn.clone(),
            concurrency: (here.config.migration.reserve_concurrency
                && here.facts.concurrency != Some(false))
            .then_some(RESERVED),
            layers: Vec::new(),
            exposed: Exposed::new(),
            others: Exposed::new(),
            members: Vec::new(),
        };
        let made = here.add(&function.thing(), spec);
        here.needs(Env::Blue);
        here.output(&format!("function.{}", function.name), &made.name);
        all.push(made.arn());
        match function.reach {
            Reach::Sessions(forward) => sessions.push((at, forward, made)),
            Reach::Databases => {
                let needs = schedules::Needs {
                    keys: place.keys,
                    group: &beside.group,
                    failed: &beside.failures[at],
                };
                let run = json!({"action": "run"});
                schedules::regularly(here, &needs, function.name, &made, run);
            }
            Reach::Control | Reach::Verify => {}
        }
    }
    for (at, forward, function) in sessions {
        let from = if forward { blue } else { green };
        let spec = StreamMapping {
            // A function that is not active yet takes no records.
            function: function.arn().ready(),
            stream: from.sessions.stream_arn.clone(),
            position: "TRIM_HORIZON".into(),
            enabled: false,
            batch: 100,
            retries: 100,
            // The stream itself keeps records for 24 hours.
            max_age_seconds: 86_400,
            bisect: true,
            partial: true,
            dead_letters: beside.failures[at].arn.clone(),
            others: Exposed::new(),
        };
        here.add(&format!("stream-{}", FUNCTIONS[at].name), spec);
        here.needs(Env::Blue);
    }
    let needs = tooling::Needs {
        functions: all,
        queues: beside.failures.iter().map(|q| q.arn.clone()).collect(),
    };
    tooling::declare(here, &needs);
}

fn variables(
    here: &EnvironmentBuilder<'_>,
    function: &Spec,
    beside: &Beside,
    blue: &Side,
    green: &Side,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
    if let Reach::Sessions(forward) = function.reach {
        let (from, to) = if forward {
            (blue, green)
        } else {
            (green, blue)
        };
        let state = &beside.states[usize::from(!forward)];
        set("SOURCE_TABLE", from.sessions.name.to_string());
        set("TARGET_TABLE", to.sessions.name.to_string());
        set("STATE_TABLE", state.name.to_string());
        return all;
    }
    for (prefix, side) in [("SOURCE", blue), ("TARGET", green)] {
        let database = &side.database;
        set(
            &format!("{prefix}_HOST"),
            database.writer_endpoint.ready().to_string(),
        );
        set(
            &format!("{prefix}_PORT"),
            here.config.database.port.to_string(),
        );
        set(&format!("{prefix}_DB"), here.config.database.name.clone());
        set(
            &format!("{prefix}_SECRET_ARN"),
            database.secret_arn.ready().to_string(),
        );
    }
    set("MAPPING_PARAMETER", beside.mapping.name.to_string());
    set("HASH_KEY_SECRET_ARN", beside.hash_key.arn.to_string());
    if function.name == "sync-reverse" {
        set("DIRECTION", "reverse".into());
    }
    if function.reach == Reach::Verify {
        set("SESSIONS_SOURCE_TABLE", blue.sessions.name.to_string());
        set("SESSIONS_TARGET_TABLE", green.sessions.name.to_string());
    }
    all
}

/// The mapping that the functions read; green's, as they are.
fn mapping(here: &mut EnvironmentBuilder<'_>) -> Handle<Parameter> {
    let own = &here.config.migration.mapping.text;
    let value = if own.is_empty() {
        let packaged: Value = serde_json::from_str(DEFAULT_MAPPING).unwrap_or_default();
        packaged.to_string()
    } else {
        own.clone()
    };
    let name = format!(
        "{PATH}/{}-{}/migration/mapping",
        here.env, here.config.suffix
    );
    let spec = Parameter::of(value);
    let parameter = here.add_named("parameter-migration-mapping", name, spec);
    here.output("migration.mapping", &parameter.name);
    parameter
}

/// The key of the hashes that green has in place of card numbers (`lambda/README.md`). The function `control` puts its value in;
/// none is known here.
fn hash_key(here: &mut EnvironmentBuilder<'_>, keys: &Keys) -> Handle<Secret> {
    let spec = Secret {
        description: format!("The key of the hashes of the migration ({})", here.env),
        kms_key: Some(keys.data.arn.clone()),
        recovery_days: RECOVERY_DAYS,
        exposed: Exposed::new(),
    };
    let secret = here.add("hash-key", spec);
    here.output("secret.hash-key", &secret.arn);
    secret
}

/// Lambda would make it by itself, unencrypted and for ever.
fn log_group(here: &mut EnvironmentBuilder<'_>, keys: &Keys, function: &Spec) -> Handle<LogGroup> {
    let name = format!("/aws/lambda/{}", here.name(&function.thing()));
    let spec = LogGroup {
        retention_days: Some(LOG_DAYS),
        kms_key: Some(keys.logs.arn.clone()),
        exposed: Exposed::new(),
    };
    here.add_named(&format!("logs-{}", function.thing()), name, spec)
}

/// Where Lambda puts the events that a function failed on. The function's own role sends them, so nobody is let in here.
fn queue(here: &mut EnvironmentBuilder<'_>, keys: &Keys, function: &str) -> Handle<Queue> {
    let thing = format!("failed-{function}");
    let deny = json!({
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sqs:*",
        "Resource": here.arn("sqs", &here.name(&thing)),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    let spec = Queue {
        kms_key: Some(keys.data.arn.clone()),
        key_reuse_seconds: 300,
        retention_seconds: KEPT_SECONDS,
        visibility_seconds: 30,
        policy: Policy::of(vec![deny]),
        exposed: Exposed::new(),
        others: Exposed::new(),
        members: Vec::new(),
    };
    let queue = here.add(&thing, spec);
    here.output(&format!("queue.{thing}"), &queue.url);
    queue
}
