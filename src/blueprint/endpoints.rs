//! The ways from an environment's private subnets to AWS's services, without the internet. Every endpoint has a policy:
//! an endpoint policy grants nothing, it bounds what may pass ("Control access to VPC endpoints using endpoint
//! policies", AWS PrivateLink), so that credentials of another account can't carry data out by way of ours.

use super::{Env, Site};
use crate::engine::{Handle, Ref};
use crate::resources::ec2::{
    GatewayEndpoint, InterfaceEndpoint, RouteTableId, SecurityGroupId, Subnet, Vpc,
};
use crate::resources::policy::Policy;
use serde_json::{Value, json};

/// Interface endpoints: the service's name, its prefix in IAM, and actions that have no resource (for these, AWS knows
/// no `aws:ResourceAccount`; "Actions, resources, and condition keys" of each service).
const SERVICES: [(&str, &str, &[&str]); 8] = [
    ("ecr.api", "ecr", &["ecr:GetAuthorizationToken"]),
    ("ecr.dkr", "ecr", &["ecr:GetAuthorizationToken"]),
    ("logs", "logs", &["logs:DescribeLogGroups"]),
    (
        "secretsmanager",
        "secretsmanager",
        &[
            "secretsmanager:GetRandomPassword",
            "secretsmanager:ListSecrets",
        ],
    ),
    ("ssm", "ssm", &["ssm:DescribeParameters"]),
    (
        "kms",
        "kms",
        &["kms:GenerateRandom", "kms:ListAliases", "kms:ListKeys"],
    ),
    (
        "sts",
        "sts",
        &[
            "sts:DecodeAuthorizationMessage",
            "sts:GetCallerIdentity",
            "sts:GetSessionToken",
        ],
    ),
    (
        "monitoring",
        "cloudwatch",
        &[
            "cloudwatch:GetMetricData",
            "cloudwatch:GetMetricStatistics",
            "cloudwatch:ListMetrics",
            "cloudwatch:PutMetricData",
        ],
    ),
];

/// What programs do with objects. Deletion is not among it: lifecycle rules do that.
const OBJECTS: [&str; 9] = [
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
];

/// What programs do with items. Transactions are authorized as the actions that they consist of.
const ITEMS: [&str; 10] = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
];

/// What the endpoints open the way to.
pub struct Reach<'a> {
    /// Names of the buckets.
    pub buckets: &'a [String],
    /// ARNs of the DynamoDB tables; their indexes are included.
    pub tables: &'a [String],
}

/// Declares the gateway endpoints on the route tables of the app and db tiers and the interface endpoints in the app
/// subnets.
pub fn declare(
    site: &mut Site<'_>,
    env: Env,
    vpc: &Handle<Vpc>,
    app_subnets: &[Handle<Subnet>],
    route_tables: &[Ref<RouteTableId>],
    group: &Ref<SecurityGroupId>,
    reach: &Reach<'_>,
) {
    let gateways = [
        ("s3", buckets(site, reach.buckets)),
        ("dynamodb", tables(site, reach.tables)),
    ];
    for (service, policy) in gateways {
        let head = site.head(&format!("vpce-{service}"), env);
        let spec = GatewayEndpoint {
            vpc: vpc.id(),
            service: service_name(site, service),
            route_tables: route_tables.to_vec(),
            policy,
        };
        site.graph.add(head, spec);
    }
    for (service, prefix, bare) in SERVICES {
        let head = site.head(&format!("vpce-{}", service.replace('.', "-")), env);
        let spec = InterfaceEndpoint {
            // Private DNS is refused until the VPC's DNS attributes are on.
            vpc: vpc.id().ready(),
            service: service_name(site, service),
            subnets: app_subnets.iter().map(Handle::<Subnet>::id).collect(),
            groups: vec![group.clone()],
            private_dns: true,
            policy: own_account(site, prefix, bare),
        };
        site.graph.add(head, spec);
    }
}

fn service_name(site: &Site<'_>, service: &str) -> String {
    format!("com.amazonaws.{}.{service}", site.config.region)
}

