"""Network Load Balancers, and targets that are registered by hand: addresses, and Application Load Balancers."""

import ipaddress

from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

from ..call import patch, refuse
from ..moto_parts import replaces

NETWORK = "network"
PRIVATE_LINK = "elbv2-private-link"  # whether inbound rules judge what comes by PrivateLink, by ARN
# "LoadBalancerAttribute": what a Network Load Balancer has before anybody sets something.
DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "zonal_shift.config.enabled": "false",
}


def rename(call, balancer):
    """AWS: `loadbalancer/net/NAME/ID`. moto: `app` for every type."""
    old = balancer.arn
    balancer.arn = old.replace(":loadbalancer/app/", ":loadbalancer/net/")
    balancers, tagging = call.backend.load_balancers, call.backend.tagging_service
    balancers[balancer.arn] = balancers.pop(old)
    tags = tagging.list_tags_for_resource(old)["Tags"]
    tagging.delete_all_tags_for_resource(old)
    tagging.tag_resource(balancer.arn, tags)
    return balancer.arn


def settings(call, balancer):
    """What AWS shows beside what moto does."""
    if balancer.type != NETWORK or not balancer.security_groups:
        return {}
    chosen = call.store.table(PRIVATE_LINK).get(balancer.arn, "on")
    return {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": chosen}


@patch("elbv2", "DescribeLoadBalancers")
def describe(call):
    """AWS: whether inbound rules judge what comes by PrivateLink. moto: does not know it."""
    answer = call.forward()
    for shown in answer.data.get("LoadBalancers", []):
        shown.update(settings(call, call.backend.load_balancers[shown["LoadBalancerArn"]]))
    return answer


@patch("elbv2", "SetSecurityGroups")
def groups(call):
    """AWS: a Network Load Balancer that was made without a group never gets one; PrivateLink is its matter alone. moto:
    neither."""
    balancer = call.backend.load_balancers.get(call.params["LoadBalancerArn"])
    chosen = call.params.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    if balancer is not None and balancer.type == NETWORK:
        if not balancer.security_groups:
            refuse(
                "InvalidConfigurationRequest",
                "You cannot set security groups on a Network Load Balancer that was created without security groups",
            )
        if chosen:
            call.store.table(PRIVATE_LINK)[balancer.arn] = chosen
    elif chosen:
        refuse("ValidationError", "PrivateLink settings are supported on Network Load Balancers only")
    answer = call.forward()
    if balancer is not None:
        answer.data.update(settings(call, balancer))
    return answer


@patch("elbv2", "ModifyLoadBalancerAttributes")
def attributes(call):
    """AWS: each type has its own. moto: any."""
    balancer = call.backend.load_balancers.get(call.params["LoadBalancerArn"])
    if balancer is not None and balancer.type == NETWORK:
        for item in call.params.get("Attributes", []):
            if item["Key"] not in DEFAULTS:
                refuse(
                    "ValidationError",
                    f"Load balancer attribute key '{item['Key']}' is not supported on load balancers with type 'network'",
                )
    return call.forward()


@patch("elbv2", "DeleteLoadBalancer")
def delete(call):
    """AWS: a target of a group and one that an endpoint service has are held. moto: takes both."""
    arn = call.params["LoadBalancerArn"]
    groups = call.backend.target_groups.values()
    if any(arn == target["Id"] for group in groups for target in group.targets.values()):
        refuse("ResourceInUse", f"Load balancer '{arn}' cannot be deleted because it is registered as a target")
    services = call.backend_of("ec2").configurations.values()
    if any(arn in service.network_load_balancer_arns for service in services):
        refuse(
            "ResourceInUse", f"Load balancer '{arn}' cannot be deleted because it is currently associated with another service"
        )
    answer = call.forward()
    call.store.table(PRIVATE_LINK).pop(arn, None)
    return answer


def _group(call):
    arn = call.params["TargetGroupArn"]
    found = call.backend.target_groups.get(arn)
    return found if found is not None else refuse("TargetGroupNotFound", f"Target groups '{arn}' not found")


@patch("elbv2", "ModifyTargetGroupAttributes")
def group_attributes(call):
    """AWS: a group of a load balancer has none that can be changed. moto: takes them."""
    if _group(call).target_type == "alb":
        refuse("InvalidConfigurationRequest", "You cannot modify the attributes of a target group with target type alb")
    return call.forward()


def _key(group, target):
    """AWS: a target is registered once for each port. moto: once; instances stay under their ids, by which it looks for them."""
    name = target["Id"]
    return name if name.startswith("i-") else f"{name}:{int(target.get('Port') or group.port)}"


@replaces(FakeTargetGroup, "register")
def _once_for_each_port(original):
    """See above."""

    def register(self, targets):
        for target in targets:
            original(self, [target])
            self.targets[_key(self, target)] = self.targets.pop(target["Id"])

    return register


@replaces(FakeTargetGroup, "deregister")
def _of_a_port(original):
    """See above."""

    def deregister(self, targets):
        for target in targets:
            self.targets[target["Id"]] = self.targets.pop(_key(self, target))
            original(self, [target])

    return deregister


@replaces(FakeTargetGroup, "health_for")
def _health_of_a_port(original):
    """See above."""

    def health_for(self, target, ec2_backend):
        found = self.targets.get(_key(self, target))
        if found is None or found["Id"].startswith("i-"):
            return original(self, target, ec2_backend)
        return FakeHealthStatus(found["Id"], found["Port"], self.health_check_port, "healthy")

    return health_for


@patch("elbv2", "RegisterTargets")
def register(call):
    """AWS: one Application Load Balancer in a group of that type, active and listening on the group's port; an address of
    the VPC has no zone `all`, one outside must have it. moto: takes anything."""
    group = _group(call)
    for target in call.params["Targets"]:
        if group.target_type == "alb":
            _check_balancer(call, group, target)
        elif group.target_type == "ip":
            _check_address(call, group, target)
    return call.forward()


def _check_balancer(call, group, target):
    arn = target["Id"]
    balancer = call.backend.load_balancers.get(arn)
    if balancer is None or balancer.type != "application" or balancer.vpc_id != group.vpc_id:
        refuse("InvalidTarget", f"The following targets are not valid Application Load Balancers of the VPC: '{arn}'")
    if balancer.state != "active":
        refuse("InvalidTarget", f"The load balancer '{arn}' is not active")
    if not any(int(listener.port) == int(group.port) for listener in balancer.listeners.values()):
        refuse("InvalidTarget", f"The load balancer '{arn}' must have a listener on port {group.port}")
    if any(other["Id"] != arn for other in group.targets.values()):
        refuse("TooManyTargets", "A target group of this type takes one target")


def _check_address(call, group, target):
    vpc = call.backend_of("ec2").get_vpc(group.vpc_id)
    try:
        address = ipaddress.ip_address(target["Id"])
    except ValueError:
        refuse("ValidationError", f"The IP address '{target['Id']}' is not a valid IPv4 address")
    blocks = [ipaddress.ip_network(one["cidr_block"]) for one in vpc.get_cidr_block_association_set()]
    within, every = any(address in block for block in blocks), target.get("AvailabilityZone") == "all"
    if within == every:
        where = "within the VPC cannot" if within else "outside the VPC must"
        refuse("ValidationError", f"The IP address '{address}' is {where} have the Availability Zone 'all'")


@patch("elbv2", "DeregisterTargets")
def deregister(call):
    """AWS: one that is not registered is no error. moto: it is."""
    group = _group(call)
    there = [target for target in call.params["Targets"] if _key(group, target) in group.targets]
    return call.forward(call.params | {"Targets": there}) if there else {}
