//! The entries of one of our network ACLs, as one set.

use super::NetworkAcl;
use super::acl::{self, Entries};
use super::prelude::*;

/// All entries of an ACL, but the last one that denies the rest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAclEntries {
    pub acl: Ref<NetworkAcl>,
    /// What may enter its subnets.
    pub ingress: Entries,
    /// What may leave them.
    pub egress: Entries,
}

impl Kind for NetworkAclEntries {
    const TYPE: &'static str = "ec2/network_acl_entries";
    /// The ACL: take it with `.ready()` for what must not use it before its entries are there.
    type Outputs = Id<NetworkAcl>;
}

impl SubResource for NetworkAclEntries {
    const FACTS: SubFacts = SubFacts {
        parent: "acl",
        seconds: (1.0, 1.0),
        interrupts: &[
            (
                "ingress",
                "connections that are no longer allowed stop at once",
            ),
            (
                "egress",
                "connections that are no longer allowed stop at once",
            ),
        ],
        write_only: &[],
        delegated: &[],
    };
    type Parent = NetworkAcl;

    fn parent(&self) -> &Ref<NetworkAcl> {
        &self.acl
    }

    async fn read(
        cx: &Aws,
        acl: &Ref<NetworkAcl>,
        known: Option<&Id<NetworkAcl>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let id = known.map_or(acl, |it| &it.id);
        let found = cx.ec2.network_acls.by("network-acl-id", id.as_str());
        let Some(found) = found.await?.pop() else {
            return Ok(None);
        };
        let (ingress, egress) = acl::entries(&found);
        let acl = id.clone();
        Ok(Some(Found::of_parent(
            Self {
                acl,
                ingress,
                egress,
            },
            id.into(),
        )))
    }

    async fn set(&self, cx: &Aws, acl: &Id<NetworkAcl>, delta: &Delta) -> Result<(), Error> {
        acl::set(cx, acl.as_str(), delta, &self.ingress, &self.egress).await
    }

    /// The entries go with the ACL.
    async fn reset(&self, _: &Aws, _: &Id<NetworkAcl>) -> Result<(), Error> {
        Ok(())
    }
}
