//! Log groups of one environment, made before the services that write to them would make unencrypted, endless ones, and
//! the roles of those services.

use super::keys::Keys;
use super::{Env, EnvironmentBuilder};
use crate::engine::Handle;
use crate::resources::iam::Role;
use crate::resources::logs::LogGroup;
use crate::resources::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The thing in the database cluster's name, `aurora-green-dev`: RDS derives the name of its log group from it.
pub const DATABASE_CLUSTER: &str = "aurora";

/// What other sections refer to.
pub struct Logging {
    /// The group of the VPC's flow logs.
    pub flow_logs: Handle<LogGroup>,
    /// The role that writes flow logs.
    pub flow_logs_role: Handle<Role>,
    /// The group that the database exports its PostgreSQL log to.
    pub database: Handle<LogGroup>,
    /// The role that writes the database's enhanced monitoring.
    pub monitoring_role: Handle<Role>,
}

/// Declares them.
pub fn declare(builder: &mut EnvironmentBuilder<'_>, env: Env, keys: &Keys) -> Logging {
    let group = |days| LogGroup {
        retention_days: Some(days),
        kms_key: Some(keys.logs.arn.clone()),
    };
    let flow_logs = builder.graph.add(
        builder.meta("flow-logs", env),
        group(builder.config.network.flow_log_days),
    );
    let mut meta = builder.meta("database-logs", env);
    // "Publishing Aurora PostgreSQL logs to Amazon CloudWatch Logs".
    let cluster = builder.name(DATABASE_CLUSTER, env);
    meta.name = format!("/aws/rds/cluster/{cluster}/postgresql");
    let database = builder
        .graph
        .add(meta, group(builder.config.logs.database_days));
    let flow_logs_role = flow_logs_role(builder, env);
    let monitoring_role = monitoring_role(builder, env);
    Logging {
        flow_logs,
        flow_logs_role,
        database,
        monitoring_role,
    }
}

/// "IAM role for publishing flow logs to CloudWatch Logs", narrowed to the one group. It names the group by its ARN
/// without a reference, so that both are made at once.
fn flow_logs_role(builder: &mut EnvironmentBuilder<'_>, env: Env) -> Handle<Role> {
    let source = json!({
        "StringEquals": {"aws:SourceAccount": builder.facts.account},
        "ArnLike": {"aws:SourceArn": builder.arn("ec2", "vpc-flow-log/*")},
    });
    let group = builder.arn(
        "logs",
        &format!("log-group:{}", builder.name("flow-logs", env)),
    );
    let write = json!({
        "Sid": "WriteToItsGroup",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "Resource": [group, format!("{group}:*")],
    });
    let find = json!({
        "Sid": "FindGroups",
        "Effect": "Allow",
        "Action": "logs:DescribeLogGroups",
        "Resource": builder.arn("logs", "log-group:*"),
    });
    let role = Role {
        description: format!("Writes the flow logs of the {env} VPC"),
        inline: BTreeMap::from([("write-flow-logs".into(), Policy::of(vec![write, find]))]),
        ..service_role("vpc-flow-logs.amazonaws.com", source)
    };
    builder.graph.add(builder.meta("role-flow-logs", env), role)
}

/// "Setting up and enabling Enhanced Monitoring", with its advice against the confused deputy: for this environment's
/// instances only.
fn monitoring_role(builder: &mut EnvironmentBuilder<'_>, env: Env) -> Handle<Role> {
    let instances = builder.name(&format!("db:{DATABASE_CLUSTER}-*"), env);
    let source = json!({
        "StringEquals": {"aws:SourceAccount": builder.facts.account},
        "ArnLike": {"aws:SourceArn": builder.arn("rds", &instances)},
    });
    let role = Role {
        description: format!("Writes the enhanced monitoring of the {env} database"),
        managed: vec![
            "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole".into(),
        ],
        ..service_role("monitoring.rds.amazonaws.com", source)
    };
    builder
        .graph
        .add(builder.meta("role-monitoring", env), role)
}

/// A role that one service takes on, for resources of this account only ("The confused deputy problem").
fn service_role(service: &str, source: Value) -> Role {
    Role {
        description: String::new(),
        trust: Policy::of(vec![json!({
            "Sid": "ServiceTakesItOn",
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": source,
        })]),
        inline: BTreeMap::new(),
        managed: Vec::new(),
        max_session_seconds: 3600,
        permissions_boundary: None,
    }
}
