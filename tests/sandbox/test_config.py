"""AWS Config keeps to AWS's rules where moto does not."""

import json

from support import ACCOUNT, REGION, Case, client, control

CONFIG, IAM, S3 = client("config"), client("iam"), client("s3")
RULE = {
    "ConfigRuleName": "one",
    "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"},
    "Scope": {"TagKey": "A", "TagValue": "b"},
}


def role(service="config.amazonaws.com"):
    """A role that this service may take on."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = "of-" + service.split(".", maxsplit=1)[0]
    try:
        return IAM.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    except IAM.exceptions.EntityAlreadyExistsException:
        return IAM.get_role(RoleName=name)["Role"]["Arn"]


def record(arn, **more):
    """A recorder with this role."""
    group = {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}
    CONFIG.put_configuration_recorder(ConfigurationRecorder={"name": "mine", "roleARN": arn, "recordingGroup": group}, **more)


def open_bucket(name):
    """A bucket that lets AWS Config in."""
    S3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "config.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    S3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def deliver(bucket):
    """A delivery channel into this bucket."""
    CONFIG.put_delivery_channel(DeliveryChannel={"name": "mine", "s3BucketName": bucket})


class Recorders(Case):
    def tearDown(self):
        for recorder in CONFIG.describe_configuration_recorders()["ConfigurationRecorders"]:
            CONFIG.stop_configuration_recorder(ConfigurationRecorderName=recorder["name"])
            for channel in CONFIG.describe_delivery_channels()["DeliveryChannels"]:
                CONFIG.delete_delivery_channel(DeliveryChannelName=channel["name"])
            CONFIG.delete_configuration_recorder(ConfigurationRecorderName=recorder["name"])

    def test_a_recorder_has_an_arn_and_the_tags_of_its_creation(self):
        with self.refused("InvalidRoleException"):
            record(role("ec2.amazonaws.com"))
        arn = role()
        record(arn, Tags=[{"Key": "A", "Value": "b"}])
        shown = CONFIG.describe_configuration_recorders()["ConfigurationRecorders"][0]
        self.assertTrue(shown["arn"].startswith(f"arn:aws:config:{REGION}:{ACCOUNT}:configuration-recorder/mine/"))
        self.assertEqual(shown["recordingMode"], {"recordingFrequency": "CONTINUOUS"})
        record(arn, Tags=[{"Key": "A", "Value": "c"}])
        tags = lambda: CONFIG.list_tags_for_resource(ResourceArn=shown["arn"])["Tags"]
        self.assertEqual(tags(), [{"Key": "A", "Value": "b"}])
        CONFIG.tag_resource(ResourceArn=shown["arn"], Tags=[{"Key": "C", "Value": "d"}])
        CONFIG.untag_resource(ResourceArn=shown["arn"], TagKeys=["A"])
        self.assertEqual(tags(), [{"Key": "C", "Value": "d"}])
        CONFIG.delete_configuration_recorder(ConfigurationRecorderName="mine")
        with self.refused("ResourceNotFoundException"):
            tags()

    def test_a_bucket_must_let_it_in(self):
        record(role())
        with self.refused("NoSuchBucketException"):
            deliver("no-such-bucket")
        open_bucket("findings")
        S3.delete_bucket_policy(Bucket="findings")
        with self.refused("InsufficientDeliveryPolicyException"):
            deliver("findings")
        S3.delete_bucket(Bucket="findings")
        open_bucket("findings")
        deliver("findings")
        CONFIG.start_configuration_recorder(ConfigurationRecorderName="mine")
        with self.refused("LastDeliveryChannelDeleteFailedException"):
            CONFIG.delete_delivery_channel(DeliveryChannelName="mine")

    def test_status_of_recorder_and_channel_says_how_the_last_delivery_ended(self):
        states = lambda: CONFIG.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        self.assertEqual(states(), [])
        record(role())
        self.assertFalse(states()[0]["recording"])
        self.assertEqual(states()[0]["arn"], CONFIG.describe_configuration_recorders()["ConfigurationRecorders"][0]["arn"])
        open_bucket("delivered")
        deliver("delivered")
        control("POST", "_sandbox/latency", {"latency": "60"})
        CONFIG.start_configuration_recorder(ConfigurationRecorderName="mine")
        self.assertEqual((states()[0]["recording"], states()[0]["lastStatus"]), (True, "PENDING"))
        self.skip(61)
        self.assertEqual(states()[0]["lastStatus"], "SUCCESS")
        channel = lambda: CONFIG.describe_delivery_channel_status()["DeliveryChannelsStatus"][0]
        self.assertEqual(channel()["configHistoryDeliveryInfo"], {"lastStatus": "SUCCESS"})
        S3.delete_bucket(Bucket="delivered")
        for shown in (states()[0], channel()["configHistoryDeliveryInfo"], channel()["configSnapshotDeliveryInfo"]):
            self.assertEqual((shown["lastStatus"], shown["lastErrorCode"]), ("FAILURE", "NoSuchBucket"))
        with self.refused("NoSuchDeliveryChannelException"):
            CONFIG.describe_delivery_channel_status(DeliveryChannelNames=["other"])
        with self.refused("NoSuchConfigurationRecorderException"):
            CONFIG.describe_configuration_recorder_status(ConfigurationRecorderNames=["other"])
        CONFIG.stop_configuration_recorder(ConfigurationRecorderName="mine")
        self.assertFalse(states()[0]["recording"])


class Rules(Case):
    def setUp(self):
        self.setUpClass()

    def state(self, name):
        """The state of a rule."""
        return CONFIG.describe_config_rules(ConfigRuleNames=[name])["ConfigRules"][0]["ConfigRuleState"]

    def test_a_rule_takes_a_recorder_and_keeps_its_tags(self):
        with self.refused("NoAvailableConfigurationRecorderException"):
            CONFIG.put_config_rule(ConfigRule=RULE)
        record(role())
        CONFIG.put_config_rule(ConfigRule=RULE, Tags=[{"Key": "A", "Value": "b"}])
        CONFIG.put_config_rule(ConfigRule=RULE | {"Description": "changed"})
        shown = CONFIG.describe_config_rules(ConfigRuleNames=["one"])["ConfigRules"][0]
        self.assertEqual(shown["Description"], "changed")
        self.assertEqual(shown["Scope"], {"TagKey": "A", "TagValue": "b"})
        tags = CONFIG.list_tags_for_resource(ResourceArn=shown["ConfigRuleArn"])["Tags"]
        self.assertEqual(tags, [{"Key": "A", "Value": "b"}])
        CONFIG.delete_config_rule(ConfigRuleName="one")
        with self.refused("NoSuchConfigRuleException"):
            CONFIG.delete_config_rule(ConfigRuleName="one")

    def test_a_rule_is_being_deleted_for_a_while_and_takes_nothing_meanwhile(self):
        record(role())
        rule = RULE | {"ConfigRuleName": "leaving"}
        CONFIG.put_config_rule(ConfigRule=rule)
        self.assertEqual(self.state("leaving"), "ACTIVE")
        first = CONFIG.describe_config_rules(ConfigRuleNames=["leaving"])["ConfigRules"][0]["ConfigRuleId"]
        control("POST", "_sandbox/latency", {"latency": "60"})
        CONFIG.delete_config_rule(ConfigRuleName="leaving")
        self.assertEqual(self.state("leaving"), "DELETING")
        with self.refused("ResourceInUseException"):
            CONFIG.put_config_rule(ConfigRule=rule | {"Scope": {"TagKey": "C", "TagValue": "d"}})
        with self.refused("ResourceInUseException"):
            CONFIG.delete_config_rule(ConfigRuleName="leaving")
        shown = CONFIG.describe_config_rules(ConfigRuleNames=["leaving"])["ConfigRules"][0]
        self.assertEqual(shown["Scope"], RULE["Scope"])
        self.skip(61)
        with self.refused("NoSuchConfigRuleException"):
            self.state("leaving")
        CONFIG.put_config_rule(ConfigRule=rule)
        again = CONFIG.describe_config_rules(ConfigRuleNames=["leaving"])["ConfigRules"][0]
        self.assertEqual(again["ConfigRuleState"], "ACTIVE")
        self.assertNotEqual(again["ConfigRuleId"], first)

    def test_a_rule_is_evaluated_on_request_and_stays_without_its_results(self):
        record(role())
        CONFIG.put_config_rule(ConfigRule={"ConfigRuleName": "versions", "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}})
        found = lambda: CONFIG.describe_compliance_by_config_rule(ConfigRuleNames=["versions"])["ComplianceByConfigRules"][0]["Compliance"]
        self.assertEqual(found(), {"ComplianceType": "INSUFFICIENT_DATA"})
        open_bucket("judged")
        self.assertEqual(found()["ComplianceType"], "NON_COMPLIANT")
        self.assertEqual(found()["ComplianceContributorCount"], {"CappedCount": 1, "CapExceeded": False})
        S3.put_bucket_versioning(Bucket="judged", VersioningConfiguration={"Status": "Enabled"})
        self.assertEqual(found(), {"ComplianceType": "COMPLIANT"})
        control("POST", "_sandbox/latency", {"latency": "60"})
        CONFIG.delete_evaluation_results(ConfigRuleName="versions")
        self.assertEqual((self.state("versions"), found()), ("DELETING_RESULTS", {"ComplianceType": "INSUFFICIENT_DATA"}))
        for refused in (CONFIG.delete_evaluation_results, CONFIG.delete_config_rule):
            with self.refused("ResourceInUseException"):
                refused(ConfigRuleName="versions")
        with self.refused("ResourceInUseException"):
            CONFIG.start_config_rules_evaluation(ConfigRuleNames=["versions"])
        self.skip(61)
        self.assertEqual((self.state("versions"), found()), ("ACTIVE", {"ComplianceType": "INSUFFICIENT_DATA"}))
        CONFIG.start_config_rules_evaluation(ConfigRuleNames=["versions"])
        self.assertEqual(self.state("versions"), "EVALUATING")
        with self.refused("ResourceInUseException"):
            CONFIG.start_config_rules_evaluation(ConfigRuleNames=["versions"])
        self.skip(61)
        self.assertEqual((self.state("versions"), found()), ("ACTIVE", {"ComplianceType": "COMPLIANT"}))
        for call in (CONFIG.start_config_rules_evaluation, CONFIG.describe_compliance_by_config_rule):
            with self.refused("NoSuchConfigRuleException"):
                call(ConfigRuleNames=["none"])
