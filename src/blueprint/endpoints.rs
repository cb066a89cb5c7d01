//! The ways from an environment's private subnets to AWS's services, without the internet. Every endpoint has a policy:
//! an endpoint policy grants nothing, it bounds what may pass ("Control access to VPC endpoints using endpoint
//! policies", AWS PrivateLink), so that credentials of another account can't carry data out by way of ours.

use super::images::Image;
use super::network::Network;
use super::roles::PULL;
use super::storage::LOGGED;
use super::tables::{SESSIONS, SESSIONS_MIGRATION, TABLE_NAMES};
use super::{Env, EnvironmentBuilder, Tier, usable};
use crate::engine::{Handle, Ref};
use crate::resources::ec2::{GatewayEndpoint, InterfaceEndpoint, SecurityGroup};
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

// Buckets and tables are named in the policies and not referred to: their names are known before they exist, and so
// endpoints need not wait for them.

/// Declares the gateway endpoints on the route tables of the app and db tiers, and the interface endpoints in the app
/// subnets and the given group. Answers what is known once they can be used.
pub fn declare(
    here: &mut EnvironmentBuilder<'_>,
    network: &Network,
    group: &Handle<SecurityGroup>,
) -> Vec<Ref<()>> {
    let mut ways = Vec::new();
    let gateways = [("s3", buckets(here)), ("dynamodb", tables(here))];
    for (service, policy) in gateways {
        let spec = GatewayEndpoint {
            vpc: network.vpc.id(),
            service: service_name(here, service),
            route_tables: vec![network.table(Tier::App).id(), network.table(Tier::Db).id()],
            policy,
        };
        let made = here.add(&format!("vpce-{service}"), spec);
        ways.push(usable(&made.id()));
    }
    let subnets = network.tier(Tier::App).iter().map(|subnet| subnet.id());
    let subnets: Vec<_> = subnets.collect();
    for (service, prefix, bare) in SERVICES {
        let spec = InterfaceEndpoint {
            // Private DNS is refused until the VPC's DNS attributes are on.
            vpc: network.vpc.id().ready(),
            service: service_name(here, service).into(),
            subnets: subnets.clone(),
            groups: vec![group.id()],
            private_dns: true,
            policy: Some(own_account(here, prefix, bare)),
        };
        let made = here.add(&format!("vpce-{}", service.replace('.', "-")), spec);
        ways.push(usable(&made.id));
    }
    ways
}

fn service_name(here: &EnvironmentBuilder<'_>, service: &str) -> String {
    format!("com.amazonaws.{}.{service}", here.config.region)
}

/// Principals of this account, and what belongs to this account.
fn own_account(here: &EnvironmentBuilder<'_>, prefix: &str, bare: &[&str]) -> Policy {
    let account = &here.facts.account;
    let mut statements = vec![
        json!({
            "Sid": "OwnPrincipalsOwnResources", "Effect": "Allow", "Principal": "*",
            "Action": format!("{prefix}:*"), "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": account, "aws:ResourceAccount": account}},
        }),
        own_principals(here, "OwnPrincipalsNoResource", bare, &["*".to_owned()]),
    ];
    let given = Image::given(here.config, account);
    if prefix == "ecr" && !given.is_empty() {
        // They may belong to another account, whose policy on the repository decides.
        statements.push(own_principals(here, "GivenImages", &PULL, &given));
    }
    if prefix == "ssm" {
        // AWS's public parameters belong to no account.
        let actions = [
            "ssm:GetParameter",
            "ssm:GetParameters",
            "ssm:GetParametersByPath",
        ];
        let parameters = format!("arn:aws:ssm:{}::parameter/aws/*", here.config.region);
        statements.push(own_principals(
            here,
            "PublicParameters",
            &actions,
            &[parameters],
        ));
    }
    Policy::of(statements)
}

fn own_principals(
    here: &EnvironmentBuilder<'_>,
    sid: &str,
    actions: &[&str],
    resources: &[String],
) -> Value {
    json!({
        "Sid": sid, "Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resources,
        "Condition": {"StringEquals": {"aws:PrincipalAccount": here.facts.account}},
    })
}

