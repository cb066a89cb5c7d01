"""Log groups."""

import time

import moto.backends
from moto.logs.models import LogEvent, LogStream

from .. import policies
from ..call import patch, refuse

RETENTION = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
CLASSES = "log-group-classes"


# Events that a stream of `add` keeps.
KEPT = 50_000


def add(body):
    """What a service of AWS writes by itself: `{"account", "region", "group", "stream", "events": [[millisecond, message]]}`. Its time may be
    that of a clock that runs fast, which PutLogEvents would refuse. A group that is gone takes nothing."""
    group = moto.backends.get_backend("logs")[body["account"]][body["region"]].groups.get(body["group"])
    if group is None:
        return 0
    stream = group.streams.setdefault(body["stream"], LogStream(group, body["stream"]))
    now = int(time.time() * 1000)
    stream.events += [LogEvent(now, {"timestamp": at, "message": message}) for at, message in body["events"]]
    del stream.events[:-KEPT]
    return len(body["events"])


def _arn(call, name):
    return call.arn(f"log-group:{name}")


def _check_key(call, key_arn, group):
    """AWS: the key must be usable and its policy let the service of this region encrypt for this group."""
    kms = call.backend_of("kms")
    key = kms.keys.get(key_arn.split("key/")[-1]) if key_arn.startswith("arn:") else None
    service = f"logs.{call.region}.amazonaws.com"
    context = {
        "kms:EncryptionContext:aws:logs:arn": _arn(call, group),
        "aws:SourceAccount": call.account,
        "aws:SourceArn": _arn(call, group),
    }
    allowed = key is not None and any(
        statement.get("Effect") == "Allow"
        and {service, "*"} & set(policies.principals(statement, "Service"))
        and policies.covers(statement, "Action", "kms:GenerateDataKey")
        and policies.conditions_hold(statement, context)
        for statement in policies.statements(key.policy)
    )
    if not allowed or key.key_state != "Enabled":
        refuse(
            "InvalidParameterException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{_arn(call, group)}'",
        )


@patch("logs", "CreateLogGroup")
def create_group(call):
    """AWS: checks the key; logGroupClass reads back. moto: takes any key, loses the class."""
    name, key = call.params["logGroupName"], call.params.get("kmsKeyId")
    if key:
        _check_key(call, key, name)
    answer = call.forward()
    call.store.table(CLASSES)[name] = call.params.get("logGroupClass", "STANDARD")
    return answer


def _filters(call, name):
    return [one for one in call.backend.filters.metric_filters if one["logGroupName"] == name]


def _described(call, group):
    """What moto shows of a group, with what it loses."""
    name = group["logGroupName"]
    kind = call.store.table(CLASSES).get(name, "STANDARD")
    return {**group, "logGroupClass": kind, "metricFilterCount": len(_filters(call, name))}


@patch("logs", "DescribeLogGroups")
def describe_groups(call):
    """AWS: shows the class and how many metric filters there are; a list of identifiers shows those; a pattern is a substring and excludes a prefix, and then only names
    are shown. moto: knows neither list nor pattern."""
    pattern = call.params.get("logGroupNamePattern")
    names = call.params.get("logGroupIdentifiers")
    if names:
        if len(names) > 50:
            refuse("InvalidParameterException", "At most 50 log group identifiers are taken.")
        names = [name.split(":log-group:")[-1] for name in names]
        there = [call.backend.groups[name].to_describe_dict() for name in names if name in call.backend.groups]
        return {"logGroups": [_described(call, group) for group in there]}
    if pattern is None:
        answer = call.forward()
        answer.data["logGroups"] = [_described(call, group) for group in answer.data.get("logGroups", [])]
        return answer
    if call.params.get("logGroupNamePrefix") is not None:
        refuse("InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    matching = sorted(name for name in call.backend.groups if pattern in name)
    start = int(call.params.get("nextToken") or 0)
    end = start + int(call.params.get("limit") or 50)
    shown = [call.backend.groups[name].to_describe_dict() for name in matching[start:end]]
    names = [{key: group[key] for key in ("arn", "creationTime", "logGroupName")} for group in shown]
    return {"logGroups": names, **({"nextToken": str(end)} if end < len(matching) else {})}


def _group(call):
    name = call.params.get("logGroupName")
    group = call.backend.groups.get(name)
    return group if group else refuse("ResourceNotFoundException", "The specified log group does not exist.")


@patch("logs", "PutMetricFilter")
def put_filter(call):
    """AWS: the group must exist, and a filter of that name is replaced. moto: takes any, and has both."""
    _group(call)
    for one in _filters(call, call.params["logGroupName"]):
        if one["filterName"] == call.params["filterName"]:
            call.backend.filters.metric_filters.remove(one)
    return call.forward()


@patch("logs", "DeleteMetricFilter")
def delete_filter(call):
    """AWS: refuses what is not there. moto: does not."""
    _group(call)
    if call.params["filterName"] not in [one["filterName"] for one in _filters(call, call.params["logGroupName"])]:
        refuse("ResourceNotFoundException", "The specified metric filter does not exist.")
    return call.forward()


@patch("logs", "DeleteLogGroup")
def delete_group(call):
    """AWS: tags and metric filters go with their group. moto: gives them to the next one of that name."""
    answer = call.forward()
    for one in _filters(call, call.params["logGroupName"]):
        call.backend.filters.metric_filters.remove(one)
    call.backend.tagger.delete_all_tags_for_resource(_arn(call, call.params["logGroupName"]))
    return answer


@patch("logs", "AssociateKmsKey")
def associate_key(call):
    """moto: not implemented."""
    group = _group(call)
    _check_key(call, call.params["kmsKeyId"], call.params["logGroupName"])
    group.kms_key_id = call.params["kmsKeyId"]
    return {}


@patch("logs", "DisassociateKmsKey")
def disassociate_key(call):
    """moto: not implemented."""
    _group(call).kms_key_id = None
    return {}


@patch("logs", "PutRetentionPolicy")
def put_retention(call):
    """AWS: takes listed values only. moto: any number."""
    days = call.params.get("retentionInDays")
    if days not in RETENTION:
        refuse(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must be one of {sorted(RETENTION)}",
        )
    return call.forward()


@patch("logs", "TagResource", "UntagResource", "ListTagsForResource")
def tags_of_unknown(call):
    """AWS: the group must exist. moto: takes any ARN."""
    arn = call.params["resourceArn"]
    name = arn.split(":log-group:", 1)[-1]
    if ":log-group:" in arn and name not in call.backend.groups:
        refuse("ResourceNotFoundException", "The specified resource does not exist.")
    return call.forward()
