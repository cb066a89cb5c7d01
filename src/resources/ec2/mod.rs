//! EC2: the network.

mod acl;
mod default_network_acl;
mod default_security_group;
mod held;
mod ids;
mod internet_gateway;
mod internet_gateway_attachment;
mod network_acl;
mod network_acl_entries;
mod network_acl_subnets;
mod owned;
mod prefix_lists;
mod route_table;
mod route_table_subnets;
mod routes;
mod rules;
mod security_group;
mod security_group_rules;
mod subnet;
mod tags;
mod vpc;

pub use acl::{Action, Entries, Entry};
pub use default_network_acl::{DefaultNetworkAcl, DefaultNetworkAclOutputs};
pub use default_security_group::{DefaultSecurityGroup, DefaultSecurityGroupOutputs};
pub use ids::TransitGatewayId;
pub use internet_gateway::{InternetGateway, InternetGatewayId, InternetGatewayOutputs};
pub use internet_gateway_attachment::{
    InternetGatewayAttachment, InternetGatewayAttachmentOutputs,
};
pub use network_acl::{NetworkAcl, NetworkAclId, NetworkAclOutputs};
pub use network_acl_entries::{NetworkAclEntries, NetworkAclEntriesOutputs};
pub use network_acl_subnets::{NetworkAclSubnets, NetworkAclSubnetsOutputs};
pub use prefix_lists::ServicePrefixLists;
pub use route_table::{RouteTable, RouteTableId, RouteTableOutputs};
pub use route_table_subnets::{RouteTableSubnets, RouteTableSubnetsOutputs};
pub use routes::{Routes, RoutesOutputs, Target};
pub use rules::{Rules, Traffic};
pub use security_group::{SecurityGroup, SecurityGroupId, SecurityGroupOutputs};
pub use security_group_rules::{SecurityGroupRules, SecurityGroupRulesOutputs};
pub use subnet::{Subnet, SubnetId, SubnetOutputs};
pub use vpc::{Vpc, VpcId, VpcOutputs};
