"""Secrets that RDS manages, and rotation."""

import time

from ..call import patch, refuse


def _secret(call):
    name = call.params.get("SecretId", "")
    try:
        return call.backend.secrets[name] if call.backend._is_valid_identifier(name) else None
    except KeyError:
        return None


@patch("secretsmanager", "RotateSecret")
def rotate(call):
    """AWS: the rotation of a managed secret takes RotationRules and no Lambda; with RotateImmediately=false only the
    schedule changes. Other secrets need a Lambda. moto: makes a version each time, takes neither rule seriously."""
    secret = _secret(call)
    if secret is None:
        return call.forward()
    managed = getattr(secret, "owning_service", None)
    rules = call.params.get("RotationRules") or {}
    if managed and call.params.get("RotationLambdaARN"):
        refuse(
            "InvalidRequestException",
            f"You can't specify a rotation Lambda function for a secret managed by {managed}.",
        )
    if not managed and not call.params.get("RotationLambdaARN") and not secret.rotation_lambda_arn:
        refuse("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
    if not managed:
        return call.forward()
    days = rules.get("AutomaticallyAfterDays")
    if days is not None and not 1 <= int(days) <= 1000:
        refuse("InvalidParameterException", "RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    if days is not None or rules:
        secret.rotation_requested, secret.rotation_enabled = True, True
        secret.auto_rotate_after_days = int(days or secret.auto_rotate_after_days)
        secret.rotation_rules = rules
        secret.next_rotation_date = int(time.time()) + secret.auto_rotate_after_days * 86400
    if call.params.get("RotateImmediately", True):
        call.forward({"SecretId": call.params["SecretId"]})
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": secret.default_version_id}


@patch("secretsmanager", "DescribeSecret", "ListSecrets")
def shown_rotation(call):
    """AWS: shows the schedule as it was set and no Lambda for a managed secret."""
    answer = call.forward()
    shown = answer.data.get("SecretList", [answer.data])
    for entry in shown:
        secret = next((kept for kept in call.backend.secrets.values() if kept.arn == entry.get("ARN")), None)
        if entry.get("OwningService"):
            entry.pop("RotationLambdaARN", None)
        if getattr(secret, "rotation_rules", None):
            entry["RotationRules"] = {key: value for key, value in secret.rotation_rules.items()}
    return answer


@patch("secretsmanager", "DeleteSecret", "PutSecretValue", "UpdateSecret", "CancelRotateSecret")
def managed_by_service(call):
    """AWS: only the owning service changes or deletes a managed secret. moto: anyone does."""
    secret = _secret(call)
    if secret is not None and getattr(secret, "owning_service", None):
        refuse(
            "InvalidRequestException",
            f"You can't perform this operation on a secret managed by {secret.owning_service}.",
        )
    return call.forward()
