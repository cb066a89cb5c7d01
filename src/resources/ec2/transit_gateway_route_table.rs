//! A route table of a Transit Gateway. It routes what comes from the attachments that are associated with it.

use super::TransitGateway;
use super::prelude::*;
use aws_sdk_ec2::types::TransitGatewayRouteTableState as State;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransitGatewayRouteTable {
    /// Must be available.
    pub transit_gateway: Ref<TransitGateway>,
}

const READ: Api = ec2::DESCRIBE_TRANSIT_GATEWAY_ROUTE_TABLES;
const CREATE: Api = ec2::CREATE_TRANSIT_GATEWAY_ROUTE_TABLE;
const DELETE: Api = ec2::DELETE_TRANSIT_GATEWAY_ROUTE_TABLE;

/// The filter that finds a table by its id.
const BY_ID: &str = "transit-gateway-route-table-id";

/// True when the table can hold routes and propagations. Asks through the reader that the tables' own reads use.
pub(super) async fn is_there(cx: &Aws, table: &str) -> Result<bool, Error> {
    let found = cx.ec2.tables.by(BY_ID, table).await?;
    Ok(found
        .iter()
        .any(|t| !matches!(t.state(), Some(State::Deleting | State::Deleted))))
}

impl Kind for TransitGatewayRouteTable {
    const TYPE: &'static str = "ec2/transit_gateway_route_table";
    type Outputs = Id<Self>;
}

impl Resource for TransitGatewayRouteTable {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::Ec2Tags,
        seconds: (10.0, 20.0),
        cost: |_| Cost::NONE,
        fixed: &["transit_gateway"],
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
        let Some(table) = find(&cx.ec2.tables, BY_ID, &key).await? else {
            return Ok(None);
        };
        let phase = match table.state() {
            Some(State::Deleted) => return Ok(None),
            Some(State::Deleting) => Phase::Deleting,
            Some(State::Available) => Phase::Ready,
            _ => Phase::Settling,
        };
        let id = table.transit_gateway_route_table_id();
        let id = READ.field(id, "TransitGatewayRouteTableId")?;
        let transit_gateway = READ.field(table.transit_gateway_id(), "TransitGatewayId")?;
        let found = Found::tagged(Self { transit_gateway }, id, tags_of(table.tags()));
        Ok(Some(found.phase(phase)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<Id<Self>, Error> {
        let tags = tags::at_creation(ResourceType::TransitGatewayRouteTable, identity);
        let call = cx.ec2.client.create_transit_gateway_route_table();
        let call = call
            .transit_gateway_id(&self.transit_gateway)
            .tag_specifications(tags);
        let made = cx.call(CREATE, || call.clone().send()).await?;
        let made = made.transit_gateway_route_table;
        let id = made.and_then(|t| t.transit_gateway_route_table_id);
        CREATE.field(id.as_deref(), "TransitGatewayRouteTableId")
    }

    /// Routes and propagations go with it; associations hold it (`IncorrectState`, class `InUse`, names them).
    async fn delete(&self, cx: &Aws, it: &Id<Self>) -> Result<(), Error> {
        let call = cx.ec2.client.delete_transit_gateway_route_table();
        let call = call.transit_gateway_route_table_id(&it.id);
        cx.delete(DELETE, || call.clone().send()).await
    }
}
