//! The default security group of a VPC, stripped: what is started without a group gets it, and its rules would let its
//! members talk to each other and to everybody.

use super::rules::{self, Rules};
use super::{SecurityGroupId, VpcId};
use crate::aws::Aws;
use crate::engine::{Delta, Error, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, never_created};
use serde::{Deserialize, Serialize};

/// What the default group of a VPC lets through; nothing, when both are empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultSecurityGroup {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// What may come in.
    pub ingress: Rules,
    /// What may go out.
    pub egress: Rules,
}

/// What is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultSecurityGroupOutputs {
    /// `sg-...`
    pub id: Ref<SecurityGroupId>,
}

impl Kind for DefaultSecurityGroup {
    const TYPE: &'static str = "ec2/default_security_group";
}

impl Resource for DefaultSecurityGroup {
    const FIXED: &'static [&'static str] = &["vpc"];
    const NATURE: Nature = Nature::SubResource;
    type Outputs = DefaultSecurityGroupOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let groups = &cx.ec2.security_groups;
        // By its id it is asked together with all other groups, and its rules with theirs.
        let (found, known) = match key.outputs {
            Some(outputs) => {
                let id = outputs.id.as_str();
                let both =
                    futures::future::try_join(groups.by("group-id", id), rules::read(cx, id));
                let (found, known) = both.await?;
                (found, Some(known))
            }
            None => (groups.by("vpc-id", key.spec.vpc.as_str()).await?, None),
        };
        let found = found.iter().find(|g| g.group_name() == Some("default"));
        let Some((group, id)) = found.and_then(|g| Some((g, g.group_id()?))) else {
            return Ok(None);
        };
        let (ingress, egress) = match known {
            Some(known) => known,
            None => rules::read(cx, id).await?,
        };
        Ok(Some(Found {
            spec: Self {
                vpc: group.vpc_id().unwrap_or_default().into(),
                ingress,
                egress,
            },
            tags: None,
            outputs: DefaultSecurityGroupOutputs { id: id.into() },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, _: &Aws, _: &Identity) -> Result<Self::Outputs, Error> {
        Err(never_created(Self::TYPE))
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, _: &Delta) -> Result<(), Error> {
        rules::bring(cx, outputs.id.as_str(), &self.ingress, &self.egress).await
    }

    /// It goes with the VPC, and opening it again before that helps nobody.
    async fn delete(&self, _: &Aws, _: &Self::Outputs) -> Result<(), Error> {
        Ok(())
    }
}
