"""Roles, logs, messages, alarms, containers, functions, AWS Config."""

import json

SESSIONS_BY_DEFAULT = {"executeCommandConfiguration": {"logging": "DEFAULT"}, "managedStorageConfiguration": {}}


def iam(account):
    """Roles and policies of the account."""
    for role in account.all("iam", "list_roles", "Roles"):
        name = role["RoleName"]
        names = account.parts("iam", "list_role_policies", "PolicyNames", RoleName=name)
        role["Inline"] = {
            policy: account.about("iam", "get_role_policy", RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in names
        }
        role["Attached"] = account.parts("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        role["Tags"] = account.parts("iam", "list_role_tags", "Tags", RoleName=name)
        account.add("role", name, role, name)
    for policy in account.all("iam", "list_policies", "Policies", Scope="Local"):
        account.add("policy", policy["Arn"], policy, policy["PolicyName"])


def others(account):
    """Log groups, secrets, schedules, rules of events, topics, queues, parameters, alarms and dashboards."""
    for group in account.all("logs", "describe_log_groups", "logGroups"):
        arn = group["arn"].removesuffix(":*")
        group["tags"] = account.about("logs", "list_tags_for_resource", resourceArn=arn).get("tags", {})
        account.add("log-group", group["logGroupName"], group, group["logGroupName"])
    for secret in account.all("secretsmanager", "list_secrets", "SecretList"):
        shown = account.maybe("secretsmanager", "describe_secret", SecretId=secret["ARN"]) or secret
        owner = next(
            (tag["Value"] for tag in shown.get("Tags") or [] if tag["Key"] == "aws:rds:primaryDBClusterArn"), None
        )
        policy = account.about("secretsmanager", "get_resource_policy", SecretId=secret["ARN"]).get("ResourcePolicy")
        account.add("secret", secret["Name"], shown | {"Policy": policy}, f"of {owner}" if owner else secret["Name"])
    for group in account.all("scheduler", "list_schedule_groups", "ScheduleGroups"):
        if group["Name"] != "default":
            tags = account.about("scheduler", "list_tags_for_resource", ResourceArn=group["Arn"])["Tags"]
            account.add("schedule-group", group["Name"], group | {"Tags": tags}, group["Name"])
        for schedule in account.all("scheduler", "list_schedules", "Schedules", GroupName=group["Name"]):
            place = {"GroupName": group["Name"], "Name": schedule["Name"]}
            shown = account.maybe("scheduler", "get_schedule", **place)
            account.add("schedule", f"{group['Name']}/{schedule['Name']}", shown, schedule["Name"])
    for rule in account.all("events", "list_rules", "Rules"):
        targets = account.parts("events", "list_targets_by_rule", "Targets", Rule=rule["Name"])
        tags = account.about("events", "list_tags_for_resource", ResourceARN=rule["Arn"])["Tags"]
        account.add("event-rule", rule["Name"], rule | {"Targets": targets, "Tags": tags}, rule["Name"])
    for topic in account.all("sns", "list_topics", "Topics"):
        arn = topic["TopicArn"]
        topic["Attributes"] = account.about("sns", "get_topic_attributes", TopicArn=arn)["Attributes"]
        topic["Subscriptions"] = account.parts("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn)
        topic["Tags"] = account.about("sns", "list_tags_for_resource", ResourceArn=arn)["Tags"]
        account.add("topic", arn, topic, arn.split(":")[-1])
    for url in account.all("sqs", "list_queues", "QueueUrls"):
        name = url.rsplit("/", 1)[-1]
        queue = account.about("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        queue["Tags"] = listed_tags(account.about("sqs", "list_queue_tags", QueueUrl=url).get("Tags"))
        account.add("queue", name, queue, name)
    for parameter in account.all("ssm", "describe_parameters", "Parameters"):
        name = parameter["Name"]
        shown = account.about("ssm", "get_parameter", Name=name)["Parameter"]
        tags = account.about("ssm", "list_tags_for_resource", ResourceType="Parameter", ResourceId=name)["TagList"]
        account.add("parameter", name, parameter | {"Value": shown["Value"], "Tags": tags}, name)
    for key, kind in (("MetricAlarms", "MetricAlarm"), ("CompositeAlarms", "CompositeAlarm")):
        for alarm in account.all("cloudwatch", "describe_alarms", key, AlarmTypes=[kind]):
            alarm["Tags"] = account.about("cloudwatch", "list_tags_for_resource", ResourceARN=alarm["AlarmArn"])["Tags"]
            account.add("alarm" if kind == "MetricAlarm" else "composite-alarm", alarm["AlarmName"], alarm, alarm["AlarmName"])
    for board in account.all("cloudwatch", "list_dashboards", "DashboardEntries"):
        name = board["DashboardName"]
        body = account.about("cloudwatch", "get_dashboard", DashboardName=name)["DashboardBody"] or "null"
        account.add("dashboard", name, {"Name": name, "Body": json.loads(body)}, name)


def compute(account):
    """Repositories, clusters with their services, task definitions, scaling."""
    for repository in account.all("ecr", "describe_repositories", "repositories"):
        name = repository["repositoryName"]
        tags = account.about("ecr", "list_tags_for_resource", resourceArn=repository["repositoryArn"])["tags"]
        repository["Tags"] = tags
        repository["Lifecycle"] = account.maybe("ecr", "get_lifecycle_policy", repositoryName=name)
        repository["Policy"] = account.maybe("ecr", "get_repository_policy", repositoryName=name)
        account.add("repository", name, repository, name)
    for arn in account.all("ecs", "list_clusters", "clusterArns"):
        cluster = account.about("ecs", "describe_clusters", clusters=[arn], include=["TAGS", "SETTINGS"])["clusters"][0]
        for counted in ("runningTasksCount", "pendingTasksCount"):
            cluster.pop(counted, None)
        # A default that is said is as good as one that is left out.
        if cluster.get("configuration") == SESSIONS_BY_DEFAULT:
            cluster.pop("configuration")
        account.add("cluster", arn, cluster, cluster["clusterName"])
        for name in account.all("ecs", "list_services", "serviceArns", cluster=arn):
            service = account.about("ecs", "describe_services", cluster=arn, services=[name], include=["TAGS"])["services"][0]
            service["deployments"] = [
                {key: one.get(key) for key in ("status", "taskDefinition", "rolloutState", "runningCount")}
                for one in service["deployments"]
            ]
            service.pop("events", None)
            deployments = service["deploymentConfiguration"]
            for name, default in (("lifecycleHooks", []), ("strategy", "ROLLING"), ("bakeTimeInMinutes", 0)):
                if deployments.get(name) == default:
                    deployments.pop(name)
            account.add("service", name, service, service["serviceName"])
    for status in ("ACTIVE", "INACTIVE"):
        for arn in account.all("ecs", "list_task_definitions", "taskDefinitionArns", status=status):
            shown = account.about("ecs", "describe_task_definition", taskDefinition=arn, include=["TAGS"])
            tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in shown.get("tags") or []]
            definition = shown["taskDefinition"] | {"Tags": tags}
            account.add("task-definition", arn, definition, definition.get("family"))
    for target in account.all(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"
    ):
        target["Policies"] = account.parts(
            "application-autoscaling",
            "describe_scaling_policies",
            "ScalingPolicies",
            ServiceNamespace="ecs",
            ResourceId=target["ResourceId"],
        )
        account.add("scaling", target["ResourceId"], target, target["ResourceId"])


def listed_tags(tags):
    """Tags of a map as EC2 lists them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def functions(account):
    """Functions with who may call them, and what feeds them."""
    for listed in account.all("lambda", "list_functions", "Functions"):
        name = listed["FunctionName"]
        shown = account.about("lambda", "get_function", FunctionName=name)
        function = shown["Configuration"] | {"Concurrency": shown.get("Concurrency"), "Tags": listed_tags(shown.get("Tags"))}
        function["Policy"] = account.maybe("lambda", "get_policy", FunctionName=name)
        function.pop("RevisionId", None)
        account.add("function", name, function, name)
    for mapping in account.all("lambda", "list_event_source_mappings", "EventSourceMappings"):
        arn = mapping.get("EventSourceMappingArn")
        mapping["Tags"] = listed_tags(account.about("lambda", "list_tags", Resource=arn)["Tags"] if arn else {})
        function = mapping["FunctionArn"].rsplit(":", 1)[-1]
        account.add("stream-mapping", mapping["UUID"], mapping, function)


def compliance(account):
    """AWS Config: recorder, delivery channel, rules."""
    config = account.client("config")
    states = {one["name"]: one["recording"] for one in config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]}
    for recorder in config.describe_configuration_recorders()["ConfigurationRecorders"]:
        recorder["Recording"] = states.get(recorder["name"])
        recorder["Tags"] = account.about("config", "list_tags_for_resource", ResourceArn=recorder["arn"])["Tags"]
        account.add("recorder", recorder["name"], recorder, recorder["name"])
    for channel in config.describe_delivery_channels()["DeliveryChannels"]:
        account.add("delivery-channel", channel["name"], channel, channel["name"])
    for rule in account.all("config", "describe_config_rules", "ConfigRules"):
        rule["Tags"] = account.about("config", "list_tags_for_resource", ResourceArn=rule.pop("ConfigRuleArn"))["Tags"]
        rule.pop("ConfigRuleId")
        account.add("config-rule", rule["ConfigRuleName"], rule, rule["ConfigRuleName"])
