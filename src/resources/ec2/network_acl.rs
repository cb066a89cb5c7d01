//! A network ACL. A new one denies everything; its entries and its subnets are steps of their own
//! ([`super::NetworkAclEntries`], [`super::NetworkAclSubnets`]).

use super::Vpc;
use super::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkAcl {
    pub vpc: Ref<Vpc>,
}

const READ: Api = ec2::DESCRIBE_NETWORK_ACLS;
const CREATE: Api = ec2::CREATE_NETWORK_ACL;
const DELETE: Api = ec2::DELETE_NETWORK_ACL;

impl Kind for NetworkAcl {
    const TYPE: &'static str = "ec2/network_acl";
    type Outputs = Id<Self>;
}

impl Resource for NetworkAcl {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &["vpc"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let Some(acl) = find(&cx.ec2.network_acls, "network-acl-id", &key).await? else {
            return Ok(None);
        };
        let vpc = READ.field(acl.vpc_id(), "VpcId")?;
        let id = READ.field(acl.network_acl_id(), "NetworkAclId")?;
        Ok(Some(Found::tagged(Self { vpc }, id, tags_of(acl.tags()))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::NetworkAcl, identity);
        let call = cx.ec2.client.create_network_acl().tag_specifications(tags);
        let call = call.vpc_id(&self.vpc).client_token(&identity.token);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let id = made.network_acl.and_then(|acl| acl.network_acl_id);
        CREATE.field(id.as_deref(), "NetworkAclId")
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_network_acl().network_acl_id(&it.id);
        cx.delete(DELETE, || call.clone().send()).await
    }
}
