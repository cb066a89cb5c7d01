//! The keys of each environment and of what is shared: one for data, one for logs, each with an alias and a policy that
//! lets the account administer it and named services use it, and nobody else.

use super::monitoring::{Publisher, publishers};
use super::{Env, EnvironmentBuilder, Scope, ScopeBuilder, Shared};
use crate::aws::kms::DATA_SERVICES;
use crate::engine::Handle;
use crate::resources::Exposed;
use crate::resources::kms::{Alias, Key};
use crate::resources::policy::Policy;
use serde_json::{Value, json};

/// The keys of one environment, or of what is shared.
pub struct Keys {
    /// Encrypts the database, its secret, the tables, the images, the queues, the schedules and the variables of functions.
    pub data: Handle<Key>,
    /// Encrypts log groups and notifications.
    pub logs: Handle<Key>,
}

/// Uses the data key in the name of those who send and receive messages. The deployer does neither, so it is not among the services
/// that its own permissions name.
const QUEUES: &str = "sqs";

/// Services that use the data key in the name of a principal of this account.
fn data_services() -> impl Iterator<Item = &'static str> {
    DATA_SERVICES.into_iter().chain([QUEUES])
}

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

pub fn declare(here: &mut EnvironmentBuilder<'_>) -> Keys {
    let logs = logs_policy(here);
    let data = match here.env {
        Env::Blue => "the database, secrets and tables",
        Env::Green => {
            "the database, secrets, tables, and the migration's queues, schedules and variables"
        }
    };
    pair(here, (data, "log groups and notifications"), logs)
}

/// The keys of what is shared. No log group and no topic is: until one is, its key can be administered and not used.
pub fn shared(here: &mut ScopeBuilder<'_, Shared>) -> Keys {
    let logs = vec![administration(here)];
    pair(here, ("image repositories", "nothing yet"), logs)
}

/// With what each of them encrypts, for people.
fn pair<S: Scope>(
    here: &mut ScopeBuilder<'_, S>,
    (of_data, of_logs): (&str, &str),
    logs: Vec<Value>,
) -> Keys {
    let data = Policy::of(data_policy(here));
    let logs = Policy::of(logs);
    Keys {
        data: key(here, "data", of_data, data),
        logs: key(here, "logs", of_logs, logs),
    }
}

fn key<S: Scope>(
    here: &mut ScopeBuilder<'_, S>,
    thing: &str,
    what: &str,
    policy: Policy,
) -> Handle<Key> {
    let settings = &here.config.keys;
    let spec = Key {
        members: Vec::new(),
        description: format!("Encrypts {what} of {}", here.env.described()),
        policy,
        enabled: true,
        rotation_days: Some(settings.rotation_days),
        deletion_days: settings.deletion_days,
        exposed: Exposed::new(),
    };
    let key = here.add(&format!("key-{thing}"), spec);
    let name = format!("alias/{}", here.name(thing));
    let alias = Alias {
        key: key.id.clone(),
    };
    here.add_named(&format!("alias-{thing}"), name, alias);
    key
}

fn root<S: Scope>(here: &ScopeBuilder<'_, S>) -> Value {
    json!({"AWS": format!("arn:aws:iam::{}:root", here.facts.account)})
}

fn administration<S: Scope>(here: &ScopeBuilder<'_, S>) -> Value {
    json!({
        "Sid": "AdministerKey",
        "Effect": "Allow",
        "Principal": root(here),
        "Action": ADMINISTER,
        "Resource": "*",
    })
}

/// "Using IAM policies with AWS KMS" and "kms:ViaService": the caller's own permissions count too, and the key is of no
/// use outside these services. Services keep working through grants, which only they may ask for.
fn data_policy<S: Scope>(here: &ScopeBuilder<'_, S>) -> Vec<Value> {
    let region = &here.config.region;
    let names = data_services().map(|s| format!("{s}.{region}.amazonaws.com"));
    let through = json!({
        "kms:CallerAccount": here.facts.account,
        "kms:ViaService": names.collect::<Vec<_>>(),
    });
    vec![
        administration(here),
        json!({
            "Sid": "UseThroughServices",
            "Effect": "Allow",
            "Principal": root(here),
            "Action": USE,
            "Resource": "*",
            "Condition": {"StringEquals": through},
        }),
        json!({
            "Sid": "GrantToServices",
            "Effect": "Allow",
            "Principal": root(here),
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        }),
    ]
}

/// "Encrypt log data in CloudWatch Logs using AWS KMS": the service itself uses the key, and only for this
/// environment's groups. "Why didn't I receive an SNS notification for my CloudWatch alarm trigger": whoever publishes to an
/// encrypted topic uses its key too.
fn logs_policy(here: &EnvironmentBuilder<'_>) -> Vec<Value> {
    let env = here.env;
    let groups = [
        format!("*-{env}-{}", here.config.suffix),
        format!("*-{env}-{}/*", here.config.suffix),
    ]
    .map(|pattern| here.arn("logs", &format!("log-group:{pattern}")));
    let publish = |publisher: Publisher| {
        json!({
            "Sid": format!("Encrypt{}", publisher.word),
            "Effect": "Allow",
            "Principal": {"Service": publisher.service},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": publisher.condition(here),
        })
    };
    let mut all = vec![administration(here)];
    all.extend(publishers(here).map(publish));
    all.push(json!({
        "Sid": "EncryptLogGroups",
        "Effect": "Allow",
        "Principal": {"Service": format!("logs.{}.amazonaws.com", here.config.region)},
        "Action": USE,
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::data_services;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use crate::engine::reference::walk;
    use std::collections::BTreeSet;

    /// A key of logs is granted to log groups by the pattern of their names: each grant meets one that exists, and each group that is given
    /// the key meets a grant.
    #[test]
    fn a_key_of_logs_is_granted_for_groups_that_exist_and_for_no_others() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for scope in ["blue", "green", "shared"] {
            let key = format!("key-logs-{scope}");
            let groups = graph.steps.iter().filter(|s| s.kind == "logs/log_group");
            let given = groups.filter(|group| {
                let mut named = false;
                walk(&group.spec, &mut |p| named |= p.step == key);
                named
            });
            let has_groups = given.count() > 0;
            let statements = &graph.get(&key).unwrap().spec["policy"]["Statement"];
            let statements = statements.as_object().unwrap();
            assert_eq!(
                statements.contains_key("EncryptLogGroups"),
                has_groups,
                "{key}"
            );
            let topic = graph.get(&format!("alerts-{scope}")).is_some();
            let publishers = statements
                .keys()
                .filter(|sid| sid.starts_with("EncryptAlarms"));
            assert_eq!(publishers.count() == 1, topic, "{key}");
        }
    }

    /// A service that is given a key and that its policy does not name is refused when it first uses it.
    #[test]
    fn the_data_key_serves_exactly_the_services_that_are_given_it() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let keys = ["blue", "green", "shared"].map(|scope| format!("key-data-{scope}"));
        let mut given = BTreeSet::new();
        for step in &graph.steps {
            for (field, value) in step.spec.as_object().unwrap() {
                let mut named = false;
                walk(value, &mut |p| {
                    named |= keys.iter().any(|key| key == p.step)
                });
                if named && field.contains("key") && !step.kind.starts_with("kms/") {
                    given.insert(step.kind.split('/').next().unwrap());
                }
            }
        }
        // RDS keeps the password of the master user in Secrets Manager, with the same key.
        given.insert("secretsmanager");
        assert_eq!(given, data_services().collect());
    }
}
