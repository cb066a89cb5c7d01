//! An element too much in sets that a deployment owns, besides those that the other files have.

use super::{Mutation, by_hand, changed, extra};

/// Deletes what scripts made for themselves, once nothing of the deployment uses it any more; and what is reported only.
pub const GONE: &str = r#"acm.delete_certificate(CertificateArn="<made.certificate>")
ec2.delete_dhcp_options(DhcpOptionsId="<made.dhcp>")
iam.delete_role(RoleName="AWSServiceRoleForDynamoDBKinesisDataStreamsReplication")
ec2.detach_vpn_gateway(VpcId="<vpc-blue>", VpnGatewayId="<made.vpn>")
ec2.delete_vpn_gateway(VpnGatewayId="<made.vpn>")
ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId="<made.egress>")
kms.delete_alias(AliasName="alias/theirs-green-dev")
scheduler.delete_schedule(GroupName="<migration-green.name>", Name="schedule-theirs-green-dev")
functions.delete_event_source_mapping(UUID="<made.mapping>")
functions.delete_event_source_mapping(UUID="<made.reader>")
functions.delete_event_source_mapping(UUID="<made.taker>")
functions.delete_function(FunctionName="theirs")"#;

pub const ALL: &[Mutation] = &[
    by_hand(
        "elbv2/listener",
        r#"made["certificate"] = acm.request_certificate(DomainName="theirs.example.org")["CertificateArn"]
elb.add_listener_certificates(ListenerArn="<listener-https-green.arn>", Certificates=[{"CertificateArn": made["certificate"]}])
elb.create_rule(ListenerArn="<listener-https-green.arn>", Priority=7777, Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}], Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])"#,
        &[
            extra(
                "listener-https-green",
                "more_certificates[<made.certificate>]",
            ),
            extra("listener-https-green", "others[7777]"),
        ],
    ),
    by_hand(
        "ec2/security_group_rules",
        r#"ec2.authorize_security_group_egress(GroupId="<security-group-bridge-nlb-green>", IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
ec2.authorize_security_group_ingress(GroupId="<security-group-bridge-blue>", IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": "<security-group-migration-blue>"}]}])
ec2.authorize_security_group_ingress(GroupId="<security-group-endpoints-blue>", IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])"#,
        &[
            extra(
                "security-group-bridge-nlb-rules-green",
                "egress.all to 0.0.0.0/0",
            ),
            extra(
                "security-group-bridge-rules-blue",
                "ingress.tcp/443 from <security-group-migration-blue>",
            ),
            extra(
                "security-group-endpoints-rules-blue",
                "ingress.tcp/443 from ::/0",
            ),
        ],
    ),
    by_hand(
        "ec2/network_acl_entries",
        r#"ec2.create_network_acl_entry(NetworkAclId="<acl-public-green>", RuleNumber=998, Egress=True, Protocol="-1", CidrBlock="0.0.0.0/0", RuleAction="allow")
ec2.create_network_acl_entry(NetworkAclId="<acl-app-blue>", RuleNumber=5, Egress=False, Protocol="-1", Ipv6CidrBlock="::/0", RuleAction="allow")"#,
        &[
            extra("acl-public-entries-green", "egress.998"),
            extra("acl-app-entries-blue", "ingress.5"),
        ],
    ),
    by_hand(
        "ec2/interface_endpoint",
        r#"def opened(endpoint):
    p = json.loads(ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]["PolicyDocument"])
    p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=json.dumps(p))
