"""Security groups and VPC endpoints."""

from support import REGION, Case, client, group, specification, subnets, vpc, wish

EC2 = client("ec2")
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def service(name):
    return f"com.amazonaws.{REGION}.{name}"


class Groups(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.one, cls.two = group(cls.vpc, "one"), group(cls.vpc, "two")

    def rules(self, name):
        return EC2.describe_security_group_rules(Filters=wish("group-id", name))["SecurityGroupRules"]

    def test_creation_answers_tags_and_arn(self):
        made = EC2.create_security_group(
            VpcId=self.vpc, GroupName="tagged", Description="d", TagSpecifications=specification("security-group")
        )
        self.assertEqual(made["Tags"], [{"Key": "Name", "Value": "mine"}])
        self.assertTrue(made["SecurityGroupArn"].endswith(made["GroupId"]))

    def test_charset_of_names_and_descriptions(self):
        for name, description in (("a", "naïve"), ("a'b", "d"), ("sg-a", "d")):
            with self.subTest(name), self.refused("InvalidParameterValue"):
                EC2.create_security_group(VpcId=self.vpc, GroupName=name, Description=description)
        with self.refused("InvalidParameterValue"):
            EC2.authorize_security_group_ingress(
                GroupId=self.one,
                IpPermissions=[{**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "don't"}]}],
            )

    def test_all_rules_of_a_call_are_answered_and_described_alike(self):
        prefix_list = EC2.describe_managed_prefix_lists(Filters=wish("prefix-list-name", service("s3")))["PrefixLists"][
            0
        ]["PrefixListId"]
        made = group(self.vpc, "many")
        answered = EC2.authorize_security_group_egress(
            GroupId=made,
            IpPermissions=[
                {**HTTPS, "UserIdGroupPairs": [{"GroupId": self.two, "Description": "by group"}]},
                {
                    **HTTPS,
                    "PrefixListIds": [{"PrefixListId": prefix_list, "Description": "by list"}],
                    "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "by block"}],
                },
            ],
            TagSpecifications=specification("security-group-rule"),
        )["SecurityGroupRules"]
        shown = [rule for rule in self.rules(made) if rule["IpProtocol"] == "tcp"]
        order = lambda rules: sorted(rules, key=lambda rule: rule["Description"])
        self.assertEqual([rule["Description"] for rule in order(answered)], ["by block", "by group", "by list"])
        self.assertEqual(order(answered), order(shown))
        EC2.delete_security_group(GroupId=made)
        self.assertEqual(
            EC2.describe_tags(Filters=wish("resource-id", *[rule["SecurityGroupRuleId"] for rule in answered]))["Tags"],
            [],
        )

    def test_a_changed_rule_shows_its_protocol_by_name(self):
        made = group(self.vpc, "changed")
        EC2.authorize_security_group_ingress(GroupId=made, IpPermissions=[{**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
        rule = [rule for rule in self.rules(made) if not rule["IsEgress"]][0]["SecurityGroupRuleId"]
        change = {"IpProtocol": "6", "FromPort": 80, "ToPort": 80, "CidrIpv4": "10.0.0.0/8"}
        EC2.modify_security_group_rules(
            GroupId=made, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": change}]
        )
        shown = [rule for rule in self.rules(made) if not rule["IsEgress"]][0]
        self.assertEqual((shown["IpProtocol"], shown["FromPort"]), ("tcp", 80))

    def test_a_call_adds_all_its_rules_or_none(self):
        made = group(self.vpc, "atomic")
        by_group = {**HTTPS, "UserIdGroupPairs": [{"GroupId": self.two, "Description": "first"}]}
        EC2.authorize_security_group_ingress(GroupId=made, IpPermissions=[by_group])
        other_words = {**HTTPS, "UserIdGroupPairs": [{"GroupId": self.two, "Description": "second"}]}
        with self.refused("InvalidPermission.Duplicate"):
            EC2.authorize_security_group_ingress(
                GroupId=made,
                IpPermissions=[{**HTTPS, "FromPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, other_words],
            )
        self.assertEqual(len(self.rules(made)), 2)
        EC2.revoke_security_group_ingress(
            GroupId=made, IpPermissions=[{**HTTPS, "UserIdGroupPairs": [{"GroupId": self.two}]}]
        )
        self.assertEqual(len(self.rules(made)), 1)

    def test_a_group_in_use_is_not_deleted(self):
        named, naming = group(self.vpc, "named"), group(self.vpc, "naming")
        EC2.authorize_security_group_ingress(
            GroupId=naming, IpPermissions=[{**HTTPS, "UserIdGroupPairs": [{"GroupId": named}]}]
        )
        with self.refused("DependencyViolation"):
            EC2.delete_security_group(GroupId=named)
        EC2.delete_security_group(GroupId=naming)
        interface = EC2.create_network_interface(SubnetId=subnets(self.vpc, 1, "10.0")[0], Groups=[named])[
            "NetworkInterface"
        ]["NetworkInterfaceId"]
        with self.refused("DependencyViolation"):
            EC2.delete_security_group(GroupId=named)
        EC2.delete_network_interface(NetworkInterfaceId=interface)
        EC2.delete_security_group(GroupId=named)
        with self.refused("InvalidGroup.NotFound"):
            EC2.delete_security_group(GroupId=named)

    def test_the_default_group_stays(self):
        default = EC2.describe_security_groups(Filters=[*wish("vpc-id", self.vpc), *wish("group-name", "default")])[
            "SecurityGroups"
        ][0]
        with self.refused("CannotDelete"):
            EC2.delete_security_group(GroupId=default["GroupId"])


class GatewayEndpoints(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.tables = [EC2.create_route_table(VpcId=cls.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]

    def listed(self, table):
        routes = EC2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return [route["GatewayId"] for route in routes if "DestinationPrefixListId" in route]

    def test_life(self):
        made = EC2.create_vpc_endpoint(
            VpcId=self.vpc,
            ServiceName=service("s3"),
            RouteTableIds=self.tables[:1],
            TagSpecifications=specification("vpc-endpoint"),
        )["VpcEndpoint"]
        name = made["VpcEndpointId"]
        self.assertEqual(
            (made["VpcEndpointType"], made["State"], made["PrivateDnsEnabled"]), ("Gateway", "available", False)
        )
        with self.refused("RouteAlreadyExists"):
            EC2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=service("s3"), RouteTableIds=self.tables[:1])
        EC2.modify_vpc_endpoint(
            VpcEndpointId=name, AddRouteTableIds=self.tables[1:], RemoveRouteTableIds=self.tables[:1]
        )
        self.assertEqual((self.listed(self.tables[0]), self.listed(self.tables[1])), ([], [name]))
        answer = EC2.delete_vpc_endpoints(VpcEndpointIds=[name, "vpce-0123456789abcdef0"])["Unsuccessful"]
        self.assertEqual(
            [(item["ResourceId"], item["Error"]["Code"]) for item in answer],
            [("vpce-0123456789abcdef0", "InvalidVpcEndpointId.NotFound")],
        )
        self.assertEqual(self.listed(self.tables[1]), [])
        self.assertEqual(EC2.describe_vpc_endpoints()["VpcEndpoints"], [])
        self.assertEqual(EC2.describe_tags(Filters=wish("resource-id", name))["Tags"], [])

    def test_offered_services(self):
        wanted = [
            service(name)
            for name in ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "kms", "sts", "monitoring", "s3")
        ]
        shown = EC2.describe_vpc_endpoint_services(ServiceNames=wanted)
        self.assertEqual(set(shown["ServiceNames"]), set(wanted))
        kinds = {
            kind["ServiceType"]
            for entry in shown["ServiceDetails"]
            if entry["ServiceName"] == service("s3")
            for kind in entry["ServiceType"]
        }
        self.assertEqual(kinds, {"Gateway", "Interface"})
        with self.refused("InvalidServiceName"):
            EC2.describe_vpc_endpoint_services(ServiceNames=[service("nothing")])

    def test_refusals(self):
        with self.refused("InvalidServiceName"):
            EC2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=service("nothing"))
        with self.refused("InvalidParameter"):
            EC2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=service("kms"))


class InterfaceEndpoints(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.subnets = subnets(cls.vpc)
        cls.group = group(cls.vpc)

    def make(self, name="kms", **more):
        wanted = {
            "VpcId": self.vpc,
            "ServiceName": service(name),
            "VpcEndpointType": "Interface",
            "SubnetIds": self.subnets,
            "SecurityGroupIds": [self.group],
        }
        return EC2.create_vpc_endpoint(**{**wanted, **more})["VpcEndpoint"]

    def test_life(self):
        made = self.make(DnsOptions={"DnsRecordIpType": "ipv4"}, IpAddressType="ipv4", PrivateDnsEnabled=True)
        name = made["VpcEndpointId"]
        self.assertEqual(made["State"], "pending")
        shown = EC2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]
        self.assertEqual(
            (shown["State"], shown["IpAddressType"], shown["DnsOptions"], len(shown["NetworkInterfaceIds"])),
            ("available", "ipv4", {"DnsRecordIpType": "ipv4"}, 3),
        )
        held = EC2.describe_network_interfaces(NetworkInterfaceIds=shown["NetworkInterfaceIds"])["NetworkInterfaces"]
        self.assertEqual(
            {(i["InterfaceType"], i["Description"], i["Groups"][0]["GroupId"]) for i in held},
            {("vpc_endpoint", f"VPC Endpoint Interface {name}", self.group)},
        )
        self.assertEqual(
            len(
                EC2.describe_network_interfaces(
                    Filters=[*wish("interface-type", "vpc_endpoint"), *wish("group-id", self.group)]
                )["NetworkInterfaces"]
            ),
            3,
        )
        with self.refused("OperationNotPermitted"):
            EC2.delete_network_interface(NetworkInterfaceId=held[0]["NetworkInterfaceId"])
        with self.refused("InvalidParameter", "conflicting DNS domain"):
            self.make(PrivateDnsEnabled=True)
        with self.refused("DependencyViolation"):
            EC2.delete_security_group(GroupId=self.group)
        with self.refused("DependencyViolation"):
            EC2.delete_subnet(SubnetId=self.subnets[0])
        EC2.modify_vpc_endpoint(VpcEndpointId=name, PrivateDnsEnabled=False, RemoveSubnetIds=self.subnets[:1])
        shown = EC2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]
        self.assertEqual(
            (shown["PrivateDnsEnabled"], shown["SubnetIds"], len(shown["NetworkInterfaceIds"])),
            (False, self.subnets[1:], 2),
        )
        EC2.delete_vpc_endpoints(VpcEndpointIds=[name])
        self.assertEqual(EC2.describe_network_interfaces(Filters=wish("vpc-id", self.vpc))["NetworkInterfaces"], [])

    def test_refusals(self):
        for more, code in (
            ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
            ({"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound"),
            ({"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"),
            ({"VpcEndpointType": "interface"}, "InvalidParameterValue"),
        ):
            with self.subTest(more), self.refused(code):
                self.make("logs", **more)
        without = vpc("10.7.0.0/16", dns=False)
        with self.refused("InvalidParameter", "enableDnsHostnames"):
            self.make(
                "logs",
                VpcId=without,
                SubnetIds=subnets(without, 2, "10.7"),
                SecurityGroupIds=[group(without)],
                PrivateDnsEnabled=True,
            )
