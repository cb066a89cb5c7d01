"""Faults on request: what `POST /_sandbox/faults` takes and what it does to a call.

Faults that name an n-th write count the writes that come after the fault was set (only those in `only`, if given):
close_before those that would go to their effect, the others those that had one (a refused write does not count). They
strike once. "every_new" strikes each write the first time it is seen.
"""

import fnmatch
import os
import random
import select
import signal
import socket as sockets
import threading
import time

from .errors import AwsError, ConnectionLost
from .refusals import access_denied, internal_error, throttled
from .rounds import Rounds
from .throttling import Buckets

DEFAULTS = {
    "throttle_rate": 0.0,  # share of all calls answered with the service's throttling error, no effect
    "throttle_buckets": False,  # calls beyond what AWS documents for an account are throttled, no effect (throttling.py)
    "error_rate": 0.0,  # share of all calls answered with a 500, no effect
    "error_after_rate": 0.0,  # share of writes answered with a 500 although the effect happened
    "close_before": None,  # n | "every_new": the connection closes, no effect
    "close_after": None,  # n | "every_new": the effect happens, the connection closes without an answer
    "hang_after": None,  # n | "every_new": the effect happens, the answer never comes
    "hang_seconds": 600.0,  # how long a hang lasts when the client does not leave before
    "kill_pid": None,  # SIGKILL this process ...
    "kill_after": None,  # ... after the effect of the n-th write
    "lag_reads_ms": 0,  # EC2 and IAM resources younger than this are invisible to reads
    "stale_tags": False,  # listings of EC2's tags go on showing what AWS shows as `deleted` for about an hour
    "delay_ms": 0,  # every answer takes at least this much longer
    "rounds_ms": 0,  # calls wait for a round, which begins when none has come or was under way for this long
    "deny": [],  # "service:Operation" patterns answered with the protocol's AccessDenied
    "errors": {},  # "service:Operation" pattern -> {"code", "message", "status", "times"}: this error instead
    "only": [],  # "service:Operation" patterns: which writes count as the n-th; empty = all
    "seed": None,  # seed of the rates' random numbers
}
COUNTED = ("close_before", "close_after", "hang_after", "kill_after")


class Faults:
    """The faults in force."""

    def __init__(self, clock):
        self._lock = threading.Lock()
        self._clock = clock
        self.reset()

    def reset(self):
        """No faults."""
        with self._lock:
            self._settings = {key: _copy(value) for key, value in DEFAULTS.items()}
            self._random = random.Random()
            self._left = {}
            self._seen = {key: set() for key in COUNTED}
            self._fired = []
            self._rounds = Rounds()
            self._buckets = Buckets(self._clock.now)

    def update(self, changes):
        """Merges settings; raises ValueError for what it does not know."""
        unknown = sorted(set(changes) - set(DEFAULTS))
        if unknown:
            raise ValueError(f"unknown fault {', '.join(unknown)}; known are {', '.join(DEFAULTS)}")
        for key in COUNTED:
            value = changes.get(key)
            if value is not None and value != "every_new" and not (isinstance(value, int) and value > 0):
                raise ValueError(f'{key} takes a number of writes from 1, "every_new" or null, not {value!r}')
        with self._lock:
            self._settings.update(changes)
            if "throttle_buckets" in changes:
                self._buckets = Buckets(self._clock.now)
            if "seed" in changes:
                self._random = random.Random(changes["seed"])
            for key in COUNTED:
                if key in changes:
                    self._left[key] = changes[key] if isinstance(changes[key], int) else None
                    self._seen[key] = set()

    def shown(self):
        """Settings, what the counted faults wait for, which have struck, and how many calls found which bucket empty."""
        with self._lock:
            waiting = {key: left for key, left in self._left.items() if left is not None}
            return {
                **self._settings,
                "waiting": waiting,
                "fired": list(self._fired),
                "rounds": self._rounds.number,
                "throttled": dict(self._buckets.refused),
            }

    @property
    def lag_seconds(self):
        """How long a new resource stays invisible."""
        return self._settings["lag_reads_ms"] / 1000

    @property
    def stale_tags(self):
        """Whether tags outlast what AWS shows as `deleted` for a while."""
        return bool(self._settings["stale_tags"])

    def plan(self, request, write, call_hash):
        """Decides what befalls a call. Refusals are raised at once; the rest is done by the plan's before and after."""
        with self._lock:
            settings = self._settings
            self._refuse(request, settings)
            roll = self._random.random
            if settings["throttle_rate"] and roll() < settings["throttle_rate"]:
                raise throttled(request)
            if settings["throttle_buckets"] and not self._buckets.take(request, write):
                raise throttled(request)
            if settings["error_rate"] and roll() < settings["error_rate"]:
                raise internal_error(request)
            broken = write and settings["error_after_rate"] and roll() < settings["error_after_rate"]
            counted = write and _named(request, settings["only"] or ["*:*"])
            return Plan(
                self,
                (request.service, request.operation, call_hash) if counted else None,
                settings,
                internal_error(request) if broken else None,
                self._rounds,
            )

    def struck(self, identity, keys):
        """Which of these counted faults strike a write now; None as identity is no write that counts."""
        if identity is None:
            return set()
        with self._lock:
            struck = {key for key in keys if self._strikes(key, identity)}
            self._fired += [{"fault": key, "service": identity[0], "operation": identity[1]} for key in sorted(struck)]
            return struck

    def _refuse(self, request, settings):
        if _named(request, settings["deny"]):
            raise access_denied(request)
        for pattern, wanted in settings["errors"].items():
            if _named(request, [pattern]) and wanted.get("times", 1) > 0:
                if "times" in wanted:
                    wanted["times"] -= 1
                raise AwsError(
                    wanted["code"], wanted.get("message", "Set by the sandbox's faults"), wanted.get("status", 400)
                )

    def _strikes(self, key, identity):
        if self._settings[key] == "every_new":
            if identity in self._seen[key]:
                return False
            self._seen[key].add(identity)
            return True
        left = self._left.get(key)
        if left is None:
            return False
        self._left[key] = left - 1 if left > 1 else None
        return left == 1


