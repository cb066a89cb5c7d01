//! Rules of AWS Config that watch what this deployment could break, and, where the region has no recorder, the recorder that
//! they rest on with its delivery channel, bucket and role.

use super::logging::service_role;
use super::roles::allow;
use super::storage::{bucket, lifecycle};
use super::{ScopeBuilder, Shared};
use crate::engine::ownership::MARK_SUFFIX;
use crate::engine::{Handle, Ref};
use crate::resources::Exposed;
use crate::resources::config::{Channel, Recorder, Recording, Rule, Scope};
use crate::resources::iam::Role;
use crate::resources::policy::Policy;
use crate::resources::s3::{Bucket, Rule as Lifecycle};
use serde_json::json;
use std::collections::BTreeMap;

/// Who records.
const SERVICE: &str = "config.amazonaws.com";

/// The recorder in names.
const RECORDER: &str = "recorder";

/// A rule: its identifier, its parameters, and what it asks.
type Asked = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// Rules that AWS evaluates at a change ("List of AWS Config Managed Rules"): only these can be limited to things with a tag. What
/// the brief asks for otherwise (365 days of logs, keys for buckets) is left out.
const RULES: [Asked; 19] = [
    (
        "ALB_DESYNC_MODE_CHECK",
        &[("desyncMode", "defensive")],
        "Load balancers refuse requests that could be read in two ways",
    ),
    (
        "ALB_HTTP_DROP_INVALID_HEADER_ENABLED",
        &[],
        "Load balancers drop headers that are not valid",
    ),
    (
        "ALB_WAF_ENABLED",
        &[],
        "A web ACL guards the load balancers",
    ),
    ("DB_INSTANCE_BACKUP_ENABLED", &[], "Databases have backups"),
    (
        "DYNAMODB_TABLE_ENCRYPTED_KMS",
        &[],
        "Tables are encrypted with a key of KMS",
    ),
    (
        "ECS_CONTAINERS_NONPRIVILEGED",
        &[],
        "No container is privileged",
    ),
    (
        "ECS_CONTAINERS_READONLY_ACCESS",
        &[],
        "Containers cannot write to their root file system",
    ),
    (
        "ECS_TASK_DEFINITION_LOG_CONFIGURATION",
        &[],
        "Containers have a log",
    ),
    (
        "INCOMING_SSH_DISABLED",
        &[],
        "No security group lets SSH in from everywhere",
    ),
    (
        "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
        &[],
        "Functions cannot be called by the public",
    ),
    ("LAMBDA_INSIDE_VPC", &[], "Functions run in the VPC"),
    (
        "RDS_CLUSTER_ENCRYPTED_AT_REST",
        &[],
        "Database clusters are encrypted",
    ),
    (
        "RDS_CLUSTER_IAM_AUTHENTICATION_ENABLED",
        &[],
        "Database clusters take IAM authentication",
    ),
    (
        "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
        &[],
        "Databases have no public address",
    ),
    (
        "RDS_STORAGE_ENCRYPTED",
        &[],
        "Database instances are encrypted",
    ),
    (
        "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED",
        &[],
        "Buckets block public access",
    ),
    (
        "S3_BUCKET_SSL_REQUESTS_ONLY",
        &[],
        "Buckets refuse plain HTTP",
    ),
    (
        "S3_BUCKET_VERSIONING_ENABLED",
        &[],
        "Buckets keep old versions",
    ),
    ("SNS_ENCRYPTED_KMS", &[], "Topics are encrypted"),
];

/// The types that the rules look at. Everything else would be recorded, and paid for, without use.
const TYPES: [&str; 9] = [
    "AWS::DynamoDB::Table",
    "AWS::EC2::SecurityGroup",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Lambda::Function",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
];

pub fn declare(here: &mut ScopeBuilder<'_, Shared>) {
    if !here.config.compliance.rules {
        return;
    }
    let recorder = match &here.facts.recorder {
        Some(name) => name.as_str().into(),
        None => recorder(here),
    };
    let scope = Scope {
        tag: MARK_SUFFIX.into(),
        value: here.config.suffix.clone(),
        others: Vec::new(),
    };
    for (identifier, parameters, description) in RULES {
        let parameters = parameters.iter();
        let spec = Rule {
            recorder: recorder.clone(),
            identifier: identifier.into(),
            description: description.into(),
            parameters: parameters
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            scope: Some(scope.clone()),
            frequency: String::new(),
        };
        let thing = identifier.to_lowercase().replace('_', "-");
        here.add(&format!("rule-{thing}"), spec);
    }
}

/// The name of this deployment's recorder: one with another name is the account's.
pub fn recorder_name(suffix: &str) -> String {
    format!("{RECORDER}-{Shared}-{suffix}")
}

