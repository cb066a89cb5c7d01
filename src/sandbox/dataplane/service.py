"""The services of the platform, by the contract that src/blueprint/README.md gives images: as many tasks as ECS says that run, each with an HTTP
server at an address of its own. They fail, slow down or die on command."""

import asyncio
import contextlib
import ipaddress
import json
import random
import traceback
from urllib.parse import parse_qs, unquote

from . import http1, payments
from .chain import Place
from .pool import Database, Unreachable

PATHS = {"payment-api": "/api/payments", "transaction-processor": "/api/transactions", "reporting": "/api/reports"}
# A client waits so long before it tries again, when the database takes no writes.
RETRY_AFTER = ("Retry-After", "1")
# The transaction processor: seconds of the clock between two rounds, payments of a round.
ROUND_SECONDS, ROUND_MOST = 10.0, 50
# What a service does beside its database, as others that it asks let it wait: half of the requests take longer than `work_ms`, one of
# twenty more than seven times as long.
WORK_SPREAD, WORK_MOST_MS = 1.2, 5000.0
ORDINARY = {"fail": 0.0, "fail_after": 0.0, "slow_ms": 0.0, "work_ms": 0.0, "dead": False}


def answer(status, document, more=()):
    """A JSON answer."""
    return http1.text(status, json.dumps(document) + "\n", "application/json", more)


def client(forwarded, blocks):
    """The client of a request: the last address of X-Forwarded-For that is outside the environments' blocks."""
    for text in reversed([one.strip() for one in (forwarded or "").split(",")]):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if not any(address in block for block in blocks):
            return address
    return None


class Task:
    """One task: a server at an address."""

    def __init__(self, service, number):
        self.service = service
        # As the emulator shows the targets of a service.
        self.id = f"10.0.{number % 250}.{10 + number // 250}"
        self.host = service.part.plane.names.address(f"task:{service.arn.split(':service/')[-1]}/{number}")
        self.port = service.port
        self._server, self._connections, self._ends = None, set(), False

    async def open(self):
        """Listens."""
        if self._server is None:
            self._ends = False
            self._server = await asyncio.start_server(self._connected, self.host, self.port, limit=http1.MOST_HEAD, backlog=512)

    async def close(self, at_once=False):
        """Takes no new connections, and ends those it has with their next answer; or drops them."""
        server, self._server, self._ends = self._server, None, True
        if server is not None:
            server.close()
        if at_once:
            for writer in list(self._connections):
                writer.transport.abort()

    async def _connected(self, reader, writer):
        self._connections.add(writer)
        try:
            await http1.serve(reader, writer, self._answer, idle=300)
        except ConnectionError:
            pass
        finally:
            self._connections.discard(writer)

    async def _answer(self, request):
        response = await self.service.answer(request)
        if self._ends and response is not None:
            request.headers.append(("Connection", "close"))
        return response


