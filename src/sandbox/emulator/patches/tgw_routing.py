"""Transit Gateway route tables, associations, propagations and routes. moto: no propagated routes, no states,
`tag:` filters ignored, second associations and deletion of tables in use allowed."""

from .. import tags, tgw
from ..call import patch, refuse
from ..filters import matching
from .tgw_gateways import new_table

TABLE_FILTERS = [
    "transit-gateway-route-table-id",
    "transit-gateway-id",
    "state",
    "default-association-route-table",
    "default-propagation-route-table",
]
MEMBER_FILTERS = ["transit-gateway-attachment-id", "resource-id", "resource-type", "state"]


@patch("ec2", "CreateTransitGatewayRouteTable")
def create_table(call):
    """AWS: needs an available gateway; answers `pending`."""
    gateway = tgw.usable(call, "gateways", call.params["TransitGatewayId"])
    item = new_table(call, gateway["_id"])
    tags.put(call, item["_id"], tags.from_specifications(call.params, "transit-gateway-route-table"))
    answer = {"TransitGatewayRouteTable": tgw.shown(call, item)}
    tgw.settle(call, item, "ec2/transit_gateway_route_table")
    return answer


@patch("ec2", "DescribeTransitGatewayRouteTables")
def describe_tables(call):
    """AWS: `tag:` filters work."""
    items = [tgw.shown(call, item) for item in tgw.table(call, "tables").values()]
    wanted = call.params.get("TransitGatewayRouteTableIds")
    items = [item for item in items if not wanted or item["TransitGatewayRouteTableId"] in wanted]
    return {"TransitGatewayRouteTables": matching(items, call.params.get("Filters"), TABLE_FILTERS)}


@patch("ec2", "DeleteTransitGatewayRouteTable")
def delete_table(call):
    """AWS: a table with associations can't be deleted; propagations and routes go along."""
    item = tgw.usable(call, "tables", call.params["TransitGatewayRouteTableId"])
    if item["_associations"]:
        refuse("IncorrectState", f"{item['_id']} has non-deleted associations: {', '.join(item['_associations'])}.")
    answer = {"TransitGatewayRouteTable": {**tgw.shown(call, item), "State": "deleting"}}
    item["_propagations"].clear()
    tgw.remove(call, item, "ec2/transit_gateway_route_table deletion")
    return answer


def _both(call):
    route_table = tgw.usable(call, "tables", call.params["TransitGatewayRouteTableId"])
    attachment = tgw.get(call, "attachments", call.params["TransitGatewayAttachmentId"])
    if attachment["TransitGatewayId"] != route_table["TransitGatewayId"]:
        refuse(
            "InvalidParameterValue",
            f"{attachment['_id']} and {route_table['_id']} belong to different transit gateways",
        )
    return route_table, attachment


def _member(route_table, attachment, state):
    return {**tgw.named(attachment), "TransitGatewayRouteTableId": route_table["_id"], "State": state}


@patch("ec2", "AssociateTransitGatewayRouteTable")
def associate(call):
    """AWS: attachment and table must be available; one association per attachment; answers `associating`."""
    route_table, attachment = _both(call)
    tgw.usable(call, "attachments", attachment["_id"])
    tgw.associate(call, attachment, route_table)
    return {"Association": _member(route_table, attachment, "associating")}


@patch("ec2", "DisassociateTransitGatewayRouteTable")
def disassociate(call):
    """AWS: answers `disassociating`; InvalidAssociation.NotFound where there is none."""
    route_table, attachment = _both(call)
    association = route_table["_associations"].get(attachment["_id"])
    if association is None:
        refuse(
            "InvalidAssociation.NotFound",
            f"The association of {attachment['_id']} with {route_table['_id']} does not exist",
        )
    if association["State"] != "associated":
        refuse(
            "IncorrectState", f"The association of {attachment['_id']} with {route_table['_id']} is in invalid state"
        )
    association["State"] = "disassociating"
    call.clock.later(
        "ec2/transit_gateway_association deletion", lambda: route_table["_associations"].pop(attachment["_id"], None)
    )
    return {"Association": _member(route_table, attachment, "disassociating")}


@patch("ec2", "EnableTransitGatewayRouteTablePropagation")
def enable_propagation(call):
    """AWS: needs an available attachment; the VPC's CIDR blocks become routes."""
    route_table, attachment = _both(call)
    tgw.usable(call, "attachments", attachment["_id"])
    if attachment["_id"] in route_table["_propagations"]:
        refuse(
            "TransitGatewayRouteTablePropagation.Duplicate",
            f"Propagation {attachment['_id']} to {route_table['_id']} already exists",
        )
    tgw.propagate(attachment, route_table)
    return {"Propagation": _member(route_table, attachment, "enabled")}


@patch("ec2", "DisableTransitGatewayRouteTablePropagation")
def disable_propagation(call):
    """AWS: TransitGatewayRouteTablePropagation.NotFound where there is none."""
    route_table, attachment = _both(call)
    if route_table["_propagations"].pop(attachment["_id"], None) is None:
        refuse(
            "TransitGatewayRouteTablePropagation.NotFound",
            f"Propagation {attachment['_id']} to {route_table['_id']} does not exist",
        )
    return {"Propagation": _member(route_table, attachment, "disabled")}


