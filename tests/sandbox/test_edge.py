"""Load balancers, certificates, records, health checks and firewalls keep to AWS's rules."""

import json

from support import ACCOUNT, REGION, Case, client, control, group, names, subnets, vpc

ELB, ACM, DNS, WAF, S3, EC2 = map(client, ("elbv2", "acm", "route53", "wafv2", "s3", "ec2"))
NOT_FOUND = [
    {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no"}}
]


def zone():
    """The zone that is there from the start."""
    return DNS.list_hosted_zones()["HostedZones"][0]["Id"]


def change(action, **record):
    """One change of a record."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    return DNS.change_resource_record_sets(HostedZoneId=zone(), ChangeBatch=batch)


class Edge(Case):
    """With a VPC that has a gateway, and a load balancer in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.subnets = subnets(cls.vpc)
        cls.group = group(cls.vpc)
        cls.gateway = EC2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        EC2.attach_internet_gateway(InternetGatewayId=cls.gateway, VpcId=cls.vpc)

    def setUp(self):
        super().setUp()
        made = self.balancer("one")
        self.arn = made["LoadBalancerArn"]
        self.addCleanup(ELB.delete_load_balancer, LoadBalancerArn=self.arn)

    def balancer(self, name, **more):
        """A balancer of this name."""
        settings = {"Subnets": self.subnets, "SecurityGroups": [self.group]} | more
        return ELB.create_load_balancer(Name=name, **settings)["LoadBalancers"][0]

    def test_a_name_is_taken_once_and_the_same_settings_answer_the_same(self):
        self.assertEqual(self.balancer("one")["LoadBalancerArn"], self.arn)
        with self.refused("DuplicateLoadBalancerName"):
            self.balancer("one", Scheme="internal")
        with self.refused("ValidationError"):
            self.balancer("ends-with-")

    def test_it_needs_two_zones_a_gateway_and_groups_of_its_vpc(self):
        with self.refused("InvalidConfigurationRequest"):
            self.balancer("two", Subnets=self.subnets[:1])
        other = vpc("10.1.0.0/16")
        with self.refused("InvalidSecurityGroup"):
            self.balancer("two", SecurityGroups=[group(other)])
        inside = subnets(other, base="10.1")
        with self.refused("InvalidSubnet", "no internet gateway"):
            self.balancer("two", Subnets=inside, SecurityGroups=[])

    def test_its_interfaces_hold_subnet_and_group(self):
        with self.refused("DependencyViolation"):
            EC2.delete_subnet(SubnetId=self.subnets[0])
        with self.refused("DependencyViolation"):
            EC2.delete_security_group(GroupId=self.group)
        shown = EC2.describe_network_interfaces()["NetworkInterfaces"]
        self.assertTrue(all(one["Description"].startswith("ELB app/one/") for one in shown))
        self.assertEqual(len(shown), 3)

    def test_a_protected_one_is_not_deleted_and_tags_of_unknown_ones_are_an_error(self):
        on = [{"Key": "deletion_protection.enabled", "Value": "true"}]
        ELB.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=on)
        with self.refused("OperationNotPermitted"):
            ELB.delete_load_balancer(LoadBalancerArn=self.arn)
        ELB.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=[on[0] | {"Value": "false"}])
        with self.refused("LoadBalancerNotFound"):
            ELB.describe_tags(ResourceArns=[self.arn, self.arn + "0"])

    def test_logs_need_a_bucket_whose_policy_lets_them_in(self):
        S3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
        on = [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in (("enabled", "true"), ("bucket", "logs"))]
        with self.refused("InvalidConfigurationRequest", "Access Denied for bucket"):
            ELB.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=on)
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::logs/AWSLogs/{ACCOUNT}/*",
        }
        S3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
        ELB.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=on)

    def test_listeners_have_a_port_each_and_https_an_issued_certificate(self):
        make = lambda **more: ELB.create_listener(LoadBalancerArn=self.arn, DefaultActions=NOT_FOUND, **more)
        listener = make(Protocol="HTTP", Port=80)["Listeners"][0]["ListenerArn"]
        with self.refused("DuplicateListener"):
            make(Protocol="HTTP", Port=80)
        with self.refused("ValidationError"):
            make(Protocol="HTTPS", Port=443)
        pending = ACM.request_certificate(DomainName="a.sandbox.example", ValidationMethod="DNS")["CertificateArn"]
        with self.refused("UnsupportedCertificate"):
            make(Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": pending}])
        shown = ELB.describe_listener_attributes(ListenerArn=listener)["Attributes"]
        self.assertIn({"Key": "routing.http.response.server.enabled", "Value": "true"}, shown)
        rule = ELB.create_rule(
            ListenerArn=listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/a"]}], Actions=NOT_FOUND
        )["Rules"][0]["RuleArn"]
        ELB.delete_rule(RuleArn=rule)
        with self.refused("RuleNotFound"):
            ELB.delete_rule(RuleArn=rule)
        ELB.delete_listener(ListenerArn=listener)
        with self.refused("ListenerNotFound"):
            ELB.describe_rules(ListenerArn=listener)

    def test_a_rule_keeps_what_it_rewrites_until_that_is_reset(self):
        listener = ELB.create_listener(LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=NOT_FOUND)
        listener = listener["Listeners"][0]["ListenerArn"]
        path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"], "RegexValues": [".*"]}}
        rule = ELB.create_rule(ListenerArn=listener, Priority=1, Conditions=[path], Actions=NOT_FOUND)["Rules"][0]["RuleArn"]
        shown = lambda: ELB.describe_rules(RuleArns=[rule])["Rules"][0]
        self.assertEqual(shown()["Conditions"][0]["PathPatternConfig"], path["PathPatternConfig"])
        self.assertEqual(shown()["Transforms"], [])
        rewrites = {"Rewrites": [{"Regex": ".*", "Replace": "theirs.example"}]}
        transforms = [{"Type": "host-header-rewrite", "HostHeaderRewriteConfig": rewrites}]
        ELB.modify_rule(RuleArn=rule, Transforms=transforms)
        ELB.modify_rule(RuleArn=rule, Actions=NOT_FOUND)
        self.assertEqual(shown()["Transforms"], transforms)
        ELB.modify_rule(RuleArn=rule, ResetTransforms=True)
        self.assertEqual(shown()["Transforms"], [])

    def test_an_https_listener_asks_clients_for_certificates_when_it_is_told(self):
        certificate = ACM.request_certificate(DomainName="b.sandbox.example", ValidationMethod="DNS")["CertificateArn"]
        record = ACM.describe_certificate(CertificateArn=certificate)["Certificate"]["DomainValidationOptions"][0]["ResourceRecord"]
        change("CREATE", Name=record["Name"], Type="CNAME", TTL=60, ResourceRecords=[{"Value": record["Value"]}])
        for _ in range(2):
            ACM.describe_certificate(CertificateArn=certificate)
        made = {"LoadBalancerArn": self.arn, "DefaultActions": NOT_FOUND}
        plain = ELB.create_listener(Protocol="HTTP", Port=80, **made)["Listeners"][0]
        self.assertNotIn("MutualAuthentication", plain)
        listener = ELB.create_listener(Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}], **made)
        listener = listener["Listeners"][0]["ListenerArn"]
        shown = lambda: ELB.describe_listeners(ListenerArns=[listener])["Listeners"][0]["MutualAuthentication"]
        self.assertEqual(shown(), {"Mode": "off"})
        ELB.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "passthrough"})
        ELB.modify_listener(ListenerArn=listener, DefaultActions=NOT_FOUND)
        self.assertEqual(shown(), {"Mode": "passthrough"})
        attributes = ELB.describe_listener_attributes(ListenerArn=listener)["Attributes"]
        name = {"Key": "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name", "Value": "X-Amzn-Mtls-Clientcert-Leaf"}
        self.assertIn(name, attributes)

    def test_an_update_of_a_firewall_takes_away_what_it_does_not_name(self):
        view = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "x"}
        common = {"Name": "all", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": view}
        acl = WAF.create_web_acl(**common)["Summary"]
        read = lambda: WAF.get_web_acl(Name="all", Scope="REGIONAL", Id=acl["Id"])
        usual = {"ALBLowReputationMode": "ACTIVE_UNDER_DDOS"}
        self.assertEqual(read()["WebACL"]["OnSourceDDoSProtectionConfig"], usual)
        data = {"DataProtections": [{"Field": {"FieldType": "BODY"}, "Action": "HASH"}]}
        more = {"TokenDomains": ["theirs.example"], "DataProtectionConfig": data}
        update = lambda **set: WAF.update_web_acl(Id=acl["Id"], LockToken=read()["LockToken"], **common, **set)
        update(OnSourceDDoSProtectionConfig={"ALBLowReputationMode": "ALWAYS_ON"}, **more)
        shown = read()["WebACL"]
        self.assertEqual({key: shown[key] for key in more}, more)
        self.assertEqual(shown["OnSourceDDoSProtectionConfig"]["ALBLowReputationMode"], "ALWAYS_ON")
        update()
        shown = read()["WebACL"]
        self.assertEqual([key for key in more if key in shown], [])
        self.assertEqual(shown["OnSourceDDoSProtectionConfig"], usual)
        WAF.delete_web_acl(Name="all", Scope="REGIONAL", Id=acl["Id"], LockToken=read()["LockToken"])

    def test_a_firewall_guards_a_balancer_alone_and_is_held_by_it(self):
        view = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "x"}
        make = lambda name: WAF.create_web_acl(
            Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=view
        )["Summary"]
        first, second = make("first"), make("second")
        with self.refused("WAFDuplicateItemException"):
            make("first")
        ELB.describe_load_balancers()
        for acl in (first, second):
            WAF.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=self.arn)
        self.assertEqual(WAF.get_web_acl_for_resource(ResourceArn=self.arn)["WebACL"]["Name"], "second")
        self.assertEqual(WAF.list_resources_for_web_acl(WebACLArn=first["ARN"])["ResourceArns"], [])
        with self.refused("WAFAssociatedItemException"):
            WAF.delete_web_acl(Name="second", Scope="REGIONAL", Id=second["Id"], LockToken=second["LockToken"])
        with self.refused("WAFInvalidParameterException"):
            bad = {"ResourceArn": first["ARN"], "LogDestinationConfigs": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:x"]}
            WAF.put_logging_configuration(LoggingConfiguration=bad)
        client("logs").create_log_group(logGroupName="aws-waf-logs-x")
        good = {"ResourceArn": first["ARN"], "LogDestinationConfigs": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:aws-waf-logs-x"]}
        WAF.put_logging_configuration(LoggingConfiguration=good)
        shown = WAF.get_logging_configuration(ResourceArn=first["ARN"])["LoggingConfiguration"]
        self.assertEqual(WAF.list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"], [shown])
        WAF.delete_logging_configuration(ResourceArn=first["ARN"])
        self.assertEqual(WAF.list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"], [])
        WAF.disassociate_web_acl(ResourceArn=self.arn)
        self.assertNotIn("WebACL", WAF.get_web_acl_for_resource(ResourceArn=self.arn))
        for acl in (first, second):
            WAF.delete_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"])


class Names(Case):
    """Certificates, records, health checks."""

    def test_a_certificate_is_issued_once_its_records_are_there(self):
        arn = ACM.request_certificate(
            DomainName="pay.sandbox.example", SubjectAlternativeNames=["a.pay.sandbox.example"], ValidationMethod="DNS"
        )["CertificateArn"]
        describe = lambda: ACM.describe_certificate(CertificateArn=arn)["Certificate"]
        for option in describe()["DomainValidationOptions"]:
            self.assertEqual(describe()["Status"], "PENDING_VALIDATION")
            record = option["ResourceRecord"]
            change("CREATE", Name=record["Name"], Type="CNAME", TTL=60, ResourceRecords=[{"Value": record["Value"]}])
        describe()
        self.assertEqual(describe()["Status"], "ISSUED")

    def test_private_zones_are_listed_by_their_network(self):
        network = vpc()
        place = {"VPCRegion": "eu-central-1", "VPCId": network}
        with self.refused("InvalidVPCId"):
            DNS.list_hosted_zones_by_vpc(VPCRegion="eu-central-1", VPCId="vpc-0123456789abcdef0")
        shown = lambda: DNS.list_hosted_zones_by_vpc(**place)["HostedZoneSummaries"]
        self.assertEqual(shown(), [])
        made = DNS.create_hosted_zone(Name="inside.example", CallerReference="inside", VPC=place, HostedZoneConfig={"PrivateZone": True})["HostedZone"]["Id"]
        owner = {"OwningAccount": "123456789012"}
        self.assertEqual(shown(), [{"HostedZoneId": made.rsplit("/", 1)[-1], "Name": "inside.example.", "Owner": owner}])
        DNS.delete_hosted_zone(Id=made)
        self.assertEqual(shown(), [])

    def test_a_zone_below_another_one_counts_when_it_is_delegated(self):
        made = DNS.create_hosted_zone(Name="own.sandbox.example", CallerReference="own")
        own = made["HostedZone"]["Id"]
        arn = ACM.request_certificate(DomainName="own.sandbox.example", ValidationMethod="DNS")["CertificateArn"]
        describe = lambda: ACM.describe_certificate(CertificateArn=arn)["Certificate"]
        wanted = describe()["DomainValidationOptions"][0]["ResourceRecord"]
        proof = {"Name": wanted["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": wanted["Value"]}]}
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": proof}]}
        DNS.change_resource_record_sets(HostedZoneId=own, ChangeBatch=batch)
        describe()
        self.assertEqual(describe()["Status"], "PENDING_VALIDATION")
        with self.refused("HostedZoneAlreadyExists"):
            DNS.create_hosted_zone(Name="own.sandbox.example", CallerReference="own")
        self.assertEqual(DNS.get_hosted_zone(Id=own)["HostedZone"]["CallerReference"], "own")
        listed = {one["Id"]: one["CallerReference"] for one in DNS.list_hosted_zones()["HostedZones"]}
        self.assertEqual(listed[own], "own")
        DNS.change_tags_for_resource(ResourceType="hostedzone", ResourceId=own.split("/")[-1], AddTags=[{"Key": "A", "Value": "b"}])
        tags = DNS.list_tags_for_resource(ResourceType="hostedzone", ResourceId=own.split("/")[-1])["ResourceTagSet"]["Tags"]
        self.assertEqual(tags, [{"Key": "A", "Value": "b"}])
        DNS.update_hosted_zone_comment(Id=own, Comment="mine")
        self.assertEqual(DNS.get_hosted_zone(Id=own)["HostedZone"]["Config"]["Comment"], "mine")
        with self.refused("HostedZoneNotEmpty"):
            DNS.delete_hosted_zone(Id=own)
        servers = [{"Value": one} for one in made["DelegationSet"]["NameServers"]]
        change("CREATE", Name="own.sandbox.example", Type="NS", TTL=60, ResourceRecords=servers)
        describe()
        self.assertEqual(describe()["Status"], "ISSUED")
        DNS.change_resource_record_sets(HostedZoneId=own, ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": proof}]})
        DNS.delete_hosted_zone(Id=own)

    def test_a_batch_is_all_or_nothing_and_a_deletion_exact(self):
        record = {"Name": "x.sandbox.example", "Type": "A", "SetIdentifier": "one", "Weight": 10, "TTL": 60}
        record["ResourceRecords"] = [{"Value": "192.0.2.1"}]
        change("CREATE", **record)
        with self.refused("InvalidChangeBatch", "already exists"):
            change("CREATE", **record)
        for wrong in ({"Weight": 11}, {"ResourceRecords": [{"Value": "192.0.2.2"}]}):
            with self.refused("InvalidChangeBatch", "do not match"):
                change("DELETE", **(record | wrong))
        with self.refused("InvalidChangeBatch", "not found"):
            change("DELETE", **(record | {"SetIdentifier": "two"}))
        with self.refused("InvalidChangeBatch", "non-weighted"):
            change("CREATE", Name="x.sandbox.example", Type="A", TTL=60, ResourceRecords=[{"Value": "192.0.2.3"}])
        with self.refused("InvalidChangeBatch", "not permitted in zone"):
            change("CREATE", Name="x.example.org", Type="A", TTL=60, ResourceRecords=[{"Value": "192.0.2.3"}])
        two = [("DELETE", record), ("CREATE", record | {"Weight": 20}), ("DELETE", record | {"SetIdentifier": "no"})]
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": item} for action, item in two]}
        with self.refused("InvalidChangeBatch"):
            DNS.change_resource_record_sets(HostedZoneId=zone(), ChangeBatch=batch)
        sets = DNS.list_resource_record_sets(HostedZoneId=zone(), StartRecordName="x.sandbox.example")["ResourceRecordSets"]
        self.assertEqual([one["Weight"] for one in sets if one["Name"] == "x.sandbox.example."], [10])

    def test_a_reference_is_used_once_and_children_are_held(self):
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "a.sandbox.example", "Port": 443, "RequestInterval": 10}
        make = lambda reference, settings: DNS.create_health_check(CallerReference=reference, HealthCheckConfig=settings)[
            "HealthCheck"
        ]
        check = make("one", config)
        self.assertEqual(make("one", config)["Id"], check["Id"])
        with self.refused("HealthCheckAlreadyExists"):
            make("one", config | {"Port": 80})
        above = make("two", {"Type": "CALCULATED", "ChildHealthChecks": [check["Id"]], "HealthThreshold": 1})
        with self.refused("HealthCheckInUse"):
            DNS.delete_health_check(HealthCheckId=check["Id"])
        updated = DNS.update_health_check(HealthCheckId=check["Id"], FailureThreshold=5)["HealthCheck"]
        self.assertEqual(updated["HealthCheckVersion"], 2)
        some = {"Regions": ["sa-east-1", "us-east-1", "us-west-1"]}
        for sent, shown in ((some, some["Regions"]), ({}, some["Regions"]), ({"ResetElements": ["Regions"]}, None)):
            answer = DNS.update_health_check(HealthCheckId=check["Id"], **sent)["HealthCheck"]["HealthCheckConfig"]
            self.assertEqual(sorted(answer.get("Regions", [])) or None, shown)
        DNS.delete_health_check(HealthCheckId=above["Id"])
        DNS.delete_health_check(HealthCheckId=check["Id"])
        with self.refused("NoSuchHealthCheck"):
            DNS.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check["Id"])
        with self.refused("HealthCheckAlreadyExists"):
            make("one", config)

    def test_a_zone_is_there_from_the_start_and_after_a_reset(self):
        control("POST", "moto-api/reset")
        self.assertEqual(names(DNS.list_hosted_zones()["HostedZones"], "Name"), ["sandbox.example."])


class Firewalls(Case):
    """What rules take of a web ACL's capacity."""

    def test_what_rules_take_is_told_and_too_much_is_refused(self):
        view = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "x"}
        path = {"SearchString": b"/", "FieldToMatch": {"UriPath": {}}, "PositionalConstraint": "STARTS_WITH"}
        path["TextTransformations"] = [{"Priority": 0, "Type": "NONE"}]
        rate = {"Limit": 100, "AggregateKeyType": "IP", "ScopeDownStatement": {"ByteMatchStatement": path}}
        group = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}

        def rule(number, statement, **action):
            return {"Name": f"r{number}", "Priority": number, "Statement": statement, "VisibilityConfig": view, **action}

        of_group = lambda number: rule(number, {"ManagedRuleGroupStatement": group}, OverrideAction={"None": {}})
        rules = [rule(0, {"RateBasedStatement": rate}, Action={"Block": {}}), of_group(1)]
        self.assertEqual(WAF.check_capacity(Scope="REGIONAL", Rules=rules)["Capacity"], 704)
        absent = {"ARN": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/ipset/none/00000000-0000-0000-0000-000000000000"}
        with self.refused("WAFNonexistentItemException"):
            WAF.check_capacity(Scope="REGIONAL", Rules=[rule(0, {"IPSetReferenceStatement": absent}, Action={"Block": {}})])
        with self.refused("WAFLimitsExceededException"):
            WAF.create_web_acl(
                Name="much",
                Scope="REGIONAL",
                DefaultAction={"Allow": {}},
                VisibilityConfig=view,
                Rules=[of_group(number) for number in range(8)],
            )
