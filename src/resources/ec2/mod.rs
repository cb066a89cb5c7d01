//! EC2: the network.

mod acl;
mod default_network_acl;
mod default_security_group;
mod endpoint;
mod flow_log;
mod gateway_endpoint;
mod held;
mod ids;
mod interface_endpoint;
mod internet_gateway;
mod internet_gateway_attachment;
mod members;
mod network_acl;
mod network_acl_entries;
mod network_acl_subnets;
mod owned;
mod route_table;
mod route_table_subnets;
mod routes;
mod rules;
mod security_group;
mod security_group_rules;
mod subnet;
mod tags;
mod transit_gateway;
mod transit_gateway_association;
mod transit_gateway_attachment;
mod transit_gateway_propagations;
mod transit_gateway_route_table;
mod transit_gateway_routes;
mod vpc;

pub use acl::{Action, Entries, Entry};
pub use default_network_acl::{DefaultNetworkAcl, DefaultNetworkAclOutputs};
pub use default_security_group::{DefaultSecurityGroup, DefaultSecurityGroupOutputs};
pub use endpoint::VpcEndpointOutputs;
pub use flow_log::{FlowLog, FlowLogOutputs};
pub use gateway_endpoint::GatewayEndpoint;
pub use ids::{
    FlowLogId, TransitGatewayAttachmentId, TransitGatewayId, TransitGatewayRouteTableId,
    VpcEndpointId,
};
pub use interface_endpoint::InterfaceEndpoint;
pub use internet_gateway::{InternetGateway, InternetGatewayId, InternetGatewayOutputs};
pub use internet_gateway_attachment::{
    InternetGatewayAttachment, InternetGatewayAttachmentOutputs,
};
pub use network_acl::{NetworkAcl, NetworkAclId, NetworkAclOutputs};
pub use network_acl_entries::{NetworkAclEntries, NetworkAclEntriesOutputs};
pub use network_acl_subnets::{NetworkAclSubnets, NetworkAclSubnetsOutputs};
pub use route_table::{RouteTable, RouteTableId, RouteTableOutputs};
pub use route_table_subnets::{RouteTableSubnets, RouteTableSubnetsOutputs};
pub use routes::{Routes, RoutesOutputs, Target};
pub use rules::{Rules, Traffic};
pub use security_group::{SecurityGroup, SecurityGroupId, SecurityGroupOutputs};
pub use security_group_rules::{SecurityGroupRules, SecurityGroupRulesOutputs};
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
