//! Which attachments propagate the blocks of their VPC into a Transit Gateway route table.
//!
//! A part of the table and not one step per propagation: whoever else propagates into the table opens a way
//! between networks, and shows as an extra element. One call per table reads it.

use super::prelude::*;
use super::transit_gateway_route_table::is_there;
use super::{TransitGatewayAttachment, TransitGatewayRouteTable};
use aws_sdk_ec2::types::TransitGatewayPropagationState as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayPropagations {
    /// Must be available.
    pub table: Ref<TransitGatewayRouteTable>,
    /// They must be available; a set.
    pub attachments: Vec<Ref<TransitGatewayAttachment>>,
}

impl Kind for TransitGatewayPropagations {
    const TYPE: &'static str = "ec2/transit_gateway_propagations";
    type Outputs = Id<TransitGatewayRouteTable>;
}

impl SubResource for TransitGatewayPropagations {
    const FACTS: SubFacts = SubFacts {
        parent: "table",
        seconds: (1.0, 1.0),
        interrupts: &[(
            "attachments",
            "traffic from a network that is removed stops",
        )],
        write_only: &[],
        delegated: &[],
    };
    type Parent = TransitGatewayRouteTable;

    fn parent(&self) -> &Ref<TransitGatewayRouteTable> {
        &self.table
    }

    async fn read(
        cx: &Aws,
        table: &Ref<TransitGatewayRouteTable>,
        _: Option<&Id<TransitGatewayRouteTable>>,
    ) -> Result<Option<Found<Self>>, Error> {
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
        let spec = Self {
            table: table.clone(),
            attachments,
        };
        Ok(Some(Found::of_parent(spec, table.into()).phase(phase)))
    }

    async fn set(&self, cx: &Aws, _: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        let attachments = members(delta, "attachments");
        for attachment in attachments.add.iter().flatten() {
            enable(cx, self.table.as_str(), attachment).await?;
        }
        for attachment in attachments.remove.iter().flatten() {
            disable(cx, self.table.as_str(), attachment).await?;
        }
        Ok(())
    }

    async fn reset(&self, cx: &Aws, _: &Self::Outputs) -> Result<(), Error> {
        for attachment in &self.attachments {
            disable(cx, self.table.as_str(), attachment.as_str()).await?;
        }
        Ok(())
    }
}

async fn enable(cx: &Aws, table: &str, attachment: &str) -> Result<(), Error> {
    let api = ec2::ENABLE_TRANSIT_GATEWAY_ROUTE_TABLE_PROPAGATION;
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
    let call = cx
        .ec2
        .client
        .disable_transit_gateway_route_table_propagation()
        .transit_gateway_route_table_id(table)
        .transit_gateway_attachment_id(attachment);
    let api = ec2::DISABLE_TRANSIT_GATEWAY_ROUTE_TABLE_PROPAGATION;
    cx.delete(api, || call.clone().send()).await
}
