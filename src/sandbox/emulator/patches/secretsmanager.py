"""Secrets, those that RDS manages, and rotation."""

import json
import random
import string
import time
import uuid

from ..call import patch, refuse

# What RDS puts into passwords.
PASSWORD = string.ascii_letters + string.digits + "!#$%&()*+,-.:;<=>?[]^_{|}~"
# Secrets that are deleted without a recovery window and not gone yet.
LEAVING = "secrets-leaving"


def _secret(call):
    name = call.params.get("SecretId", "")
    try:
        return call.backend.secrets[name] if call.backend._is_valid_identifier(name) else None
    except KeyError:
        return None


def managed_password():
    """As RDS makes them: 28 characters, special ones among them."""
    return "".join(random.choice(PASSWORD) for _ in range(28))


def rotate_managed(secret):
    """The owning service gives its secret a new password; the former value stays as AWSPREVIOUS."""
    former = secret.versions[secret.default_version_id]["secret_string"]
    value = json.dumps(json.loads(former) | {"password": managed_password()})
    version, now = str(uuid.uuid4()), int(time.time())
    made = {"secret_string": value, "createdate": now, "version_id": version, "version_stages": ["AWSCURRENT"]}
    secret.reset_default_version(made, version)
    secret.secret_string = value
    secret.last_rotation_date = secret.last_changed_date = now


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
        rotate_managed(secret)
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


@patch("secretsmanager", "CreateSecret")
def create(call):
    """AWS: a name is free again when the deletion is done, and the refusal until then says so. moto: says that it exists."""
    kept = next((kept for kept in call.backend.secrets.values() if kept.name == call.params["Name"]), None)
    if kept is not None and kept.is_deleted():
        refuse(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    return call.forward()


@patch("secretsmanager", "UpdateSecret")
def update(call):
    """AWS: a description can be emptied. moto: keeps the old one."""
    answer = call.forward()
    if "Description" in call.params:
        _secret(call).description = call.params["Description"]
    return answer


@patch("secretsmanager", "DeleteSecret")
def delete(call):
    """AWS: without a recovery window the deletion takes a moment, and nothing brings the secret back. moto: is done at once."""
    secret = _secret(call)
    if secret is None or not call.params.get("ForceDeleteWithoutRecovery"):
        return call.forward()
    if call.clock.seconds("secretsmanager/secret deletion") <= 0:
        return call.forward()
    if call.params.get("RecoveryWindowInDays") or getattr(secret, "replicas", None):
        return call.forward()
    secrets, leaving = call.backend.secrets, call.store.table(LEAVING)
    secret.delete(time.time())
    leaving[secret.arn] = True

    def gone():
        leaving.pop(secret.arn, None)
        secrets.pop(secret.name)

    call.clock.later("secretsmanager/secret deletion", gone)
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": secret.deleted_date}


@patch("secretsmanager", "RestoreSecret")
def restore(call):
    """AWS: see DeleteSecret."""
    secret = _secret(call)
    if secret is not None and secret.arn in call.store.table(LEAVING):
        refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    return call.forward()
