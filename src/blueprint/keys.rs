//! The keys of one environment: one for data, one for logs, each with an alias and a policy that lets the account
//! administer it and named services use it, and nobody else.

use super::{Env, EnvironmentBuilder};
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
pub fn declare(builder: &mut EnvironmentBuilder<'_>, env: Env) -> Keys {
    let data = Policy::of(data_policy(builder));
    let logs = Policy::of(logs_policy(builder, env));
    Keys {
        data: key(builder, env, "data", "databases, secrets and tables", data),
        logs: key(builder, env, "logs", "log groups", logs),
    }
}

fn key(
    builder: &mut EnvironmentBuilder<'_>,
    env: Env,
    thing: &str,
    what: &str,
    policy: Policy,
) -> Handle<Key> {
    let settings = &builder.config.keys;
    let spec = Key {
        description: format!("Encrypts {what} of the {env} environment"),
        policy,
        enabled: true,
        rotation_days: Some(settings.rotation_days),
        deletion_days: settings.deletion_days,
    };
    let key = builder
        .graph
        .add(builder.meta(&format!("key-{thing}"), env), spec);
    let mut meta = builder.meta(&format!("alias-{thing}"), env);
    meta.name = format!("alias/{}", builder.name(thing, env));
    builder.graph.add(
        meta,
        Alias {
            key: key.id.clone(),
        },
    );
    key
}

fn root(builder: &EnvironmentBuilder<'_>) -> Value {
    json!({"AWS": format!("arn:aws:iam::{}:root", builder.facts.account)})
}

fn administration(builder: &EnvironmentBuilder<'_>) -> Value {
    json!({
        "Sid": "AdministerKey",
        "Effect": "Allow",
        "Principal": root(builder),
        "Action": ADMINISTER,
        "Resource": "*",
    })
}

/// "Using IAM policies with AWS KMS" and "kms:ViaService": the caller's own permissions count too, and the key is of no
/// use outside these services. Services keep working through grants, which only they may ask for.
fn data_policy(builder: &EnvironmentBuilder<'_>) -> Vec<Value> {
    let region = &builder.config.region;
    let through = json!({
        "kms:CallerAccount": builder.facts.account,
        "kms:ViaService": DATA_SERVICES.map(|s| format!("{s}.{region}.amazonaws.com")),
    });
    vec![
        administration(builder),
        json!({
            "Sid": "UseThroughServices",
            "Effect": "Allow",
            "Principal": root(builder),
            "Action": USE,
            "Resource": "*",
            "Condition": {"StringEquals": through},
        }),
        json!({
            "Sid": "GrantToServices",
            "Effect": "Allow",
            "Principal": root(builder),
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        }),
    ]
}

/// "Encrypt log data in CloudWatch Logs using AWS KMS": the service itself uses the key, and only for this
/// environment's groups.
fn logs_policy(builder: &EnvironmentBuilder<'_>, env: Env) -> Vec<Value> {
    let groups = [
        format!("*-{env}-{}", builder.config.suffix),
        format!("*-{env}-{}/*", builder.config.suffix),
    ]
    .map(|pattern| builder.arn("logs", &format!("log-group:{pattern}")));
    vec![
        administration(builder),
        json!({
            "Sid": "EncryptLogGroups",
            "Effect": "Allow",
            "Principal": {"Service": format!("logs.{}.amazonaws.com", builder.config.region)},
            "Action": USE,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        }),
    ]
}
