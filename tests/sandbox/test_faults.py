"""Faults on request."""

import subprocess
import sys
import threading
import time
import urllib.error

import botocore.exceptions
from support import Case, client, control, role, vpc, wish

EC2 = client("ec2")
GONE = (botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError)


def faults(**settings):
    return control("PUT", "_sandbox/faults", settings)


def fired():
    """Waits until a fault has struck."""
    while not control("GET", "_sandbox/faults")["fired"]:
        time.sleep(0.02)


class Faults(Case):
    def tearDown(self):
        control("DELETE", "_sandbox/faults")

    def count(self):
        return len(EC2.describe_vpcs()["Vpcs"])

    def test_throttling_in_each_service_s_words(self):
        faults(throttle_rate=1)
        for service, call, code, status in (
            ("ec2", lambda c: c.describe_vpcs(), "RequestLimitExceeded", 503),
            ("rds", lambda c: c.describe_db_clusters(), "ThrottlingException", 400),
            ("iam", lambda c: c.list_roles(), "Throttling", 400),
            ("kms", lambda c: c.list_keys(), "ThrottlingException", 400),
            ("logs", lambda c: c.describe_log_groups(), "ThrottlingException", 400),
            ("dynamodb", lambda c: c.list_tables(), "ThrottlingException", 400),
            ("s3", lambda c: c.list_buckets(), "SlowDown", 503),
        ):
            with self.subTest(service), self.assertRaises(botocore.exceptions.ClientError) as caught:
                call(client(service))
            answer = caught.exception.response
            self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status))

    def test_calls_that_wait_for_nothing_are_one_round_and_an_answer_begins_the_next(self):
        faults(rounds_ms=300)

        def chain(length):
            for _ in range(length):
                client("ec2").describe_vpcs()

        threads = [threading.Thread(target=chain, args=(length,)) for length in (1, 3, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(control("GET", "_sandbox/faults")["rounds"], 3)
        calls = control("GET", "_sandbox/calls")["calls"]
        self.assertEqual([call["round"] for call in calls if call.get("round")], [1, 1, 1, 2, 2, 3])
        # What is refused before it would wait takes part in no round.
        faults(rounds_ms=300, deny=["ec2:DescribeVpcs"])
        with self.refused("UnauthorizedOperation"):
            EC2.describe_vpcs()
        self.assertEqual(control("GET", "_sandbox/faults")["rounds"], 0)

    def test_errors_come_at_their_rate_and_do_nothing(self):
        before, failed = self.count(), 0
        faults(error_rate=0.5, seed=7)
        for _ in range(40):
            try:
                EC2.create_vpc(CidrBlock="10.0.0.0/16")
            except botocore.exceptions.ClientError as problem:
                self.assertEqual(problem.response["ResponseMetadata"]["HTTPStatusCode"], 500)
                failed += 1
        control("DELETE", "_sandbox/faults")
        self.assertTrue(8 < failed < 32, failed)
        self.assertEqual(self.count(), before + 40 - failed)

    def test_a_500_after_the_effect(self):
        before = self.count()
        faults(error_after_rate=1)
        with self.refused("InternalError"):
            EC2.create_vpc(CidrBlock="10.0.0.0/16")
        self.assertEqual(self.count(), before + 1)

    def test_closed_before_and_after_the_nth_write(self):
        for fault, effects in (("close_before", 1), ("close_after", 2)):
            with self.subTest(fault):
                before = self.count()
                faults(**{fault: 2})
                EC2.create_vpc(CidrBlock="10.0.0.0/16")
                with self.assertRaises(GONE):
                    EC2.create_vpc(CidrBlock="10.1.0.0/16")
                self.assertEqual(self.count(), before + effects)
                shown = control("GET", "_sandbox/faults")
                self.assertEqual((shown["waiting"], [f["fault"] for f in shown["fired"]]), ({}, [fault]))
                EC2.create_vpc(CidrBlock="10.2.0.0/16")
        lost = [call for call in control("GET", "_sandbox/calls")["calls"] if call["lost"]]
        self.assertEqual(
            [(call["operation"], call["lost"], call["status"]) for call in lost][-1], ("CreateVpc", "close_after", 200)
        )

    def test_every_new_write_loses_its_answer_once(self):
        before = self.count()
        faults(close_after="every_new")
        for cidr in ("10.3.0.0/16", "10.4.0.0/16"):
            with self.assertRaises(GONE):
                EC2.create_vpc(CidrBlock=cidr)
            EC2.create_vpc(CidrBlock=cidr)
        self.assertEqual(self.count(), before + 4)

    def test_a_token_does_not_make_a_write_new(self):
        one = vpc("10.5.0.0/16")
        faults(close_after="every_new")
        with self.assertRaises(GONE):
            EC2.create_route_table(VpcId=one, ClientToken="first")
        EC2.create_route_table(VpcId=one, ClientToken="second")

    def test_a_refused_write_does_not_count(self):
        before = self.count()
        faults(close_after=1)
        with self.refused("InvalidVpcID.NotFound"):
            EC2.delete_vpc(VpcId="vpc-0123456789abcdef0")
        with self.assertRaises(GONE):
            EC2.create_vpc(CidrBlock="10.0.0.0/16")
        self.assertEqual(self.count(), before + 1)

    def test_only_counts_what_it_names(self):
        one = vpc("10.6.0.0/16")
        faults(close_after=1, only=["ec2:CreateRouteTable"])
        EC2.create_vpc(CidrBlock="10.0.0.0/16")
        with self.assertRaises(GONE):
            EC2.create_route_table(VpcId=one)

    def test_an_answer_that_never_comes(self):
        before = self.count()
        faults(hang_after=1)
        patient = client("ec2", read_timeout=1)
        with self.assertRaises(botocore.exceptions.ReadTimeoutError):
            patient.create_vpc(CidrBlock="10.0.0.0/16")
        fired()
        self.assertEqual(self.count(), before + 1)

    def test_a_hang_holds_nobody_else_up(self):
        faults(hang_after=1)
        patient = client("ec2", read_timeout=8)
        ended = []

        def hang():
            with self.assertRaises(botocore.exceptions.ReadTimeoutError):
                patient.create_vpc(CidrBlock="10.0.0.0/16")
            ended.append(True)

        hanging = threading.Thread(target=hang)
        hanging.start()
        fired()
        self.count()
        self.assertTrue(hanging.is_alive())
        hanging.join()
        self.assertEqual(ended, [True])

    def test_kill_after_the_nth_write(self):
        before = self.count()
        victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        faults(kill_pid=victim.pid, kill_after=1)
        with self.assertRaises(GONE):
            EC2.create_vpc(CidrBlock="10.0.0.0/16")
        self.assertEqual(victim.wait(timeout=10), -9)
        self.assertEqual(self.count(), before + 1)

    def test_reads_lag_behind_creates(self):
        faults(lag_reads_ms=600_000)
        one = EC2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        shown = lambda: [v["VpcId"] for v in EC2.describe_vpcs()["Vpcs"] if v["VpcId"] == one]
        self.assertEqual(shown(), [])
        with self.refused("InvalidVpcID.NotFound"):
            EC2.describe_vpcs(VpcIds=[one])
        EC2.create_tags(Resources=[one], Tags=[{"Key": "A", "Value": "b"}])
        self.assertEqual(EC2.describe_tags(Filters=wish("resource-id", one))["Tags"], [])
        iam = client("iam")
        role("late", "ec2.amazonaws.com")
        with self.refused("NoSuchEntity"):
            iam.get_role(RoleName="late")
        self.assertEqual([r for r in iam.list_roles()["Roles"] if r["RoleName"] == "late"], [])
        self.skip(601)
        self.assertEqual(shown(), [one])
        self.assertEqual([r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"] == "late"], ["late"])
        self.assertEqual(iam.get_role(RoleName="late")["Role"]["RoleName"], "late")

    def test_tags_of_what_is_deleted_stay_in_listings_of_tags(self):
        vpc = EC2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

        def deleted():
            tags = [{"Key": "Stays", "Value": "long"}]
            options = {"TagSpecifications": [{"ResourceType": "transit-gateway", "Tags": tags}]}
            gateway = EC2.create_transit_gateway(**options)["TransitGateway"]["TransitGatewayId"]
            EC2.delete_transit_gateway(TransitGatewayId=gateway)
            options = {"TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": tags}]}
            service = f"com.amazonaws.{EC2.meta.region_name}.s3"
            endpoint = EC2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, **options)["VpcEndpoint"]["VpcEndpointId"]
            EC2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
            return sorted([gateway, endpoint])

        tagged = lambda: sorted(t["ResourceId"] for t in EC2.describe_tags(Filters=wish("key", "Stays"))["Tags"])
        deleted()
        self.assertEqual(tagged(), [])
        faults(stale_tags=True)
        gone = deleted()
        self.assertEqual(tagged(), gone)
        self.assertEqual(EC2.describe_vpc_endpoints(Filters=wish("vpc-id", vpc))["VpcEndpoints"], [])

    def test_a_later_write_makes_nothing_younger(self):
        vpc = EC2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
        subnet = EC2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
        options = {"DefaultRouteTableAssociation": "disable"}
        gateway = EC2.create_transit_gateway(Options=options)["TransitGateway"]["TransitGatewayId"]
        self.skip(3600)
        faults(lag_reads_ms=600_000)
        attachment = EC2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet]
        )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        table = EC2.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"]
        self.skip(599)
        EC2.associate_transit_gateway_route_table(
            TransitGatewayRouteTableId=table["TransitGatewayRouteTableId"], TransitGatewayAttachmentId=attachment
        )
        self.assertEqual([v["VpcId"] for v in EC2.describe_vpcs(VpcIds=[vpc])["Vpcs"]], [vpc])
        shown = EC2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]
        self.assertNotIn(attachment, [a["TransitGatewayAttachmentId"] for a in shown])
        self.skip(2)
        shown = EC2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]
        self.assertIn(attachment, [a["TransitGatewayAttachmentId"] for a in shown])

    def test_denied_in_each_protocol_s_words(self):
        faults(deny=["ec2:CreateVpc", "s3:CreateBucket", "kms:*", "rds:CreateDBCluster", "monitoring:PutDashboard"])
        for service, call, code, status in (
            ("ec2", lambda c: c.create_vpc(CidrBlock="10.0.0.0/16"), "UnauthorizedOperation", 403),
            ("s3", lambda c: c.create_bucket(Bucket="denied"), "AccessDenied", 403),
            ("kms", lambda c: c.create_key(), "AccessDeniedException", 400),
            (
                "rds",
                lambda c: c.create_db_cluster(DBClusterIdentifier="x", Engine="aurora-postgresql"),
                "AccessDenied",
                403,
            ),
        ):
            with self.subTest(service), self.assertRaises(botocore.exceptions.ClientError) as caught:
                call(client(service))
            answer = caught.exception.response
            self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
            self.assertIn("is not authorized to perform", answer["Error"]["Message"])
        EC2.describe_vpcs()

    def test_a_chosen_error(self):
        faults(
            errors={
                "ec2:CreateVpc": {
                    "code": "VpcLimitExceeded",
                    "message": "The maximum number of VPCs has been reached.",
                    "times": 1,
                }
            }
        )
        with self.refused("VpcLimitExceeded", "maximum"):
            EC2.create_vpc(CidrBlock="10.0.0.0/16")
        EC2.create_vpc(CidrBlock="10.0.0.0/16")

    def test_delay(self):
        faults(delay_ms=300)
        since = time.monotonic()
        self.count()
        self.assertGreaterEqual(time.monotonic() - since, 0.3)

    def test_settings_merge_reset_and_are_checked(self):
        faults(throttle_rate=0.1)
        self.assertEqual(control("POST", "_sandbox/faults", {"lag_reads_ms": 5})["throttle_rate"], 0.1)
        self.assertEqual(control("DELETE", "_sandbox/faults")["throttle_rate"], 0)
        for wrong in ({"nonsense": 1}, {"close_after": 0}, {"close_after": "always"}):
            with self.subTest(wrong), self.assertRaises(urllib.error.HTTPError):
                control("POST", "_sandbox/faults", wrong)
