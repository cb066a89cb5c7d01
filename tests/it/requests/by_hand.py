import io
import zipfile

ec2, kms, iam, s3, dynamodb, rds = map(c, "ec2 kms iam s3 dynamodb rds".split())
def one(call, name, **more):
    wish = [{"Name": "tag:Name", "Values": [name]}]
    return next(v for v in getattr(ec2, call)(Filters=wish).values() if isinstance(v, list))[0]
def id(call, key, name): return one(call, name)[key]
vpc = id("describe_vpcs", "VpcId", "vpc-green-dev")
ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
ec2.modify_subnet_attribute(SubnetId=id("describe_subnets", "SubnetId", "subnet-app-a-green-dev"), MapPublicIpOnLaunch={"Value": True})
ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Stray", "Value": "x"}])
table = id("describe_route_tables", "RouteTableId", "rtb-app-green-dev")
ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.10.64.0/18")
ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.10.128.0/18", GatewayId=id("describe_internet_gateways", "InternetGatewayId", "igw-green-dev"))
acl = id("describe_network_acls", "NetworkAclId", "acl-db-green-dev")
ec2.replace_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False, Protocol="-1", CidrBlock="0.0.0.0/0", RuleAction="allow")
ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=5, Egress=True, Protocol="-1", CidrBlock="0.0.0.0/0", RuleAction="allow")
group = id("describe_security_groups", "GroupId", "security-group-alb-green-dev")
rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
rule = [r for r in rules if r.get("CidrIpv4") and r["FromPort"] == 443][0]
ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "0.0.0.0/0", "Description": "hm"}}])
attachment = id("describe_transit_gateway_vpc_attachments", "TransitGatewayAttachmentId", "tgw-attach-green-dev")
ec2.modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment, Options={"ApplianceModeSupport": "enable"})
ec2.modify_transit_gateway(TransitGatewayId=id("describe_transit_gateways", "TransitGatewayId", "tgw-shared-dev"), Description="x", Options={"DnsSupport": "disable"})
ec2.modify_vpc_endpoint(VpcEndpointId=id("describe_vpc_endpoints", "VpcEndpointId", "vpce-kms-green-dev"), PrivateDnsEnabled=False, ResetPolicy=True)
ec2.modify_vpc_endpoint(VpcEndpointId=id("describe_vpc_endpoints", "VpcEndpointId", "vpce-s3-green-dev"), RemoveRouteTableIds=[table])
key = kms.describe_key(KeyId="alias/data-green-dev")["KeyMetadata"]["KeyId"]
kms.update_key_description(KeyId=key, Description="x")
kms.disable_key_rotation(KeyId=key)
iam.update_role(RoleName="role-flow-logs-green-dev", Description="x", MaxSessionDuration=7200)
iam.tag_role(RoleName="role-flow-logs-green-dev", Tags=[{"Key": "Stray", "Value": "x"}])
bucket = "transaction-logs-green-dev"
s3.delete_bucket_lifecycle(Bucket=bucket)
s3.delete_bucket_policy(Bucket=bucket)
s3.delete_public_access_block(Bucket=bucket)
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{"ID": "theirs", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})
to = {"S3BucketDestination": {"Bucket": "arn:aws:s3:::theirs", "Format": "CSV"}}
s3.put_bucket_inventory_configuration(Bucket=bucket, Id="theirs", InventoryConfiguration={"Id": "theirs", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"}, "Destination": to})
s3.put_bucket_analytics_configuration(Bucket=bucket, Id="theirs", AnalyticsConfiguration={"Id": "theirs", "StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": to}}})
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
for n in range(3): s3.put_object(Bucket=bucket, Key=f"a/{n} &<ü>", Body=b"<x/>")
s3.create_multipart_upload(Bucket=bucket, Key="unfinished")
dynamodb.update_continuous_backups(TableName="sessions-green-dev", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})
dynamodb.update_table(TableName="sessions-green-dev", DeletionProtectionEnabled=True)
elb, acm, dns, waf = map(c, "elbv2 acm route53 wafv2".split())
extra = [{"Key": "Extra2", "Value": "x"}]
balancer = elb.describe_load_balancers(Names=["alb-green-dev"])["LoadBalancers"][0]
arn = balancer["LoadBalancerArn"]
elb.set_subnets(LoadBalancerArn=arn, Subnets=[z["SubnetId"] for z in balancer["AvailabilityZones"]][:2])
elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group, id("describe_security_groups", "GroupId", "security-group-database-green-dev")])
elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=81, DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])
listeners = {l["Port"]: l["ListenerArn"] for l in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
elb.modify_listener(ListenerArn=listeners[443], SslPolicy="ELBSecurityPolicy-2016-08")
theirs = acm.request_certificate(DomainName="theirs.sandbox.example", ValidationMethod="DNS")["CertificateArn"]
elb.add_listener_certificates(ListenerArn=listeners[443], Certificates=[{"CertificateArn": theirs}])
rules = {r["Priority"]: r["RuleArn"] for r in elb.describe_rules(ListenerArn=listeners[443])["Rules"]}
elb.modify_rule(RuleArn=rules["100"], Conditions=[{"Field": "path-pattern", "Values": ["/x"]}])
elb.set_rule_priorities(RulePriorities=[{"RuleArn": rules["6"], "Priority": 7}])
elb.create_rule(ListenerArn=listeners[443], Priority=50, Conditions=[{"Field": "path-pattern", "Values": ["/y"]}], Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])
target = [g["TargetGroupArn"] for g in elb.describe_target_groups()["TargetGroups"] if g["TargetGroupName"].startswith("pay-green")][0]
elb.modify_target_group(TargetGroupArn=target, HealthCheckPath="/x")
elb.add_tags(ResourceArns=[target, rules["100"]], Tags=extra)
certificate = [s["CertificateArn"] for s in acm.list_certificates()["CertificateSummaryList"] if s["DomainName"].startswith("dev.")][0]
acm.add_tags_to_certificate(CertificateArn=certificate, Tags=extra)
check = [h["Id"] for h in dns.list_health_checks()["HealthChecks"] if h["CallerReference"].startswith("health-endpoint-green.")][0]
dns.update_health_check(HealthCheckId=check, ResourcePath="/x")
zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]
record = [r for r in dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] if r.get("SetIdentifier") == "record-green-dev.eu-central-1"][0]
dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {k: v for k, v in record.items() if k != "HealthCheckId"}}]})
found = {s["Name"]: s for s in waf.list_web_acls(Scope="REGIONAL")["WebACLs"] + waf.list_ip_sets(Scope="REGIONAL")["IPSets"]}
acl, bridge = found["waf-green-dev"], found["waf-bridge-green-dev"]
wanted = waf.get_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"])
waf.update_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"], LockToken=wanted["LockToken"], DefaultAction={"Block": {}}, Description="theirs", Rules=wanted["WebACL"]["Rules"][1:], VisibilityConfig=wanted["WebACL"]["VisibilityConfig"])
token = waf.get_ip_set(Name=bridge["Name"], Scope="REGIONAL", Id=bridge["Id"])["LockToken"]
waf.update_ip_set(Name=bridge["Name"], Scope="REGIONAL", Id=bridge["Id"], LockToken=token, Addresses=[])
waf.tag_resource(ResourceARN=acl["ARN"], Tags=extra)
network = elb.describe_load_balancers(Names=["nlb-bridge-green-dev"])["LoadBalancers"][0]
elb.set_security_groups(LoadBalancerArn=network["LoadBalancerArn"], SecurityGroups=network["SecurityGroups"], EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="on")
elb.modify_load_balancer_attributes(LoadBalancerArn=network["LoadBalancerArn"], Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}])
entrance = elb.describe_listeners(LoadBalancerArn=network["LoadBalancerArn"])["Listeners"][0]
elb.modify_listener(ListenerArn=entrance["ListenerArn"], Port=444)
bridge = [g["TargetGroupArn"] for g in elb.describe_target_groups()["TargetGroups"] if g["TargetGroupName"].startswith("bridge-green")][0]
there = [{"Id": t["Target"]["Id"]} for t in elb.describe_target_health(TargetGroupArn=bridge)["TargetHealthDescriptions"]]
elb.deregister_targets(TargetGroupArn=bridge, Targets=there[:1])
elb.register_targets(TargetGroupArn=bridge, Targets=[{"Id": "10.20.64.250"}])
elb.modify_rule(RuleArn=rules["10"], Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}])
service = one("describe_vpc_endpoint_service_configurations", "endpoint-service-green-dev")["ServiceId"]
ec2.modify_vpc_endpoint_service_configuration(ServiceId=service, AcceptanceRequired=True)
ec2.modify_vpc_endpoint_service_permissions(ServiceId=service, AddAllowedPrincipals=["arn:aws:iam::999999999999:root"], RemoveAllowedPrincipals=["arn:aws:iam::123456789012:root"])
ec2.create_tags(Resources=[service], Tags=[{"Key": "Stray", "Value": "x"}])
guard = [h["Id"] for h in dns.list_health_checks()["HealthChecks"] if h["CallerReference"].startswith("health-errors-pay-green.")][0]
dns.update_health_check(HealthCheckId=guard, InsufficientDataHealthStatus="Healthy")
sns = c("sns")
topic = "arn:aws:sns:eu-central-1:123456789012:alerts-green-dev"
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-central-1:123456789012:theirs")
sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")
sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "Mine", "Value": "x"}])
sns.set_topic_attributes(TopicArn=topic, AttributeName="TracingConfig", AttributeValue="Active")
confirmed = sns.confirm_subscription(TopicArn=topic, Token="ops@example.com")["SubscriptionArn"]
for name, value in (("FilterPolicy", {"never": ["x"]}), ("RedrivePolicy", {"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:theirs"})):
    sns.set_subscription_attributes(SubscriptionArn=confirmed, AttributeName=name, AttributeValue=json.dumps(value))
