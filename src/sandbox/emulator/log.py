"""The log of AWS calls that `GET /_sandbox/calls` shows."""

import collections
import itertools
import threading

KEPT = 50_000


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
