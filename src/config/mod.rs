//! `deployer.toml` as a validated [`Config`]. Every key has a default; every error names the key, what it got and what
//! it takes.
//!
//! One table (`keys`) holds every key with its sentence, what it takes and its parser; parsing, errors and the
//! documented file ([`documented`]) all come from it. A new key is a field here and a line there.

mod check;
mod cross;
mod document;
mod error;
mod image;
mod keys;
mod load;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) use document::documented;
pub(crate) use error::{ConfigError, Problem};
#[cfg(test)]
pub(crate) use image::SERVICES;
pub(crate) use keys::{Key, keys};
pub(crate) use load::Overrides;

use ipnet::Ipv4Net;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that can be configured, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `environmentSuffix`: `^[a-z][a-z0-9]{0,11}$`.
    pub suffix: String,
    /// The AWS region.
    pub region: String,
    /// The only account that runs may change; empty for any.
    pub account: String,
    /// True when what holds data is protected from deletion.
    pub protect: bool,
    /// The environments that this deployment has: `blue`, `green` or both.
    pub environments: Vec<String>,
    /// Where the state is: `local`, or `s3://bucket/prefix`.
    pub state: String,
    /// Who says so: `--region`, the file, `AWS_REGION`, a profile, or the default.
    pub region_source: String,
    /// Another region that the environment names, and where; the file takes precedence over it.
    pub other_region: Option<(String, String)>,
    /// Tags of every resource besides the ownership mark.
    pub tags: Tags,
    /// The network.
    pub network: Network,
    /// Domain and certificate.
    pub routing: Routing,
    /// What the two environments have to move traffic with.
    pub traffic: Traffic,
    /// The web application firewall.
    pub waf: Waf,
    /// Buckets and their lifecycles, in days.
    pub storage: Storage,
    /// Aurora.
    pub database: Database,
    /// The services.
    pub services: Services,
    /// The migration's functions.
    pub migration: Migration,
    /// Log groups.
    pub logs: Logs,
    /// Alarms and who gets them.
    pub monitoring: Monitoring,
    /// KMS keys.
    pub keys: Keys,
    /// How runs behave.
    pub run: Run,
    /// Who is notified at the end of a run.
    pub notify: Notify,
    /// What drift accepts.
    pub drift: DriftRules,
}

/// `[tags]`
#[derive(Debug, Clone, PartialEq)]
pub struct Tags {
    /// The tags `Service`, `ManagedBy`, `CostCenter` and whatever the user adds.
    pub set: BTreeMap<String, String>,
    /// Tags of other actors that are neither drift nor removed; exact, or a prefix with `*`.
    pub ignore: Vec<String>,
}

/// `[network]`
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Availability zones per VPC, 3 to 4.
    pub zones: usize,
    /// Blue's block, a /16.
    pub blue_cidr: Ipv4Net,
    /// Green's block, a /16; must not overlap blue's.
    pub green_cidr: Ipv4Net,
    /// Days that flow logs are kept (a value that CloudWatch Logs takes).
    pub flow_log_days: i32,
}

/// `[routing]`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routing {
    /// The domain of the deployment; empty for the suffix under the account's public zone.
    pub domain: String,
    /// The ARN of a certificate of ACM; empty for none.
    pub certificate_arn: String,
}

/// `[migration]`
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// What Lambda runs the functions with.
    pub runtime: String,
    /// How blue's tables become green's.
    pub mapping: Mapping,
    /// Minutes between two runs of `sync` while a migration runs.
    pub interval_minutes: i32,
    /// True when each function has a place of its own among the account's concurrent executions.
    pub reserve_concurrency: bool,
}

/// A mapping of the user's own; empty for the one that the functions have with them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    /// The file, as the configuration names it.
    pub file: String,
    /// Its JSON, without white space.
    pub text: String,
}

/// `[traffic]`
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Each load balancer has a way to the other environment.
    pub bridge: bool,
}

/// `[waf]`
#[derive(Debug, Clone, PartialEq)]
pub struct Waf {
    /// Requests of one address in a minute, above which it is blocked.
    pub requests_per_client_per_minute: i64,
    /// Days that its log is kept.
    pub log_days: i32,
}

/// `[storage]`
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Days until objects of transaction-logs go to Glacier.
    pub transaction_logs_glacier_days: i32,
    /// Days until objects of compliance-docs go to Glacier.
    pub compliance_docs_glacier_days: i32,
    /// Days until objects of both go to Deep Archive.
    pub deep_archive_days: i32,
    /// Days until objects of access-logs expire.
    pub access_logs_expire_days: i32,
    /// Days until non-current versions expire.
    pub noncurrent_days: i32,
    /// Days until an unfinished multipart upload is aborted.
    pub abort_upload_days: i32,
}

/// `[database]`
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// Aurora PostgreSQL's version.
    pub engine_version: String,
    /// Name of the first database.
    pub name: String,
    /// The master user; its password is RDS's own business.
    pub master_user: String,
    /// Port.
    pub port: u16,
    /// Instances, one per zone in turn: a writer and readers.
    pub instances: usize,
    /// Minimum capacity in ACU, steps of 0.5.
    pub min_capacity: f64,
    /// Maximum capacity in ACU, steps of 0.5.
    pub max_capacity: f64,
    /// Days of backups (point-in-time recovery), 1 to 35.
    pub backup_days: i32,
    /// Days between rotations of the master password.
    pub rotation_days: i64,
    /// Seconds between samples of enhanced monitoring: 1, 5, 10, 15, 30 or 60.
    pub monitoring_seconds: i32,
    /// Days that Performance Insights keeps: 7, or months of 31 days up to 731.
    pub insights_days: i32,
}

