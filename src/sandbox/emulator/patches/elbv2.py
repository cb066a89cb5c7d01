"""Load balancers, their listeners and rules, target groups. What Network Load Balancers have of their own: elbv2_network."""

import re

from moto.elbv2.models import FakeLoadBalancer

from .. import interfaces, policies
from ..call import patch, refuse
from ..moto_parts import replaces
from . import elbv2_network as network

LOAD_BALANCER = "elbv2/load_balancer"
INTERFACES = "elbv2-interfaces"
NAME = re.compile(r"(?!internal-)(?!-)[a-zA-Z0-9-]{1,32}(?<!-)")
# "LoadBalancerAttribute" and "ListenerAttribute": what is there before anybody sets something.
BALANCER_DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
HEADERS = """access_control_allow_credentials access_control_allow_headers access_control_allow_methods
access_control_allow_origin access_control_expose_headers access_control_max_age content_security_policy
strict_transport_security x_content_type_options x_frame_options""".split()
LISTENER_DEFAULTS = {"routing.http.response.server.enabled": "true"} | {
    f"routing.http.response.{name}.header_value": "" for name in HEADERS
}
NUMBERS = {"client_keep_alive.seconds": (60, 604800), "idle_timeout.timeout_seconds": (1, 4000)}
DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"


def _balancer(call, arn):
    found = call.backend.load_balancers.get(arn)
    return found if found is not None else refuse("LoadBalancerNotFound", f"Load balancer '{arn}' not found")


def _listener(call, arn):
    for balancer in call.backend.load_balancers.values():
        if arn in balancer.listeners:
            return balancer.listeners[arn]
    return refuse("ListenerNotFound", f"Listener '{arn}' not found")


def _forget_tags(call, *arns):
    for arn in arns:
        call.backend.tagging_service.delete_all_tags_for_resource(arn)


@replaces(FakeLoadBalancer, "activate")
def _no_clock_of_its_own(_original):
    """AWS: a load balancer is active after a time. moto: at the first look at it."""
    return lambda self: None


@patch("elbv2", "CreateLoadBalancer")
def create_balancer(call):
    """AWS: names are checked; equal name and settings answer the existing one, others are refused; two zones, an internet
    gateway, groups of the same VPC; interfaces in each subnet. moto: none of it."""
    params = dict(call.params)
    name, subnets = params["Name"], params.get("Subnets", [])
    if not NAME.fullmatch(name):
        refuse("ValidationError", f"The load balancer name '{name}' is not valid")
    kind = params.setdefault("Type", "application")
    params.setdefault("Scheme", "internet-facing")
    for other in call.backend.load_balancers.values():
        if other.name == name:
            return _same_balancer(call, other, params)
    ec2 = call.backend_of("ec2")
    found = [_subnet(ec2, subnet) for subnet in subnets]
    if kind == "application":
        if len({subnet.availability_zone for subnet in found}) < 2 or len(found) != len(set(subnets)):
            refuse(
                "InvalidConfigurationRequest",
                "At least two subnets in two different Availability Zones must be specified",
            )
        params["SecurityGroups"] = _groups(call, found[0].vpc_id, params.get("SecurityGroups"))
    elif params.get("SecurityGroups"):
        _groups(call, found[0].vpc_id, params["SecurityGroups"])
    if params["Scheme"] == "internet-facing" and not _has_gateway(ec2, found[0].vpc_id):
        refuse("InvalidSubnet", f"VPC {found[0].vpc_id} has no internet gateway")
    answer = call.forward(params)
    shown = answer.data["LoadBalancers"][0]
    balancer = call.backend.load_balancers[shown["LoadBalancerArn"]]
    balancer.attrs = dict(BALANCER_DEFAULTS if kind == "application" else network.DEFAULTS)
    if kind == network.NETWORK:
        balancer.security_groups = balancer.security_groups or []
        shown["LoadBalancerArn"] = network.rename(call, balancer)
        shown.update(network.settings(call, balancer))

    def active():
        balancer.state = "active"

    call.clock.later(LOAD_BALANCER, active)
    _place(call, balancer)
    return answer


def _same_balancer(call, other, params):
    same = (
        other.scheme == params["Scheme"]
        and other.type == params["Type"]
        and {subnet.id for subnet in other.subnets} == set(params.get("Subnets", []))
        and set(other.security_groups) == set(params.get("SecurityGroups", []))
    )
    if not same:
        refuse("DuplicateLoadBalancerName", f"A load balancer with the same name '{other.name}' exists, but with different settings")
    return call.ask("DescribeLoadBalancers", LoadBalancerArns=[other.arn])


def _subnet(ec2, name):
    for zone in ec2.subnets.values():
        if name in zone:
            return zone[name]
    return refuse("SubnetNotFound", f"The subnet ID '{name}' does not exist")


