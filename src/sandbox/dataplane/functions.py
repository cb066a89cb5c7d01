"""The functions: real Node.js runs the zips that the emulator holds, when something invokes them."""

import asyncio
import json
import time
import uuid

from . import packages
from .hosts import Code, Ended, Host

# Environments of a function without reserved concurrency.
MOST_AT_ONCE = 10
# "How Lambda handles errors and retries with asynchronous invocation", seconds of the clock.
RETRY_AFTER = (60, 120)
THROTTLED_FIRST, THROTTLED_MOST = 1, 300
EVENT_AGE = 6 * 3600


class Part:
    """All functions."""

    def __init__(self, plane):
        self.plane = plane
        self.functions = {}
        self._code = Code(plane)
        self._tasks = set()

    async def follow(self, model):
        """New settings and new code are for new environments."""
        wanted = {one["name"]: one for one in model.get("functions", [])}
        for name in set(self.functions) - set(wanted):
            await self.functions.pop(name).end()
        for name, one in wanted.items():
            if name in self.functions:
                await self.functions[name].change(one)
            else:
                self.functions[name] = Function(self.plane, self._code, one)

    def routes(self):
        """See control.py."""
        return {("POST", "invoke/*"): self._invoke}

    async def _invoke(self, body, _query, name):
        """`{"event": "{}", "kind": "Event"}` -> `{"payload": "...", "failed": "Unhandled"}` or `{"throttled": true}`."""
        if body.get("kind") == "Event":
            self.later(name, body.get("event", "{}"))
            return {"payload": ""}
        return await self.invoke(name, body.get("event", "{}"))

    async def invoke(self, name, event):
        """One run. A name or an ARN."""
        return await self.find(name).invoke(event)

    def find(self, name):
        """A function by name or ARN."""
        name = name.split(":function:")[-1].split(":")[0]
        if name not in self.functions:
            raise LookupError(f"no function is called {name}")
        return self.functions[name]

    def later(self, name, event, retries=len(RETRY_AFTER)):
        """An asynchronous invocation; the task that brings it to its end."""
        task = asyncio.create_task(self.asynchronous(name, event, retries))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def asynchronous(self, name, event, retries=len(RETRY_AFTER), age=EVENT_AGE):
        """As Lambda does with events: what is throttled is tried again for hours, what failed twice; then it goes to the dead letters."""
        clock = self.plane.clock
        end, pause, failures = clock.now() + age, THROTTLED_FIRST, 0
        while True:
            try:
                function = self.find(name)
            except LookupError:
                return None
            done = await function.invoke(event)
            if not done.get("throttled") and not done.get("failed"):
                return done
            if done.get("throttled"):
                wait, pause = pause, min(pause * 2, THROTTLED_MOST)
            elif failures < retries:
                wait, failures = RETRY_AFTER[min(failures, len(RETRY_AFTER) - 1)], failures + 1
            else:
                wait = age + 1
            if clock.now() + wait > end:
                await self.dead(function.wanted["dead_letters"], event, done, function.wanted["region"])
                return done
            await clock.sleep(wait)

    async def dead(self, queue, event, done, region):
        """Puts an event into the queue of dead letters, if there is one."""
        if not queue:
            return
        problem = json.loads(done["payload"]).get("errorMessage", "") if done.get("payload") else "Rate Exceeded."
        attributes = {"ErrorCode": ("Number", "200"), "ErrorMessage": ("String", problem[:1024] or "none"), "RequestID": ("String", str(uuid.uuid4()))}
        attributes = {key: {"DataType": kind, "StringValue": value} for key, (kind, value) in attributes.items()}
        await self.send(queue, event, region, MessageAttributes=attributes)

    async def send(self, queue, body, region, **more):
        """A message into a queue, by its ARN."""
        try:
            url = await self.plane.emulator.aws("sqs", "get_queue_url", region, QueueName=queue.rsplit(":", 1)[-1])
            await self.plane.emulator.aws("sqs", "send_message", region, QueueUrl=url["QueueUrl"], MessageBody=body, **more)
        except Exception as failure:  # noqa: BLE001 - a queue that is gone loses it, as on AWS
            print(f"data plane: a message for {queue} is lost: {failure}", flush=True)

    def state(self):
        """See control.py."""
        return {name: one.shown() for name, one in self.functions.items()}

    async def close(self):
        """All end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(one.end() for one in self.functions.values()), return_exceptions=True)


class Function:
    """One function, its environments and its counts."""

    def __init__(self, plane, code, wanted):
        self.plane, self._code, self.wanted = plane, code, wanted
        self.idle, self.busy = [], set()
        self.counts = {"invocations": 0, "errors": 0, "throttles": 0, "cold": 0}
        self.latest = None
        self._sending, self._gone = set(), False
        folder = plane.folder / "functions"
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{wanted['name']}.log"

    async def change(self, wanted):
        """Other settings: what waits is of no use, what runs ends by itself."""
        former, self.wanted = self.wanted, wanted
        if _key(former) != _key(wanted):
            old, self.idle = self.idle, []
            await asyncio.gather(*(host.end() for host in old))

    async def invoke(self, event):
        """One run: `{"payload", "failed"}`, or `{"throttled": True}` when all environments are at work."""
        wanted = self.wanted
        limit = MOST_AT_ONCE if wanted["concurrency"] is None else wanted["concurrency"]
        if len(self.busy) >= limit:
            self.counts["throttles"] += 1
            self._publish([("Throttles", 1)])
            return {"throttled": True}
        request = str(uuid.uuid4())
        token = object()
        self.busy.add(token)
        began = time.monotonic()
        self._line(f"START RequestId: {request} Version: $LATEST")
        failed, payload, host = None, "null", None
        try:
            host = await self._host()
            answer = await host.run(request, event, wanted["timeout"])
            payload = answer.get("payload")
            if "error" in answer:
                failed, payload = "Unhandled", json.dumps(answer["error"])
        except Ended as ended:
            failed, payload = "Unhandled", json.dumps(ended.error)
        except asyncio.TimeoutError:
            text = f"RequestId: {request} Error: Task timed out after {wanted['timeout']:.2f} seconds"
            failed, payload = "Unhandled", json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": text})
        except ConnectionError:
            text = f"RequestId: {request} Error: Runtime exited"
            failed, payload = "Unhandled", json.dumps({"errorType": "Runtime.ExitError", "errorMessage": text})
        except asyncio.CancelledError:
            if host is not None:
                await host.end()
            raise
        finally:
            self.busy.discard(token)
        if host is not None and host.alive and not self._gone and _key(host.function) == _key(self.wanted):
            self.idle.append(host)
        elif host is not None:
            await host.end()
        took = (time.monotonic() - began) * 1000
        if failed:
            self._line(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {request} ERROR {payload}")
        self._line(f"END RequestId: {request}")
        self._line(f"REPORT RequestId: {request} Duration: {took:.2f} ms Memory Size: {wanted['memory']} MB")
        self.counts["invocations"] += 1
        self.counts["errors"] += bool(failed)
        self.latest = {"event": event[:500], "failed": failed, "ms": round(took), "payload": payload[:4000]}
        self._publish([("Invocations", 1), ("Errors", int(bool(failed))), ("Duration", took)])
        return {"payload": payload, "failed": failed}

    async def _host(self):
        while self.idle:
            host = self.idle.pop()
            if host.alive:
                return host
            await host.end()
        self.counts["cold"] += 1
        modules = await packages.installed()
        folder = await self._code.folder_of(self.wanted["digest"])
        host = Host(self.plane, self.wanted, self._line)
        await host.start(folder, modules)
        return host

    def _line(self, text):
        """A line of the log; those of CloudWatch's embedded metric format are metrics too."""
        with open(self.file, "a", encoding="utf-8") as log:
            log.write(text + "\n")
        if '"_aws"' in text:
            try:
                self._send(embedded(json.loads(text), self.plane.clock.now()))
            except (ValueError, KeyError, TypeError, AttributeError):
                pass  # a line that only looks like one

    def _publish(self, values):
        at = int(self.plane.clock.now())
        dimensions = {"FunctionName": self.wanted["name"]}
        self._send([{"namespace": "AWS/Lambda", "name": name, "dimensions": dimensions, "points": [[at, {str(value): 1}]]} for name, value in values])

    def _send(self, metrics):
        async def send():
            try:
                await self.plane.emulator.control("POST", "metrics", {"metrics": metrics})
            except (OSError, ValueError, asyncio.TimeoutError) as failure:
                print(f"data plane: metrics of {self.wanted['name']} are lost: {failure}", flush=True)

        if metrics:
            task = asyncio.get_running_loop().create_task(send())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def shown(self):
        """For people and for the story."""
        return {**self.counts, "running": len(self.busy), "warm": len(self.idle), "log": str(self.file), "latest": self.latest}

    async def end(self):
        """All environments end; one that is at work when its run has ended."""
        self._gone = True
        old, self.idle = self.idle, []
        await asyncio.gather(*(host.end() for host in old))


def embedded(line, at):
    """The metrics of a line of the embedded metric format, as the emulator's control path takes them, at the second `at`."""
    found = []
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(line[name]) for name in names}
            for metric in directive["Metrics"]:
                values = line.get(metric["Name"])
                values = values if isinstance(values, list) else [values]
                counts = {}
                for value in values:
                    if isinstance(value, (int, float)) and not isinstance(value, bool):
                        counts[str(value)] = counts.get(str(value), 0) + 1
                if counts:
                    found.append({"namespace": directive["Namespace"], "name": metric["Name"], "dimensions": dimensions, "points": [[int(at), counts]]})
    return found


def _key(function):
    """What an environment is made of."""
    names = ("runtime", "handler", "memory", "environment", "digest", "timeout", "log_group")
    return {name: function[name] for name in names}
