//! What can be shown of a deployment to an auditor: live values by requirement, open paths, drift, ages, histories. Pure
//! functions of what one run read; nothing that was not read is ever claimed.

mod check;
mod paths;
mod requirements;
#[cfg(test)]
mod tests;
mod things;

pub use check::resource;
pub use paths::Paths;
pub use requirements::{Requirement, Status};
pub use things::{Age, Ages, DELETION, Dated, Support};

use crate::config::Config;
use crate::engine::drift::Drift;
use crate::engine::observe::{Observations, Observed};
use crate::engine::{Graph, Reads};
use crate::state::State;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Three verdicts: what was not read is neither shown nor contradicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A live value was read, and it is as wanted.
    Shown,
    /// It was denied, is absent, or nothing of the kind is there.
    NotSeen,
    /// A live value was read, and it is not as wanted.
    Contradicted,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    pub step: String,
    /// ARN, id or name.
    pub resource: String,
    /// The API action that showed it.
    pub operation: String,
    /// AWS's name of the value.
    pub field: String,
    /// The value; null when it was not seen.
    pub value: Value,
    /// What is wanted, in words.
    pub wanted: String,
    /// How it stands.
    pub verdict: Verdict,
    /// When it was read; null for what is made of many values.
    pub read: Option<Timestamp>,
    /// Why it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Recorded steps against what was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Steps of the state.
    pub recorded: usize,
    /// Of those: read, and ours.
    pub read: usize,
    /// Not there.
    pub absent: usize,
    /// There, without our mark.
    pub foreign: usize,
    /// Not readable.
    pub unreadable: usize,
}

/// A history with its chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// `runs` or `traffic`.
    pub what: &'static str,
    /// How the chain stands.
    pub verdict: Verdict,
    /// What that means, in words.
    pub text: String,
    /// Its lines in short, the newest first.
    pub lines: Vec<Event>,
}

/// A line of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, in words.
    pub text: String,
}

impl Verdict {
    pub const fn of(good: bool) -> Self {
        if good {
            Self::Shown
        } else {
            Self::Contradicted
        }
    }
}

/// Everything that the evidence is made from.
pub struct Sources<'a> {
    pub config: &'a Config,
    pub graph: &'a Graph,
    pub state: &'a State,
    pub seen: &'a Observations,
    pub drift: &'a Drift,
    pub lists: &'a crate::blueprint::ServicePrefixLists,
    pub chains: Vec<Chain>,
    pub ages: Ages,
    /// When each step was read.
    pub reads: &'a Reads,
    /// How AWS Config judges.
    pub judged: Vec<Seen>,
    /// Whether logs arrive.
    pub delivered: Vec<Seen>,
    pub today: jiff::civil::Date,
}

/// The evidence of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Recorded against read.
    pub inventory: Inventory,
    /// What is open.
    pub paths: Paths,
    /// By requirement.
    pub requirements: Vec<Requirement>,
    /// Keys, secrets, restore windows.
    pub ages: Ages,
    /// Alarms that reach nobody, in words.
    pub silent: Vec<String>,
    /// Log groups whose retention is not 90 days: step and days.
    pub log_groups: Vec<(String, Option<i64>)>,
    /// How AWS Config judges, by rule.
    pub judged: Vec<Seen>,
    /// Whether logs arrive, by what delivers or takes them.
    pub delivered: Vec<Seen>,
    /// Ends of support.
    pub support: Vec<Support>,
    pub histories: Vec<Chain>,
    /// What this report cannot show.
    pub cannot_show: Vec<String>,
}

/// Makes it.
///
/// # Errors
/// When the table of requirements in the binary cannot be read, which a test excludes.
pub fn evidence(from: Sources<'_>) -> Result<Evidence, String> {
    let inventory = inventory(from.state, from.seen);
    let paths = Paths::of(&from);
    let silent = things::silent(&from);
    let support = things::support(from.state, from.seen, from.config, from.today);
    let log_groups = things::log_groups(from.seen, from.state);
    let own = requirements::Own {
        inventory,
        paths: &paths,
        silent: &silent,
        support: &support,
        from: &from,
    };
    let requirements = requirements::all(&own)?;
    Ok(Evidence {
        inventory,
        requirements,
        paths,
        silent,
        log_groups,
        support,
        ages: from.ages,
        judged: from.judged,
        delivered: from.delivered,
        histories: from.chains,
        cannot_show: CANNOT.map(str::to_owned).into(),
    })
}

fn inventory(state: &State, seen: &Observations) -> Inventory {
    let mut out = Inventory {
        recorded: state.steps.len(),
        ..Inventory::default()
    };
    for step in state.steps.keys() {
        match seen.get(step) {
            Some(Observed::Found(_)) => out.read += 1,
            Some(Observed::Absent) => out.absent += 1,
            Some(Observed::Foreign(..)) => out.foreign += 1,
            Some(Observed::Unreadable(_)) | None => out.unreadable += 1,
        }
    }
    out
}

const CANNOT: [&str; 12] = [
    "Compliance. An assessor judges people, papers and practice; settings are one part.",
    "That no PAN or CVV is where it should not be: the contents of rows, objects and logs are not read.",
    "The scope: what else touches card data (the old datacenter, laptops, partners, the code of the services).",
    "The past: it shows the moment of the run. A year needs the runs of a year.",
    "That an alarm was answered, a log read, a review held, a person trained, a change approved.",
    "The strength of the services: input checks, sessions, masking, dependencies.",
    "AWS's own share: buildings, hypervisors, hardware of KMS.",
    "That a backup restores: only a test of a restore does.",
    "Recovery points of AWS Backup: only what RDS and DynamoDB keep themselves was asked for.",
    "That access logs of load balancers and buckets arrive whole: S3 and the balancers say nothing about their deliveries.",
    "Whatever an API hides: values of secrets, policies of service-linked roles, traffic inside a subnet.",
    "Anything on an emulator.",
];
