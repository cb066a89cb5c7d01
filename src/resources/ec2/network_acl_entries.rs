//! The entries of one of our network ACLs, as one set.

use super::NetworkAclId;
use super::acl::{self, Entries};
use crate::aws::Aws;
use crate::engine::{Delta, Error, Handle, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, never_created};
use serde::{Deserialize, Serialize};

/// All entries of an ACL, but the last one that denies the rest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAclEntries {
    /// The ACL.
    pub acl: Ref<NetworkAclId>,
    /// What may enter its subnets.
    pub ingress: Entries,
    /// What may leave them.
    pub egress: Entries,
}

/// What is known of an ACL's entries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAclEntriesOutputs {
    /// The ACL.
    pub acl: Ref<NetworkAclId>,
}

impl Handle<NetworkAclEntries> {
    /// The ACL with all its entries: for what must not use it before they are there.
    pub fn complete(&self) -> Ref<NetworkAclId> {
        self.output::<NetworkAclId>("acl").ready()
    }
}

impl Kind for NetworkAclEntries {
    const TYPE: &'static str = "ec2/network_acl_entries";
}

impl Resource for NetworkAclEntries {
    const FIXED: &'static [&'static str] = &["acl"];
    const NATURE: Nature = Nature::SubResource;
    type Outputs = NetworkAclEntriesOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map_or(&key.spec.acl, |o| &o.acl);
        let found = cx.ec2.network_acls.by("network-acl-id", id.as_str());
        let Some(found) = found.await?.pop() else {
            return Ok(None);
        };
        let (ingress, egress) = acl::entries(&found);
        Ok(Some(Found {
            spec: Self {
                acl: id.clone(),
                ingress,
                egress,
            },
            tags: None,
            outputs: NetworkAclEntriesOutputs { acl: id.clone() },
            phase: Phase::Ready,
        }))
    }

    async fn create(&self, _: &Aws, _: &Identity) -> Result<Self::Outputs, Error> {
        Err(never_created(Self::TYPE))
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, _: &Delta) -> Result<(), Error> {
        let id = outputs.acl.as_str();
        let found = cx.ec2.network_acls.by("network-acl-id", id).await?;
        let (ingress, egress) = found.first().map(acl::entries).unwrap_or_default();
        acl::bring(cx, id, false, &ingress, &self.ingress).await?;
        acl::bring(cx, id, true, &egress, &self.egress).await
    }

    /// The entries go with the ACL.
    async fn delete(&self, _: &Aws, _: &Self::Outputs) -> Result<(), Error> {
        Ok(())
    }
}
