"""Transit Gateways and their VPC attachments. moto: no states, attachment tags lost, `tag:` filters ignored, deletion
with attachments allowed, unknown ids accepted."""

from types import SimpleNamespace

from moto.core.utils import utcnow

from .. import interfaces, tags, tgw
from ..call import patch, refuse
from ..filters import matching

GATEWAY_DEFAULTS = {
    "AmazonSideAsn": 64512,
    "AutoAcceptSharedAttachments": "disable",
    "DefaultRouteTableAssociation": "enable",
    "DefaultRouteTablePropagation": "enable",
    "VpnEcmpSupport": "enable",
    "DnsSupport": "enable",
    "SecurityGroupReferencingSupport": "disable",
    "MulticastSupport": "disable",
}
ATTACHMENT_DEFAULTS = {
    "DnsSupport": "enable",
    "SecurityGroupReferencingSupport": "enable",
    "Ipv6Support": "disable",
    "ApplianceModeSupport": "disable",
}
GATEWAY_FILTERS = ["transit-gateway-id", "state", "owner-id"] + [
    f"options.{name}"
    for name in (
        "amazon-side-asn",
        "association-default-route-table-id",
        "propagation-default-route-table-id",
        "auto-accept-shared-attachments",
        "default-route-table-association",
        "default-route-table-propagation",
        "dns-support",
        "vpn-ecmp-support",
    )
]


@patch("ec2", "CreateTransitGateway")
def create_gateway(call):
    """AWS: answers `pending`; a default route table is made unless both defaults are disabled."""
    name = tgw.new_id("tgw")
    item = {
        "_id": name,
        "TransitGatewayId": name,
        "TransitGatewayArn": call.arn(f"transit-gateway/{name}"),
        "State": "pending",
        "OwnerId": call.account,
        "Description": call.params.get("Description", ""),
        "CreationTime": utcnow(),
        "Options": {**GATEWAY_DEFAULTS, **call.params.get("Options", {})},
    }
    tgw.table(call, "gateways")[name] = item
    tags.put(call, name, tags.from_specifications(call.params, "transit-gateway"))
    # moto's routes keep a reference to the gateway object and use its id only.
    call.backend.transit_gateways[name] = SimpleNamespace(id=name)
    options = item["Options"]
    if "enable" in (options["DefaultRouteTableAssociation"], options["DefaultRouteTablePropagation"]):
        default = new_table(call, name)
        default["State"] = "available"
        if options["DefaultRouteTableAssociation"] == "enable":
            default["DefaultAssociationRouteTable"] = True
            options["AssociationDefaultRouteTableId"] = default["_id"]
        if options["DefaultRouteTablePropagation"] == "enable":
            default["DefaultPropagationRouteTable"] = True
            options["PropagationDefaultRouteTableId"] = default["_id"]
    answer = {"TransitGateway": tgw.shown(call, item)}
    tgw.settle(call, item, "ec2/transit_gateway")
    return answer


def new_table(call, gateway):
    """A route table of the gateway, `pending`."""
    name = tgw.new_id("tgw-rtb")
    item = {
        "_id": name,
        "TransitGatewayRouteTableId": name,
        "TransitGatewayId": gateway,
        "State": "pending",
        "DefaultAssociationRouteTable": False,
        "DefaultPropagationRouteTable": False,
        "CreationTime": utcnow(),
        "_associations": {},
        "_propagations": {},
        "_routes": {},
    }
    tgw.table(call, "tables")[name] = item
    return item


@patch("ec2", "DescribeTransitGateways")
def describe_gateways(call):
    """AWS: filters work, deleted gateways stay visible for a while."""
    items = [tgw.shown(call, item) for item in tgw.table(call, "gateways").values()]
    wanted = call.params.get("TransitGatewayIds")
    items = [item for item in items if not wanted or item["TransitGatewayId"] in wanted]
    return {"TransitGateways": matching(items, call.params.get("Filters"), GATEWAY_FILTERS)}


