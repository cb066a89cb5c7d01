//! What someone sets by hand on things of ours that we never set ourselves: it changes what they do, and no field says it.

use super::{Mutation, by_hand, changed, extra};

pub const ALL: &[Mutation] = &[
    by_hand(
        "cloudwatch/alarm",
        r#"def put_again(name, change):
    one = watch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    keep = "AlarmName AlarmDescription ActionsEnabled OKActions AlarmActions InsufficientDataActions MetricName Namespace Statistic ExtendedStatistic Dimensions Period EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData Metrics".split()
    one = {k: one[k] for k in keep if k in one}
    change(one)
    watch.put_metric_alarm(**one)
def elsewhere(one):
    line = [line for line in one["Metrics"] if line["Id"] == "r"][0]
    line["AccountId"] = "999999999999"
    line["MetricStat"]["Unit"] = "Terabits/Second"
put_again("<alarm-database-connections-green.name>", lambda one: one.update(Unit="Terabits/Second"))
put_again("<alarm-errors-reporting-green.name>", elsewhere)"#,
        &[
            extra("alarm-database-connections-green", "others.unit"),
            extra("alarm-errors-reporting-green", "queries.r.others"),
        ],
    ),
    by_hand(
        "cloudwatch/dashboard",
        r#"body = json.loads(watch.get_dashboard(DashboardName="<dashboard-traffic-blue.name>")["DashboardBody"])
first = body["widgets"][0]
body["widgets"].insert(0, {"type": "text", "x": first["x"], "y": first["y"], "width": 24, "height": 6, "properties": {"markdown": "all is well"}})
body["start"] = "-PT1M"
made["place"] = f"{first['x']},{first['y']}"
watch.put_dashboard(DashboardName="<dashboard-traffic-blue.name>", DashboardBody=json.dumps(body))"#,
        &[
            extra("dashboard-traffic-blue", "widgets.<made.place> (2)"),
            extra("dashboard-traffic-blue", "others.start"),
        ],
    ),
    by_hand(
        "sns/topic",
        r#"for name, value in (("DeliveryPolicy", json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 0, "minDelayTarget": 1, "maxDelayTarget": 1}}})), ("HTTPSuccessFeedbackRoleArn", "arn:aws:iam::123456789012:role/theirs"), ("TracingConfig", "Active")):
    sns.set_topic_attributes(TopicArn="<alerts-blue.arn>", AttributeName=name, AttributeValue=value)"#,
        &[
            extra("alerts-blue", "others.DeliveryPolicy"),
            extra("alerts-blue", "others.HTTPSuccessFeedbackRoleArn"),
            extra("alerts-blue", "others.TracingConfig"),
        ],
    ),
    by_hand(
        "events/rule",
        r#"one = events.describe_rule(Name="failed-deployments-green-dev")
events.put_rule(**{k: one[k] for k in ("Name", "EventPattern", "State", "Description")}, ScheduleExpression="rate(1 minute)")
one = [t for t in events.list_targets_by_rule(Rule="failed-deployments-green-dev")["Targets"] if t["Id"] == "alerts"][0]
events.put_targets(Rule="failed-deployments-green-dev", Targets=[one | {"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-central-1:999999999999:theirs"}, "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}}])"#,
        &[
            extra("failed-deployments-green", "others.schedule expression"),
            extra(
                "failed-deployments-green",
                "targets.alerts.more[dead letter config]",
            ),
            extra(
                "failed-deployments-green",
                "targets.alerts.more[retry policy]",
            ),
        ],
    ),
    by_hand(
        "sqs/queue",
        r#"url = sqs.get_queue_url(QueueName="<failed-sync-reverse-green.name>")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "900", "MaximumMessageSize": "1024", "ReceiveMessageWaitTimeSeconds": "20", "RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})})"#,
        &[
            extra("failed-sync-reverse-green", "others.DelaySeconds"),
            extra("failed-sync-reverse-green", "others.MaximumMessageSize"),
            extra(
                "failed-sync-reverse-green",
                "others.ReceiveMessageWaitTimeSeconds",
            ),
            extra("failed-sync-reverse-green", "others.RedriveAllowPolicy"),
        ],
    ),
    by_hand(
        "s3/bucket",
        r#"to = {"S3BucketDestination": {"Bucket": "arn:aws:s3:::theirs", "Format": "CSV"}}
s3.put_bucket_inventory_configuration(Bucket="compliance-docs-blue-dev", Id="theirs", InventoryConfiguration={"Id": "theirs", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"}, "Destination": to})
s3.put_bucket_analytics_configuration(Bucket="compliance-docs-blue-dev", Id="theirs", AnalyticsConfiguration={"Id": "theirs", "StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": to}}})
s3.put_bucket_analytics_configuration(Bucket="compliance-docs-blue-dev", Id="shown", AnalyticsConfiguration={"Id": "shown", "StorageClassAnalysis": {}})
s3.put_bucket_notification_configuration(Bucket="compliance-docs-blue-dev", NotificationConfiguration={"EventBridgeConfiguration": {}})"#,
        &[
            extra("compliance-docs-blue", "exposed.inventory/theirs"),
            extra("compliance-docs-blue", "exposed.analytics/theirs"),
            extra("compliance-docs-blue", "exposed.notification/EventBridge"),
        ],
    ),
    by_hand(
        "config/rule",
        r#"rule = config.describe_config_rules(ConfigRuleNames=["rule-s3-bucket-ssl-requests-only-shared-dev"])["ConfigRules"][0]
rule["Scope"] = {"ComplianceResourceTypes": ["AWS::EC2::Instance"]}
config.put_config_rule(ConfigRule={k: rule[k] for k in ("ConfigRuleName", "Description", "Source", "Scope")})"#,
        &[
            changed("rule-s3-bucket-ssl-requests-only-shared", "scope.tag"),
            changed("rule-s3-bucket-ssl-requests-only-shared", "scope.value"),
            extra(
                "rule-s3-bucket-ssl-requests-only-shared",
                "scope.others[AWS::EC2::Instance]",
            ),
        ],
    ),
];
