"""An independent inventory of an account: what boto3 sees of everything that the deployer manages.

    inventory.py ENDPOINT [--region REGION]         canonical JSON: two runs of the same deployment give the same text
    inventory.py ENDPOINT [--region REGION] --ids   plain ids, one per line, of all that exists
    inventory.py ENDPOINT --kinds                   the deployer's kinds: what shows them here, and how many there are

In the JSON, ids are replaced by names (from the tags DeployerStep and Name, or from what a thing belongs to), and what
differs between two equal deployments (times, random parts of addresses) is left out. Keys pending deletion and deleted
Transit Gateways count as gone; the default VPC's things are listed like all others.
"""

import argparse
import json
import re

import boto3
import botocore.config
import botocore.exceptions

# Differs between two equal deployments, or says nothing about the settings.
VOLATILE = set(
    """
    ResponseMetadata AssociationId RouteTableAssociationId NetworkAclAssociationId SecurityGroupRuleId
    NetworkInterfaceIds NetworkInterfaceId MacAddress PrivateIpAddress PrivateIpAddresses PrivateDnsName
    AvailableIpAddressCount HostedZoneId DbClusterResourceId DbiResourceId EnhancedMonitoringResourceArn RoleId
    LatestStreamLabel TableId
    TableSizeBytes ItemCount storedBytes creationTime VersionIdsToStages SecretVersionsToStages DnsEntries
    LatestRestorableTime EarliestRestorableTime EarliestRestorableDateTime LatestRestorableDateTime
    CreationDate CreateDate CreatedDate RoleLastUsed CreationTime CreationTimestamp CreationDateTime
    ClusterCreateTime InstanceCreateTime LastChangedDate LastAccessedDate LastRotatedDate NextRotationDate
    LastModified LastModifiedDate LastUpdatedDate StateUpdatedTimestamp StateTransitionedTimestamp
    SubscriptionCreationTime registeredAt createdAt updatedAt revision taskDefinitionArn LastModifiedDate LastModifiedUser Version AlarmARN PolicyARN
    CreatedTime lastEvaluatedAt ScalableTargetARN CallerReference NotBefore NotAfter CreatedAt IssuedAt Serial HealthCheckVersion
    AlarmConfigurationUpdatedTimestamp DBClusterSnapshotIdentifier SnapshotCreateTime IsClusterWriter
    CreatedTimestamp LastModifiedTimestamp LastModificationDate RestoreSummary
    """.split()
)
# Random parts inside strings.
RANDOM = [
    # The numbers of a family go on, also after a life that has ended.
    (re.compile(r"(task-definition/[a-z0-9-]+):\d+"), r"\1:*"),
    (re.compile(r"(rds:[a-z0-9-]+?)-\d{4}-\d\d-\d\d-\d\d-\d\d"), r"\1-*"),
    (re.compile(r"\b(cluster-(?:ro-)?)[a-z0-9]{12}\."), r"\1*."),
    (re.compile(r"/stream/[0-9T:.\-]+"), "/stream/*"),
    (re.compile(r"/[0-9a-f]{16}\b"), "/*"),
    (re.compile(r"rds!cluster-[0-9a-f-]{36}(-\w{6})?"), "rds!cluster-*"),
    (re.compile(r"(:secret:[a-z][a-z0-9-]*)-[A-Za-z0-9]{6}\b"), r"\1-*"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "*"),
    (re.compile(r"\b([a-z]+(?:-[a-z]+)*)-[0-9a-f]{17}\b"), r"\1-*"),
]


