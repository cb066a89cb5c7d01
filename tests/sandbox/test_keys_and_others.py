"""KMS, CloudWatch Logs, IAM, SQS, Service Quotas, CloudWatch, and what all services share."""

import json
import urllib.error
import urllib.request

import cbor2
from support import ACCOUNT, REGION, ROOT, Case, client, control, endpoint, key, role

KMS, LOGS, IAM, QUOTAS = client("kms"), client("logs"), client("iam"), client("service-quotas")
SQS, SNS = client("sqs"), client("sns")


def logs_may(group="/group"):
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}*"}
        },
    }


class Queues(Case):
    def test_a_queue_that_exists_keeps_its_tags(self):
        once = SQS.create_queue(QueueName="queue", tags={"A": "b"})["QueueUrl"]
        again = SQS.create_queue(QueueName="queue", tags={"A": "c"})["QueueUrl"]
        self.assertEqual((once, SQS.list_queue_tags(QueueUrl=once)["Tags"]), (again, {"A": "b"}))
        with self.refused("QueueAlreadyExists"):
            SQS.create_queue(QueueName="queue", Attributes={"VisibilityTimeout": "1"})

    def test_the_name_of_a_deleted_queue_is_taken_for_a_while(self):
        control("POST", "_sandbox/latency", {"latency": "60"})
        self.addCleanup(control, "POST", "_sandbox/latency", {"latency": "none"})
        SQS.delete_queue(QueueUrl=SQS.create_queue(QueueName="short")["QueueUrl"])
        with self.refused("AWS.SimpleQueueService.NonExistentQueue"):
            SQS.get_queue_url(QueueName="short")
        with self.refused("AWS.SimpleQueueService.QueueDeletedRecently"):
            SQS.create_queue(QueueName="short")
        self.skip(61)
        SQS.create_queue(QueueName="short")


    def test_who_may_send_to_it_what_nobody_could_deal_with(self):
        url = SQS.create_queue(QueueName="allowing")["QueueUrl"]
        shown = lambda: SQS.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertNotIn("RedriveAllowPolicy", shown())
        policy = json.dumps({"redrivePermission": "denyAll"})
        SQS.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": policy})
        self.assertEqual(shown()["RedriveAllowPolicy"], policy)
        SQS.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": ""})
        self.assertNotIn("RedriveAllowPolicy", shown())


class Topics(Case):
    def test_what_is_set_on_a_topic_reads_back(self):
        topic = SNS.create_topic(Name="topic")["TopicArn"]
        shown = lambda: SNS.get_topic_attributes(TopicArn=topic)["Attributes"]
        fresh = shown()
        for name, value in (("TracingConfig", "Active"), ("HTTPSuccessFeedbackRoleArn", "arn"), ("DeliveryPolicy", "{}")):
            SNS.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
            self.assertEqual(shown()[name], value)
            SNS.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue="")
        self.assertEqual({k: v for k, v in shown().items() if v}, {k: v for k, v in fresh.items() if v})

    def test_an_empty_filter_is_none(self):
        topic = SNS.create_topic(Name="filtered")["TopicArn"]
        SNS.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
        one = SNS.confirm_subscription(TopicArn=topic, Token="ops@example.com")["SubscriptionArn"]
        shown = lambda: SNS.get_subscription_attributes(SubscriptionArn=one)["Attributes"]
        fresh = shown()
        put = lambda name, **value: SNS.set_subscription_attributes(SubscriptionArn=one, AttributeName=name, **value)
        put("FilterPolicy", AttributeValue='{"never": ["x"]}')
        self.assertEqual(shown()["FilterPolicy"], '{"never": ["x"]}')
        put("FilterPolicy", AttributeValue="{}")
        put("RedrivePolicy", AttributeValue='{"deadLetterTargetArn": "arn"}')
        with self.refused("InvalidParameter"):
            put("RedrivePolicy", AttributeValue="")
        put("RedrivePolicy")
        self.assertEqual(shown(), fresh)


