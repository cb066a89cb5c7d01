"""KMS keys: states, rotation period, policies, pages."""

import time

from moto.kms import models

from .. import policies
from ..call import patch, refuse
from ..moto_parts import replaces

ROTATION = "kms-rotation-days"
# What AWS refuses on a key pending deletion (developer guide, "Key states of AWS KMS keys") and on a disabled one.
REFUSED_WHEN_PENDING = (
    "EnableKey",
    "DisableKey",
    "EnableKeyRotation",
    "DisableKeyRotation",
    "TagResource",
    "UntagResource",
    "UpdateKeyDescription",
    "CreateGrant",
    "ScheduleKeyDeletion",
)
CRYPTOGRAPHIC = (
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "ReEncrypt",
    "Sign",
    "Verify",
    "GenerateMac",
)


@replaces(models, "generate_private_key")
def _pair(original):
    """AWS: only asymmetric keys have a pair. moto: makes an RSA pair for every key, which takes longer than all the rest."""
    return lambda spec: original(spec) if spec.startswith(("RSA", "ECC", "SM2")) else None


def _key(call, name):
    """A key by id, ARN or alias; None when there is none (moto answers that itself)."""
    try:
        return call.backend.keys.get(call.backend.any_id_to_key_id(name))
    except (AttributeError, TypeError):
        return None


@patch("kms", "*")
def keys_by_arn(call):
    """AWS: a KeyId is an id or an ARN everywhere. moto: crashes on ARNs in several operations."""
    name = call.params.get("KeyId")
    prefix = call.arn("key/")
    if isinstance(name, str) and name.startswith(prefix):
        return call.forward({**call.params, "KeyId": name.removeprefix(prefix)})
    return call.forward()


@patch("kms", "GetPublicKey")
def public_keys(call):
    """AWS: of a symmetric key there is none (API reference of GetPublicKey)."""
    key = _key(call, call.params["KeyId"])
    if key and key.private_key is None:
        refuse("UnsupportedOperationException", f"{key.arn} has no public key.")
    return call.forward()


@patch("kms", *REFUSED_WHEN_PENDING, *CRYPTOGRAPHIC)
def states(call):
    """AWS: a key pending deletion takes no work and no change, a disabled one no work. moto: does both."""
    key = _key(call, call.params["KeyId"]) if call.params.get("KeyId") else None
    if key and key.key_state == "PendingDeletion":
        refuse("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key and key.key_state == "Disabled" and call.operation in CRYPTOGRAPHIC + ("EnableKeyRotation",):
        refuse("DisabledException", f"{key.arn} is disabled.")
    return call.forward()


@patch("kms", "CreateAlias", "UpdateAlias")
def alias_targets(call):
    """AWS: an alias can't point to a key pending deletion."""
    key = _key(call, call.params.get("TargetKeyId", ""))
    if key and key.key_state == "PendingDeletion":
        refuse("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return call.forward()


@patch("kms", "ScheduleKeyDeletion")
def schedule_deletion(call):
    """AWS: 7 to 30 days; answers state and window. moto: takes 3 days without a word."""
    days = call.params.get("PendingWindowInDays", 30)
    if not 7 <= int(days) <= 30:
        refuse(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must be between 7 and 30",
        )
    answer = call.forward()
    answer.data.update(
        KeyId=_key(call, call.params["KeyId"]).arn, KeyState="PendingDeletion", PendingWindowInDays=int(days)
    )
    return answer


@patch("kms", "EnableKeyRotation")
def enable_rotation(call):
    """AWS: RotationPeriodInDays (90 to 2560, 365 by default) reads back. moto: loses it."""
    days = int(call.params.get("RotationPeriodInDays", 365))
    if not 90 <= days <= 2560:
        refuse(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must be between 90 and 2560",
        )
    answer = call.forward()
    call.store.table(ROTATION)[_key(call, call.params["KeyId"]).id] = days
    return answer


@patch("kms", "GetKeyRotationStatus")
def rotation_status(call):
    """AWS: answers the period and the next date."""
    answer = call.forward()
    key = _key(call, call.params["KeyId"])
    answer.data["KeyId"] = key.arn
    if answer.data.get("KeyRotationEnabled"):
        days = call.store.table(ROTATION).get(key.id, 365)
        answer.data.update(RotationPeriodInDays=days, NextRotationDate=time.time() + days * 86400)
    return answer


@patch("kms", "CreateKey", "PutKeyPolicy")
def check_policy(call):
    """AWS: a policy is JSON, names principals that exist and keeps someone able to change it. moto: takes any text."""
    if call.operation == "PutKeyPolicy" and call.params.get("PolicyName", "default") != "default":
        refuse("NotFoundException", "No such policy exists")
    if call.params.get("Policy"):
        _check_policy(call, call.params["Policy"])
    return call.forward()


def _check_policy(call, text):
    code = "MalformedPolicyDocumentException"
    try:
        listed = policies.statements(text)
    except (ValueError, AttributeError):
        refuse(code, "Policy document is not valid JSON")
    root = f"arn:aws:iam::{call.account}:root"
    roles = {role.arn for role in call.backend_of("iam").roles.values()}
    changeable = bool(call.params.get("BypassPolicyLockoutSafetyCheck"))
    for statement in listed:
        if (
            statement.get("Effect") not in ("Allow", "Deny")
            or "Principal" not in statement
            or "Action" not in statement
            or "Resource" not in statement
        ):
            refuse(code, "Policy contains a statement without Effect, Principal, Action or Resource.")
        named = policies.principals(statement, "AWS")
        if any(f":iam::{call.account}:role/" in name and name not in roles and "*" not in name for name in named):
            refuse(code, "Policy contains a statement with one or more invalid principals.")
        ours = {root, call.account, "*"} & set(named)
        if (
            statement["Effect"] == "Allow"
            and ours
            and not statement.get("Condition")
            and policies.covers(statement, "Action", "kms:PutKeyPolicy")
        ):
            changeable = True
    if not changeable:
        refuse(code, "The new key policy will not allow you to update the key policy in the future.")


@patch("kms", "ListKeys", "ListAliases")
def pages(call):
    """AWS: pages by Limit (100 and 50 by default) and Marker. moto: answers all."""
    answer = call.forward()
    name = "Keys" if call.operation == "ListKeys" else "Aliases"
    limit = int(call.params.get("Limit") or (100 if name == "Keys" else 50))
    start = int(call.params.get("Marker") or 0)
    items = answer.data[name]
    answer.data[name] = items[start : start + limit]
    answer.data["Truncated"] = start + limit < len(items)
    answer.data.pop("NextMarker", None)
    if answer.data["Truncated"]:
        answer.data["NextMarker"] = str(start + limit)
    return answer
