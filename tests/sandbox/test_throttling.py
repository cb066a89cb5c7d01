"""Token buckets on request, as AWS documents them."""

import fnmatch
import sys
import types
import unittest

import botocore.exceptions
import botocore.session
from support import SOURCES, Case, client, control

sys.path.insert(0, str(SOURCES))
from emulator import throttling  # noqa: E402 - the path comes first



def on(**more):
    """Full buckets."""
    control("PUT", "_sandbox/faults", {"throttle_buckets": True, **more})


def answered(call, times):
    """How often a call was served, and the (code, status) of those that were throttled."""
    served, refused = 0, set()
    for _ in range(times):
        try:
            call()
            served += 1
        except botocore.exceptions.ClientError as problem:
            answer = problem.response
            error = (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
            if "hrottl" in error[0] or error[0] in ("RequestLimitExceeded", "TooManyRequestsException"):
                refused.add(error)
            else:
                # It was served, with AWS's word that the thing is not there.
                served += 1
    return served, refused


class OnRequest(Case):
    """The clock stands, so that a busy machine fills no bucket."""

    def setUp(self):
        super().setUp()
        control("POST", "_sandbox/clock", {"runs": False})

    def tearDown(self):
        control("POST", "_sandbox/clock", {"runs": True})
        control("DELETE", "_sandbox/faults")

    def test_a_burst_passes_the_next_is_refused_and_a_token_comes_with_time(self):
        health = client("route53").delete_health_check
        gone = lambda: health(HealthCheckId="11111111-2222-3333-4444-555555555555")
        on()
        self.assertEqual(answered(gone, 15), (15, set()))
        self.assertEqual(answered(gone, 3), (0, {("Throttling", 400)}))
        # Three a second.
        self.skip(2)
        self.assertEqual(answered(gone, 20)[0], 6)
        self.skip(3600)
        self.assertEqual(answered(gone, 15), (15, set()))

    def test_each_service_refuses_in_its_own_words(self):
        absent = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/none/1234567890123456"
        acl = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/none/11111111-2222-3333-4444-555555555555"
        on()
        for service, call, burst, error in (
            ("ec2", lambda c: c.delete_vpc_endpoints(VpcEndpointIds=["vpce-12345678901234567"]), 4, ("RequestLimitExceeded", 503)),
            ("lambda", lambda c: c.list_functions(), 15, ("TooManyRequestsException", 429)),
            ("elbv2", lambda c: c.deregister_targets(TargetGroupArn=absent, Targets=[{"Id": "10.0.0.1"}]), 20, ("ThrottlingException", 400)),
            ("wafv2", lambda c: c.get_web_acl_for_resource(ResourceArn=absent), 1, ("ThrottlingException", 400)),
            ("wafv2", lambda c: c.associate_web_acl(ResourceArn=absent, WebACLArn=acl), 1, ("ThrottlingException", 400)),
            ("kms", lambda c: c.enable_key(KeyId="11111111-2222-3333-4444-555555555555"), 5, ("ThrottlingException", 400)),
            ("cloudwatch", lambda c: c.delete_alarms(AlarmNames=["none"]), 3, ("ThrottlingException", 400)),
            ("logs", lambda c: c.delete_retention_policy(logGroupName="none"), 5, ("ThrottlingException", 400)),
            ("scheduler", lambda c: c.delete_schedule_group(Name="none"), 10, ("ThrottlingException", 429)),
            ("sns", lambda c: c.list_tags_for_resource(ResourceArn="arn:aws:sns:eu-central-1:123456789012:none"), 10, ("Throttled", 429)),
            ("resourcegroupstaggingapi", lambda c: c.get_resources(), 15, ("ThrottledException", 400)),
            ("ssm", lambda c: c.put_parameter(Name="p", Value="v", Type="String", Overwrite=True), 3, ("ThrottlingException", 400)),
            ("cloudtrail", lambda c: c.lookup_events(), 2, ("ThrottlingException", 400)),
        ):
            with self.subTest(service):
                self.assertEqual(answered(lambda: call(client(service)), 2 * burst + 1), (burst, {error}))

    def test_actions_of_a_group_share_a_bucket_and_services_do_not(self):
        balancers, ecs = client("elbv2"), client("ecs")
        on()
        absent = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:%s/app/none/1234567890123456"
        rule = lambda: balancers.delete_rule(RuleArn=absent % "listener-rule" + "/1234567890123456/1234567890123456")
        listener = lambda: balancers.delete_listener(ListenerArn=absent % "listener" + "/1234567890123456")
        self.assertEqual(answered(rule, 20), (20, set()))
        self.assertEqual(answered(listener, 1), (0, {("ThrottlingException", 400)}))
        # Reads have a bucket of their own, below the one of the whole account, which is half empty.
        self.assertEqual(answered(lambda: balancers.describe_load_balancers(), 30)[0], 20)
        self.assertEqual(answered(lambda: ecs.describe_clusters(), 30), (30, set()))
        # Per region.
        self.assertEqual(answered(lambda: client("elbv2", "eu-west-1").describe_load_balancers(), 30), (30, set()))
        shown = control("GET", "_sandbox/faults")["throttled"]
        self.assertEqual(sorted(shown), ["elbv2/all", "elbv2/mutating"])
        self.assertEqual(shown["elbv2/all"], 10)

    def test_a_refused_call_has_no_effect_and_takes_no_token(self):
        keys = client("kms")
        on()
        self.assertEqual(answered(lambda: keys.create_key(), 8), (5, {("ThrottlingException", 400)}))
        control("DELETE", "_sandbox/faults")
        self.assertEqual(len(keys.list_keys()["Keys"]), 5)
        on()
        answered(lambda: keys.create_key(), 100)
        self.skip(1)
        self.assertEqual(answered(lambda: keys.create_key(), 8)[0], 5)

    def test_nothing_is_throttled_unless_asked_for(self):
        control("DELETE", "_sandbox/faults")
        self.assertFalse(control("GET", "_sandbox/faults")["throttle_buckets"])
        self.assertEqual(answered(lambda: client("cloudtrail").lookup_events(), 10), (10, set()))


def request(service, operation, body=b""):
    """As much of a request as buckets look at."""
    return types.SimpleNamespace(service=service, operation=operation, body=body, account="1", region="r")


class Table(unittest.TestCase):
    def test_every_row_names_actions_of_its_service(self):
        session = botocore.session.get_session()
        for row in throttling.TABLE:
            known = session.get_service_model(row.service).operation_names
            if row.operations not in (throttling.READS, throttling.WRITES):
                for pattern in row.operations.split():
                    self.assertTrue(fnmatch.filter(known, pattern), (row.service, pattern))
            self.assertGreaterEqual(row.burst, 1, row)
        for service, names in throttling.NO_CONTROL.items():
            self.assertLessEqual(names, set(session.get_service_model(service).operation_names))

    def test_a_read_without_a_filter_has_a_smaller_bucket(self):
        of = lambda body: throttling.buckets(request("ec2", "DescribeSecurityGroups", body), False)
        self.assertEqual(of(b"Action=DescribeSecurityGroups"), [("DescribeSecurityGroups without a filter", 50, 10)])
        self.assertEqual(of(b"Filter.1.Name=vpc-id"), [("DescribeSecurityGroups", 100, 20)])

    def test_a_fraction_of_a_token_is_none_and_a_bucket_does_not_overflow(self):
        now = [0.0]
        buckets = throttling.Buckets(lambda: now[0])
        make = request("ec2", "CreateVpcEndpoint")
        take = lambda: buckets.take(make, True)
        self.assertEqual([take() for _ in range(5)], [True] * 4 + [False])
        # 0.3 a second.
        now[0] = 3.3
        self.assertFalse(take())
        now[0] = 3.4
        self.assertTrue(take())
        now[0] = 10_000.0
        self.assertEqual([take() for _ in range(5)], [True] * 4 + [False])

    def test_what_is_no_call_of_the_control_plane_is_not_counted(self):
        self.assertEqual(throttling.buckets(request("lambda", "Invoke"), True), [])
        self.assertEqual(throttling.buckets(request("dynamodb", "PutItem"), True), [])
        self.assertEqual(throttling.buckets(request("iam", "CreateRole"), True), [])
