"""The schedules: what is enabled invokes its function at its rate on the fast clock."""

import asyncio
import calendar
import re
import time

RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)$")
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$")
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class Part:
    """All schedules."""

    def __init__(self, plane):
        self.plane = plane
        self.schedules = {}

    async def follow(self, model):
        """Begins, ends and changes what differs."""
        wanted = {one["arn"]: one for one in model.get("schedules", []) if one["enabled"]}
        for arn in set(self.schedules) - set(wanted):
            self.schedules.pop(arn).end()
        for arn, one in wanted.items():
            known = self.schedules.get(arn)
            if known is not None and known.wanted["expression"] != one["expression"]:
                known.end()
                known = None
            if known is None:
                self.schedules[arn] = Schedule(self.plane, one)
            else:
                known.wanted = one

    def state(self):
        """See control.py."""
        return {one.wanted["arn"].split("/", 1)[-1]: one.shown() for one in self.schedules.values()}

    async def close(self):
        """No more calls; those that run are the functions' business."""
        for one in self.schedules.values():
            one.end()


class Schedule:
    """One that is enabled."""

    def __init__(self, plane, wanted):
        self.plane, self.wanted = plane, wanted
        self.calls, self.problem = 0, None
        self._task = asyncio.create_task(self._run())

    async def _run(self):
        clock, former = self.plane.clock, None
        at, period = first(self.wanted["expression"], clock.now())
        if at is None:
            self.problem = f"the data plane does not know the expression {self.wanted['expression']}"
            print(f"data plane: {self.wanted['arn']}: {self.problem}", flush=True)
            return
        while True:
            await clock.sleep(max(0.0, at - clock.now()))
            # An event that is still under way is not joined by a second one: functions run in real time here, however fast the clock is.
            if former is None or former.done():
                former = asyncio.create_task(self._call())
            if period is None:
                return
            # What was missed is not made up for.
            at += period * max(1, -(-(clock.now() - at) // period))

    async def _call(self):
        """One call: an asynchronous invocation, as Scheduler makes them. Function and retries are those of Lambda."""
        self.calls += 1
        wanted, functions = self.wanted, self.plane.part("functions")
        if ":function:" not in wanted["target"]:
            self.problem = f"the data plane calls functions only, not {wanted['target']}"
            return
        try:
            functions.find(wanted["target"])
        except LookupError as gone:
            self.problem = str(gone.args[0])
            await functions.dead(wanted["dead_letters"], wanted["input"], {}, wanted["region"])
            return
        self.problem = None
        await functions.later(wanted["target"], wanted["input"])

    def shown(self):
        """For people and for the story."""
        return {"expression": self.wanted["expression"], "calls": self.calls, "problem": self.problem}

    def end(self):
        """It calls no more; a call that is under way goes on."""
        self._task.cancel()


def first(expression, now):
    """(the second of the first call, seconds between two or `None`); (None, None) for what is not known."""
    rate = RATE.match(expression)
    if rate:
        period = int(rate[1]) * SECONDS[rate[2].removesuffix("s")]
        return now + period, period
    once = AT.match(expression)
    if once:
        return float(calendar.timegm(time.strptime(once[1], "%Y-%m-%dT%H:%M:%S"))), None
    return None, None