class Keys(Case):
    def test_the_rotation_period_reads_back(self):
        name = key()
        KMS.enable_key_rotation(KeyId=name, RotationPeriodInDays=180)
        shown = KMS.get_key_rotation_status(KeyId=name)
        self.assertEqual(
            (shown["KeyRotationEnabled"], shown["RotationPeriodInDays"], shown["KeyId"]), (True, 180, name)
        )
        with self.refused("ValidationException"):
            KMS.enable_key_rotation(KeyId=name, RotationPeriodInDays=30)

    def test_a_key_pending_deletion_takes_nothing(self):
        name = key()
        KMS.create_alias(AliasName="alias/going", TargetKeyId=name)
        with self.refused("ValidationException"):
            KMS.schedule_key_deletion(KeyId=name, PendingWindowInDays=3)
        answer = KMS.schedule_key_deletion(KeyId=name, PendingWindowInDays=7)
        self.assertEqual(
            (answer["KeyState"], answer["PendingWindowInDays"], answer["KeyId"]), ("PendingDeletion", 7, name)
        )
        for attempt in (
            lambda: KMS.schedule_key_deletion(KeyId=name),
            lambda: KMS.encrypt(KeyId=name, Plaintext=b"x"),
            lambda: KMS.encrypt(KeyId="alias/going", Plaintext=b"x"),
            lambda: KMS.enable_key_rotation(KeyId=name),
            lambda: KMS.create_alias(AliasName="alias/late", TargetKeyId=name),
            lambda: KMS.tag_resource(KeyId=name, Tags=[{"TagKey": "A", "TagValue": "b"}]),
        ):
            with self.refused("KMSInvalidStateException"):
                attempt()
        self.assertEqual(KMS.describe_key(KeyId=name)["KeyMetadata"]["KeyState"], "PendingDeletion")
        KMS.delete_alias(AliasName="alias/going")

    def test_only_asymmetric_keys_have_a_pair(self):
        pair = KMS.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        self.assertTrue(KMS.get_public_key(KeyId=pair)["PublicKey"])
        with self.refused("UnsupportedOperationException"):
            KMS.get_public_key(KeyId=key())
        with self.refused("ValidationException"):
            KMS.sign(KeyId=key(), Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")

    def test_a_disabled_key_encrypts_nothing(self):
        name = key()
        KMS.disable_key(KeyId=name)
        with self.refused("DisabledException"):
            KMS.encrypt(KeyId=name, Plaintext=b"x")

    def test_bad_policies(self):
        statements = (
            {**ROOT, "Action": "kms:Encrypt"},
            {**ROOT, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}},
        )
        for text in ("no json", *[json.dumps({"Statement": [statement]}) for statement in statements]):
            with self.subTest(text), self.refused("MalformedPolicyDocumentException"):
                KMS.create_key(Policy=text)

    def test_lists_page(self):
        for _ in range(3):
            key()
        first = KMS.list_keys(Limit=2)
        self.assertEqual((len(first["Keys"]), first["Truncated"]), (2, True))
        second = KMS.list_keys(Limit=2, Marker=first["NextMarker"])
        self.assertFalse({k["KeyId"] for k in first["Keys"]} & {k["KeyId"] for k in second["Keys"]})


