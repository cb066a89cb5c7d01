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
elb.create_rule(ListenerArn=listeners[443], Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/y"]}], Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])
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
sns = c("sns")
topic = "arn:aws:sns:eu-central-1:123456789012:alerts-green-dev"
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-central-1:123456789012:theirs")
sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")
sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "Mine", "Value": "x"}])
