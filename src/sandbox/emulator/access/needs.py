"""What a call needs: its actions on the resources that it names or makes, with the context of each."""

from ..refusals import IAM_PREFIX
from . import beside, reference, resources, tags
from .evaluate import Need, Unjudged

# IAM's actions where they are not named like their operation ("Actions, resources, and condition keys" of S3 and of Lambda).
ACTIONS = {
    "s3:ListBuckets": ["s3:ListAllMyBuckets"],
    "s3:HeadBucket": ["s3:ListBucket"],
    "s3:ListObjects": ["s3:ListBucket"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:HeadObject": ["s3:GetObject"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
    "s3:ListMultipartUploads": ["s3:ListBucketMultipartUploads"],
    "s3:GetBucketEncryption": ["s3:GetEncryptionConfiguration"],
    "s3:PutBucketEncryption": ["s3:PutEncryptionConfiguration"],
    "s3:GetPublicAccessBlock": ["s3:GetBucketPublicAccessBlock"],
    "s3:PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "s3:GetBucketLifecycleConfiguration": ["s3:GetLifecycleConfiguration"],
    "s3:PutBucketLifecycleConfiguration": ["s3:PutLifecycleConfiguration"],
    "s3:DeleteBucketLifecycle": ["s3:PutLifecycleConfiguration"],
    "s3:GetBucketReplication": ["s3:GetReplicationConfiguration"],
    "s3:DeleteBucketReplication": ["s3:PutReplicationConfiguration"],
    "s3:GetBucketNotificationConfiguration": ["s3:GetBucketNotification"],
    "s3:PutBucketNotificationConfiguration": ["s3:PutBucketNotification"],
    "s3:ListBucketInventoryConfigurations": ["s3:GetInventoryConfiguration"],
    "s3:DeleteBucketInventoryConfiguration": ["s3:PutInventoryConfiguration"],
    "s3:ListBucketAnalyticsConfigurations": ["s3:GetAnalyticsConfiguration"],
    "s3:DeleteBucketAnalyticsConfiguration": ["s3:PutAnalyticsConfiguration"],
    "s3:GetBucketCors": ["s3:GetBucketCORS"],
    "s3:PutBucketCors": ["s3:PutBucketCORS"],
    "s3:DeleteBucketCors": ["s3:PutBucketCORS"],
    "s3:DeleteObjects": ["s3:DeleteObject"],
    "lambda:Invoke": ["lambda:InvokeFunction"],
}
# Types that stand for one another where both are marked as required: a listener is an application's or a network's.
ALTERNATIVES = ("elasticloadbalancing", "route53", "dynamodb", "events", "wafv2")
MAKES = ("Associate", "Create", "Restore", "Request", "Register", "Run", "Put", "Copy", "Allocate", "Import")


def of(call):
    """Everything that a call needs. Raises Unjudged for an operation that nobody has described."""
    service = IAM_PREFIX.get(call.service, call.service)
    operation = f"{service}:{call.operation}"
    found = []
    for action in _actions(call, operation):
        found += [Need(action, arn, _context(call, action, arn)) for arn in on(call, action)]
    return found + beside.of(call, service, found)


def made(call):
    """Notes what a successful call made beside what it was asked for."""
    beside.made(call)


def _actions(call, operation):
    actions = ACTIONS.get(operation, [operation])
    deleted = [item for item in (call.params.get("Delete") or {}).get("Objects", [])] if operation == "s3:DeleteObjects" else []
    if any(item.get("VersionId") for item in deleted) or (operation == "s3:DeleteObject" and call.params.get("VersionId")):
        # A request that names versions deletes versions ("s3:DeleteObjectVersion").
        plain = ["s3:DeleteObject"] if any(not item.get("VersionId") for item in deleted) else []
        return ["s3:DeleteObjectVersion", *plain]
    return actions


def on(call, action):
    """The resources that an action is judged on."""
    service = action.split(":")[0]
    types = reference.types(action)
    if types is None:
        raise Unjudged(f"the action {action} is not in reference.json")
    if types == [("*", False)]:
        types = [(kind, False) for kind in reference.kinds(service)]
    found, missing = [], []
    for kind, required in types:
        named = resources.named(call, action, kind)
        # A create names a new thing by no id.
        if not named and required:
            missing.append(kind)
        found += [arn for arn in named if arn not in found]
    alternatives = service in ALTERNATIVES and found
    if missing and not alternatives and (not found or call.operation.startswith(MAKES)):
        found += [resources.filled(call, service, kind) for kind in missing]
    if not found and types and call.operation.startswith(("Describe", "List", "Get")):
        # A read of all is judged on all of its type.
        found = [resources.filled(call, service, types[0][0])]
    if not found and missing:
        # What is named is not there: as if it had an id that nobody knows.
        found = [resources.filled(call, service, missing[0])]
    return found or ["*"]


def _context(call, action, arn):
    """The keys of the context that are known; None for one that this request does not have."""
    known = {
        "cloudwatch:namespace": call.params.get("Namespace"),
        "dynamodb:select": _select(call),
        "aws:requestedregion": call.region,
        "aws:viaawsservice": "false",
    }
    return context(call, action, arn, known)


def context(call, action, arn, known):
    """A function that answers the value of a key; raises Unjudged for a key that nobody fills in."""

    def value(key):
        name, _, tag = key.partition("/")
        if name.lower() == "aws:requesttag":
            return _asked(call, action, arn).get(tag)
        if name.lower() in ("aws:resourcetag", f"{action.split(':')[0]}:resourcetag"):
            return tags.of(call, arn).get(tag) if arn != "*" else None
        if key.lower() in known:
            return known[key.lower()]
        if key.lower() in OPTIONAL:
            return None
        raise Unjudged(f"the condition key {key}")

    return value


# Keys that only some requests have: absent from all others.
OPTIONAL = {"dynamodb:select", "ec2:createaction", "kms:viaservice", "iam:passedtoservice", "iam:awsservicename"}


def _asked(call, action, arn):
    """EC2's tags in a request are for what it makes, which has no id yet."""
    if call.service == "ec2" and call.operation not in ("CreateTags", "DeleteTags"):
        return tags.asked(call.params, arn.split(":")[5].split("/")[0]) if arn.endswith("/*") else {}
    return tags.asked(call.params)


def _select(call):
    if call.service != "dynamodb" or call.operation not in ("Scan", "Query"):
        return None
    return call.params.get("Select") or "ALL_ATTRIBUTES"
