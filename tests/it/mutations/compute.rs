//! What someone does to services, functions, alarms and topics by hand.

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
        r#"rds.modify_event_subscription(SubscriptionName="database-events-green-dev", EventCategories=["failover"], Enabled=False)
rds.add_source_identifier_to_subscription(SubscriptionName="database-events-green-dev", SourceIdentifier="aurora-blue-dev")
rds.delete_event_subscription(SubscriptionName="database-events-blue-dev")"#,
        &[
            changed("database-events-green", "enabled"),
            changed("database-events-green", "categories[configuration change]"),
            changed("database-events-green", "categories[failure]"),
            changed("database-events-green", "categories[maintenance]"),
            changed("database-events-green", "categories[notification]"),
            extra("database-events-green", "clusters[aurora-blue-dev]"),
            missing("database-events-blue"),
        ],
    ),
    by_hand(
        "ssm/parameter",
        r#"ssm.put_parameter(Name="/payment-processing/green-dev/reporting/DATABASE_NAME", Value="other", Overwrite=True)
ssm.delete_parameter(Name="/payment-processing/blue-dev/reporting/DATABASE_NAME")
ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/payment-processing/blue-dev/reporting/DATABASE_PORT", Tags=[{"Key": "Owner", "Value": "somebody"}])"#,
        &[
            changed("parameter-reporting-database-name-green", "value"),
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
];
