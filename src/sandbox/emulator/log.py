"""The log of AWS calls that `GET /_sandbox/calls` shows."""

import collections
import itertools
import threading
import time

KEPT = 50_000


def named(entry):
    """The names and ids in the parameters of a change."""
    return entry["names"]


def _texts(value):
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, (list, tuple)):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) and 2 < len(value) <= 256 else []


def _names(request):
    try:
        return frozenset(_texts(request.params))
    except Exception:  # noqa: BLE001 - what cannot be parsed is refused behind the log
        return frozenset()


class CallLog:
    """The newest calls, numbered from 1 without gaps."""

    def __init__(self):
        self._calls = collections.deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def begin(self, request, write, call_hash):
        """Notes a call on arrival; the entry's status (and `lost`) is filled in when it is answered."""
        with self._lock:
            entry = {
                "seq": next(self._numbers),
                "service": request.service,
                "operation": request.operation,
                "write": write,
                "status": None,
                "error": None,
                "lost": None,
                "strange": [],
                "hash": call_hash,
                "region": request.region,
                "time": time.time(),
                "who": request.access_key or "nobody",
                "names": _names(request) if write else frozenset(),
            }
            self._calls.append(entry)
            return entry

    def since(self, number):
        """Entries with a number above `number`."""
        with self._lock:
            return [entry for entry in self._calls if entry["seq"] > number]

    def clear(self):
        """Forgets the entries; numbers go on."""
        with self._lock:
            self._calls.clear()
