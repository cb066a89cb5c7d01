//! The association of an attachment with the route table that routes its traffic: one per attachment.
//!
//! It has neither id nor tags. Its state is part of the attachment in DescribeTransitGatewayAttachments, so that one
//! call reads the associations of all tables. Whoever else is associated with the table is let into the networks that it
//! leads to, and shows as an extra element.

use super::prelude::*;
use super::{TransitGatewayAttachment, TransitGatewayRouteTable};
use aws_sdk_ec2::types::{
    TransitGatewayAssociationState as State, TransitGatewayAttachmentState as AttachmentState,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayAssociation {
    /// Must be available.
    pub attachment: Ref<TransitGatewayAttachment>,
    /// Must be available.
    pub table: Ref<TransitGatewayRouteTable>,
    /// Other attachments that the table routes for; a set, and none of ours.
    #[serde(default)]
    pub others: Vec<Ref<TransitGatewayAttachment>>,
}

/// The attachment is its identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Associated {
    pub attachment: Ref<TransitGatewayAttachment>,
}

const READ: Api = ec2::DESCRIBE_TRANSIT_GATEWAY_ATTACHMENTS;
const CREATE: Api = ec2::ASSOCIATE_TRANSIT_GATEWAY_ROUTE_TABLE;
const DELETE: Api = ec2::DISASSOCIATE_TRANSIT_GATEWAY_ROUTE_TABLE;

/// The filter that finds the attachments that a table routes for.
const BY_TABLE: &str = "association.transit-gateway-route-table-id";

impl Kind for TransitGatewayAssociation {
    const TYPE: &'static str = "ec2/transit_gateway_association";
    type Outputs = Associated;
}

impl Resource for TransitGatewayAssociation {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (10.0, 10.0),
        cost: |_| Cost::NONE,
        fixed: &["attachment", "table"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &[],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let attachment = &key.spec.attachment;
        let reader = &cx.ec2.attachments;
        let mut there = reader.by(BY_TABLE, key.spec.table.as_str()).await?;
        there.retain(|a| !a.is_leaving());
        let id = |a: &t::TransitGatewayAttachment| a.transit_gateway_attachment_id.clone();
        let is_ours =
            |a: &t::TransitGatewayAttachment| id(a).as_deref() == Some(attachment.as_str());
        let found = match there.iter().position(is_ours) {
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
            .filter(|a| a.state() != Some(&AttachmentState::Deleted))
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
        let table = association.transit_gateway_route_table_id();
        let spec = Self {
            attachment: attachment.clone(),
            table: READ.field(table, "TransitGatewayRouteTableId")?,
            others: there.iter().filter_map(id).map(Into::into).collect(),
        };
        let outputs = Associated {
            attachment: attachment.clone(),
        };
        Ok(Some(Found::of_parent(spec, outputs).phase(phase)))
    }

    async fn create(&self, cx: &Aws, _: &Identity) -> Result<Associated, Error> {
        let call = cx.ec2.client.associate_transit_gateway_route_table();
        let call = call
            .transit_gateway_route_table_id(&self.table)
            .transit_gateway_attachment_id(&self.attachment);
        // A second one is refused (Resource.AlreadyAssociated, class Conflict).
        if let Err(error) = cx.call(CREATE, || call.clone().send()).await {
            return Err(self.rival(cx, error).await);
        }
        Ok(Associated {
            attachment: self.attachment.clone(),
        })
    }

    /// Takes others away. The rest is fixed; it differs only when somebody else associated the attachment between plan and
    /// call.
    async fn update(&self, cx: &Aws, _: &Associated, delta: &Delta) -> Result<(), Error> {
        let Some(others) = members(delta, "others").remove else {
            return Err(Error::permanent(
                CREATE.action(),
                format!(
                    "attachment {} is associated with another route table",
                    self.attachment
                ),
            )
            .hint("run `deployer apply` again: it replaces the association"));
        };
        for other in others {
            remove(cx, &self.table, &other.into()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, _: &Associated) -> Result<(), Error> {
        remove(cx, &self.table, &self.attachment).await
    }
}

async fn remove(
    cx: &Aws,
    table: &Ref<TransitGatewayRouteTable>,
    attachment: &Ref<TransitGatewayAttachment>,
) -> Result<(), Error> {
    let call = cx.ec2.client.disassociate_transit_gateway_route_table();
    let call = call
        .transit_gateway_route_table_id(table)
        .transit_gateway_attachment_id(attachment);
    cx.delete(DELETE, || call.clone().send()).await
}

impl TransitGatewayAssociation {
    /// Which table routes for the attachment already.
    async fn rival(&self, cx: &Aws, error: Error) -> Error {
        if error.class != Class::Conflict {
            return error;
        }
        // What cannot be read is left out: the refusal itself is the news.
        let reader = &cx.ec2.attachments;
        let there = reader.by("transit-gateway-attachment-id", self.attachment.as_str());
        let there = there.await.unwrap_or_default();
        let table = there.first().and_then(|a| a.association());
        match table.and_then(|a| a.transit_gateway_route_table_id()) {
            Some(id) => Error {
                message: format!("{}; it is associated with {id}", error.message.trim_end()),
                ..error
            },
            None => error,
        }
    }
}
