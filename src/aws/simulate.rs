//! Whether the credentials may do what `deployer permissions` lists, as IAM itself judges it (SimulatePrincipalPolicy). It changes
//! nothing. Service control policies are counted in; policies of resources and of sessions are not.

use super::{Aws, iam};
use crate::engine::Error;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use futures::future::try_join_all;
use serde_json::Value;
use std::collections::BTreeSet;

/// The user or the role that an identity is of: IAM simulates these, not sessions.
pub fn principal(caller: &str) -> Option<String> {
    let parts: Vec<&str> = caller.splitn(6, ':').collect();
    let [arn, partition, service, _, account, what] = parts[..] else {
        return None;
    };
    match (service, what.split_once('/')) {
        ("sts", Some(("assumed-role", rest))) => {
            let role = rest.split('/').next()?;
            Some(format!("{arn}:{partition}:iam::{account}:role/{role}"))
        }
        ("iam", Some(("user" | "role", _))) => Some(caller.to_owned()),
        _ => None,
    }
}

/// The actions of a policy's statements that the principal may not do.
///
/// # Errors
/// When IAM does not say so.
pub async fn denied(
    aws: &Aws,
    principal: &str,
    statements: &[Value],
) -> Result<BTreeSet<String>, Error> {
    let each = statements.iter().map(|s| statement(aws, principal, s));
    Ok(try_join_all(each).await?.into_iter().flatten().collect())
}

async fn statement(aws: &Aws, principal: &str, of: &Value) -> Result<Vec<String>, Error> {
    // One resource stands for all that a statement names: each is allowed in the same way.
    let resource = texts(&of["Resource"]).into_iter().next();
    let call = aws.iam.client.simulate_principal_policy();
    let call = call
        .policy_source_arn(principal)
        .set_action_names(Some(texts(&of["Action"])))
        .set_resource_arns(resource.map(|r| vec![r]))
        .set_context_entries(Some(context(&of["Condition"])));
    let send = |marker| call.clone().set_marker(marker).send();
    let all = aws.pages(iam::SIMULATE_PRINCIPAL_POLICY, send, |page| {
        let next = page.marker.filter(|_| page.is_truncated);
        let results = page.evaluation_results.unwrap_or_default().into_iter();
        let refused = results.filter(|r| r.eval_decision != PolicyEvaluationDecisionType::Allowed);
        (refused.map(|result| result.eval_action_name), next)
    });
    all.await
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// What the conditions of a statement ask for, as if the request had it.
fn context(condition: &Value) -> Vec<ContextEntry> {
    let tests = condition.as_object().into_iter().flatten();
    let pairs = tests.flat_map(|(operator, test)| {
        let kind = match operator.as_str() {
            "Bool" => ContextKeyTypeEnum::Boolean,
            _ => ContextKeyTypeEnum::String,
        };
        let keys = test.as_object().into_iter().flatten();
        keys.map(move |(key, value)| (kind.clone(), key, value))
    });
    pairs
        .map(|(kind, key, value)| {
            let values = match value {
                Value::String(text) => vec![text.clone()],
                list => texts(list).into_iter().take(1).collect(),
            };
            ContextEntry::builder()
                .context_key_name(key)
                .context_key_type(kind)
                .set_context_key_values(Some(values))
                .build()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_simulated_as_its_role_and_root_not_at_all() {
        for (caller, wanted) in [
            (
                "arn:aws:sts::123456789012:assumed-role/Deployer/me@example.com",
                Some("arn:aws:iam::123456789012:role/Deployer"),
            ),
            (
                "arn:aws:iam::123456789012:user/ops/me",
                Some("arn:aws:iam::123456789012:user/ops/me"),
            ),
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:sts::123456789012:federated-user/me", None),
        ] {
            assert_eq!(principal(caller).as_deref(), wanted, "{caller}");
        }
    }

    #[test]
    fn conditions_become_the_context_of_the_request() {
        let condition = serde_json::json!({
            "StringEquals": {"aws:RequestTag/x": "dev", "kms:ViaService": ["a", "b"]}
        });
        let entries = context(&condition);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].context_key_name(), Some("aws:RequestTag/x"));
        assert_eq!(entries[1].context_key_values(), ["a"]);
        let via = context(&serde_json::json!({"Bool": {"aws:ViaAWSService": "true"}}));
        assert_eq!(
            via[0].context_key_type(),
            Some(&ContextKeyTypeEnum::Boolean)
        );
        assert!(context(&Value::Null).is_empty());
    }
}
