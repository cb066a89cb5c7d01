"""The sandbox's own Transit Gateways (moto's lose tags, know no propagated routes and refuse nothing).

Plain dicts in AWS's shapes; keys that start with `_` are ours and never leave. Four tables per account and region:
gateways, attachments, route tables (with associations, propagations and static routes inside).
"""

import ipaddress

from moto.ec2.utils import random_id

from . import tags
from .call import refuse
from .errors import AwsError

# AWS keeps showing deleted gateways, attachments and route tables for about an hour.
SHOWN_AFTER_DELETION = 3600.0

UNKNOWN = {
    "gateways": ("InvalidTransitGatewayID.NotFound", "Transit Gateway {} was deleted or does not exist."),
    "attachments": (
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment {} was deleted or does not exist.",
    ),
    "tables": ("InvalidRouteTableID.NotFound", "Transit Gateway Route Table {} was deleted or does not exist."),
}


def table(call, kind):
    """All items of a kind, deleted ones included while AWS would still show them."""
    items = call.store.table(f"tgw-{kind}")
    for name in [
        name
        for name, item in items.items()
        if item.get("_gone", float("inf")) < call.clock.now() - SHOWN_AFTER_DELETION
    ]:
        del items[name]
    return items


def live(call, kind):
    """Items that are not deleted."""
    return [item for item in table(call, kind).values() if item["State"] != "deleted"]


def get(call, kind, name):
    """An item that is not deleted; refuses as AWS does."""
    item = table(call, kind).get(name)
    if item is None or item["State"] == "deleted":
        code, wording = UNKNOWN[kind]
        refuse(code, wording.format(name))
    return item


def usable(call, kind, name):
    """An item in state `available`; AWS refuses most work on one that is settling with IncorrectState."""
    item = get(call, kind, name)
    if item["State"] != "available":
        refuse("IncorrectState", f"{name} is in invalid state")
    return item


def new_id(prefix):
    """A fresh id."""
    return random_id(prefix=prefix)


def shown(call, item):
    """An item as it leaves: without our keys, with its present tags."""
    name = item["_id"]
    visible = {key: value for key, value in item.items() if not key.startswith("_")}
    return {**visible, "Tags": item["_last_tags"] if "_last_tags" in item else tags.shown(call, name)}


def settle(call, item, kind, state="available"):
    """Takes an item from its present state to `state` after the kind's time."""

    def done():
        if item["State"] in ("pending", "modifying"):
            item["State"] = state

    call.clock.later(kind, done)


def remove(call, item, kind, then=None):
    """Takes an item through `deleting` to `deleted`, with which its tags go."""
    item["State"] = "deleting"

    def done():
        item["State"] = "deleted"
        item["_gone"] = call.clock.now()
        item["_last_tags"] = tags.shown(call, item["_id"])
        tags.outlast(call, item["_id"])
        if then:
            then()

    call.clock.later(kind, done)


def attachment_of_vpc(call, gateway, vpc):
    """The VPC's attachment to the gateway that is not deleted, or None."""
    found = [a for a in live(call, "attachments") if a["TransitGatewayId"] == gateway and a["VpcId"] == vpc]
    return found[0] if found else None


def associate(call, attachment, route_table):
    """Adds an association; AWS allows one per attachment."""
    name = attachment["_id"]
    for other in live(call, "tables"):
        if name in other["_associations"]:
            refuse(
                "Resource.AlreadyAssociated",
                f"Transit Gateway Attachment {name} is already associated to a route table.",
            )
    association = {"State": "associating", "_id": name}
    route_table["_associations"][name] = association

    def done():
        if association["State"] == "associating":
            association["State"] = "associated"

    call.clock.later("ec2/transit_gateway_association", done)
    return association


def propagate(attachment, route_table):
    """Adds a propagation (AWS answers `enabled` within a second)."""
    route_table["_propagations"][attachment["_id"]] = {"State": "enabled", "_id": attachment["_id"]}


def detach(call, attachment):
    """Takes an attachment out of every route table; static routes to it stay and lead nowhere, as on AWS."""
    for route_table in live(call, "tables"):
        route_table["_associations"].pop(attachment["_id"], None)
        route_table["_propagations"].pop(attachment["_id"], None)


def route_shown(call, route):
    """A static route as it leaves."""
    attachment = table(call, "attachments").get(route["_attachment"]) if route["_attachment"] else None
    there = attachment is not None and attachment["State"] in ("available", "modifying")
    answer = {
        "DestinationCidrBlock": route["DestinationCidrBlock"],
        "Type": "static",
        "State": "active" if there else "blackhole",
    }
    if attachment is not None and attachment["State"] not in ("deleted",):
        answer["TransitGatewayAttachments"] = [named(attachment)]
    return answer


def propagated_routes(call, route_table):
    """The routes that propagation yields: each attached VPC's CIDR blocks."""
    routes = []
    for name in route_table["_propagations"]:
        attachment = table(call, "attachments").get(name)
        vpc = call.backend_of("ec2").vpcs.get(attachment["VpcId"]) if attachment else None
        if vpc is None or attachment["State"] not in ("available", "modifying"):
            continue
        for association in vpc.cidr_block_association_set:
            routes.append(
                {
                    "DestinationCidrBlock": association["cidr_block"],
                    "Type": "propagated",
                    "State": "active",
                    "TransitGatewayAttachments": [named(attachment)],
                }
            )
    return routes


def named(attachment):
    """An attachment as other answers mention it."""
    return {"TransitGatewayAttachmentId": attachment["_id"], "ResourceId": attachment["VpcId"], "ResourceType": "vpc"}


def cidr(text):
    """A CIDR block, canonical; refuses as EC2 does."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as problem:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.",
        ) from problem
