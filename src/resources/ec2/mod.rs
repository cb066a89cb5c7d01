//! EC2: the network.

mod endpoint;
mod flow_log;
mod gateway_endpoint;
mod ids;
mod interface_endpoint;
mod members;
mod subnet;
mod tags;
mod transit_gateway;
mod transit_gateway_association;
mod transit_gateway_attachment;
mod transit_gateway_propagations;
mod transit_gateway_route_table;
mod transit_gateway_routes;
mod vpc;

pub use endpoint::VpcEndpointOutputs;
pub use flow_log::{FlowLog, FlowLogOutputs};
pub use gateway_endpoint::GatewayEndpoint;
pub use ids::{
    FlowLogId, RouteTableId, SecurityGroupId, TransitGatewayAttachmentId, TransitGatewayId,
    TransitGatewayRouteTableId, VpcEndpointId,
};
pub use interface_endpoint::InterfaceEndpoint;
pub use subnet::{Subnet, SubnetId, SubnetOutputs};
pub use transit_gateway::{TransitGateway, TransitGatewayOutputs};
pub use transit_gateway_association::{
    TransitGatewayAssociation, TransitGatewayAssociationOutputs,
};
pub use transit_gateway_attachment::{TransitGatewayAttachment, TransitGatewayAttachmentOutputs};
pub use transit_gateway_propagations::{
    TransitGatewayPropagations, TransitGatewayPropagationsOutputs,
};
pub use transit_gateway_route_table::{TransitGatewayRouteTable, TransitGatewayRouteTableOutputs};
pub use transit_gateway_routes::{
    TransitGatewayRoutes, TransitGatewayRoutesOutputs, TransitGatewayTarget,
};
pub use vpc::{Vpc, VpcId, VpcOutputs};
