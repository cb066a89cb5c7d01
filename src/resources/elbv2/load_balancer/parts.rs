//! What no Describe of load balancers tells: attributes, tags, and listeners of others.

use super::PROTECTION;
use crate::resources::elbv2::tags;
use crate::resources::prelude::*;
use aws_sdk_elasticloadbalancingv2::types as t;

/// What no Describe of load balancers tells.
pub(super) struct Parts {
    shown: Vec<t::LoadBalancerAttribute>,
    pub(super) others: Vec<String>,
    pub(super) tags: Tags,
}

impl Parts {
    pub(super) fn attributes(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        self.shown.iter().map(|a| (a.key(), a.value()))
    }

    pub(super) fn protected(&self) -> bool {
        self.attributes()
            .any(|pair| pair == (Some(PROTECTION), Some("true")))
    }
}

/// `None` when it does not exist.
pub(super) async fn parts(
    cx: &Aws,
    arn: &str,
    identity: &Identity,
) -> Result<Option<Parts>, Error> {
    const READ: Api = elbv2::DESCRIBE_LOAD_BALANCER_ATTRIBUTES;
    let call = cx.elbv2.client.describe_load_balancer_attributes();
    let call = call.load_balancer_arn(arn);
    let (shown, tags, others) = futures::join!(
        cx.call(READ, || call.clone().send()),
        tags::tags_of(cx, arn, identity),
        others(cx, arn, identity)
    );
    let (Some(shown), Some(tags), Some(others)) = (found(shown)?, tags?, others?) else {
        return Ok(None);
    };
    Ok(Some(Parts {
        shown: shown.attributes.unwrap_or_default(),
        others,
        tags,
    }))
}

/// The ports of listeners that are not this deployment's.
async fn others(cx: &Aws, arn: &str, identity: &Identity) -> Result<Option<Vec<String>>, Error> {
    let Some(listeners) = cx.elbv2.listeners(arn).await? else {
        return Ok(None);
    };
    let arns = listeners.iter().filter_map(|l| l.listener_arn.clone());
    let foreign = tags::of_others(cx, identity, arns.collect()).await?;
    let port = |l: &t::Listener| {
        let theirs = foreign.iter().any(|arn| l.listener_arn() == Some(arn));
        theirs.then(|| l.port().unwrap_or_default().to_string())
    };
    Ok(Some(listeners.iter().filter_map(port).collect()))
}

/// Deletes the listeners that the difference names by their port.
pub(super) async fn remove_others(cx: &Aws, arn: &str, delta: &Delta) -> Result<(), Error> {
    let extra = delta.entries("others");
    let listeners = cx.elbv2.listeners(arn).await?.unwrap_or_default();
    for listener in listeners.iter() {
        let (Some(port), Some(arn)) = (listener.port(), listener.listener_arn()) else {
            continue;
        };
        if extra.contains_key(port.to_string().as_str()) {
            let call = cx.elbv2.client.delete_listener().listener_arn(arn);
            let api = elbv2::DELETE_LISTENER;
            cx.delete(api, || call.clone().send()).await?;
        }
    }
    Ok(())
}
