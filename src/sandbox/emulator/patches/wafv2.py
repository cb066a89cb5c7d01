"""Web ACLs, address sets, what they guard, and their logs."""

import uuid

from moto.wafv2.models import FakeIPSet

from ..call import patch, refuse
from ..moto_parts import replaces

CAPACITY = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
}

# Settings of an ACL, with their names in moto.
SETTINGS = {
    "AssociationConfig": "association_config",
    "CaptchaConfig": "captcha_config",
    "ChallengeConfig": "challenge_config",
    "CustomResponseBodies": "custom_response_bodies",
    "TokenDomains": "token_domains",
}
# Those that moto does not know, with what AWS shows before anybody sets them.
MORE = {"DataProtectionConfig": None, "OnSourceDDoSProtectionConfig": {"ALBLowReputationMode": "ACTIVE_UNDER_DDOS"}}
MORE_SETTINGS = "wafv2-settings"  # by the ACL's ARN


def _absent():
    refuse("WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist.")


def _exists(call, arn):
    waf = call.backend
    return arn in waf.wacls or arn in waf.ip_sets or arn in waf.rule_groups or arn in waf.regex_pattern_sets


def _units(statement):
    """What a statement takes: a set of addresses 1, a text at a certain place 2 and 10 for every transformation, a rate 2 and what
    narrows it."""
    group, rate, text = (statement.get(f"{kind}Statement") for kind in ("ManagedRuleGroup", "RateBased", "ByteMatch"))
    if group:
        return CAPACITY.get(group["Name"], 50)
    if rate:
        return 2 + (_units(rate["ScopeDownStatement"]) if rate.get("ScopeDownStatement") else 0)
    if text:
        changed = [one for one in text["TextTransformations"] if one["Type"] != "NONE"]
        return (2 if text["PositionalConstraint"] in ("EXACTLY", "STARTS_WITH", "ENDS_WITH") else 10) + 10 * len(changed)
    if "NotStatement" in statement:
        return _units(statement["NotStatement"]["Statement"])
    for kind in ("AndStatement", "OrStatement"):
        if kind in statement:
            return sum(_units(inner) for inner in statement[kind]["Statements"])
    return 1


def _capacity(rules):
    return sum(_units(rule["Statement"]) for rule in rules)


@patch("wafv2", "CheckCapacity")
def check_capacity(call):
    """AWS: what these rules take; sets that they name must exist. moto: does not know the call."""
    rules = call.params["Rules"]
    for arn in [arn for rule in rules for arn in _sets(rule["Statement"])]:
        if arn not in call.backend.ip_sets:
            _absent()
    return {"Capacity": _capacity(rules)}


def _sets(statement):
    """ARNs of the address sets in a statement, however deep."""
    if isinstance(statement, dict):
        found = [statement["ARN"]] if set(statement) <= {"ARN", "IPSetForwardedIPConfig"} and "ARN" in statement else []
        return found + [arn for inner in statement.values() for arn in _sets(inner)]
    if isinstance(statement, list):
        return [arn for inner in statement for arn in _sets(inner)]
    return []


@replaces(FakeIPSet, "__init__")
def _with_token(original):
    """AWS: a token is a UUID, as its own model demands. moto: six digits of one."""

    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.lock_token = str(uuid.uuid4())

    return init


