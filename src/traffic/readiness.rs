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

/// Switches a side's readiness: by its service, or 503. True when it was the other way before.
///
/// # Errors
/// When AWS refuses.
pub async fn switch(aws: &Aws, side: &Side, pulled: Option<&Pulled>) -> Result<bool, Error> {
    let Some(rule) = levers::rule(aws, side, is_it).await? else {
        return Ok(false);
    };
    let arn = rule.rule_arn().unwrap_or_default();
    let is_pulled = Action::of(rule.actions()) == Rule::unready();
    if is_pulled == pulled.is_some() {
        return Ok(false);
    }
    let action = match pulled {
        Some(_) => Rule::unready(),
        None => {
            let first = side.services.first().map(|s| s.group.as_str());
            let group = aws.elbv2.target_groups.named(first.unwrap_or_default());
            let Some(arn) = group.await?.and_then(|g| g.target_group_arn) else {
                return Ok(false);
            };
            Action::forward(arn.as_str().into())
        }
    };
    let call = aws.elbv2.client.modify_rule().rule_arn(arn);
    let call = call.actions(action.sent());
    aws.call(MODIFY_RULE, || call.clone().send()).await?;
    levers::mark(aws, arn, pulled).await?;
    Ok(true)
}

/// Who has made a side say that it is not ready; `None` when it says what its service says.
///
/// # Errors
/// When it cannot be read.
pub async fn pulled(aws: &Aws, side: &Side) -> Result<Option<String>, Error> {
    let Some(rule) = levers::rule(aws, side, is_it).await? else {
        return Ok(None);
    };
    if Action::of(rule.actions()) != Rule::unready() {
        return Ok(None);
    }
    let who = levers::marked(aws, rule.rule_arn().unwrap_or_default()).await?;
    Ok(Some(who.map_or_else(
        || "somebody".to_owned(),
        |who| who.to_string(),
    )))
}

/// The rule of the path alone; those of the loop guard have an address besides.
fn is_it(rule: &t::Rule) -> bool {
    let conditions = Rule::conditions_of(rule);
    let path = conditions.get("path-pattern");
    conditions.len() == 1 && path.is_some_and(|p| p.len() == 1 && p.contains(READY_PATH))
}
