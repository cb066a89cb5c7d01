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

/// What pulling an image takes ("Amazon ECS task execution IAM role").
pub const PULL: [&str; 3] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
];

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
        allow("PullImage", &PULL, json!(repository)),
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
            &["secretsmanager:GetSecretValue"],
            json!(needs.database.secret_arn),
        )
    }];
    let tables: Vec<String> = service
        .tables
        .iter()
        .map(|thing| here.arn("dynamodb", &format!("table/{}", here.name(thing))))
        .flat_map(|table| [format!("{table}/index/*"), table])
        .collect();
    let with_key = |sid, actions: &[&str], service: &str| {
        let through = format!("{service}.{}.amazonaws.com", here.config.region);
        let mut statement = allow(sid, actions, json!(needs.keys.data.arn));
        statement["Condition"] = json!({"StringEquals": {"kms:ViaService": through}});
        statement
    };
    if !without_password {
        let read = with_key("DecryptSecret", &["kms:Decrypt"], "secretsmanager");
        statements.push(read);
    }
    if !tables.is_empty() {
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
        let actions = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ];
        statements.push(with_key("UseTablesKey", &actions, "dynamodb"));
    }
    let arn = |thing: &str| format!("arn:aws:s3:::{}", here.name(thing));
    let buckets: Vec<String> = service.known_buckets().map(arn).collect();
    let objects = |of: &[&str]| -> Vec<String> {
        let buckets = of.iter().map(|thing| arn(thing));
        buckets.map(|bucket| format!("{bucket}/*")).collect()
    };
    statements.push(allow("ListBuckets", &["s3:ListBucket"], json!(buckets)));
    if !service.reads.is_empty() {
        let objects = objects(service.reads);
        statements.push(allow("ReadObjects", &["s3:GetObject"], json!(objects)));
    }
    statements.push(allow(
        "UseObjects",
        &["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        json!(objects(service.buckets)),
    ));
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
    fn what_only_reports_reads_payments_and_encrypts_nothing() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for env in Env::ALL {
            let role = graph.get(&format!("role-task-reporting-{env}")).unwrap();
            let work = role.spec["inline"]["work"]["Statement"]
                .as_object()
                .unwrap();
            for (sid, statement) in work {
                let says = |text: &str| statement.to_string().contains(text);
                assert!(!says("s3:PutObject") || !says("transaction-logs"), "{sid}");
                assert!(
                    !says("kms:") || statement["Action"] == serde_json::json!(["kms:Decrypt"]),
                    "{sid}"
                );
            }
        }
    }

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
