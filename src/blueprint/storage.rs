//! The buckets of one environment: transaction logs, compliance documents, and the access logs of both.

use super::edge::LOG_PREFIXES;
use super::{EnvironmentBuilder, Scope, ScopeBuilder};
use crate::engine::Handle;
use crate::resources::Exposed;
use crate::resources::policy::{Policy, encrypted_transport};
use crate::resources::s3::{Bucket, Encryption, Logging, PublicAccess, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the services log of each payment.
pub const TRANSACTION_LOGS: &str = "transaction-logs";
/// What auditors ask for.
pub const COMPLIANCE_DOCS: &str = "compliance-docs";
/// The buckets that programs use and that are logged: [`ACCESS_LOGS`] takes logs from these and no others.
pub const LOGGED: [&str; 2] = [TRANSACTION_LOGS, COMPLIANCE_DOCS];
const ACCESS_LOGS: &str = "access-logs";

/// Declares them; answers the one that takes logs.
pub fn declare(here: &mut EnvironmentBuilder<'_>) -> Handle<Bucket> {
    let days = here.config.storage.clone();
    let archive = |glacier, expire| Rule {
        // Small objects too, in the form of "Allowing objects smaller than 128 KB to be transitioned".
        larger_than: Some(1),
        transitions: BTreeMap::from([
            ("GLACIER".into(), glacier),
            ("DEEP_ARCHIVE".into(), days.deep_archive_days),
        ]),
        expire_days: (expire > 0).then_some(expire),
        ..Rule::default()
    };
    let expire = Rule {
        expire_days: Some(days.access_logs_expire_days),
        ..Rule::default()
    };

    let name = here.name(ACCESS_LOGS);
    let deliver = vec![delivery(here, &name), balancer_delivery(here, &name)];
    let rules = lifecycle(here, ("expire", expire));
    // Its own accesses are not logged: a bucket that logs into itself never comes to rest.
    let spec = bucket(&name, deliver, rules, None);
    let access_logs = here.add(ACCESS_LOGS, spec);

    let mut logged = |thing: &str, rule| {
        let logging = Logging {
            // "Enabling Amazon S3 server access logging": the target's policy must be there before.
            bucket: access_logs.name().ready(),
            prefix: format!("{thing}/"),
        };
        let rules = lifecycle(here, ("archive", rule));
        let spec = bucket(&here.name(thing), Vec::new(), rules, Some(logging));
        here.add(thing, spec)
    };
    let [transaction_logs, compliance_docs] = LOGGED;
    let transaction_logs = logged(
        transaction_logs,
        archive(
            days.transaction_logs_glacier_days,
            days.transaction_logs_expire_days,
        ),
    );
    let compliance_docs = logged(
        compliance_docs,
        archive(
            days.compliance_docs_glacier_days,
            days.compliance_docs_expire_days,
        ),
    );
    let all = [
        (TRANSACTION_LOGS, &transaction_logs),
        (COMPLIANCE_DOCS, &compliance_docs),
        (ACCESS_LOGS, &access_logs),
    ];
    for (thing, bucket) in all {
        here.output(&format!("bucket.{thing}"), bucket.name());
    }
    access_logs
}

/// A private, versioned, encrypted bucket.
pub(super) fn bucket(
    name: &str,
    mut statements: Vec<Value>,
    lifecycle: BTreeMap<String, Rule>,
    logging: Option<Logging>,
) -> Bucket {
    statements.extend(encrypted_transport(name));
    Bucket {
        ownership: "BucketOwnerEnforced".into(),
        versioning: true,
        encryption: Encryption {
            algorithm: "AES256".into(),
            kms_key: None,
        },
        public_access: PublicAccess {
            block_acls: true,
            ignore_acls: true,
            block_policy: true,
            restrict: true,
        },
        policy: Some(Policy::of(statements)),
        logging,
        lifecycle,
        exposed: Exposed::new(),
    }
}

/// What happens to objects: a rule of the bucket's own, and what all buckets have.
pub(super) fn lifecycle<S: Scope>(
    here: &ScopeBuilder<'_, S>,
    (id, rule): (&str, Rule),
) -> BTreeMap<String, Rule> {
    let days = &here.config.storage;
    let noncurrent = Rule {
        noncurrent_days: Some(days.noncurrent_days),
        ..Rule::default()
    };
    let uploads = Rule {
        abort_upload_days: Some(days.abort_upload_days),
        ..Rule::default()
    };
    BTreeMap::from([
        (id.to_owned(), rule),
        ("expire-noncurrent".to_owned(), noncurrent),
        ("abort-uploads".to_owned(), uploads),
    ])
}

/// "Permissions for log delivery" in the S3 user guide: each bucket writes under its own prefix.
fn delivery(here: &EnvironmentBuilder<'_>, target: &str) -> Value {
    let sources = LOGGED.map(|thing| format!("arn:aws:s3:::{}", here.name(thing)));
    let places = LOGGED.map(|thing| format!("arn:aws:s3:::{target}/{thing}/*"));
    json!({
        "Sid": "DeliverAccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": places,
        "Condition": {
            "ArnLike": {"aws:SourceArn": sources},
            "StringEquals": {"aws:SourceAccount": here.facts.account},
        },
    })
}

/// "Access logs for your Application Load Balancer", "Attach a policy to your S3 bucket": the account's number in the path
/// keeps balancers of other accounts out.
fn balancer_delivery(here: &EnvironmentBuilder<'_>, target: &str) -> Value {
    let account = &here.facts.account;
    let places =
        LOG_PREFIXES.map(|prefix| format!("arn:aws:s3:::{target}/{prefix}/AWSLogs/{account}/*"));
    json!({
        "Sid": "DeliverBalancerLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": places,
    })
}
