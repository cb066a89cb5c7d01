//! EC2's actions and what each needs ("Actions, resources, and condition keys for Amazon EC2" in the Service
//! Authorization Reference). Descriptions take no resource.

use super::SERVICE;
use crate::aws::api::Guard::{AtCreation, Named, NotOfOthers, PassedTo, RequestTag, ResourceTag};
use crate::aws::api::{ANY, Grant, actions, guarded, named};

/// A permission on a type of EC2's.
macro_rules! on {
    ($kind:literal, $guard:expr) => {
        guarded(
            concat!("arn:aws:ec2:{region}:{account}:", $kind, "/*"),
            $guard,
        )
    };
}

const TAGS: Grant = on!("*", AtCreation).of("ec2:CreateTags");
const ROLE: Grant = guarded(
    "arn:aws:iam::{account}:role/*-{suffix}",
    PassedTo("vpc-flow-logs.amazonaws.com"),
)
.of("iam:PassRole");
const GROUP: Grant = on!("security-group", NotOfOthers);
const RULE: Grant = on!("security-group-rule", NotOfOthers);
const ACL: Grant = on!("network-acl", NotOfOthers);
const VPC: Grant = on!("vpc", ResourceTag);
const SUBNET: Grant = on!("subnet", ResourceTag);
const GATEWAY: Grant = on!("internet-gateway", ResourceTag);
const ROUTES: Grant = on!("route-table", ResourceTag);
const MAIN_ROUTES: Grant = on!("route-table", NotOfOthers);
const ENDPOINT: Grant = on!("vpc-endpoint", ResourceTag);
const SERVICE_OF_OURS: Grant = on!("vpc-endpoint-service", ResourceTag);
const TRANSIT: Grant = on!("transit-gateway", ResourceTag);
const TRANSIT_ROUTES: Grant = on!("transit-gateway-route-table", ResourceTag);
const ATTACHMENT: Grant = on!("transit-gateway-attachment", ResourceTag);
/// What others attached to our Transit Gateway is taken out of our tables; the tables' guard protects theirs.
const ANY_ATTACHMENT: Grant = on!("transit-gateway-attachment", Named);