@patch("ec2", "ModifyTransitGateway")
def modify_gateway(call):
    """AWS: only in state `available`; answers `modifying`."""
    item = tgw.usable(call, "gateways", call.params["TransitGatewayId"])
    item["Description"] = call.params.get("Description", item["Description"])
    item["Options"].update(call.params.get("Options", {}))
    item["State"] = "modifying"
    answer = {"TransitGateway": tgw.shown(call, item)}
    tgw.settle(call, item, "ec2/transit_gateway_association")
    return answer


@patch("ec2", "DeleteTransitGateway")
def delete_gateway(call):
    """AWS: IncorrectState while there are attachments that are not deleted; its route tables go along."""
    item = tgw.get(call, "gateways", call.params["TransitGatewayId"])
    name = item["_id"]
    held = [a["_id"] for a in tgw.live(call, "attachments") if a["TransitGatewayId"] == name]
    if held:
        refuse("IncorrectState", f"{name} has non-deleted VPC Attachments: {', '.join(held)}.")
    tgw.usable(call, "gateways", name)
    tables = [t for t in tgw.live(call, "tables") if t["TransitGatewayId"] == name]

    def gone():
        call.backend.transit_gateways.pop(name, None)

    for route_table in tables:
        tgw.remove(call, route_table, "ec2/transit_gateway deletion")
    # The answer shows `deleting` even when no time passes.
    answer = {"TransitGateway": {**tgw.shown(call, item), "State": "deleting"}}
    tgw.remove(call, item, "ec2/transit_gateway deletion", gone)
    return answer


@patch("ec2", "CreateTransitGatewayVpcAttachment")
def create_attachment(call):
    """AWS: needs an available gateway, subnets of that VPC in distinct zones, and no second attachment of the VPC."""
    gateway = tgw.usable(call, "gateways", call.params["TransitGatewayId"])
    vpc = call.backend.get_vpc(call.params["VpcId"])
    subnets = call.params["SubnetIds"]
    _check_subnets(call, vpc.id, subnets)
    other = tgw.attachment_of_vpc(call, gateway["_id"], vpc.id)
    if other:
        refuse(
            "DuplicateTransitGatewayAttachment",
            f"{gateway['_id']} has non-deleted Transit Gateway Attachments with same VPC ID.",
        )
    name = tgw.new_id("tgw-attach")
    item = {
        "_id": name,
        "TransitGatewayAttachmentId": name,
        "TransitGatewayId": gateway["_id"],
        "VpcId": vpc.id,
        "VpcOwnerId": call.account,
        "State": "pending",
        "SubnetIds": list(subnets),
        "CreationTime": utcnow(),
        "Options": {**ATTACHMENT_DEFAULTS, **call.params.get("Options", {})},
    }
    tgw.table(call, "attachments")[name] = item
    _fit_interfaces(call, item)
    tags.put(call, name, tags.from_specifications(call.params, "transit-gateway-attachment"))
    answer = {"TransitGatewayVpcAttachment": tgw.shown(call, item)}
    options = gateway["Options"]
    if options["DefaultRouteTableAssociation"] == "enable":
        tgw.associate(call, item, tgw.get(call, "tables", options["AssociationDefaultRouteTableId"]))
    if options["DefaultRouteTablePropagation"] == "enable":
        tgw.propagate(item, tgw.get(call, "tables", options["PropagationDefaultRouteTableId"]))
    tgw.settle(call, item, "ec2/transit_gateway_attachment")
    return answer


def _fit_interfaces(call, item):
    """One interface per subnet: what keeps the subnet from being deleted on AWS."""
    there = item.setdefault("_interfaces", {})
    interfaces.drop(call, [there.pop(subnet) for subnet in list(there) if subnet not in item["SubnetIds"]])
    note = f"Network Interface for Transit Gateway Attachment {item['_id']}"
    for subnet in item["SubnetIds"]:
        if subnet not in there:
            there[subnet] = interfaces.make(call, subnet, [], note, "transit_gateway")


