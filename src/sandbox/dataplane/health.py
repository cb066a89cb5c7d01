"""Health of targets as the load balancers check it, and health checks of Route 53. Intervals follow the fast clock, timeouts are real
seconds: a machine that is busy is not a service that is slow."""

import asyncio
import collections
import traceback

from . import http1, names, tls
from .chain import Network
from .evaluation import ALARM

# Real seconds between two checks of one thing at least.
LEAST = 1.0
# "How Amazon Route 53 determines whether a health check is healthy": a connection in four seconds, a status in two more.
ROUTE53_CONNECT, ROUTE53_STATUS = 4.0, 2.0


def within(codes, status):
    """Whether a status is one of `200`, `200,301` or `200-299`."""
    for part in codes.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= status <= int(high or low):
            return True
    return False


class Streak:
    """Healthy or not: it changes after so many results in a row; the first one counts at once."""

    def __init__(self, healthy, unhealthy, at_first=None):
        self.healthy, self.unhealthy = healthy, unhealthy
        self.is_healthy, self._row = at_first, 0

    def take(self, good):
        """One more result; true when it changes something."""
        if self.is_healthy is None:
            self.is_healthy = good
            return True
        self._row = 0 if good == self.is_healthy else self._row + 1
        if self._row >= (self.healthy if good else self.unhealthy):
            self.is_healthy, self._row = good, 0
            return True
        return False


