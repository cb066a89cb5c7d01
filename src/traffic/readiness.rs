//! The lever at the health check: green's load balancer says 503 to `/ready`, so Route 53 takes green out by itself, without a
//! change of its records ("How Amazon Route 53 determines whether a health check is healthy": three checks, ten seconds apart).
//! It is for the time in which Route 53's API does not answer.

use super::levers::{self, Pulled};
use super::names::Side;
use crate::aws::Aws;
use crate::aws::elbv2::MODIFY_RULE;
use crate::blueprint::READY_PATH;
use crate::engine::Error;
use crate::resources::elbv2::{Action, Rule};
use aws_sdk_elasticloadbalancingv2::types as t;

/// Switches a side's readiness: by its service, or 503; gives the rule when it was the other way before.
///
/// # Errors
/// When AWS refuses, or there is no rule that could say 503.
pub async fn switch(aws: &Aws, side: &Side, ready: bool) -> Result<Option<String>, Error> {
    let Some(rule) = levers::rule(aws, side, is_it).await? else {
        let text = format!("{} has no rule for {READY_PATH}", side.balancer);
        return match ready {
            true => Ok(None),
            false => Err(Error::permanent("traffic rollback", text)),
        };
    };
    if is_unready(&rule) != ready {
        return Ok(None);
    }
    let action = if ready {
        let first = side.services.first().map(|s| s.group.as_str());
        let group = aws.elbv2.target_groups.named(first.unwrap_or_default());
        let Some(arn) = group.await?.and_then(|g| g.target_group_arn) else {
            return Ok(None);
        };
        Action::forward(arn.as_str().into())
    } else {
        Rule::unready()
    };
    let arn = rule.rule_arn().unwrap_or_default();
    let call = aws.elbv2.client.modify_rule().rule_arn(arn);
    let call = call.actions(action.sent());
    aws.call(MODIFY_RULE, || call.clone().send()).await?;
    Ok(Some(arn.to_owned()))
}

/// Who has made a side say that it is not ready; `None` when it says what its service says.
///
/// # Errors
/// When it cannot be read.
pub async fn pulled(aws: &Aws, side: &Side) -> Result<Option<Option<Pulled>>, Error> {
    match levers::rule(aws, side, is_it).await? {
        Some(rule) if is_unready(&rule) => {
            let arn = rule.rule_arn().unwrap_or_default();
            Ok(Some(levers::marked(aws, arn).await?))
        }
        _ => Ok(None),
    }
}

fn is_unready(rule: &t::Rule) -> bool {
    Action::of(rule.actions()) == Rule::unready()
}

/// The rule of the path alone; those of the loop guard have an address besides.
fn is_it(rule: &t::Rule) -> bool {
    let conditions = Rule::conditions_of(rule);
    let path = conditions.get("path-pattern");
    conditions.len() == 1 && path.is_some_and(|p| p.len() == 1 && p.contains(READY_PATH))
}
