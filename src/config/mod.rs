//! `deployer.toml` as a validated [`Config`]. Every key has a default; every error names the key, what it got and what
//! it takes.
//!
//! One table (`keys`) holds every key with its sentence, what it takes and its parser; parsing, errors and the
//! documented file ([`documented`]) all come from it. A new key is a field here and a line there.

mod check;
mod cross;
mod digest;
mod document;
mod error;
mod image;
mod keys;
mod load;
mod origins;
mod parse;
mod sections;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use document::documented;
pub(crate) use error::{ConfigError, Problem};
#[cfg(test)]
pub(crate) use image::SERVICES;
pub(crate) use image::{PAYMENT_API, REPORTING, TRANSACTION_PROCESSOR};
pub(crate) use keys::{Key, keys};
pub(crate) use load::Overrides;
pub(crate) use origins::Origin;
pub(crate) use sections::OUTCOMES;
pub use sections::{
    AcceptRule, Compliance, Database, DriftRules, Keys, Logs, Mapping, Migration, Monitoring,
    Network, Notify, Routing, Run, Services, Storage, Tags, Traffic, Usage, Waf,
};

use ipnet::Ipv4Net;
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
                api_limits: 1.0,
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
