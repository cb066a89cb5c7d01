//! The buckets of one environment: transaction logs, compliance documents, and the access logs of both.

use super::{Env, EnvironmentBuilder};
use crate::engine::StepMeta;
use crate::resources::Exposed;
use crate::resources::policy::Policy;
use crate::resources::s3::{Bucket, Encryption, Logging, PublicAccess, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The things in the names of the buckets that are logged: [`ACCESS_LOGS`] takes logs from these and no others.
const LOGGED: [&str; 2] = ["transaction-logs", "compliance-docs"];
const ACCESS_LOGS: &str = "access-logs";

/// Declares them.
pub fn declare(builder: &mut EnvironmentBuilder<'_>, env: Env) {
    let days = builder.config.storage.clone();
    let archive = |glacier| Rule {
        // Small objects too, in the form of "Allowing objects smaller than 128 KB to be transitioned".
        larger_than: Some(1),
        transitions: BTreeMap::from([
            ("GLACIER".into(), glacier),
            ("DEEP_ARCHIVE".into(), days.deep_archive_days),
        ]),
        ..Rule::default()
    };
    let expire = Rule {
        expire_days: Some(days.access_logs_expire_days),
        ..Rule::default()
    };

    let meta = builder.meta(ACCESS_LOGS, env);
    let deliver = delivery(builder, env, &meta.name);
    let rules = lifecycle(builder, ("expire", expire));
    // Its own accesses are not logged: a bucket that logs into itself never comes to rest.
    let spec = bucket(&meta, vec![deliver], rules, None);
    let access_logs = builder.graph.add(meta, spec);

    let mut logged = |thing: &str, rule| {
        let meta = builder.meta(thing, env);
        let logging = Logging {
            // "Enabling Amazon S3 server access logging": the target's policy must be there before.
            bucket: access_logs.name().ready(),
            prefix: format!("{thing}/"),
        };
        let rules = lifecycle(builder, ("archive", rule));
        let spec = bucket(&meta, Vec::new(), rules, Some(logging));
        builder.graph.add(meta, spec)
    };
    let [transaction_logs, compliance_docs] = LOGGED;
    let transaction_logs = logged(
        transaction_logs,
        archive(days.transaction_logs_glacier_days),
    );
    let compliance_docs = logged(compliance_docs, archive(days.compliance_docs_glacier_days));
    let all = [
        (LOGGED[0], &transaction_logs),
        (LOGGED[1], &compliance_docs),
        (ACCESS_LOGS, &access_logs),
    ];
    for (thing, bucket) in all {
        let name = format!("{env}.bucket.{thing}");
        builder.graph.output(name, bucket.name());
    }
}

/// A private, versioned, encrypted bucket.
fn bucket(
    meta: &StepMeta,
    mut statements: Vec<Value>,
    lifecycle: BTreeMap<String, Rule>,
    logging: Option<Logging>,
) -> Bucket {
    statements.extend(encrypted_transport(&meta.name));
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

fn lifecycle(builder: &EnvironmentBuilder<'_>, (id, rule): (&str, Rule)) -> BTreeMap<String, Rule> {
    let days = &builder.config.storage;
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

/// "Security best practices for Amazon S3": nothing in clear text, nothing older than TLS 1.2.
fn encrypted_transport(bucket: &str) -> [Value; 2] {
    let deny = |sid: &str, condition: Value| {
        json!({
            "Sid": sid,
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
            "Condition": condition,
        })
    };
    [
        deny(
            "DenyPlainHttp",
            json!({"Bool": {"aws:SecureTransport": "false"}}),
        ),
        deny(
            "DenyOldTls",
            json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ),
    ]
}

/// "Permissions for log delivery" in the S3 user guide: each bucket writes under its own prefix.
fn delivery(builder: &EnvironmentBuilder<'_>, env: Env, target: &str) -> Value {
    let sources = LOGGED.map(|thing| format!("arn:aws:s3:::{}", builder.name(thing, env)));
    let places = LOGGED.map(|thing| format!("arn:aws:s3:::{target}/{thing}/*"));
    json!({
        "Sid": "DeliverAccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": places,
        "Condition": {
            "ArnLike": {"aws:SourceArn": sources},
            "StringEquals": {"aws:SourceAccount": builder.facts.account},
        },
    })
}
