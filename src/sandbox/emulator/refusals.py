"""The errors AWS gives for reasons outside a call: throttled, not authorized, broken inside; worded as each service does."""

from .errors import AwsError

IAM_PREFIX = {
    "elbv2": "elasticloadbalancing",
    "service-quotas": "servicequotas",
    "resourcegroupstaggingapi": "tag",
    "dynamodbstreams": "dynamodb",
}
# Codes of an internal error where they differ from the protocol's usual one.
INTERNAL_CODE = {
    "dynamodb": "InternalServerError",
    "kms": "KMSInternalException",
    "logs": "ServiceUnavailableException",
    "secretsmanager": "InternalServiceError",
    "ssm": "InternalServerError",
    "ecs": "ServerException",
    "ecr": "ServerException",
    "application-autoscaling": "InternalServiceException",
    "service-quotas": "ServiceException",
    "iam": "ServiceFailure",
}


# Throttling where a service has words or a status of its own: (code, message, status). From the service models (Lambda, SNS, SQS,
# Scheduler, Service Quotas, the tagging API), the pages about throttling of ELB, RDS, Route 53 and KMS, and the error codes of EC2 and S3.
THROTTLED = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "route53": ("Throttling", "Rate exceeded", 400),
    "elbv2": ("ThrottlingException", "Rate exceeded", 400),
    "rds": ("ThrottlingException", "Rate exceeded", 400),
    "sns": ("Throttled", "Rate exceeded", 429),
    "sqs": ("RequestThrottled", "Request is throttled.", 400),
    "lambda": ("TooManyRequestsException", "Rate exceeded", 429),
    "scheduler": ("ThrottlingException", "Rate exceeded", 429),
    "service-quotas": ("TooManyRequestsException", "Rate exceeded", 400),
    "resourcegroupstaggingapi": ("ThrottledException", "Rate exceeded", 400),
    "kms": (
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        400,
    ),
}


def throttled(request):
    """The throttling error of the request's service: `Throttling` for Query and `ThrottlingException` for JSON where it has no other."""
    usual = "Throttling" if request.protocol == "query" else "ThrottlingException"
    return AwsError(*THROTTLED.get(request.service, (usual, "Rate exceeded", 400)))


def internal_error(request):
    """A 500 as the service words it."""
    if request.service == "s3":
        return AwsError("InternalError", "We encountered an internal error. Please try again.", 500)
    if request.protocol == "ec2":
        return AwsError("InternalError", "An internal error has occurred", 500)
    code = INTERNAL_CODE.get(request.service, "InternalFailure")
    return AwsError(code, "The request processing has failed because of an unknown error, exception or failure.", 500)


def access_denied(request, user=None, action=None, resource=None, denied=False):
    """What a caller without the permission gets; by default for the request's own operation."""
    action = action or f"{IAM_PREFIX.get(request.service, request.service)}:{request.operation}"
    user = user or f"arn:aws:iam::{request.account}:user/sandbox"
    reason = f"because no identity-based policy allows the {action} action"
    if denied:
        reason = "with an explicit deny in an identity-based policy"
    what = f"User: {user} is not authorized to perform: {action} on resource: {resource or _resource(request)} {reason}"
    if request.protocol == "ec2":
        return AwsError("UnauthorizedOperation", f"You are not authorized to perform this operation. {what}", 403)
    if request.protocol in ("json", "rest-json"):
        return AwsError("AccessDeniedException", what, 400 if request.protocol == "json" else 403)
    return AwsError("AccessDenied", what, 403)


def _resource(request):
    if request.service == "s3":
        return '"arn:aws:s3:::' + request.path.strip("/") + '"'
    region = "" if request.service in ("iam", "sts") else request.region
    return f"arn:aws:{IAM_PREFIX.get(request.service, request.service)}:{region}:{request.account}:*"