/// Principals of this account, and what belongs to this account.
fn own_account(site: &Site<'_>, prefix: &str, bare: &[&str]) -> Policy {
    let account = &site.facts.account;
    let mut statements = vec![
        json!({
            "Sid": "OwnPrincipalsOwnResources", "Effect": "Allow", "Principal": "*",
            "Action": format!("{prefix}:*"), "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": account, "aws:ResourceAccount": account}},
        }),
        own_principals(site, "OwnPrincipalsNoResource", bare, &["*".to_owned()]),
    ];
    if prefix == "ssm" {
        // AWS's public parameters belong to no account.
        let actions = [
            "ssm:GetParameter",
            "ssm:GetParameters",
            "ssm:GetParametersByPath",
        ];
        let parameters = format!("arn:aws:ssm:{}::parameter/aws/*", site.config.region);
        statements.push(own_principals(
            site,
            "PublicParameters",
            &actions,
            &[parameters],
        ));
    }
    Policy::of(statements)
}

fn own_principals(site: &Site<'_>, sid: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({
        "Sid": sid, "Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resources,
        "Condition": {"StringEquals": {"aws:PrincipalAccount": site.facts.account}},
    })
}

/// The given buckets, and the bucket from which ECR gives image layers: it belongs to AWS and is read through URLs that
/// ECR signed ("Minimum Amazon S3 bucket permissions for Amazon ECR"), so the principal is not of this account.
fn buckets(site: &Site<'_>, names: &[String]) -> Policy {
    let layers = format!(
        "arn:aws:s3:::prod-{}-starport-layer-bucket/*",
        site.config.region
    );
    let mut statements = vec![json!({
        "Sid": "EcrLayers", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": layers,
    })];
    let resources: Vec<String> = names
        .iter()
        .flat_map(|name| {
            [
                format!("arn:aws:s3:::{name}"),
                format!("arn:aws:s3:::{name}/*"),
            ]
        })
        .collect();
    if !resources.is_empty() {
        statements.push(own_principals(site, "OwnBuckets", &OBJECTS, &resources));
    }
    Policy::of(statements)
}

fn tables(site: &Site<'_>, arns: &[String]) -> Policy {
    let resources: Vec<String> = arns
        .iter()
        .flat_map(|arn| [arn.clone(), format!("{arn}/index/*")])
        .collect();
    if resources.is_empty() {
        // A policy must say something.
        let nothing = json!({"Sid": "Nothing", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
        return Policy::of(vec![nothing]);
    }
    Policy::of(vec![own_principals(site, "OwnTables", &ITEMS, &resources)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, Tier, network};
    use crate::config::Config;
    use crate::engine::Builder;

    #[test]
    fn no_endpoint_lets_everybody_through() {
        let config = Config::default();
        let facts = Facts::sample();
        let mut site = Site {
            config: &config,
            facts: &facts,
            graph: Builder::new(),
        };
        let network = network::declare(&mut site, Env::Green);
        let reach = Reach {
            buckets: &["logs-green-dev".to_owned()],
            tables: &[site.arn("dynamodb", "table/sessions-green-dev")],
        };
        let app = network.tier(Tier::App);
        let (rtb, group) = ("rtb-1".into(), "sg-1".into());
        declare(
            &mut site,
            Env::Green,
            &network.vpc,
            app,
            &[rtb],
            &group,
            &reach,
        );
        let graph = site.graph.build().unwrap();
        let endpoints = graph.steps.iter().filter(|s| s.id.starts_with("vpce-"));
        let mut seen = 0;
        for step in endpoints {
            seen += 1;
            for (sid, statement) in step.spec["policy"]["Statement"].as_object().unwrap() {
                let account = &statement["Condition"]["StringEquals"]["aws:PrincipalAccount"];
                let bound = account[0] == "123456789012";
                assert!(bound || sid == "EcrLayers", "{}: {sid}", step.id);
            }
        }
        assert_eq!(seen, 10);
    }
}