ssm, ecr, ecs, scaling = map(c, "ssm ecr ecs application-autoscaling".split())
ssm.put_parameter(Name="/payment-processing/green-dev/reporting/DATABASE_NAME", Value="other", Overwrite=True)
ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/payment-processing/green-dev/reporting/DATABASE_NAME", Tags=[{"Key": "Mine", "Value": "x"}])
ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId="/payment-processing/green-dev/reporting/DATABASE_NAME", TagKeys=["CostCenter"])
repository = "repository-reporting-shared-dev"
ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="MUTABLE")
ecr.put_image_scanning_configuration(repositoryName=repository, imageScanningConfiguration={"scanOnPush": False})
ecr.set_repository_policy(repositoryName=repository, policyText=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}))
arn = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryArn"]
ecr.tag_resource(resourceArn=arn, tags=[{"Key": "Mine", "Value": "x"}])
ecr.untag_resource(resourceArn=arn, tagKeys=["CostCenter"])
ecs.update_cluster(cluster="cluster-green-dev", settings=[{"name": "containerInsights", "value": "disabled"}])
arn = ecs.describe_clusters(clusters=["cluster-green-dev"])["clusters"][0]["clusterArn"]
ecs.tag_resource(resourceArn=arn, tags=[{"key": "Mine", "value": "x"}])
ecs.untag_resource(resourceArn=arn, tagKeys=["CostCenter"])
scaling.put_scaling_policy(ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId="service/cluster-green-dev/service-reporting-green-dev", PolicyName="mine", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={"TargetValue": 5.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}})
of = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/cluster-green-dev/service-reporting-green-dev"}
scaling.put_scheduled_action(**of, ScheduledActionName="theirs", Schedule="rate(1 day)", ScalableTargetAction={"MaxCapacity": 1})
scaling.register_scalable_target(**of, SuspendedState={"ScheduledScalingSuspended": True})
ecs.put_cluster_capacity_providers(cluster="cluster-green-dev", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[])
c("logs").put_metric_filter(logGroupName="flow-logs-green-dev", filterName="theirs", filterPattern="", metricTransformations=[{"metricName": "theirs", "metricNamespace": "theirs", "metricValue": "1"}])
c("kinesis").create_stream(StreamName="theirs", ShardCount=1)
dynamodb.enable_kinesis_streaming_destination(TableName="rate-limits-green-dev", StreamArn="arn:aws:kinesis:eu-central-1:123456789012:stream/theirs")
elb.register_targets(TargetGroupArn=target, Targets=[{"Id": "10.20.64.251"}])
rds.modify_event_subscription(SubscriptionName="database-events-green-dev", EventCategories=["failover"])
rds.add_source_identifier_to_subscription(SubscriptionName="database-events-green-dev", SourceIdentifier="aurora-blue-dev")
rds.remove_source_identifier_from_subscription(SubscriptionName="database-events-green-dev", SourceIdentifier="aurora-green-dev")
c("events").put_targets(Rule="failed-deployments-green-dev", Targets=[{"Id": "theirs", "Arn": "arn:aws:sqs:eu-central-1:123456789012:theirs"}])
c("events").tag_resource(ResourceARN=c("events").describe_rule(Name="failed-deployments-green-dev")["Arn"], Tags=[{"Key": "Mine", "Value": "x"}])
watch = c("cloudwatch")
watch.set_alarm_state(AlarmName="alarm-latency-reporting-green-dev", StateValue="ALARM", StateReason="by hand")
watch.disable_alarm_actions(AlarmNames=["alarm-latency-reporting-green-dev", "alarm-any-green-dev"])
watch.tag_resource(ResourceARN=watch.describe_alarms(AlarmNames=["alarm-latency-reporting-green-dev"])["MetricAlarms"][0]["AlarmArn"], Tags=[{"Key": "Mine", "Value": "x"}])
body = json.loads(watch.get_dashboard(DashboardName="dashboard-traffic-green-dev")["DashboardBody"])
body["widgets"] = body["widgets"][1:]
watch.put_dashboard(DashboardName="dashboard-traffic-green-dev", DashboardBody=json.dumps(body))
functions = c("lambda")
for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
    functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=7, BisectBatchOnFunctionError=False)
    functions.tag_resource(Resource=mapping["EventSourceMappingArn"], Tags={"Mine": "x"})
