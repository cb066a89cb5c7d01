"""CloudTrail's event history: the management events of the call log."""

import datetime
import json
import uuid

from ..call import patch, refuse
from ..log import named

# What only a trail records ("Logging data events").
DATA = {
    ("s3", "PutObject"), ("s3", "DeleteObject"), ("s3", "DeleteObjects"), ("s3", "CopyObject"),
    ("dynamodb", "PutItem"), ("dynamodb", "UpdateItem"), ("dynamodb", "DeleteItem"), ("dynamodb", "BatchWriteItem"),
    ("sqs", "SendMessage"), ("sqs", "DeleteMessage"), ("sns", "Publish"), ("lambda", "Invoke"),
    ("logs", "PutLogEvents"), ("cloudwatch", "PutMetricData"),
}  # fmt: skip
GLOBAL = ("iam", "route53", "sts")
# "Not all AWS services log the affected resources": events of these have none (flosell/trailscraper#21).
SILENT = ("lambda", "route53")
SOURCES = {"cloudwatch": "monitoring", "elbv2": "elasticloadbalancing", "application-autoscaling": "autoscaling"}


def _shown(call, entry):
    return (
        entry["write"]
        and entry["status"] is not None
        and (entry["service"], entry["operation"]) not in DATA
        and ("us-east-1" if entry["service"] in GLOBAL else entry["region"]) == call.region
    )


def _source(entry):
    return f"{SOURCES.get(entry['service'], entry['service'])}.amazonaws.com"


def _resources(entry):
    return () if entry["service"] in SILENT else named(entry)


def _event(call, entry):
    arn = f"arn:aws:iam::{call.account}:user/{entry['who']}"
    at = datetime.datetime.fromtimestamp(entry["time"], datetime.timezone.utc)
    record = {
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventName": entry["operation"],
        "awsRegion": entry["region"],
        "readOnly": False,
        "requestParameters": {"texts": sorted(named(entry))},
        "userIdentity": {"type": "IAMUser", "arn": arn, "userName": entry["who"], "accountId": call.account},
        **({"errorCode": entry["error"]} if entry["error"] else {}),
    }
    return {
        "EventId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{call.gateway.instance}/{entry['seq']}")),
        "EventName": entry["operation"],
        "ReadOnly": "false",
        "EventTime": int(entry["time"]),
        "EventSource": _source(entry),
        "Username": entry["who"],
        "Resources": [{"ResourceName": name} for name in sorted(_resources(entry))[:20]],
        "CloudTrailEvent": json.dumps(record),
    }


@patch("cloudtrail", "LookupEvents")
def lookup(call):
    """AWS: management events of 90 days by one attribute, the newest first, at most 50 a page; those of services without regions are
    in us-east-1. Here: changes alone, a thing counts as named when a parameter is its name (not in events of SILENT), parameters are
    their texts alone, and none comes late. moto: none."""
    attributes = call.params.get("LookupAttributes") or []
    if len(attributes) > 1:
        refuse("InvalidLookupAttributesException", "You can specify only one attribute in a lookup request.")
    found = [entry for entry in call.gateway.log.since(0) if _shown(call, entry)]
    for attribute in attributes:
        key, value = attribute["AttributeKey"], attribute["AttributeValue"]
        if key == "ResourceName":
            found = [entry for entry in found if value in _resources(entry)]
        elif key == "EventSource":
            found = [entry for entry in found if _source(entry) == value]
        elif key == "EventName":
            found = [entry for entry in found if entry["operation"] == value]
        elif key == "Username":
            found = [entry for entry in found if entry["who"] == value]
        else:
            refuse("InvalidLookupAttributesException", f"The sandbox does not look events up by {key}.")
    size = min(call.params.get("MaxResults") or 50, 50)
    start = int(call.params.get("NextToken") or 0)
    found = found[::-1][start : start + size + 1]
    events = [_event(call, entry) for entry in found[:size]]
    return {"Events": events, **({"NextToken": str(start + size)} if len(found) > size else {})}
