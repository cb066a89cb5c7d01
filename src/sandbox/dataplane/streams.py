"""The event source mappings of DynamoDB streams: what is enabled hands its function the records of the stream, in order, in batches."""

import asyncio
import datetime
import json
import uuid
from urllib.parse import quote

# Real seconds between two looks at a stream ("Lambda polls shards ... at a base rate of 4 times per second").
POLL = 0.25
# Seconds of the clock before a batch that failed is tried again: doubled each time.
BACK_OFF, BACK_OFF_MOST = 1.0, 60.0


class Part:
    """All mappings."""

    def __init__(self, plane):
        self.plane = plane
        self.mappings = {}

    async def follow(self, model):
        """Begins, halts and forgets what differs. A mapping that is switched off keeps its place."""
        wanted = {one["id"]: one for one in model.get("mappings", [])}
        for name in set(self.mappings) - set(wanted):
            self.mappings.pop(name).halt()
        for name, one in wanted.items():
            if name not in self.mappings:
                self.mappings[name] = Mapping(self.plane, one)
            self.mappings[name].want(one)

    def state(self):
        """See control.py."""
        return {one.wanted["function"].split(":function:")[-1]: one.shown() for one in self.mappings.values()}

    async def close(self):
        """No more batches."""
        for one in self.mappings.values():
            one.halt()


class Mapping:
    """One mapping; moto's streams have one shard each."""

    def __init__(self, plane, wanted):
        self.plane, self.wanted = plane, wanted
        # The number of the last record that is done with; empty before the first one.
        self.after = ""
        self.begun = False
        self.counts = {"batches": 0, "records": 0, "failures": 0, "discarded": 0}
        self._task = None
        self._halted = False

    def want(self, wanted):
        """What the model says of it now."""
        self.wanted = wanted
        self._halted = not wanted["enabled"]
        if wanted["enabled"] and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    def halt(self):
        """It is gone."""
        self._halted = True

    def shown(self):
        """For people and for the story."""
        return {"enabled": not self._halted, "after": self.after, **self.counts}

    async def _run(self):
        if not self.begun and self.wanted["position"] == "LATEST":
            self.after = (await self._ask("last"))["sequence"]
        self.begun = True
        while not self._halted:
            try:
                records = (await self._ask("records", after=self.after, limit=self.wanted["batch"]))["records"]
                if records:
                    await self._deliver(records)
                else:
                    await asyncio.sleep(POLL)
            except (OSError, ValueError, LookupError, asyncio.TimeoutError) as failure:
                print(f"data plane: {self.wanted['stream']}: {failure}", flush=True)
                await asyncio.sleep(1)

    async def _ask(self, what, **query):
        more = "".join(f"&{key}={value}" for key, value in query.items())
        return await self.plane.emulator.control("GET", f"stream-{what}?stream={quote(self.wanted['stream'], safe='')}{more}")

    async def _deliver(self, records):
        """Hands over records until each one is done with or discarded. Halting leaves the rest for later."""
        waiting, attempt, pause = [records], 0, BACK_OFF
        while waiting and not self._halted:
            batch = waiting[0]
            fresh, old = self._fresh(batch)
            if old:
                await self._discard(old, "RecordAgeExceeded", attempt)
                self._done(old)
                waiting[0] = fresh
                if not fresh:
                    waiting.pop(0)
                continue
            failed_at = await self._attempt(batch)
            if failed_at is None:
                self._done(batch)
                waiting.pop(0)
                attempt, pause = 0, BACK_OFF
                continue
            self.counts["failures"] += 1
            attempt += 1
            if failed_at > 0:
                # What came before the first failure is done with; the rest is a batch of its own.
                self._done(batch[:failed_at])
                waiting[0] = batch = batch[failed_at:]
            retries = self.wanted["retries"]
            if 0 <= retries < attempt:
                await self._discard(batch, "RetryAttemptsExhausted", attempt)
                self._done(batch)
                waiting.pop(0)
                attempt, pause = 0, BACK_OFF
                continue
            if self.wanted["bisect"] and len(batch) > 1:
                half = len(batch) // 2
                waiting[0:1] = [batch[:half], batch[half:]]
            await self.plane.clock.sleep(pause)
            pause = min(pause * 2, BACK_OFF_MOST)

    async def _attempt(self, batch):
        """Invokes the function; `None` when all is well, otherwise where the first record that failed stands."""
        functions = self.plane.part("functions")
        while True:
            done = await functions.invoke(self.wanted["function"], json.dumps({"Records": batch}))
            if not done.get("throttled"):
                break
            if self._halted:
                return 0
            # A throttled attempt does not count.
            await self.plane.clock.sleep(BACK_OFF)
        self.counts["batches"] += 1
        if done.get("failed"):
            return 0
        return first_failure(done["payload"], batch) if self.wanted["partial"] else None

    def _done(self, batch):
        self.after = batch[-1]["dynamodb"]["SequenceNumber"]
        self.counts["records"] += len(batch)

    def _fresh(self, batch):
        """Records that are young enough, and those before them that are not."""
        most = self.wanted["age"]
        if most < 0:
            return batch, []
        now = self.plane.clock.now()
        old = [one for one in batch if now - self.plane.clock.at(one["dynamodb"]["ApproximateCreationDateTime"]) > most]
        return batch[len(old) :], batch[: len(old)]

    async def _discard(self, batch, why, attempts):
        """Tells the destination where the records stand in the stream ("Retain discarded records for a DynamoDB event source")."""
        self.counts["discarded"] += len(batch)
        destination = self.wanted["destination"]
        if not destination:
            return
        numbers = [one["dynamodb"]["SequenceNumber"] for one in batch]
        times = [
            datetime.datetime.fromtimestamp(one["dynamodb"]["ApproximateCreationDateTime"], datetime.timezone.utc).isoformat().replace("+00:00", "Z")
            for one in batch
        ]
        message = {
            "requestContext": {"requestId": str(uuid.uuid4()), "functionArn": f"{self.wanted['function']}:$LATEST", "condition": why, "approximateInvokeCount": attempts},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": datetime.datetime.fromtimestamp(self.plane.clock.now(), datetime.timezone.utc).isoformat().replace("+00:00", "Z"),
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000001541626099285-f35f62ef",
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
                "approximateArrivalOfFirstRecord": times[0],
                "approximateArrivalOfLastRecord": times[-1],
                "batchSize": len(batch),
                "streamArn": self.wanted["stream"],
            },
        }
        await self.plane.part("functions").send(destination, json.dumps(message), self.wanted["region"])


def first_failure(payload, batch):
    """Where the first failed record of an answer with `batchItemFailures` stands in a batch; `None` when none failed. An answer that
    names no record of the batch means that all failed ("Implementing partial batch response")."""
    try:
        answer = json.loads(payload)
    except ValueError:
        return 0
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return None
    named = {one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures}
    places = {one["dynamodb"]["SequenceNumber"]: at for at, one in enumerate(batch)}
    if not named <= set(places):
        return 0
    return min(places[name] for name in named)