class LogGroups(Case):
    def test_keys_must_be_usable(self):
        for name in (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/nothing", key(), key(logs_may("/other"))):
            with self.refused("InvalidParameterException"):
                LOGS.create_log_group(logGroupName="/group/a", kmsKeyId=name)
        good = key(logs_may())
        LOGS.create_log_group(logGroupName="/group/a", kmsKeyId=good, logGroupClass="INFREQUENT_ACCESS")
        shown = LOGS.describe_log_groups(logGroupNamePrefix="/group")["logGroups"][0]
        self.assertEqual((shown["kmsKeyId"], shown["logGroupClass"]), (good, "INFREQUENT_ACCESS"))
        LOGS.disassociate_kms_key(logGroupName="/group/a")
        self.assertNotIn("kmsKeyId", LOGS.describe_log_groups()["logGroups"][0])
        LOGS.associate_kms_key(logGroupName="/group/a", kmsKeyId=good)
        self.assertEqual(LOGS.describe_log_groups()["logGroups"][0]["kmsKeyId"], good)

    def test_tags_go_with_their_group(self):
        LOGS.create_log_group(logGroupName="/again", tags={"A": "b"})
        LOGS.delete_log_group(logGroupName="/again")
        LOGS.create_log_group(logGroupName="/again")
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/again"
        self.assertEqual(LOGS.list_tags_for_resource(resourceArn=arn)["tags"], {})

    def test_a_group_says_how_many_metric_filters_it_has(self):
        def put(name):
            metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
            LOGS.put_metric_filter(logGroupName="/m", filterName=name, filterPattern="", metricTransformations=[metric])

        count = lambda: LOGS.describe_log_groups(logGroupNamePrefix="/m")["logGroups"][0]["metricFilterCount"]
        with self.refused("ResourceNotFoundException"):
            put("a")
        LOGS.create_log_group(logGroupName="/m")
        self.assertEqual(count(), 0)
        for name in ("a", "a", "b"):
            put(name)
        self.assertEqual(count(), 2)
        LOGS.delete_metric_filter(logGroupName="/m", filterName="a")
        with self.refused("ResourceNotFoundException"):
            LOGS.delete_metric_filter(logGroupName="/m", filterName="a")
        self.assertEqual(count(), 1)
        LOGS.delete_log_group(logGroupName="/m")
        self.assertEqual(LOGS.describe_metric_filters()["metricFilters"], [])

    def test_a_pattern_is_a_substring_and_shows_names_only(self):
        for name in ("/one-dev/x", "two-dev", "three"):
            LOGS.create_log_group(logGroupName=name)
        shown = LOGS.describe_log_groups(logGroupNamePattern="-dev")["logGroups"]
        self.assertEqual([group["logGroupName"] for group in shown], ["/one-dev/x", "two-dev"])
        self.assertEqual(set(shown[0]), {"arn", "creationTime", "logGroupName"})
        with self.refused("InvalidParameterException"):
            LOGS.describe_log_groups(logGroupNamePattern="a", logGroupNamePrefix="b")

    def test_retention_and_tags(self):
        LOGS.create_log_group(logGroupName="/tags", tags={"A": "b"})
        with self.refused("InvalidParameterException"):
            LOGS.put_retention_policy(logGroupName="/tags", retentionInDays=91)
        LOGS.put_retention_policy(logGroupName="/tags", retentionInDays=90)
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/tags"
        self.assertEqual(LOGS.list_tags_for_resource(resourceArn=arn)["tags"], {"A": "b"})
        for wrong, code in ((arn + ":*", "InvalidParameterException"), (arn + "x", "ResourceNotFoundException")):
            with self.refused(code):
                LOGS.list_tags_for_resource(resourceArn=wrong)


class Roles(Case):
    def test_managed_policies_attach_and_hold_the_role(self):
        role("worker", "ecs-tasks.amazonaws.com")
        IAM.attach_role_policy(
            RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
        )
        IAM.put_role_policy(
            RoleName="worker",
            PolicyName="inline",
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
            ),
        )
        with self.refused("DeleteConflict"):
            IAM.delete_role(RoleName="worker")
        IAM.detach_role_policy(
            RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
        )
        with self.refused("DeleteConflict"):
            IAM.delete_role(RoleName="worker")
        IAM.delete_role_policy(RoleName="worker", PolicyName="inline")
        IAM.delete_role(RoleName="worker")

    def test_an_update_leaves_what_it_does_not_name(self):
        role("steady", "ecs-tasks.amazonaws.com")
        for change in ({"Description": "Works"}, {"MaxSessionDuration": 7200}, {"Description": "Works on"}):
            IAM.update_role(RoleName="steady", **change)
        shown = IAM.get_role(RoleName="steady")["Role"]
        self.assertEqual((shown["Description"], shown["MaxSessionDuration"]), ("Works on", 7200))
        IAM.delete_role(RoleName="steady")

    def test_documents(self):
        for text in ("no json", json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]})):
            with self.subTest(text), self.refused("MalformedPolicyDocument"):
                IAM.create_role(RoleName="bad", AssumeRolePolicyDocument=text)
        long = [
            {"Effect": "Allow", "Principal": {"Service": f"{number:040}.amazonaws.com"}, "Action": "sts:AssumeRole"}
            for number in range(30)
        ]
        with self.refused("LimitExceeded"):
            IAM.create_role(
                RoleName="bad", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": long})
            )
        role("full", "ecs-tasks.amazonaws.com")
        wide = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{number:060}"}
                    for number in range(60)
                ],
            }
        )
        IAM.put_role_policy(RoleName="full", PolicyName="one", PolicyDocument=wide)
        with self.refused("LimitExceeded"):
            IAM.put_role_policy(RoleName="full", PolicyName="two", PolicyDocument=wide)


