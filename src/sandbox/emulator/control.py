"""The control path `/_sandbox/`: health, call log, faults and latency of the running sandbox."""

import json
import os
from urllib.parse import parse_qs

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
    body = (json.dumps(document, indent=1) + "\n").encode()
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
    gateway.clock.skip(float(body["skip"]))
    return {"skipped": float(body["skip"])}


def _metrics(_gateway, body, _query):
    from .patches import metrics

    return metrics.add(body)


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
    """Healthy targets of a target group, by name; null for what runs."""
    there = store_of("sandbox", "control").table("targets")
    there.update(body)
    return there


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
    ("POST", "answers"): _answers,
    ("POST", "targets"): _targets,
}