class Service:
    """One service of ECS."""

    def __init__(self, part, document):
        self.part, self.plane = part, part.plane
        self.arn, self.name = document["arn"], document["container"]["name"]
        # `cluster-green-dev`.
        self.env = document["cluster"].split("-")[-2] if document["cluster"].count("-") >= 2 else document["cluster"]
        self.key = f"{self.env}/{self.name}"
        self.path = PATHS.get(self.name)
        self.tasks, self.database, self.document, self._worker = [], None, None, None
        self.settings, self._definition = {}, None
        self.counts = {"requests": 0, "written": 0, "captured": 0, "refused": 0}
        self.port = document["targets"][0]["port"] if document["targets"] else 8080

    @property
    def trouble(self):
        """What the control path wants of it."""
        return self.part.trouble.get(self.key, ORDINARY)

    async def follow(self, document):
        """As many tasks as run, with the settings of their definition."""
        self.document = document
        if document["task_definition"] != self._definition:
            await self._configure(document)
        while len(self.tasks) > document["running"]:
            await self.tasks.pop().close()
        while len(self.tasks) < document["running"]:
            self.tasks.append(Task(self, len(self.tasks)))
        await self.live()
        works = self.name == "transaction-processor" and self.tasks
        if works and self._worker is None:
            self._worker = asyncio.create_task(self._work())
        elif not works and self._worker is not None:
            self._worker.cancel()
            self._worker = None

    async def live(self):
        """Tasks listen, unless they are dead by command."""
        for task in self.tasks:
            await (task.close(at_once=True) if self.trouble["dead"] else task.open())

    async def _configure(self, document):
        """A new definition: its environment, and what its parameters hold."""
        container, region = document["container"], document["region"]
        settings = dict(container["environment"]) | {"NAME": self.key}
        names = {arn.split(":parameter", 1)[-1]: key for key, arn in container["secrets"].items()}
        for first in range(0, len(names), 10):
            some = list(names)[first : first + 10]
            found = await self.plane.emulator.aws("ssm", "get_parameters", region, Names=some, WithDecryption=True)
            settings |= {names[one["Name"]]: one["Value"] for one in found["Parameters"]}
        before, self.database = self.database, Database(self.plane, region, settings)
        self.settings, self._definition = settings, document["task_definition"]
        self.port = int(settings.get("PORT", self.port))
        if before is not None:
            await before.close()

    async def close(self):
        """Ends it."""
        if self._worker is not None:
            self._worker.cancel()
        for task in self.tasks:
            await task.close(at_once=True)
        self.tasks.clear()
        if self.database is not None:
            await self.database.close()

    async def answer(self, request):
        """One request."""
        trouble = self.trouble
        if trouble["dead"]:
            return None
        if request.path == "/health":
            return answer(200, {"status": "ok"})
        try:
            if request.path == "/ready":
                await self.database.run(lambda connection: connection.fetchval("SELECT 1"))
                return answer(200, {"status": "ready", "side": self.env})
            self.counts["requests"] += 1
            work = min(trouble["work_ms"] * random.lognormvariate(0, WORK_SPREAD), WORK_MOST_MS)
            if work or trouble["slow_ms"]:
                await asyncio.sleep((work + trouble["slow_ms"]) / 1000)
            if self.trouble["dead"]:
                # Whoever died while it worked writes nothing any more.
                return None
            if random.random() < trouble["fail"]:
                return answer(500, {"error": "failed on command"})
            response = await self._serve(request)
            if random.random() < trouble["fail_after"]:
                return answer(500, {"error": "failed on command, after its work"})
            return response
        except payments.READ_ONLY:
            self.counts["refused"] += 1
            return answer(503, {"error": "no writes at the moment"}, [RETRY_AFTER])
        except payments.REFUSED as refused:
            return answer(422, {"error": str(refused)})
        except ValueError as bad:
            return answer(400, {"error": str(bad)})
        except (Unreachable, TimeoutError) as failed:
            return answer(503, {"error": f"the database cannot be reached: {failed}"})
        except Exception as failure:  # noqa: BLE001 - a service answers 500, and its log has the rest
            traceback.print_exc()
            return answer(500, {"error": f"{type(failure).__name__}: {failure}"})

    async def _serve(self, request):
        rest = request.path.removeprefix(self.path or "")
        if not self.path or not request.path.startswith(self.path) or (rest and rest[0] != "/"):
            return answer(404, {"error": "not found"})
        if self.name == "payment-api":
            return await self._payments(request, unquote(rest.strip("/")))
        if request.method not in ("GET", "HEAD"):
            return answer(405, {"error": f"{self.name} takes GET"})
        found = await self.database.run(lambda connection: self._seen(connection, payments.report))
        return answer(200, {"side": self.env, "payments": found})

    async def _seen(self, connection, work, *more):
        is_green = await self.database.look(connection)
        if is_green is None:
            raise Unreachable("there is no table of payments")
        return await work(connection, is_green, *more)

    async def _payments(self, request, key):
        if request.method == "POST" and not key:
            key = request.header("Idempotency-Key") or ""
            if not 0 < len(key) <= 64:
                raise ValueError("Idempotency-Key: it takes 1 to 64 characters")
            payment = payments.parsed(request.body)
            who = client(request.header("X-Forwarded-For"), self.part.blocks)
            work = lambda connection: self._seen(connection, payments.write, key, payment, who)  # noqa: E731
            found, is_new = await self.database.run(work)
            self.counts["written"] += is_new
            return answer(201 if is_new else 200, found | {"key": key, "side": self.env})
        if request.method in ("GET", "HEAD") and key:
            merchant = parse_qs(request.target.partition("?")[2]).get("merchant_id", [None])[-1]
            merchant = int(merchant) if merchant is not None else None
            found = await self.database.run(lambda connection: self._seen(connection, payments.read, key, merchant))
            return answer(200, found | {"key": key, "side": self.env}) if found else answer(404, {"error": "no such payment"})
        if request.method in ("GET", "HEAD"):
            return answer(200, {"side": self.env})
        return answer(405, {"error": "it takes POST, and GET with a key"})

    async def _work(self):
        """The transaction processor captures what is authorized."""
        while True:
            await self.plane.clock.sleep(ROUND_SECONDS, least=1.0)
            if self.trouble["dead"]:
                continue
            with contextlib.suppress(payments.READ_ONLY, Unreachable, TimeoutError):
                try:
                    work = lambda connection: self._seen(connection, payments.capture, ROUND_MOST)  # noqa: E731
                    self.counts["captured"] += await self.database.run(work)
                except (payments.READ_ONLY, Unreachable, TimeoutError, asyncio.CancelledError):
                    raise
                except Exception:  # noqa: BLE001 - the next round may succeed
                    traceback.print_exc()


