//! The association of an attachment with the route table that routes its traffic: one per attachment.
//!
//! It has neither id nor tags. Its state is part of the attachment in DescribeTransitGatewayAttachments, so that one
//! call reads the associations of all tables. Whoever else is associated with the table is let into the networks that it
//! leads to, and shows as an extra element.

use super::ids::{TransitGatewayAttachmentId, TransitGatewayRouteTableId};
use super::members::members;
use crate::aws::{Aws, Find, once, repeatable};
use crate::engine::{Delta, Error, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found};
use aws_sdk_ec2::types::{
    TransitGatewayAssociationState as State, TransitGatewayAttachment,
    TransitGatewayAttachmentState,
};
use serde::{Deserialize, Serialize};

/// The settings of an association.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAssociation {
    /// The attachment, which must be available.
    pub attachment: Ref<TransitGatewayAttachmentId>,
    /// The route table, which must be available.
    pub table: Ref<TransitGatewayRouteTableId>,
    /// Other attachments that the table routes for; a set, and none of ours.
    #[serde(default)]
    pub others: Vec<Ref<TransitGatewayAttachmentId>>,
}

/// What is known of an association.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAssociationOutputs {
    /// The attachment that is its identity.
    pub attachment: Ref<TransitGatewayAttachmentId>,
}

/// The filter that finds the attachments that a table routes for.
const BY_TABLE: &str = "association.transit-gateway-route-table-id";

impl Kind for TransitGatewayAssociation {
    const TYPE: &'static str = "ec2/transit_gateway_association";
}

impl Resource for TransitGatewayAssociation {
    const FIXED: &'static [&'static str] = &["attachment", "table"];
    const NATURE: Nature = Nature::ByParent;
    type Outputs = TransitGatewayAssociationOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let attachment = &key.spec.attachment;
        let reader = &cx.ec2.attachments;
        let table = key.spec.table.as_str();
        let mut there = reader.by(BY_TABLE, table).await?;
        there.retain(|a| !a.is_leaving());
        let is_ours = |a: &TransitGatewayAttachment| {
            a.transit_gateway_attachment_id() == Some(attachment.as_str())
        };
        let ours = there.iter().position(is_ours);
        let others = |there: &[TransitGatewayAttachment]| {
            let ids = there
                .iter()
                .filter_map(|a| a.transit_gateway_attachment_id());
            ids.map(Into::into).collect()
        };
        let found = match ours {
            Some(at) => Some(there.swap_remove(at)),
            // With another table, or with none.
            None => reader
                .by("transit-gateway-attachment-id", attachment.as_str())
                .await?
                .pop(),
        };
        // With a deleted attachment its association is gone, whatever AWS still shows.
        let association = found
            .as_ref()
            .filter(|a| a.state() != Some(&TransitGatewayAttachmentState::Deleted))
            .and_then(|a| a.association());
        let Some(association) = association else {
            return Ok(None);
        };
        let phase = match association.state() {
            None | Some(State::Disassociated) => return Ok(None),
            Some(State::Disassociating) => Phase::Deleting,
            Some(State::Associated) => Phase::Ready,
            _ => Phase::Settling,
        };
        let table = association
            .transit_gateway_route_table_id()
            .unwrap_or_default();
        Ok(Some(Found {
            spec: Self {
                attachment: attachment.clone(),
                table: table.into(),
                others: others(&there),
            },
            tags: None,
            outputs: TransitGatewayAssociationOutputs {
                attachment: attachment.clone(),
            },
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, _identity: &Identity) -> Result<Self::Outputs, Error> {
        // A second one is refused (Resource.AlreadyAssociated, class Conflict).
        cx.call(once("ec2", "AssociateTransitGatewayRouteTable"), || {
            cx.ec2
                .client
                .associate_transit_gateway_route_table()
                .transit_gateway_route_table_id(self.table.as_str())
                .transit_gateway_attachment_id(self.attachment.as_str())
                .send()
        })
        .await?;
        Ok(TransitGatewayAssociationOutputs {
            attachment: self.attachment.clone(),
        })
    }

    async fn update(&self, cx: &Aws, _outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let others = members(delta, "others").remove;
        if let Some(others) = others {
            for other in others {
                part(cx, self.table.as_str(), &other).await?;
            }
            return Ok(());
        }
        // The rest is fixed. It gets here only when somebody else associated the attachment between plan and call.
        Err(Error::permanent(
            "ec2:AssociateTransitGatewayRouteTable",
            format!(
                "attachment {} is associated with another route table",
                self.attachment
            ),
        )
        .hint("run `deployer apply` again: it replaces the association"))
    }

    async fn delete(&self, cx: &Aws, _outputs: &Self::Outputs) -> Result<(), Error> {
        part(cx, self.table.as_str(), self.attachment.as_str()).await
    }
}

async fn part(cx: &Aws, table: &str, attachment: &str) -> Result<(), Error> {
    let api = repeatable("ec2", "DisassociateTransitGatewayRouteTable");
    ignore_not_found(
        cx.call(api, || {
            cx.ec2
                .client
                .disassociate_transit_gateway_route_table()
                .transit_gateway_route_table_id(table)
                .transit_gateway_attachment_id(attachment)
                .send()
        })
        .await,
    )
}