def _groups(call, vpc, names):
    ec2 = call.backend_of("ec2")
    if not names:
        return [ec2.get_default_security_group(vpc).id]
    for name in names:
        group = ec2.get_security_group_from_id(name)
        if group is None or group.vpc_id != vpc:
            refuse("InvalidSecurityGroup", f"The security group '{name}' does not exist")
    return names


def _has_gateway(ec2, vpc):
    return any(gateway.vpc is not None and gateway.vpc.id == vpc for gateway in ec2.internet_gateways.values())


def _place(call, balancer):
    """Interfaces as its subnets and groups are now."""
    table = call.store.table(INTERFACES)
    interfaces.drop(call, table.pop(balancer.arn, []))
    tail = balancer.arn.split(":loadbalancer/", 1)[1]
    table[balancer.arn] = [
        interfaces.make(call, subnet.id, balancer.security_groups, f"ELB {tail}", requester="amazon-elb")
        for subnet in balancer.subnets
    ]


@patch("elbv2", "SetSubnets", "SetSecurityGroups")
def change_place(call):
    """AWS: two zones at least, groups of its VPC; the interfaces follow. moto: no interfaces."""
    balancer = _balancer(call, call.params["LoadBalancerArn"])
    if call.operation == "SetSecurityGroups":
        _groups(call, balancer.vpc_id, call.params["SecurityGroups"])
    else:
        zones = {_subnet(call.backend_of("ec2"), name).availability_zone for name in call.params.get("Subnets", [])}
        if len(zones) < 2:
            refuse(
                "InvalidConfigurationRequest",
                "At least two subnets in two different Availability Zones must be specified",
            )
    answer = call.forward()
    if call.operation == "SetSubnets":
        balancer.subnets = [_subnet(call.backend_of("ec2"), name) for name in call.params["Subnets"]]
        balancer.ip_address_type = call.params.get("IpAddressType", balancer.ip_address_type)
    _place(call, balancer)
    return answer


@patch("elbv2", "ModifyLoadBalancerAttributes")
def change_attributes(call):
    """AWS: writes a test object to a bucket for logs. moto: takes any bucket, and any number."""
    balancer = _balancer(call, call.params["LoadBalancerArn"])
    asked = {item["Key"]: item.get("Value", "") for item in call.params.get("Attributes", [])}
    for key, (least, most) in NUMBERS.items():
        if key in asked and not (asked[key].isdigit() and least <= int(asked[key]) <= most):
            refuse("ValidationError", f"'{key}' value '{asked[key]}' must be between '{least}-{most}' inclusive")
    after = balancer.attrs | asked
    for kind in ("access_logs", "connection_logs"):
        if after.get(f"{kind}.s3.enabled") == "true" and any(key.startswith(kind) for key in asked):
            _check_delivery(call, after[f"{kind}.s3.bucket"], after.get(f"{kind}.s3.prefix", ""))
    return call.forward()


def _check_delivery(call, name, prefix):
    bucket = call.backend_of("s3").buckets.get(name)
    path = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
    arn = f"arn:aws:s3:::{name}/{path}/{call.account}/ELBAccessLogTestFile"
    context = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "aws:SourceAccount": call.account}
    allowed = bucket is not None and any(
        statement.get("Effect") == "Allow"
        and {DELIVERY, "*"} & set(policies.principals(statement, "Service"))
        and policies.covers(statement, "Action", "s3:PutObject")
        and policies.covers(statement, "Resource", arn)
        and policies.conditions_hold(statement, context)
        for statement in policies.statements(bucket.policy or '{"Statement": []}')
    )
    if not allowed:
        refuse("InvalidConfigurationRequest", f"Access Denied for bucket: {name}. Please check S3bucket permission")


