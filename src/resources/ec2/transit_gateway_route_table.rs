//! A route table of a Transit Gateway. It routes what comes from the attachments that are associated with it.

use super::ids::{TransitGatewayId, TransitGatewayRouteTableId};
use super::tags;
use crate::aws::{Aws, find, once, repeatable, tags_of};
use crate::engine::{Delta, Error, Handle, Identity, Kind, Phase, Ref};
use crate::resources::{Found, Lookup, Resource, ignore_not_found, missing_field};
use aws_sdk_ec2::types::{ResourceType, TransitGatewayRouteTableState as State};
use serde::{Deserialize, Serialize};

/// The settings of a Transit Gateway route table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayRouteTable {
    /// The gateway, which must be available.
    pub transit_gateway: Ref<TransitGatewayId>,
}

/// What is known of the table once it exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayRouteTableOutputs {
    /// `tgw-rtb-...`
    pub id: Ref<TransitGatewayRouteTableId>,
}

impl Handle<TransitGatewayRouteTable> {
    /// The table's id.
    pub fn id(&self) -> Ref<TransitGatewayRouteTableId> {
        self.output("id")
    }
}

impl Kind for TransitGatewayRouteTable {
    const TYPE: &'static str = "ec2/transit_gateway_route_table";
}

/// The filter that finds a table by its id.
const BY_ID: &str = "transit-gateway-route-table-id";

/// True when the table can hold routes and propagations. Asks through the reader that the tables' own reads use.
pub(super) async fn is_there(cx: &Aws, table: &str) -> Result<bool, Error> {
    let found = cx.ec2.tables.by(BY_ID, table).await?;
    Ok(found
        .iter()
        .any(|t| !matches!(t.state(), Some(State::Deleting | State::Deleted))))
}

impl Resource for TransitGatewayRouteTable {
    const FIXED: &'static [&'static str] = &["transit_gateway"];
    type Outputs = TransitGatewayRouteTableOutputs;

    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let id = key.outputs.map(|o| o.id.as_str());
        let Some(table) = find(&cx.ec2.tables, id, BY_ID, key.identity).await? else {
            return Ok(None);
        };
        let phase = match table.state() {
            Some(State::Deleted) => return Ok(None),
            Some(State::Deleting) => Phase::Deleting,
            Some(State::Available) => Phase::Ready,
            _ => Phase::Settling,
        };
        let id = table.transit_gateway_route_table_id().ok_or_else(|| {
            missing_field(
                "ec2:DescribeTransitGatewayRouteTables",
                "TransitGatewayRouteTableId",
            )
        })?;
        Ok(Some(Found {
            spec: Self {
                transit_gateway: table.transit_gateway_id().unwrap_or_default().into(),
            },
            tags: Some(tags_of(table.tags())),
            outputs: TransitGatewayRouteTableOutputs { id: id.into() },
            phase,
        }))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Self::Outputs, Error> {
        const CREATE: &str = "CreateTransitGatewayRouteTable";
        let tags = tags::at_creation(ResourceType::TransitGatewayRouteTable, identity);
        let answer = cx
            .call(once("ec2", CREATE), || {
                cx.ec2
                    .client
                    .create_transit_gateway_route_table()
                    .transit_gateway_id(self.transit_gateway.as_str())
                    .tag_specifications(tags.clone())
                    .send()
            })
            .await?;
        let id = answer
            .transit_gateway_route_table()
            .and_then(|t| t.transit_gateway_route_table_id())
            .ok_or_else(|| {
                missing_field(
                    "ec2:CreateTransitGatewayRouteTable",
                    "TransitGatewayRouteTableId",
                )
            })?;
        Ok(TransitGatewayRouteTableOutputs { id: id.into() })
    }

    async fn update(&self, cx: &Aws, outputs: &Self::Outputs, delta: &Delta) -> Result<(), Error> {
        tags::update(cx, outputs.id.as_str(), delta).await
    }

    /// Routes and propagations go with it; associations hold it (`IncorrectState`, class `Held`, names them).
    async fn delete(&self, cx: &Aws, outputs: &Self::Outputs) -> Result<(), Error> {
        let id = outputs.id.as_str();
        ignore_not_found(
            cx.call(repeatable("ec2", "DeleteTransitGatewayRouteTable"), || {
                cx.ec2
                    .client
                    .delete_transit_gateway_route_table()
                    .transit_gateway_route_table_id(id)
                    .send()
            })
            .await,
        )
    }
}
