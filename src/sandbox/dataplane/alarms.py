"""Alarms, evaluated each minute of the fast clock from what the emulator has of metrics; and the alarms that health checks of Route 53
follow, which it evaluates by itself from the same data. States are set as CloudWatch does, not by an API call."""

import asyncio
import collections

from . import evaluation, expressions

# Alarms that Application Auto Scaling makes have thresholds of moto's, and nothing scales here.
SCALING = "TargetTracking-"
# Seconds of the clock between two evaluations.
EVERY = 30.0


class Part:
    """Evaluates all alarms."""

    def __init__(self, plane):
        self.plane = plane
        self.states, self.events = {}, collections.deque(maxlen=200)
        # Health checks by the state of what they follow.
        self.followed = {}
        self._alarms, self._composites, self._checks, self._task = [], [], [], None

    async def start(self):
        """Evaluates from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self):
        """Stops."""
        self._task.cancel()

    async def follow(self, model):
        """New alarms begin without a state of ours."""
        every = [one for one in model.get("alarms", []) if not one["name"].startswith(SCALING)]
        self._alarms = [one for one in every if not one["rule"]]
        self._composites = [one for one in every if one["rule"]]
        self._checks = [_of_check(one) for one in model.get("health_checks", []) if one["alarm"]]
        names = {one["name"] for one in every}
        self.states = {name: state for name, state in self.states.items() if name in names}

    async def _run(self):
        while True:
            await self.plane.clock.sleep(EVERY, least=0.5)
            try:
                await self._evaluate()
            except (OSError, ValueError) as failed:
                print(f"data plane: the alarms were not evaluated: {failed}", flush=True)

    async def _evaluate(self):
        now = self.plane.clock.now()
        asked, places = [], {}

        def ask(alarm, metric, number):
            query = {"account": alarm["account"], "region": alarm["region"], **metric}
            query["from"] = evaluation.periods(now, metric["period"], number)[0]
            key = repr(query)
            if key not in places:
                places[key] = len(asked)
                asked.append(query)
            return places[key]

        jobs = []
        for alarm in [*self._alarms, *self._checks]:
            metrics = {one["id"]: one["metric"] for one in alarm["queries"] if one["metric"]} or {"": alarm["metric"]}
            if all(metrics.values()):
                jobs.append((alarm, {name: ask(alarm, metric, alarm["periods"]) for name, metric in metrics.items()}, metrics))
        if not asked:
            return
        body = {"first": min(one["from"] for one in asked), "last": int(now), "queries": asked}
        series = [dict(one) for one in (await self.plane.emulator.control("POST", "series", body))["series"]]
        changed = []
        for alarm, of, metrics in jobs:
            try:
                state = self._judged(alarm, {name: series[at] for name, at in of.items()}, metrics, now)
            except (ValueError, KeyError) as bad:
                print(f"data plane: the alarm {alarm['name']} can't be evaluated: {bad}", flush=True)
                continue
            if alarm.get("check"):
                self._follow(alarm, state)
            else:
                self._set(alarm, state, changed, now)
        for one in self._composites:
            self._set(one, evaluation.composite(one["rule"], self.states), changed, now)
        if changed:
            await self.plane.emulator.control("POST", "alarms", {"alarms": changed})

    def _judged(self, alarm, series, metrics, now):
        period = max(metric["period"] for metric in metrics.values())
        looked_at = evaluation.periods(now, period, alarm["periods"])
        returned = next((one for one in alarm["queries"] if one["returned"]), None)
        if returned is not None and returned["expression"]:
            found = expressions.evaluate(returned["expression"], series, looked_at)
        else:
            found = series[returned["id"] if returned is not None else ""]
        return evaluation.state([found.get(at) for at in looked_at], alarm, self.states.get(alarm["name"], evaluation.OK))

    def _follow(self, alarm, state):
        """What a health check has of its alarm; without data it is as the check says."""
        if state == evaluation.INSUFFICIENT:
            without = {"Healthy": evaluation.OK, "Unhealthy": evaluation.ALARM}
            state = without.get(alarm["without"], self.followed.get(alarm["check"], evaluation.OK))
        self.followed[alarm["check"]] = state

    def _set(self, alarm, state, changed, now):
        before = self.states.get(alarm["name"])
        if before == state:
            return
        self.states[alarm["name"]] = state
        reason = f"Threshold Crossed: evaluated at {int(now)}" if not alarm["rule"] else "The state of an alarm of its rule changed"
        changed.append({"account": alarm["account"], "region": alarm["region"], "name": alarm["name"], "state": state, "reason": reason, "at": now})
        if before is not None or state == evaluation.ALARM:
            self.events.append({"at": now, "name": alarm["name"], "from": before, "to": state})

    def state(self):
        """For /state."""
        of = collections.Counter(self.states.values())
        gone_off = sorted(name for name, state in self.states.items() if state == evaluation.ALARM)
        return {"states": dict(of), "alarms": gone_off, "events": list(self.events)}


def _of_check(check):
    """An alarm as a health check has copied it."""
    copied, alarm = check["alarm"]["copied"], check["alarm"]["AlarmIdentifier"]
    metric = {
        "namespace": copied["Namespace"],
        "name": copied["MetricName"],
        "dimensions": {one["Name"]: one["Value"] for one in copied["Dimensions"]},
        "period": int(copied["Period"]),
        "statistic": copied["Statistic"],
    }
    return {
        "account": check["account"], "region": alarm["Region"], "name": f"{alarm['Name']} of a health check", "rule": None, "queries": [],
        "metric": metric, "comparison": copied["ComparisonOperator"], "threshold": float(copied["Threshold"]),
        "periods": int(copied["EvaluationPeriods"]), "datapoints": int(copied["EvaluationPeriods"]), "missing": "missing",
        "check": check["id"], "without": check["alarm"]["InsufficientDataHealthStatus"],
    }  # fmt: skip
