//! The keys of one environment: one for data, one for logs, each with an alias and a policy that lets the account
//! administer it and named services use it, and nobody else.

use super::{Env, Site};
use crate::engine::Handle;
use crate::resources::kms::{Alias, Key};
use crate::resources::policy::Policy;
use serde_json::{Value, json};

/// What other sections refer to.
pub struct Keys {
    /// Encrypts the database, its secret and the tables.
    pub data: Handle<Key>,
    /// Encrypts log groups.
    pub logs: Handle<Key>,
}

/// Services that use the data key in the name of a principal of this account.
const DATA_SERVICES: [&str; 3] = ["dynamodb", "rds", "secretsmanager"];

/// What a service does with a key ("Allows key users to use the KMS key" in the KMS developer guide).
const USE: [&str; 5] = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:DescribeKey",
];

/// What the account does with a key: everything but encrypting, decrypting and granting that to others ("Allows key
/// administrators to administer the KMS key" in the KMS developer guide, without its wildcards).
const ADMINISTER: [&str; 22] = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
];

/// Declares them.
pub fn declare(site: &mut Site<'_>, env: Env) -> Keys {
    let data = Policy::of(data_policy(site));
    let logs = Policy::of(logs_policy(site, env));
    Keys {
        data: key(site, env, "data", "databases, secrets and tables", data),
        logs: key(site, env, "logs", "log groups", logs),
    }
}

fn key(site: &mut Site<'_>, env: Env, thing: &str, what: &str, policy: Policy) -> Handle<Key> {
    let settings = &site.config.keys;
    let spec = Key {
        description: format!("Encrypts {what} of the {env} environment"),
        policy,
        enabled: true,
        rotation_days: Some(settings.rotation_days),
        deletion_days: settings.deletion_days,
    };
    let key = site
        .graph
        .add(site.head(&format!("key-{thing}"), env), spec);
    let mut head = site.head(&format!("alias-{thing}"), env);
    head.name = format!("alias/{}", site.name(thing, env));
    site.graph.add(head, Alias { key: key.id() });
    key
}

fn root(site: &Site<'_>) -> Value {
    json!({"AWS": format!("arn:aws:iam::{}:root", site.facts.account)})
}

fn administration(site: &Site<'_>) -> Value {
    json!({
        "Sid": "AdministerKey",
        "Effect": "Allow",
        "Principal": root(site),
        "Action": ADMINISTER,
        "Resource": "*",
    })
}

/// "Using IAM policies with AWS KMS" and "kms:ViaService": the caller's own permissions count too, and the key is of no
/// use outside these services. Services keep working through grants, which only they may ask for.
fn data_policy(site: &Site<'_>) -> Vec<Value> {
    let region = &site.config.region;
    let through = json!({
        "kms:CallerAccount": site.facts.account,
        "kms:ViaService": DATA_SERVICES.map(|s| format!("{s}.{region}.amazonaws.com")),
    });
    vec![
        administration(site),
        json!({
            "Sid": "UseThroughServices",
            "Effect": "Allow",
            "Principal": root(site),
            "Action": USE,
            "Resource": "*",
            "Condition": {"StringEquals": through},
        }),
        json!({
            "Sid": "GrantToServices",
            "Effect": "Allow",
            "Principal": root(site),
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        }),
    ]
}

/// "Encrypt log data in CloudWatch Logs using AWS KMS": the service itself uses the key, and only for this
/// environment's groups.
fn logs_policy(site: &Site<'_>, env: Env) -> Vec<Value> {
    let groups = [
        format!("*-{env}-{}", site.config.suffix),
        format!("*-{env}-{}/*", site.config.suffix),
    ]
    .map(|pattern| site.arn("logs", &format!("log-group:{pattern}")));
    vec![
        administration(site),
        json!({
            "Sid": "EncryptLogGroups",
            "Effect": "Allow",
            "Principal": {"Service": format!("logs.{}.amazonaws.com", site.config.region)},
            "Action": USE,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        }),
    ]
}
