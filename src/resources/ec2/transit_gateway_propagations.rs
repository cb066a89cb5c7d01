//! Which attachments propagate the blocks of their VPC into a Transit Gateway route table.
//!
//! An aspect of the table and not one step per propagation: whoever else propagates into the table opens a way
//! between networks, and shows as an extra element. One call per table reads it.

use super::ids::{TransitGatewayAttachmentId, TransitGatewayRouteTableId};
use super::members::members;
use super::transit_gateway_route_table::is_there;
use crate::aws::{Aws, repeatable};
use crate::engine::{Delta, Error, Identity, Kind, Nature, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, found, ignore_not_found};
use aws_sdk_ec2::types::TransitGatewayPropagationState as State;
use serde::{Deserialize, Serialize};

/// The attachments that propagate into a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayPropagations {
    /// The table, which must be available.
    pub table: Ref<TransitGatewayRouteTableId>,
    /// The attachments, which must be available; a set.
    pub attachments: Vec<Ref<TransitGatewayAttachmentId>>,
}

/// What is known of a table's propagations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayPropagationsOutputs {
    /// The table.
    pub table: Ref<TransitGatewayRouteTableId>,
}

impl Kind for TransitGatewayPropagations {
    const TYPE: &'static str = "ec2/transit_gateway_propagations";
}

impl Resource for TransitGatewayPropagations {
    const FIXED: &'static [&'static str] = &["table"];
    const NATURE: Nature = Nature::SubResource;
    type Outputs = TransitGatewayPropagationsOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let table = &key.spec.table;
        if !is_there(cx, table.as_str()).await? {
            return Ok(None);
        }
        let answer = cx.ec2.propagations.get(table.to_string()).await?;
        let Some(list) = answer.map_or(Ok(None), found)? else {
            return Ok(None);
        };
        let mut phase = Phase::Ready;
        let mut attachments = Vec::new();
        for one in &list {
            match one.state() {
                Some(State::Enabled) => {}
                Some(State::Enabling) => phase = Phase::Settling,
                Some(State::Disabling) => {
                    phase = Phase::Settling;
                    continue;
                }
                _ => continue,
            }
            attachments.extend(one.transit_gateway_attachment_id().map(Into::into));
        }
        Ok(Some(Found {
            spec: Self {
                table: table.clone(),
                attachments,
            },
            tags: None,
            outputs: TransitGatewayPropagationsOutputs {
                table: table.clone(),
            },
            phase,
        }))
    }

    async fn create(&self, _cx: &Aws, _identity: &Identity) -> Result<Self::Outputs, Error> {
        Ok(TransitGatewayPropagationsOutputs {
            table: self.table.clone(),
        })
    }

    async fn update(&self, cx: &Aws, _outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let attachments = members(delta, "attachments");
        for attachment in attachments.add.iter().flatten() {
            enable(cx, self.table.as_str(), attachment).await?;
        }
        for attachment in attachments.remove.iter().flatten() {
            disable(cx, self.table.as_str(), attachment).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Aws, _outputs: &Self::Outputs) -> Result<(), Error> {
        for attachment in &self.attachments {
            disable(cx, self.table.as_str(), attachment.as_str()).await?;
        }
        Ok(())
    }
}

async fn enable(cx: &Aws, table: &str, attachment: &str) -> Result<(), Error> {
    let api = repeatable("ec2", "EnableTransitGatewayRouteTablePropagation");
    let answer = cx
        .call(api, || {
            cx.ec2
                .client
                .enable_transit_gateway_route_table_propagation()
                .transit_gateway_route_table_id(table)
                .transit_gateway_attachment_id(attachment)
                .send()
        })
        .await;
    match answer {
        // An earlier call whose answer was lost.
        Err(error) if error.code == "TransitGatewayRouteTablePropagation.Duplicate" => Ok(()),
        other => other.map(drop),
    }
}

async fn disable(cx: &Aws, table: &str, attachment: &str) -> Result<(), Error> {
    let api = repeatable("ec2", "DisableTransitGatewayRouteTablePropagation");
    ignore_not_found(
        cx.call(api, || {
            cx.ec2
                .client
                .disable_transit_gateway_route_table_propagation()
                .transit_gateway_route_table_id(table)
                .transit_gateway_attachment_id(attachment)
                .send()
        })
        .await,
    )
}
