//! Log groups of one environment, made before the services that write to them would make unencrypted, endless ones, and
//! the roles of those services.

use super::EnvironmentBuilder;
use super::keys::Keys;
use crate::engine::Handle;
use crate::resources::Exposed;
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

pub fn declare(here: &mut EnvironmentBuilder<'_>, keys: &Keys) -> Logging {
    let group = |days| LogGroup {
        retention_days: Some(days),
        kms_key: Some(keys.logs.arn.clone()),
        exposed: Exposed::new(),
    };
    let flow_logs = here.add("flow-logs", group(here.config.network.flow_log_days));
    // "Publishing Aurora PostgreSQL logs to Amazon CloudWatch Logs".
    let cluster = here.name(DATABASE_CLUSTER);
    let name = format!("/aws/rds/cluster/{cluster}/postgresql");
    let days = here.config.logs.database_days;
    let database = here.add_named("database-logs", name, group(days));
    let flow_logs_role = flow_logs_role(here);
    let monitoring_role = monitoring_role(here);
    Logging {
        flow_logs,
        flow_logs_role,
        database,
        monitoring_role,
    }
}

/// "IAM role for publishing flow logs to CloudWatch Logs", narrowed to the one group. It names the group by its ARN
/// without a reference, so that both are made at once.
fn flow_logs_role(here: &mut EnvironmentBuilder<'_>) -> Handle<Role> {
    let source = json!({
        "StringEquals": {"aws:SourceAccount": here.facts.account},
        "ArnLike": {"aws:SourceArn": here.arn("ec2", "vpc-flow-log/*")},
    });
    let group = here.arn("logs", &format!("log-group:{}", here.name("flow-logs")));
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
        "Resource": here.arn("logs", "log-group:*"),
    });
    let role = Role {
        description: format!("Writes the flow logs of the {} VPC", here.env),
        inline: BTreeMap::from([("write-flow-logs".into(), Policy::of(vec![write, find]))]),
        ..service_role("vpc-flow-logs.amazonaws.com", source)
    };
    here.add("role-flow-logs", role)
}

/// "Setting up and enabling Enhanced Monitoring", with its advice against the confused deputy: for this environment's
/// instances only.
fn monitoring_role(here: &mut EnvironmentBuilder<'_>) -> Handle<Role> {
    let instances = here.name(&format!("db:{DATABASE_CLUSTER}-*"));
    let source = json!({
        "StringEquals": {"aws:SourceAccount": here.facts.account},
        "ArnLike": {"aws:SourceArn": here.arn("rds", &instances)},
    });
    let role = Role {
        description: format!(
            "Writes the enhanced monitoring of the {} database",
            here.env
        ),
        managed: vec![
            "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole".into(),
        ],
        ..service_role("monitoring.rds.amazonaws.com", source)
    };
    here.add("role-monitoring", role)
}

/// A role that one service takes on, for resources of this account only ("The confused deputy problem").
pub fn service_role(service: &str, source: Value) -> Role {
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
        members: Vec::new(),
    }
}
