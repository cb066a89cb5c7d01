"""AWS Config: rules, their states and what they find."""

from ..call import patch, refuse

# The scopes of rules as they were sent, by name.
SCOPES = "config-scopes"
# The names of rules whose results were deleted, and that were not evaluated since.
ERASED = "config-erased"


def _rule(call, name):
    rule = call.backend.config_rules.get(name)
    if rule is None:
        refuse("NoSuchConfigRuleException", f"The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name")
    return rule


def _free(rule, *states):
    """Refuses what a rule takes in none of these states."""
    if rule.config_rule_state in states:
        doing = {"DELETING": "deleted", "DELETING_RESULTS": "cleared", "EVALUATING": "evaluated"}[rule.config_rule_state]
        text = f"The rule {rule.config_rule_name} is currently being {doing}. Please retry after some time"
        refuse("ResourceInUseException", text)


def _for_a_while(call, rule, state, kind, effect):
    """A rule is in a state until that kind's time has passed, and then active again."""
    rule.config_rule_state = state

    def done():
        if rule.config_rule_state == state:
            rule.config_rule_state = "ACTIVE"
            effect()

    call.clock.later(kind, done)


@patch("config", "PutConfigRule")
def put_rule(call):
    """AWS: takes a rule only when there is a recorder, and tags at creation only. moto: takes it without one, and a put of a rule
    that exists replaces its tags."""
    if not call.backend.recorders:
        refuse("NoAvailableConfigurationRecorderException", "Configuration Recorder is not available to put config rule.")
    sent = call.params["ConfigRule"]
    rule = call.backend.config_rules.get(sent.get("ConfigRuleName"))
    tags = dict(rule.tags) if rule else None
    answer = call.forward()
    if answer.status >= 300:
        return answer
    if rule:
        rule.tags = tags
    call.store.table(SCOPES)[sent.get("ConfigRuleName")] = sent.get("Scope")
    return answer


@patch("config", "DescribeConfigRules")
def describe_rules(call):
    """AWS: shows the scope as it was sent, and refuses the name of no rule. moto: loses its tag, and knows no name when there is no
    rule at all."""
    for name in call.params.get("ConfigRuleNames") or []:
        _rule(call, name)
    answer = call.forward()
    scopes = call.store.table(SCOPES)
    for rule in answer.data.get("ConfigRules", []):
        scope = scopes.get(rule["ConfigRuleName"])
        rule.pop("Scope", None)
        if scope:
            rule["Scope"] = scope
    return answer


@patch("config", "DeleteConfigRule")
def delete_rule(call):
    """AWS: the rule is DELETING until it and its results are gone; a second deletion and a put are refused until then (DeleteConfigRule
    in the AWS Config API reference). moto: it is gone at once."""
    name = call.params["ConfigRuleName"]
    rule = _rule(call, name)
    _free(rule, "DELETING", "DELETING_RESULTS")
    rule.config_rule_state = "DELETING"

    def gone():
        if call.backend.config_rules.get(name) is rule:
            del call.backend.config_rules[name]
            for table in (SCOPES, ERASED):
                call.store.table(table).pop(name, None)

    call.clock.later("config/rule deletion", gone)
    return {}


@patch("config", "StartConfigRulesEvaluation")
def evaluate(call):
    """AWS: the rules are EVALUATING for a while. moto: not implemented."""
    names = call.params.get("ConfigRuleNames") or []
    rules = [_rule(call, name) for name in names]
    for rule in rules:
        _free(rule, "DELETING", "DELETING_RESULTS", "EVALUATING")
    for rule in rules:
        forgotten = lambda name=rule.config_rule_name: call.store.table(ERASED).pop(name, None)
        _for_a_while(call, rule, "EVALUATING", "config/rule evaluation", forgotten)
    return {}


@patch("config", "DeleteEvaluationResults")
def delete_results(call):
    """AWS: the rule is DELETING_RESULTS for a while, and stays. moto: not implemented."""
    name = call.params["ConfigRuleName"]
    rule = _rule(call, name)
    _free(rule, "DELETING", "DELETING_RESULTS")
    call.store.table(ERASED)[name] = True
    _for_a_while(call, rule, "DELETING_RESULTS", "config/rule results", lambda: None)
    return {}


def _versioned(call):
    return [(bucket.name, bucket.versioning_status == "Enabled") for bucket in call.backend_of("s3").buckets.values()]


def _encrypted(call):
    return [(cluster.db_cluster_identifier, cluster.storage_encrypted) for cluster in call.backend_of("rds").clusters.values()]


# What is judged here, each with whether it is as the rule wants it; AWS has not come to the other rules yet.
JUDGED = {"S3_BUCKET_VERSIONING_ENABLED": _versioned, "RDS_CLUSTER_ENCRYPTED_AT_REST": _encrypted}


@patch("config", "DescribeComplianceByConfigRule")
def describe_compliance(call):
    """AWS: its judgement of each rule, INSUFFICIENT_DATA before the first. moto: not implemented."""
    wanted = call.params.get("ConfigRuleNames") or sorted(call.backend.config_rules)
    shown = []
    for name in wanted:
        rule = _rule(call, name)
        judge = None if name in call.store.table(ERASED) else JUDGED.get(rule.source.source_identifier)
        judged = judge(call) if judge else []
        bad = [thing for thing, good in judged if not good]
        if bad:
            count = {"CappedCount": min(len(bad), 25), "CapExceeded": len(bad) > 25}
            compliance = {"ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": count}
        else:
            compliance = {"ComplianceType": "COMPLIANT" if judged else "INSUFFICIENT_DATA"}
        shown.append({"ConfigRuleName": name, "Compliance": compliance})
    return {"ComplianceByConfigRules": shown}
