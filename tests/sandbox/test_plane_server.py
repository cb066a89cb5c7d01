"""The data plane's servers on loopback: load balancers with their rules, the bridge between two of them, health, DNS; and what the
emulator has for the data plane."""

import asyncio
import json
import pathlib
import sys
import tempfile
import time
import types
import unittest

from support import SOURCES, Case, client, control, vpc

sys.path.insert(0, str(SOURCES))
from dataplane import http1, names  # noqa: E402
from dataplane.chain import Place  # noqa: E402
from dataplane.plane import Plane  # noqa: E402

ARN = "arn:aws:elasticloadbalancing:eu-central-1:1:{}"
BLOCKS = {"blue": "10.10.0.0/16", "green": "10.20.0.0/16"}
OTHER = {"blue": "green", "green": "blue"}


def arn(kind, env):
    return ARN.format(f"{kind}/{env}")


def path(*values):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def source(*values):
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


def fixed(status, body):
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status), "MessageBody": body, "ContentType": "text/plain"}}]


def forward(kind, env):
    return [{"Type": "forward", "TargetGroupArn": arn(f"targetgroup/{kind}", env)}]


def group(kind, env, protocol, of, targets, balancer):
    check = {"port": "traffic-port", "path": "/_side" if kind != "pay" else "/health", "codes": "200", "timeout": 30}
    check |= {"interval": 10, "healthy": 2, "unhealthy": 2, "protocol": "HTTP" if kind == "pay" else "HTTPS"}
    return {
        "arn": arn(f"targetgroup/{kind}", env), "name": f"{kind}-{env}", "protocol": protocol, "port": 443, "type": of, "vpc": env,
        "balancers": [arn(balancer, env)], "attributes": {}, "targets": targets, "health": check,
    }  # fmt: skip


def model(armed=()):
    """Two load balancers with a service each, and bridges in both directions; `armed` names the sides that send on."""
    found = {key: [] for key in ("balancers", "listeners", "groups", "endpoints", "endpoint_services", "zones", "health_checks")}
    found["version"] = 1
    for env, number in (("blue", 10), ("green", 20)):
        other = OTHER[env]
        guard = source(f"10.{number}.0.0/18", BLOCKS[other])
        found["balancers"] += [
            {"arn": arn("app", env), "name": env, "type": "application", "state": "active", "dns_name": f"{env}.elb.amazonaws.com",
             "vpc": env, "addresses": [f"10.{number}.1.1"], "attributes": {"client_keep_alive.seconds": "3600"}},
            {"arn": arn("net", env), "name": f"nlb-{env}", "type": "network", "state": "active", "dns_name": f"nlb-{env}.elb.amazonaws.com",
             "vpc": env, "addresses": [f"10.{number}.0.{at}" for at in (4, 5, 6)], "attributes": {}},
        ]  # fmt: skip
        bridge = path("/*") if env in armed else source("192.0.2.0/32")
        rules = [
            (1, [path("/api/*"), guard], forward("pay", env)),
            (4, [path("/_side"), guard], fixed(200, env)),
            (5, [guard], fixed(404, "guarded")),
            (10, [bridge], forward("bridge", env)),
            (90, [path("/_side")], fixed(200, env)),
            (100, [path("/api/*")], forward("pay", env)),
        ]
        rules = [{"arn": str(at), "priority": at, "conditions": conditions, "actions": actions} for at, conditions, actions in rules]
        strict = {"routing.http.response.strict_transport_security.header_value": "max-age=1"}
        https = {"balancer": arn("app", env), "port": 443, "protocol": "HTTPS", "certificates": [], "attributes": strict}
        redirect = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
        http = {"balancer": arn("app", env), "port": 80, "protocol": "HTTP", "certificates": [], "attributes": {}, "rules": [], "actions": redirect}
        tcp = {"balancer": arn("net", env), "port": 443, "protocol": "TCP", "certificates": [], "attributes": {}, "rules": []}
        found["listeners"] += [https | {"rules": rules, "actions": fixed(404, "absent")}, http, tcp | {"actions": forward("nlb", env)}]
        address = f"10.{number}.70.7"
        found["groups"] += [
            group("pay", env, "HTTP", "ip", [], "app"),
            group("bridge", env, "HTTPS", "ip", [{"id": address, "port": 443}], "app"),
            group("nlb", env, "TCP", "alb", [{"id": arn("app", env), "port": 443}], "net"),
        ]
        found["endpoints"].append({"vpc": env, "service": f"service-{other}", "addresses": [address]})
        found["endpoint_services"].append({"name": f"service-{env}", "balancers": [arn("net", env)]})
    alias = {"DNSName": "blue.elb.amazonaws.com.", "EvaluateTargetHealth": False}
    records = [{"Name": "pay.example.", "Type": "A", "AliasTarget": alias}]
    found["zones"].append({"name": "example.", "private": False, "records": records})
    return found


