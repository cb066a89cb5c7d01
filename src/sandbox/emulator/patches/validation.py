"""Requests that AWS refuses before any service logic: what the service model forbids, and a DryRun."""

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError

from .. import shapes
from ..call import patch, refuse

# Code of a malformed request where it differs from the protocol's usual one.
CODES = {
    "ec2": "InvalidParameterValue",
    "iam": "ValidationError",
    "sts": "ValidationError",
    "cloudwatch": "ValidationError",
    "rds": "InvalidParameterValue",
    "s3": "InvalidArgument",
    "logs": "InvalidParameterException",
    "secretsmanager": "InvalidParameterException",
    "service-quotas": "IllegalArgumentException",
    "resourcegroupstaggingapi": "InvalidParameterException",
}
USUAL = {"query": "ValidationError"}


def code_of(call):
    """The service's code for a request that is malformed."""
    return CODES.get(call.service) or USUAL.get(call.request.protocol, "ValidationException")


@patch("*", "*")
def service_model(call):
    """AWS: required members, types, lengths, ranges, patterns and enumerated values are checked first. moto: checks hardly
    any."""
    if call.internal or call.request.protocol == "rest-xml" and call.service != "s3":
        return call.forward()
    try:
        shape = call.request.model.input_shape
    except OperationNotFoundError:
        if call.service == "s3" or call.request.protocol == "rest-json":
            return call.forward()
        code = "InvalidAction" if call.request.protocol != "json" else "UnknownOperationException"
        refuse(code, f"The action {call.operation} is not valid for this web service.")
    except UnknownServiceError:
        shape = None
    found = shapes.problems(call.params, shape) if shape is not None else []
    if found:
        code = code_of(call)
        if call.service == "ec2" and found[0].startswith("Missing"):
            code = "MissingParameter"
        if call.service == "s3" and call.request.body.lstrip().startswith(b"<"):
            code = "MalformedXML"
        refuse(code, "; ".join(found))
    return call.forward()


@patch("ec2", "*")
def dry_run(call):
    """AWS: a DryRun answers DryRunOperation (412) and does nothing. moto: mostly does the thing."""
    if call.params.get("DryRun"):
        refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return call.forward()
