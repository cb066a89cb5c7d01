"""VPC endpoints: life, interfaces, routes, private DNS."""

import functools

from moto.core.base_backend import BaseBackend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES, VPCBackend

from .. import interfaces, tags
from ..call import patch, refuse
from ..filters import matching
from ..moto_parts import replaces
from . import ec2_endpoint_services as services


@functools.cache
def _offered(account_id, region):  # noqa: ARG001 - moto's signature
    """AWS: S3 and DynamoDB are offered in both types. moto: imports all its services at the first use, which takes
    seconds, to ask them what they offer."""
    zones = [
        zone.name for found in RegionsAndZonesBackend.zones.values() for zone in found if zone.name.startswith(region)
    ]
    make = BaseBackend.default_vpc_endpoint_service_factory
    offered = [entry for name in sorted(set(AWS_ENDPOINT_SERVICES)) for entry in make(region, zones, name)]
    return offered + [
        entry for name in ("s3", "dynamodb") for entry in make(region, zones, name, "Gateway", private_dns_names=False)
    ]


replaces(VPCBackend, "_collect_default_endpoint_services")(lambda _original: staticmethod(_offered))
# What only one type of endpoint has ("CreateVpcEndpoint": "(Gateway endpoint)", "(Interface endpoint)").
ONLY = {
    "Gateway": ("RouteTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
    "Interface": (
        "SubnetIds",
        "SecurityGroupIds",
        "AddSubnetIds",
        "RemoveSubnetIds",
        "AddSecurityGroupIds",
        "RemoveSecurityGroupIds",
        "PrivateDnsEnabled",
    ),
}
SETTINGS = "endpoint-settings"  # what moto's endpoints have no place for
PENDING, DELETING = "pending", "deleting"


def _endpoint(call, name):
    endpoint = call.backend.vpc_end_points.get(name)
    if endpoint is None or endpoint.state == "deleted":
        refuse("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{name}' does not exist")
    return endpoint


def _check_type(params, kind):
    for other, members in ONLY.items():
        found = [name for name in members if params.get(name)]
        if other != kind and kind in ONLY and found:
            refuse("InvalidParameter", f"Endpoint type ({kind}) does not take {', '.join(found)}")


def _living(call):
    return [
        endpoint for endpoint in call.backend.vpc_end_points.values() if endpoint.state not in ("deleted", DELETING)
    ]


def _service_kind(call, service):
    """Gateway for S3 and DynamoDB (which exist as Interface too), Interface for the rest; refuses unknown services."""
    if service.startswith(services.PREFIX):
        services.of_name(call, service)
        return False
    prefix = f"com.amazonaws.{call.region}."
    if not service.startswith(prefix) or service.removeprefix(prefix) not in AWS_ENDPOINT_SERVICES:
        refuse("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    return service.rsplit(".", 1)[-1] in ("s3", "dynamodb")


@patch("ec2", "CreateVpcEndpoint")
def create_endpoint(call):
    """AWS: VpcEndpointType defaults to Gateway, PrivateDnsEnabled to true; refuses what does not exist, a second gateway
    endpoint of a service on a route table, a second private name in a VPC, private names without DNS support and
    hostnames. moto: refuses none of it, crashes later without a type, loses IpAddressType and DnsOptions."""
    params = dict(call.params)
    vpc = call.backend.get_vpc(params["VpcId"])
    service = params["ServiceName"]
    both = _service_kind(call, service)
    kind = params.setdefault("VpcEndpointType", "Gateway")
    _check_type(params, kind)
    if kind == "Gateway":
        if not both:
            refuse("InvalidParameter", f"The service {service} does not support the endpoint type Gateway")
        _check_tables(call, vpc, service, params.get("RouteTableIds", []))
        params["PrivateDnsEnabled"] = False
    elif kind == "Interface":
        own = service == f"com.amazonaws.{call.region}.s3" or service.startswith(services.PREFIX)
        private = params.setdefault("PrivateDnsEnabled", not own)
        _check_interface(call, vpc, service, params, private)
        if not params.get("SecurityGroupIds"):
            params["SecurityGroupIds"] = [call.backend.get_default_security_group(vpc.id).id]
    answer = call.forward(params)
    endpoint = call.backend.vpc_end_points[answer.data["VpcEndpoint"]["VpcEndpointId"]]
    # moto's interfaces have no description and no group, and addresses of no subnet.
    interfaces.drop(call, endpoint.network_interface_ids)
    endpoint.network_interface_ids = []
    if kind == "Interface":
        _fit_interfaces(call, endpoint)
        answer.data["VpcEndpoint"]["NetworkInterfaceIds"] = endpoint.network_interface_ids
    call.store.table(SETTINGS)[endpoint.id] = {
        "IpAddressType": params.get("IpAddressType", "ipv4"),
        "DnsOptions": params.get("DnsOptions", {}),
    }
    if kind == "Interface":
        endpoint.state = PENDING
        _complete(call, answer.data["VpcEndpoint"])

        def available():
            if endpoint.state == PENDING:
                endpoint.state = "available"

        call.clock.later("ec2/interface_endpoint", available)
    else:
        _complete(call, answer.data["VpcEndpoint"])
    return answer


def _check_tables(call, vpc, service, names):
    taken = {
        name
        for endpoint in _living(call)
        if endpoint.vpc_endpoint_type == "Gateway" and endpoint.service_name == service
        for name in endpoint.route_table_ids
    }
    for name in names:
        if call.backend.get_route_table(name).vpc_id != vpc.id:
            refuse("InvalidParameter", f"Route table {name} belongs to another network")
        if name in taken:
            refuse(
                "RouteAlreadyExists",
                f"route table {name} already has a route with destination-prefix-list-id for {service}",
            )


def _check_interface(call, vpc, service, params, private):
    for name in params.get("SecurityGroupIds", []):
        group = call.backend.get_security_group_from_id(name)
        if group is None or group.vpc_id != vpc.id:
            refuse("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    subnets = [call.backend.get_subnet(name) for name in params.get("SubnetIds", [])]
    for subnet in subnets:
        if subnet.vpc_id != vpc.id:
            refuse("InvalidParameter", f"Subnet {subnet.id} is not in VPC {vpc.id}")
    if len({subnet.availability_zone for subnet in subnets}) < len(subnets):
        refuse(
            "DuplicateSubnetsInSameZone",
            "Found another VPC endpoint subnet in the availability zone of the given subnet",
        )
    if private:
        _check_private_names(call, vpc, service)


def _check_private_names(call, vpc, service, but=None):
    if str(vpc.enable_dns_support).lower() != "true" or str(vpc.enable_dns_hostnames).lower() != "true":
        refuse(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true",
        )
    for other in call.backend.vpc_end_points.values():
        if (
            other.id != but
            and other.vpc_id == vpc.id
            and other.service_name == service
            and other.state != "deleted"
            and other.private_dns_enabled
            and other.vpc_endpoint_type == "Interface"
        ):
            refuse(
                "InvalidParameter",
                f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {service} in the VPC {vpc.id}",
            )


@patch("ec2", "ModifyVpcEndpoint")
def modify_endpoint(call):
    """AWS: route tables gain and lose the prefix-list route, subnets their interface, PrivateDnsEnabled reads back.
    moto: changes its lists only, so that the endpoint can't be deleted afterwards."""
    params = call.params
    endpoint = _endpoint(call, params["VpcEndpointId"])
    if endpoint.state != "available":
        refuse("IncorrectState", f"The Vpc Endpoint {endpoint.id} is in the state {endpoint.state}")
    _check_type(params, endpoint.vpc_endpoint_type)
    vpc, ec2 = call.backend.get_vpc(endpoint.vpc_id), call.backend
    added = [name for name in params.get("AddRouteTableIds", []) if name not in endpoint.route_table_ids]
    _check_tables(call, vpc, endpoint.service_name, added)
    if params.get("PrivateDnsEnabled") and not endpoint.private_dns_enabled:
        _check_private_names(call, vpc, endpoint.service_name, endpoint.id)
    for name in params.get("AddSecurityGroupIds", []):
        if ec2.get_security_group_from_id(name) is None:
            refuse("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    for name in params.get("AddSubnetIds", []):
        ec2.get_subnet(name)
    removed = [name for name in params.get("RemoveRouteTableIds", []) if name in endpoint.route_table_ids]
    answer = call.forward({key: value for key, value in params.items() if key != "ResetPolicy"})
    for name in added:
        ec2.create_route(
            name, None, gateway_id=endpoint.id, destination_prefix_list_id=endpoint.destination_prefix_list_id
        )
    for name in removed:
        ec2.delete_route(name, endpoint.destination_prefix_list_id)
    if params.get("ResetPolicy"):
        endpoint.policy_document = (
            '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
        )
    if "PrivateDnsEnabled" in params:
        endpoint.private_dns_enabled = params["PrivateDnsEnabled"]
    settings = call.store.table(SETTINGS).setdefault(endpoint.id, {"IpAddressType": "ipv4", "DnsOptions": {}})
    settings.update({key: params[key] for key in ("IpAddressType", "DnsOptions") if key in params})
    if endpoint.vpc_endpoint_type == "Interface":
        _fit_interfaces(call, endpoint)
    return answer


def _fit_interfaces(call, endpoint):
    """One interface per subnet, in the endpoint's groups."""
    there = {call.backend.enis[name].subnet.id: name for name in endpoint.network_interface_ids}
    interfaces.drop(call, [name for subnet, name in there.items() if subnet not in endpoint.subnet_ids])
    note = f"VPC Endpoint Interface {endpoint.id}"
    endpoint.network_interface_ids = [
        there.get(subnet) or interfaces.make(call, subnet, endpoint.security_group_ids, note, "vpc_endpoint")
        for subnet in endpoint.subnet_ids
    ]
    for name in endpoint.network_interface_ids:
        interfaces.adopt(call.backend.enis[name], endpoint.security_group_ids, note, "vpc_endpoint")


@patch("ec2", "DeleteVpcEndpoints")
def delete_endpoints(call):
    """AWS: unknown ids are listed in Unsuccessful; interface endpoints are `deleting` for a while, and their interfaces
    hold subnets and groups until they are gone. moto: knows none of it and keeps deleted endpoints visible."""
    failed = []
    for name in call.params["VpcEndpointIds"]:
        endpoint = call.backend.vpc_end_points.get(name)
        if endpoint is None or endpoint.state == "deleted":
            message = f"The Vpc Endpoint Id '{name}' does not exist"
            failed.append({"ResourceId": name, "Error": {"Code": "InvalidVpcEndpointId.NotFound", "Message": message}})
        elif endpoint.state != DELETING:
            _delete(call, endpoint)
    return {"Unsuccessful": failed}


def _delete(call, endpoint):
    ec2 = call.backend

    def gone():
        interfaces.drop(call, endpoint.network_interface_ids)
        endpoint.state = "deleted"
        ec2.vpc_end_points.pop(endpoint.id, None)
        call.store.table(SETTINGS).pop(endpoint.id, None)
        tags.outlast(call, endpoint.id)

    if endpoint.vpc_endpoint_type == "Interface":
        endpoint.state = DELETING
        call.clock.later("ec2/interface_endpoint deletion", gone)
        return
    for name in endpoint.route_table_ids:
        if name in ec2.route_tables:
            ec2.delete_route(name, endpoint.destination_prefix_list_id)
    gone()


@patch("ec2", "DescribeVpcEndpoints")
def describe_endpoints(call):
    """AWS: IpAddressType, DnsOptions and the true type and state are shown; all filters work. moto: not all of them."""
    answer = call.forward({key: value for key, value in call.params.items() if key != "Filters"})
    for shown in answer.data.get("VpcEndpoints", []):
        _complete(call, shown)
    known = ["vpc-endpoint-id", "vpc-id", "service-name", "vpc-endpoint-type", "state", "ip-address-type"]
    answer.data["VpcEndpoints"] = matching(
        answer.data.get("VpcEndpoints", []), call.params.get("Filters"), known, {"vpc-endpoint-state": "state"}
    )
    return answer


def _complete(call, shown):
    endpoint = call.backend.vpc_end_points[shown["VpcEndpointId"]]
    shown["State"] = endpoint.state
    shown["VpcEndpointType"] = endpoint.vpc_endpoint_type
    shown["PrivateDnsEnabled"] = bool(endpoint.private_dns_enabled)
    shown["RequesterManaged"] = False
    settings = call.store.table(SETTINGS).get(endpoint.id, {})
    if endpoint.vpc_endpoint_type == "Interface":
        shown["IpAddressType"] = settings.get("IpAddressType", "ipv4")
        shown["DnsOptions"] = {"DnsRecordIpType": "ipv4", **settings.get("DnsOptions", {})}
