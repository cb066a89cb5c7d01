"""What was decided, for `GET /_sandbox/access`: how often each statement allowed something, and how often it alone did; what
was denied; what could not be judged."""

import threading

_LOCK = threading.Lock()
_STATEMENTS, _DENIED, _UNJUDGED = {}, [], {}
KEPT = 1000


def decided(call, need, verdict):
    """Notes a decision."""
    with _LOCK:
        for sid in verdict.by:
            entry = _STATEMENTS.setdefault(sid, {"allowed": 0, "alone": 0})
            entry["allowed"] += 1
            entry["alone"] += len(verdict.by) == 1
        for problem in verdict.unjudged:
            _note(call, problem)
        if not verdict.allowed and len(_DENIED) < KEPT:
            _DENIED.append({"call": f"{call.service}:{call.operation}", "action": need.action, "resource": need.resource})


def unjudged(call, problem):
    """Notes what could not be judged."""
    with _LOCK:
        _note(call, problem)


def _note(call, problem):
    key = f"{call.service}:{call.operation}: {problem}"
    _UNJUDGED[key] = _UNJUDGED.get(key, 0) + 1


def shown():
    """Everything since the last `forget`."""
    with _LOCK:
        return {
            "statements": {sid: dict(entry) for sid, entry in sorted(_STATEMENTS.items())},
            "denied": list(_DENIED),
            "unjudged": dict(sorted(_UNJUDGED.items())),
        }


def forget():
    """Nothing was decided."""
    with _LOCK:
        _STATEMENTS.clear()
        _DENIED.clear()
        _UNJUDGED.clear()
