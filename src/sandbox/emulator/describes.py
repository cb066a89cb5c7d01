"""EC2's Describe operations as data: what a patch needs to know to find, hide, page and refuse by id."""

from dataclasses import dataclass

from .errors import AwsError


@dataclass(frozen=True)
class Kind:
    """One Describe operation."""

    ids: str  # the parameter with ids; "" where ids are given by filter only
    list: str  # the list in the answer
    id: str  # the id's key in an item
    code: str  # AWS's error code for an unknown id
    wording: str  # and its message


DESCRIBES = {
    "DescribeVpcs": Kind("VpcIds", "Vpcs", "VpcId", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "DescribeVpcEndpointServiceConfigurations": Kind(
        "ServiceIds",
        "ServiceConfigurations",
        "ServiceId",
        "InvalidVpcEndpointServiceId.NotFound",
        "The VpcEndpointService Id '{}' does not exist",
    ),
    "DescribeSubnets": Kind(
        "SubnetIds", "Subnets", "SubnetId", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"
    ),
    "DescribeInternetGateways": Kind(
        "InternetGatewayIds",
        "InternetGateways",
        "InternetGatewayId",
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID '{}' does not exist",
    ),
    "DescribeRouteTables": Kind(
        "RouteTableIds",
        "RouteTables",
        "RouteTableId",
        "InvalidRouteTableID.NotFound",
        "The routeTable ID '{}' does not exist",
    ),
    "DescribeNetworkAcls": Kind(
        "NetworkAclIds",
        "NetworkAcls",
        "NetworkAclId",
        "InvalidNetworkAclID.NotFound",
        "The networkAcl ID '{}' does not exist",
    ),
    "DescribeSecurityGroups": Kind(
        "GroupIds", "SecurityGroups", "GroupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"
    ),
    "DescribeSecurityGroupRules": Kind(
        "SecurityGroupRuleIds",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
        "InvalidSecurityGroupRuleId.NotFound",
        "The security group rule ID '{}' does not exist",
    ),
    "DescribeVpcEndpoints": Kind(
        "VpcEndpointIds",
        "VpcEndpoints",
        "VpcEndpointId",
        "InvalidVpcEndpointId.NotFound",
        "The Vpc Endpoint Id '{}' does not exist",
    ),
    "DescribeFlowLogs": Kind(
        "FlowLogIds", "FlowLogs", "FlowLogId", "InvalidFlowLogId.NotFound", "The flow log ID '{}' does not exist"
    ),
    "DescribeNetworkInterfaces": Kind(
        "NetworkInterfaceIds",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID '{}' does not exist",
    ),
    "DescribeAddresses": Kind(
        "AllocationIds",
        "Addresses",
        "AllocationId",
        "InvalidAllocationID.NotFound",
        "The allocation ID '{}' does not exist",
    ),
    "DescribeNatGateways": Kind(
        "NatGatewayIds", "NatGateways", "NatGatewayId", "NatGatewayNotFound", "NAT gateway {} was not found"
    ),
    "DescribeTransitGateways": Kind(
        "TransitGatewayIds",
        "TransitGateways",
        "TransitGatewayId",
        "InvalidTransitGatewayID.NotFound",
        "Transit Gateway {} was deleted or does not exist.",
    ),
    "DescribeTransitGatewayVpcAttachments": Kind(
        "TransitGatewayAttachmentIds",
        "TransitGatewayVpcAttachments",
        "TransitGatewayAttachmentId",
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment {} was deleted or does not exist.",
    ),
    "DescribeTransitGatewayAttachments": Kind(
        "TransitGatewayAttachmentIds",
        "TransitGatewayAttachments",
        "TransitGatewayAttachmentId",
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment {} was deleted or does not exist.",
    ),
    "DescribeTransitGatewayRouteTables": Kind(
        "TransitGatewayRouteTableIds",
        "TransitGatewayRouteTables",
        "TransitGatewayRouteTableId",
        "InvalidRouteTableID.NotFound",
        "Transit Gateway Route Table {} was deleted or does not exist.",
    ),
    # Tags name their resource; listed here so that lag hides the tags of what it hides.
    "DescribeTags": Kind("", "Tags", "ResourceId", "", ""),
}


def not_found(kind, name):
    """AWS's refusal of an unknown id."""
    return AwsError(kind.code, kind.wording.format(name))
