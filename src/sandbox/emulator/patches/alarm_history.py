"""The history of alarms: their changes of state."""

import datetime
import json
import time

from ..call import patch

UTC = datetime.timezone.utc


@patch("cloudwatch", "SetAlarmState")
def set_state(call):
    """AWS: by its clock. moto: by the machine's, which the sandbox's may be ahead of."""
    answer = call.forward()
    alarm = call.backend.alarms[call.params["AlarmName"]]
    alarm.state_updated_timestamp += datetime.timedelta(seconds=max(0.0, call.clock.now() - time.monotonic()))
    return answer


def _items(alarm):
    """moto keeps what an alarm was before each change; the change is what came next."""
    changes = [one for one in alarm.history if one[0] == "StateUpdate"]
    states = [(value, reason, at) for _, reason, _, value, at in changes]
    states.append((alarm.state_value, alarm.state_reason, alarm.state_updated_timestamp))
    for (old, _, _), (new, reason, at) in zip(states, states[1:]):
        if old == new:
            continue
        data = {"version": "1.0", "oldState": {"stateValue": old}, "newState": {"stateValue": new, "stateReason": reason}}
        yield {
            "AlarmName": alarm.name,
            "AlarmType": "CompositeAlarm" if alarm.rule else "MetricAlarm",
            "Timestamp": at if at.tzinfo else at.replace(tzinfo=UTC),
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {old} to {new}",
            "HistoryData": json.dumps(data),
        }


def _moment(value):
    """A time of a request: a number of seconds, a text, or a time."""
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@patch("cloudwatch", "DescribeAlarmHistory")
def history(call):
    """AWS: changes of state, the newest first unless asked otherwise. moto: not implemented. Changes of settings and actions are left
    out."""
    params, alarms = call.params, call.backend.alarms
    name = params.get("AlarmName")
    wanted = [alarms[name]] if name in alarms else [] if name else list(alarms.values())
    items = [item for alarm in wanted for item in _items(alarm)]
    if params.get("HistoryItemType") not in (None, "StateUpdate"):
        items = []
    if params.get("StartDate") is not None:
        items = [item for item in items if item["Timestamp"] >= _moment(params["StartDate"])]
    if params.get("EndDate") is not None:
        items = [item for item in items if item["Timestamp"] <= _moment(params["EndDate"])]
    items.sort(key=lambda item: item["Timestamp"], reverse=params.get("ScanBy") != "TimestampAscending")
    return {"AlarmHistoryItems": items[: int(params.get("MaxRecords") or 100)]}
