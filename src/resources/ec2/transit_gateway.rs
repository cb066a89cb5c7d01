//! A Transit Gateway. Everything that attaches to it, and its route tables, need it `available`
//! ("Transit gateways", Amazon VPC: a call on a gateway that is pending or being modified is `IncorrectState`).

use super::held::{self, Holder};
use super::ids::TransitGatewayId;
use super::tags;
use crate::aws::{Aws, find, once, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::{self as t, ResourceType, TransitGatewayState as State};
use serde::{Deserialize, Serialize};

/// The settings of a Transit Gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGateway {
    /// What it is for.
    pub description: String,
    /// The private AS number of Amazon's side: 64512 to 65534 or 4200000000 to 4294967294.
    pub asn: i64,
    /// A new attachment is associated with the default route table by itself.
    pub default_association: bool,
    /// A new attachment propagates into the default route table by itself.
    pub default_propagation: bool,
    /// Public names of the attached VPCs resolve to private addresses across the gateway.
    pub dns_support: bool,
    /// Equal-cost multipath over VPN connections.
    pub vpn_ecmp: bool,
    /// Attachments that another account asks for are accepted by themselves.
    pub auto_accept: bool,
    /// Security groups may name groups of other attached VPCs.
    pub group_references: bool,
    /// Multicast.
    pub multicast: bool,
}

/// What is known of a Transit Gateway once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayOutputs {
    /// `tgw-...`
    pub id: Ref<TransitGatewayId>,
}

impl Handle<TransitGateway> {
    /// The gateway's id.
    pub fn id(&self) -> Ref<TransitGatewayId> {
        self.output("id")
    }
}

impl Kind for TransitGateway {
    const TYPE: &'static str = "ec2/transit_gateway";
}

/// EC2's word for a switch.
pub(super) fn switch(on: bool) -> &'static str {
    if on { "enable" } else { "disable" }
}

/// True for EC2's word `enable`.
pub(super) fn is_on(word: Option<&str>) -> bool {
    word == Some("enable")
}

impl Resource for TransitGateway {
    const FIXED: &'static [&'static str] = &["multicast"];
    type Outputs = TransitGatewayOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let reader = &cx.ec2.transit_gateways;
        let Some(gateway) = find(reader, id, "transit-gateway-id", key.identity).await? else {
            return Ok(None);
        };
        // AWS shows a deleted gateway for a while.
        let phase = match gateway.state() {
            Some(State::Deleted) => return Ok(None),
            Some(State::Deleting) => Phase::Deleting,
            Some(State::Available) => Phase::Ready,
            _ => Phase::Settling,
        };
        let id = gateway
            .transit_gateway_id()
            .ok_or_else(|| missing_field("ec2:DescribeTransitGateways", "TransitGatewayId"))?;
        let o = gateway.options();
        Ok(Some(Found {
            spec: Self {
                description: gateway.description().unwrap_or_default().to_owned(),
                asn: o.and_then(|o| o.amazon_side_asn()).unwrap_or_default(),
                default_association: is_on(
                    o.and_then(|o| Some(o.default_route_table_association()?.as_str())),
                ),
                default_propagation: is_on(
                    o.and_then(|o| Some(o.default_route_table_propagation()?.as_str())),
                ),
                dns_support: is_on(o.and_then(|o| Some(o.dns_support()?.as_str()))),
                vpn_ecmp: is_on(o.and_then(|o| Some(o.vpn_ecmp_support()?.as_str()))),
                auto_accept: is_on(
                    o.and_then(|o| Some(o.auto_accept_shared_attachments()?.as_str())),
                ),
                group_references: is_on(
                    o.and_then(|o| Some(o.security_group_referencing_support()?.as_str())),
                ),
                multicast: is_on(o.and_then(|o| Some(o.multicast_support()?.as_str()))),
            },
            tags: Some(tags_of(gateway.tags())),
            outputs: TransitGatewayOutputs { id: id.into() },
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        let options = t::TransitGatewayRequestOptions::builder()
            .amazon_side_asn(self.asn)
            .default_route_table_association(switch(self.default_association).into())
            .default_route_table_propagation(switch(self.default_propagation).into())
            .dns_support(switch(self.dns_support).into())
            .vpn_ecmp_support(switch(self.vpn_ecmp).into())
            .auto_accept_shared_attachments(switch(self.auto_accept).into())
            .security_group_referencing_support(switch(self.group_references).into())
            .multicast_support(switch(self.multicast).into())
            .build();
        let answer = cx
            .call(once("ec2", "CreateTransitGateway"), || {
                cx.ec2
                    .client
                    .create_transit_gateway()
                    .description(&self.description)
                    .options(options.clone())
                    .tag_specifications(tags::at_creation(ResourceType::TransitGateway, identity))
                    .send()
            })
            .await?;
        let id = answer
            .transit_gateway()
            .and_then(|g| g.transit_gateway_id())
            .ok_or_else(|| missing_field("ec2:CreateTransitGateway", "TransitGatewayId"))?;
        Ok(TransitGatewayOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let id = outputs.id.as_str();
        if !delta.changes.is_empty() {
            let word = |field: &str, on: bool| delta.touches(field).then(|| switch(on));
            let options = t::ModifyTransitGatewayOptions::builder()
                .set_amazon_side_asn(delta.touches("asn").then_some(self.asn))
                .set_default_route_table_association(
                    word("default_association", self.default_association).map(Into::into),
                )
                .set_default_route_table_propagation(
                    word("default_propagation", self.default_propagation).map(Into::into),
                )
                .set_dns_support(word("dns_support", self.dns_support).map(Into::into))
                .set_vpn_ecmp_support(word("vpn_ecmp", self.vpn_ecmp).map(Into::into))
                .set_auto_accept_shared_attachments(
                    word("auto_accept", self.auto_accept).map(Into::into),
                )
                .set_security_group_referencing_support(
                    word("group_references", self.group_references).map(Into::into),
                )
                .build();
            let description = delta
                .touches("description")
                .then(|| self.description.clone());
            let only_description = delta.changes.iter().all(|c| c.field() == "description");
            let set = || {
                cx.ec2
                    .client
                    .modify_transit_gateway()
                    .transit_gateway_id(id)
                    .set_description(description.clone())
                    .set_options((!only_description).then(|| options.clone()))
                    .send()
            };
            cx.call(repeatable("ec2", "ModifyTransitGateway"), set)
                .await?;
        }
        tags::update(cx, id, delta).await
    }

    /// `IncorrectState` while it has attachments or is busy: class `InUse`; who holds it is named.
    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        let answer = cx
            .call(repeatable("ec2", "DeleteTransitGateway"), || {
                cx.ec2
                    .client
                    .delete_transit_gateway()
                    .transit_gateway_id(id)
                    .send()
            })
            .await;
        ignore_not_found(held::explain(cx, answer, Holder::OfTransitGateway(id)).await)
    }
}
