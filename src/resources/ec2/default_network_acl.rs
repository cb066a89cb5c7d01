//! The default network ACL of a VPC, stripped: it comes with entries that allow everything, and a subnet that nobody
//! gave an ACL would use it.

use super::acl::{self, Entries};
use super::prelude::*;
use super::{NetworkAcl, Vpc};

/// What the default ACL of a VPC allows; nothing, when both are empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultNetworkAcl {
    pub vpc: Ref<Vpc>,
    /// What may enter.
    pub ingress: Entries,
    /// What may leave.
    pub egress: Entries,
}

const READ: Api = ec2::DESCRIBE_NETWORK_ACLS;

impl Kind for DefaultNetworkAcl {
    const TYPE: &'static str = "ec2/default_network_acl";
    type Outputs = Id<NetworkAcl>;
}

impl SubResource for DefaultNetworkAcl {
    const FACTS: SubFacts = SubFacts {
        parent: "vpc",
        seconds: (1.0, 1.0),
        interrupts: &[],
        write_only: &[],
        delegated: &[],
    };
    type Parent = Vpc;

    fn parent(&self) -> &Ref<Vpc> {
        &self.vpc
    }

    async fn read(
        cx: &Aws,
        vpc: &Ref<Vpc>,
        known: Option<&Id<NetworkAcl>>,
    ) -> Result<Option<Found<Self>>, Error> {
        let acls = &cx.ec2.network_acls;
        // By its id it is asked together with all other ACLs.
        let found = match known {
            Some(acl) => acls.by("network-acl-id", acl.as_str()).await?,
            None => acls.by("vpc-id", vpc.as_str()).await?,
        };
        let Some(found) = found.iter().find(|a| a.is_default() == Some(true)) else {
            return Ok(None);
        };
        let (ingress, egress) = acl::entries(found);
        let spec = Self {
            vpc: READ.field(found.vpc_id(), "VpcId")?,
            ingress,
            egress,
        };
        let id = READ.field(found.network_acl_id(), "NetworkAclId")?;
        Ok(Some(Found::of_parent(spec, id)))
    }

    async fn set(&self, cx: &Aws, acl: &Id<NetworkAcl>, delta: &Delta) -> Result<(), Error> {
        acl::set(cx, acl.as_str(), delta, &self.ingress, &self.egress).await
    }

    /// It goes with the VPC, and opening it again before that helps nobody.
    async fn reset(&self, _: &Aws, _: &Id<NetworkAcl>) -> Result<(), Error> {
        Ok(())
    }
}
