//! The tables of `deployer.toml`, validated.

use ipnet::Ipv4Net;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// The part of AWS's documented limits of API calls that is used.
    pub api_limits: f64,
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
