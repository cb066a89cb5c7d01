"""The data plane's decisions as pure functions: listener rules, the firewall, DNS answers, alarms."""

import base64
import sys
import unittest

from support import SOURCES

sys.path.insert(0, str(SOURCES))
from dataplane import dns, evaluation, expressions, health, payments, rules, service, usage  # noqa: E402


def facts(path="/", method="GET", source="203.0.113.9", headers=(), query="", host="pay.example"):
    return rules.Facts(method, path, query, host, list(headers), source)


def condition(field, *values, **more):
    return {"Field": field, rules.CONFIG[field]: {"Values": list(values), **more}}


def rule(priority, answer, *conditions):
    return {"priority": priority, "conditions": list(conditions), "actions": [{"Type": answer}]}


class Rules(unittest.TestCase):
    def test_each_kind_of_condition(self):
        holds = rules.holds
        self.assertTrue(holds(condition("path-pattern", "/api", "/api/*"), facts("/api/x/y")))
        self.assertFalse(holds(condition("path-pattern", "/api/*"), facts("/API/x")))
        self.assertTrue(holds(condition("path-pattern", "/a?c"), facts("/abc")))
        self.assertFalse(holds(condition("path-pattern", "/a?c"), facts("/ac")))
        self.assertFalse(holds(condition("path-pattern", "/a.c"), facts("/abc")), "a dot is a dot")
        self.assertTrue(holds(condition("http-request-method", "GET", "HEAD"), facts(method="HEAD")))
        self.assertFalse(holds(condition("http-request-method", "get"), facts()))
        self.assertTrue(holds(condition("source-ip", "10.20.0.0/16"), facts(source="10.20.3.4")))
        self.assertFalse(holds(condition("source-ip", "10.20.0.0/16"), facts(headers=[("X-Forwarded-For", "10.20.3.4")])))
        header = condition("http-header", "*Probe*", HttpHeaderName="user-agent")
        self.assertTrue(holds(header, facts(headers=[("User-Agent", "a probe")])))
        self.assertTrue(holds(condition("host-header", "*.example"), facts(host="PAY.example:8443")))
        query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "side", "Value": "b*"}]}}
        self.assertTrue(holds(query, facts(query="a=1&side=blue")))
        self.assertFalse(holds(query, facts(query="other=blue")))
        self.assertFalse(holds({"Field": "made-up", "Values": ["*"]}, facts()))

    def test_the_first_rule_whose_conditions_all_hold_answers(self):
        path, source = condition("path-pattern", "/*"), condition("source-ip", "10.0.0.0/8")
        listener = {"rules": [rule(1, "guard", path, source), rule(2, "all", path)], "actions": [{"Type": "absent"}]}
        for facts_, answer in ((facts(source="10.1.1.1"), "guard"), (facts(), "all")):
            self.assertEqual(rules.last(rules.actions(listener, facts_))["Type"], answer)
        listener["rules"] = listener["rules"][:1]
        self.assertEqual(rules.last(rules.actions(listener, facts()))["Type"], "absent")

    def test_a_forward_shares_by_weight_and_zero_gets_nothing(self):
        action = {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 0}, {"TargetGroupArn": "b", "Weight": 5}]}}
        self.assertEqual({rules.group(action, lambda at=at: at) for at in (0.0, 0.5, 0.999)}, {"b"})
        self.assertEqual(rules.group({"TargetGroupArn": "a"}, lambda: 0.9), "a")
        self.assertIsNone(rules.group({"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 0}]}}, lambda: 0.5))

    def test_a_redirect_keeps_what_it_does_not_name(self):
        config = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
        self.assertEqual(rules.location(config, facts("/a/b", query="c=d")), "https://pay.example:443/a/b?c=d")
        self.assertEqual(rules.location({"Port": "8443", "Path": "/new"}, facts("/a")), "https://pay.example:8443/new")

    def test_the_firewall_counts_checks_and_leaves_alone_what_it_does_not_know(self):
        def match(text, where="EXACTLY"):
            search = base64.b64encode(text.encode()).decode()
            return {"ByteMatchStatement": {"SearchString": search, "FieldToMatch": {"UriPath": {}}, "PositionalConstraint": where}}

        groups = {"ManagedRuleGroupStatement": {"Name": "AWSManagedRulesSQLiRuleSet"}}
        acl = {
            "default": "Allow",
            "rules": [
                {"name": "checks", "action": "Count", "statement": match("/ready")},
                {"name": "sql", "action": None, "statement": groups},
                {"name": "limited", "action": "Block", "statement": {"RateBasedStatement": {"Limit": 10}}},
                {"name": "admin", "action": "Block", "statement": match("/admin", "STARTS_WITH")},
            ],
        }
        self.assertEqual(rules.firewall(acl, facts("/ready")), (["checks"], None))
        self.assertEqual(rules.firewall(acl, facts("/ready/x")), ([], None))
        self.assertEqual(rules.firewall(acl, facts("/admin/x")), ([], "admin"))
        self.assertIsNone(rules.matches({"NotStatement": {"Statement": groups}}, facts()))
        self.assertFalse(rules.matches({"NotStatement": {"Statement": match("/", "STARTS_WITH")}}, facts()))


def record(name, kind="A", value=None, **more):
    shown = {"Name": name, "Type": kind, **more}
    return shown if value is None else shown | {"TTL": 60, "ResourceRecords": [{"Value": value}]}


def weighted(env, weight, check=True):
    alias = {"DNSName": f"{env}.elb.amazonaws.com.", "EvaluateTargetHealth": False}
    return record("pay.example.", SetIdentifier=env, Weight=weight, AliasTarget=alias, **({"HealthCheckId": env} if check else {}))


class Dns(unittest.TestCase):
    def chosen(self, weights, sick=(), check=True):
        """Who may be answered, with the weights that count."""
        found = {}

        def pick(among, counted):
            found.update({one["SetIdentifier"]: weight for one, weight in zip(among, counted)})
            return [among[0]]

        dns.choose([weighted(env, weight, check) for env, weight in weights.items()], lambda one: one not in sick, pick)
        return found

    def test_weights_and_health_as_route_53_documents_them(self):
        both = {"blue": 90, "green": 10}
        self.assertEqual(self.chosen(both), both)
        self.assertEqual(self.chosen(both, sick=["green"]), {"blue": 90})
        self.assertEqual(self.chosen(both, sick=["blue"]), {"green": 10}, "green answers always")
        self.assertEqual(self.chosen(both, sick=["blue", "green"]), both, "all unhealthy: as if they were healthy")
        zero = {"blue": 0, "green": 100}
        self.assertEqual(self.chosen(zero), {"green": 100})
        self.assertEqual(self.chosen(zero, sick=["green"]), {"blue": 1}, "0 answers when all with a weight are unhealthy")
        self.assertEqual(self.chosen(zero, sick=["blue", "green"]), {"green": 100}, "all unhealthy: never the one with 0")
        self.assertEqual(self.chosen({"blue": 0, "green": 0}), {"blue": 1, "green": 1})
        self.assertEqual(self.chosen({"blue": 0, "green": 100}, sick=["green"], check=False), {"green": 100})

    def zones(self, records, sick=()):
        zone = {"name": "example.", "private": False, "records": [record("example.", "SOA", "ns. host. 1 2 3 4 5"), *records]}
        hidden = {"name": "hidden.example.", "private": True, "records": [record("a.hidden.example.", value="192.0.2.9")]}
        return dns.Zones([zone, hidden], lambda one: one not in sick, {"blue.elb.amazonaws.com": ("127.0.1.1", 60)}.get)

    def test_answers_of_a_zone(self):
        found = self.zones(
            [
                weighted("blue", 1),
                record("a.b.example.", value="192.0.2.1"),
                record("*.w.example.", value="192.0.2.2"),
                record("c.example.", "CNAME", "a.b.example."),
                record("t.example.", "TXT", '"epoch=1"'),
            ]
        ).find
        self.assertEqual(found("PAY.example.", "A"), ("NOERROR", [("pay.example", 60, "A", ["127.0.1.1"])], "example"))
        self.assertEqual(found("pay.example", "AAAA"), ("NOERROR", [], "example"))
        self.assertEqual(found("b.example", "A")[:2], ("NOERROR", []), "a name with others below it is there")
        self.assertEqual(found("none.example", "A")[:2], ("NXDOMAIN", []))
        self.assertEqual(found("x.y.w.example", "A")[1][0][3], ["192.0.2.2"])
        self.assertEqual([one[3] for one in found("c.example", "A")[1]], [["a.b.example."], ["192.0.2.1"]])
        self.assertEqual(found("t.example", "TXT")[1][0][3], ['"epoch=1"'])
        self.assertEqual(found("a.hidden.example", "A")[0], "NXDOMAIN", "a private zone is answered inside its VPC only")
        self.assertEqual(found("blue.elb.amazonaws.com", "A")[1][0][3], ["127.0.1.1"])
        self.assertEqual(found("gone.elb.amazonaws.com", "A")[0], "NXDOMAIN")
        self.assertEqual(found("example.org", "A"), ("REFUSED", [], None))

    def test_messages(self):
        import dns.message as messages

        zones = self.zones([weighted("blue", 1), record("big.example.", "TXT", " ".join(['"' + "x" * 200 + '"'] * 5))])

        def ask(name, kind, most=65535):
            return messages.from_wire(dns.respond(zones, messages.make_query(name, kind).to_wire(), most))

        answer = ask("PaY.example", "A")
        self.assertEqual(str(answer.answer[0]), "PaY.example. 60 IN A 127.0.1.1")
        self.assertEqual(str(ask("none.example", "A").authority[0]).split()[:4], ["example.", "900", "IN", "SOA"])
        self.assertIn("TC", str(ask("big.example", "TXT", 512)), "too long for a datagram: the client asks by TCP")
        self.assertNotIn("TC", str(ask("big.example", "TXT")).split("flags")[1].splitlines()[0])
        self.assertIsNone(dns.respond(zones, b"no message"))


def alarm(**more):
    return {"comparison": "GreaterThanThreshold", "threshold": 5.0, "periods": 3, "datapoints": 3, "missing": "missing"} | more


class Alarms(unittest.TestCase):
    def test_the_last_periods_with_data_decide(self):
        state = evaluation.state
        self.assertEqual(state([0, 0, 9, 9, 9], alarm()), "ALARM")
        self.assertEqual(state([9, 9, 9, 9, 0], alarm()), "OK")
        self.assertEqual(state([9, 9, 9, None, None], alarm()), "ALARM", "data come late, and older ones are looked at")
        self.assertEqual(state([0, 9, 0, 9, 0], alarm(datapoints=2)), "OK")
        self.assertEqual(state([0, 9, 9, 0, 9], alarm(datapoints=2)), "ALARM")
        self.assertEqual(state([5, 5, 5, 5, 5], alarm(comparison="GreaterThanOrEqualToThreshold")), "ALARM")

    def test_missing_data_as_the_table_of_the_documentation_says(self):
        nothing, one, good = [None] * 5, [None, None, 9, None, None], [0, None, None, None, None]
        expected = {
            "missing": ("INSUFFICIENT_DATA", "ALARM", "OK"),
            "ignore": ("before", "before", "OK"),
            "breaching": ("ALARM", "ALARM", "OK"),
            "notBreaching": ("OK", "OK", "OK"),
        }
        for missing, states in expected.items():
            found = tuple(evaluation.state(values, alarm(missing=missing), "before") for values in (nothing, one, good))
            self.assertEqual(found, states, missing)

    def test_periods_are_closed_ones(self):
        self.assertEqual(evaluation.periods(600.5, 60, 1), [420, 480, 540])

    def test_a_composite_alarm_follows_its_rule(self):
        states = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}
        for rule_, expected in {
            'ALARM("a") OR ALARM("b")': "ALARM",
            'ALARM("a") AND NOT OK(b)': "OK",
            "NOT (ALARM('b') OR FALSE) AND INSUFFICIENT_DATA('c d')": "ALARM",
            'ALARM("arn:aws:cloudwatch:eu-central-1:1:alarm:a")': "ALARM",
            'ALARM("gone")': "OK",
        }.items():
            self.assertEqual(evaluation.composite(rule_, states), expected, rule_)
        with self.assertRaises(ValueError):
            evaluation.composite("__import__('os')", states)

    def test_metric_math(self):
        share = "IF(FILL(r,0)>=20, 100*FILL(t5,0)/r, 0)"
        found = expressions.evaluate(share, {"r": {0: 100.0, 60: 10.0}, "t5": {0: 7.0, 60: 10.0}}, [0, 60, 120])
        self.assertEqual(found, {0: 7.0, 60: 0.0, 120: 0.0})
        self.assertEqual(expressions.evaluate("d - r", {"d": {0: 3.0, 60: 3.0}, "r": {0: 2.0}}, [0, 60]), {0: 1.0})
        self.assertEqual(expressions.evaluate("a / b", {"a": {0: 1.0}, "b": {0: 0.0}}, [0]), {})
        with self.assertRaises(ValueError):
            expressions.evaluate("ANOMALY_DETECTION_BAND(a)", {"a": {}}, [0])


class Others(unittest.TestCase):
    def test_health_changes_after_so_many_results_in_a_row(self):
        streak = health.Streak(2, 3)
        self.assertEqual([streak.take(good) for good in (True, False, False, True, False, False, False)], [True] + [False] * 5 + [True])
        self.assertEqual([streak.take(good) for good in (True, True)], [False, True])
        self.assertTrue(health.within("200,301-303", 302) and health.within("200", 200))
        self.assertFalse(health.within("200-299", 503))

    def test_the_client_is_the_last_address_outside_the_blocks(self):
        import ipaddress

        blocks = [ipaddress.ip_network("10.0.0.0/8")]
        self.assertEqual(str(service.client("192.0.2.1, 203.0.113.7, 10.20.1.1", blocks)), "203.0.113.7")
        self.assertIsNone(service.client("10.1.1.1, nonsense", blocks))
        self.assertIsNone(service.client(None, blocks))

    def test_a_payment_is_whole_minor_units(self):
        self.assertEqual(payments.parsed('{"merchant_id": 1, "amount": "12.3", "currency": "EUR"}')[:3], (1, 1230, "EUR"))
        self.assertEqual(payments.parsed('{"merchant_id": 1, "amount": "12", "currency": "JPY"}')[1], 12)
        for bad in ("{}", "x", '{"merchant_id": 1, "amount": "1.005", "currency": "EUR"}', '{"merchant_id": 1, "amount": "-1", "currency": "EUR"}'):
            with self.assertRaises(ValueError, msg=bad):
                payments.parsed(bad)
        self.assertEqual(payments.shown({"payment_id": 1, "amount": "12.3400", "currency": "EUR", "state": "A"}, False)["amount_minor"], 1234)

    def test_sessions_are_counted_at_the_server(self):
        lines = ("0: 0100007F:1538 0100007F:9000 01 0", "1: 0100007F:9000 0100007F:1538 01 0", "2: 0100007F:1538 00000000:0000 0A 0")
        table = "".join(f" {line}\n" for line in ("sl local rem st", *lines))
        self.assertEqual(usage.sessions(table, "127.0.0.1", 5432), 1)


if __name__ == "__main__":
    unittest.main()
