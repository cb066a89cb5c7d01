"""Alarms of both kinds, and dashboards."""

import datetime
import re

import moto.backends

from ..call import patch, refuse

NAMED = re.compile(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*["']?([^"')]+?)["']?\s*\)""")

# What moto loses of an alarm on metrics: of its lines the account, the rest altogether.
LOST = ("Metrics", "EvaluationWindow", "WarmUpConfiguration", "ActionConfiguration")
# What keeps a composite alarm from taking its actions.
SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def _named(rule):
    """The alarms of a rule, which names them or gives their ARNs."""
    return [name.split(":alarm:")[-1] for name in NAMED.findall(rule)]


def _users(call, name):
    """The composite alarms that name an alarm."""
    return [one.name for one in call.backend.alarms.values() if one.rule and name in _named(one.rule)]


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
    """AWS: an update keeps the tags; a name belongs to one kind; what is set is shown. moto: takes the tags again; either kind
    overwrites the other; see `LOST`."""
    _check(call, other=True)
    answer = _keeping_tags(call, call.forward)
    sent = {key: call.params[key] for key in LOST if call.params.get(key)}
    call.backend.alarms[call.params["AlarmName"]].as_sent = sent
    return answer


@patch("cloudwatch", "PutCompositeAlarm")
def put_composite(call):
    """AWS: an alarm over others, which exist. moto: does not offer it."""
    params = call.params
    _check(call, other=False)
    for name in _named(params["AlarmRule"]):
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
        silenced = {key: params[key] for key in SUPPRESSION if params.get(key) is not None}
        call.backend.alarms[params["AlarmName"]].suppression = silenced
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
    for one in answer.data.get("MetricAlarms", []):
        one.update(getattr(call.backend.alarms[one["AlarmName"]], "as_sent", {}))
    for one in answer.data.get("CompositeAlarms", []):
        rule = call.backend.alarms[one["AlarmName"]].rule
        one["AlarmRule"] = rule
        one.update(getattr(call.backend.alarms[one["AlarmName"]], "suppression", {}))
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


def set_states(states):
    """As CloudWatch does when it has evaluated alarms: `[{"account", "region", "name", "state", "reason", "at"}]`, `at` being the second of
    the clock that the alarms follow, now without it. Answers the names of those whose state is another one now; an alarm that is
    gone is left out."""
    every, changed = moto.backends.get_backend("cloudwatch"), []
    for one in states:
        alarm = every[one["account"]][one["region"]].alarms.get(one["name"])
        if alarm is not None and alarm.state_value != one["state"]:
            alarm.update_state(one["reason"], "{}", one["state"])
            if "at" in one:
                alarm.state_updated_timestamp = datetime.datetime.fromtimestamp(one["at"], datetime.timezone.utc).replace(tzinfo=None)
            changed.append(one["name"])
    return {"changed": changed}
