"""Settling: how long AWS takes until a thing is usable or gone, and what is due later."""

import heapq
import itertools
import os
import time
import traceback

# What settles beside creations and deletions, whose seconds come from the deployer's types (medians, as those).
OTHER_SECONDS = {
    "rds/cluster modification": 30,
    "rds/cluster secret": 15,
    "rds/cluster upgrade": 900,
    "rds/instance modification": 60,
    "dynamodb/table index": 180,
    "config/rule evaluation": 120,
    "config/rule results": 60,
    "ecs/task": 40,
    "ecs/task run": 20,
    "elbv2/load_balancer interfaces": 60,
    "lambda/function update": 20,
    "lambda/function interfaces": 180,
    "lambda/function abandoned interfaces": 1800,
}


class Clock:
    """Turns a kind into seconds by the chosen latency and runs effects when they are due."""

    def __init__(self, latency="none", seconds=None):
        self._due = []
        self._order = itertools.count()
        self._ahead = 0.0
        self._stopped = None
        # How many effects have run.
        self.done = 0
        self.latency = "none"
        self._seconds = dict(OTHER_SECONDS)
        self.learn(seconds or {})
        self.set(latency)

    def learn(self, seconds):
        """Typical seconds of types: {"rds/cluster": [until it is there, until it is gone]}."""
        for kind, (creation, deletion) in seconds.items():
            self._seconds.update({kind: creation, f"{kind} deletion": deletion})

    def set(self, latency):
        """`none`, `aws/<divisor>` or plain seconds for every kind."""
        text = str(latency).strip().lower()
        if text == "none":
            factor, flat = 0.0, None
        elif text.startswith("aws/"):
            divisor = float(text[4:])
            if divisor <= 0:
                raise ValueError(f"latency {latency!r}: the divisor must be above 0")
            if self._seconds.keys() == OTHER_SECONDS.keys():
                raise ValueError(f"latency {latency!r}: the seconds of the types are not known, see --seconds")
            factor, flat = 1 / divisor, None
        else:
            factor, flat = 0.0, float(text)
            if flat < 0:
                raise ValueError(f"latency {latency!r}: seconds can't be negative")
        self.latency, self._factor, self._flat = text, factor, flat

    def seconds(self, kind):
        """How long a kind takes now."""
        return self._flat if self._flat is not None else self._typical(kind)

    def _typical(self, kind):
        return self._seconds[kind] * self._factor if self._factor else 0.0

    def now(self):
        """Monotonic seconds, with what was skipped and without those in which it stood."""
        return (time.monotonic() if self._stopped is None else self._stopped) + self._ahead

    def stop(self):
        """Only what is skipped passes from now on, until it runs again."""
        if self._stopped is None:
            self._stopped = time.monotonic()

    def run(self):
        """Time passes, from where it stood."""
        if self._stopped is not None:
            self._ahead -= time.monotonic() - self._stopped
            self._stopped = None

    def wall(self):
        """Unix seconds of the data plane's clock: `DEPLOYER_CLOCK_RATE=rate@origin` runs so fast from its origin on."""
        rate, _, origin = (os.environ.get("DEPLOYER_CLOCK_RATE") or "1@0").partition("@")
        now, origin = time.time(), float(origin)
        return now if now <= origin or float(rate) == 1 else origin + (now - origin) * float(rate)

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
            self.done += 1
            try:
                effect()
            except Exception:  # noqa: BLE001 - it must not fail the call that happens to come next
                traceback.print_exc()

    def forget(self):
        """Drops what is outstanding (reset)."""
        self._due.clear()
