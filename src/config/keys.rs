//! Every key, as data.

use super::parse::{
    Also, By, Capacity, Checked, Given, Like, Number, OneOf, Parser, Seconds, Table, Takes, Within,
};
use super::{AcceptRule, Config, Mapping};
use super::{check, image};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::time::Duration;

/// One key of `deployer.toml`.
pub struct Key {
    /// Where: `network.zones`; a key of the top level has no dot.
    pub path: &'static str,
    /// A sentence about what it does.
    pub doc: &'static str,
    takes: fn() -> String,
    table: fn() -> bool,
    pub(super) set: fn(&mut Config, &Given<'_>) -> Checked<()>,
    pub(super) show: fn(&Config) -> String,
}

impl Key {
    /// The table it stands in, empty for the top level.
    pub fn section(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(head, _)| head)
    }

    /// Its last part.
    pub fn name(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or(self.path, |(_, tail)| tail)
    }

    /// What it takes, in words that follow "it takes".
    pub fn takes(&self) -> String {
        (self.takes)()
    }

    /// Its value in a configuration, as TOML.
    pub fn value(&self, config: &Config) -> String {
        (self.show)(config)
    }

    /// True for a key whose value is a table of the user's own keys.
    pub fn is_table(&self) -> bool {
        (self.table)()
    }
}

/// How a value is written in TOML.
trait Written {
    fn written(&self) -> String;
}
impl Written for String {
    fn written(&self) -> String {
        toml::Value::String(self.clone()).to_string()
    }
}
impl Written for Vec<String> {
    fn written(&self) -> String {
        let items: Vec<String> = self.iter().map(Written::written).collect();
        format!("[{}]", items.join(", "))
    }
}
impl Written for BTreeMap<String, String> {
    fn written(&self) -> String {
        self.iter()
            .map(|(k, v)| {
                let plain = k
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
                let key = if plain { k.clone() } else { k.written() };
                format!("{key} = {}\n", v.written())
            })
            .collect()
    }
}
impl Written for BTreeMap<String, f64> {
    fn written(&self) -> String {
        let line = |(k, v): (&String, &f64)| format!("{k} = {v:?}\n");
        self.iter().map(line).collect()
    }
}
impl Written for Mapping {
    fn written(&self) -> String {
        self.file.written()
    }
}
impl Written for Vec<AcceptRule> {
    fn written(&self) -> String {
        let each = self.iter().map(|rule| {
            let path = rule
                .path
                .iter()
                .map(|p| format!("path = {}, ", p.written()));
            format!(
                "{{ step = {}, {}reason = {}, until = {} }}",
                rule.step.written(),
                path.collect::<String>(),
                rule.reason.written(),
                rule.until
            )
        });
        format!("[{}]", each.collect::<Vec<_>>().join(", "))
    }
}
impl Written for Ipv4Net {
    fn written(&self) -> String {
        format!("\"{self}\"")
    }
}
impl Written for Duration {
    fn written(&self) -> String {
        self.as_secs().to_string()
    }
}
impl Written for f64 {
    fn written(&self) -> String {
        format!("{self:?}")
    }
}
macro_rules! numbers { ($($t:ty),*) => { $(impl Written for $t { fn written(&self) -> String { self.to_string() } })* }; }
numbers!(bool, u16, usize, i32, i64);

macro_rules! keys {
    ($($path:literal, $($field:ident).+, $parser:expr, $doc:literal;)*) => {
        &[$(Key {
            path: $path,
            doc: $doc,
            takes: || ($parser).takes(),
            table: || ($parser).is_table(),
            set: |config, given| {
                config.$($field).+ = ($parser).parse(given)?;
                Ok(())
            },
            show: |config| config.$($field).+.written(),
        }),*]
    };
}

