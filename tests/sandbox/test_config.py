"""AWS Config keeps to AWS's rules where moto does not."""

import json

from support import ACCOUNT, REGION, Case, client

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
        S3.create_bucket(Bucket="findings", CreateBucketConfiguration={"LocationConstraint": REGION})
        with self.refused("InsufficientDeliveryPolicyException"):
            deliver("findings")
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "config.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::findings/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        S3.put_bucket_policy(Bucket="findings", Policy=policy)
        deliver("findings")
        CONFIG.start_configuration_recorder(ConfigurationRecorderName="mine")
        with self.refused("LastDeliveryChannelDeleteFailedException"):
            CONFIG.delete_delivery_channel(DeliveryChannelName="mine")


class Rules(Case):
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
