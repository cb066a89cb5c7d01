"""Alarms of both kinds, and dashboards."""

import json

from support import Case, client, control

WATCH = client("cloudwatch")
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


class Alarms(Case):
    def setUp(self):
        control("POST", "moto-api/reset")

    def put(self, name, **more):
        settings = {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Sum", "Period": 60}
        settings |= {"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
        WATCH.put_metric_alarm(AlarmName=name, AlarmActions=[TOPIC], **(settings | more))

    def tags(self, name):
        arn = f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{name}"
        return WATCH.list_tags_for_resource(ResourceARN=arn)["Tags"]

    def test_tags_count_at_creation_only(self):
        self.put("a", Tags=[{"Key": "A", "Value": "b"}])
        self.put("a", Tags=[{"Key": "A", "Value": "c"}], Threshold=2.0)
        self.assertEqual(self.tags("a"), [{"Key": "A", "Value": "b"}])
        self.assertEqual(WATCH.describe_alarms()["MetricAlarms"][0]["Threshold"], 2.0)
        WATCH.delete_alarms(AlarmNames=["a"])
        with self.refused("ResourceNotFoundException"):
            self.tags("a")

    def test_a_composite_alarm_holds_those_that_it_names(self):
        self.put("a")
        with self.refused("ValidationError", "do not exist"):
            WATCH.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("a") OR ALARM("b")')
        WATCH.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("a")', Tags=[{"Key": "A", "Value": "b"}])
        self.assertEqual(WATCH.describe_alarms()["CompositeAlarms"], [])
        shown = WATCH.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        self.assertEqual([one["AlarmRule"] for one in shown], ['ALARM("a")'])
        with self.refused("ValidationError", "another type"):
            self.put("all")
        with self.refused("ValidationError", "depending"):
            WATCH.delete_alarms(AlarmNames=["a"])
        WATCH.delete_alarms(AlarmNames=["all"])
        WATCH.delete_alarms(AlarmNames=["a"])

    def test_dashboards(self):
        body = json.dumps({"widgets": []})
        WATCH.put_dashboard(DashboardName="d", DashboardBody=body)
        self.assertEqual(WATCH.get_dashboard(DashboardName="d")["DashboardBody"], body)
        with self.refused("ResourceNotFound"):
            WATCH.get_dashboard(DashboardName="e")
        with self.refused("ResourceNotFound"):
            WATCH.delete_dashboards(DashboardNames=["e"])
