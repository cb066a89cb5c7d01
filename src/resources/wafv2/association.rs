//! The web ACL that guards a load balancer. A balancer has one at most, and WAF replaces it without a word: one that is not
//! this deployment's is somebody else's decision, and is never replaced.

use super::WebAcl;
use super::tags::tags_of;
use crate::resources::elbv2::LoadBalancer;
use crate::resources::prelude::*;
use aws_sdk_wafv2::types as t;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Association {
    /// Must be active.
    pub load_balancer: Ref<Arn<LoadBalancer>>,
    pub web_acl: Ref<Arn<WebAcl>>,
}

/// The balancer is its identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Guarded {
    pub load_balancer: Ref<Arn<LoadBalancer>>,
}

const READ: Api = wafv2::GET_WEB_ACL_FOR_RESOURCE;
const CREATE: Api = wafv2::ASSOCIATE_WEB_ACL;
const DELETE: Api = wafv2::DISASSOCIATE_WEB_ACL;

impl Kind for Association {
    const TYPE: &'static str = "wafv2/association";
    type Outputs = Guarded;
}

impl Resource for Association {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (30.0, 5.0),
        cost: |_| Cost::NONE,
        fixed: &["load_balancer"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some(acl) = guard(cx, &key.spec.load_balancer).await? else {
            return Ok(None);
        };
        let arn = acl.arn();
        let spec = Self {
            load_balancer: key.spec.load_balancer.clone(),
            web_acl: arn.into(),
        };
        let outputs = Guarded {
            load_balancer: key.spec.load_balancer.clone(),
        };
        let mut found = Found::of_parent(spec, outputs);
        if arn != key.spec.web_acl.as_str() {
            let tags = tags_of(cx, arn).await?.unwrap_or_default();
            let theirs = !of_deployment(key.identity, &tags);
            if theirs && key.outputs.is_none() {
                return Err(taken(acl.name()));
            }
            if theirs {
                found.mark = Mark::Foreign(acl.name().to_owned());
            }
        }
        Ok(Some(found))
    }

    async fn create(&self, cx: &Aws, _: &Identity) -> Result<Guarded, Error> {
        // Somebody may have been faster than the plan.
        if let Some(acl) = guard(cx, &self.load_balancer).await?
            && acl.arn() != self.web_acl.as_str()
        {
            return Err(taken(acl.name()));
        }
        self.associate(cx).await?;
        Ok(Guarded {
            load_balancer: self.load_balancer.clone(),
        })
    }

    async fn update(&self, cx: &Aws, _: &Guarded, _: &Delta) -> Result<(), Error> {
        self.associate(cx).await
    }

    /// Another ACL than the recorded one stays.
    async fn delete(&self, cx: &Aws, _: &Guarded) -> Result<(), Error> {
        let there = guard(cx, &self.load_balancer).await?;
        if there.is_none_or(|acl| acl.arn() != self.web_acl.as_str()) {
            return Ok(());
        }
        let call = cx.wafv2.client.disassociate_web_acl();
        let call = call.resource_arn(&self.load_balancer);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl Association {
    async fn associate(&self, cx: &Aws) -> Result<(), Error> {
        let call = cx.wafv2.client.associate_web_acl();
        let call = call
            .resource_arn(&self.load_balancer)
            .web_acl_arn(&self.web_acl);
        cx.call(CREATE, || call.clone().send()).await.map(drop)
    }
}

/// A balancer has one ACL, and this one is not ours to replace.
fn taken(name: &str) -> Error {
    let text = format!("the web ACL `{name}`, which is not this deployment's, guards the balancer");
    Error::of(Class::Conflict, CREATE.action(), text)
        .hint("take that web ACL off the load balancer if nobody needs it there, then run the same command again")
}

/// The ACL that guards a balancer now.
async fn guard(
    cx: &Aws,
    load_balancer: &Ref<Arn<LoadBalancer>>,
) -> Result<Option<t::WebAcl>, Error> {
    let call = cx.wafv2.client.get_web_acl_for_resource();
    let call = call.resource_arn(load_balancer);
    let answer = found(cx.call(READ, || call.clone().send()).await)?;
    Ok(answer.and_then(|a| a.web_acl))
}
