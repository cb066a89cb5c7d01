"""VPCs, subnets and internet gateways: what AWS refuses to delete while something is inside, and what goes along."""

import ipaddress

from .. import interfaces, tags
from ..call import patch, refuse


def _in_use(kind, name):
    refuse("DependencyViolation", f"The {kind} '{name}' has dependencies and cannot be deleted.")


@patch("ec2", "DeleteVpc")
def delete_vpc(call):
    """AWS: refused while the VPC has a gateway, endpoint, interface, or a group, network ACL or route table that is not
    its default; the defaults go with it. moto: looks at subnets and route tables only, leaves the default ACL."""
    ec2 = call.backend
    vpc = ec2.get_vpc(call.params["VpcId"])
    groups = ec2.groups.get(vpc.id, {}).values()
    tables = [table for table in ec2.route_tables.values() if table.vpc_id == vpc.id]
    acls = [acl for acl in ec2.network_acls.values() if acl.vpc_id == vpc.id]
    inside = [
        any(gateway.vpc is not None and gateway.vpc.id == vpc.id for gateway in ec2.internet_gateways.values()),
        any(endpoint.vpc_id == vpc.id and endpoint.state != "deleted" for endpoint in ec2.vpc_end_points.values()),
        any(eni.vpc_id == vpc.id for eni in ec2.enis.values()),
        any(not group.is_default and group.name != "default" for group in groups),
        any(not acl.default for acl in acls),
        any(table.main_association_id is None for table in tables),
    ]
    if any(inside):
        _in_use("vpc", vpc.id)
    defaults = [group.id for group in groups] + [acl.id for acl in acls] + [table.id for table in tables]
    answer = call.forward()
    for acl in acls:
        del ec2.network_acls[acl.id]
    ec2.groups.pop(vpc.id, None)
    for name in defaults + [vpc.id]:
        tags.drop(call, name)
    return answer


@patch("ec2", "DeleteSubnet")
def delete_subnet(call):
    """AWS: refused while an interface is in it (an endpoint's, a database's, a Transit Gateway attachment's); its
    associations with a route table and a network ACL go with it. moto: neither."""
    name = call.params["SubnetId"]
    ec2 = call.backend
    ec2.get_subnet(name)
    if interfaces.in_subnet(call, name) or any(
        gateway.subnet_id == name for gateway in ec2.nat_gateways.values() if gateway.state != "deleted"
    ):
        _in_use("subnet", name)
    answer = call.forward()
    for table in ec2.route_tables.values():
        for association in [key for key, subnet in table._associations.items() if subnet == name]:
            del table._associations[association]
    for acl in ec2.network_acls.values():
        for association in [key for key, entry in acl._associations.items() if entry.subnet_id == name]:
            del acl._associations[association]
    tags.drop(call, name)
    return answer


@patch("ec2", "ModifyVpcAttribute", "ModifySubnetAttribute")
def one_attribute(call):
    """AWS: one attribute a call; hostnames need DNS support. moto: takes any."""
    named = [name for name in call.params if name not in ("VpcId", "SubnetId", "DryRun")]
    if len(named) > 1:
        refuse("InvalidParameterCombination", f"Fields for multiple attribute types specified: {', '.join(named)}")
    if not named:
        refuse("InvalidParameterCombination", "No attributes specified.")
    if call.params.get("EnableDnsHostnames", {}).get("Value"):
        if str(call.backend.get_vpc(call.params["VpcId"]).enable_dns_support).lower() != "true":
            refuse("InvalidParameterValue", "To enable DNS hostnames, DNS support must be enabled")
    return call.forward()


@patch("ec2", "DisassociateVpcCidrBlock")
def disassociate_block(call):
    """AWS: the block is gone a moment later; one with subnets in it can't go. moto: shows it for ever, and takes it away
    from under its subnets."""
    ec2, name = call.backend, call.params["AssociationId"]
    holder = next((vpc for vpc in ec2.vpcs.values() if name in vpc._cidr_block_association_set), None)
    if holder is None:
        refuse("InvalidVpcCidrBlockAssociationID.NotFound", f"The vpc CIDR block association ID '{name}' does not exist")
    block = ipaddress.ip_network(holder._cidr_block_association_set[name]["cidr_block"])
    inside = [
        subnet
        for zone in ec2.subnets.values()
        for subnet in zone.values()
        if subnet.vpc_id == holder.id and block.overlaps(ipaddress.ip_network(subnet.cidr_block))
    ]
    if inside and str(block) != holder.cidr_block:
        refuse("InvalidCidrBlock.InUse", f"The vpc {holder.id} has subnets in the CIDR block {block}: {inside[0].id}")
    answer = call.forward()
    holder._cidr_block_association_set.pop(name, None)
    return answer


@patch("ec2", "AttachInternetGateway")
def attach_internet_gateway(call):
    """AWS: one internet gateway per VPC. moto: any number."""
    vpc = call.params["VpcId"]
    for gateway in call.backend.internet_gateways.values():
        if gateway.vpc is not None and gateway.vpc.id == vpc and gateway.id != call.params["InternetGatewayId"]:
            refuse("InvalidParameterValue", f"Network {vpc} already has an internet gateway attached")
    return call.forward()


@patch("ec2", "DeleteInternetGateway")
def delete_internet_gateway(call):
    """AWS: the tags go with it. moto: they stay in DescribeTags."""
    answer = call.forward()
    tags.drop(call, call.params["InternetGatewayId"])
    return answer
