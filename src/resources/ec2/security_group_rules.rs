//! The rules of one of our security groups, as one set. A step apart from the group: groups may name each other, and a
//! group that another one's rules name cannot be deleted.

use super::SecurityGroupId;
use super::rules::{self, Rules};
use crate::aws::Aws;
use crate::engine::{Delta, Error, Handle, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, never_created};
use serde::{Deserialize, Serialize};

/// All rules of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupRules {
    /// The group.
    pub group: Ref<SecurityGroupId>,
    /// What may come in.
    pub ingress: Rules,
    /// What may go out.
    pub egress: Rules,
}

/// What is known of a group's rules.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupRulesOutputs {
    /// The group.
    pub group: Ref<SecurityGroupId>,
}

impl Handle<SecurityGroupRules> {
    /// The group with all its rules: for what must not start without them.
    pub fn complete(&self) -> Ref<SecurityGroupId> {
        self.output::<SecurityGroupId>("group").ready()
    }
}

impl Kind for SecurityGroupRules {
    const TYPE: &'static str = "ec2/security_group_rules";
}

impl Resource for SecurityGroupRules {
    const FIXED: &'static [&'static str] = &["group"];
    const NATURE: Nature = Nature::SubResource;
    type Outputs = SecurityGroupRulesOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map_or(&key.spec.group, |o| &o.group);
        let group = cx.ec2.security_groups.by("group-id", id.as_str());
        let (group, (ingress, egress)) =
            futures::future::try_join(group, rules::read(cx, id.as_str())).await?;
        if group.is_empty() {
            return Ok(None);
        }
        Ok(Some(Found {
            spec: Self {
                group: id.clone(),
                ingress,
                egress,
            },
            tags: None,
            outputs: SecurityGroupRulesOutputs { group: id.clone() },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, _: &Aws, _: &Identity) -> Result<Self::Outputs, Error> {
        Err(never_created(Self::TYPE))
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, _: &Delta) -> Result<(), Error> {
        rules::bring(cx, outputs.group.as_str(), &self.ingress, &self.egress).await
    }

    /// Groups that name each other can only be deleted when nothing names them any more.
    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        rules::strip(cx, outputs.group.as_str()).await
    }
}
