//! The default network ACL of a VPC, stripped: it comes with entries that allow everything, and a subnet that nobody
//! gave an ACL would use it.

use super::acl::{self, Entries};
use super::{NetworkAclId, VpcId};
use crate::aws::Aws;
use crate::engine::{Delta, Error, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, never_created};
use serde::{Deserialize, Serialize};

/// What the default ACL of a VPC allows; nothing, when both are empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultNetworkAcl {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// What may enter.
    pub ingress: Entries,
    /// What may leave.
    pub egress: Entries,
}

/// What is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultNetworkAclOutputs {
    /// `acl-...`
    pub id: Ref<NetworkAclId>,
}

impl Kind for DefaultNetworkAcl {
    const TYPE: &'static str = "ec2/default_network_acl";
}

impl Resource for DefaultNetworkAcl {
    const FIXED: &'static [&'static str] = &["vpc"];
    const NATURE: Nature = Nature::SubResource;
    type Outputs = DefaultNetworkAclOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let acls = &cx.ec2.network_acls;
        // By its id it is asked together with all other ACLs.
        let found = match key.outputs {
            Some(outputs) => acls.by("network-acl-id", outputs.id.as_str()).await?,
            None => acls.by("vpc-id", key.spec.vpc.as_str()).await?,
        };
        let Some(found) = found.iter().find(|a| a.is_default() == Some(true)) else {
            return Ok(None);
        };
        let (ingress, egress) = acl::entries(found);
        Ok(Some(Found {
            spec: Self {
                vpc: found.vpc_id().unwrap_or_default().into(),
                ingress,
                egress,
            },
            tags: None,
            outputs: DefaultNetworkAclOutputs {
                id: found.network_acl_id().unwrap_or_default().into(),
            },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, _: &Aws, _: &Identity) -> Result<Self::Outputs, Error> {
        Err(never_created(Self::TYPE))
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, _: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let found = cx.ec2.network_acls.by("network-acl-id", id).await?;
        let (ingress, egress) = found.first().map(acl::entries).unwrap_or_default();
        acl::bring(cx, id, false, &ingress, &self.ingress).await?;
        acl::bring(cx, id, true, &egress, &self.egress).await
    }

    /// It goes with the VPC, and opening it again before that helps nobody.
    async fn delete(&self, _: &Aws, _: &Self::Outputs) -> Result<(), Error> {
        Ok(())
    }
}