def _check_subnets(call, vpc, names, beside=()):
    """Each subnet exists, lies in the VPC, and no zone has two."""
    subnets = [call.backend.get_subnet(name) for name in [*beside, *names]]
    for subnet in subnets:
        if subnet.vpc_id != vpc:
            refuse("InvalidParameterValue", f"Subnet {subnet.id} is not in VPC {vpc}")
    zones = [subnet.availability_zone for subnet in subnets]
    if len(set(zones)) < len(zones):
        refuse("DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ")


@patch("ec2", "ModifyTransitGatewayVpcAttachment")
def modify_attachment(call):
    """AWS: only in state `available`; answers `modifying`."""
    item = tgw.usable(call, "attachments", call.params["TransitGatewayAttachmentId"])
    kept = [name for name in item["SubnetIds"] if name not in call.params.get("RemoveSubnetIds", [])]
    added = call.params.get("AddSubnetIds", [])
    _check_subnets(call, item["VpcId"], added, kept)
    item["SubnetIds"] = kept + added
    _fit_interfaces(call, item)
    item["Options"].update(call.params.get("Options", {}))
    item["State"] = "modifying"
    answer = {"TransitGatewayVpcAttachment": tgw.shown(call, item)}
    tgw.settle(call, item, "ec2/transit_gateway_association")
    return answer


@patch("ec2", "DescribeTransitGatewayVpcAttachments")
def describe_vpc_attachments(call):
    """AWS: `tag:` filters and the tags given at creation work."""
    known = ["transit-gateway-attachment-id", "transit-gateway-id", "state", "vpc-id"]
    items = [tgw.shown(call, item) for item in tgw.table(call, "attachments").values()]
    wanted = call.params.get("TransitGatewayAttachmentIds")
    items = [item for item in items if not wanted or item["TransitGatewayAttachmentId"] in wanted]
    return {"TransitGatewayVpcAttachments": matching(items, call.params.get("Filters"), known)}


@patch("ec2", "DescribeTransitGatewayAttachments")
def describe_attachments(call):
    """AWS: the same attachments in the shape common to all kinds, with their association."""
    known = [
        "transit-gateway-attachment-id",
        "transit-gateway-id",
        "state",
        "resource-id",
        "resource-type",
        "resource-owner-id",
        "transit-gateway-owner-id",
    ]
    known += ["association.state", "association.transit-gateway-route-table-id"]
    items = [_common_shape(call, item) for item in tgw.table(call, "attachments").values()]
    wanted = call.params.get("TransitGatewayAttachmentIds")
    items = [item for item in items if not wanted or item["TransitGatewayAttachmentId"] in wanted]
    return {"TransitGatewayAttachments": matching(items, call.params.get("Filters"), known)}


def _common_shape(call, item):
    shown = tgw.shown(call, item)
    keys = ("TransitGatewayAttachmentId", "TransitGatewayId", "State", "CreationTime", "Tags")
    answer = {**{key: shown[key] for key in keys}, **tgw.named(item)}
    answer.update(TransitGatewayOwnerId=call.account, ResourceOwnerId=call.account)
    for route_table in tgw.live(call, "tables"):
        association = route_table["_associations"].get(item["_id"])
        if association:
            answer["Association"] = {"TransitGatewayRouteTableId": route_table["_id"], "State": association["State"]}
    return answer


@patch("ec2", "DeleteTransitGatewayVpcAttachment")
def delete_attachment(call):
    """AWS: its associations and propagations go along; routes to it stay as black holes."""
    item = tgw.usable(call, "attachments", call.params["TransitGatewayAttachmentId"])
    answer = {"TransitGatewayVpcAttachment": {**tgw.shown(call, item), "State": "deleting"}}

    def gone():
        interfaces.drop(call, item["_interfaces"].values())
        tgw.detach(call, item)

    tgw.remove(call, item, "ec2/transit_gateway_attachment deletion", gone)
    return answer
