"""Requests that AWS refuses before any service logic: what the service model forbids, and a DryRun."""

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator

from ..call import mend, refuse

# Code of a malformed request where it differs from the protocol's usual one.
CODES = {
    "iam": "ValidationError",
    "sts": "ValidationError",
    "cloudwatch": "ValidationError",
    "rds": "InvalidParameterValue",
    "logs": "InvalidParameterException",
    "secretsmanager": "InvalidParameterException",
    "service-quotas": "IllegalArgumentException",
    "resourcegroupstaggingapi": "InvalidParameterException",
}
VALIDATOR = ParamValidator()


@mend("*", "*")
def service_model(call):
    """AWS: required members, lengths, ranges and enumerated values are checked first. moto: checks hardly any."""
    if not call.internal and call.service != "s3" and call.request.protocol in ("ec2", "query", "json"):
        try:
            shape = call.request.model.input_shape
        except OperationNotFoundError:
            code = "InvalidAction" if call.request.protocol != "json" else "UnknownOperationException"
            refuse(code, f"The action {call.operation} is not valid for this web service.")
        except UnknownServiceError:
            shape = None
        if shape is not None:
            problems = _problems(call.params, shape)
            if problems:
                code = CODES.get(call.service) or {"ec2": "InvalidParameterValue", "query": "ValidationError"}.get(
                    call.request.protocol, "ValidationException"
                )
                if call.service == "ec2" and problems.startswith("Missing"):
                    code = "MissingParameter"
                refuse(code, problems)
    return call.forward()


def _problems(params, shape):
    report = VALIDATOR.validate(params, shape)
    # Members that the model here is too old for, and lists for which Query can't tell empty from absent, are no errors.
    found = (
        [line for line in report.generate_report().splitlines() if not line.startswith("Unknown parameter")]
        if report.has_errors()
        else []
    )
    return "; ".join(found) or _unknown_values(params, shape, "")


def _unknown_values(value, shape, path):
    """The first enumerated string that is none of the listed ones."""
    if value is None:
        return ""
    if shape.type_name == "structure" and isinstance(value, dict):
        parts = [(value[name], member, f"{path}.{name}") for name, member in shape.members.items() if name in value]
    elif shape.type_name == "list" and isinstance(value, list):
        parts = [(item, shape.member, path) for item in value]
    elif shape.type_name == "string" and getattr(shape, "enum", None):
        return (
            ""
            if value in shape.enum
            else f"Value ({value}) for parameter {path.lstrip('.')} is invalid. Valid values are {', '.join(shape.enum)}"
        )
    else:
        return ""
    return next((problem for part in parts for problem in [_unknown_values(*part)] if problem), "")


@mend("ec2", "*")
def dry_run(call):
    """AWS: a DryRun answers DryRunOperation (412) and does nothing. moto: mostly does the thing."""
    if call.params.get("DryRun"):
        refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return call.forward()
