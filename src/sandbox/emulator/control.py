"""The control path `/_sandbox/`: health, call log, faults and latency of the running sandbox."""

import json
import os
from urllib.parse import parse_qs

from .access import record
from .store import store_of


def respond(gateway, environ, start_response):
    """Answers a request to the control path."""
    path = environ["PATH_INFO"].removeprefix("/_sandbox").strip("/")
    method = environ["REQUEST_METHOD"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw = environ["wsgi.input"].read(length) if length else b""
    try:
        handler = ROUTES.get((method, path))
        if handler is None:
            known = ", ".join(sorted(f"{m} /_sandbox/{p}" for m, p in ROUTES))
            status, document = 404, {"error": f"no {method} /_sandbox/{path}; there are {known}"}
        else:
            query = {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
            status, document = 200, handler(gateway, json.loads(raw) if raw.strip() else {}, query)
    except (ValueError, TypeError, KeyError) as problem:
        status, document = 400, {"error": str(problem)}
    # The model is long and for a program.
    body = (json.dumps(document, indent=None if path == "model" else 1) + "\n").encode()
    start_response(
        f"{status} {'OK' if status < 400 else 'ERROR'}",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


def _health(gateway, _body, _query):
    return {"status": "ok", "instance": gateway.instance, "pid": os.getpid(), "latency": gateway.clock.latency}


def _faults(gateway, _body, _query):
    return gateway.faults.shown()


def _merge_faults(gateway, body, _query):
    gateway.faults.update(body)
    return gateway.faults.shown()


def _replace_faults(gateway, body, _query):
    gateway.faults.reset()
    return _merge_faults(gateway, body, _query)


def _reset_faults(gateway, _body, _query):
    gateway.faults.reset()
    return gateway.faults.shown()


def _calls(gateway, _body, query):
    calls = gateway.log.since(int(query.get("since", 0)))
    if query.get("write"):
        calls = [call for call in calls if call["write"] == (query["write"] == "true")]
    # What names CloudTrail's events is no part of what tests look at.
    return {"calls": [{key: value for key, value in call.items() if key != "names"} for call in calls]}


def _clear_calls(gateway, _body, _query):
    gateway.log.clear()
    return {"calls": []}


def _latency(gateway, _body, _query):
    return {"latency": gateway.clock.latency}


def _set_latency(gateway, body, _query):
    gateway.clock.set(body["latency"])
    return _latency(gateway, body, _query)


def _clock(gateway, body, _query):
    skipped = float(body.get("skip", 0))
    if "runs" in body:
        (gateway.clock.run if body["runs"] else gateway.clock.stop)()
    gateway.clock.skip(skipped)
    return {"skipped": skipped}


def _metrics(gateway, body, _query):
    from .patches import metrics

    with gateway.lock:
        answers = [metrics.add(one) for one in body.get("metrics", [body])]
    return answers[-1] if answers else {}


def _logs(gateway, body, _query):
    from .patches import logs

    with gateway.lock:
        return {"written": sum(logs.add(one) for one in body["logs"])}


def _clear_metrics(_gateway, _body, _query):
    from .patches import metrics

    metrics.clear()
    return {}


def _answers(_gateway, body, _query):
    """What functions answer, by name: `{"control-green-dev": {"status": "ok"}}`."""
    there = store_of("sandbox", "control").table("answers")
    there.update(body)
    return there


def _targets(_gateway, body, _query):
    """Healthy targets of a target group, by name; null for what runs. `{"10.0.0.5": "unhealthy"}` for those that were registered."""
    there = store_of("sandbox", "control").table("targets")
    there.update(body)
    return there


def _model(gateway, _body, query):
    return gateway.model.shown(gateway, int(query.get("since", 0)))


def _data_plane(_gateway, body, _query):
    """Where the data plane's control path is: `{"url": "http://127.0.0.1:PORT"}`."""
    there = store_of("sandbox", "control").table("data-plane")
    there.update(body)
    return there


def _code(gateway, _body, query):
    from . import model_stores

    with gateway.lock:
        return model_stores.code(query)


def _stream_records(gateway, _body, query):
    from . import model_stores

    with gateway.lock:
        return model_stores.records(query)


def _stream_last(gateway, _body, query):
    from . import model_stores

    with gateway.lock:
        return model_stores.last(query)


def _series(gateway, body, _query):
    from .patches import metrics

    with gateway.lock:
        return metrics.series(body)


def _alarm_states(gateway, body, _query):
    from .patches import cloudwatch

    with gateway.lock:
        return cloudwatch.set_states(body["alarms"])


def _tasks(_gateway, body, _query):
    """How a one-off task ends, by its container: `{"payment-api": {"exit": 0, "log": ["done"]}}`. Without `exit` it runs on; with a
    `reason` alone it does not start. null forgets it."""
    there = store_of("sandbox", "control").table("tasks")
    there.update(body)
    for name in [name for name, told in there.items() if told is None]:
        del there[name]
    return there


def _access(_gateway, _body, _query):
    """What policies allowed, denied, and could not be judged for."""
    return record.shown()


def _forget_access(_gateway, _body, _query):
    record.forget()
    return record.shown()


ROUTES = {
    ("GET", "health"): _health,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _merge_faults,
    ("PUT", "faults"): _replace_faults,
    ("DELETE", "faults"): _reset_faults,
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _clear_calls,
    ("GET", "latency"): _latency,
    ("POST", "latency"): _set_latency,
    ("POST", "clock"): _clock,
    ("POST", "metrics"): _metrics,
    ("DELETE", "metrics"): _clear_metrics,
    ("POST", "logs"): _logs,
    ("POST", "answers"): _answers,
    ("POST", "targets"): _targets,
    ("GET", "model"): _model,
    ("POST", "data-plane"): _data_plane,
    ("GET", "code"): _code,
    ("GET", "stream-records"): _stream_records,
    ("GET", "stream-last"): _stream_last,
    ("POST", "series"): _series,
    ("POST", "alarms"): _alarm_states,
    ("POST", "tasks"): _tasks,
    ("GET", "access"): _access,
    ("DELETE", "access"): _forget_access,
}
