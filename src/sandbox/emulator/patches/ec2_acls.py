"""Network ACLs and their entries."""

from moto.ec2.models.network_acls import NetworkAcl, NetworkAclBackend

from .. import tags
from ..call import patch, refuse
from ..moto_parts import replaces

QUOTA = 20  # "Amazon VPC quotas": rules per network ACL, inbound and outbound apart
LAST_RULE = 32767  # the deny entry that every ACL ends with and nobody can change


@replaces(NetworkAclBackend, "create_network_acl")
def _last_entries(original):
    """AWS: a new custom ACL lists two deny entries, number 32767, one per direction. moto: lists none."""

    def create_network_acl(self, vpc_id, tags=None, default=False):
        acl = original(self, vpc_id, tags=tags, default=default)
        for egress in () if default else (True, False):
            self.create_network_acl_entry(
                acl.id, LAST_RULE, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None
            )
        return acl

    return create_network_acl


@replaces(NetworkAcl, "get_filter_value")
def _filter_by_id(original):
    """AWS: DescribeNetworkAcls filters by `network-acl-id`. moto: does not know that filter."""

    def get_filter_value(self, filter_name, method_name=None):
        return self.id if filter_name == "network-acl-id" else original(self, filter_name, method_name)

    return get_filter_value


def _side(call):
    """The entries of the direction that a call names, without the last one."""
    acl = call.backend.get_network_acl(call.params["NetworkAclId"])
    egress = bool(call.params["Egress"])
    return [
        entry
        for entry in acl.network_acl_entries
        if bool(entry.egress) == egress and int(entry.rule_number) < LAST_RULE
    ]


def _entry(call):
    number = int(call.params["RuleNumber"])
    return next((entry for entry in _side(call) if int(entry.rule_number) == number), None)


def _check_number(call):
    number = int(call.params["RuleNumber"])
    if not 1 <= number < LAST_RULE:
        refuse(
            "InvalidParameterValue",
            f"Value ({number}) for parameter ruleNumber is invalid. Rule numbers are 1 to 32766.",
        )


@patch("ec2", "CreateNetworkAclEntry", "ReplaceNetworkAclEntry")
def icmp_type_and_code(call):
    """AWS: IcmpTypeCode reads back; an entry to replace must exist; TCP, UDP and ICMP need their ports or types; 20 entries
    per direction. moto: loses the first, answers 500 to the second, knows nothing of the rest."""
    _check_number(call)
    needed = {"6": "PortRange", "17": "PortRange", "1": "IcmpTypeCode"}.get(call.params["Protocol"])
    if needed and not call.params.get(needed):
        refuse("MissingParameter", f"The request must contain the parameter {needed} for this protocol")
    if call.operation.startswith("Replace"):
        _refuse_missing(call)
    elif len(_side(call)) >= QUOTA:
        refuse("NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached.")
    answer = call.forward()
    icmp = call.params.get("IcmpTypeCode")
    if icmp:
        entry = _entry(call)
        entry.icmp_code, entry.icmp_type = icmp.get("Code"), icmp.get("Type")
    return answer


@patch("ec2", "DeleteNetworkAclEntry")
def delete_entry(call):
    """AWS: InvalidNetworkAclEntry.NotFound for a missing entry. moto: 500."""
    _check_number(call)
    _refuse_missing(call)
    return call.forward()


def _refuse_missing(call):
    if _entry(call) is None:
        direction = "egress" if call.params["Egress"] else "ingress"
        refuse(
            "InvalidNetworkAclEntry.NotFound",
            f"The {direction} entry with rule number {call.params['RuleNumber']} does not exist in network ACL {call.params['NetworkAclId']}",
        )


@patch("ec2", "DeleteNetworkAcl")
def delete_acl(call):
    """AWS: the default ACL is refused with InvalidParameterValue."""
    name = call.params["NetworkAclId"]
    if call.backend.get_network_acl(name).default:
        refuse("InvalidParameterValue", f"cannot delete default network ACL {name}")
    answer = call.forward()
    tags.drop(call, name)
    return answer


@patch("ec2", "ReplaceNetworkAclAssociation")
def replace_association(call):
    """AWS: an unknown association is an error, and the ACL must be of the subnet's VPC. moto: 500, and takes any ACL."""
    acl = call.backend.get_network_acl(call.params["NetworkAclId"])
    name = call.params["AssociationId"]
    holder = next((other for other in call.backend.network_acls.values() if name in other._associations), None)
    if holder is None:
        refuse("InvalidAssociationID.NotFound", f"The association ID '{name}' does not exist")
    if holder.vpc_id != acl.vpc_id:
        refuse("InvalidParameterValue", f"network ACL {acl.id} and association {name} belong to different networks")
    return call.forward()
