"""Limits that AWS's documentation names and its service models lack: names, tags, pages, tokens, policy sizes."""

import fnmatch
import re
from collections import Counter

from ..call import patch, refuse
from .validation import code_of

# "Identifiers" of RDS ("Naming constraints in Amazon RDS"): a letter first, no two hyphens together, none at the end.
IDENTIFIER = r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]*(?<!-)"
# (service, operation) -> member -> what all of it must match.
NAMES = {
    ("rds", "*"): {
        "DBClusterIdentifier": rf"(?=.{{1,63}}$){IDENTIFIER}|arn:.*",
        "DBInstanceIdentifier": rf"(?=.{{1,63}}$){IDENTIFIER}|arn:.*",
    },
    ("rds", "Create*"): {
        "DBClusterParameterGroupName": rf"(?=.{{1,255}}$){IDENTIFIER}|default\..*",
        "DBParameterGroupName": rf"(?=.{{1,255}}$){IDENTIFIER}|default\..*",
        "DBSubnetGroupName": r"(?!(?i:default)$)[a-zA-Z0-9 ._-]{1,255}",
        "MasterUsername": r"[a-zA-Z][a-zA-Z0-9_]{0,62}",
        "PreferredBackupWindow": r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d",
    },
    ("rds", "Describe*"): {"MaxRecords": r"[2-9]\d|100"},
    # "CreateTable", TableName; a table may be named by its ARN elsewhere.
    ("dynamodb", "*"): {"TableName": r"[a-zA-Z0-9_.-]{3,255}|arn:aws[a-z-]*:dynamodb:.*"},
    # "General purpose bucket naming rules".
    ("s3", "CreateBucket"): {
        "Bucket": r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)(?<!--x-s3)"
    },
    # The model's limit of a page is that of the largest one.
    ("kms", "ListAliases"): {"Limit": r"[1-9]\d?|100"},
    ("kms", "ListResourceTags"): {"Limit": r"[1-4]?\d|50"},
    ("kms", "*Alias"): {"AliasName": r"(?!alias/aws/).*"},
    # "Ensuring idempotency in Amazon EC2 API requests": up to 64 ASCII characters.
    ("ec2", "*"): {"ClientToken": r"[\x21-\x7e]{1,64}"},
    ("ec2", "DescribeTags"): {"MaxResults": r"[5-9]|[1-9]\d{1,2}|1000"},
    # "CreateFlowLogs": 60 or 600 seconds.
    ("ec2", "CreateFlowLogs"): {"MaxAggregationInterval": "60|600"},
    # "Quotas" of AWS PrivateLink and of Amazon S3; a KMS key policy is 32 KiB at most.
    ("ec2", "*VpcEndpoint"): {"PolicyDocument": r"(?s:.{0,20480})"},
    ("s3", "PutBucketPolicy"): {"Policy": r"(?s:.{0,20480})"},
    ("kms", "*"): {"Policy": r"(?s:.{0,32768})"},
}
# "Tag naming limits and requirements" (Tagging AWS resources).
TAGS, KEY, VALUE = 50, 128, 256
LETTERS = re.compile(r"[\w\s_.:/=+\-@]*")
# Code of a tag that is refused where it differs from that of any malformed request; EC2 takes any characters.
TAG_CODES = {"ecs": "InvalidParameterException", "iam": "InvalidInput", "kms": "TagException", "s3": "InvalidTag"}
# How no value may begin, whatever its case, and no key beside `aws:` ("Tag" in the API references of RDS and Amazon ECS).
RESERVED = {"rds": ("aws:", "rds:"), "ecs": ("aws:",)}
LISTS = ("Tags", "TagSet", "tags")


@patch("*", "*")
def documented_limits(call):
    """AWS: refuses names, tokens and sizes outside their documented limits. moto: takes most."""
    if not call.internal:
        for (service, operations), members in NAMES.items():
            if call.service == service and fnmatch.fnmatchcase(call.operation, operations):
                _check_names(call, members)
        for tags in _tag_lists(call.params):
            _check_tags(call, tags)
    return call.forward()


def _check_names(call, members):
    for name, pattern in members.items():
        value = call.params.get(name)
        if value is not None and not re.fullmatch(pattern, str(value)):
            refuse(code_of(call), f"Invalid value '{str(value)[:80]}' for {name}: it must match {pattern}")


def _tag_lists(value):
    """Every list (or map) of tags in the parameters of a call, as pairs."""
    if isinstance(value, list):
        for item in value:
            yield from _tag_lists(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in LISTS and isinstance(item, dict) and "TagSet" not in item:
                yield list(item.items())
            elif name in LISTS and isinstance(item, list):
                yield [_pair(tag) for tag in item if isinstance(tag, dict)]
            else:
                yield from _tag_lists(item)


def _pair(tag):
    return tag.get("Key", tag.get("TagKey", tag.get("key", ""))), tag.get("Value", tag.get("TagValue", tag.get("value")))


def _check_tags(call, tags):
    code = TAG_CODES.get(call.service, code_of(call))
    if len(tags) > TAGS:
        refuse("TagLimitExceeded" if call.service == "ec2" else code, f"More than {TAGS} tags")
    twice = [key for key, times in Counter(key for key, _ in tags).items() if times > 1]
    if twice:
        refuse(code, f"Duplicate tag key '{twice[0]}' specified.")
    for key, value in tags:
        if not 1 <= len(key) <= KEY or len(value or "") > VALUE:
            refuse(code, f"Tag '{key[:KEY]}' is too long: keys have 1 to {KEY} characters, values up to {VALUE}")
        reserved = RESERVED.get(call.service, ())
        if key.lower().startswith(("aws:", *reserved)) or (value or "").lower().startswith(reserved):
            refuse(code, f"Tag '{key}' is reserved: it must not begin with {' or '.join(reserved or ('aws:',))}")
        if call.service != "ec2" and not (LETTERS.fullmatch(key) and LETTERS.fullmatch(value or "")):
            refuse(code, f"Tag '{key}' has a character that is not allowed")
