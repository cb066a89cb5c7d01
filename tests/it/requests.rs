//! Every request is one that AWS takes: over a whole life of both environments the sandbox, which checks each against
//! the service's model and the documented limits, knows all of it and refuses nothing but what was asked to see whether
//! something is there.

use crate::permissions::{holder, judged};
use crate::support::lab::Lab;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ELB_GONE: &[&str] = &[
    "LoadBalancerNotFound",
    "TargetGroupNotFound",
    "ListenerNotFound",
    "RuleNotFound",
];
const WAF_GONE: &[&str] = &["WAFNonexistentItemException"];

/// Answers that are asked for on purpose: they say "not there (any more)", or "does not fit yet".
const EXPECTED: &[(&str, &[&str])] = &[
    ("s3:GetBucketVersioning", &["NoSuchBucket"]),
    ("s3:GetBucketPolicy", &["NoSuchBucketPolicy"]),
    (
        "s3:GetBucketLifecycleConfiguration",
        &["NoSuchLifecycleConfiguration"],
    ),
    (
        "s3:GetPublicAccessBlock",
        &["NoSuchPublicAccessBlockConfiguration"],
    ),
    ("iam:GetRole", &["NoSuchEntity"]),
    ("logs:ListTagsForResource", &["ResourceNotFoundException"]),
    ("dynamodb:DescribeTable", &["ResourceNotFoundException"]),
    (
        "dynamodb:GetResourcePolicy",
        &["PolicyNotFoundException", "ResourceNotFoundException"],
    ),
    (
        "s3:GetBucketReplication",
        &["ReplicationConfigurationNotFoundError"],
    ),
    ("s3:GetBucketWebsite", &["NoSuchWebsiteConfiguration"]),
    ("s3:GetBucketCors", &["NoSuchCORSConfiguration"]),
    ("route53:ListHostedZonesByVPC", &["InvalidVPCId"]),
    ("elbv2:DescribeTags", ELB_GONE),
    ("elbv2:DescribeListeners", ELB_GONE),
    ("elbv2:DescribeRules", ELB_GONE),
    ("elbv2:DescribeLoadBalancerAttributes", ELB_GONE),
    ("elbv2:DescribeListenerAttributes", ELB_GONE),
    ("elbv2:DescribeTargetGroupAttributes", ELB_GONE),
    ("elbv2:DescribeTargetHealth", ELB_GONE),
    (
        "ec2:DescribeVpcEndpointServicePermissions",
        &["InvalidVpcEndpointServiceId.NotFound"],
    ),
    ("acm:DescribeCertificate", &["ResourceNotFoundException"]),
    ("acm:ListTagsForCertificate", &["ResourceNotFoundException"]),
    ("route53:ListTagsForResources", &["NoSuchHealthCheck"]),
    ("wafv2:GetWebACL", WAF_GONE),
    ("wafv2:GetIPSet", WAF_GONE),
    ("wafv2:GetWebACLForResource", WAF_GONE),
    ("wafv2:ListTagsForResource", WAF_GONE),
    ("sns:GetTopicAttributes", &["NotFound"]),
    ("sns:ListTagsForResource", &["ResourceNotFound"]),
    ("sns:ListSubscriptionsByTopic", &["NotFound"]),
    ("ssm:ListTagsForResource", &["InvalidResourceId"]),
    ("ecr:DescribeRepositories", &["RepositoryNotFoundException"]),
    ("ecr:ListTagsForResource", &["RepositoryNotFoundException"]),
    (
        "ecr:GetLifecyclePolicy",
        &[
            "LifecyclePolicyNotFoundException",
            "RepositoryNotFoundException",
        ],
    ),
    (
        "ecr:GetRepositoryPolicy",
        &[
            "RepositoryPolicyNotFoundException",
            "RepositoryNotFoundException",
        ],
    ),
    ("ecs:DescribeTaskDefinition", &["ClientException"]),
    ("ecs:DescribeServices", &["ClusterNotFoundException"]),
    ("ecs:ListServices", &["ClusterNotFoundException"]),
    ("cloudwatch:GetDashboard", &["ResourceNotFound"]),
    ("config:DescribeConfigRules", &["NoSuchConfigRuleException"]),
    ("config:ListTagsForResource", &["ResourceNotFoundException"]),
    (
        "cloudwatch:ListTagsForResource",
        &["ResourceNotFoundException"],
    ),
    ("lambda:GetFunction", &["ResourceNotFoundException"]),
    ("lambda:GetPolicy", &["ResourceNotFoundException"]),
    (
        "lambda:ListFunctionUrlConfigs",
        &["ResourceNotFoundException"],
    ),
    (
        "lambda:ListFunctionEventInvokeConfigs",
        &["ResourceNotFoundException"],
    ),
    ("lambda:ListTags", &["ResourceNotFoundException"]),
    ("scheduler:GetScheduleGroup", &["ResourceNotFoundException"]),
    ("scheduler:GetSchedule", &["ResourceNotFoundException"]),
    (
        "secretsmanager:DescribeSecret",
        &["ResourceNotFoundException"],
    ),
    ("sqs:GetQueueUrl", &["QueueDoesNotExist"]),
    ("sqs:GetQueueAttributes", &["QueueDoesNotExist"]),
    ("sqs:ListQueueTags", &["QueueDoesNotExist"]),
    ("events:ListTargetsByRule", &["ResourceNotFoundException"]),
    ("events:ListTagsForResource", &["ResourceNotFoundException"]),
];

