"""The load balancers: for each one of type application an HTTP server at an address of its own, which follows the rules of its
listeners as they are at the moment of a request."""

import asyncio
import contextlib
import itertools
import random
import re
import secrets
import time

from . import http1, names, rules, tls
from .chain import Network

VALID_NAME = re.compile(r"[A-Za-z0-9-]+")
# "Target groups", how long a connection to a target may take: "HTTP 504: ... 10 seconds".
CONNECT_SECONDS = 10.0
ERRORS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out", 403: "Forbidden"}


def dimension(arn):
    """The end of an ARN as metrics name it: `app/{name}/{id}`, `targetgroup/{name}/{id}`."""
    return arn.rsplit(":", 1)[-1].removeprefix("loadbalancer/")


class Balancer:
    """One load balancer."""

    def __init__(self, part, document):
        self.part, self.plane = part, part.plane
        self.document = document
        self.host = part.plane.names.address(document["dns_name"])
        # By port of AWS.
        self.listeners, self._servers, self._pools, self._failed = {}, {}, {}, set()
        self._turn = itertools.count()

    def attribute(self, key, default):
        """One of its attributes."""
        return self.document["attributes"].get(key, default)

    async def follow(self, document, listeners, certificates):
        """Rules count at once; a new port is opened, one that is gone closed, another certificate opens it again."""
        self.document = document
        self.listeners = {one["port"]: one for one in listeners}
        for port, (_, served) in list(self._servers.items()):
            if port not in self.listeners or self._served(self.listeners[port], certificates) != served:
                self._servers.pop(port)[0].close()
        for port, listener in self.listeners.items():
            if port in self._servers:
                continue
            served = self._served(listener, certificates)
            context = tls.server(self.plane.authority, served[1]) if served[0] == "HTTPS" else None
            try:
                server = await asyncio.start_server(
                    lambda reader, writer, port=port: self._connected(port, reader, writer),
                    self.host, names.port(port), ssl=context, limit=http1.MOST_HEAD, backlog=512,
                )  # fmt: skip
            except OSError as failed:
                if port not in self._failed:
                    print(f"data plane: {self.document['name']} can't listen: {failed}", flush=True)
                self._failed.add(port)
                continue
            self._servers[port] = (server, served)

    def _served(self, listener, certificates):
        own = [name for arn in listener["certificates"] for name in certificates.get(arn, [])]
        return listener["protocol"], tuple(own or [self.document["dns_name"]])

    async def close(self):
        """Closes ports and connections to targets; clients that are connected get nothing more."""
        self.listeners = {}
        for server, _ in self._servers.values():
            server.close()
        for pool in self._pools.values():
            pool.close()
        self._servers.clear()

    async def _connected(self, port, reader, writer):
        idle = float(self.attribute("idle_timeout.timeout_seconds", "60"))
        lives = self.plane.clock.real(float(self.attribute("client_keep_alive.seconds", "3600")))
        with contextlib.suppress(ConnectionError):
            await http1.serve(reader, writer, lambda request: self._answer(port, request), idle, max(0.2, lives))

    async def _answer(self, port, request):
        listener = self.listeners.get(port)
        if listener is None:
            return None
        response = await self._routed(port, listener, request)
        if response is not None and 200 <= response.status < 600:
            more = listener["attributes"].get("routing.http.response.strict_transport_security.header_value")
            if more and listener["protocol"] == "HTTPS":
                response.headers.append(("Strict-Transport-Security", more))
        return response

    async def _routed(self, port, listener, request):
        path, _, query = request.target.partition("?")
        source = self.plane.names.source(request.peer)
        host = request.header("Host", "")
        facts = rules.Facts(request.method, path, query, host, request.headers, source, listener["protocol"], port)
        blocked = self.part.inspect(self.document["arn"], facts)
        if blocked:
            return self._error(403, count="HTTPCode_ELB_4XX_Count")
        action = rules.last(rules.actions(listener, facts))
        kind = action["Type"] if action else None
        if kind == "fixed-response":
            config = action["FixedResponseConfig"]
            return http1.text(int(config["StatusCode"]), config.get("MessageBody") or "", config.get("ContentType") or "text/plain")
        if kind == "redirect":
            config = action["RedirectConfig"]
            status = 302 if config["StatusCode"] == "HTTP_302" else 301
            return http1.text(status, "", "text/html", [("Location", rules.location(config, facts))])
        group = rules.group(action, random.random) if kind == "forward" else None
        if group is None:
            return self._error(503)
        return await self._forwarded(port, listener, group, request, source)

    def _error(self, status, count="HTTPCode_ELB_5XX_Count"):
        """An answer of the load balancer itself."""
        kinds = [count, f"HTTPCode_ELB_{status}_Count"] if status >= 500 else [count]
        for kind in kinds:
            self.part.count(kind, 1, self.document["arn"])
        words = f"{status} {ERRORS[status]}"
        return http1.text(status, f"<html><head><title>{words}</title></head><body><center><h1>{words}</h1></center></body></html>\r\n", "text/html")

    def _targets(self, group):
        """Healthy targets; all of them when none is ("Target group health": fail open)."""
        places = self.part.network.places(group)
        healthy = [place for name, place in places if self.part.is_healthy(group, name)]
        return healthy or [place for _, place in places]

    def pool(self, place):
        """Connections to a target."""
        if place not in self._pools:
            # An idle connection is given up before the target gives it up.
            idle = float(self.attribute("idle_timeout.timeout_seconds", "60"))
            context = self.part.anybody if place.tls else None
            self._pools[place] = http1.Pool(place.host, place.port, context, place.source, idle, CONNECT_SECONDS)
        return self._pools[place]

    async def _forwarded(self, port, listener, group, request, source):
        targets = self._targets(group)
        if not targets:
            return self._error(503)
        place = targets[next(self._turn) % len(targets)]
        own = self.document["arn"]
        self.part.count("RequestCount", 1, own, group)
        if place is None:
            self.part.count("TargetConnectionErrorCount", 1, own, group)
            return self._error(504)
        began = time.perf_counter()
        seconds = float(self.attribute("idle_timeout.timeout_seconds", "60"))
        try:
            answer = await self.pool(place).ask(request.method, request.target, self._headers(port, listener, request, source), request.body, seconds)
        except http1.ConnectError as failed:
            self.part.count("TargetConnectionErrorCount", 1, own, group)
            return self._error(504 if isinstance(failed.__cause__, TimeoutError) else 502)
        except TimeoutError:
            return self._error(504)
        except (OSError, http1.BadMessage):
            return self._error(502)
        status = int(answer.first[1])
        self.part.count("TargetResponseTime", _rounded(time.perf_counter() - began), own, group)
        self.part.count(f"HTTPCode_Target_{status // 100}XX_Count", 1, own, group)
        headers = [(key, value) for key, value in answer.headers if key.lower() not in http1.HOP]
        return http1.Response(status, headers, answer.body)

    def _headers(self, port, listener, request, source):
        """What a target gets ("X-Forwarded headers"): the client is appended, protocol and port are set."""
        strict = self.attribute("routing.http.drop_invalid_header_fields.enabled", "false") == "true"
        kept, before, trace = [], [], None
        for key, value in request.headers:
            lower = key.lower()
            if lower == "x-forwarded-for":
                before.append(value)
            elif lower == "x-amzn-trace-id":
                trace = value
            elif lower not in http1.HOP and lower not in ("x-forwarded-proto", "x-forwarded-port"):
                if not strict or VALID_NAME.fullmatch(key):
                    kept.append((key, value))
        root = re.search(r"Root=[^;]+", trace or "")
        own = f"1-{int(self.plane.clock.now()):08x}-{secrets.token_hex(12)}"
        kept += [
            ("X-Forwarded-For", ", ".join([*before, source])),
            ("X-Forwarded-Proto", listener["protocol"].lower()),
            ("X-Forwarded-Port", str(port)),
            ("X-Amzn-Trace-Id", f"Self={own};{root.group(0)}" if root else f"Root={own}"),
        ]
        return kept