/// The environment's buckets, and the bucket from which ECR gives image layers: it belongs to AWS and is read through
/// URLs that ECR signed ("Minimum Amazon S3 bucket permissions for Amazon ECR"), so the principal is not of this account.
fn buckets(here: &EnvironmentBuilder<'_>) -> Policy {
    let own: Vec<String> = LOGGED
        .iter()
        .map(|thing| format!("arn:aws:s3:::{}", here.name(thing)))
        .flat_map(|arn| [format!("{arn}/*"), arn])
        .collect();
    let layers = format!(
        "arn:aws:s3:::prod-{}-starport-layer-bucket/*",
        here.config.region
    );
    Policy::of(vec![
        own_principals(here, "OwnBuckets", &OBJECTS, &own),
        json!({
            "Sid": "EcrLayers", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": layers,
        }),
    ])
}

/// The environment's tables with their indexes. Green's endpoint also lets the migration's functions through, to their own
/// tables and to blue's sessions.
fn tables(here: &EnvironmentBuilder<'_>) -> Policy {
    let arn = |name: String| here.arn("dynamodb", &format!("table/{name}"));
    let own: Vec<String> = TABLE_NAMES
        .iter()
        .map(|thing| arn(here.name(thing)))
        .flat_map(|arn| [format!("{arn}/index/*"), arn])
        .collect();
    let mut statements = vec![own_principals(here, "OwnTables", &ITEMS, &own)];
    if here.env == Env::Green {
        let states = SESSIONS_MIGRATION.map(|thing| arn(here.name(thing)));
        let blue = format!("{SESSIONS}-{}-{}", Env::Blue, here.config.suffix);
        let migrated: Vec<String> = states.into_iter().chain([arn(blue)]).collect();
        statements.push(own_principals(here, "Migration", &ITEMS, &migrated));
    }
    Policy::of(statements)
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Facts, build};
    use crate::config::Config;

    /// The role and both endpoints say yes, or no task starts.
    #[test]
    fn an_image_of_another_account_passes_the_endpoints_and_nothing_else_of_that_account_does() {
        let mut config = Config::default();
        let theirs = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/team/api:2.0";
        let images = &mut config.services.images;
        images.insert("payment-api".into(), theirs.into());
        let graph = build(&config, &Facts::sample()).unwrap();
        let role = &graph.get("role-execution-payment-api-green").unwrap().spec;
        let pull = &role["inline"]["start-tasks"]["Statement"]["PullImage"];
        for endpoint in ["vpce-ecr-api-green", "vpce-ecr-dkr-green"] {
            let policy = &graph.get(endpoint).unwrap().spec["policy"]["Statement"];
            let given = &policy["GivenImages"];
            for part in ["Action", "Resource"] {
                assert_eq!(given[part], pull[part], "{endpoint}");
            }
            assert!(given["Resource"].to_string().contains("999999999999"));
        }
        let none = build(&Config::default(), &Facts::sample()).unwrap();
        let policy = &none.get("vpce-ecr-api-green").unwrap().spec["policy"]["Statement"];
        assert!(policy.get("GivenImages").is_none());
    }

    #[test]
    fn no_endpoint_lets_everybody_through() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        let endpoints = graph.steps.iter().filter(|s| s.id.starts_with("vpce-"));
        let mut seen = 0;
        // The bridge's endpoint takes none: its group and the endpoint service say who may call.
        let endpoints = endpoints.filter(|s| !s.id.starts_with("vpce-bridge-"));
        for step in endpoints.filter(|s| s.kind.ends_with("_endpoint")) {
            seen += 1;
            for (sid, statement) in step.spec["policy"]["Statement"].as_object().unwrap() {
                let account = &statement["Condition"]["StringEquals"]["aws:PrincipalAccount"];
                let bound = account[0] == "123456789012";
                assert!(bound || sid == "EcrLayers", "{}: {sid}", step.id);
            }
        }
        // S3's and DynamoDB's gateway endpoints and the interface endpoints, in both environments.
        assert_eq!(seen, 2 * (2 + super::SERVICES.len()));
    }
}