const OTHERWISE: &str = r#"
[tags.set]
CostCenter = "elsewhere"
Extra = "a b_c.d:e/f=g+h-i@j"
[network]
flow_log_days = 120
[storage]
transaction_logs_glacier_days = 60
noncurrent_days = 30
[database]
max_capacity = 8.0
backup_days = 30
instances = 4
rotation_days = 45
monitoring_seconds = 30
insights_days = 31
[services]
image_tag = "2"
cpu_target = 50
[logs]
service_days = 120
database_days = 120
[monitoring]
notify = ["ops@example.com", "https://example.com/alerts"]
[keys]
rotation_days = 400
[run]
consistency_timeout_seconds = 3
call_timeout_seconds = 20
api_limits = 1000
"#;

/// Changes by hand whose repair sends what neither a create nor a changed configuration does.
pub const BY_HAND: &str = include_str!("requests/by_hand.py");

#[test]
fn aws_would_take_every_request_of_a_whole_life() {
    let lab = Lab::start();
    // With no more rights than `deployer permissions` lists.
    holder::hold(&lab, &[]);
    let since = lab.mark();
    lab.run(&["apply", "--yes"]).expect(0);
    lab.run(&["traffic", "status"]).expect(2);
    lab.run(&["traffic", "rollback"]).expect(0);
    lab.run(&["traffic", "status"]).expect(0);
    let equal = json!({"function-verify-green-dev": {"ok": true, "verdict": "equal"}});
    lab.control("POST", "answers", &equal);
    lab.run(&["migrate", "verify"]).expect(0);
    std::fs::write(lab.dir.path().join("deployer.toml"), OTHERWISE).unwrap();
    lab.run(&["apply", "--yes"]).expect(0);
    lab.python(BY_HAND);
    lab.run(&["drift", "--json"]).expect(2);
    lab.run(&["apply", "--yes"]).expect(0);
    lab.run(&["drift", "--json"]).expect(0);
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    let green = ["destroy", "--env", "green", "--yes", "--destroy-data"];
    // What calls the functions was switched on by hand.
    let done = lab.run(&green).expect(8);
    assert!(done.err.contains("a migration is running"), "{}", done.err);
    lab.run(&[&green[..], &["--ignore-migration"]].concat())
        .expect(0);
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    let calls = lab.calls(since);
    let graph = lab.run(&["graph", "--format", "json"]).expect(0).json();
    let steps = graph["steps"].as_array().unwrap().len();
    let writes = lab.writes(since).len();
    assert!(writes > steps, "{writes} writes for {steps} steps");
    let odd: BTreeSet<String> = calls.iter().filter_map(unexpected).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    crate::permissions::cover(&lab, &calls);
    judged::nearly_every_statement_was_needed(&lab);
}

/// What AWS would have refused or not understood, but for what is expected.
fn unexpected(call: &Value) -> Option<String> {
    let text = |key: &str| call[key].as_str().unwrap_or_default();
    let action = format!("{}:{}", text("service"), text("operation"));
    let error = text("error");
    let mut expected = EXPECTED.iter().filter(|(at, _)| *at == action);
    let fits = error.is_empty() || expected.any(|(_, codes)| codes.contains(&error));
    let strange = call["strange"].as_array().is_none_or(|s| !s.is_empty());
    (strange || !fits).then(|| format!("{action}: {error} {}", call["strange"]))
}
