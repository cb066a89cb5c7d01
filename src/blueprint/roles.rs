//! The roles of a service: what starts its tasks, and what its programs may do. Each has exactly what its service needs.

use super::EnvironmentBuilder;
use super::compute::{Needs, path};
use super::images::Image;
use super::logging::service_role;
use super::services::Service;
use crate::engine::Handle;
use crate::resources::iam::Role;
use crate::resources::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// "IAM roles for Amazon ECS": for tasks of this account and region only.
fn source(here: &EnvironmentBuilder<'_>) -> Value {
    json!({
        "StringEquals": {"aws:SourceAccount": here.facts.account},
        "ArnLike": {"aws:SourceArn": here.arn("ecs", "*")},
    })
}

/// A statement that allows actions on a resource.
pub fn allow(sid: &str, actions: &[&str], resource: Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
}

/// The role that starts tasks: pulls the image, reads the parameters, writes the log. Its group is there: it makes none.
pub fn execution(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
) -> Handle<Role> {
    let name = service.name;
    // One of ours is made before it: an environment that is made alone brings the repositories of its images.
    let repository = needs.repositories.get(name);
    let repository = repository.map_or_else(
        || Image::of(here.config, &here.facts.account, service).arn(here.config),
        |repository| repository.arn.to_string(),
    );
    let group = here.arn(
        "logs",
        &format!("log-group:{}", here.name(&format!("logs-{name}"))),
    );
    let parameters = here.arn("ssm", &format!("parameter{}/*", path(here, service)));
    let statements = vec![
        allow("LogIn", &["ecr:GetAuthorizationToken"], json!("*")),
        allow(
            "PullImage",
            &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            json!(repository),
        ),
        allow("ReadParameters", &["ssm:GetParameters"], json!(parameters)),
        allow(
            "WriteLog",
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            json!(format!("{group}:*")),
        ),
    ];
    let role = Role {
        description: format!("Starts tasks of {name} ({})", here.env),
        inline: BTreeMap::from([("start-tasks".into(), Policy::of(statements))]),
        ..service_role("ecs-tasks.amazonaws.com", source(here))
    };
    here.add(&format!("role-execution-{name}"), role)
}

/// The role of the programs: the database's secret, their tables and buckets, and the key of these.
pub fn task(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
) -> Handle<Role> {
    let name = service.name;
    let mut statements = vec![allow(
        "ReadDatabaseSecret",
        &[
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
        ],
        json!(needs.database.secret_arn),
    )];
    let tables: Vec<String> = service
        .tables
        .iter()
        .map(|thing| here.arn("dynamodb", &format!("table/{}", here.name(thing))))
        .flat_map(|table| [format!("{table}/index/*"), table])
        .collect();
    let mut through = vec!["secretsmanager"];
    if !tables.is_empty() {
        through.push("dynamodb");
        let items = [
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ];
        statements.push(allow("UseTables", &items, json!(tables)));
    }
    let buckets: Vec<String> = service
        .buckets
        .iter()
        .map(|thing| format!("arn:aws:s3:::{}", here.name(thing)))
        .collect();
    let objects: Vec<String> = buckets.iter().map(|bucket| format!("{bucket}/*")).collect();
    statements.push(allow("ListBuckets", &["s3:ListBucket"], json!(buckets)));
    statements.push(allow(
        "UseObjects",
        &["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        json!(objects),
    ));
    let region = &here.config.region;
    let services = through
        .iter()
        .map(|s| format!("{s}.{region}.amazonaws.com"));
    let services: Vec<String> = services.collect();
    let mut key = allow(
        "UseDataKey",
        &[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        json!(needs.keys.data.arn),
    );
    key["Condition"] = json!({"StringEquals": {"kms:ViaService": services}});
    statements.push(key);
    let role = Role {
        description: format!("What {name} may do ({})", here.env),
        inline: BTreeMap::from([("work".into(), Policy::of(statements))]),
        ..service_role("ecs-tasks.amazonaws.com", source(here))
    };
    here.add(&format!("role-task-{name}"), role)
}
