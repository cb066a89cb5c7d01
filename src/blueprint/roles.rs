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

/// "Creating and using an IAM policy for IAM database access": as its own user of this database alone.
fn log_in(here: &EnvironmentBuilder<'_>, needs: &Needs<'_>, service: &Service) -> Value {
    let (id, user) = (&needs.database.resource_id, service.database_user());
    let place = here.arn("rds-db", &format!("dbuser:{id}/{user}"));
    allow("LogInToDatabase", &["rds-db:connect"], json!(place))
}

/// The role of the programs: the database's secret, their tables and buckets, and the key of these.
pub fn task(
    here: &mut EnvironmentBuilder<'_>,
    needs: &Needs<'_>,
    service: &Service,
) -> Handle<Role> {
    let name = service.name;
    let without_password = here.config.services.without_password();
    let mut statements = vec![if without_password {
        log_in(here, needs, service)
    } else {
        allow(
            "ReadDatabaseSecret",
            &[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
            ],
            json!(needs.database.secret_arn),
        )
    }];
    let tables: Vec<String> = service
        .tables
        .iter()
        .map(|thing| here.arn("dynamodb", &format!("table/{}", here.name(thing))))
        .flat_map(|table| [format!("{table}/index/*"), table])
        .collect();
    let mut through: Vec<&str> = Vec::new();
    if !without_password {
        through.push("secretsmanager");
    }
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
    if !services.is_empty() {
        statements.push(key);
    }
    let role = Role {
        description: format!("What {name} may do ({})", here.env),
        inline: BTreeMap::from([("work".into(), Policy::of(statements))]),
        ..service_role("ecs-tasks.amazonaws.com", source(here))
    };
    here.add(&format!("role-task-{name}"), role)
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Env, Facts, SERVICES, build};
    use crate::config::Config;

    #[test]
    fn without_a_password_a_task_reads_no_secret_and_logs_in_as_its_own_user_alone() {
        let mut config = Config::default();
        config.services.database_auth = "iam".into();
        let graph = build(&config, &Facts::sample()).unwrap();
        for env in Env::ALL {
            for service in &SERVICES {
                let id = |what: &str| format!("{what}-{}-{env}", service.name);
                let role = graph.get(&id("role-task")).unwrap().spec.to_string();
                let user = format!(
                    "dbuser:@{{aurora-{env}.resource_id}}/{}",
                    service.database_user()
                );
                assert!(role.contains(&user), "{role}");
                let task = graph.get(&id("task")).unwrap().spec.to_string();
                assert!(!role.contains("secretsmanager"), "{role}");
                assert!(!task.contains("SECRET"), "{task}");
                assert!(task.contains("DATABASE_USER"), "{task}");
            }
        }
    }
}
