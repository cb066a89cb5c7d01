//! An internet gateway. It does nothing until it is attached ([`super::InternetGatewayAttachment`]).

use super::prelude::*;

/// It has no settings but its tags.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternetGateway {}

const READ: Api = ec2::DESCRIBE_INTERNET_GATEWAYS;
const CREATE: Api = ec2::CREATE_INTERNET_GATEWAY;
const DELETE: Api = ec2::DELETE_INTERNET_GATEWAY;

impl Kind for InternetGateway {
    const TYPE: &'static str = "ec2/internet_gateway";
    type Outputs = Id<Self>;
}

impl Resource for InternetGateway {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (1.0, 1.0),
        cost: |_| Cost::NONE,
        fixed: &[],
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
        let gateway = find(&cx.ec2.internet_gateways, "internet-gateway-id", &key).await?;
        let Some(gateway) = gateway else {
            return Ok(None);
        };
        let id = READ.field(gateway.internet_gateway_id(), "InternetGatewayId")?;
        Ok(Some(Found::tagged(Self {}, id, tags_of(gateway.tags()))))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::InternetGateway, identity);
        let call = cx.ec2.client.create_internet_gateway();
        let call = call.tag_specifications(tags);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let id = made.internet_gateway.and_then(|g| g.internet_gateway_id);
        CREATE.field(id.as_deref(), "InternetGatewayId")
    }

    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_internet_gateway();
        let call = call.internet_gateway_id(&it.id);
        cx.delete(DELETE, || call.clone().send()).await
    }
}
