"""Network Load Balancers, registered targets, endpoint services, health checks of alarms."""

from support import ACCOUNT, REGION, Case, client, group, subnets, vpc

ELB, EC2, DNS, WATCH = map(client, ("elbv2", "ec2", "route53", "cloudwatch"))
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
CLOSED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


class Bridge(Case):
    """A network balancer before an application balancer, and an endpoint of another VPC that leads to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.subnets = subnets(cls.vpc)
        cls.group = group(cls.vpc)

    def balancer(self, name, kind, **more):
        """An internal balancer that is deleted at the end."""
        settings = {"Type": kind, "Scheme": "internal", "Subnets": self.subnets, "SecurityGroups": [self.group]} | more
        arn = ELB.create_load_balancer(Name=name, **settings)["LoadBalancers"][0]["LoadBalancerArn"]
        self.addCleanup(ELB.delete_load_balancer, LoadBalancerArn=arn)
        ELB.describe_load_balancers()
        return arn

    def service(self, network):
        """An endpoint service that is deleted at the end."""
        made = EC2.create_vpc_endpoint_service_configuration(
            NetworkLoadBalancerArns=[network],
            AcceptanceRequired=False,
            TagSpecifications=[
                {"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "DeployerStep", "Value": "mine"}]}
            ],
        )["ServiceConfiguration"]
        self.addCleanup(EC2.delete_vpc_endpoint_service_configurations, ServiceIds=[made["ServiceId"]])
        return made["ServiceId"], made["ServiceName"]

    def test_a_network_balancer_has_its_own_arn_attributes_and_private_link_setting(self):
        arn = self.balancer("net", "network")
        self.assertIn(":loadbalancer/net/net/", arn)
        shown = lambda: ELB.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        key = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        self.assertEqual(shown()[key], "on")
        ELB.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[self.group], **{key: "off"})
        self.assertEqual(shown()[key], "off")
        with self.refused("ValidationError"):
            ELB.modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]
            )
        ELB.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
        self.assertEqual(len(ELB.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]), 1)

    def test_one_without_groups_never_gets_one(self):
        arn = self.balancer("bare", "network", SecurityGroups=[])
        with self.refused("InvalidConfigurationRequest"):
            ELB.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[self.group])

    def test_a_balancer_is_a_target_once_it_listens_and_is_held_as_long(self):
        alb = self.balancer("alb", "application")
        made = ELB.create_target_group(
            Name="to-alb", Protocol="TCP", Port=80, VpcId=self.vpc, TargetType="alb", HealthCheckProtocol="HTTP"
        )["TargetGroups"][0]
        target = made["TargetGroupArn"]
        self.addCleanup(ELB.delete_target_group, TargetGroupArn=target)
        place = {"TargetGroupArn": target, "Targets": [{"Id": alb}]}
        with self.refused("InvalidTarget"):
            ELB.register_targets(**place)
        ELB.create_listener(LoadBalancerArn=alb, Protocol="HTTP", Port=80, DefaultActions=CLOSED)
        ELB.register_targets(**place)
        with self.refused("ResourceInUse"):
            ELB.delete_load_balancer(LoadBalancerArn=alb)
        with self.refused("InvalidConfigurationRequest"):
            ELB.modify_target_group_attributes(
                TargetGroupArn=target, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
            )
        ELB.deregister_targets(**place)
        ELB.deregister_targets(**place)
        self.assertEqual(ELB.describe_target_health(TargetGroupArn=target)["TargetHealthDescriptions"], [])

    def test_an_address_outside_the_vpc_needs_the_zone_all_and_one_inside_must_not_have_it(self):
        made = ELB.create_target_group(Name="to-ip", Protocol="HTTPS", Port=443, VpcId=self.vpc, TargetType="ip")
        target = made["TargetGroups"][0]["TargetGroupArn"]
        self.addCleanup(ELB.delete_target_group, TargetGroupArn=target)
        for address, zone in (("10.0.0.9", {"AvailabilityZone": "all"}), ("10.9.0.9", {})):
            with self.refused("ValidationError"):
                ELB.register_targets(TargetGroupArn=target, Targets=[{"Id": address} | zone])
        ELB.register_targets(
            TargetGroupArn=target, Targets=[{"Id": "10.0.0.9"}, {"Id": "10.9.0.9", "AvailabilityZone": "all"}]
        )

    def test_a_target_is_registered_once_for_each_port(self):
        made = ELB.create_target_group(Name="to-ports", Protocol="HTTPS", Port=443, VpcId=self.vpc, TargetType="ip")
        target = made["TargetGroups"][0]["TargetGroupArn"]
        self.addCleanup(ELB.delete_target_group, TargetGroupArn=target)
        change = lambda call, *ports: call(TargetGroupArn=target, Targets=[{"Id": "10.0.0.9"} | port for port in ports])

        def ports():
            shown = ELB.describe_target_health(TargetGroupArn=target)["TargetHealthDescriptions"]
            return [(one["Target"]["Id"], one["Target"]["Port"], one["TargetHealth"]["State"]) for one in shown]

        change(ELB.register_targets, {}, {"Port": 8080}, {"Port": 443})
        own, other = [("10.0.0.9", port, "healthy") for port in (443, 8080)]
        self.assertEqual(ports(), [own, other])
        change(ELB.deregister_targets, {"Port": 9090})
        self.assertEqual(ports(), [own, other])
        change(ELB.deregister_targets, {})
        self.assertEqual(ports(), [other])
        change(ELB.deregister_targets, {"Port": 8080})
        self.assertEqual(ports(), [])

    def test_an_endpoint_service_lets_in_whom_it_names_and_is_held_by_endpoints(self):
        network = self.balancer("held", "network")
        service, name = self.service(network)
        self.assertRegex(service, "^vpce-svc-[0-9a-f]{17}$")
        found = EC2.describe_vpc_endpoint_service_configurations(
            Filters=[{"Name": "tag:DeployerStep", "Values": ["mine"]}]
        )["ServiceConfigurations"]
        self.assertEqual([one["ServiceId"] for one in found], [service])
        self.assertEqual((found[0]["ServiceState"], found[0]["Tags"][0]["Value"]), ("Available", "mine"))
        with self.refused("ResourceInUse"):
            ELB.delete_load_balancer(LoadBalancerArn=network)
        other = vpc("10.1.0.0/16")
        place = {
            "VpcEndpointType": "Interface",
            "VpcId": other,
            "ServiceName": name,
            "SubnetIds": subnets(other, base="10.1"),
            "SecurityGroupIds": [group(other)],
        }
        with self.refused("InvalidServiceName"):
            EC2.create_vpc_endpoint(**place)
        EC2.modify_vpc_endpoint_service_permissions(ServiceId=service, AddAllowedPrincipals=[ROOT])
        endpoint = EC2.create_vpc_endpoint(**place)["VpcEndpoint"]
        self.assertFalse(endpoint["PrivateDnsEnabled"])
        shown = EC2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
        addresses = [one["PrivateIpAddress"] for one in shown["NetworkInterfaces"]]
        self.assertEqual(len(addresses), 3)
        self.assertTrue(all(address.startswith("10.1.") for address in addresses), addresses)
        refused = EC2.delete_vpc_endpoint_service_configurations(ServiceIds=[service])["Unsuccessful"]
        self.assertEqual(refused[0]["Error"]["Code"], "ExistingVpcEndpointConnections")
        EC2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
        self.assertEqual(EC2.delete_vpc_endpoint_service_configurations(ServiceIds=[service])["Unsuccessful"], [])
        gone = EC2.delete_vpc_endpoint_service_configurations(ServiceIds=[service])["Unsuccessful"]
        self.assertEqual(gone[0]["Error"]["Code"], "InvalidVpcEndpointServiceId.NotFound")
        with self.refused("InvalidVpcEndpointServiceId.NotFound"):
            EC2.describe_vpc_endpoint_service_permissions(ServiceId=service)

    def test_a_check_of_an_alarm_has_the_settings_of_the_moment_in_which_it_was_written(self):
        def alarm(threshold):
            WATCH.put_metric_alarm(
                AlarmName="guard",
                Namespace="A/B",
                MetricName="C",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=2,
                Threshold=threshold,
                ComparisonOperator="GreaterThanThreshold",
                Dimensions=[{"Name": "d", "Value": "e"}],
            )

        alarm(1.0)
        identifier = {"Region": REGION, "Name": "guard"}
        config = {"Type": "CLOUDWATCH_METRIC", "InsufficientDataHealthStatus": "LastKnownStatus"}
        with self.refused("InvalidInput"):
            DNS.create_health_check(
                CallerReference="1", HealthCheckConfig=config | {"AlarmIdentifier": identifier | {"Name": "nobody"}}
            )
        made = DNS.create_health_check(
            CallerReference="2", HealthCheckConfig=config | {"AlarmIdentifier": identifier}
        )["HealthCheck"]
        shown = lambda: next(one for one in DNS.list_health_checks()["HealthChecks"] if one["Id"] == made["Id"])
        self.assertEqual(shown()["HealthCheckConfig"]["AlarmIdentifier"], identifier)
        alarm(5.0)
        self.assertEqual(shown()["CloudWatchAlarmConfiguration"]["Threshold"], 1.0)
        DNS.update_health_check(HealthCheckId=made["Id"], AlarmIdentifier=identifier)
        self.assertEqual(shown()["CloudWatchAlarmConfiguration"]["Threshold"], 5.0)
        self.assertEqual(shown()["CloudWatchAlarmConfiguration"]["Dimensions"], [{"Name": "d", "Value": "e"}])
