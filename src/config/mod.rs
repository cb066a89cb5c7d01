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
mod origins;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) use document::documented;
pub(crate) use error::{ConfigError, Problem};
#[cfg(test)]
pub(crate) use image::SERVICES;
pub(crate) use keys::{Key, keys};
pub(crate) use load::Overrides;
pub(crate) use origins::Origin;

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
    /// Rules that watch the deployment.
    pub compliance: Compliance,
    /// KMS keys.
    pub keys: Keys,
    /// How runs behave.
    pub run: Run,
    /// Who is notified at the end of a run.
    pub notify: Notify,
    /// What the platform is used for, as far as its estimated cost depends on it.
    pub cost: Usage,
    /// US dollars in place of the shipped prices, by their keys.
    pub prices: BTreeMap<String, f64>,
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
    /// A public zone is made for the domain.
    pub create_zone: bool,
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
    /// Accounts whose tooling may take on the role for it; empty for the own one.
    pub trusted_accounts: Vec<String>,
    /// What that tooling has to say with it; empty for the one that follows from the suffix.
    pub external_id: String,
}

/// A mapping of the user's own; empty for the one that the functions have with them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    /// The file, as the configuration names it.
    pub file: String,
    /// Its JSON, without white space.
    pub text: String,
}

impl Mapping {
    /// How traffic may be split while a migration runs, as the mapping declares it: `read-only`, `two-way`, or nothing.
    pub fn mode(&self) -> Option<String> {
        let mapping: serde_json::Value = serde_json::from_str(&self.text).ok()?;
        mapping["mode"].as_str().map(str::to_owned)
    }

    /// Green only reads in a split: its load balancer sends every write to blue.
    pub fn is_read_only(&self) -> bool {
        self.mode().as_deref() == Some("read-only")
    }
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
    /// Days until objects of transaction-logs expire; 0 for never.
    pub transaction_logs_expire_days: i32,
    /// Days until objects of compliance-docs expire; 0 for never.
    pub compliance_docs_expire_days: i32,
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
    /// True when RDS may move to later minor versions by itself.
    pub auto_minor_upgrades: bool,
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
    /// How the services log in to the database: `secret` or `iam`.
    pub database_auth: String,
}

impl Services {
    /// True when they log in with a token of IAM.
    pub fn without_password(&self) -> bool {
        self.database_auth == "iam"
    }
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

/// `[compliance]`
#[derive(Debug, Clone, PartialEq)]
pub struct Compliance {
    /// True when rules of AWS Config watch the deployment.
    pub rules: bool,
    /// Days that what AWS Config recorded is kept.
    pub history_days: i32,
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

/// `[cost]`: what one environment does in a month in which it takes all payments.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// Payments a day.
    pub payments_per_day: f64,
    /// HTTP requests for one payment.
    pub requests_per_payment: f64,
    /// Kilobytes of a request and its answer.
    pub request_kb: f64,
    /// Kilobytes of application log for one payment.
    pub log_kb_per_payment: f64,
    /// ACU of the writer, on average.
    pub writer_acu: f64,
    /// ACU of the first reader, on average; it follows the writer.
    pub reader_acu: f64,
    /// ACU of each further reader, on average.
    pub other_acu: f64,
    /// Gigabytes of the database.
    pub database_gb: f64,
    /// Gigabytes of the database that change in a day.
    pub database_changed_gb_per_day: f64,
    /// I/O requests of the database for one payment.
    pub database_io_per_payment: f64,
    /// Megabytes to and from the database for one payment.
    pub database_mb_per_payment: f64,
    /// DynamoDB write units for one payment, those of indexes counted.
    pub table_writes_per_payment: f64,
    /// DynamoDB read units for one payment.
    pub table_reads_per_payment: f64,
    /// Gigabytes of all tables and their indexes.
    pub tables_gb: f64,
    /// Objects that are written to the buckets in a day.
    pub objects_per_day: f64,
    /// Gigabytes of objects in S3 Standard.
    pub bucket_gb: f64,
    /// Gigabytes of objects in Glacier.
    pub archive_gb: f64,
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
pub(crate) const OUTCOMES: [&str; 6] = [
    "changed",
    "unchanged",
    "differs",
    "failed",
    "interrupted",
    "waiting",
];

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
                transaction_logs_expire_days: 0,
                compliance_docs_expire_days: 0,
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
                auto_minor_upgrades: false,
            },
            services: Services {
                image_tag: "1".into(),
                images: BTreeMap::new(),
                cpu_target: 60,
                memory_target: 70,
                database_auth: "secret".into(),
            },
            migration: Migration {
                runtime: "nodejs18.x".into(),
                mapping: Mapping::default(),
                interval_minutes: 1,
                reserve_concurrency: true,
                trusted_accounts: Vec::new(),
                external_id: String::new(),
            },
            logs: Logs {
                service_days: 90,
                database_days: 90,
            },
            monitoring: Monitoring { notify: Vec::new() },
            compliance: Compliance {
                rules: true,
                history_days: 400,
            },
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
            cost: Usage {
                payments_per_day: 50_000.0,
                requests_per_payment: 6.0,
                request_kb: 10.0,
                log_kb_per_payment: 6.0,
                writer_acu: 2.0,
                reader_acu: 2.0,
                other_acu: 1.0,
                database_gb: 50.0,
                database_changed_gb_per_day: 2.0,
                database_io_per_payment: 40.0,
                database_mb_per_payment: 0.1,
                table_writes_per_payment: 12.0,
                table_reads_per_payment: 6.0,
                tables_gb: 5.0,
                objects_per_day: 864.0,
                bucket_gb: 10.0,
                archive_gb: 27.0,
            },
            prices: BTreeMap::new(),
            drift: DriftRules::default(),
        }
    }
}
