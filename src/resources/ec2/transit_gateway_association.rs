//! The association of an attachment with the route table that routes its traffic: one per attachment.
//!
//! It has neither id nor tags. Its state is part of the attachment in DescribeTransitGatewayAttachments, so that one
//! call reads the associations of all attachments.

use super::ids::{TransitGatewayAttachmentId, TransitGatewayRouteTableId};
use crate::aws::{Aws, once, repeatable};
use crate::engine::{Delta, Fault, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, gone_is_fine};
use aws_sdk_ec2::types::{TransitGatewayAssociationState as State, TransitGatewayAttachmentState};
use serde::{Deserialize, Serialize};

/// The settings of an association.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAssociation {
    /// The attachment, which must be available.
    pub attachment: Ref<TransitGatewayAttachmentId>,
    /// The route table, which must be available.
    pub table: Ref<TransitGatewayRouteTableId>,
}

/// What is known of an association.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAssociationOutputs {
    /// The attachment that is its identity.
    pub attachment: Ref<TransitGatewayAttachmentId>,
}

impl Kind for TransitGatewayAssociation {
    const TYPE: &'static str = "ec2/transit_gateway_association";
}

impl Resource for TransitGatewayAssociation {
    const FIXED: &'static [&'static str] = &["attachment", "table"];
    const NATURE: Nature = Nature::Parented;
    type Outputs = TransitGatewayAssociationOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Fault> {
        let attachment = &key.spec.attachment;
        let found = cx
            .edge
            .attachments
            .by("transit-gateway-attachment-id", attachment.as_str())
            .await?
            .pop();
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
            },
            tags: None,
            outputs: TransitGatewayAssociationOutputs {
                attachment: attachment.clone(),
            },
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, _identity: &Identity) -> Result<Self::Outputs, Fault> {
        // A second one is refused (Resource.AlreadyAssociated, class Conflict).
        cx.call(once("ec2", "AssociateTransitGatewayRouteTable"), || {
            cx.ec2
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

    async fn update(
        &self,
        _cx: &Aws,
        _outputs: &Self::Outputs,
        _delta: &Delta,
    ) -> Result<(), Fault> {
        // Both fields are fixed. It gets here only when somebody else associated the attachment between plan and call.
        Err(Fault::permanent(
            "ec2:AssociateTransitGatewayRouteTable",
            format!(
                "attachment {} is associated with another route table",
                self.attachment
            ),
        )
        .hint("run `deployer apply` again: it replaces the association"))
    }

    async fn delete(&self, cx: &Aws, _outputs: &Self::Outputs) -> Result<(), Fault> {
        let api = repeatable("ec2", "DisassociateTransitGatewayRouteTable");
        gone_is_fine(
            cx.call(api, || {
                cx.ec2
                    .disassociate_transit_gateway_route_table()
                    .transit_gateway_route_table_id(self.table.as_str())
                    .transit_gateway_attachment_id(self.attachment.as_str())
                    .send()
            })
            .await,
        )
    }
}