class Part:
    """Checks."""

    def __init__(self, plane):
        self.plane = plane
        self.targets, self.checks = {}, {}
        self.events = collections.deque(maxlen=200)
        self._network, self._documents, self._loops, self._sent, self._pools = Network({}, plane.names, lambda _arn: []), {}, {}, {}, {}
        self._anybody = tls.anybody()

    async def follow(self, model):
        """A loop for each group that a load balancer uses, and for each endpoint check."""
        service = self.plane.part("service")
        self._network = Network(model, self.plane.names, service.places if service else lambda _arn: [])
        groups = {arn: group for arn, group in self._network.groups.items() if group["balancers"]}
        self._documents = {one["id"]: one for one in model.get("health_checks", [])}
        wanted = {("group", arn) for arn in groups}
        wanted |= {("check", name) for name, one in self._documents.items() if one["config"]["Type"] not in ("CALCULATED", "CLOUDWATCH_METRIC")}
        for key in [key for key in self._loops if key not in wanted]:
            self._loops.pop(key).cancel()
        for key in wanted - set(self._loops):
            work = self._group if key[0] == "group" else self._endpoint
            self._loops[key] = asyncio.create_task(self._loop(key[1], work))
        self.targets = {key: streak for key, streak in self.targets.items() if key[0] in groups}
        self.checks = {name: streak for name, streak in self.checks.items() if name in self._documents}

    async def close(self):
        """Stops."""
        for task in self._loops.values():
            task.cancel()
        for pool in self._pools.values():
            pool.close()

    async def _loop(self, of, work):
        while True:
            seconds = 10.0
            try:
                seconds = await work(of)
            except Exception:  # noqa: BLE001 - there is a next check
                traceback.print_exc()
            await self.plane.clock.sleep(seconds, least=LEAST)

    async def _group(self, arn):
        """Checks all targets of a group once; answers the seconds until the next time."""
        group = self._network.groups.get(arn)
        if group is None:
            return 10.0
        places = self._network.places(arn)
        # Several addresses of the bridge lead to one place: one check is enough.
        distinct = {(place.host, place.port): place for _, place in places if place is not None}
        results = await asyncio.gather(*(self._asked(group["health"], place) for place in distinct.values()))
        good = dict(zip(distinct, results))
        changed = False
        for name, place in places:
            streak = self.targets.setdefault((arn, name), Streak(group["health"]["healthy"], group["health"]["unhealthy"]))
            if streak.take(place is not None and good[place.host, place.port]):
                changed = True
                self.events.append({"at": self.plane.clock.now(), "group": group["name"], "target": name, "healthy": streak.is_healthy})
        there = {name for name, _ in places}
        for key in [key for key in self.targets if key[0] == arn and key[1] not in there]:
            del self.targets[key]
            changed = True
        if changed:
            await self._show(group, places)
        return float(group["health"]["interval"])

    async def _asked(self, health, place):
        pool = self._pools.get(place)
        if pool is None:
            patience = float(health["timeout"])
            pool = self._pools[place] = http1.Pool(place.host, place.port, self._anybody if place.tls else None, place.source, 30, patience)
        if health["protocol"] == "TCP":
            return await self._connects(place.host, place.port)
        try:
            headers = [("Host", place.host), ("User-Agent", "ELB-HealthChecker/2.0")]
            answer = await pool.ask("GET", health["path"], headers, seconds=float(health["timeout"]))
        except (OSError, TimeoutError, http1.BadMessage):
            return False
        return within(health["codes"], int(answer.first[1]))

    async def _connects(self, host, port):
        try:
            async with asyncio.timeout(ROUTE53_CONNECT):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def _show(self, group, places):
        """The emulator shows the health of targets."""
        states = {name: self.target_is_healthy(group["arn"], name) for name, _ in places}
        if group["targets"]:
            shown = {name: "healthy" if good else "unhealthy" for name, good in states.items()}
        else:
            shown = sum(states.values())
        if self._sent.get(group["name"]) != shown:
            await self.plane.emulator.control("POST", "targets", {group["name"]: shown})
            self._sent[group["name"]] = shown

    def target_is_healthy(self, group, target):
        """As it was checked last; a new one gets nothing before its first check."""
        streak = self.targets.get((group, target))
        return streak is not None and bool(streak.is_healthy)

    async def _endpoint(self, name):
        """One health check of Route 53 by a request."""
        document = self._documents.get(name)
        if document is None:
            return 30.0
        config = document["config"]
        streak = self.checks.setdefault(name, Streak(int(config.get("FailureThreshold", 3)), int(config.get("FailureThreshold", 3)), True))
        if streak.take(await self._reached(config)):
            self.events.append({"at": self.plane.clock.now(), "check": name, "healthy": streak.is_healthy})
        return float(config.get("RequestInterval", 30))

    async def _reached(self, config):
        host = config.get("IPAddress") or self._resolved(config.get("FullyQualifiedDomainName"))
        if host is None:
            return False
        kind, port = config["Type"], names.port(int(config.get("Port") or 443))
        if kind == "TCP":
            return await self._connects(host, port)
        secure = kind.startswith("HTTPS")
        if (host, port, secure) not in self._pools:
            # The checkers of Route 53 make a connection for each check; handshakes would cost more than all else here.
            self._pools[host, port, secure] = http1.Pool(host, port, self._anybody if secure else None, patience=ROUTE53_CONNECT)
        pool = self._pools[host, port, secure]
        headers = [("Host", config.get("FullyQualifiedDomainName") or host), ("User-Agent", "Amazon-Route53-Health-Check-Service")]
        try:
            answer = await pool.ask("GET", config.get("ResourcePath") or "/", headers, seconds=ROUTE53_STATUS)
        except (OSError, TimeoutError, http1.BadMessage):
            return False
        if kind.endswith("STR_MATCH") and (config.get("SearchString") or "").encode() not in answer.body[:5120]:
            return False
        return 200 <= int(answer.first[1]) < 400

    def _resolved(self, name):
        server = self.plane.part("dns")
        return server.resolve(name) if server is not None and name else None

    def is_healthy(self, name, depth=0):
        """A health check of Route 53; one without a result counts as healthy."""
        document = self._documents.get(name)
        if document is None or document["config"].get("Disabled"):
            return True
        config = document["config"]
        if config["Type"] == "CALCULATED":
            children = config.get("ChildHealthChecks") or []
            good = depth > 8 or sum(self.is_healthy(child, depth + 1) for child in children) >= int(config.get("HealthThreshold") or 0)
        elif config["Type"] == "CLOUDWATCH_METRIC":
            alarms = self.plane.part("alarms")
            good = alarms is None or alarms.followed.get(name) != ALARM
        else:
            good = name not in self.checks or bool(self.checks[name].is_healthy)
        return good != bool(config.get("Inverted"))

    def state(self):
        """For /state."""
        groups = collections.defaultdict(dict)
        for (arn, name), streak in self.targets.items():
            groups[arn.split("/")[1]][name] = streak.is_healthy
        checks = {name: self.is_healthy(name) for name in self._documents}
        return {"targets": groups, "checks": checks, "events": list(self.events)}