@patch("elbv2", "DeleteLoadBalancer")
def delete_balancer(call):
    """AWS: refused while it is protected; listeners, rules and tags go with it, its interfaces a while later. moto: takes
    a protected one, keeps tags."""
    arn = call.params["LoadBalancerArn"]
    balancer = call.backend.load_balancers.get(arn)
    if balancer is None:
        return call.forward()
    if balancer.attrs.get("deletion_protection.enabled") == "true":
        refuse(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    inner = [name for listener in balancer.listeners.values() for name in (listener.arn, *listener.rules)]
    answer = call.forward()
    _forget_tags(call, arn, *inner)
    held = call.store.table(INTERFACES).pop(arn, [])
    call.clock.later("elbv2/load_balancer interfaces", lambda: interfaces.drop(call, held))
    return answer


@patch("elbv2", "CreateTargetGroup")
def create_group(call):
    """AWS: equal name and settings answer the existing group. moto: refuses any second one."""
    same = ("Protocol", "Port", "VpcId", "TargetType")
    for other in call.backend.target_groups.values():
        if other.name == call.params["Name"]:
            kept = (other.protocol, int(other.port), other.vpc_id, other.target_type)
            if kept != tuple(call.params.get(key) for key in same):
                break
            return call.ask("DescribeTargetGroups", TargetGroupArns=[other.arn])
    return call.forward()


@patch("elbv2", "DescribeTargetGroups")
def version(call):
    """AWS: an HTTP group has a protocol version. moto: only when it was given."""
    answer = call.forward()
    for group in answer.data.get("TargetGroups", []):
        if group.get("Protocol") in ("HTTP", "HTTPS"):
            group.setdefault("ProtocolVersion", "HTTP1")
    return answer


@patch("elbv2", "DeleteTargetGroup")
def delete_group(call):
    """AWS: tags go with it. moto: they stay."""
    answer = call.forward()
    _forget_tags(call, call.params["TargetGroupArn"])
    return answer


@patch("elbv2", "CreateListener")
def create_listener(call):
    """AWS: one listener a port; HTTPS takes exactly one certificate, which must be issued. moto: neither, and gives every
    listener the attributes of TCP."""
    params = call.params
    balancer = _balancer(call, params["LoadBalancerArn"])
    if any(int(other.port) == int(params["Port"]) for other in balancer.listeners.values()):
        refuse("DuplicateListener", "A listener already exists on this port for this load balancer")
    _check_certificates(call, params.get("Protocol"), params.get("Certificates"))
    answer = call.forward()
    if params.get("Protocol") in ("HTTP", "HTTPS"):
        listener = balancer.listeners[answer.data["Listeners"][0]["ListenerArn"]]
        listener.attributes = dict(LISTENER_DEFAULTS)
    return answer


@patch("elbv2", "ModifyListener")
def change_listener(call):
    """AWS: certificates are checked as at creation. moto: not their state."""
    _listener(call, call.params["ListenerArn"])
    if call.params.get("Certificates"):
        _check_certificates(call, "HTTPS", call.params["Certificates"])
    return call.forward()


def _check_certificates(call, protocol, certificates):
    if protocol != "HTTPS":
        return
    if len(certificates or []) != 1:
        refuse("ValidationError", "Exactly one certificate must be specified for HTTPS listeners")
    arn = certificates[0]["CertificateArn"]
    certificate = call.backend_of("acm")._certificates.get(arn)
    if certificate is None:
        refuse("CertificateNotFound", f"Certificate '{arn}' not found")
    if certificate.status != "ISSUED":
        refuse("UnsupportedCertificate", f"The certificate '{arn}' must have a status of ISSUED")


@patch("elbv2", "ModifyListenerAttributes")
def listener_attributes(call):
    """AWS: only those of its protocol. moto: any."""
    listener = _listener(call, call.params["ListenerArn"])
    for item in call.params["Attributes"]:
        if item["Key"] not in listener.attributes:
            refuse("ValidationError", f"The attribute '{item['Key']}' is not supported for {listener.protocol} listeners")
    return call.forward()


@patch("elbv2", "DeleteListener")
def delete_listener(call):
    """AWS: its rules' tags and its own go with it. moto: they stay."""
    listener = _listener(call, call.params["ListenerArn"])
    gone = [listener.arn, *listener.rules]
    answer = call.forward()
    _forget_tags(call, *gone)
    return answer


@patch("elbv2", "DescribeRules", "DescribeListenerAttributes", "DescribeListenerCertificates")
def of_listener(call):
    """AWS: ListenerNotFound for an unknown listener. moto: an empty answer or an internal error."""
    if call.params.get("ListenerArn"):
        _listener(call, call.params["ListenerArn"])
    return call.forward()


@patch("elbv2", "CreateRule", "ModifyRule")
def write_rule(call):
    """AWS: five values in all conditions of a rule; target groups must exist. moto: any number; internal errors."""
    values = sum(
        len(inner.get("Values", [])) + len(inner.get("RegexValues", []))
        for condition in call.params.get("Conditions", [])
        for inner in [condition, *[part for part in condition.values() if isinstance(part, dict)]]
    )
    if values > 5:
        refuse("ValidationError", "A rule can have at most 5 condition values")
    for action in call.params.get("Actions", []):
        groups = [group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
        for arn in groups + [action[key] for key in ("TargetGroupArn",) if key in action]:
            if arn not in call.backend.target_groups:
                refuse("TargetGroupNotFound", f"Target group '{arn}' not found")
    if call.operation == "CreateRule":
        _listener(call, call.params["ListenerArn"])
    return call.forward()


@patch("elbv2", "DeleteRule")
def delete_rule(call):
    """AWS: RuleNotFound for an unknown one; the tags go with it. moto: success, and they stay."""
    arn = call.params["RuleArn"]
    _listener(call, arn.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0])
    if not call.ask("DescribeTags", ResourceArns=[arn])["TagDescriptions"]:
        refuse("RuleNotFound", f"Rule '{arn}' not found")
    answer = call.forward()
    _forget_tags(call, arn)
    return answer


@patch("elbv2", "DescribeTags")
def tags_of_unknown(call):
    """AWS: one unknown ARN fails the call. moto: answers no tags for it."""
    for arn in call.params.get("ResourceArns", []):
        call.backend._get_resource_by_arn(arn)
    return call.forward()