@replaces(FakeIPSet, "update")
def _with_new_token(original):
    """See above."""

    def update(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.lock_token = str(uuid.uuid4())

    return update


@patch("wafv2", "CreateWebACL", "UpdateWebACL")
def write_acl(call):
    """AWS: names and priorities once; sets must exist; capacity is what the rules take; an update takes away what it does not name.
    moto: another code for a name that is taken, takes any rules, capacity 3, keeps what is not named, does not know all settings."""
    rules = call.params.get("Rules", [])
    if call.operation == "CreateWebACL" and any(acl.name == call.params["Name"] for acl in call.backend.wacls.values()):
        refuse("WAFDuplicateItemException", "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one.")
    for key in ("Name", "Priority"):
        if len({rule[key] for rule in rules}) != len(rules):
            refuse("WAFInvalidParameterException", f"Error reason: The parameter contains duplicate values, field: RULE_{key.upper()}")
    for arn in [arn for rule in rules for arn in _sets(rule["Statement"])]:
        if arn not in call.backend.ip_sets:
            _absent()
    for rule in rules:
        group = rule["Statement"].get("ManagedRuleGroupStatement")
        if bool(group) != ("OverrideAction" in rule) or bool(group) == ("Action" in rule):
            refuse("WAFInvalidParameterException", "Error reason: A reference in your rule statement is not valid., field: RULE")
    if _capacity(rules) > 5000:
        refuse("WAFLimitsExceededException", "AWS WAF couldn't perform the operation because you exceeded your resource limit.")
    answer = call.forward()
    acl = next(acl for acl in call.backend.wacls.values() if acl.name == call.params["Name"])
    acl.capacity = _capacity(rules)
    if not rules:
        acl.rules = []
    for setting, attribute in SETTINGS.items():
        setattr(acl, attribute, call.params.get(setting))
    kept = {setting: call.params[setting] for setting in MORE if setting in call.params}
    call.store.table(MORE_SETTINGS)[acl.arn] = MORE | kept
    return answer


@patch("wafv2", "GetWebACL", "GetWebACLForResource")
def without_nulls(call):
    """AWS: leaves out what is not set; a balancer that does not exist is an error. moto: shows nulls, answers nothing."""
    if call.operation == "GetWebACLForResource" and call.params["ResourceArn"] not in call.backend_of("elbv2").load_balancers:
        _absent()
    answer = call.forward()
    if answer.data.get("WebACL") is None:
        answer.data.pop("WebACL", None)
    else:
        acl = answer.data["WebACL"]
        acl["Rules"] = [{key: value for key, value in rule.items() if value is not None} for rule in acl.get("Rules") or []]
        acl |= call.store.table(MORE_SETTINGS).get(acl["ARN"], {})
        answer.data["WebACL"] = {key: value for key, value in acl.items() if value is not None and key != "LockToken"}
    return answer


@patch("wafv2", "DeleteWebACL")
def delete_acl(call):
    """AWS: refused while it guards something; its log and tags go with it. moto: deletes it, keeps both."""
    acl = next((acl for acl in call.backend.wacls.values() if acl.id == call.params["Id"]), None)
    if acl is not None and acl.associated_resources:
        refuse("WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource.")
    answer = call.forward()
    if acl is not None:
        call.backend.logging_configurations.pop(acl.arn, None)
        call.backend.tagging_service.delete_all_tags_for_resource(acl.arn)
    return answer


@patch("wafv2", "CreateIPSet")
def create_set(call):
    """AWS: a name once. moto: any number."""
    if any(one.name == call.params["Name"] for one in call.backend.ip_sets.values()):
        refuse("WAFDuplicateItemException", "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one.")
    return call.forward()


@patch("wafv2", "DeleteIPSet")
def delete_set(call):
    """AWS: refused while a rule names it; the tags go with it. moto: deletes it, keeps them."""
    arn = next((arn for arn, one in call.backend.ip_sets.items() if one.ip_set_id == call.params["Id"]), None)
    used = [rule for acl in call.backend.wacls.values() for rule in acl.rules if arn in _sets(rule.statement)]
    if used:
        refuse("WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource.")
    answer = call.forward()
    if arn:
        call.backend.tagging_service.delete_all_tags_for_resource(arn)
    return answer


@patch("wafv2", "AssociateWebACL")
def associate(call):
    """AWS: a resource has one ACL, a new one takes the place of the old; a balancer must be active. moto: any number, takes
    any ARN."""
    arn = call.params["ResourceArn"]
    balancer = call.backend_of("elbv2").load_balancers.get(arn)
    if balancer is None or balancer.state != "active" or call.params["WebACLArn"] not in call.backend.wacls:
        _absent()
    for acl in call.backend.wacls.values():
        acl.associated_resources = [one for one in acl.associated_resources if one != arn]
    return call.forward()


@patch("wafv2", "ListResourcesForWebACL")
def guarded(call):
    """moto: not implemented."""
    acl = call.backend.wacls.get(call.params["WebACLArn"])
    return {"ResourceArns": list(acl.associated_resources)} if acl else _absent()


@patch("elbv2", "DeleteLoadBalancer")
def guarded_no_more(call):
    """AWS: the association goes with the balancer. moto: stays."""
    answer = call.forward()
    for acl in call.backend_of("wafv2").wacls.values():
        acl.associated_resources = [one for one in acl.associated_resources if one != call.params["LoadBalancerArn"]]
    return answer


@patch("wafv2", "PutLoggingConfiguration")
def put_logging(call):
    """AWS: one destination with a certain name, that exists. moto: takes any."""
    config = call.params["LoggingConfiguration"]
    destinations = config["LogDestinationConfigs"]
    name = destinations[0].split(":log-group:")[-1]
    if len(destinations) != 1 or not name.startswith("aws-waf-logs-") or name.endswith(":*"):
        refuse("WAFInvalidParameterException", "Error reason: The ARN isn't valid., field: LOG_DESTINATION")
    if name not in call.backend_of("logs").groups:
        refuse("WAFLogDestinationPermissionIssueException", "The log destination does not exist or cannot be written to.")
    if config["ResourceArn"] not in call.backend.wacls:
        _absent()
    return call.forward()


@patch("wafv2", "GetLoggingConfiguration")
def get_logging(call):
    """AWS: leaves out what is not set. moto: shows nulls."""
    answer = call.forward()
    answer.data["LoggingConfiguration"] = _set(answer.data["LoggingConfiguration"])
    return answer


@patch("wafv2", "ListLoggingConfigurations")
def list_logging(call):
    """See GetLoggingConfiguration."""
    answer = call.forward()
    answer.data["LoggingConfigurations"] = [_set(one) for one in answer.data.get("LoggingConfigurations", [])]
    return answer


def _set(config):
    return {key: value for key, value in config.items() if value is not None}


@patch("wafv2", "TagResource", "UntagResource", "ListTagsForResource")
def tags_of_unknown(call):
    """AWS: what is tagged must exist. moto: takes any ARN."""
    if not _exists(call, call.params["ResourceARN"]):
        _absent()
    return call.forward()