class Account:
    """Everything found: per type a list of (id, name, description)."""

    def __init__(self, endpoint, region):
        self._endpoint, self._region, self._clients = endpoint, region, {}
        self.found = {}
        self.names = {}

    def client(self, service):
        """A client for a service."""
        if service not in self._clients:
            config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 4})
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            self._clients[service] = boto3.client(
                service, endpoint_url=self._endpoint, region_name=self._region, config=config, **keys
            )
        return self._clients[service]

    def all(self, service, operation, key, **params):
        """All pages of a list."""
        client = self.client(service)
        if client.can_paginate(operation):
            return [item for page in client.get_paginator(operation).paginate(**params) for item in page.get(key, [])]
        return getattr(client, operation)(**params).get(key, [])

    def maybe(self, service, operation, **params):
        """An answer without its metadata; None where AWS says that there is none."""
        try:
            answer = getattr(self.client(service), operation)(**params)
        except botocore.exceptions.ClientError as problem:
            code = problem.response["Error"]["Code"]
            if code.startswith("NoSuch") or "NotFound" in code:
                return None
            raise
        answer.pop("ResponseMetadata", None)
        return answer

    def add(self, kind, identity, item, name=None):
        """Notes a thing under its id; its name comes from its tags unless given."""
        tags = (
            {tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagSet") or item.get("TagList") or []}
            if isinstance(item, dict)
            else {}
        )
        step = f"{tags.get('Environment', '')}/{tags['DeployerStep']}" if "DeployerStep" in tags else tags.get("Name")
        name = name or step or identity
        self.found.setdefault(kind, []).append((identity, name, item))
        self.names[identity] = f"<{kind} {name}>"
        return name


def ec2(account):
    """The network."""
    vpcs = account.all("ec2", "describe_vpcs", "Vpcs")
    for vpc in vpcs:
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            shown = account.maybe("ec2", "describe_vpc_attribute", VpcId=vpc["VpcId"], Attribute=attribute)
            vpc[attribute] = next(value["Value"] for key, value in shown.items() if key != "VpcId")
        account.add("vpc", vpc["VpcId"], vpc, "default" if vpc["IsDefault"] else None)
    of = lambda item: account.names.get(item.get("VpcId"), "")
    for subnet in account.all("ec2", "describe_subnets", "Subnets"):
        account.add(
            "subnet",
            subnet["SubnetId"],
            subnet,
            f"default-{subnet['AvailabilityZone']}" if subnet["DefaultForAz"] else None,
        )
    for gateway in account.all("ec2", "describe_internet_gateways", "InternetGateways"):
        account.add("internet-gateway", gateway["InternetGatewayId"], gateway)
    for acl in account.all("ec2", "describe_network_acls", "NetworkAcls"):
        account.add("network-acl", acl["NetworkAclId"], acl, f"default of {of(acl)}" if acl["IsDefault"] else None)
    for group in account.all("ec2", "describe_security_groups", "SecurityGroups"):
        group.pop("IpPermissions", None), group.pop("IpPermissionsEgress", None)
        name = group["GroupName"]
        account.add("security-group", group["GroupId"], group, f"{name} of {of(group)}")
    for rule in account.all("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        account.add("security-group-rule", rule["SecurityGroupRuleId"], rule)
    for endpoint in account.all("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        account.add("vpc-endpoint", endpoint["VpcEndpointId"], endpoint)
    for service in account.all("ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations"):
        name = service["ServiceId"]
        service["AllowedPrincipals"] = account.all(
            "ec2", "describe_vpc_endpoint_service_permissions", "AllowedPrincipals", ServiceId=name
        )
        account.add("endpoint-service", name, service)
    for interface in account.all("ec2", "describe_network_interfaces", "NetworkInterfaces"):
        account.add("network-interface", interface["NetworkInterfaceId"], interface)
    for flow_log in account.all("ec2", "describe_flow_logs", "FlowLogs"):
        account.add("flow-log", flow_log["FlowLogId"], flow_log)
    for gateway in account.all("ec2", "describe_nat_gateways", "NatGateways"):
        if gateway["State"] != "deleted":
            account.add("nat-gateway", gateway["NatGatewayId"], gateway)
    for address in account.all("ec2", "describe_addresses", "Addresses"):
        account.add("address", address["AllocationId"], address)
    transit_gateways(account)
    for table in account.all("ec2", "describe_route_tables", "RouteTables"):
        main = any(association.get("Main") for association in table["Associations"])
        account.add("route-table", table["RouteTableId"], table, f"main of {of(table)}" if main else None)


def transit_gateways(account):
    """Transit Gateways with everything in them."""
    for gateway in account.all("ec2", "describe_transit_gateways", "TransitGateways"):
        if gateway["State"] != "deleted":
            account.add("transit-gateway", gateway["TransitGatewayId"], gateway)
    for attachment in account.all("ec2", "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"):
        if attachment["State"] != "deleted":
            account.add("transit-gateway-attachment", attachment["TransitGatewayAttachmentId"], attachment)
    for table in account.all("ec2", "describe_transit_gateway_route_tables", "TransitGatewayRouteTables"):
        if table["State"] == "deleted":
            continue
        name = table["TransitGatewayRouteTableId"]
        table["Associations"] = account.all(
            "ec2", "get_transit_gateway_route_table_associations", "Associations", TransitGatewayRouteTableId=name
        )
        table["Propagations"] = account.all(
            "ec2",
            "get_transit_gateway_route_table_propagations",
            "TransitGatewayRouteTablePropagations",
            TransitGatewayRouteTableId=name,
        )
        every = [{"Name": "type", "Values": ["static", "propagated"]}]
        table["Routes"] = account.client("ec2").search_transit_gateway_routes(
            TransitGatewayRouteTableId=name, Filters=every
        )["Routes"]
        account.add("transit-gateway-route-table", name, table)


def rds(account):
    """Databases."""
    tags = lambda arn: account.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"]
    for group in account.all("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        group["Tags"] = tags(group["DBSubnetGroupArn"])
        account.add("db-subnet-group", group["DBSubnetGroupName"], group, group["DBSubnetGroupName"])
    for group in account.all("rds", "describe_db_cluster_parameter_groups", "DBClusterParameterGroups"):
        name = group["DBClusterParameterGroupName"]
        group["Tags"] = tags(group["DBClusterParameterGroupArn"])
        group["Parameters"] = account.all(
            "rds", "describe_db_cluster_parameters", "Parameters", DBClusterParameterGroupName=name, Source="user"
        )
        account.add("db-cluster-parameter-group", name, group, name)
    for group in account.all("rds", "describe_db_parameter_groups", "DBParameterGroups"):
        name = group["DBParameterGroupName"]
        if not name.startswith("default."):
            group["Tags"] = tags(group["DBParameterGroupArn"])
            group["Parameters"] = account.all(
                "rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name, Source="user"
            )
            account.add("db-parameter-group", name, group, name)
    for cluster in account.all("rds", "describe_db_clusters", "DBClusters"):
        account.add("db-cluster", cluster["DBClusterIdentifier"], cluster, cluster["DBClusterIdentifier"])
    for instance in account.all("rds", "describe_db_instances", "DBInstances"):
        account.add("db-instance", instance["DBInstanceIdentifier"], instance, instance["DBInstanceIdentifier"])
    for events in account.all("rds", "describe_event_subscriptions", "EventSubscriptionsList"):
        events["Tags"] = tags(events["EventSubscriptionArn"])
        account.add("event-subscription", events["CustSubscriptionId"], events, events["CustSubscriptionId"])
    for snapshot in account.all("rds", "describe_db_cluster_snapshots", "DBClusterSnapshots"):
        account.add(
            "db-cluster-snapshot",
            snapshot["DBClusterSnapshotIdentifier"],
            snapshot,
            f"of {snapshot['DBClusterIdentifier']}",
        )


BUCKET_SETTINGS = {
    "location": "get_bucket_location",
    "versioning": "get_bucket_versioning",
    "encryption": "get_bucket_encryption",
    "public access block": "get_public_access_block",
    "ownership": "get_bucket_ownership_controls",
    "policy": "get_bucket_policy",
    "logging": "get_bucket_logging",
    "lifecycle": "get_bucket_lifecycle_configuration",
    "tags": "get_bucket_tagging",
}


def s3(account):
    """Buckets with all their settings and how much is in them (not of those that access logs are delivered to: every
    look at another bucket adds to them). The bucket of a shared state belongs to no deployment."""
    names = [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]]
    tags = {name: (account.maybe("s3", "get_bucket_tagging", Bucket=name) or {}).get("TagSet", []) for name in names}
    names = [name for name in names if {"Key": "Purpose", "Value": "deployer-state"} not in tags[name]]
    logging = [account.maybe("s3", "get_bucket_logging", Bucket=name) or {} for name in names]
    targets = {one["LoggingEnabled"]["TargetBucket"] for one in logging if "LoggingEnabled" in one}
    for name in names:
        settings = {
            setting: account.maybe("s3", operation, Bucket=name) for setting, operation in BUCKET_SETTINGS.items()
        }
        if name not in targets:
            for count, key in (("versions", "Versions"), ("delete markers", "DeleteMarkers")):
                settings[count] = len(account.all("s3", "list_object_versions", key, Bucket=name))
        account.add("bucket", name, settings, name)


def dynamodb(account):
    """Tables."""
    for name in account.all("dynamodb", "list_tables", "TableNames"):
        table = account.client("dynamodb").describe_table(TableName=name)["Table"]
        table["TimeToLive"] = account.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        table["Backups"] = account.client("dynamodb").describe_continuous_backups(TableName=name)[
            "ContinuousBackupsDescription"
        ]
        table["Tags"] = account.all("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=table["TableArn"])
        account.add("table", name, table, name)


def kms(account):
    """Keys that are ours and not pending deletion, with their aliases."""
    aliases = {}
    for alias in account.all("kms", "list_aliases", "Aliases"):
        if alias.get("TargetKeyId"):
            aliases.setdefault(alias["TargetKeyId"], []).append(alias["AliasName"])
    for entry in account.all("kms", "list_keys", "Keys"):
        name = entry["KeyId"]
        key = account.client("kms").describe_key(KeyId=name)["KeyMetadata"]
        own = aliases.get(name, [])
        if (
            key["KeyState"] == "PendingDeletion"
            or key["KeyManager"] == "AWS"
            or any(alias.startswith("alias/aws/") for alias in own)
        ):
            for alias in own:
                if not alias.startswith("alias/aws/"):
                    account.add("alias", alias, {"of": "a key pending deletion"}, alias)
            continue
        key["Aliases"] = sorted(own)
        key["Policy"] = account.client("kms").get_key_policy(KeyId=name, PolicyName="default")["Policy"]
        key["Rotation"] = account.maybe("kms", "get_key_rotation_status", KeyId=name)
        key["Tags"] = [
            {"Key": tag["TagKey"], "Value": tag["TagValue"]}
            for tag in account.client("kms").list_resource_tags(KeyId=name)["Tags"]
        ]
        account.add("key", name, key, ",".join(sorted(own)) or None)


def iam(account):
    """Roles and policies of the account."""
    for role in account.all("iam", "list_roles", "Roles"):
        name = role["RoleName"]
        names = account.all("iam", "list_role_policies", "PolicyNames", RoleName=name)
        role["Inline"] = {
            policy: account.client("iam").get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in names
        }
        role["Attached"] = account.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        role["Tags"] = account.all("iam", "list_role_tags", "Tags", RoleName=name)
        account.add("role", name, role, name)
    for policy in account.all("iam", "list_policies", "Policies", Scope="Local"):
        account.add("policy", policy["Arn"], policy, policy["PolicyName"])


def load_balancers(account):
    """Load balancers with listeners and rules, target groups."""
    tags = lambda arn: account.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    pairs = lambda answer: {item["Key"]: item["Value"] for item in answer["Attributes"]}
    elb = account.client("elbv2")
    for balancer in account.all("elbv2", "describe_load_balancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        balancer["Attributes"] = pairs(elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
        balancer["Tags"] = tags(arn)
        account.add("load-balancer", arn, balancer, balancer["LoadBalancerName"])
        for listener in account.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn):
            name = listener["ListenerArn"]
            listener["Attributes"] = pairs(elb.describe_listener_attributes(ListenerArn=name))
            listener["AllCertificates"] = elb.describe_listener_certificates(ListenerArn=name)["Certificates"]
            listener["Tags"] = tags(name)
            account.add("listener", name, listener)
            for rule in account.all("elbv2", "describe_rules", "Rules", ListenerArn=name):
                if not rule["IsDefault"]:
                    rule["Tags"] = tags(rule["RuleArn"])
                    account.add("listener-rule", rule["RuleArn"], rule)
    # Addresses are random: whose they are is not.
    addresses = {
        one["PrivateIpAddress"]: f"address of {one['Description']} in {one['SubnetId']}"
        for one in account.all("ec2", "describe_network_interfaces", "NetworkInterfaces")
    }
    for group in account.all("elbv2", "describe_target_groups", "TargetGroups"):
        arn = group["TargetGroupArn"]
        group["Attributes"] = pairs(elb.describe_target_group_attributes(TargetGroupArn=arn))
        group["Targets"] = [
            addresses.get(one["Target"]["Id"], one["Target"]["Id"])
            for one in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        ]
        group["Tags"] = tags(arn)
        account.add("target-group", arn, group, group["TargetGroupName"])


def names(account):
    """Certificates, health checks, zones with their records."""
    for summary in account.all("acm", "list_certificates", "CertificateSummaryList"):
        arn = summary["CertificateArn"]
        certificate = account.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        certificate["Tags"] = account.client("acm").list_tags_for_certificate(CertificateArn=arn)["Tags"]
        account.add("certificate", arn, certificate)
    dns = account.client("route53")
    for check in account.all("route53", "list_health_checks", "HealthChecks"):
        name = check["Id"]
        tags = dns.list_tags_for_resource(ResourceType="healthcheck", ResourceId=name)
        check["Tags"] = tags["ResourceTagSet"]["Tags"]
        account.add("health-check", name, check)
    for zone in account.all("route53", "list_hosted_zones", "HostedZones"):
        zone.pop("ResourceRecordSetCount")
        account.add("zone", zone["Id"], zone, zone["Name"])
        for record in account.all("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]):
            name = " ".join([record["Name"], record["Type"], record.get("SetIdentifier", "")]).strip()
            account.add("record", name, record, name)


def firewalls(account):
    """Web ACLs with what they guard and their logs, address sets."""
    waf = account.client("wafv2")
    tags = lambda arn: waf.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"]
    for summary in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]:
        found = waf.get_ip_set(Name=summary["Name"], Scope="REGIONAL", Id=summary["Id"])["IPSet"]
        account.add("ip-set", summary["ARN"], found | {"Tags": tags(summary["ARN"])}, summary["Name"])
    for summary in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]:
        arn = summary["ARN"]
        acl = waf.get_web_acl(Name=summary["Name"], Scope="REGIONAL", Id=summary["Id"])["WebACL"]
        acl["Guards"] = waf.list_resources_for_web_acl(WebACLArn=arn)["ResourceArns"]
        try:
            acl["Logging"] = waf.get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
        except waf.exceptions.WAFNonexistentItemException:
            acl["Logging"] = None
        account.add("web-acl", arn, acl | {"Tags": tags(arn)}, summary["Name"])


def others(account):
    """Log groups, secrets, schedules, rules of events, topics, queues, parameters, alarms and dashboards."""
    for group in account.all("logs", "describe_log_groups", "logGroups"):
        arn = group["arn"].removesuffix(":*")
        group["tags"] = account.client("logs").list_tags_for_resource(resourceArn=arn).get("tags", {})
        account.add("log-group", group["logGroupName"], group, group["logGroupName"])
    for secret in account.all("secretsmanager", "list_secrets", "SecretList"):
        shown = account.maybe("secretsmanager", "describe_secret", SecretId=secret["ARN"]) or secret
        owner = next(
            (tag["Value"] for tag in shown.get("Tags") or [] if tag["Key"] == "aws:rds:primaryDBClusterArn"), None
        )
        policy = account.client("secretsmanager").get_resource_policy(SecretId=secret["ARN"]).get("ResourcePolicy")
        account.add("secret", secret["Name"], shown | {"Policy": policy}, f"of {owner}" if owner else secret["Name"])
    for group in account.all("scheduler", "list_schedule_groups", "ScheduleGroups"):
        if group["Name"] != "default":
            tags = account.client("scheduler").list_tags_for_resource(ResourceArn=group["Arn"])["Tags"]
            account.add("schedule-group", group["Name"], group | {"Tags": tags}, group["Name"])
        for schedule in account.all("scheduler", "list_schedules", "Schedules", GroupName=group["Name"]):
            place = {"GroupName": group["Name"], "Name": schedule["Name"]}
            shown = account.maybe("scheduler", "get_schedule", **place)
            account.add("schedule", f"{group['Name']}/{schedule['Name']}", shown, schedule["Name"])
    for rule in account.all("events", "list_rules", "Rules"):
        targets = account.all("events", "list_targets_by_rule", "Targets", Rule=rule["Name"])
        tags = account.client("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        account.add("event-rule", rule["Name"], rule | {"Targets": targets, "Tags": tags}, rule["Name"])
    for topic in account.all("sns", "list_topics", "Topics"):
        arn = topic["TopicArn"]
        topic["Attributes"] = account.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        topic["Subscriptions"] = account.all("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn)
        topic["Tags"] = account.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
        account.add("topic", arn, topic, arn.split(":")[-1])
    for url in account.all("sqs", "list_queues", "QueueUrls"):
        name = url.rsplit("/", 1)[-1]
        queue = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        queue["Tags"] = listed_tags(account.client("sqs").list_queue_tags(QueueUrl=url).get("Tags"))
        account.add("queue", name, queue, name)
    for parameter in account.all("ssm", "describe_parameters", "Parameters"):
        name = parameter["Name"]
        shown = account.client("ssm").get_parameter(Name=name)["Parameter"]
        tags = account.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        account.add("parameter", name, parameter | {"Value": shown["Value"], "Tags": tags}, name)
    watch = account.client("cloudwatch")
    for key, kind in (("MetricAlarms", "MetricAlarm"), ("CompositeAlarms", "CompositeAlarm")):
        for alarm in account.all("cloudwatch", "describe_alarms", key, AlarmTypes=[kind]):
            alarm["Tags"] = watch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            account.add("alarm" if kind == "MetricAlarm" else "composite-alarm", alarm["AlarmName"], alarm, alarm["AlarmName"])
    for board in account.all("cloudwatch", "list_dashboards", "DashboardEntries"):
        name = board["DashboardName"]
        body = watch.get_dashboard(DashboardName=name)["DashboardBody"]
        account.add("dashboard", name, {"Name": name, "Body": json.loads(body)}, name)


def compute(account):
    """Repositories, clusters with their services, task definitions, scaling."""
    for repository in account.all("ecr", "describe_repositories", "repositories"):
        name = repository["repositoryName"]
        tags = account.client("ecr").list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
        repository["Tags"] = tags
        repository["Lifecycle"] = account.maybe("ecr", "get_lifecycle_policy", repositoryName=name)
        repository["Policy"] = account.maybe("ecr", "get_repository_policy", repositoryName=name)
        account.add("repository", name, repository, name)
    ecs = account.client("ecs")
    for arn in account.all("ecs", "list_clusters", "clusterArns"):
        cluster = ecs.describe_clusters(clusters=[arn], include=["TAGS", "SETTINGS"])["clusters"][0]
        for counted in ("runningTasksCount", "pendingTasksCount"):
            cluster.pop(counted, None)
        account.add("cluster", arn, cluster, cluster["clusterName"])
        for name in account.all("ecs", "list_services", "serviceArns", cluster=arn):
            service = ecs.describe_services(cluster=arn, services=[name], include=["TAGS"])["services"][0]
            service["deployments"] = [
                {key: one.get(key) for key in ("status", "taskDefinition", "rolloutState", "runningCount")}
                for one in service["deployments"]
            ]
            service.pop("events", None)
            account.add("service", name, service, service["serviceName"])
    for status in ("ACTIVE", "INACTIVE"):
        for arn in account.all("ecs", "list_task_definitions", "taskDefinitionArns", status=status):
            shown = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
            tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in shown.get("tags") or []]
            definition = shown["taskDefinition"] | {"Tags": tags}
            account.add("task-definition", arn, definition, definition["family"])
    for target in account.all(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"
    ):
        target["Policies"] = account.all(
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
    client = account.client("lambda")
    for listed in account.all("lambda", "list_functions", "Functions"):
        name = listed["FunctionName"]
        shown = client.get_function(FunctionName=name)
        function = shown["Configuration"] | {"Concurrency": shown.get("Concurrency"), "Tags": listed_tags(shown.get("Tags"))}
        function["Policy"] = account.maybe("lambda", "get_policy", FunctionName=name)
        function.pop("RevisionId", None)
        account.add("function", name, function, name)
    for mapping in account.all("lambda", "list_event_source_mappings", "EventSourceMappings"):
        arn = mapping.get("EventSourceMappingArn")
        mapping["Tags"] = listed_tags(client.list_tags(Resource=arn)["Tags"] if arn else {})
        function = mapping["FunctionArn"].rsplit(":", 1)[-1]
        account.add("stream-mapping", mapping["UUID"], mapping, function)


def compliance(account):
    """AWS Config: recorder, delivery channel, rules."""
    config = account.client("config")
    states = {one["name"]: one["recording"] for one in config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]}
    for recorder in config.describe_configuration_recorders()["ConfigurationRecorders"]:
        recorder["Recording"] = states.get(recorder["name"])
        recorder["Tags"] = config.list_tags_for_resource(ResourceArn=recorder["arn"])["Tags"]
        account.add("recorder", recorder["name"], recorder, recorder["name"])
    for channel in config.describe_delivery_channels()["DeliveryChannels"]:
        account.add("delivery-channel", channel["name"], channel, channel["name"])
    for rule in account.all("config", "describe_config_rules", "ConfigRules"):
        rule["Tags"] = config.list_tags_for_resource(ResourceArn=rule.pop("ConfigRuleArn"))["Tags"]
        rule.pop("ConfigRuleId")
        account.add("config-rule", rule["ConfigRuleName"], rule, rule["ConfigRuleName"])


SECTIONS = (ec2, names, load_balancers, firewalls, rds, s3, dynamodb, kms, iam, others, compute, functions, compliance)

# The deployer's kinds of resources, and the kind here that shows one or has it inside. A kind without a row fails a test:
# an account with leftovers of it would pass for empty.
KINDS = {
    "autoscaling/scaling": "scaling",
    "acm/certificate": "certificate",
    "acm/validation": "record",
    "cloudwatch/alarm": "alarm",
    "cloudwatch/composite_alarm": "composite-alarm",
    "cloudwatch/dashboard": "dashboard",
    "config/channel": "delivery-channel",
    "config/recorder": "recorder",
    "config/recording": "recorder",
    "config/rule": "config-rule",
    "dynamodb/table": "table",
    "ec2/default_network_acl": "network-acl",
    "ec2/default_security_group": "security-group",
    "ec2/endpoint_service": "endpoint-service",
    "ec2/flow_log": "flow-log",
    "ec2/gateway_endpoint": "vpc-endpoint",
    "ec2/interface_endpoint": "vpc-endpoint",
    "ec2/internet_gateway": "internet-gateway",
    "ec2/internet_gateway_attachment": "internet-gateway",
    "ec2/main_route_table": "route-table",
    "ec2/network_acl": "network-acl",
    "ec2/network_acl_entries": "network-acl",
    "ec2/network_acl_subnets": "network-acl",
    "ec2/route_table": "route-table",
    "ec2/route_table_subnets": "route-table",
    "ec2/routes": "route-table",
    "ec2/security_group": "security-group",
    "ec2/security_group_rules": "security-group-rule",
    "ec2/subnet": "subnet",
    "ec2/transit_gateway": "transit-gateway",
    "ec2/transit_gateway_association": "transit-gateway-route-table",
    "ec2/transit_gateway_attachment": "transit-gateway-attachment",
    "ec2/transit_gateway_propagations": "transit-gateway-route-table",
    "ec2/transit_gateway_route_table": "transit-gateway-route-table",
    "ec2/transit_gateway_routes": "transit-gateway-route-table",
    "ec2/vpc": "vpc",
    "ecr/repository": "repository",
    "ecs/cluster": "cluster",
    "ecs/service": "service",
    "ecs/task_definition": "task-definition",
    "elbv2/listener": "listener",
    "elbv2/load_balancer": "load-balancer",
    "elbv2/rule": "listener-rule",
    "elbv2/target_group": "target-group",
    "elbv2/targets": "target-group",
    "events/rule": "event-rule",
    "iam/role": "role",
    "kms/alias": "key",
    "lambda/function": "function",
    "lambda/stream_mapping": "stream-mapping",
    "kms/key": "key",
    "logs/log_group": "log-group",
    "rds/cluster": "db-cluster",
    "rds/cluster_parameter_group": "db-cluster-parameter-group",
    "rds/cluster_snapshot": "db-cluster-snapshot",
    "rds/event_subscription": "event-subscription",
    "rds/instance": "db-instance",
    "rds/parameter_group": "db-parameter-group",
    "rds/subnet_group": "db-subnet-group",
    "route53/health_check": "health-check",
    "route53/record": "record",
    "route53/text": "record",
    "route53/zone": "zone",
    "s3/bucket": "bucket",
    "scheduler/group": "schedule-group",
    "scheduler/schedule": "schedule",
    "secretsmanager/rotation": "secret",
    "secretsmanager/secret": "secret",
    "sns/topic": "topic",
    "ssm/parameter": "parameter",
    "sqs/queue": "queue",
    "wafv2/association": "web-acl",
    "wafv2/ip_set": "ip-set",
    "wafv2/logging": "web-acl",
    "wafv2/web_acl": "web-acl",
}


def canonical(value, names):
    """A value with names for ids, without what is volatile, sorted."""
    if isinstance(value, dict):
        return {
            key: canonical(item, names)
            for key, item in sorted(value.items())
            if key not in VOLATILE and item is not None
        }
    if isinstance(value, (list, tuple)):
        return sorted(
            (canonical(item, names) for item in value), key=lambda item: json.dumps(item, sort_keys=True, default=str)
        )
    if isinstance(value, str):
        if value.startswith("{"):
            try:
                return canonical(json.loads(value), names)
            except ValueError:
                pass
        return anonymous(value, names)
    return value if isinstance(value, (int, float, bool)) else str(value)


ID = re.compile(r"[a-z]+(?:-[a-z]+)*-[0-9a-f]{17}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def anonymous(text, names):
    """A string with names for the ids in it."""
    text = ID.sub(lambda found: names.get(found[0], found[0]), text)
    for pattern, replacement in RANDOM:
        text = pattern.sub(replacement, text)
    return text


def main():
    """Prints the inventory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--kinds", action="store_true")
    arguments = parser.parse_args()
    account = collected(Account(arguments.endpoint, arguments.region))
    if arguments.kinds:
        print(json.dumps({kind: [shown, len(account.found.get(shown, []))] for kind, shown in KINDS.items()}))
    else:
        print(ids(account) if arguments.ids else text(account))


def collected(account):
    """The account with everything found."""
    for section in SECTIONS:
        section(account)
    return account


def ids(account):
    """Plain ids, one per line."""
    return "\n".join(sorted(f"{kind} {identity}" for kind, items in account.found.items() for identity, _, _ in items))


def text(account):
    """Canonical JSON. Things without a name of their own (rules, interfaces) are named by what they are."""
    listed = {
        kind: canonical(
            [item | {"name": name if name != identity else ""} for identity, name, item in items], account.names
        )
        for kind, items in account.found.items()
    }
    return json.dumps(listed, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
