"""Settling: how long AWS takes until a thing is usable or gone, and what is due later."""

import heapq
import itertools
import time
import traceback

# Typical seconds on AWS (medians). Kinds that settle in under two seconds are not listed.
AWS_SECONDS = {
    "transit-gateway": 90,
    "transit-gateway-deletion": 60,
    "transit-gateway-attachment": 90,
    "transit-gateway-attachment-deletion": 60,
    "transit-gateway-route-table": 15,
    "transit-gateway-route-table-deletion": 15,
    "transit-gateway-association": 30,
    "transit-gateway-association-deletion": 30,
    "vpc-endpoint": 90,
    "vpc-endpoint-deletion": 60,
    "db-cluster": 90,
    "db-cluster-modification": 30,
    "db-cluster-deletion": 90,
    "db-instance": 450,
    "db-instance-modification": 60,
    "db-instance-deletion": 450,
    "dynamodb-table": 15,
    "dynamodb-table-deletion": 10,
    "dynamodb-index": 180,
    "managed-secret": 15,
}


class Clock:
    """Turns a kind into seconds by the chosen latency and runs effects when they are due."""

    def __init__(self, latency="none"):
        self._due = []
        self._order = itertools.count()
        self._ahead = 0.0
        self.latency = "none"
        self.set(latency)

    def set(self, latency):
        """`none`, `aws/<divisor>` or plain seconds for every kind."""
        text = str(latency).strip().lower()
        if text == "none":
            factor, flat = 0.0, None
        elif text.startswith("aws/"):
            divisor = float(text[4:])
            if divisor <= 0:
                raise ValueError(f"latency {latency!r}: the divisor must be above 0")
            factor, flat = 1 / divisor, None
        else:
            factor, flat = 0.0, float(text)
            if flat < 0:
                raise ValueError(f"latency {latency!r}: seconds can't be negative")
        self.latency, self._factor, self._flat = text, factor, flat

    def seconds(self, kind):
        """How long a kind takes now."""
        return self._flat if self._flat is not None else AWS_SECONDS[kind] * self._factor

    def now(self):
        """Monotonic seconds, with what was skipped."""
        return time.monotonic() + self._ahead

    def skip(self, seconds):
        """Goes ahead: what is due within that time is done at the next call."""
        if seconds < 0:
            raise ValueError("the clock goes forward only")
        self._ahead += seconds

    def ready_at(self, kind):
        """When a thing of this kind that starts now will be done."""
        return self.now() + self.seconds(kind)

    def later(self, kind, effect):
        """Runs `effect` once the kind's time has passed: at once when that is zero."""
        seconds = self.seconds(kind)
        if seconds <= 0:
            effect()
        else:
            heapq.heappush(self._due, (self.now() + seconds, next(self._order), effect))

    def run_due(self):
        """Runs what has become due, oldest first; called under the lock before each call."""
        while self._due and self._due[0][0] <= self.now():
            effect = heapq.heappop(self._due)[2]
            try:
                effect()
            except Exception:  # noqa: BLE001 - it must not fail the call that happens to come next
                traceback.print_exc()

    def forget(self):
        """Drops what is outstanding (reset)."""
        self._due.clear()
