"""EventBridge: rules of the default bus and their targets."""

import json

from ..call import patch, refuse


def _leaves(pattern):
    """True when every field of a pattern ends in a list that is not empty."""
    if isinstance(pattern, dict):
        return bool(pattern) and all(_leaves(value) for value in pattern.values())
    return isinstance(pattern, list) and bool(pattern)


@patch("events", "PutRule")
def put_rule(call):
    """AWS: a pattern is an object whose fields end in lists; tags of a rule that exists stay as they are. moto: takes any text, and
    adds the tags."""
    params = dict(call.params)
    if params.get("EventPattern"):
        try:
            pattern = json.loads(params["EventPattern"])
        except ValueError:
            pattern = None
        if not isinstance(pattern, dict) or not _leaves(pattern):
            refuse("InvalidEventPatternException", "Event pattern is not valid. Reason: a field must be an object or an array")
    bus = (params.get("EventBusName") or "default").rsplit("/", 1)[-1]
    known = call.backend.event_buses.get(bus)
    if known is not None and params["Name"] in known.rules:
        params.pop("Tags", None)
    return call.forward(params)


@patch("events", "PutTargets")
def put_targets(call):
    """AWS: at most five targets a rule. moto: any number."""
    bus = (call.params.get("EventBusName") or "default").rsplit("/", 1)[-1]
    known = call.backend.event_buses.get(bus)
    rule = known.rules.get(call.params["Rule"]) if known else None
    ids = {target["Id"] for target in (rule.targets if rule else [])} | {one["Id"] for one in call.params["Targets"]}
    if len(ids) > 5:
        refuse("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    return call.forward()