def _rounded(seconds):
    """Three digits: so a minute has few different values."""
    return float(f"{max(seconds, 0.001):.3g}")


class Part:
    """All load balancers."""

    def __init__(self, plane):
        self.plane = plane
        self.balancers = {}
        self.network = Network({}, plane.names, lambda _arn: [])
        self.anybody = tls.anybody()
        self._acls = {}

    async def follow(self, model):
        """New ones open, others change, those that are gone close."""
        service = self.plane.part("service")
        self.network = Network(model, self.plane.names, service.places if service else lambda _arn: [])
        self._acls = {resource: acl for acl in model.get("web_acls", []) for resource in acl["resources"]}
        certificates = {one["arn"]: one["names"] for one in model.get("certificates", [])}
        there = {one["arn"]: one for one in model.get("balancers", []) if one["type"] == "application" and one["state"] == "active"}
        for arn in [arn for arn in self.balancers if arn not in there]:
            await self.balancers.pop(arn).close()
        for arn, document in there.items():
            if arn not in self.balancers:
                self.balancers[arn] = Balancer(self, document)
            own = [one for one in model["listeners"] if one["balancer"] == arn]
            await self.balancers[arn].follow(document, own, certificates)

    async def close(self):
        """Closes all."""
        for one in self.balancers.values():
            await one.close()

    def is_healthy(self, group, target):
        """Whether a target may get requests."""
        health = self.plane.part("health")
        return health is None or health.target_is_healthy(group, target)

    def count(self, name, value, balancer, group=None):
        """A value of a metric of the load balancer, and of the group."""
        metrics = self.plane.part("metrics")
        if metrics is not None:
            of = (("LoadBalancer", dimension(balancer)),)
            metrics.add("AWS/ApplicationELB", name, of, value)
            if group is not None:
                metrics.add("AWS/ApplicationELB", name, (*of, ("TargetGroup", dimension(group))), value)

    def inspect(self, balancer, facts):
        """The rule of the firewall that blocks a request, or `None`; what its rules count is published, and each request is in its log."""
        acl = self._acls.get(balancer)
        if acl is None:
            return None
        counted, blocked = rules.firewall(acl, facts)
        metrics = self.plane.part("metrics")
        if metrics is not None:
            of = (("Region", acl["region"]), ("WebACL", acl["name"]))
            for rule in counted:
                metrics.add("AWS/WAFV2", "CountedRequests", (*of, ("Rule", rule)), 1)
            name = "BlockedRequests" if blocked else "AllowedRequests"
            metrics.add("AWS/WAFV2", name, (*of, ("Rule", "ALL")), 1)
        log = self.plane.part("firewall_log")
        if log is not None:
            log.add(acl, balancer, facts, counted, blocked)
        return blocked

    def measured(self):
        """What is reported whenever there are registered targets ("CloudWatch metrics for your Application Load Balancer")."""
        for balancer in self.balancers.values():
            arn = balancer.document["arn"]
            actions = [action for one in balancer.listeners.values() for rule in one["rules"] for action in rule["actions"]]
            used = {group for action in actions for group, _ in rules.groups(action)}
            for group in used:
                places = self.network.places(group)
                if not places:
                    continue
                of = (("LoadBalancer", dimension(arn)), ("TargetGroup", dimension(group)))
                healthy = sum(self.is_healthy(group, name) for name, _ in places)
                yield "AWS/ApplicationELB", "HealthyHostCount", of, healthy
                yield "AWS/ApplicationELB", "UnHealthyHostCount", of, len(places) - healthy
                for name in ("RequestCount", *(f"HTTPCode_Target_{kind}XX_Count" for kind in (2, 3, 4, 5))):
                    yield "AWS/ApplicationELB", name, of, None

    def state(self):
        """For /state."""
        return [
            {"name": one.document["name"], "address": one.host, "ports": {port: names.port(port) for port in one._servers}}
            for one in self.balancers.values()
        ]
