//! Listeners and rules that carry our mark, listed with their load balancer. Found through their parents by id or mark, they need no
//! search; but tags can be copied, and of several things that carry the mark of one step only one is ours.

use crate::resources::elbv2::{Listener, Rule};
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;
use futures::future::try_join_all;

/// Those in the balancers whose name can be ours.
pub(super) async fn marked_in(
    cx: &Aws,
    suffix: &str,
    balancers: &[t::LoadBalancer],
) -> Result<Vec<Owned>, Error> {
    // A refresh has just listed most of them, and read their tags.
    cx.recent.refreshed().await;
    let ours = balancers
        .iter()
        .filter(|b| {
            b.load_balancer_name()
                .is_some_and(|name| is_conventional(name, suffix))
        })
        .filter_map(|b| b.load_balancer_arn());
    let listeners = try_join_all(ours.map(|arn| cx.elbv2.listeners_as_listed(arn))).await?;
    let listeners: Vec<&t::Listener> = listeners.iter().flat_map(|l| l.iter()).collect();
    let with_rules = listeners.iter().filter(|l| {
        let protocols = [t::ProtocolEnum::Http, t::ProtocolEnum::Https];
        l.protocol().is_some_and(|p| protocols.contains(p))
    });
    let with_rules = with_rules.filter_map(|l| l.listener_arn());
    let rules = try_join_all(with_rules.map(|arn| cx.elbv2.rules_as_listed(arn))).await?;
    let of_listeners = listeners.iter().filter_map(|l| {
        let name = format!("port {}", l.port().unwrap_or_default());
        Some((Listener::TYPE, l.listener_arn()?, name))
    });
    let rules = rules.iter().flat_map(|r| r.iter());
    let of_rules = rules
        .filter(|r| r.is_default() != Some(true))
        .filter_map(|r| {
            let name = format!("priority {}", r.priority().unwrap_or_default());
            Some((Rule::TYPE, r.rule_arn()?, name))
        });
    let asks = of_listeners.chain(of_rules).map(async |(kind, arn, name)| {
        let tags = match cx.recent.get(arn).await {
            Some(tags) => tags,
            None => cx.elbv2.tags(arn).await?.unwrap_or_default(),
        };
        Ok::<_, Error>(marked(kind, arn, &name, tags, suffix))
    });
    Ok(try_join_all(asks).await?.into_iter().flatten().collect())
}
