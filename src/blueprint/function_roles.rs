//! The roles of the migration's functions: each may do exactly what `lambda/README.md` ("Permissions") says of it.

use super::functions::{Reach, Side, Spec};
use super::logging::service_role;
use super::roles::allow;
use super::{Env, EnvironmentBuilder};
use crate::engine::{Handle, Ref};
use crate::resources::Arn;
use crate::resources::dynamodb::Table;
use crate::resources::iam::Role;
use crate::resources::policy::Policy;
use crate::resources::secretsmanager::Secret;
use crate::resources::sqs::Queue;
use crate::resources::ssm::Parameter;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a role is made of.
pub struct Needs<'a> {
    pub function: &'a Spec,
    /// Where its failures go.
    pub queue: Ref<Arn<Queue>>,
    /// Both sides.
    pub blue: &'a Side,
    /// Both sides.
    pub green: &'a Side,
    pub mapping: Ref<Arn<Parameter>>,
    /// The key of hashes.
    pub hash_key: Ref<Arn<Secret>>,
    /// The tables of the functions `sessions` and `sessions-reverse`.
    pub states: &'a [Handle<Table>; 2],
}

/// "AWSLambdaVPCAccessExecutionRole": these actions take no resource.
const INTERFACES: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// Declares one.
pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs<'_>) -> Handle<Role> {
    let function = needs.function;
    let name = function.name;
    let logs = here.arn(
        "logs",
        &format!("log-group:/aws/lambda/{}:*", here.name(&function.thing())),
    );
    let mut statements = vec![
        // No right to make a group: a late line can't bring a deleted one back.
        allow(
            "WriteLog",
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            json!(logs),
        ),
        allow("UseInterfaces", &INTERFACES, json!("*")),
        allow("SendFailures", &["sqs:SendMessage"], json!(needs.queue)),
    ];
    // Lambda itself gives the role a grant on the key of its variables, which a role that is made again under its name has lost.
    let mut through = vec!["sqs", "lambda"];
    match function.reach {
        Reach::Databases => databases(needs, &mut statements, &mut through),
        Reach::Control => {
            databases(needs, &mut statements, &mut through);
            statements.push(allow(
                "MakeHashKey",
                &[
                    "secretsmanager:DescribeSecret",
                    "secretsmanager:PutSecretValue",
                ],
                json!(needs.hash_key),
            ));
        }
        Reach::Verify => {
            databases(needs, &mut statements, &mut through);
            through.push("dynamodb");
            let tables = [&needs.blue.sessions.arn, &needs.green.sessions.arn];
            statements.push(allow("CountSessions", &["dynamodb:Scan"], json!(tables)));
        }
        Reach::Sessions(forward) => sessions(needs, forward, &mut statements, &mut through),
    }
    let region = &here.config.region;
    let services = through
        .iter()
        .map(|s| format!("{s}.{region}.amazonaws.com"));
    let services: Vec<String> = services.collect();
    let mut keys = allow(
        "UseDataKeys",
        &["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        json!([needs.blue.data_key, needs.green.data_key]),
    );
    keys["Condition"] = json!({"StringEquals": {"kms:ViaService": services}});
    statements.push(keys);
    let source = json!({"StringEquals": {"aws:SourceAccount": here.facts.account}});
    let role = Role {
        description: format!("What the migration function {name} may do"),
        inline: BTreeMap::from([("work".into(), Policy::of(statements))]),
        ..service_role("lambda.amazonaws.com", source)
    };
    let role = here.add(&format!("role-{}", function.thing()), role);
    here.needs(Env::Blue);
    role
}

fn databases(needs: &Needs<'_>, statements: &mut Vec<Value>, through: &mut Vec<&str>) {
    let secrets = [
        json!(needs.blue.database.secret_arn.ready()),
        json!(needs.green.database.secret_arn.ready()),
        json!(needs.hash_key),
    ];
    statements.push(allow(
        "ReadSecrets",
        &["secretsmanager:GetSecretValue"],
        json!(secrets),
    ));
    statements.push(allow(
        "ReadMapping",
        &["ssm:GetParameter"],
        json!(needs.mapping),
    ));
    through.push("secretsmanager");
}

fn sessions(
    needs: &Needs<'_>,
    forward: bool,
    statements: &mut Vec<Value>,
    through: &mut Vec<&str>,
) {
    let (from, to) = if forward {
        (needs.blue, needs.green)
    } else {
        (needs.green, needs.blue)
    };
    through.push("dynamodb");
    statements.push(allow(
        "ReadStream",
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        ],
        json!(from.sessions.stream_arn),
    ));
    statements.push(allow("ListStreams", &["dynamodb:ListStreams"], json!("*")));
    statements.push(allow(
        "CopySessions",
        &["dynamodb:DescribeTable", "dynamodb:Scan"],
        json!(from.sessions.arn),
    ));
    statements.push(allow(
        "WriteSessions",
        &[
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
        ],
        json!(to.sessions.arn),
    ));
    let state = &needs.states[usize::from(!forward)];
    statements.push(allow(
        "KeepState",
        &[
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
        ],
        json!(state.arn),
    ));
}
