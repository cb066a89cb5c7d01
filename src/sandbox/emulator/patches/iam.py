"""Roles and their policies."""

import copy
import functools
import json

from moto.iam.models import IAMBackend

from ..access import callers, evaluate
from ..call import patch, refuse
from ..moto_parts import replaces

_make_managed_policies = getattr(IAMBackend, "_init_aws_policies", None)


@functools.cache
def managed_policies():
    """AWS's managed policies, made once: moto makes all 1,582 again for each account and at each reset, which takes a
    second."""
    backend = IAMBackend.__new__(IAMBackend)
    backend.account_id, backend.region_name = "aws", "aws"
    return _make_managed_policies(backend)


@replaces(IAMBackend, "_init_aws_policies")
def _copies(_original):
    def copies(self):
        own = [copy.copy(policy) for policy in managed_policies()]
        for policy in own:
            policy.account_id = self.account_id
        return own

    return copies


def _document(text, code="MalformedPolicyDocument"):
    try:
        parsed = json.loads(text)
    except (ValueError, TypeError):
        refuse(code, "This policy contains invalid Json")
    if not isinstance(parsed, dict) or not parsed.get("Statement"):
        refuse(code, "Syntax errors in policy.")
    return parsed


@patch("iam", "CreateRole", "UpdateAssumeRolePolicy")
def trust_policy(call):
    """AWS: the trust policy is a policy of at most 2,048 characters whose statements name principals and no resource.
    moto: takes any text."""
    text = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument", "")
    parsed = _document(text)
    listed = parsed["Statement"] if isinstance(parsed["Statement"], list) else [parsed["Statement"]]
    if any("Principal" not in statement or "Resource" in statement for statement in listed):
        refuse(
            "MalformedPolicyDocument",
            "AssumeRolepolicy contained an invalid principal or has prohibited field Resource",
        )
    if len("".join(text.split())) > 2048:
        refuse("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
    return call.forward()


@patch("iam", "PutRolePolicy")
def inline_size(call):
    """AWS: a role's inline policies have 10,240 characters together, white space not counted. moto: no limit."""
    name = call.params["RoleName"]
    role = next((role for role in call.backend.roles.values() if role.name == name), None)
    if role:
        others = {key: value for key, value in role.policies.items() if key != call.params["PolicyName"]}
        if sum(len("".join(str(text).split())) for text in [*others.values(), call.params["PolicyDocument"]]) > 10240:
            refuse("LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {name}")
    return call.forward()


@patch("iam", "UpdateRole")
def update_role(call):
    """AWS: leaves what is not named. moto: takes the description away and sets the session back to an hour."""
    role = next((role for role in call.backend.roles.values() if role.name == call.params["RoleName"]), None)
    if role is None:
        return call.forward()
    kept = {"Description": role.description, "MaxSessionDuration": role.max_session_duration}
    return call.forward({**{key: value for key, value in kept.items() if value is not None}, **call.params})


@patch("iam", "SimulatePrincipalPolicy")
def simulate(call):
    """AWS: says what the policies of a user or a role allow in a context that the request gives. moto: does not offer it."""
    statements = callers.of_principal(call.account, call.params["PolicySourceArn"])
    if statements is None:
        refuse("NoSuchEntity", f"Policy source {call.params['PolicySourceArn']} cannot be found.", 404)
    given = {entry["ContextKeyName"].lower(): entry for entry in call.params.get("ContextEntries") or []}

    def context(key):
        values = given.get(key.lower(), {}).get("ContextKeyValues") or []
        return values[0] if values else None

    results = []
    for action in call.params["ActionNames"]:
        for resource in call.params.get("ResourceArns") or ["*"]:
            verdict = evaluate.decide(statements, evaluate.Need(action, resource, context))
            decision = "explicitDeny" if verdict.denied else "allowed" if verdict.allowed else "implicitDeny"
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decision,
                    "MatchedStatements": [{"SourcePolicyId": sid, "SourcePolicyType": "IAM Policy"} for sid in verdict.by],
                    "MissingContextValues": [],
                }
            )
    return {"EvaluationResults": results, "IsTruncated": False}
