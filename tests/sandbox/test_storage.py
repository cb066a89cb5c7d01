"""S3 and DynamoDB."""

import json
import re

from support import REGION, Case, client, key

S3, DYNAMODB = client("s3"), client("dynamodb")
PLACE = {"LocationConstraint": REGION}


def bucket(name):
    S3.create_bucket(Bucket=name, CreateBucketConfiguration=PLACE)
    return name


def tls_only(name):
    both = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    return [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": both,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": both,
            "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        },
    ]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class Buckets(Case):
    def test_tags_go_with_their_bucket(self):
        for expected in ("A", None):
            bucket("again")
            if expected:
                S3.put_bucket_tagging(Bucket="again", Tagging={"TagSet": [{"Key": "A", "Value": "b"}]})
            else:
                with self.refused("NoSuchTagSet"):
                    S3.get_bucket_tagging(Bucket="again")
            S3.delete_bucket(Bucket="again")

    def test_answers_have_the_outermost_element_that_strict_clients_expect(self):
        bucket("roots")
        S3.put_bucket_tagging(Bucket="roots", Tagging={"TagSet": [{"Key": "A", "Value": "b"}]})
        bodies = []
        S3.meta.events.register_first("before-parse.s3", lambda response_dict, **_: bodies.append(response_dict["body"]))
        S3.get_bucket_versioning(Bucket="roots")
        S3.put_bucket_versioning(Bucket="roots", VersioningConfiguration={"Status": "Enabled"})
        S3.get_bucket_versioning(Bucket="roots")
        S3.get_bucket_logging(Bucket="roots")
        S3.get_bucket_tagging(Bucket="roots")
        S3.list_object_versions(Bucket="roots")
        S3.list_multipart_uploads(Bucket="roots")
        S3.get_bucket_notification_configuration(Bucket="roots")
        S3.list_bucket_inventory_configurations(Bucket="roots")
        S3.get_bucket_acl(Bucket="roots")
        S3.list_buckets()
        roots = re.findall(rb"^(?:<\?xml[^>]*>\s*)?<(\w+)", b"\n".join(b for b in bodies if b), re.M)
        expected = ["VersioningConfiguration"] * 2 + ["BucketLoggingStatus", "Tagging", "ListVersionsResult"]
        expected += ["ListMultipartUploadsResult", "NotificationConfiguration", "ListInventoryConfigurationsResult"]
        expected += ["AccessControlPolicy", "ListAllMyBucketsResult"]
        self.assertEqual([r.decode() for r in roots], expected)

    def test_a_fresh_bucket_is_closed_and_encrypted(self):
        S3.create_bucket(Bucket="fresh", CreateBucketConfiguration={**PLACE, "Tags": [{"Key": "A", "Value": "b"}]})
        self.assertEqual(S3.get_bucket_tagging(Bucket="fresh")["TagSet"], [{"Key": "A", "Value": "b"}])
        rules = S3.get_bucket_encryption(Bucket="fresh")["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(rules[0]["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        self.assertEqual(
            set(S3.get_public_access_block(Bucket="fresh")["PublicAccessBlockConfiguration"].values()), {True}
        )
        self.assertEqual(
            S3.get_bucket_ownership_controls(Bucket="fresh")["OwnershipControls"]["Rules"],
            [{"ObjectOwnership": "BucketOwnerEnforced"}],
        )
        S3.delete_bucket_encryption(Bucket="fresh")
        self.assertEqual(S3.get_bucket_encryption(Bucket="fresh")["ServerSideEncryptionConfiguration"]["Rules"], rules)
        S3.delete_public_access_block(Bucket="fresh")
        with self.refused("NoSuchPublicAccessBlockConfiguration"):
            S3.get_public_access_block(Bucket="fresh")
        with self.refused("BucketAlreadyOwnedByYou"):
            bucket("fresh")

    def test_writes_on_a_condition(self):
        name = bucket("conditions")
        S3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

        def put(body, **condition):
            return S3.put_object(Bucket=name, Key="a", Body=body, **condition)["ETag"]

        with self.refused("NoSuchKey"):
            put(b"1", IfMatch='"c4ca4238a0b923820dcc509a6f75849b"')
        first = put(b"1", IfNoneMatch="*")
        with self.refused("PreconditionFailed"):
            put(b"1", IfNoneMatch="*")
        with self.refused("NotImplemented"):
            put(b"2", IfNoneMatch='"other"')
        self.assertEqual(S3.get_object(Bucket=name, Key="a")["Body"].read(), b"1")
        second = put(b"2", IfMatch=first)
        with self.refused("PreconditionFailed"):
            put(b"3", IfMatch=first)
        with self.refused("PreconditionFailed"):
            S3.delete_object(Bucket=name, Key="a", IfMatch=first)
        self.assertEqual(S3.get_object(Bucket=name, Key="a")["ETag"], second)
        S3.delete_object(Bucket=name, Key="a", IfMatch="*")
        # A delete marker is no object.
        with self.refused("NoSuchKey"):
            put(b"2", IfMatch=second)
        third = put(b"3", IfNoneMatch="*")
        S3.delete_object(Bucket=name, Key="a", IfMatch=third)

    def test_the_endpoint_stands_for_tls(self):
        name = bucket("tls-only")
        S3.put_bucket_policy(Bucket=name, Policy=policy(*tls_only(name)))
        S3.put_object(Bucket=name, Key="a", Body=b"1")
        self.assertEqual(S3.get_object(Bucket=name, Key="a")["Body"].read(), b"1")
        deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        S3.put_bucket_policy(Bucket=name, Policy=policy(*tls_only(name), deny))
        with self.refused("AccessDenied"):
            S3.get_object(Bucket=name, Key="a")

    def test_bad_policies(self):
        name = bucket("policies")
        allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        with self.refused("AccessDenied", "BlockPublicPolicy"):
            S3.put_bucket_policy(Bucket=name, Policy=policy(allow))
        for text in ("no json", policy({"Effect": "Allow"}), policy({**allow, "Resource": "arn:aws:s3:::other/*"})):
            with self.subTest(text), self.refused("MalformedPolicy"):
                S3.put_bucket_policy(Bucket=name, Policy=text)

    def test_logging(self):
        source, target = bucket("source"), bucket("target")
        status = {
            "LoggingEnabled": {
                "TargetBucket": target,
                "TargetPrefix": "source/",
                "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
            }
        }
        S3.put_bucket_policy(Bucket=target, Policy=policy(*tls_only(target)))
        with self.refused("InvalidTargetBucketForLogging"):
            S3.put_bucket_logging(Bucket=source, BucketLoggingStatus=status)
        delivery = {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{target}/*",
        }
        S3.put_bucket_policy(Bucket=target, Policy=policy(*tls_only(target), delivery))
        S3.put_bucket_logging(Bucket=source, BucketLoggingStatus=status)
        self.assertEqual(S3.get_bucket_logging(Bucket=source)["LoggingEnabled"], status["LoggingEnabled"])
        S3.put_bucket_logging(Bucket=source, BucketLoggingStatus={})
        self.assertNotIn("LoggingEnabled", S3.get_bucket_logging(Bucket=source))

    def test_lifecycle_reads_back_whole(self):
        name = bucket("lifecycle")
        rules = [
            {
                "ID": "archive",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}, {"Days": 365, "StorageClass": "DEEP_ARCHIVE"}],
                "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "GLACIER"}],
                "NoncurrentVersionExpiration": {"NoncurrentDays": 365, "NewerNoncurrentVersions": 3},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ]
        S3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        shown = S3.get_bucket_lifecycle_configuration(Bucket=name)
        self.assertEqual(
            (shown["Rules"], shown["TransitionDefaultMinimumObjectSize"]), (rules, "all_storage_classes_128K")
        )
        with self.refused("InvalidRequest"):
            S3.put_bucket_lifecycle_configuration(
                Bucket=name,
                LifecycleConfiguration={"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}}]},
            )
        S3.delete_bucket_lifecycle(Bucket=name)
        with self.refused("NoSuchLifecycleConfiguration"):
            S3.get_bucket_lifecycle_configuration(Bucket=name)

    def test_listings_show_keys_that_xml_cannot_carry(self):
        name, key = bucket("keys"), "a b+c/\x01é"
        S3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        version = S3.put_object(Bucket=name, Key=key, Body=b"1")["VersionId"]
        upload = S3.create_multipart_upload(Bucket=name, Key="a b+c/é")["UploadId"]
        # boto3 asks for percent-encoding and decodes it by itself, unless asked.
        self.assertEqual([v["Key"] for v in S3.list_object_versions(Bucket=name)["Versions"]], [key])
        reported = S3.list_object_versions(Bucket=name, EncodingType="url")
        self.assertEqual((reported["EncodingType"], reported["Versions"][0]["Key"]), ("url", "a+b%2Bc/%01%C3%A9"))
        reported = S3.list_multipart_uploads(Bucket=name, EncodingType="url")
        self.assertEqual((reported["EncodingType"], reported["Uploads"][0]["Key"]), ("url", "a+b%2Bc/%C3%A9"))
        S3.abort_multipart_upload(Bucket=name, Key="a b+c/é", UploadId=upload)
        S3.delete_object(Bucket=name, Key=key, VersionId=version)
        S3.delete_bucket(Bucket=name)

    def test_a_part_of_a_bucket_is_taken_away_and_not_the_bucket(self):
        name = bucket("parts")
        self.addCleanup(S3.delete_bucket, Bucket=name)
        to = {"Bucket": "arn:aws:s3:::theirs", "Format": "CSV"}
        inventory = {"Id": "one", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"}}
        inventory["Destination"] = {"S3BucketDestination": to}
        S3.put_bucket_inventory_configuration(Bucket=name, Id="one", InventoryConfiguration=inventory)
        S3.delete_bucket_inventory_configuration(Bucket=name, Id="one")
        listed = S3.list_bucket_inventory_configurations(Bucket=name)
        self.assertEqual(listed.get("InventoryConfigurationList", []), [])
        with self.refused("NoSuchConfiguration"):
            S3.delete_bucket_inventory_configuration(Bucket=name, Id="one")

        export = {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": to}}
        analytics = {"Id": "two", "StorageClassAnalysis": {"DataExport": export}}
        S3.put_bucket_analytics_configuration(Bucket=name, Id="two", AnalyticsConfiguration=analytics)
        listed = S3.list_bucket_analytics_configurations(Bucket=name)["AnalyticsConfigurationList"]
        self.assertEqual(listed, [analytics])
        shown = S3.get_bucket_analytics_configuration(Bucket=name, Id="two")["AnalyticsConfiguration"]
        self.assertEqual(shown, analytics)
        S3.delete_bucket_analytics_configuration(Bucket=name, Id="two")
        self.assertEqual(S3.list_bucket_analytics_configurations(Bucket=name).get("AnalyticsConfigurationList", []), [])

        with self.refused("NotImplemented"):
            S3.delete_bucket_metrics_configuration(Bucket=name, Id="x")
        with self.refused("NotImplemented"):
            S3.put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": "Requester"})
        S3.head_bucket(Bucket=name)

    def test_news_go_to_the_bus(self):
        name = bucket("news")
        self.addCleanup(S3.delete_bucket, Bucket=name)
        S3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
        shown = S3.get_bucket_notification_configuration(Bucket=name)
        self.assertEqual(shown.get("EventBridgeConfiguration"), {})
        S3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
        self.assertNotIn("EventBridgeConfiguration", S3.get_bucket_notification_configuration(Bucket=name))

    def test_a_bucket_with_versions_is_not_deleted(self):
        name = bucket("versions")
        S3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        version = S3.put_object(Bucket=name, Key="a", Body=b"1")["VersionId"]
        marker = S3.delete_object(Bucket=name, Key="a")["VersionId"]
        for left in (version, marker):
            with self.refused("BucketNotEmpty"):
                S3.delete_bucket(Bucket=name)
            S3.delete_object(Bucket=name, Key="a", VersionId=left)
        S3.delete_bucket(Bucket=name)


class Tables(Case):
    def make(self, name="sessions", **more):
        wanted = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "user", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-user",
                    "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }
        return DYNAMODB.create_table(
            **{name: value for name, value in {**wanted, **more}.items() if value is not None}
        )["TableDescription"]

    def tearDown(self):
        for name in DYNAMODB.list_tables()["TableNames"]:
            DYNAMODB.delete_table(TableName=name)

    def test_the_first_stream_of_kinesis_makes_the_service_linked_role(self):
        roles = lambda: [role["Path"] for role in client("iam").list_roles()["Roles"] if "Kinesis" in role["RoleName"]]
        self.make("sent")
        client("kinesis").create_stream(StreamName="s", ShardCount=1)
        to = {"TableName": "sent", "StreamArn": f"arn:aws:kinesis:{REGION}:123456789012:stream/s"}
        states = lambda: [
            one["DestinationStatus"]
            for one in DYNAMODB.describe_kinesis_streaming_destination(TableName="sent")["KinesisDataStreamDestinations"]
        ]
        self.assertEqual((states(), roles()), ([], []))
        with self.refused("ResourceNotFoundException"):
            DYNAMODB.enable_kinesis_streaming_destination(TableName="sent", StreamArn=to["StreamArn"] + "x")
        DYNAMODB.enable_kinesis_streaming_destination(**to)
        self.assertEqual(roles(), ["/aws-service-role/kinesisreplication.dynamodb.amazonaws.com/"])
        with self.refused("ResourceInUseException"):
            DYNAMODB.enable_kinesis_streaming_destination(**to)
        self.assertEqual(states(), ["ACTIVE"])
        DYNAMODB.disable_kinesis_streaming_destination(**to)
        self.assertEqual(states(), ["DISABLED"])

    def test_a_stream_can_be_switched_off_and_on_again(self):
        self.make("streams")
        DYNAMODB.update_table(TableName="streams", StreamSpecification={"StreamEnabled": False})
        on = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        DYNAMODB.update_table(TableName="streams", StreamSpecification=on)
        self.assertEqual(DYNAMODB.describe_table(TableName="streams")["Table"]["StreamSpecification"], on)

    def test_a_tag_has_one_value(self):
        arn = self.make("tagged")["TableArn"]
        for value in ("old", "new"):
            DYNAMODB.tag_resource(ResourceArn=arn, Tags=[{"Key": "A", "Value": value}])
        self.assertEqual(DYNAMODB.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "A", "Value": "new"}])

    def test_attributes_come_and_go_with_the_indexes_that_use_them(self):
        self.make("indexed")
        names = lambda: [
            one["AttributeName"]
            for one in DYNAMODB.describe_table(TableName="indexed")["Table"]["AttributeDefinitions"]
        ]
        index = {
            "IndexName": "by-day",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        DYNAMODB.update_table(
            TableName="indexed",
            AttributeDefinitions=[{"AttributeName": "day", "AttributeType": "N"}],
            GlobalSecondaryIndexUpdates=[{"Create": index}],
        )
        self.assertEqual(names(), ["day", "id", "user"])
        DYNAMODB.update_table(
            TableName="indexed", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-user"}}]
        )
        self.assertEqual(names(), ["day", "id"])

    def test_life(self):
        arn = key()
        made = self.make(SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn.rsplit("/", 1)[-1]})
        self.assertEqual(made["TableStatus"], "CREATING")
        shown = DYNAMODB.describe_table(TableName="sessions")["Table"]
        self.assertEqual(
            (
                shown["TableStatus"],
                shown["SSEDescription"]["KMSMasterKeyArn"],
                shown["GlobalSecondaryIndexes"][0]["IndexStatus"],
            ),
            ("ACTIVE", arn, "ACTIVE"),
        )
        self.assertIn("LatestStreamArn", shown)
        DYNAMODB.update_time_to_live(
            TableName="sessions", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )
        with self.refused("ValidationException", "already enabled"):
            DYNAMODB.update_time_to_live(
                TableName="sessions", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
            )
        other = key()
        DYNAMODB.update_table(
            TableName="sessions", SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": other}
        )
        self.assertEqual(
            DYNAMODB.describe_table(TableName="sessions")["Table"]["SSEDescription"]["KMSMasterKeyArn"], other
        )
        self.assertEqual(DYNAMODB.delete_table(TableName="sessions")["TableDescription"]["TableStatus"], "DELETING")
        with self.refused("ResourceNotFoundException"):
            DYNAMODB.describe_table(TableName="sessions")

    def test_refusals(self):
        with self.refused("ValidationException"):
            self.make(
                SSESpecification={
                    "Enabled": True,
                    "SSEType": "KMS",
                    "KMSMasterKeyId": "00000000-0000-0000-0000-000000000000",
                }
            )
        with self.refused("TableNotFoundException"):
            DYNAMODB.update_continuous_backups(
                TableName="nothing", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        self.make(
            "plain", GlobalSecondaryIndexes=None, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}]
        )
        self.assertNotIn("GlobalSecondaryIndexes", DYNAMODB.describe_table(TableName="plain")["Table"])
        one = {"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}
        with self.refused("LimitExceededException"):
            DYNAMODB.update_table(
                TableName="plain",
                AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
                GlobalSecondaryIndexUpdates=[{"Create": {**one, "IndexName": name}} for name in ("one", "two")],
            )