opened("<vpce-logs-green>"); opened("<vpce-s3-green>")"#,
        &[
            extra("vpce-logs-green", "policy.Statement.Mine"),
            extra("vpce-s3-green", "policy.Statement.Mine"),
        ],
    ),
    // What the bridge's target group takes of the endpoint, its addresses, stays as it is.
    by_hand(
        "ec2/interface_endpoint",
        r#"ec2.modify_vpc_endpoint(VpcEndpointId="<vpce-bridge-blue>", AddSecurityGroupIds=["<security-group-alb-blue>"])"#,
        &[extra(
            "vpce-bridge-blue",
            "groups[<security-group-alb-blue>]",
        )],
    ),
    by_hand(
        "ec2/endpoint_service",
        r#"ec2.modify_vpc_endpoint_service_configuration(ServiceId="<endpoint-service-green>", AddNetworkLoadBalancerArns=["<nlb-bridge-blue.arn>"])"#,
        &[extra(
            "endpoint-service-green",
            "load_balancers[<nlb-bridge-blue.arn>]",
        )],
    ),
    by_hand(
        "ec2/vpc",
        r#"made["dhcp"] = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["10.2.5.1"]}])["DhcpOptions"]["DhcpOptionsId"]
ec2.associate_dhcp_options(DhcpOptionsId=made["dhcp"], VpcId="<vpc-blue>")
made["vpn"] = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
ec2.attach_vpn_gateway(VpcId="<vpc-blue>", VpnGatewayId=made["vpn"])
made["egress"] = ec2.create_egress_only_internet_gateway(VpcId="<vpc-blue>")["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]"#,
        &[
            extra("vpc-blue", "exposed.DHCP options"),
            extra("vpc-blue", "members[VPN gateway <made.vpn>]"),
            extra(
                "vpc-blue",
                "members[egress-only internet gateway <made.egress>]",
            ),
        ],
    ),
    by_hand(
        "kms/key",
        r#"made["grant"] = kms.create_grant(KeyId="<key-logs-green>", GranteePrincipal="arn:aws:iam::999999999999:root", Operations=["Decrypt"])["GrantId"]
made["their service"] = kms.create_grant(KeyId="<key-logs-green>", GranteePrincipal="arn:aws:iam::999999999999:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling", Operations=["Decrypt", "CreateGrant"])["GrantId"]"#,
        &[
            extra("key-logs-green", "exposed.grant/<made.grant>"),
            extra("key-logs-green", "exposed.grant/<made.their service>"),
        ],
    ),
    by_hand(
        "kms/key",
        r#"p = json.loads(kms.get_key_policy(KeyId="<key-logs-green>", PolicyName="default")["Policy"])
of = [s for s in p["Statement"] if s["Sid"] == "EncryptLogGroups"][0]
of["Principal"] = {**of["Principal"], "AWS": "*"}
kms.put_key_policy(KeyId="<key-logs-green>", PolicyName="default", Policy=json.dumps(p))"#,
        &[extra(
            "key-logs-green",
            "policy.Statement.EncryptLogGroups.Principal.AWS[*]",
        )],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.enable_kinesis_streaming_destination(TableName="rate-limits-blue-dev", StreamArn="arn:aws:kinesis:eu-central-1:123456789012:stream/theirs")"#,
        &[extra(
            "rate-limits-blue",
            "exposed.kinesis/arn:aws:kinesis:eu-central-1:123456789012:stream/theirs",
        )],
    ),
    by_hand(
        "dynamodb/table",
        r#"functions.create_function(FunctionName="theirs", Runtime="nodejs18.x", Handler="theirs.handler", Role="<role-function-sync-green.arn>", Code={"ZipFile": b"theirs"}, VpcConfig={"SubnetIds": ["<subnet-app-a-blue>"], "SecurityGroupIds": ["<security-group-payment-api-blue>"]})
of = lambda source, **more: functions.create_event_source_mapping(FunctionName="theirs", EventSourceArn=source, **more)["UUID"]
made["reader"] = of("<sessions-blue.stream_arn>", StartingPosition="LATEST")
made["taker"] = of("<failed-sync-green.arn>")"#,
        &[
            extra("vpc-blue", "members[function theirs]"),
            extra(
                "sessions-blue",
                "members[mapping <made.reader> to arn:aws:lambda:eu-central-1:123456789012:function:theirs]",
            ),
            extra(
                "failed-sync-green",
                "members[mapping <made.taker> to arn:aws:lambda:eu-central-1:123456789012:function:theirs]",
            ),
        ],
    ),
    by_hand(
        "lambda/function",
        r#"functions.create_function_url_config(FunctionName="<function-control-green.name>", AuthType="NONE")
functions.update_function_configuration(FunctionName="<function-control-green.name>", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "FATAL", "SystemLogLevel": "WARN", "LogGroup": "/aws/lambda/<function-control-green.name>"}, TracingConfig={"Mode": "Active"}, EphemeralStorage={"Size": 10240}, FileSystemConfigs=[{"Arn": "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-01234567890123456", "LocalMountPath": "/mnt/theirs"}])
made["mapping"] = functions.create_event_source_mapping(FunctionName="<function-control-green.name>", EventSourceArn="<sessions-green.stream_arn>", StartingPosition="LATEST")["UUID"]
functions.put_function_event_invoke_config(FunctionName="<function-verify-green.name>", MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": "arn:aws:sqs:eu-central-1:123456789012:theirs"}})"#,
        &[
            extra("function-control-green", "exposed.url/$LATEST"),
            extra("function-control-green", "others.log_format"),
            extra("function-control-green", "others.log_level"),
            extra("function-control-green", "others.system_log_level"),
            extra("function-control-green", "others.tracing"),
            extra("function-control-green", "others.storage_mib"),
            extra("function-control-green", "others.file_systems"),
            extra(
                "function-control-green",
                "members[mapping <made.mapping> of <sessions-green.stream_arn>]",
            ),
            extra("function-verify-green", "exposed.asynchronous/$LATEST"),
        ],
    ),
    by_hand(
        "elbv2/target_group",
        r#"elb.register_targets(TargetGroupArn="<tg-reporting-green.arn>", Targets=[{"Id": "10.20.64.251", "Port": 8080}, {"Id": "10.20.64.251", "Port": 9090}])"#,
        &[
            extra("tg-reporting-green", "others[10.20.64.251]"),
            extra("tg-reporting-green", "others[10.20.64.251:9090]"),
        ],
    ),
    by_hand(
        "autoscaling/scaling",
        r#"of = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "<service-transaction-processor-blue.scalable>"}
scaling.put_scheduled_action(**of, ScheduledActionName="theirs", Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0})
scaling.register_scalable_target(**of, SuspendedState={"DynamicScalingOutSuspended": True})"#,
        &[
            extra("scaling-transaction-processor-blue", "scheduled.theirs"),
            extra(
                "scaling-transaction-processor-blue",
                "suspended[more tasks]",
            ),
        ],
    ),
    by_hand(
        "ecs/cluster",
        r#"ecs.put_cluster_capacity_providers(cluster="cluster-blue-dev", capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])"#,
        &[
            extra("cluster-blue", "exposed.capacity_provider/FARGATE"),
            extra("cluster-blue", "exposed.capacity_provider/FARGATE_SPOT"),
        ],
    ),
    // The rights of tasks, of functions, and of who may take on the role of the migration's tooling.
    by_hand(
        "iam/role",
        r#"iam.attach_role_policy(RoleName="role-task-payment-api-green-dev", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
iam.put_role_policy(RoleName="role-execution-reporting-blue-dev", PolicyName="theirs", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}]}))
iam.put_role_permissions_boundary(RoleName="role-function-sync-green-dev", PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")
p = iam.get_role(RoleName="role-migration-tooling-green-dev")["Role"]["AssumeRolePolicyDocument"]
p["Statement"][0]["Principal"] = {"AWS": ["arn:aws:iam::123456789012:root", "arn:aws:iam::999999999999:root"]}
del p["Statement"][0]["Condition"]
iam.update_assume_role_policy(RoleName="role-migration-tooling-green-dev", PolicyDocument=json.dumps(p))"#,
        &[
            extra(
                "role-task-payment-api-green",
                "managed[arn:aws:iam::aws:policy/AdministratorAccess]",
            ),
            extra("role-execution-reporting-blue", "inline.theirs"),
            extra("role-function-sync-green", "permissions_boundary"),
            extra(
                "role-migration-tooling-green",
                "trust.Statement.ToolingTakesItOn.Principal.AWS[arn:aws:iam::999999999999:root]",
            ),
            changed(
                "role-migration-tooling-green",
                "trust.Statement.ToolingTakesItOn.Condition",
            ),
        ],
    ),
    // What a widget shows, and to whom events go.
    by_hand(
        "cloudwatch/dashboard",
        r#"body = json.loads(watch.get_dashboard(DashboardName="<dashboard-database-green.name>")["DashboardBody"])
[w for w in body["widgets"] if (w["x"], w["y"]) == (0, 6)][0]["properties"]["title"] = "theirs"
watch.put_dashboard(DashboardName="<dashboard-database-green.name>", DashboardBody=json.dumps(body))"#,
        &[changed(
            "dashboard-database-green",
            "widgets.0,6.properties.title",
        )],
    ),
    by_hand(
        "rds/event_subscription",
        r#"rds.modify_event_subscription(SubscriptionName="database-events-green-dev", SnsTopicArn="<alerts-blue.arn>")"#,
        &[changed("database-events-green", "topic")],
    ),
    by_hand(
        "iam/role",
        r#"p = iam.get_role(RoleName="role-config-shared-dev")["Role"]["AssumeRolePolicyDocument"]
p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"})
iam.update_assume_role_policy(RoleName="role-config-shared-dev", PolicyDocument=json.dumps(p))
iam.attach_role_policy(RoleName="role-monitoring-blue-dev", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")"#,
        &[
            extra("role-config-shared", "trust.Statement.Mine"),
            extra(
                "role-monitoring-blue",
                "managed[arn:aws:iam::aws:policy/AdministratorAccess]",
            ),
        ],
    ),
    by_hand(
        "s3/bucket",
        r#"p = json.loads(s3.get_bucket_policy(Bucket="config-shared-dev")["Policy"])
p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::config-shared-dev/*"})
s3.put_bucket_policy(Bucket="config-shared-dev", Policy=json.dumps(p))"#,
        &[extra("config-shared", "policy.Statement.Mine")],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.update_table(TableName="sessions-migration-green-dev", AttributeDefinitions=[{"AttributeName": "theirs", "AttributeType": "S"}], GlobalSecondaryIndexUpdates=[{"Create": {"IndexName": "theirs", "KeySchema": [{"AttributeName": "theirs", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}}])"#,
        &[extra("sessions-migration-green", "indexes.theirs")],
    ),
    by_hand(
        "rds/cluster",
        r#"rds.add_role_to_db_cluster(DBClusterIdentifier="aurora-green-dev", RoleArn="arn:aws:iam::123456789012:role/theirs", FeatureName="s3Export")"#,
        &[extra(
            "aurora-green",
            "exposed.role/arn:aws:iam::123456789012:role/theirs",
        )],
    ),
    by_hand(
        "rds/parameter_group",
        r#"rds.modify_db_parameter_group(DBParameterGroupName="db-parameters-blue-dev", Parameters=[{"ParameterName": "log_min_duration_statement", "ParameterValue": "100", "ApplyMethod": "immediate"}])"#,
        &[extra(
            "db-parameters-blue",
            "parameters.log_min_duration_statement",
        )],
    ),
    by_hand(
        "cloudwatch/alarm",
        r#"one = watch.describe_alarms(AlarmNames=["<alarm-latency-reporting-blue.name>"])["MetricAlarms"][0]
keep = "AlarmName AlarmDescription ActionsEnabled OKActions AlarmActions MetricName Namespace ExtendedStatistic Dimensions Period EvaluationPeriods DatapointsToAlarm ComparisonOperator TreatMissingData Threshold".split()
watch.put_metric_alarm(**{k: one[k] for k in keep if k in one}, InsufficientDataActions=["arn:aws:sns:eu-central-1:999999999999:theirs"])"#,
        &[extra(
            "alarm-latency-reporting-blue",
            "exposed.insufficient_data/arn:aws:sns:eu-central-1:999999999999:theirs",
        )],
    ),
    by_hand(
        "cloudwatch/composite_alarm",
        r#"one = watch.describe_alarms(AlarmNames=["<alarm-any-blue.name>"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
watch.put_composite_alarm(AlarmName="<alarm-any-blue.name>", AlarmDescription=one["AlarmDescription"], AlarmRule=one["AlarmRule"] + ' OR ALARM("<alarm-latency-reporting-green.name>")', AlarmActions=one["AlarmActions"], OKActions=one["OKActions"], ActionsSuppressor="<alarm-waf-blocked-blue.name>", ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60)"#,
        &[
            extra(
                "alarm-any-blue",
                "any_of[<alarm-latency-reporting-green.name>]",
            ),
            extra(
                "alarm-any-blue",
                "exposed.suppressor/<alarm-waf-blocked-blue.name>",
            ),
        ],
    ),
    by_hand(
        "ecs/service",
        r#"def alarmed(service, names, on):
    old = ecs.describe_services(cluster="cluster-green-dev", services=[service])["services"][0]["deploymentConfiguration"]
    old["alarms"] = {"alarmNames": old["alarms"]["alarmNames"] + names, "enable": on, "rollback": on}
    ecs.update_service(cluster="cluster-green-dev", service=service, deploymentConfiguration=old)
alarmed("service-payment-api-green-dev", ["<alarm-latency-reporting-green.name>"], True)
alarmed("service-transaction-processor-green-dev", [], False)"#,
        &[
            extra(
                "service-payment-api-green",
                "deployment.alarms[<alarm-latency-reporting-green.name>]",
            ),
            changed(
                "service-transaction-processor-green",
                "deployment.alarms[<alarm-guard-errors-transaction-processor-green.name>]",
            ),
        ],
    ),
    by_hand(
        "wafv2/logging",
        r#"headers = [{"SingleHeader": {"Name": name}} for name in ("authorization", "cookie", "theirs")]
drop = {"DefaultBehavior": "DROP", "Filters": [{"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}]}]}
waf.put_logging_configuration(LoggingConfiguration={"ResourceArn": "<waf-blue.arn>", "LogDestinationConfigs": ["<waf-logs-blue.arn>"], "RedactedFields": [*headers, {"QueryString": {}}], "LoggingFilter": drop})"#,
        &[
            extra("waf-logging-blue", "redacted_headers[theirs]"),
            extra("waf-logging-blue", "others[query string]"),
            extra("waf-logging-blue", "others[requests by a filter]"),
        ],
    ),
    by_hand(
        "sqs/queue",
        r#"url = sqs.get_queue_url(QueueName="<failed-sync-reverse-green.name>")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": "<failed-verify-green.arn>", "maxReceiveCount": "3"})})"#,
        &[extra(
            "failed-sync-reverse-green",
            "exposed.redrive/<failed-verify-green.arn>",
        )],
    ),
    by_hand(
        "route53/health_check",
        r#"h = dns.get_health_check(HealthCheckId="<health-blue>")["HealthCheck"]["HealthCheckConfig"]
dns.update_health_check(HealthCheckId="<health-blue>", ChildHealthChecks=[*h["ChildHealthChecks"], "<health-endpoint-green>"])
dns.update_health_check(HealthCheckId="<health-endpoint-blue>", Inverted=True)"#,
        &[
            extra("health-blue", "children[<health-endpoint-green>]"),
            changed("health-endpoint-blue", "inverted"),
        ],
    ),
];