actions! { SERVICE;
    Read DESCRIBE_AVAILABILITY_ZONES = "DescribeAvailabilityZones", [ANY];
    Read DESCRIBE_DHCP_OPTIONS = "DescribeDhcpOptions", [ANY];
    Read DESCRIBE_NAT_GATEWAYS = "DescribeNatGateways", [ANY];
    Read DESCRIBE_VPC_PEERING_CONNECTIONS = "DescribeVpcPeeringConnections", [ANY];
    Read DESCRIBE_VPN_GATEWAYS = "DescribeVpnGateways", [ANY];
    Read DESCRIBE_EGRESS_ONLY_INTERNET_GATEWAYS = "DescribeEgressOnlyInternetGateways", [ANY];
    Read DESCRIBE_FLOW_LOGS = "DescribeFlowLogs", [ANY];
    Read DESCRIBE_INTERNET_GATEWAYS = "DescribeInternetGateways", [ANY];
    Read DESCRIBE_MANAGED_PREFIX_LISTS = "DescribeManagedPrefixLists", [ANY];
    Read DESCRIBE_NETWORK_ACLS = "DescribeNetworkAcls", [ANY];
    Read DESCRIBE_NETWORK_INTERFACES = "DescribeNetworkInterfaces", [ANY];
    Read DESCRIBE_ROUTE_TABLES = "DescribeRouteTables", [ANY];
    Read DESCRIBE_SECURITY_GROUPS = "DescribeSecurityGroups", [ANY];
    Read DESCRIBE_SECURITY_GROUP_RULES = "DescribeSecurityGroupRules", [ANY];
    Read DESCRIBE_SUBNETS = "DescribeSubnets", [ANY];
    Read DESCRIBE_TAGS = "DescribeTags", [ANY];
    Read DESCRIBE_TRANSIT_GATEWAYS = "DescribeTransitGateways", [ANY];
    Read DESCRIBE_TRANSIT_GATEWAY_ATTACHMENTS = "DescribeTransitGatewayAttachments", [ANY];
    Read DESCRIBE_TRANSIT_GATEWAY_ROUTE_TABLES = "DescribeTransitGatewayRouteTables", [ANY];
    Read DESCRIBE_TRANSIT_GATEWAY_VPC_ATTACHMENTS = "DescribeTransitGatewayVpcAttachments", [ANY];
    Read DESCRIBE_VPCS = "DescribeVpcs", [ANY];
    Read DESCRIBE_VPC_ATTRIBUTE = "DescribeVpcAttribute", [ANY];
    Read DESCRIBE_VPC_ENDPOINTS = "DescribeVpcEndpoints", [ANY];
    Read DESCRIBE_VPC_ENDPOINT_SERVICE_CONFIGURATIONS = "DescribeVpcEndpointServiceConfigurations", [ANY];
    Read DESCRIBE_VPC_ENDPOINT_SERVICE_PERMISSIONS = "DescribeVpcEndpointServicePermissions", [ANY];
    Read GET_TRANSIT_GATEWAY_ROUTE_TABLE_PROPAGATIONS = "GetTransitGatewayRouteTablePropagations", [ANY];
    Read SEARCH_TRANSIT_GATEWAY_ROUTES = "SearchTransitGatewayRoutes", [ANY];

    Repeatable CREATE_TAGS = "CreateTags", [on!("*", ResourceTag)];
    Repeatable DELETE_TAGS = "DeleteTags", [on!("*", ResourceTag)];

    Once CREATE_VPC = "CreateVpc", [on!("vpc", RequestTag), TAGS];
    Repeatable MODIFY_VPC_ATTRIBUTE = "ModifyVpcAttribute", [VPC];
    Repeatable DISASSOCIATE_VPC_CIDR_BLOCK = "DisassociateVpcCidrBlock", [VPC];
    Repeatable ASSOCIATE_DHCP_OPTIONS = "AssociateDhcpOptions", [VPC, on!("dhcp-options", Named)];
    Repeatable DELETE_VPC = "DeleteVpc", [VPC];
    Once CREATE_SUBNET = "CreateSubnet", [on!("subnet", RequestTag), VPC, TAGS];
    Repeatable MODIFY_SUBNET_ATTRIBUTE = "ModifySubnetAttribute", [SUBNET];
    Repeatable DELETE_SUBNET = "DeleteSubnet", [SUBNET];
    Once CREATE_INTERNET_GATEWAY = "CreateInternetGateway", [on!("internet-gateway", RequestTag), TAGS];
    Once ATTACH_INTERNET_GATEWAY = "AttachInternetGateway", [GATEWAY, VPC];
    Repeatable DETACH_INTERNET_GATEWAY = "DetachInternetGateway", [GATEWAY, VPC];
    Repeatable DELETE_INTERNET_GATEWAY = "DeleteInternetGateway", [GATEWAY];
    Repeatable CREATE_ROUTE_TABLE = "CreateRouteTable", [on!("route-table", RequestTag), VPC, TAGS];
    Repeatable ASSOCIATE_ROUTE_TABLE = "AssociateRouteTable", [ROUTES, SUBNET];
    Repeatable REPLACE_ROUTE_TABLE_ASSOCIATION = "ReplaceRouteTableAssociation", [MAIN_ROUTES, SUBNET];
    Repeatable DISASSOCIATE_ROUTE_TABLE = "DisassociateRouteTable", [ROUTES, on!("subnet", NotOfOthers)];
    Repeatable DELETE_ROUTE_TABLE = "DeleteRouteTable", [ROUTES];
    Repeatable CREATE_ROUTE = "CreateRoute", [ROUTES];
    Repeatable REPLACE_ROUTE = "ReplaceRoute", [ROUTES];
    Repeatable DELETE_ROUTE = "DeleteRoute", [ROUTES];

    Repeatable CREATE_NETWORK_ACL = "CreateNetworkAcl", [on!("network-acl", RequestTag), VPC, TAGS];
    Repeatable CREATE_NETWORK_ACL_ENTRY = "CreateNetworkAclEntry", [ACL];
    Repeatable REPLACE_NETWORK_ACL_ENTRY = "ReplaceNetworkAclEntry", [ACL];
    Repeatable DELETE_NETWORK_ACL_ENTRY = "DeleteNetworkAclEntry", [ACL];
    Repeatable REPLACE_NETWORK_ACL_ASSOCIATION = "ReplaceNetworkAclAssociation", [ACL, on!("subnet", NotOfOthers)];
    Repeatable DELETE_NETWORK_ACL = "DeleteNetworkAcl", [on!("network-acl", ResourceTag)];
    Once CREATE_SECURITY_GROUP = "CreateSecurityGroup", [on!("security-group", RequestTag), VPC, TAGS];
    Repeatable AUTHORIZE_SECURITY_GROUP_EGRESS = "AuthorizeSecurityGroupEgress", [GROUP, RULE];
    Repeatable AUTHORIZE_SECURITY_GROUP_INGRESS = "AuthorizeSecurityGroupIngress", [GROUP, RULE];
    Repeatable MODIFY_SECURITY_GROUP_RULES = "ModifySecurityGroupRules", [GROUP, RULE];
    Repeatable REVOKE_SECURITY_GROUP_EGRESS = "RevokeSecurityGroupEgress", [GROUP, RULE];
    Repeatable REVOKE_SECURITY_GROUP_INGRESS = "RevokeSecurityGroupIngress", [GROUP, RULE];
    Repeatable DELETE_SECURITY_GROUP = "DeleteSecurityGroup", [on!("security-group", ResourceTag)];

    Repeatable CREATE_FLOW_LOGS = "CreateFlowLogs", [on!("vpc-flow-log", RequestTag), VPC, TAGS, ROLE, ANY.of("logs:CreateLogDelivery")];
    Repeatable DELETE_FLOW_LOGS = "DeleteFlowLogs", [on!("vpc-flow-log", ResourceTag), ANY.of("logs:DeleteLogDelivery")];
    Repeatable CREATE_VPC_ENDPOINT = "CreateVpcEndpoint", [on!("vpc-endpoint", RequestTag), VPC, ROUTES, SUBNET, on!("security-group", ResourceTag), TAGS, named("arn:aws:route53:::hostedzone/*").of("route53:AssociateVPCWithHostedZone")];
    Repeatable MODIFY_VPC_ENDPOINT = "ModifyVpcEndpoint", [ENDPOINT, on!("route-table", NotOfOthers), on!("subnet", NotOfOthers), GROUP];
    Repeatable DELETE_VPC_ENDPOINTS = "DeleteVpcEndpoints", [ENDPOINT];
    Repeatable CREATE_VPC_ENDPOINT_SERVICE_CONFIGURATION = "CreateVpcEndpointServiceConfiguration", [on!("vpc-endpoint-service", RequestTag), TAGS];
    Repeatable MODIFY_VPC_ENDPOINT_SERVICE_CONFIGURATION = "ModifyVpcEndpointServiceConfiguration", [SERVICE_OF_OURS];
    Repeatable MODIFY_VPC_ENDPOINT_SERVICE_PERMISSIONS = "ModifyVpcEndpointServicePermissions", [SERVICE_OF_OURS];
    Repeatable DELETE_VPC_ENDPOINT_SERVICE_CONFIGURATIONS = "DeleteVpcEndpointServiceConfigurations", [SERVICE_OF_OURS];

    Once CREATE_TRANSIT_GATEWAY = "CreateTransitGateway", [on!("transit-gateway", RequestTag), TAGS];
    Repeatable MODIFY_TRANSIT_GATEWAY = "ModifyTransitGateway", [TRANSIT];
    Repeatable DELETE_TRANSIT_GATEWAY = "DeleteTransitGateway", [TRANSIT];
    Once CREATE_TRANSIT_GATEWAY_ROUTE_TABLE = "CreateTransitGatewayRouteTable", [on!("transit-gateway-route-table", RequestTag), TRANSIT, TAGS];
    Repeatable DELETE_TRANSIT_GATEWAY_ROUTE_TABLE = "DeleteTransitGatewayRouteTable", [TRANSIT_ROUTES];
    Once CREATE_TRANSIT_GATEWAY_VPC_ATTACHMENT = "CreateTransitGatewayVpcAttachment", [on!("transit-gateway-attachment", RequestTag), TRANSIT, VPC, SUBNET, TAGS];
    Repeatable MODIFY_TRANSIT_GATEWAY_VPC_ATTACHMENT = "ModifyTransitGatewayVpcAttachment", [ATTACHMENT, SUBNET];
    Repeatable DELETE_TRANSIT_GATEWAY_VPC_ATTACHMENT = "DeleteTransitGatewayVpcAttachment", [ATTACHMENT];
    Once ASSOCIATE_TRANSIT_GATEWAY_ROUTE_TABLE = "AssociateTransitGatewayRouteTable", [ATTACHMENT, TRANSIT_ROUTES];
    Repeatable DISASSOCIATE_TRANSIT_GATEWAY_ROUTE_TABLE = "DisassociateTransitGatewayRouteTable", [ANY_ATTACHMENT, TRANSIT_ROUTES];
    Repeatable ENABLE_TRANSIT_GATEWAY_ROUTE_TABLE_PROPAGATION = "EnableTransitGatewayRouteTablePropagation", [ATTACHMENT, TRANSIT_ROUTES];
    Repeatable DISABLE_TRANSIT_GATEWAY_ROUTE_TABLE_PROPAGATION = "DisableTransitGatewayRouteTablePropagation", [ANY_ATTACHMENT, TRANSIT_ROUTES];
    Repeatable CREATE_TRANSIT_GATEWAY_ROUTE = "CreateTransitGatewayRoute", [ATTACHMENT, TRANSIT_ROUTES];
    Repeatable REPLACE_TRANSIT_GATEWAY_ROUTE = "ReplaceTransitGatewayRoute", [ATTACHMENT, TRANSIT_ROUTES];
    Repeatable DELETE_TRANSIT_GATEWAY_ROUTE = "DeleteTransitGatewayRoute", [TRANSIT_ROUTES];
    Repeatable DELETE_TRANSIT_GATEWAY_PREFIX_LIST_REFERENCE = "DeleteTransitGatewayPrefixListReference", [named("arn:aws:ec2:{region}:*:prefix-list/*"), TRANSIT_ROUTES];
}
