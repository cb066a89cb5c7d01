"""CloudTrail's event history shows who changed what."""

import json

from support import ACCOUNT, Case, client

TRAIL, SNS, IAM = client("cloudtrail"), client("sns"), client("iam")


def events(name, trail=TRAIL, key="ResourceName"):
    """What the history has about a thing, the newest first."""
    attribute = {"AttributeKey": key, "AttributeValue": name}
    return trail.lookup_events(LookupAttributes=[attribute])["Events"]


class Histories(Case):
    def test_changes_of_a_thing_are_shown_with_their_caller(self):
        arn = SNS.create_topic(Name="trailed")["TopicArn"]
        SNS.tag_resource(ResourceArn=arn, Tags=[{"Key": "A", "Value": "b"}])
        SNS.get_topic_attributes(TopicArn=arn)
        SNS.publish(TopicArn=arn, Message="hello")
        self.assertEqual([event["EventName"] for event in events(arn)], ["TagResource"])
        event = events("trailed")[0]
        self.assertEqual((event["EventName"], event["ReadOnly"], event["EventSource"]), ("CreateTopic", "false", "sns.amazonaws.com"))
        identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
        self.assertTrue(identity["arn"].startswith(f"arn:aws:iam::{ACCOUNT}:user/"))

    def test_a_refused_change_has_its_code_and_roles_are_in_one_region(self):
        with self.refused("NoSuchEntity"):
            IAM.delete_role(RoleName="trailed-role")
        self.assertEqual(events("trailed-role"), [])
        event = events("trailed-role", client("cloudtrail", "us-east-1"))[0]
        self.assertEqual(json.loads(event["CloudTrailEvent"])["errorCode"], "NoSuchEntity")
        with self.refused("InvalidLookupAttributesException"):
            TRAIL.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "x"}] * 2)

    def test_events_of_some_services_name_no_resource_and_are_found_by_their_source(self):
        dns, trail = client("route53"), client("cloudtrail", "us-east-1")
        zone = dns.create_hosted_zone(Name="trailed.example", CallerReference="trailed")["HostedZone"]["Id"]
        self.assertEqual(events("trailed.example", trail), [])
        event = events("route53.amazonaws.com", trail, "EventSource")[0]
        self.assertEqual((event["EventName"], event["Resources"]), ("CreateHostedZone", []))
        self.assertIn("trailed.example", json.loads(event["CloudTrailEvent"])["requestParameters"]["texts"])
        dns.delete_hosted_zone(Id=zone)
