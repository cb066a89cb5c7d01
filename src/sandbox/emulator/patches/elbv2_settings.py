"""Settings of listeners and rules that moto does not keep: certificates of clients, rewritten requests."""

from ..call import patch, refuse

CLIENTS = "elbv2-mutual-authentication"  # by the listener's ARN
TRANSFORMS = "elbv2-transforms"  # by the rule's ARN
# "ListenerAttribute": headers of HTTPS listeners that can get another name.
CLIENT_HEADERS = ["", "-Serial-Number", "-Issuer", "-Subject", "-Validity", "-Leaf"]
HEADERS = [f"X-Amzn-Mtls-Clientcert{name}" for name in CLIENT_HEADERS] + ["X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite"]
HTTPS_DEFAULTS = {f"routing.http.request.{name.lower().replace('-', '_')}.header_name": name for name in HEADERS}


@patch("elbv2", "CreateListener", "ModifyListener", "DescribeListeners")
def clients(call):
    """AWS: whether an HTTPS listener asks clients for certificates. moto: does not know it."""
    asked = call.params.get("MutualAuthentication")
    if asked and asked.get("Mode") == "verify" and not asked.get("TrustStoreArn"):
        refuse("ValidationError", "A trust store ARN must be specified in mode 'verify'")
    answer = call.forward()
    for shown in answer.data.get("Listeners", []):
        if shown["Protocol"] != "HTTPS":
            continue
        table = call.store.table(CLIENTS)
        if asked:
            table[shown["ListenerArn"]] = asked
        shown["MutualAuthentication"] = table.get(shown["ListenerArn"], {"Mode": "off"})
        if call.operation == "CreateListener":
            balancer = call.backend.load_balancers[shown["LoadBalancerArn"]]
            balancer.listeners[shown["ListenerArn"]].attributes.update(HTTPS_DEFAULTS)
    return answer


@patch("elbv2", "CreateRule", "ModifyRule", "DescribeRules")
def transforms(call):
    """AWS: a rule rewrites host or path of a request. moto: does not know it."""
    asked = call.params.get("Transforms")
    if call.params.get("ResetTransforms"):
        if asked:
            refuse("ValidationError", "Transforms cannot be specified together with ResetTransforms")
        asked = []
    if call.operation == "ModifyRule" and asked is not None and not {"Conditions", "Actions"} & set(call.params):
        # moto refuses a change of neither.
        answer = call.ask("DescribeRules", RuleArns=[call.params["RuleArn"]])
    else:
        answer = call.forward()
    shows = answer if isinstance(answer, dict) else answer.data
    for shown in shows.get("Rules", []):
        table = call.store.table(TRANSFORMS)
        if asked is not None:
            table[shown["RuleArn"]] = asked
        shown["Transforms"] = table.get(shown["RuleArn"], [])
    return answer