class Tasks:
    """In place of the services: a server for each side, which says what it got."""

    def __init__(self, plane):
        self.plane, self.servers, self.seen = plane, {}, []

    async def open(self, env):
        host = self.plane.names.address(f"task:{env}")

        async def answer(request):
            self.seen.append(request)
            if request.path == "/api/cut":
                return None
            if request.path == "/api/late":
                await asyncio.sleep(1)
            return http1.text(200, json.dumps({"side": env, "from": request.header("X-Forwarded-For"), "body": request.body.decode()}))

        connected = lambda reader, writer: http1.serve(reader, writer, answer)  # noqa: E731
        self.servers[env] = (await asyncio.start_server(connected, host, 9090), host)

    def places(self, group_arn):
        return [Place(f"task-{env}", host, 9090) for env, (_, host) in self.servers.items() if group_arn == arn("targetgroup/pay", env)]


class Servers(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.plane = Plane("http://127.0.0.1:9", self.folder.name, 100, parts=["dns", "metrics", "balancer", "firewall_log"])
        self.sent = []

        async def sent(method, path, body=None):
            self.sent.append((path, body))
            return {}

        self.plane.emulator = types.SimpleNamespace(control=sent, close=lambda: None, endpoint="")
        self.tasks = Tasks(self.plane)
        self.plane.parts["service"] = self.tasks
        for env in BLOCKS:
            await self.tasks.open(env)
        await self.plane.part("dns").start()
        await self.follow()

    async def asyncTearDown(self):
        await self.plane.part("balancer").close()
        await self.plane.part("dns").close()
        for server, _ in self.tasks.servers.values():
            server.close()
        self.plane.names.close()

    async def follow(self, **more):
        for part in ("dns", "balancer"):
            await self.plane.part(part).follow(model(**more))

    async def ask(self, env, target, method="GET", port=443, headers=(), body=b""):
        from dataplane import tls

        context = tls.client(self.plane.authority) if port == 443 else None
        pool = http1.Pool(self.plane.names.address(f"{env}.elb.amazonaws.com"), names.port(port), context)
        try:
            return await pool.ask(method, target, [("Host", "pay.example"), *headers], body, 5)
        finally:
            pool.close()

    async def test_rules_answer_redirect_and_forward(self):
        answer = await self.ask("blue", "/_side")
        self.assertEqual((answer.first[1], answer.body, answer.header("Strict-Transport-Security")), ("200", b"blue", "max-age=1"))
        self.assertEqual((await self.ask("blue", "/other")).first[1], "404")
        moved = await self.ask("blue", "/a?b=c", port=80)
        self.assertEqual((moved.first[1], moved.header("Location")), ("301", "https://pay.example:443/a?b=c"))
        answer = await self.ask("blue", "/api/x", "POST", headers=[("X-Forwarded-For", "192.0.2.7")], body=b"paid")
        self.assertEqual(json.loads(answer.body), {"side": "blue", "from": "192.0.2.7, 127.0.0.1", "body": "paid"})
        request = self.tasks.seen[-1]
        self.assertEqual([request.header(name) for name in ("Host", "X-Forwarded-Proto", "X-Forwarded-Port")], ["pay.example", "https", "443"])
        self.assertRegex(request.header("X-Amzn-Trace-Id"), r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$")

    async def test_an_armed_bridge_sends_on_and_two_of_them_send_nothing_round(self):
        await self.follow(armed=["green"])
        answer = await self.ask("green", "/api/x")
        # The other side saw the private address of the Network Load Balancer, so its guard let it in.
        self.assertEqual(json.loads(answer.body), {"side": "blue", "from": "127.0.0.1, 10.10.0.4", "body": ""})
        self.assertEqual((await self.ask("green", "/_side")).body, b"blue")
        self.assertEqual((await self.ask("blue", "/_side")).body, b"blue")
        await self.follow(armed=["blue", "green"])
        for env, other in OTHER.items():
            self.assertEqual(json.loads((await self.ask(env, "/api/x")).body)["side"], other)
            self.assertEqual((await self.ask(env, "/nowhere")).body, b"guarded")

    async def test_a_target_that_fails_is_502_503_or_504_as_a_load_balancer_answers(self):
        balancer = self.plane.part("balancer").balancers[arn("app", "blue")]
        self.assertEqual((await self.ask("blue", "/api/cut")).first[1], "502")
        balancer.document["attributes"]["idle_timeout.timeout_seconds"] = "0.2"
        self.assertEqual((await self.ask("blue", "/api/late")).first[1], "504")
        server, _ = self.tasks.servers["blue"]
        server.close()
        for pool in balancer._pools.values():
            pool.close()
        self.assertEqual((await self.ask("blue", "/api/x")).first[1], "502")
        del self.tasks.servers["blue"]
        self.assertEqual((await self.ask("blue", "/api/x")).first[1], "503")
        counted = {}
        for keys in self.plane.part("metrics")._minutes.values():
            for (_, name, of), values in keys.items():
                counted[name, len(of)] = counted.get((name, len(of)), 0) + sum(values.values())
        self.assertEqual(counted["HTTPCode_ELB_5XX_Count", 1], 4)
        self.assertEqual(counted["HTTPCode_ELB_503_Count", 1], 1)
        self.assertEqual(counted["RequestCount", 2], 3, "only what got a target")

    async def test_only_healthy_targets_get_requests_and_all_of_them_when_none_is(self):
        health = {"task-blue": False}
        self.plane.parts["health"] = types.SimpleNamespace(target_is_healthy=lambda _group, name: health.get(name, True))
        places = [Place("task-blue", "127.0.0.1", 1), Place("other", self.tasks.servers["blue"][1], 9090)]
        self.tasks.places = lambda group_arn: places if "pay/blue" in group_arn else []
        await self.follow()
        self.assertEqual({(await self.ask("blue", "/api/x")).first[1] for _ in range(6)}, {"200"})
        health["other"] = False
        self.assertEqual({(await self.ask("blue", "/api/x")).first[1] for _ in range(6)}, {"200", "502"})

    async def test_the_checks_of_a_bridge_go_the_way_of_its_requests(self):
        from dataplane import health

        part = health.Part(self.plane)
        part._network = self.plane.part("balancer").network
        for kind, name in (("bridge", "10.20.70.7"), ("nlb", arn("app", "green")), ("pay", "task-green")):
            await part._group(arn(f"targetgroup/{kind}", "green"))
            self.assertTrue(part.target_is_healthy(arn(f"targetgroup/{kind}", "green"), name), kind)
        self.assertIn(("targets", {"bridge-green": {"10.20.70.7": "healthy"}}), self.sent)
        self.assertIn(("targets", {"pay-green": 1}), self.sent)
        # Blue's load balancer goes.
        await self.plane.part("balancer").balancers[arn("app", "blue")].close()
        await part.close()
        for _ in range(3):
            await part._group(arn("targetgroup/bridge", "green"))
        self.assertFalse(part.target_is_healthy(arn("targetgroup/bridge", "green"), "10.20.70.7"))
        await part.close()

    async def test_dns_answers_on_both_protocols_and_changes_later(self):
        import dns.asyncquery
        import dns.message

        where, port = self.plane.names.dns, names.DNS_PORT
        query = dns.message.make_query("pay.example", "A")
        address = self.plane.names.address("blue.elb.amazonaws.com")
        for ask in (dns.asyncquery.udp, dns.asyncquery.tcp):
            answer = await ask(query, where, port=port, timeout=30)
            self.assertEqual(str(answer.answer[0]), f"pay.example. 60 IN A {address}")
        part, changed = self.plane.part("dns"), model()
        changed["zones"][0]["records"] = []
        await part.follow(changed)
        self.assertEqual(part.resolve("pay.example"), address, "not yet")
        self.plane.clock.now = lambda: time.time() + 10**6
        self.assertIsNone(part.resolve("pay.example"))

    async def test_minutes_are_published_with_their_zeros(self):
        metrics = self.plane.part("metrics")
        # A request counts at its beginning and at its end, and a minute of this plane is short: time stands still meanwhile.
        at = self.plane.clock.now()
        self.plane.clock.now = lambda: at
        await self.ask("blue", "/api/x")
        (minute,) = metrics._minutes
        metrics._measured(minute)
        await metrics._publish(minute)
        ((path, body),) = self.sent
        self.assertEqual((path, metrics._minutes), ("metrics", {}))
        of_blue = {"LoadBalancer": "app/blue", "TargetGroup": "targetgroup/pay/blue"}
        points = {one["name"]: one["points"][0][1] for one in body["metrics"] if one["dimensions"] == of_blue}
        self.assertEqual(points["RequestCount"], {"1": 1})
        self.assertEqual(points["HTTPCode_Target_5XX_Count"], {"0": 1})
        self.assertEqual(points["HealthyHostCount"], {"1": 1})


    async def test_a_firewall_writes_each_request_to_its_log_without_what_is_redacted(self):
        acl = {"account": "1", "region": "eu", "name": "waf", "arn": "acl", "log_group": "aws-waf-logs-x", "redacted": ["authorization"],
               "rules": [], "default": "Allow", "resources": []}  # fmt: skip
        self.plane.part("balancer")._acls = {arn("app", "blue"): acl}
        await self.ask("blue", "/api/x?a=1", "POST", headers=[("Authorization", "secret")])
        await self.plane.part("firewall_log").write()
        ((path, body),) = self.sent
        ((log,), (event,)) = body["logs"], body["logs"][0]["events"]
        self.assertEqual((path, log["group"], log["stream"]), ("logs", "aws-waf-logs-x", "eu_waf_0"))
        request = json.loads(event[1])["httpRequest"]
        self.assertEqual((request["clientIp"], request["uri"], request["args"], request["httpMethod"]), ("127.0.0.1", "/api/x", "a=1", "POST"))
        self.assertIn({"name": "Authorization", "value": "REDACTED"}, request["headers"])
        self.assertNotIn("secret", event[1])
        # An acl without a log writes none.
        acl["log_group"] = None
        await self.ask("blue", "/api/x")
        await self.plane.part("firewall_log").write()
        self.assertEqual(len(self.sent), 1)


class Names(unittest.TestCase):
    def test_a_name_keeps_its_address_and_two_data_planes_have_different_blocks(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            first, second = names.Names(one), names.Names(two)
            address = first.address("A.example.")
            self.assertEqual(first.address("a.example"), address)
            self.assertNotEqual(first.block, second.block)
            self.assertEqual(first.source(first.interface("10.0.0.4")), "10.0.0.4")
            self.assertEqual(json.loads(pathlib.Path(one, names.FILE).read_text())["addresses"]["a.example"], address)
            first.close()
            again = names.Names(one, first.block)
            self.assertEqual(again.address("a.example"), address)
            second.close()
        self.assertEqual([names.port(of) for of in (443, 80, 5432)], [8443, 8080, 5432])


class Emulator(Case):
    """What the emulator has for it."""

    def test_the_model_has_a_version_and_an_unchanged_one_no_content(self):
        first = control("GET", "_sandbox/model")
        self.assertIn("zones", first)
        again = control("GET", f"_sandbox/model?since={first['version']}")
        self.assertEqual(again, {"version": first["version"], "unchanged": True})
        client("elbv2").create_target_group(Name="mine", Protocol="HTTP", Port=80, VpcId=vpc(), TargetType="ip")
        later = control("GET", f"_sandbox/model?since={first['version']}")
        self.assertGreater(later["version"], first["version"])
        self.assertIn("mine", [one["name"] for one in later["groups"]])

    def test_alarms_are_set_and_series_read_as_the_data_plane_does(self):
        watch = client("cloudwatch")
        watch.put_metric_alarm(
            AlarmName="mine", Namespace="A/B", MetricName="n", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        shown = control("GET", "_sandbox/model")["alarms"]
        (one,) = [alarm for alarm in shown if alarm["name"] == "mine"]
        point = {"namespace": "A/B", "name": "n", "points": [[600, {"1": 3}], [650, 2]]}
        control("POST", "_sandbox/metrics", {"metrics": [point]})
        query = {"account": one["account"], "region": one["region"], **one["metric"]}
        found = control("POST", "_sandbox/series", {"first": 540, "last": 720, "queries": [query, query | {"name": "none"}]})
        self.assertEqual(found["series"], [[[600, 5.0]], []])
        state = {"account": one["account"], "region": one["region"], "name": "mine", "state": "ALARM", "reason": "r"}
        self.assertEqual(control("POST", "_sandbox/alarms", {"alarms": [state, state | {"name": "gone"}]}), {"changed": ["mine"]})
        self.assertEqual(control("POST", "_sandbox/alarms", {"alarms": [state]}), {"changed": []})
        # Its clock may be ahead of the machine's.
        later = {"state": "OK", "at": 4_000_000_000.0}
        self.assertEqual(control("POST", "_sandbox/alarms", {"alarms": [state | later]}), {"changed": ["mine"]})
        (newest, *_) = watch.describe_alarm_history(AlarmName="mine")["AlarmHistoryItems"]
        self.assertEqual(newest["Timestamp"].timestamp(), later["at"])
        control("POST", "_sandbox/alarms", {"alarms": [state]})
        self.assertEqual(watch.describe_alarms(AlarmNames=["mine"])["MetricAlarms"][0]["StateValue"], "ALARM")

    def test_a_change_of_records_is_pending_until_the_servers_answer_it(self):
        route53 = client("route53")
        zone = route53.list_hosted_zones()["HostedZones"][0]
        record = {"Name": f"a.{zone['Name']}", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}

        def status(action):
            change = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
            made = route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=change)["ChangeInfo"]["Id"]
            return route53.get_change(Id=made)["ChangeInfo"]["Status"]

        self.assertEqual(status("CREATE"), "INSYNC")
        control("POST", "_sandbox/data-plane", {"dns_delay": 1000})
        self.assertEqual(status("DELETE"), "PENDING")
        control("POST", "_sandbox/data-plane", {"dns_delay": 0})


if __name__ == "__main__":
    unittest.main()
