"""Alarms of both kinds, their history, and dashboards."""

import datetime
import json
import re
import time

from ..call import patch, refuse

HISTORY = "alarm-history"
NAMED = re.compile(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*["']?([^"')]+)["']?\s*\)""")


def _users(call, name):
    """The composite alarms that name an alarm."""
    return [one.name for one in call.backend.alarms.values() if one.rule and name in NAMED.findall(one.rule)]


def _check(call, other):
    """Both kinds share their names; actions are ARNs."""
    there = call.backend.alarms.get(call.params["AlarmName"])
    if there is not None and bool(there.rule) == other:
        refuse("ValidationError", f"An alarm of another type already exists with the name {there.name}")
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for action in call.params.get(key) or []:
            if not action.startswith("arn:"):
                refuse("ValidationError", f"Invalid arn syntax: {action}")


def _keeping_tags(call, put):
    """Tags count at creation only."""
    name = call.params["AlarmName"]
    there = call.backend.alarms.get(name)
    before = dict(call.backend.tagger.get_tag_dict_for_resource(there.alarm_arn)) if there else None
    answer = put()
    if before is not None:
        arn = call.backend.alarms[name].alarm_arn
        call.backend.tagger.delete_all_tags_for_resource(arn)
        call.backend.tagger.tag_resource(arn, call.backend.tagger.convert_dict_to_tags_input(before))
    return answer


@patch("cloudwatch", "PutMetricAlarm")
def put_alarm(call):
    """AWS: an update keeps the tags; a name belongs to one kind. moto: takes the tags again; either kind overwrites the other."""
    _check(call, other=True)
    return _keeping_tags(call, call.forward)


@patch("cloudwatch", "PutCompositeAlarm")
def put_composite(call):
    """AWS: an alarm over others, which exist. moto: does not offer it."""
    params = call.params
    _check(call, other=False)
    for name in NAMED.findall(params["AlarmRule"]):
        if name not in call.backend.alarms:
            refuse("ValidationError", f"AlarmRule must not contain alarms that do not exist: {name}")

    def put():
        call.backend.put_metric_alarm(
            name=params["AlarmName"],
            namespace=None,
            metric_name=None,
            comparison_operator=None,
            evaluation_periods=None,
            period=None,
            threshold=None,
            statistic=None,
            description=params.get("AlarmDescription"),
            dimensions=[],
            alarm_actions=params.get("AlarmActions", []),
            ok_actions=params.get("OKActions", []),
            insufficient_data_actions=params.get("InsufficientDataActions", []),
            actions_enabled=params.get("ActionsEnabled", True),
            rule=params["AlarmRule"],
            tags=params.get("Tags"),
        )
        return {}

    return _keeping_tags(call, put)


@patch("cloudwatch", "DescribeAlarms")
def describe(call):
    """AWS: composite alarms only when they are asked for. moto: always both."""
    answer = call.forward()
    kinds = call.params.get("AlarmTypes") or ["MetricAlarm"]
    for kind, key in (("MetricAlarm", "MetricAlarms"), ("CompositeAlarm", "CompositeAlarms")):
        if kind not in kinds:
            answer.data[key] = []
    for one in answer.data.get("CompositeAlarms", []):
        rule = call.backend.alarms[one["AlarmName"]].rule
        one["AlarmRule"] = rule
        for key in ("Namespace", "MetricName", "Dimensions", "Metrics", "EvaluationPeriods", "ComparisonOperator"):
            one.pop(key, None)
    return answer


@patch("cloudwatch", "DeleteAlarms")
def delete(call):
    """AWS: not what a composite alarm names. moto: anything."""
    names = call.params["AlarmNames"]
    for name in names:
        users = [user for user in _users(call, name) if user not in names]
        if users:
            refuse("ValidationError", f"Cannot delete {name} as there are composite alarm(s) depending on it: {', '.join(users)}")
    if not any(name in call.backend.alarms for name in names):
        refuse("ResourceNotFound", f"Alarms {names} do not exist", 404)
    for name in names:
        there = call.backend.alarms.get(name)
        if there is not None:
            call.backend.tagger.delete_all_tags_for_resource(there.alarm_arn)
    return call.forward()


@patch("cloudwatch", "ListTagsForResource")
def list_tags(call):
    """AWS: of an alarm that is there. moto: of anything."""
    if call.params["ResourceARN"] not in {one.alarm_arn for one in call.backend.alarms.values()}:
        refuse("ResourceNotFoundException", "Unknown", 404)
    return call.forward()


@patch("cloudwatch", "SetAlarmState")
def set_state(call):
    """AWS: a change of state is in the alarm's history. moto: has none."""
    name, new = call.params["AlarmName"], call.params["StateValue"]
    there = call.backend.alarms.get(name)
    old = there.state_value if there else None
    answer = call.forward()
    if old != new:
        data = {"version": "1.0", "oldState": {"stateValue": old}, "newState": {"stateValue": new, "stateReason": call.params["StateReason"]}}
        # The sandbox's clock may have been set ahead.
        at = datetime.datetime.fromtimestamp(time.time() + call.clock.now() - time.monotonic(), datetime.timezone.utc)
        item = {
            "AlarmName": name,
            "AlarmType": "CompositeAlarm" if there.rule else "MetricAlarm",
            "Timestamp": at,
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {old} to {new}",
            "HistoryData": json.dumps(data),
        }
        call.store.table(HISTORY).setdefault(name, []).append(item)
    return answer


def _moment(value):
    """A time of a request: a number of seconds, a text, or a time."""
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)


@patch("cloudwatch", "DescribeAlarmHistory")
def history(call):
    """AWS: changes of state, the newest first unless asked otherwise. moto: not implemented."""
    params = call.params
    names = [params["AlarmName"]] if params.get("AlarmName") else list(call.store.table(HISTORY))
    items = [item for name in names for item in call.store.table(HISTORY).get(name, [])]
    if params.get("StartDate") is not None:
        items = [item for item in items if item["Timestamp"] >= _moment(params["StartDate"])]
    if params.get("EndDate") is not None:
        items = [item for item in items if item["Timestamp"] <= _moment(params["EndDate"])]
    items.sort(key=lambda item: item["Timestamp"], reverse=params.get("ScanBy") != "TimestampAscending")
    return {"AlarmHistoryItems": items[: int(params.get("MaxRecords") or 100)]}