class Plan:
    """What befalls one call."""

    def __init__(self, faults, identity, settings, broken, rounds):
        self._faults = faults
        self._identity = identity
        self._delay = settings["delay_ms"] / 1000
        self._kill_pid = settings["kill_pid"]
        self._hang_seconds = settings["hang_seconds"]
        self._broken = broken
        self._quiet = settings["rounds_ms"] / 1000
        self._rounds = rounds
        self._in_round = False

    def before(self, socket, entry):
        """Before the effect."""
        if self._quiet:
            entry["round"] = self._rounds.enter(self._quiet)
            self._in_round = True
        if self._delay:
            time.sleep(self._delay)
        if self._faults.struck(self._identity, ("close_before",)):
            _close(socket)

    def leave(self):
        """Its work is done, or never will be."""
        if self._in_round:
            self._in_round = False
            self._rounds.leave()

    def after(self, socket, entry):
        """After a successful effect: raises when the caller must not get its answer."""
        struck = self._faults.struck(self._identity, ("kill_after", "close_after", "hang_after"))
        if "kill_after" in struck:
            entry["lost"] = "kill_after"
            if self._kill_pid:
                try:
                    os.kill(int(self._kill_pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            _close(socket)
        if "close_after" in struck:
            entry["lost"] = "close_after"
            _close(socket)
        if "hang_after" in struck:
            entry["lost"] = "hang_after"
            _hang(socket, self._hang_seconds)
        if self._broken:
            entry["lost"] = "error_after_rate"
            raise self._broken


def _named(request, patterns):
    names = [f"{name}:{request.operation}" for name in (request.service, request.signing_name)]
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _close(socket):
    """Drops the TCP connection: the client sees it end without a byte of an answer."""
    if socket is not None:
        try:
            socket.shutdown(sockets.SHUT_RDWR)
        except OSError:
            pass
    raise ConnectionLost("closed by a fault")


def _hang(socket, seconds):
    """Holds the connection open without an answer until the client leaves."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if socket is None:
            time.sleep(0.05)
            continue
        readable, _, _ = select.select([socket], [], [], 0.05)
        try:
            if readable and not socket.recv(1, sockets.MSG_PEEK):
                break
        except OSError:
            break
        if readable:
            time.sleep(0.05)
    _close(socket)


def _copy(value):
    return value.copy() if isinstance(value, (list, dict)) else value