/// The recorder with what it needs; its name, known when it records.
fn recorder(here: &mut ScopeBuilder<'_, Shared>) -> Ref<Recorder> {
    let bucket = history(here);
    let role = role(here);
    let spec = Recorder {
        // Its policies must be there.
        role: role.arn().ready(),
        types: TYPES.map(str::to_owned).into(),
        frequency: "CONTINUOUS".into(),
    };
    let recorder = here.add(RECORDER, spec);
    let spec = Channel {
        recorder: recorder.name(),
        // Its policy is judged by the call.
        bucket: bucket.name().ready(),
        prefix: String::new(),
        snapshots: "TwentyFour_Hours".into(),
        exposed: Exposed::new(),
    };
    let channel = here.add("channel", spec);
    let spec = Recording {
        recorder: recorder.name(),
        channel: channel.name.clone(),
    };
    let recording = here.add("recording", spec);
    here.output("bucket.config", bucket.name());
    recording.recorder.clone()
}

/// Where AWS Config puts what it records: `AWSLogs/{account}/Config/..` ("Permissions for the Amazon S3 bucket for the AWS Config
/// delivery channel").
fn place(here: &ScopeBuilder<'_, Shared>) -> String {
    let name = here.name("config");
    format!(
        "arn:aws:s3:::{name}/AWSLogs/{}/Config/*",
        here.facts.account
    )
}

fn history(here: &mut ScopeBuilder<'_, Shared>) -> Handle<Bucket> {
    let name = here.name("config");
    let from = json!({"StringEquals": {"aws:SourceAccount": here.facts.account}});
    let look = json!({
        "Sid": "LetConfigLook",
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
        "Resource": format!("arn:aws:s3:::{name}"),
        "Condition": from,
    });
    let deliver = json!({
        "Sid": "LetConfigDeliver",
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "s3:PutObject",
        "Resource": place(here),
        "Condition": from,
    });
    let expire = Lifecycle {
        expire_days: Some(here.config.compliance.history_days),
        ..Lifecycle::default()
    };
    let rules = lifecycle(here, ("expire", expire));
    // The buckets of access logs are the environments'; this one outlives each of them.
    here.add("config", bucket(&name, vec![look, deliver], rules, None))
}

/// "Permissions for the IAM role assigned to AWS Config".
fn role(here: &mut ScopeBuilder<'_, Shared>) -> Handle<Role> {
    let source = json!({"StringEquals": {"aws:SourceAccount": here.facts.account}, "ArnLike": {"aws:SourceArn": here.arn("config", "*")}});
    let mut deliver = allow("Deliver", &["s3:PutObject"], json!(place(here)));
    deliver["Condition"] = json!({"StringLike": {"s3:x-amz-acl": "bucket-owner-full-control"}});
    let look = allow(
        "LookAtBucket",
        &["s3:GetBucketAcl"],
        json!(format!("arn:aws:s3:::{}", here.name("config"))),
    );
    let role = Role {
        description: "Reads what AWS Config records, and delivers it".into(),
        inline: BTreeMap::from([("deliver".into(), Policy::of(vec![deliver, look]))]),
        managed: vec!["arn:aws:iam::aws:policy/service-role/AWS_ConfigRole".into()],
        ..service_role(SERVICE, source)
    };
    here.add("role-config", role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;

    #[test]
    fn a_recorder_of_the_account_is_used_and_nothing_else_is_made_for_it() {
        let facts = Facts {
            recorder: Some("default".into()),
            ..Facts::sample()
        };
        let graph = build(&Config::default(), &facts).unwrap();
        let kinds = |kind: &str| graph.steps.iter().filter(|s| s.kind == kind).count();
        assert_eq!(kinds("config/rule"), RULES.len());
        for made in ["config/recorder", "config/channel", "config/recording"] {
            assert_eq!(kinds(made), 0, "{made}");
        }
        assert!(graph.get("config-shared").is_none());
        let rules = graph.steps.iter().filter(|s| s.kind == "config/rule");
        for rule in rules {
            assert_eq!(rule.spec["recorder"], "default");
            assert_eq!(rule.spec["scope"]["value"], "dev");
        }
    }

    #[test]
    fn ours_has_the_name_that_tells_it_from_the_accounts() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let recorder = graph.get("recorder-shared").unwrap();
        assert_eq!(recorder.name, recorder_name("dev"));
        assert_eq!(
            graph.get("config-shared").unwrap().name,
            "config-shared-dev"
        );
        let mut config = Config::default();
        config.compliance.rules = false;
        let graph = build(&config, &Facts::sample()).unwrap();
        assert!(graph.steps.iter().all(|s| !s.kind.starts_with("config/")));
    }
}