/// `PutRetentionPolicy` (CloudWatch Logs API): the values of `retentionInDays`.
const RETENTION: &[i32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The longest time that S3 takes for a lifecycle: "Days" is a positive 32-bit number; a century is enough for us.
const CENTURY: i64 = 36_500;

/// All keys, in the order of the documented file.
pub fn keys() -> &'static [Key] {
    KEYS
}

static KEYS: &[Key] = keys! {
    "suffix", suffix, Like(check::suffix, "a lower-case letter and up to 11 lower-case letters or digits, such as \"pr42\""),
        "The environment suffix: part of every name and of the ownership mark. `--suffix` and DEPLOYER_SUFFIX override it.";
    "region", region, By(check::region, "an AWS region, such as \"eu-central-1\""),
        "The AWS region. `--region` overrides it.";
    "account", account, Like(check::account, "the 12 digits of an AWS account id, or \"\" for any account"),
        "The account of this deployment: with credentials of another one, every command that calls AWS stops.";
    "protect", protect, By(check::yes_or_no, "true or false"),
        "Deletion protection for databases and tables; `destroy` is refused, and so is an `apply` that would replace what holds data.";
    "environments", environments, By(check::environments, "a list of \"blue\", \"green\" or both"),
        "The environments that this deployment has: what `plan`, `apply` and `drift` mean without `--env`.";
    "state", state, By(check::state, "\"local\", or \"s3://BUCKET/PREFIX\" with a bucket name without dots; the prefix may be left out"),
        "Where the state is: local files in the folder that --state-dir names, or objects of a bucket that a team and its CI share (`deployer state init` makes it). `--state` and DEPLOYER_STATE override it.";

    "tags.ignore", tags.ignore, By(check::patterns, "a list of tag keys, each exact or a prefix with `*` at its end"),
        "Tags managed by other tools (backup, billing): ignored by drift and apply.";
    "tags.set", tags.set, Table(check::tags, "a table of at most 44 tags: keys of 1 to 128, values of 1 to 256 letters, digits, spaces or `_.:/=+-@`, none of them beginning with `aws:` or `rds:`"),
        "Tags of every resource. What is given here is added to these defaults or replaces one of them; deployer adds Environment, Name and its ownership mark.";

    "network.zones", network.zones, Within(3, 4),
        "Availability zones per VPC; the region's first ones by name.";
    "network.blue_cidr", network.blue_cidr, By(check::private_16, "a private /16 of RFC 1918 (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16), such as \"10.10.0.0/16\""),
        "Blue's block of addresses.";
    "network.green_cidr", network.green_cidr, By(check::private_16, "a private /16 of RFC 1918 (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16), such as \"10.20.0.0/16\""),
        "Green's block of addresses; must not overlap blue's.";
    "network.flow_log_days", network.flow_log_days, OneOf(RETENTION),
        "Days that VPC flow logs are kept.";

    "routing.domain", routing.domain, Like(check::domain, "a domain name in lower case, such as \"pay.example.com\", or \"\""),
        "The domain of this deployment, in a public zone of Route 53 in this account; empty for the suffix under the account's only public zone.";
    "routing.certificate_arn", routing.certificate_arn, Like(check::certificate, "the ARN of an ACM certificate, such as \"arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\", or \"\" for none"),
        "The certificate of the load balancers, issued, in the region of the deployment; empty for one that deployer asks for.";
    "routing.create_zone", routing.create_zone, By(check::yes_or_no, "true or false"),
        "Whether a public zone is made for `routing.domain`, which must be given. The first `apply` prints its name servers; what needs the certificate waits until the domain is delegated to them.";

    "traffic.bridge", traffic.bridge, By(check::yes_or_no, "true or false"),
        "Whether each load balancer has a way to the other environment, switched off until traffic is moved over it.";

    "waf.requests_per_client_per_minute", waf.requests_per_client_per_minute, Within(10, 2_000_000_000),
        "Requests of one address within a minute, above which the firewall blocks it; the clients are servers of merchants.";
    "waf.log_days", waf.log_days, OneOf(RETENTION),
        "Days that the firewall's log is kept.";

    "storage.transaction_logs_glacier_days", storage.transaction_logs_glacier_days, Within(1, CENTURY),
        "Days until objects of transaction-logs go to Glacier Flexible Retrieval.";
    "storage.compliance_docs_glacier_days", storage.compliance_docs_glacier_days, Within(1, CENTURY),
        "Days until objects of compliance-docs go to Glacier Flexible Retrieval.";
    "storage.deep_archive_days", storage.deep_archive_days, Also(Within(91, CENTURY), ", and at least 90 days more than both Glacier days"),
        "Days until objects of both go on to Glacier Deep Archive.";
    "storage.transaction_logs_expire_days", storage.transaction_logs_expire_days, Also(Within(0, CENTURY), ", 0 for never, otherwise more than `storage.deep_archive_days`"),
        "Days until objects of transaction-logs are deleted; 0 keeps them for ever.";
    "storage.compliance_docs_expire_days", storage.compliance_docs_expire_days, Also(Within(0, CENTURY), ", 0 for never, otherwise more than `storage.deep_archive_days`"),
        "Days until objects of compliance-docs are deleted; 0 keeps them for ever.";
    "storage.access_logs_expire_days", storage.access_logs_expire_days, Within(1, CENTURY),
        "Days until objects of access-logs are deleted.";
    "storage.noncurrent_days", storage.noncurrent_days, Within(1, CENTURY),
        "Days until overwritten and deleted versions are removed.";
    "storage.abort_upload_days", storage.abort_upload_days, Within(1, CENTURY),
        "Days until an unfinished multipart upload is aborted.";

    "database.engine_version", database.engine_version, Like(check::version, "a version with one dot, such as \"14.6\""),
        "Version of Aurora PostgreSQL. It is checked against what the region offers before anything is created.";
    "database.name", database.name, By(check::database, "a letter and up to 62 letters, digits or underscores, no reserved word"),
        "Name of the first database.";
    "database.master_user", database.master_user, By(check::master_user, "a letter and up to 15 letters, digits or underscores, no reserved word"),
        "The master user. RDS makes, keeps and rotates the password; deployer never sees it.";
    "database.port", database.port, Within(1150, 65535),
        "Port of the database.";
    "database.instances", database.instances, Within(1, 15),
        "Instances, one per zone in turn: a writer and readers.";
    "database.min_capacity", database.min_capacity, Also(Capacity(0.5, 256.0), ", not over `database.max_capacity`"),
        "Minimum capacity of each instance in ACU (Serverless v2).";
    "database.max_capacity", database.max_capacity, Also(Capacity(1.0, 256.0), " (to 128 with versions before 13.13, 14.10, 15.5)"),
        "Maximum capacity of each instance in ACU.";
    "database.backup_days", database.backup_days, Within(1, 35),
        "Days of backups: how far back point-in-time recovery goes.";
    "database.rotation_days", database.rotation_days, Within(1, 1000),
        "Days between rotations of the master password.";
    "database.monitoring_seconds", database.monitoring_seconds, OneOf(&[1, 5, 10, 15, 30, 60]),
        "Seconds between samples of enhanced monitoring.";
    "database.insights_days", database.insights_days, By(check::insights, "7, a multiple of 31 up to 713, or 731"),
        "Performance Insights retention in days; 7 is free of charge.";
    "database.auto_minor_upgrades", database.auto_minor_upgrades, By(check::yes_or_no, "true or false"),
        "Whether RDS moves to later minor versions by itself; then it leaves `database.engine_version`.";

    "services.image_tag", services.image_tag, Like(image::tag, "an image tag, such as \"1.4.2\""),
        "The tag of each service's image in the repository that deployer makes for it (`deployer outputs`). Until it is pushed the service has no tasks.";
    "services.cpu_target", services.cpu_target, Within(10, 90),
        "Percent of CPU, on average over a service's tasks, that its number of tasks follows.";
    "services.memory_target", services.memory_target, Within(10, 90),
        "Percent of memory that its number of tasks follows.";
    "services.database_auth", services.database_auth, Like(check::database_auth, "\"secret\" or \"iam\""),
        "How the services log in to the database: with the password that RDS keeps in a secret and rotates, or without any, with a token of IAM and a database user of each service's own.";
    "services.images", services.images, image::Images,
        "Images that are pushed elsewhere. Private subnets reach the registries of their own region only.";

    "migration.runtime", migration.runtime, check::Runtime,
        "What Lambda runs the migration functions with: a version of Node.js.";
    "migration.mapping", migration.mapping, By(check::mapping, "the path of a mapping in JSON, such as \"mapping.json\", or \"\" for the one of the worked example"),
        "How blue's tables become green's (lambda/README.md, \"The mapping\").";
    "migration.interval_minutes", migration.interval_minutes, Within(1, 60),
        "Minutes between two runs of `sync` and `sync-reverse` while a migration runs.";
    "migration.reserve_concurrency", migration.reserve_concurrency, By(check::yes_or_no, "true or false"),
        "Whether each migration function has three concurrent executions reserved; the account must keep 100 for others.";
    "migration.trusted_accounts", migration.trusted_accounts, By(check::accounts, "a list of at most 10 AWS account ids, 12 digits each, such as [\"123456789012\"]; with any, `migration.external_id` is needed"),
        "Accounts whose migration tooling may take on the role for it; none for the deployment's own account alone.";
    "migration.external_id", migration.external_id, Like(check::external_id, "2 to 256 letters, digits or `_+=,.@:/-`, or \"\" for payment-processing-SUFFIX"),
        "The external ID that tooling has to give when it takes on that role. It is no secret: it says for whom the tooling works.";

    "logs.service_days", logs.service_days, OneOf(RETENTION),
        "Days that logs of the services are kept.";
    "logs.database_days", logs.database_days, OneOf(RETENTION),
        "Days that exported database logs are kept.";

    "monitoring.notify", monitoring.notify, By(check::addresses, "a list of e-mail addresses and HTTPS URLs without a user name, such as [\"ops@example.com\"]"),
        "Who gets alarms. Each one is asked by SNS to confirm before it gets any.";

    "compliance.rules", compliance.rules, By(check::yes_or_no, "true or false"),
        "Whether rules of AWS Config watch the deployment. A recorder that the region has is used; otherwise one is made.";
    "compliance.history_days", compliance.history_days, Within(1, CENTURY),
        "Days that what the deployment's own recorder of AWS Config wrote down is kept.";

    "keys.deletion_days", keys.deletion_days, Within(7, 30),
        "Days between the end of a KMS key's life and its destruction.";
    "keys.rotation_days", keys.rotation_days, Within(90, 2560),
        "Days between rotations of the material of KMS keys.";

    "run.parallelism", run.parallelism, Within(1, 256),
        "Maximum concurrent API calls. `--parallelism` overrides it.";
    "run.consistency_timeout_seconds", run.consistency_timeout, Seconds(1, 600),
        "Seconds that something that must be there is looked for before it counts as absent.";
    "run.call_timeout_seconds", run.call_timeout, Seconds(1, 300),
        "Seconds for one attempt of one call; after that its outcome is unclear.";
    "run.in_use_timeout_seconds", run.in_use_timeout, Seconds(0, 86_400),
        "Seconds that a deletion is retried while something still uses the resource (a network interface, say).";
    "run.api_limits", run.api_limits, Number(0.1, 1000.0),
        "How much of AWS's documented API rates a run may use: 0.5 leaves half to others of the account, 2 is for an account whose limits AWS Support has doubled.";

    "notify.topic", notify.topic, Like(check::topic, "the ARN of an SNS topic that is not FIFO, such as \"arn:aws:sns:eu-central-1:123456789012:runs\", or \"\" for none"),
        "An SNS topic to which `apply`, `destroy`, `drift` and what moves the traffic publish how they ended, and what a shift waits for.";
    "notify.command", notify.command, By(check::command, "a list of texts, a program and its arguments, such as [\"/usr/local/bin/notify\", \"platform\"], or [] for none"),
        "A program that gets the same as JSON on its standard input. It has 10 seconds; when it fails, that is a warning.";
    "notify.on", notify.on, By(check::outcomes, "a list of changed, unchanged, differs (drift found, or leftovers of `destroy`), failed, interrupted and waiting (a shift waits for approval)"),
        "The outcomes that are sent.";

    "cost.payments_per_day", cost.payments_per_day, Number(0.0, 1_000_000_000.0),
        "Payments a day of the estimate of costs (`deployer cost`, and the difference that a plan makes). These keys change nothing that is made.";
    "cost.requests_per_payment", cost.requests_per_payment, Number(0.0, 1_000_000.0),
        "HTTP requests for one payment.";
    "cost.request_kb", cost.request_kb, Number(0.0, 1_000_000.0),
        "Kilobytes of a request and its answer.";
    "cost.log_kb_per_payment", cost.log_kb_per_payment, Number(0.0, 1_000_000.0),
        "Kilobytes of application log for one payment.";
    "cost.writer_acu", cost.writer_acu, Number(0.0, 256.0),
        "ACU of the writer on average; it does not follow the number of payments.";
    "cost.reader_acu", cost.reader_acu, Number(0.0, 256.0),
        "ACU of the first reader on average; it follows the writer.";
    "cost.other_acu", cost.other_acu, Number(0.0, 256.0),
        "ACU of each further reader on average.";
    "cost.database_gb", cost.database_gb, Number(0.0, 131_072.0),
        "Gigabytes of the database.";
    "cost.database_changed_gb_per_day", cost.database_changed_gb_per_day, Number(0.0, 131_072.0),
        "Gigabytes of the database that change in a day, which backups keep.";
    "cost.database_io_per_payment", cost.database_io_per_payment, Number(0.0, 1_000_000.0),
        "I/O requests of the database for one payment.";
    "cost.database_mb_per_payment", cost.database_mb_per_payment, Number(0.0, 1_000_000.0),
        "Megabytes to and from the database for one payment.";
    "cost.table_writes_per_payment", cost.table_writes_per_payment, Number(0.0, 1_000_000.0),
        "DynamoDB write units for one payment: one more for each index that is written.";
    "cost.table_reads_per_payment", cost.table_reads_per_payment, Number(0.0, 1_000_000.0),
        "DynamoDB read units for one payment.";
    "cost.tables_gb", cost.tables_gb, Number(0.0, 1_000_000.0),
        "Gigabytes of all tables with their indexes.";
    "cost.objects_per_day", cost.objects_per_day, Number(0.0, 1_000_000_000.0),
        "Objects that are written to the buckets in a day; each one is moved to Glacier for a fee.";
    "cost.bucket_gb", cost.bucket_gb, Number(0.0, 1_000_000_000.0),
        "Gigabytes of objects in S3 Standard.";
    "cost.archive_gb", cost.archive_gb, Number(0.0, 1_000_000_000.0),
        "Gigabytes of objects in Glacier.";

    "prices", prices, Table(check::prices, "a table of prices in US dollars by their keys (`deployer cost --json` lists them), such as alb_hour = 0.025"),
        "Prices of your own in place of the shipped ones, which are list prices of eu-central-1 with their date.";

    "drift.accept", drift.accept, By(check::accept, "a list of tables with `step`, `reason`, `until` (a day) and, for one setting, `path`; `*` stands for any text"),
        "Differences that `drift` accepts until the end of a day, with a reason. A rule without `path` accepts all about a step. `apply` still sets them back.";
};
