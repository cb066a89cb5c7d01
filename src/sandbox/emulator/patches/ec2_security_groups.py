"""Security groups and their rules."""

import itertools
import re

from moto.ec2.models.security_groups import SecurityGroupRule

from .. import interfaces, tags
from ..call import patch, refuse
from ..moto_parts import adds, replaces

ALLOWED = re.compile(r"^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}$")
NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
CHARSET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


@replaces(SecurityGroupRule, "__init__")
def _with_descriptions(original):
    """AWS: a rule by group or prefix list has its description too. moto: keeps the description of CIDR rules only."""

    def init(
        self,
        ec2_backend,
        ip_protocol,
        group_id,
        from_port,
        to_port,
        ip_range,
        source_group=None,
        prefix_list_id=None,
        **more,
    ):
        original(
            self, ec2_backend, ip_protocol, group_id, from_port, to_port, ip_range, source_group, prefix_list_id, **more
        )
        self.prefix_list_description = (prefix_list_id or {}).get("Description")

    return init


@replaces(SecurityGroupRule, "description")
def _description(_original):
    """See above."""
    return property(
        lambda self: (
            (self.ip_range or {}).get("Description")
            or (self.source_group or {}).get("Description")
            or self.prefix_list_description
        )
    )


@replaces(SecurityGroupRule, "__eq__")
def _equal(_original):
    """AWS: descriptions play no part in whether two rules are the same. moto: compares them along with the group."""
    return lambda self, other: _identity(self) == _identity(other)


adds(SecurityGroupRule, "group_owner_id", property(lambda self: self.ec2_backend.account_id))


def _identity(rule):
    ports = (rule.from_port, rule.to_port) if rule.ip_protocol != "-1" else ()
    cidr = rule.ip_range or {}
    return (
        rule.ip_protocol,
        ports,
        cidr.get("CidrIp"),
        cidr.get("CidrIpv6"),
        (rule.source_group or {}).get("GroupId"),
        rule.prefix_list_id,
    )


def _group(call, name):
    group = call.backend.get_security_group_from_id(name)
    return (
        group if group is not None else refuse("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    )


@patch("ec2", "CreateSecurityGroup")
def create_group(call):
    """AWS: answers tags and ARN; refuses names and descriptions outside its character set. moto: neither."""
    name, description = call.params.get("GroupName", ""), call.params.get("Description", "")
    if not ALLOWED.match(description):
        refuse(
            "InvalidParameterValue",
            f"Invalid security group description. Valid descriptions are strings less than 256 characters from the following set: {CHARSET}",
        )
    if not ALLOWED.match(name) or name.startswith("sg-"):
        refuse(
            "InvalidParameterValue",
            f"Value ({name}) for parameter GroupName is invalid. Valid names are strings less than 256 characters from the following set: {CHARSET}",
        )
    vpc = call.params.get("VpcId")
    if vpc and vpc not in call.backend.vpcs:
        refuse("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    answer = call.forward()
    group = answer.data["GroupId"]
    answer.data.update(Tags=tags.shown(call, group), SecurityGroupArn=call.arn(f"security-group/{group}"))
    return answer


@patch("ec2", "DeleteSecurityGroup")
def delete_group(call):
    """AWS: refused for the default group, for one in use and for one that another group's rule names. moto: none of these."""
    name = call.params.get("GroupId")
    if not name:
        return call.forward()
    group = _group(call, name)
    if group.is_default or group.name == "default":
        refuse("CannotDelete", f'the specified group: "{name}" name: "default" cannot be deleted by a user')
    if interfaces.with_group(call, name) or _named_by_rules(call, name) or _used_by_databases(call, name):
        refuse("DependencyViolation", f"resource {name} has a dependent object")
    rules = [rule.id for rule in group.ingress_rules + group.egress_rules]
    answer = call.forward()
    for gone in rules + [name]:
        tags.drop(call, gone)
    return answer


def _named_by_rules(call, name):
    groups = itertools.chain.from_iterable(groups.values() for groups in call.backend.groups.values())
    return any(
        rule.source_group and rule.source_group.get("GroupId") == name
        for group in groups
        if group.id != name
        for rule in group.ingress_rules + group.egress_rules
    )


def _used_by_databases(call, name):
    return any(name in (cluster.vpc_security_group_ids or []) for cluster in call.backend_of("rds").clusters.values())


@patch("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(call):
    """AWS: all permissions of a call or none are added, and all their rules are answered. moto: keeps what came before a
    refused one and answers the rules of the last permission only."""
    group = _group(call, call.params.get("GroupId"))
    for permission in call.params.get("IpPermissions", []):
        _check_descriptions(permission)
    before = list(group.ingress_rules), list(group.egress_rules)
    try:
        answer = call.forward()
    except Exception:
        group.ingress_rules, group.egress_rules = before
        raise
    old = {rule.id for rule in before[0] + before[1]}
    added = [rule for rule in group.ingress_rules + group.egress_rules if rule.id not in old]
    answer.data["SecurityGroupRules"] = [_shown(call, rule) for rule in added]
    return answer


def _check_descriptions(permission):
    for key in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
        for item in permission.get(key, []):
            _check_description(item)


def _check_description(item):
    if not ALLOWED.match(item.get("Description", "")):
        refuse(
            "InvalidParameterValue",
            f"Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: {CHARSET}",
        )


@patch(
    "ec2",
    "ModifySecurityGroupRules",
    "UpdateSecurityGroupRuleDescriptionsIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
)
def describe_rules(call):
    """AWS: refuses descriptions outside its character set. moto: takes any."""
    for update in call.params.get("SecurityGroupRules", []):
        _check_description(update.get("SecurityGroupRule", {}))
    for item in call.params.get("SecurityGroupRuleDescriptions", []):
        _check_description(item)
    for permission in call.params.get("IpPermissions", []):
        _check_descriptions(permission)
    return call.forward()


@patch("ec2", "ModifySecurityGroupRules")
def modify_rules(call):
    """AWS: shows a protocol that has a name by it. moto: of a rule that was changed as it was given."""
    answer = call.forward()
    group = _group(call, call.params["GroupId"])
    for update in call.params.get("SecurityGroupRules", []):
        rule = group.get_rule(update["SecurityGroupRuleId"])
        rule.ip_protocol = NAMES.get(rule.ip_protocol, rule.ip_protocol)
    return answer


def _shown(call, rule):
    source = rule.source_group or {}
    shown = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": rule.group_id,
        "GroupOwnerId": call.account,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": {"GroupId": source["GroupId"], "UserId": source.get("UserId", call.account)}
        if source.get("GroupId")
        else None,
        "Description": rule.description,
        "Tags": tags.shown(call, rule.id),
    }
    return {key: value for key, value in shown.items() if value is not None}


@patch("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def revoke(call):
    """AWS: the tags of a rule go with it. moto: they stay in DescribeTags."""
    group = _group(call, call.params.get("GroupId"))
    before = {rule.id for rule in group.ingress_rules + group.egress_rules}
    answer = call.forward()
    for gone in before - {rule.id for rule in group.ingress_rules + group.egress_rules}:
        tags.drop(call, gone)
    return answer