if functions.list_functions()["Functions"]:
    functions.update_function_configuration(FunctionName="function-sync-green-dev", MemorySize=256, Timeout=3)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("verify.js", "exports.handler = async () => ({})")
    functions.update_function_code(FunctionName="function-verify-green-dev", ZipFile=packed.getvalue())
    functions.put_function_concurrency(FunctionName="function-sync-green-dev", ReservedConcurrentExecutions=5)
    functions.add_permission(FunctionName="function-sync-green-dev", StatementId="mine", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceAccount="999999999999")
    functions.create_function_url_config(FunctionName="function-sync-green-dev", AuthType="NONE")
    functions.put_function_event_invoke_config(FunctionName="function-sync-green-dev", MaximumRetryAttempts=0)
    functions.tag_resource(Resource=functions.get_function(FunctionName="function-sync-green-dev")["Configuration"]["FunctionArn"], Tags={"Mine": "x"})
sqs = c("sqs")
queue = sqs.get_queue_url(QueueName="failed-sync-green-dev")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "", "VisibilityTimeout": "10", "DelaySeconds": "9"})
sqs.tag_queue(QueueUrl=queue, Tags={"Mine": "x"})
scheduler = c("scheduler")
group = "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/migration-green-dev"
scheduler.tag_resource(ResourceArn=group, Tags=[{"Key": "CostCenter", "Value": "mine"}])
scheduler.tag_resource(ResourceArn=group, Tags=[{"Key": "Mine", "Value": "x"}])
place = {"GroupName": "migration-green-dev", "Name": "schedule-sync-green-dev"}
found = scheduler.get_schedule(**place)
scheduler.update_schedule(**place, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=found["Target"], State="ENABLED")
secrets = c("secretsmanager")
secrets.update_secret(SecretId="hash-key-green-dev", Description="Mine")
secrets.tag_resource(SecretId="hash-key-green-dev", Tags=[{"Key": "CostCenter", "Value": "mine"}, {"Key": "Mine", "Value": "x"}])
config = c("config")
recorder = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
config.put_configuration_recorder(ConfigurationRecorder={"name": "recorder-shared-dev", "roleARN": recorder["roleARN"], "recordingGroup": {"allSupported": True}})
config.put_delivery_channel(DeliveryChannel={"name": "channel-shared-dev", "s3BucketName": "config-shared-dev"})
config.stop_configuration_recorder(ConfigurationRecorderName="recorder-shared-dev")
rule = config.describe_config_rules(ConfigRuleNames=["rule-sns-encrypted-kms-shared-dev"])["ConfigRules"][0]
config.put_config_rule(ConfigRule={"ConfigRuleName": rule["ConfigRuleName"], "Source": rule["Source"]})
config.tag_resource(ResourceArn=rule["ConfigRuleArn"], Tags=[{"Key": "Mine", "Value": "x"}])
