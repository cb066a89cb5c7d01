"""Route tables, routes and their associations."""

from .. import tags, tgw
from ..call import patch, refuse
from ..errors import AwsError


def _check_target(call):
    """AWS checks the target of a route; moto takes any id."""
    ec2, params = call.backend, call.params
    route_table = ec2.get_route_table(params["RouteTableId"])
    gateway = params.get("TransitGatewayId")
    if gateway:
        # AWS words a gateway that this VPC is not (yet) attached to as one that does not exist.
        attachment = tgw.attachment_of_vpc(call, gateway, route_table.vpc_id)
        if attachment is None or attachment["State"] not in ("available", "modifying"):
            refuse("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{gateway}' does not exist.")
    nat = params.get("NatGatewayId")
    if nat and nat not in ec2.nat_gateways:
        refuse("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
    internet = params.get("GatewayId", "")
    if internet.startswith("igw-"):
        found = ec2.internet_gateways.get(internet)
        if found is None:
            refuse("InvalidGatewayID.NotFound", f"The gateway ID '{internet}' does not exist")
        if found.vpc is None or found.vpc.id != route_table.vpc_id:
            refuse(
                "InvalidParameterValue",
                f"route table {route_table.id} and network gateway {internet} belong to different networks",
            )


@patch("ec2", "CreateRoute", "ReplaceRoute")
def route_targets(call):
    """AWS: the target must exist and be reachable from the VPC."""
    _check_target(call)
    return call.forward()


@patch("ec2", "DescribeRouteTables")
def black_holes(call):
    """AWS: a route whose target is gone has the state `blackhole`. moto: always `active`."""
    answer = call.forward()
    for route_table in answer.data.get("RouteTables", []):
        for route in route_table.get("Routes", []):
            if _leads_nowhere(call, route_table["VpcId"], route):
                route["State"] = "blackhole"
    return answer


def _leads_nowhere(call, vpc, route):
    gateway = route.get("TransitGatewayId")
    if gateway:
        attachment = tgw.attachment_of_vpc(call, gateway, vpc)
        return attachment is None or attachment["State"] not in ("available", "modifying")
    internet = route.get("GatewayId", "")
    if internet.startswith("igw-"):
        found = call.backend.internet_gateways.get(internet)
        return found is None or found.vpc is None or found.vpc.id != vpc
    return False


@patch("ec2", "AssociateRouteTable")
def associate_route_table(call):
    """AWS: a subnet has one explicit association. moto: answers the other table's association as if it were new."""
    subnet, name = call.params.get("SubnetId"), call.params["RouteTableId"]
    for table in call.backend.route_tables.values() if subnet else []:
        if table.id != name and subnet in table._associations.values():
            refuse(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {name} conflicts with an existing association",
            )
    if subnet and call.backend.get_subnet(subnet).vpc_id != call.backend.get_route_table(name).vpc_id:
        refuse("InvalidParameterValue", f"route table {name} and subnet {subnet} belong to different networks")
    return call.forward()


@patch("ec2", "DeleteRouteTable")
def delete_route_table(call):
    """AWS: the main route table can't be deleted. moto: it is."""
    name = call.params["RouteTableId"]
    try:
        table = call.backend.get_route_table(name)
    except Exception as missing:
        raise AwsError("InvalidRouteTableID.NotFound", f"The routeTable ID '{name}' does not exist") from missing
    if table.main_association_id is not None:
        refuse("DependencyViolation", f"The routeTable '{name}' has dependencies and cannot be deleted.")
    answer = call.forward()
    # AWS takes a deleted table out of its gateway endpoints.
    for endpoint in call.backend.vpc_end_points.values():
        if name in (endpoint.route_table_ids or []):
            endpoint.route_table_ids.remove(name)
    tags.drop(call, name)
    return answer
