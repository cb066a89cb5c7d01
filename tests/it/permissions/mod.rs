//! The policy that `deployer permissions` prints allows what is really called, and hardly more.

mod acts;
pub mod holder;
pub mod judged;
mod reference;

use crate::support::lab::Lab;
use deployer::aws::{Grant, Nature, SERVICES};
use serde_json::Value;
use std::collections::BTreeSet;

fn allowed(lab: &Lab, arguments: &[&str]) -> BTreeSet<String> {
    let done = lab.run(&[&["permissions"], arguments].concat()).expect(0);
    let policy = done.json();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|s| s["Action"].as_array().unwrap());
    actions.map(|a| a.as_str().unwrap().to_owned()).collect()
}

/// Actions that no test's life needs: for what only others or a failure cause.
const SELDOM: &[&str] = &[
    "dynamodb:ListTagsOfResource",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:ReplaceRouteTableAssociation",
    "ec2:DisassociateRouteTable",
    "ec2:DisassociateVpcCidrBlock",
    "ec2:DisassociateTransitGatewayRouteTable",
    "ec2:DisableTransitGatewayRouteTablePropagation",
    "ec2:ReplaceTransitGatewayRoute",
    "ec2:DeleteTransitGatewayRoute",
    "ec2:DeleteTransitGatewayPrefixListReference",
    "iam:DetachRolePolicy",
    // Of `doctor`.
    "iam:SimulatePrincipalPolicy",
    // Of `report`.
    "config:DescribeComplianceByConfigRule",
    "config:DescribeDeliveryChannelStatus",
    "logs:DescribeLogStreams",
    // Of what vanished by hand.
    "dynamodb:ListBackups",
    "dynamodb:RestoreTableFromBackup",
    "rds:DescribeDBClusterAutomatedBackups",
    "rds:RestoreDBClusterFromSnapshot",
    "rds:RestoreDBClusterToPointInTime",
    // When `migration.reserve_concurrency` is switched off.
    "lambda:DeleteFunctionConcurrency",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "kms:EnableKey",
    "kms:DisableKey",
    "kms:UpdateAlias",
    "logs:DisassociateKmsKey",
    "logs:DeleteRetentionPolicy",
    "rds:StartDBCluster",
    "s3:DeleteObject",
    "dynamodb:DeleteResourcePolicy",
    "dynamodb:UntagResource",
    "ec2:AssociateDhcpOptions",
    "ec2:DescribeDhcpOptions",
    "iam:UpdateAssumeRolePolicy",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:UntagResource",
    "logs:AssociateKmsKey",
    "logs:DeleteSubscriptionFilter",
    "logs:UntagResource",
    "rds:DeleteDBClusterSnapshot",
    "rds:DescribeDBClusterSnapshotAttributes",
    "rds:DisableHttpEndpoint",
    "rds:ModifyDBSubnetGroup",
    "rds:RebootDBInstance",
    "rds:RemoveRoleFromDBCluster",
    "rds:RemoveTagsFromResource",
    "rds:ResetDBClusterParameterGroup",
    "rds:ResetDBParameterGroup",
    "rds:StopActivityStream",
    "s3:DeleteBucketReplication",
    "s3:DeleteBucketWebsite",
    // Of a bucket whose owner does not own what others write.
    "s3:GetBucketAcl",
    "s3:PutBucketAcl",
    "s3:PutBucketNotificationConfiguration",
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:DeleteResourcePolicy",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:RestoreSecret",
    // Who stands in the way of a deletion.
    "wafv2:ListResourcesForWebACL",
    "servicequotas:GetServiceQuota",
    "servicequotas:GetAWSDefaultServiceQuota",
    // Only with a shared state.
    "s3:HeadBucket",
    "s3:ListObjectsV2",
    "s3:GetObject",
    "s3:PutObject",
    // Only with `routing.create_zone`.
    "route53:CreateHostedZone",
    "route53:DeleteHostedZone",
    "route53:GetHostedZone",
    "route53:ListTagsForResource",
    "route53:UpdateHostedZoneComment",
    // Of a task that makes green's tables, and of a shift: lives of their own.
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:RunTask",
    "logs:GetLogEvents",
    "cloudwatch:PutMetricData",
    "cloudwatch:DescribeAlarmHistory",
    // Only with a configured topic.
    "sns:Publish",
];

/// Compares the calls of a whole life with the policy.
pub fn cover(lab: &Lab, calls: &[Value]) {
    let (all, reads) = (allowed(lab, &[]), allowed(lab, &["--read-only"]));
    let mut unused: BTreeSet<String> = BTreeSet::new();
    let mut called = BTreeSet::new();
    for call in calls {
        let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
        // The API and its permissions have different names.
        let service = match text("service").as_str() {
            "elbv2" => "elasticloadbalancing".to_owned(),
            "resourcegroupstaggingapi" => "tag".to_owned(),
            other => other.to_owned(),
        };
        called.insert((service, text("operation"), call["write"] == true));
    }
    for (service, operation, write) in &called {
        let declared = SERVICES.iter().flat_map(|s| (s.actions)());
        let mut same = declared.filter(|a| a.operation == operation && a.service.name == service);
        // What no list declares, deployer cannot call: the test did, by hand.
        let Some(api) = same.next() else { continue };
        assert_eq!(api.nature != Nature::Read, *write, "{service}:{operation}");
        // The objects of a shared state are not those that the test puts into the platform's buckets.
        let of_state = |g: &&Grant| g.resource.starts_with("{state-");
        for grant in api.grants.iter().filter(|g| !of_state(g)) {
            let action = grant.action.map_or_else(|| api.action(), str::to_owned);
            assert!(all.contains(&action), "{action}");
            assert!(*write || reads.contains(&action), "{action}");
        }
    }
    for service in SERVICES {
        for api in (service.actions)() {
            let used = called
                .iter()
                .any(|(s, o, _)| s == service.name && o == api.operation);
            if !used && !SELDOM.contains(&api.action().as_str()) {
                unused.insert(api.action());
            }
        }
    }
    assert!(unused.is_empty(), "allowed and never called: {unused:?}");
}
