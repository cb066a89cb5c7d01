"""Endpoint services: what lets endpoints of other VPCs call a Network Load Balancer."""

import secrets

from .. import tags
from ..call import patch, refuse
from ..filters import matching

PREFIX = "com.amazonaws.vpce."


def of_name(call, name):
    """The service of a name that the caller may make endpoints of."""
    for service in call.backend.configurations.values():
        allowed = {f"arn:aws:iam::{call.account}:root", "*"} & set(service.principals)
        if service.service_name == name and allowed:
            return service
    return refuse("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")


def _balancers(call, arns):
    known = call.backend_of("elbv2").load_balancers
    for arn in arns:
        balancer = known.get(arn)
        if balancer is None or balancer.type != "network":
            refuse("InvalidLoadBalancer", f"The load balancer '{arn}' is not a Network Load Balancer")
        if balancer.state != "active":
            refuse("InvalidParameter", f"The load balancer '{arn}' is not active")


@patch("ec2", "CreateVpcEndpointServiceConfiguration")
def create(call):
    """AWS: ids as long as all, balancers that are there, tags. moto: short ids, any balancer."""
    _balancers(call, call.params.get("NetworkLoadBalancerArns", []))
    answer = call.forward()
    shown = answer.data["ServiceConfiguration"]
    known = call.backend.configurations
    service = known.pop(shown["ServiceId"])
    tags.drop(call, service.id)
    service.id = f"vpce-svc-{secrets.token_hex(9)[:17]}"
    service.service_name = f"{PREFIX}{call.region}.{service.id}"
    known[service.id] = service
    tags.put(call, service.id, tags.from_specifications(call.params, "vpc-endpoint-service"))
    shown.update(ServiceId=service.id, ServiceName=service.service_name)
    return _complete(call, answer, shown)


def _complete(call, answer, *services):
    for shown in services:
        service = call.backend.configurations[shown["ServiceId"]]
        shown["ServiceState"] = "Available"
        shown["Tags"] = tags.shown(call, service.id)
        shown["NetworkLoadBalancerArns"] = list(service.network_load_balancer_arns)
        shown["AcceptanceRequired"] = bool(service.acceptance_required)
    return answer


@patch("ec2", "DescribeVpcEndpointServiceConfigurations")
def describe(call):
    """AWS: filters, tags, states. moto: none of it."""
    answer = call.forward({key: value for key, value in call.params.items() if key != "Filters"})
    shown = answer.data.get("ServiceConfigurations", [])
    _complete(call, answer, *shown)
    known = ["service-name", "service-id", "service-state", "supported-ip-address-types"]
    answer.data["ServiceConfigurations"] = matching(shown, call.params.get("Filters"), known)
    return answer


@patch("ec2", "ModifyVpcEndpointServiceConfiguration")
def modify(call):
    """AWS: adds balancers that are there, once. moto: any, and again."""
    params = dict(call.params)
    service = call.backend.configurations.get(params["ServiceId"])
    if service is not None:
        there = service.network_load_balancer_arns
        _balancers(call, params.get("AddNetworkLoadBalancerArns", []))
        for key, wanted in (("AddNetworkLoadBalancerArns", False), ("RemoveNetworkLoadBalancerArns", True)):
            if key in params:
                params[key] = [arn for arn in params[key] if (arn in there) == wanted]
    return call.forward(params)


@patch("ec2", "DeleteVpcEndpointServiceConfigurations")
def delete(call):
    """AWS: one with endpoints is listed as not deleted; its tags go with it. moto: takes it, and keeps the tags."""
    failed, free = [], []
    endpoints = [one for one in call.backend.vpc_end_points.values() if one.state != "deleted"]
    for name in call.params["ServiceIds"]:
        service = call.backend.configurations.get(name)
        if service is not None and any(one.service_name == service.service_name for one in endpoints):
            message = f"Service {name} has existing active VPC Endpoint connections!"
            error = {"Code": "ExistingVpcEndpointConnections", "Message": message}
            failed.append({"ResourceId": name, "Error": error})
        else:
            free.append(name)
    data = {"Unsuccessful": failed}
    if free:
        answer = call.forward(call.params | {"ServiceIds": free})
        for name in free:
            tags.drop(call, name)
        data["Unsuccessful"] = failed + [
            item | {"Error": item["Error"] | {"Code": "InvalidVpcEndpointServiceId.NotFound"}}
            for item in answer.data.get("Unsuccessful", [])
        ]
    return data
