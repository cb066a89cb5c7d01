"""What AWS's own services measure, minute by minute of the fast clock, published a while after a minute's end as CloudWatch does."""

import asyncio
import random
import traceback

# A minute is published so many seconds after its end.
LATE = (60.0, 90.0)


class Part:
    """Counts, and publishes."""

    def __init__(self, plane):
        self.plane = plane
        # Minute -> (account, region, namespace, name, dimensions) -> value -> how often.
        self._minutes = {}
        self._due = {}
        self._task = None
        self.published = 0

    async def start(self):
        """Publishes from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self):
        """Stops."""
        self._task.cancel()

    def add(self, namespace, name, of, value, times=1, minute=None):
        """One value, in the minute that is going on."""
        minute = int(self.plane.clock.now() // 60) if minute is None else minute
        key = (namespace, name, tuple(sorted(of)))
        counts = self._minutes.setdefault(minute, {}).setdefault(key, {})
        counts[value] = counts.get(value, 0) + times

    async def _run(self):
        last = int(self.plane.clock.now() // 60)
        while True:
            await self.plane.clock.sleep(5, least=0.1)
            now = self.plane.clock.now()
            minute = int(now // 60)
            for closed in range(max(last, minute - 30), minute):
                self._measured(closed)
                self._due[closed] = closed * 60 + 60 + random.uniform(*LATE)
            last = minute
            for ready in [one for one, at in self._due.items() if at <= now]:
                try:
                    await self._publish(ready)
                    del self._due[ready]
                except (OSError, ValueError) as failed:
                    # The emulator is busy or ends: the next time.
                    print(f"data plane: a minute of metrics was not published: {failed}", flush=True)
                    break

    def _measured(self, minute):
        """What is measured and not counted: `measured()` of each part says it at the end of a minute, as (namespace, name, dimensions,
        value); `None` is a count of nothing, unless something was counted."""
        for part in self.plane.parts.values():
            if not hasattr(part, "measured"):
                continue
            try:
                for namespace, name, of, value in part.measured():
                    # A count of nothing, unless something was counted.
                    if value is not None or (namespace, name, tuple(sorted(of))) not in self._minutes.get(minute, {}):
                        self.add(namespace, name, of, value or 0, minute=minute)
            except Exception:  # noqa: BLE001 - the others are measured all the same
                traceback.print_exc()

    async def _publish(self, minute):
        found = self._minutes.get(minute, {})
        body = []
        for (namespace, name, of), counts in found.items():
            point = [minute * 60, {str(value): times for value, times in counts.items()}]
            body.append({"namespace": namespace, "name": name, "dimensions": dict(of), "points": [point]})
        if body:
            await self.plane.emulator.control("POST", "metrics", {"metrics": body})
        self._minutes.pop(minute, None)
        self.published += 1

    def state(self):
        """For /state."""
        return {"published_minutes": self.published, "waiting_minutes": sorted(self._due)}
