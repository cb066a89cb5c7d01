//! The lever at the load balancer: a side's bridge sends every request that still reaches that side on to the other one, whatever
//! address a client kept. It is pulled only while the other side answers through it: otherwise it would make things worse.

use super::levers::{self, Pulled};
use super::names::Side;
use crate::aws::Aws;
use crate::aws::elbv2::{DESCRIBE_TARGET_HEALTH, MODIFY_RULE};
use crate::engine::Error;
use crate::resources::elbv2::Rule;
use aws_sdk_elasticloadbalancingv2::types as t;
use serde::Serialize;

/// Whose bridge: the side that sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env {
    /// Blue's, to green.
    Blue,
    /// Green's, to blue.
    Green,
}

/// How the bridge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bridge {
    /// There is none.
    None,
    /// The other side does not answer through it: it was left as it is.
    Unhealthy,
    /// It could not be switched, or not be seen.
    Failed,
    /// Every request goes on to the other side.
    On,
    /// The side answers by itself.
    Off,
}

impl Bridge {
    /// What it means for clients that keep the side's address.
    pub fn text(self, from: Env) -> String {
        let (from, to) = match from {
            Env::Blue => ("blue", "green"),
            Env::Green => ("green", "blue"),
        };
        match self {
            Self::None => format!(
                "there is no bridge: clients that keep {from}'s address follow when they ask again"
            ),
            Self::Unhealthy => format!(
                "{to} does not answer through {from}'s bridge, so it stays off: clients that keep {from}'s address follow when they ask again"
            ),
            Self::Failed => format!(
                "AWS did not let {from}'s bridge be switched: clients that keep {from}'s address follow when they ask again"
            ),
            Self::On => format!("{from}'s load balancer sends on to {to} what still reaches it"),
            Self::Off => format!("{from} answers by itself what reaches it"),
        }
    }
}

/// Switches the bridge of a side on or off; gives the rule when it was the other way before.
///
/// # Errors
/// When AWS refuses.
pub async fn switch(aws: &Aws, side: &Side, on: bool) -> Result<(Bridge, Option<String>), Error> {
    let Some((rule, group)) = find(aws, side).await? else {
        return Ok((Bridge::None, None));
    };
    let arn = rule.rule_arn().unwrap_or_default();
    if on && healthy(aws, &group).await? == 0 {
        return Ok((Bridge::Unhealthy, None));
    }
    let wanted = if on { Rule::on() } else { Rule::off() };
    let changes = Rule::conditions_of(&rule) != wanted;
    if changes {
        let call = aws.elbv2.client.modify_rule().rule_arn(arn);
        let call = call.set_conditions(Some(Rule::sent_of(&wanted)));
        aws.call(MODIFY_RULE, || call.clone().send()).await?;
    }
    let bridge = if on { Bridge::On } else { Bridge::Off };
    Ok((bridge, changes.then(|| arn.to_owned())))
}

/// Who has switched the bridge of a side on; `None` while it is off.
///
/// # Errors
/// When it cannot be read.
pub async fn pulled(aws: &Aws, side: &Side) -> Result<Option<Option<Pulled>>, Error> {
    let Some((rule, _)) = find(aws, side).await? else {
        return Ok(None);
    };
    if Rule::conditions_of(&rule) != Rule::on() {
        return Ok(None);
    }
    let who = levers::marked(aws, rule.rule_arn().unwrap_or_default()).await?;
    Ok(Some(who))
}

/// True when the other side answers through a side's bridge.
///
/// # Errors
/// When it cannot be read.
pub async fn answers(aws: &Aws, side: &Side) -> Result<bool, Error> {
    match find(aws, side).await? {
        Some((_, group)) => Ok(healthy(aws, &group).await? > 0),
        None => Ok(false),
    }
}

/// The rule of the bridge, and the group that it sends to.
async fn find(aws: &Aws, side: &Side) -> Result<Option<(t::Rule, String)>, Error> {
    let Some(name) = &side.bridge else {
        return Ok(None);
    };
    let group = aws.elbv2.target_groups.named(name).await?;
    let Some(group) = group.and_then(|g| g.target_group_arn) else {
        return Ok(None);
    };
    let sends = |rule: &t::Rule| {
        let mut to = rule.actions().iter().filter_map(|a| a.target_group_arn());
        to.any(|arn| arn == group)
    };
    let rule = levers::rule(aws, side, sends).await?;
    Ok(rule.map(|rule| (rule, group)))
}

/// The number of a group's healthy targets.
///
/// # Errors
/// When it cannot be read.
pub async fn healthy(aws: &Aws, group: &str) -> Result<u32, Error> {
    let call = aws.elbv2.client.describe_target_health();
    let call = call.target_group_arn(group);
    let answer = aws
        .call(DESCRIBE_TARGET_HEALTH, || call.clone().send())
        .await?;
    let targets = answer.target_health_descriptions.unwrap_or_default();
    let is_healthy = |target: &&t::TargetHealthDescription| {
        let state = target.target_health().and_then(|h| h.state());
        state == Some(&t::TargetHealthStateEnum::Healthy)
    };
    Ok(u32::try_from(targets.iter().filter(is_healthy).count()).unwrap_or(u32::MAX))
}
