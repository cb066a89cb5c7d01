//! The role that migration tooling of other accounts takes on: it calls the functions that copy and compare, and reads what
//! they say. Switching schedules, moving traffic and everything else stays with whoever runs deployer.

use super::functions::{FUNCTIONS, Reach};
use super::logging::service_role;
use super::roles::allow;
use super::{Env, EnvironmentBuilder};
use crate::engine::{Handle, Ref};
use crate::resources::Arn;
use crate::resources::iam::Role;
use crate::resources::lambda::Function;
use crate::resources::policy::Policy;
use crate::resources::sqs::Queue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the role is about.
pub struct Needs {
    /// The functions, in the order of [`FUNCTIONS`].
    pub functions: Vec<Ref<Arn<Function>>>,
    /// Where their failures go.
    pub queues: Vec<Ref<Arn<Queue>>>,
}

/// Declares it. It comes with the functions.
pub fn declare(here: &mut EnvironmentBuilder<'_>, needs: &Needs) -> Handle<Role> {
    // The functions of sessions take records of streams; made up ones would be copied like true ones.
    let called = FUNCTIONS.iter().zip(&needs.functions);
    let called = called.filter(|(function, _)| !matches!(function.reach, Reach::Sessions(_)));
    let called: Vec<_> = called.map(|(_, arn)| arn).collect();
    let logs = |below: &str| -> Vec<String> {
        let group = |f: &super::functions::Spec| {
            let name = format!("log-group:/aws/lambda/{}{below}", here.name(&f.thing()));
            here.arn("logs", &name)
        };
        FUNCTIONS.iter().map(group).collect()
    };
    let statements = vec![
        allow("CallFunctions", &["lambda:InvokeFunction"], json!(called)),
        allow(
            "ReadFunctions",
            &["lambda:GetFunctionConfiguration"],
            json!(needs.functions),
        ),
        allow(
            "ReadLogs",
            &["logs:FilterLogEvents", "logs:DescribeLogStreams"],
            json!(logs(":*")),
        ),
        allow(
            "ReadLogStreams",
            &["logs:GetLogEvents"],
            json!(logs(":log-stream:*")),
        ),
        allow(
            "CountFailures",
            &["sqs:GetQueueAttributes"],
            json!(needs.queues),
        ),
    ];
    let role = Role {
        description: format!(
            "Taken on by migration tooling of other accounts ({})",
            here.env
        ),
        trust: Policy::of(vec![trust(here)]),
        inline: BTreeMap::from([("migrate".into(), Policy::of(statements))]),
        ..service_role("", json!({}))
    };
    let role = here.add("role-migration-tooling", role);
    here.needs(Env::Blue);
    here.output("migration.tooling.role", role.arn());
    here.output("migration.tooling.external_id", external_id(here));
    role
}

/// "How to use an external ID when granting access to your AWS resources to a third party": whoever takes it on says for whom.
fn trust(here: &EnvironmentBuilder<'_>) -> Value {
    let trusted = &here.config.migration.trusted_accounts;
    let own = [here.facts.account.clone()];
    let accounts = if trusted.is_empty() {
        &own[..]
    } else {
        trusted
    };
    let roots = accounts.iter().map(|id| format!("arn:aws:iam::{id}:root"));
    json!({
        "Sid": "ToolingTakesItOn",
        "Effect": "Allow",
        "Principal": {"AWS": roots.collect::<Vec<_>>()},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id(here)}},
    })
}

fn external_id(here: &EnvironmentBuilder<'_>) -> String {
    let given = &here.config.migration.external_id;
    if given.is_empty() {
        format!("payment-processing-{}", here.config.suffix)
    } else {
        given.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use serde_json::{Value, json};

    fn role(change: impl FnOnce(&mut Config)) -> Value {
        let mut config = Config::default();
        change(&mut config);
        let graph = build(&config, &Facts::sample()).unwrap();
        graph
            .get("role-migration-tooling-green")
            .unwrap()
            .spec
            .clone()
    }

    #[test]
    fn it_is_taken_on_by_the_accounts_named_alone_and_with_the_external_id() {
        let trust = |spec: &Value| spec["trust"]["Statement"]["ToolingTakesItOn"].clone();
        let own = role(|_| ());
        assert_eq!(own["max_session_seconds"], 3600);
        assert_eq!(
            trust(&own)["Principal"]["AWS"],
            json!(["arn:aws:iam::123456789012:root"])
        );
        let id = |spec: &Value| trust(spec)["Condition"]["StringEquals"]["sts:ExternalId"].clone();
        assert_eq!(id(&own), json!(["payment-processing-dev"]));
        let theirs = role(|config| {
            config.migration.trusted_accounts = vec!["210987654321".into()];
            config.migration.external_id = "vendor-42".into();
        });
        assert_eq!(
            trust(&theirs)["Principal"]["AWS"],
            json!(["arn:aws:iam::210987654321:root"])
        );
        assert_eq!(id(&theirs), json!(["vendor-42"]));
    }

    #[test]
    fn it_may_call_no_function_that_takes_records_and_change_nothing_itself() {
        let spec = role(|_| ());
        let all = spec["inline"]["migrate"]["Statement"].as_object().unwrap();
        let called = all["CallFunctions"]["Resource"].to_string();
        assert!(called.contains("function-verify-green"), "{called}");
        assert!(!called.contains("sessions"), "{called}");
        let actions = all.values().flat_map(|s| s["Action"].as_array().unwrap());
        let reads = ["Get", "Describe", "Filter"];
        for action in actions.map(|a| a.as_str().unwrap()) {
            let (_, operation) = action.split_once(':').unwrap();
            let harmless = reads.iter().any(|r| operation.starts_with(r));
            assert!(harmless || action == "lambda:InvokeFunction", "{action}");
        }
    }
}
