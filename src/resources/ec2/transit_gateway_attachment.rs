//! The attachment of a VPC to a Transit Gateway: one network interface in one subnet per zone.

use super::ids::{TransitGatewayAttachmentId, TransitGatewayId};
use super::members::members;
use super::transit_gateway::{is_on, switch};
use super::{SubnetId, VpcId, tags};
use crate::aws::{Aws, Find, find, once, repeatable, tags_of};
use crate::engine::{Class, Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::{self as t, ResourceType, TransitGatewayAttachmentState as State};
use serde::{Deserialize, Serialize};

/// The settings of a VPC attachment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAttachment {
    /// The gateway, which must be available.
    pub transit_gateway: Ref<TransitGatewayId>,
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// At most one subnet per zone; only what lies in these zones reaches the gateway.
    pub subnets: Vec<Ref<SubnetId>>,
    /// Names resolve across the gateway.
    pub dns_support: bool,
    /// IPv6.
    pub ipv6: bool,
    /// Both directions of a flow stay in one zone (for stateful appliances).
    pub appliance_mode: bool,
    /// Groups of other attached VPCs may be named here.
    pub group_references: bool,
}

/// What is known of an attachment once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAttachmentOutputs {
    /// `tgw-attach-...`
    pub id: Ref<TransitGatewayAttachmentId>,
    /// The gateway that it leads to.
    pub transit_gateway: Ref<TransitGatewayId>,
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

impl Handle<TransitGatewayAttachment> {
    /// The attachment's id.
    pub fn id(&self) -> Ref<TransitGatewayAttachmentId> {
        self.output("id")
    }

    /// The gateway, by way of the attachment: a VPC's route to the gateway takes this with `.ready()`, since AWS
    /// refuses it until the attachment is available.
    pub fn transit_gateway(&self) -> Ref<TransitGatewayId> {
        self.output("transit_gateway")
    }
}

impl Kind for TransitGatewayAttachment {
    const TYPE: &'static str = "ec2/transit_gateway_attachment";
}

impl Resource for TransitGatewayAttachment {
    const FIXED: &'static [&'static str] = &["transit_gateway", "vpc"];
    type Outputs = TransitGatewayAttachmentOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let reader = &cx.ec2.vpc_attachments;
        let filter = "transit-gateway-attachment-id";
        let Some(attachment) = find(reader, id, filter, key.identity).await? else {
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
        let id = attachment.transit_gateway_attachment_id().ok_or_else(|| {
            missing_field(
                "ec2:DescribeTransitGatewayVpcAttachments",
                "TransitGatewayAttachmentId",
            )
        })?;
        let gateway: Ref<TransitGatewayId> =
            attachment.transit_gateway_id().unwrap_or_default().into();
        let o = attachment.options();
        Ok(Some(Found {
            spec: Self {
                transit_gateway: gateway.clone(),
                vpc: attachment.vpc_id().unwrap_or_default().into(),
                subnets: attachment
                    .subnet_ids()
                    .iter()
                    .map(|s| s.as_str().into())
                    .collect(),
                dns_support: is_on(o.and_then(|o| Some(o.dns_support()?.as_str()))),
                ipv6: is_on(o.and_then(|o| Some(o.ipv6_support()?.as_str()))),
                appliance_mode: is_on(o.and_then(|o| Some(o.appliance_mode_support()?.as_str()))),
                group_references: is_on(
                    o.and_then(|o| Some(o.security_group_referencing_support()?.as_str())),
                ),
            },
            tags: Some(tags_of(attachment.tags())),
            outputs: TransitGatewayAttachmentOutputs {
                id: id.into(),
                transit_gateway: gateway,
            },
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let options = t::CreateTransitGatewayVpcAttachmentRequestOptions::builder()
            .dns_support(switch(self.dns_support).into())
            .ipv6_support(switch(self.ipv6).into())
            .appliance_mode_support(switch(self.appliance_mode).into())
            .security_group_referencing_support(switch(self.group_references).into())
            .build();
        let subnets: Vec<String> = self.subnets.iter().map(ToString::to_string).collect();
        let tags = tags::at_creation(ResourceType::TransitGatewayAttachment, identity);
        // A second attachment of the VPC is refused, also while the first one is on its way out.
        let answer = cx
            .call(once("ec2", "CreateTransitGatewayVpcAttachment"), || {
                cx.ec2
                    .client
                    .create_transit_gateway_vpc_attachment()
                    .transit_gateway_id(self.transit_gateway.as_str())
                    .vpc_id(self.vpc.as_str())
                    .set_subnet_ids(Some(subnets.clone()))
                    .options(options.clone())
                    .tag_specifications(tags.clone())
                    .send()
            })
            .await;
        let answer = match answer {
            Err(error) if error.code == "DuplicateTransitGatewayAttachment" => {
                Err(self.rival(cx, error).await)
            }
            answer => answer,
        }?;
        let id = answer
            .transit_gateway_vpc_attachment()
            .and_then(|a| a.transit_gateway_attachment_id())
            .ok_or_else(|| {
                missing_field(
                    "ec2:CreateTransitGatewayVpcAttachment",
                    "TransitGatewayAttachmentId",
                )
            })?;
        Ok(TransitGatewayAttachmentOutputs {
            id: id.into(),
            transit_gateway: self.transit_gateway.clone(),
        })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        if !delta.changes.is_empty() {
            // Subnets come and go in one call: a zone takes one subnet at a time, and the last one can't go.
            let subnets = members(delta, "subnets");
            let word = |field: &str, on: bool| delta.touches(field).then(|| switch(on));
            let options = t::ModifyTransitGatewayVpcAttachmentRequestOptions::builder()
                .set_dns_support(word("dns_support", self.dns_support).map(Into::into))
                .set_ipv6_support(word("ipv6", self.ipv6).map(Into::into))
                .set_appliance_mode_support(
                    word("appliance_mode", self.appliance_mode).map(Into::into),
                )
                .set_security_group_referencing_support(
                    word("group_references", self.group_references).map(Into::into),
                )
                .build();
            let only_subnets = delta.changes.iter().all(|c| c.field() == "subnets");
            let set = || {
                cx.ec2
                    .client
                    .modify_transit_gateway_vpc_attachment()
                    .transit_gateway_attachment_id(id)
                    .set_add_subnet_ids(subnets.add.clone())
                    .set_remove_subnet_ids(subnets.remove.clone())
                    .set_options((!only_subnets).then(|| options.clone()))
                    .send()
            };
            cx.call(repeatable("ec2", "ModifyTransitGatewayVpcAttachment"), set)
                .await?;
        }
        tags::update(cx, id, delta).await
    }

    /// Its association and propagations would go along; routes that lead to it become black holes.
    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let api = repeatable("ec2", "DeleteTransitGatewayVpcAttachment");
        ignore_not_found(
            cx.call(api, || {
                cx.ec2
                    .client
                    .delete_transit_gateway_vpc_attachment()
                    .transit_gateway_attachment_id(id)
                    .send()
            })
            .await,
        )
    }
}