def _members(call, key):
    route_table = tgw.get(call, "tables", call.params["TransitGatewayRouteTableId"])
    members = []
    for name, entry in route_table[key].items():
        attachment = tgw.table(call, "attachments").get(name)
        if attachment:
            members.append({**tgw.named(attachment), "State": entry["State"]})
    return matching(members, call.params.get("Filters"), MEMBER_FILTERS)


@patch("ec2", "GetTransitGatewayRouteTableAssociations")
def list_associations(call):
    """The associations of one table."""
    return {"Associations": _members(call, "_associations")}


@patch("ec2", "GetTransitGatewayRouteTablePropagations")
def list_propagations(call):
    """The propagations into one table."""
    return {"TransitGatewayRouteTablePropagations": _members(call, "_propagations")}


@patch("ec2", "GetTransitGatewayAttachmentPropagations")
def list_attachment_propagations(call):
    """The tables that one attachment propagates into."""
    attachment = tgw.get(call, "attachments", call.params["TransitGatewayAttachmentId"])
    tables = [t for t in tgw.live(call, "tables") if attachment["_id"] in t["_propagations"]]
    items = [
        {"TransitGatewayRouteTableId": t["_id"], "State": t["_propagations"][attachment["_id"]]["State"]}
        for t in tables
    ]
    return {
        "TransitGatewayAttachmentPropagations": matching(
            items, call.params.get("Filters"), ["transit-gateway-route-table-id"]
        )
    }


def _target(call):
    """The attachment a static route names, or None for a black hole."""
    if call.params.get("Blackhole"):
        return None
    name = call.params.get("TransitGatewayAttachmentId")
    if not name:
        refuse("MissingParameter", "The request must contain the parameter transitGatewayAttachmentId or Blackhole")
    return tgw.usable(call, "attachments", name)["_id"]


@patch("ec2", "CreateTransitGatewayRoute")
def create_route(call):
    """AWS: RouteAlreadyExists for a second static route with the same destination."""
    route_table = tgw.usable(call, "tables", call.params["TransitGatewayRouteTableId"])
    destination = str(tgw.cidr(call.params["DestinationCidrBlock"]))
    target = _target(call)
    if destination in route_table["_routes"]:
        refuse(
            "RouteAlreadyExists",
            f"Route {destination} already exists in Transit Gateway Route Table {route_table['_id']}",
        )
    route_table["_routes"][destination] = {"DestinationCidrBlock": destination, "_attachment": target}
    return {"Route": tgw.route_shown(call, route_table["_routes"][destination])}


@patch("ec2", "ReplaceTransitGatewayRoute")
def replace_route(call):
    """AWS: the static route must exist."""
    route_table = tgw.usable(call, "tables", call.params["TransitGatewayRouteTableId"])
    route = _existing(route_table, call.params["DestinationCidrBlock"])
    route["_attachment"] = _target(call)
    return {"Route": tgw.route_shown(call, route)}


@patch("ec2", "DeleteTransitGatewayRoute")
def delete_route(call):
    """AWS: answers the route with the state `deleted`."""
    route_table = tgw.usable(call, "tables", call.params["TransitGatewayRouteTableId"])
    route = _existing(route_table, call.params["DestinationCidrBlock"])
    del route_table["_routes"][route["DestinationCidrBlock"]]
    return {"Route": {**tgw.route_shown(call, route), "State": "deleted"}}


def _existing(route_table, destination):
    route = route_table["_routes"].get(str(tgw.cidr(destination)))
    if route is None:
        refuse(
            "InvalidRoute.NotFound",
            f"Route {destination} was not found in Transit Gateway Route Table {route_table['_id']}.",
        )
    return route


@patch("ec2", "SearchTransitGatewayRoutes")
def search_routes(call):
    """AWS: static and propagated routes; a static route hides a propagated one with the same destination."""
    route_table = tgw.get(call, "tables", call.params["TransitGatewayRouteTableId"])
    routes = [tgw.route_shown(call, route) for route in route_table["_routes"].values()]
    taken = {route["DestinationCidrBlock"] for route in routes}
    routes += [
        route for route in tgw.propagated_routes(call, route_table) if route["DestinationCidrBlock"] not in taken
    ]
    plain, searches = [], []
    for wanted in call.params.get("Filters", []):
        (searches if wanted["Name"].startswith("route-search.") else plain).append(wanted)
    plain = [
        {**wanted, "Name": wanted["Name"].replace("attachment.", "transit-gateway-attachments.", 1)} for wanted in plain
    ]
    known = ["type", "state", "prefix-list-id"] + [f"transit-gateway-attachments.{name}" for name in MEMBER_FILTERS[:3]]
    routes = matching(routes, plain, known)
    for search in searches:
        routes = [route for route in routes if any(_found(route, search["Name"], value) for value in search["Values"])]
        if search["Name"].endswith("longest-prefix-match"):
            routes = sorted(routes, key=lambda route: tgw.cidr(route["DestinationCidrBlock"]).prefixlen)[-1:]
    limit = int(call.params.get("MaxResults") or 1000)
    return {"Routes": routes[:limit], "AdditionalRoutesAvailable": len(routes) > limit}


def _found(route, search, value):
    have, asked = tgw.cidr(route["DestinationCidrBlock"]), tgw.cidr(value)
    if search.endswith("subnet-of-match"):
        return have.subnet_of(asked)
    if search.endswith(("supernet-of-match", "longest-prefix-match")):
        return have.supernet_of(asked)
    if search.endswith("exact-match"):
        return have == asked
    return refuse("InvalidParameterValue", f"The filter '{search}' is invalid")