class Part:
    """All services."""

    def __init__(self, plane):
        self.plane = plane
        self.services, self.trouble, self.blocks = {}, {}, []

    async def follow(self, model):
        """New ones start, others follow their count and definition, those that are gone end."""
        self.blocks = [ipaddress.ip_network(block) for vpc in model.get("vpcs", []) for block in vpc["blocks"]]
        there = {one["arn"]: one for one in model.get("services", []) if one["container"]}
        for arn in [arn for arn in self.services if arn not in there]:
            await self.services.pop(arn).close()
        for arn, document in there.items():
            if arn not in self.services:
                self.services[arn] = Service(self, document)
            try:
                await self.services[arn].follow(document)
            except Exception:  # noqa: BLE001 - the others follow all the same
                traceback.print_exc()

    async def close(self):
        """Ends all."""
        for one in self.services.values():
            await one.close()

    def places(self, group):
        """The tasks that are targets of a group."""
        for service in self.services.values():
            if any(one["group"] == group for one in service.document["targets"] if service.document):
                for task in service.tasks:
                    yield Place(task.id, task.host, task.port)

    def measured(self):
        """What ECS and Container Insights publish."""
        for one in self.services.values():
            document = one.document
            of = (("ClusterName", document["cluster"]), ("ServiceName", document["name"]))
            yield "ECS/ContainerInsights", "DesiredTaskCount", of, document["desired"]
            yield "ECS/ContainerInsights", "RunningTaskCount", of, len(one.tasks)
            if one.tasks:
                yield "AWS/ECS", "CPUUtilization", of, 20.0
                yield "AWS/ECS", "MemoryUtilization", of, 30.0

    def routes(self):
        """Of the control path."""
        return {("POST", "services"): self._command}

    async def _command(self, body, _query, _rest):
        known = {one.key for one in self.services.values()}
        for key, wanted in body.items():
            if key not in known:
                raise LookupError(f"no service {key}; there are {', '.join(sorted(known)) or 'none'}")
            unknown = set(wanted or {}) - set(ORDINARY)
            if unknown:
                raise ValueError(f"{', '.join(sorted(unknown))}: it takes {', '.join(ORDINARY)}")
        for key, wanted in body.items():
            self.trouble[key] = (self.trouble.get(key, ORDINARY) | wanted) if wanted else ORDINARY
        for service in self.services.values():
            if service.key in body:
                await service.live()
        return self.trouble

    def state(self):
        """For /state."""
        return {
            one.key: {"tasks": [f"{task.host}:{task.port}" for task in one.tasks], **one.counts, "trouble": one.trouble,
                      "secret_reads": one.database.secret_reads if one.database else 0}
            for one in self.services.values()
        }  # fmt: skip
