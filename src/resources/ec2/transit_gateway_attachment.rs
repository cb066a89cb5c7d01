//! The attachment of a VPC to a Transit Gateway: one network interface in one subnet per zone.

use super::prelude::*;
use super::transit_gateway::{is_on, switch};
use super::{Subnet, TransitGateway, Vpc};
use aws_sdk_ec2::types::TransitGatewayAttachmentState as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAttachment {
    /// Must be available.
    pub transit_gateway: Ref<TransitGateway>,
    pub vpc: Ref<Vpc>,
    /// At most one subnet per zone; only what lies in these zones reaches the gateway.
    pub subnets: Vec<Ref<Subnet>>,
    /// Names resolve across the gateway.
    pub dns_support: bool,
    pub ipv6: bool,
    /// Both directions of a flow stay in one zone (for stateful appliances).
    pub appliance_mode: bool,
    /// Groups of other attached VPCs may be named here.
    pub group_references: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AttachmentOutputs {
    /// `tgw-attach-...`
    pub id: Ref<TransitGatewayAttachment>,
    /// The gateway, by way of the attachment: a VPC's route to the gateway takes this with `.ready()`, since AWS refuses it
    /// until the attachment is available.
    pub transit_gateway: Ref<TransitGateway>,
}

impl HasId for AttachmentOutputs {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

const READ: Api = ec2::DESCRIBE_TRANSIT_GATEWAY_VPC_ATTACHMENTS;
const CREATE: Api = ec2::CREATE_TRANSIT_GATEWAY_VPC_ATTACHMENT;
const MODIFY: Api = ec2::MODIFY_TRANSIT_GATEWAY_VPC_ATTACHMENT;
const DELETE: Api = ec2::DELETE_TRANSIT_GATEWAY_VPC_ATTACHMENT;

impl Kind for TransitGatewayAttachment {
    const TYPE: &'static str = "ec2/transit_gateway_attachment";
    type Outputs = AttachmentOutputs;
}

impl Resource for TransitGatewayAttachment {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (90.0, 90.0),
        cost: |_| Cost::fixed("tgw_attachment_hour", 1).used(&["tgw_data"]),
        fixed: &["transit_gateway", "vpc"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[(
            "subnets",
            "traffic between the networks stops in a zone that is removed",
        )],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = Ec2Tags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let reader = &cx.ec2.vpc_attachments;
        let Some(attachment) = find(reader, "transit-gateway-attachment-id", &key).await? else {
            return Ok(None);
        };
        let phase = match attachment.state() {
            // Failed, rejected and deleted ones stay visible for two hours and can't be deleted ("VPC attachment
            // lifecycle", Amazon VPC Transit Gateways): a new one is made beside them.
            Some(State::Deleted | State::Failed | State::Rejected) => return Ok(None),
            Some(state @ (State::Failing | State::Rejecting)) => {
                Phase::Failed(state.as_str().to_owned())
            }
            Some(State::Deleting) => Phase::Deleting,
            Some(State::Available) => Phase::Ready,
            _ => Phase::Settling,
        };
        let id = attachment.transit_gateway_attachment_id();
        let outputs = AttachmentOutputs {
            id: READ.field(id, "TransitGatewayAttachmentId")?,
            transit_gateway: READ.field(attachment.transit_gateway_id(), "TransitGatewayId")?,
        };
        let o = attachment.options();
        let references = o.and_then(|o| Some(o.security_group_referencing_support()?.as_str()));
        let subnets = attachment.subnet_ids().iter();
        let spec = Self {
            transit_gateway: outputs.transit_gateway.clone(),
            vpc: attachment.vpc_id().unwrap_or_default().into(),
            subnets: subnets.map(|s| s.as_str().into()).collect(),
            dns_support: is_on(o.and_then(|o| Some(o.dns_support()?.as_str()))),
            ipv6: is_on(o.and_then(|o| Some(o.ipv6_support()?.as_str()))),
            appliance_mode: is_on(o.and_then(|o| Some(o.appliance_mode_support()?.as_str()))),
            group_references: is_on(references),
        };
        let found = Found::tagged(spec, outputs, tags_of(attachment.tags()));
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<AttachmentOutputs, Error> {
        let options = t::CreateTransitGatewayVpcAttachmentRequestOptions::builder()
            .dns_support(switch(self.dns_support).into())
            .ipv6_support(switch(self.ipv6).into())
            .appliance_mode_support(switch(self.appliance_mode).into())
            .security_group_referencing_support(switch(self.group_references).into());
        let tags = tags::at_creation(ResourceType::TransitGatewayAttachment, identity);
        let call = cx.ec2.client.create_transit_gateway_vpc_attachment();
        let call = call
            .transit_gateway_id(&self.transit_gateway)
            .vpc_id(&self.vpc)
            .set_subnet_ids(Some(texts(&self.subnets)))
            .options(options.build())
            .tag_specifications(tags);
        // A second attachment of the VPC is refused, also while the first one is on its way out.
        let made = match cx.call(CREATE, || call.clone().send()).await {
            Err(error) if error.code == "DuplicateTransitGatewayAttachment" => {
                Err(self.rival(cx, error).await)
            }
            answer => answer,
        }?;
        let made = made.transit_gateway_vpc_attachment;
        let id = made.and_then(|a| a.transit_gateway_attachment_id);
        Ok(AttachmentOutputs {
            id: CREATE.field(id.as_deref(), "TransitGatewayAttachmentId")?,
            transit_gateway: self.transit_gateway.clone(),
        })
    }

    async fn update(&self, cx: &Aws, it: &AttachmentOutputs, delta: &Delta) -> Result<(), Error> {
        // Subnets come and go in one call: a zone takes one subnet at a time, and the last one can't go.
        let subnets = members(delta, "subnets");
        let word = |field: &str, on: bool| delta.touches(field).then(|| switch(on));
        let appliance_mode = word("appliance_mode", self.appliance_mode);
        let references = word("group_references", self.group_references);
        let options = t::ModifyTransitGatewayVpcAttachmentRequestOptions::builder()
            .set_dns_support(word("dns_support", self.dns_support).map(Into::into))
            .set_ipv6_support(word("ipv6", self.ipv6).map(Into::into))
            .set_appliance_mode_support(appliance_mode.map(Into::into))
            .set_security_group_referencing_support(references.map(Into::into))
            .build();
        let only_subnets = delta.changes.iter().all(|c| c.field() == "subnets");
        let call = cx.ec2.client.modify_transit_gateway_vpc_attachment();
        let call = call
            .transit_gateway_attachment_id(&it.id)
            .set_add_subnet_ids(subnets.add)
            .set_remove_subnet_ids(subnets.remove)
            .set_options((!only_subnets).then_some(options));
        cx.call(MODIFY, || call.clone().send()).await.map(drop)
    }

    /// Its association and propagations would go along; routes that lead to it become black holes.
    async fn delete(&self, cx: &Aws, it: &AttachmentOutputs) -> Result<(), Error> {
        let call = cx.ec2.client.delete_transit_gateway_vpc_attachment();
        let call = call.transit_gateway_attachment_id(&it.id);
        cx.delete(DELETE, || call.clone().send()).await
    }
}

impl TransitGatewayAttachment {
    /// Which attachment of the VPC is in the way: one that is being deleted (then the place is free in a minute or two),
    /// or somebody's.
    async fn rival(&self, cx: &Aws, mut error: Error) -> Error {
        // What cannot be read is left out: the refusal itself is the news.
        let there = cx.ec2.vpc_attachments.by("vpc-id", self.vpc.as_str()).await;
        let mut there = there.unwrap_or_default();
        there.retain(|a| {
            a.transit_gateway_id() == Some(self.transit_gateway.as_str())
                && !matches!(
                    a.state(),
                    Some(State::Deleted | State::Failed | State::Rejected)
                )
        });
        let holder = there.iter().find(|a| !a.is_leaving()).or(there.first());
        if let Some(holder) = holder {
            if holder.is_leaving() {
                error.class = Class::NotReady;
            }
            let id = holder.transit_gateway_attachment_id().unwrap_or_default();
            error.message = format!("{}; it is {id}", error.message.trim_end());
        }
        error
    }
}