/// `[services]`
#[derive(Debug, Clone, PartialEq)]
pub struct Services {
    /// The tag of each service's image in the repository that we make.
    pub image_tag: String,
    /// Images elsewhere, by service: a URI in ECR.
    pub images: BTreeMap<String, String>,
    /// Percent of CPU at which tasks are added.
    pub cpu_target: i32,
    /// Percent of memory at which tasks are added.
    pub memory_target: i32,
}

/// `[logs]`
#[derive(Debug, Clone, PartialEq)]
pub struct Logs {
    /// Days that logs of the services are kept.
    pub service_days: i32,
    /// Days that exported database logs are kept.
    pub database_days: i32,
}

/// `[monitoring]`
#[derive(Debug, Clone, PartialEq)]
pub struct Monitoring {
    /// Who gets alarms: e-mail addresses and HTTPS URLs.
    pub notify: Vec<String>,
}

/// `[keys]`
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// Days between the end of a key's life and its destruction, 7 to 30.
    pub deletion_days: i32,
    /// Days between rotations of the key material, 90 to 2560.
    pub rotation_days: i32,
}

/// `[run]`
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Calls in flight at most.
    pub parallelism: usize,
    /// How long something that must be there is looked for before it counts as absent.
    pub consistency_timeout: Duration,
    /// The time for one attempt of one call.
    pub call_timeout: Duration,
    /// How long a deletion that something holds is tried again.
    pub in_use_timeout: Duration,
}

/// `[notify]`
#[derive(Debug, Clone, PartialEq)]
pub struct Notify {
    /// The ARN of an SNS topic; empty for none.
    pub topic: String,
    /// A program and its arguments; empty for none.
    pub command: Vec<String>,
    /// The outcomes that are sent, of `OUTCOMES`.
    pub on: Vec<String>,
}

/// `[drift]`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DriftRules {
    /// Differences that are accepted for a time.
    pub accept: Vec<AcceptRule>,
}

/// One rule of `[[drift.accept]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptRule {
    /// The step; `*` stands for any text.
    pub step: String,
    /// The setting, as drift writes its path; `None` for the step as a whole.
    pub path: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

/// How a run can end, as a notification says it.
pub(crate) const OUTCOMES: [&str; 5] = ["changed", "unchanged", "differs", "failed", "interrupted"];

/// The state is in local files.
const LOCAL: &str = "local";

impl Config {
    /// The environment that this deployment has, when it has only one.
    pub fn only_environment(&self) -> Option<&str> {
        match self.environments.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The bucket of a shared state and the prefix in it, which may be empty; `None` for local files.
    pub fn shared_state(&self) -> Option<(&str, &str)> {
        let place = self.state.strip_prefix("s3://")?;
        Some(place.split_once('/').unwrap_or((place, "")))
    }
}

impl Default for Config {
    fn default() -> Self {
        let net = |a, b| Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, 0, 0), 16);
        let set = [
            ("Service", "payment-processing"),
            ("ManagedBy", "deployer"),
            ("CostCenter", "fintech-migration"),
        ];
        Self {
            suffix: "dev".into(),
            region: "eu-central-1".into(),
            account: String::new(),
            protect: false,
            environments: vec!["blue".into(), "green".into()],
            state: LOCAL.into(),
            region_source: "default".into(),
            other_region: None,
            tags: Tags {
                set: set
                    .iter()
                    .map(|(k, v)| ((*k).into(), (*v).into()))
                    .collect(),
                ignore: Vec::new(),
            },
            network: Network {
                zones: 3,
                blue_cidr: net(10, 10),
                green_cidr: net(10, 20),
                flow_log_days: 90,
            },
            routing: Routing::default(),
            traffic: Traffic { bridge: true },
            waf: Waf {
                requests_per_client_per_minute: 6000,
                log_days: 90,
            },
            storage: Storage {
                transaction_logs_glacier_days: 90,
                compliance_docs_glacier_days: 30,
                deep_archive_days: 365,
                access_logs_expire_days: 400,
                noncurrent_days: 90,
                abort_upload_days: 7,
            },
            database: Database {
                engine_version: "14.6".into(),
                name: "payments".into(),
                master_user: "payments_admin".into(),
                port: 5432,
                instances: 3,
                min_capacity: 0.5,
                max_capacity: 16.0,
                backup_days: 35,
                rotation_days: 30,
                monitoring_seconds: 60,
                insights_days: 7,
            },
            services: Services {
                image_tag: "1".into(),
                images: BTreeMap::new(),
                cpu_target: 60,
                memory_target: 70,
            },
            migration: Migration {
                runtime: "nodejs18.x".into(),
                mapping: Mapping::default(),
                interval_minutes: 1,
                reserve_concurrency: true,
            },
            logs: Logs {
                service_days: 90,
                database_days: 90,
            },
            monitoring: Monitoring { notify: Vec::new() },
            keys: Keys {
                deletion_days: 30,
                rotation_days: 365,
            },
            run: Run {
                parallelism: 32,
                consistency_timeout: Duration::from_secs(15),
                call_timeout: Duration::from_secs(30),
                in_use_timeout: Duration::from_secs(45 * 60),
            },
            notify: Notify {
                topic: String::new(),
                command: Vec::new(),
                on: OUTCOMES
                    .iter()
                    .filter(|o| **o != "unchanged")
                    .map(|o| (*o).to_owned())
                    .collect(),
            },
            drift: DriftRules::default(),
        }
    }
}