class Others(Case):
    def test_quotas(self):
        self.assertEqual(QUOTAS.get_service_quota(ServiceCode="vpc", QuotaCode="L-F678F1CE")["Quota"]["Value"], 5.0)
        for service in ("vpc", "ec2", "rds", "dynamodb", "kms", "s3"):
            self.assertTrue(QUOTAS.list_service_quotas(ServiceCode=service)["Quotas"], service)
        first = QUOTAS.list_service_quotas(ServiceCode="vpc", MaxResults=2)
        self.assertEqual(len(first["Quotas"]), 2)
        self.assertIn("NextToken", first)
        with self.refused("NoSuchResourceException"):
            QUOTAS.get_service_quota(ServiceCode="vpc", QuotaCode="L-NOTHING")

    def test_a_parameter_shows_its_tier_and_what_its_policies_are(self):
        ssm = client("ssm")
        policy = {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2036-12-02T21:34:33.000Z"}}
        ssm.put_parameter(Name="/p/plain", Value="x", Type="String", Tier="Standard")
        ssm.put_parameter(Name="/p/one", Value="x", Type="String", Tier="Advanced", Policies=json.dumps([policy]))
        names = [{"Key": "Name", "Option": "Equals", "Values": ["/p/one", "/p/plain"]}]
        shown = {one["Name"]: one for one in ssm.describe_parameters(ParameterFilters=names)["Parameters"]}
        self.assertEqual(shown["/p/one"]["Tier"], "Advanced")
        self.assertEqual([one["PolicyType"] for one in shown["/p/one"]["Policies"]], ["Expiration"])
        self.assertEqual((shown["/p/plain"]["Tier"], shown["/p/plain"]["Policies"]), ("Standard", []))

    def rpc(self, operation, document):
        headers = {
            "Content-Type": "application/cbor",
            "smithy-protocol": "rpc-v2-cbor",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20261122/{REGION}/monitoring/aws4_request, SignedHeaders=host, Signature=0",
        }
        url = f"{endpoint()}/service/GraniteServiceVersion20100801/operation/{operation}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data=cbor2.dumps(document), headers=headers, method="POST")
            ) as answer:
                return answer.status, answer.headers["smithy-protocol"], cbor2.loads(answer.read())
        except urllib.error.HTTPError as problem:
            return problem.code, problem.headers["smithy-protocol"], cbor2.loads(problem.read())

    def test_cloudwatch_speaks_cbor(self):
        alarm = {
            "AlarmName": "a",
            "MetricName": "m",
            "Namespace": "n",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.5,
            "ComparisonOperator": "GreaterThanThreshold",
            "Statistic": "Sum",
        }
        self.assertEqual(self.rpc("PutMetricAlarm", alarm)[:2], (200, "rpc-v2-cbor"))
        shown = self.rpc("DescribeAlarms", {})[2]["MetricAlarms"][0]
        self.assertEqual((shown["AlarmName"], shown["Threshold"], type(shown["Threshold"])), ("a", 1.5, float))
        self.assertTrue(hasattr(shown["StateUpdatedTimestamp"], "year"))
        status, _, error = self.rpc("PutDashboard", {"DashboardName": "d", "DashboardBody": "{"})
        self.assertEqual(status, 400)
        self.assertIn("__type", error)

    def raw(self, body, service="kms", **headers):
        """A hand-made request; answers status and text."""
        scope = f"AWS4-HMAC-SHA256 Credential=test/20261122/{REGION}/{service}/aws4_request"
        request = urllib.request.Request(
            endpoint(), data=body, headers={"Authorization": scope, **headers}, method="POST"
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode()

    def test_hand_made_requests(self):
        target = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
        self.assertEqual(self.raw(b"{", **target)[0], 400)
        # A body that is an iterator is sent chunked, as proxies do.
        self.assertEqual(self.raw(iter([b'{"Lim', b'it": 1}']), **target)[0], 200)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, text = self.raw(b"Action=Nonsense&Version=2016-11-15", "ec2", **form)
        self.assertEqual((status, "<Code>InvalidAction</Code>" in text), (400, True))
        status, _, error = self.rpc("PutDashboard", {"DashboardName": "d"})
        self.assertEqual((status, "__type" in error), (400, True))

    def test_what_is_not_offered_says_so(self):
        for attempt in (
            lambda: client("kms").list_custom_key_stores_nothing(),
            lambda: client("rds").describe_db_recommendations(),
            lambda: client("ec2").describe_fast_launch_images(),
        ):
            try:
                attempt()
            except AttributeError:
                continue
            except client("ec2").exceptions.ClientError as problem:
                self.assertEqual(
                    (problem.response["Error"]["Code"], problem.response["ResponseMetadata"]["HTTPStatusCode"]),
                    ("NotImplemented", 501),
                )

    def test_moto_keeps_its_own_paths(self):
        with urllib.request.urlopen(f"{endpoint()}/moto-api/") as answer:
            self.assertEqual(answer.status, 200)

    def test_the_service_model_is_enforced(self):
        with self.refused("MissingParameter"):
            client("ec2").create_vpc_endpoint(ServiceName="x")
        with self.refused("ValidationError"):
            IAM.get_role(RoleName="")
        with self.refused("ValidationException"):
            KMS.describe_key()

    def test_health_and_log(self):
        self.assertEqual(control("GET", "_sandbox/health")["status"], "ok")
        last = control("GET", "_sandbox/calls")["calls"]
        number = last[-1]["seq"] if last else 0
        key()
        KMS.list_keys()
        with self.refused("NotFoundException"):
            KMS.describe_key(KeyId="nothing")
        made, listed, described = control("GET", f"_sandbox/calls?since={number}")["calls"]
        self.assertEqual(
            (made["service"], made["operation"], made["write"], made["status"]), ("kms", "CreateKey", True, 200)
        )
        self.assertEqual((listed["operation"], listed["write"]), ("ListKeys", False))
        self.assertEqual((described["status"], described["error"]), (400, "NotFoundException"))
