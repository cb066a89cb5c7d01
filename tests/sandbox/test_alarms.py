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
        for silenced in ({"ActionsSuppressor": "a", "ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 60}, {}):
            WATCH.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("a")', **silenced)
            shown = WATCH.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
            self.assertEqual({key: value for key, value in shown.items() if "Suppressor" in key}, silenced)
        with self.refused("ValidationError", "another type"):
            self.put("all")
        with self.refused("ValidationError", "depending"):
            WATCH.delete_alarms(AlarmNames=["a"])
        WATCH.delete_alarms(AlarmNames=["all"])
        by_arn = "ALARM ( 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a' )"
        WATCH.put_composite_alarm(AlarmName="all", AlarmRule=by_arn)
        with self.refused("ValidationError", "depending"):
            WATCH.delete_alarms(AlarmNames=["a"])
        WATCH.delete_alarms(AlarmNames=["all"])
        WATCH.delete_alarms(AlarmNames=["a"])

    def test_what_is_set_reads_back(self):
        self.put("a", Unit="Terabits/Second")
        stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum", "Unit": "Count"}
        line = {"Id": "m", "MetricStat": stat, "AccountId": "999999999999", "ReturnData": True}
        more = {"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
        WATCH.put_metric_alarm(AlarmName="b", Metrics=[line], **more)
        one, other = WATCH.describe_alarms()["MetricAlarms"]
        self.assertEqual((one["Unit"], other["Metrics"]), ("Terabits/Second", [line]))
        self.put("a")
        self.assertNotIn("Unit", WATCH.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0])

    def test_dashboards(self):
        body = json.dumps({"widgets": []})
        WATCH.put_dashboard(DashboardName="d", DashboardBody=body)
        self.assertEqual(WATCH.get_dashboard(DashboardName="d")["DashboardBody"], body)
        with self.refused("ResourceNotFound"):
            WATCH.get_dashboard(DashboardName="e")
        with self.refused("ResourceNotFound"):
            WATCH.delete_dashboards(DashboardNames=["e"])


class Metrics(Case):
    """GetMetricData over what was put and what the control path says."""

    OF = {"LoadBalancer": "app/a/1"}

    def setUp(self):
        control("POST", "moto-api/reset")

    def ask(self, statistic, first=600, last=720, period=60):
        metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime"}
        metric["Dimensions"] = [{"Name": k, "Value": v} for k, v in self.OF.items()]
        query = {"Id": "a1", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}
        answer = WATCH.get_metric_data(MetricDataQueries=[query], StartTime=first, EndTime=last, ScanBy="TimestampAscending")
        [result] = answer["MetricDataResults"]
        self.assertEqual(result["StatusCode"], "Complete")
        return [(int(at.timestamp()), value) for at, value in zip(result["Timestamps"], result["Values"])]

    def test_statistics_of_what_the_control_path_says(self):
        body = {"namespace": "AWS/ApplicationELB", "name": "TargetResponseTime", "dimensions": self.OF}
        control("POST", "_sandbox/metrics", body | {"points": [[600, {"0.1": 90, "0.8": 5, "2": 5}], [725, 9]]})
        for statistic, value in [("Sum", 23.0), ("SampleCount", 100), ("Maximum", 2), ("p95", 0.8), ("p96", 2), ("TC(0.8:4000)", 5), ("PR(0.1:0.8)", 5)]:
            [(at, found)] = self.ask(statistic)
            self.assertEqual(at, 600)
            self.assertAlmostEqual(found, value, msg=statistic)
        self.assertEqual(self.ask("Sum", 660, 720), [])
        self.assertEqual(self.ask("Sum", 720, 780), [(720, 9.0)])
        with self.refused("ValidationError", "not a valid statistic"):
            self.ask("p1000")
        with self.refused("ValidationError", "greater than StartTime"):
            self.ask("Sum", 720, 720)
        control("DELETE", "_sandbox/metrics")
        self.assertEqual(self.ask("Sum"), [])
