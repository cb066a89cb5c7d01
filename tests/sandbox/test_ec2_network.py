"""VPCs, subnets, gateways, route tables and network ACLs."""

from support import ACCOUNT, REGION, Case, client, group, specification, subnets, vpc, wish

EC2 = client("ec2")


class Describe(Case):
    def test_unknown_ids_get_the_code_of_their_type(self):
        for operation, parameter, name, code in (
            (EC2.describe_vpcs, "VpcIds", "vpc", "InvalidVpcID.NotFound"),
            (EC2.describe_subnets, "SubnetIds", "subnet", "InvalidSubnetID.NotFound"),
            (EC2.describe_internet_gateways, "InternetGatewayIds", "igw", "InvalidInternetGatewayID.NotFound"),
            (EC2.describe_route_tables, "RouteTableIds", "rtb", "InvalidRouteTableID.NotFound"),
            (EC2.describe_network_acls, "NetworkAclIds", "acl", "InvalidNetworkAclID.NotFound"),
            (EC2.describe_security_groups, "GroupIds", "sg", "InvalidGroup.NotFound"),
            (EC2.describe_security_group_rules, "SecurityGroupRuleIds", "sgr", "InvalidSecurityGroupRuleId.NotFound"),
            (EC2.describe_vpc_endpoints, "VpcEndpointIds", "vpce", "InvalidVpcEndpointId.NotFound"),
            (EC2.describe_flow_logs, "FlowLogIds", "fl", "InvalidFlowLogId.NotFound"),
            (EC2.describe_network_interfaces, "NetworkInterfaceIds", "eni", "InvalidNetworkInterfaceID.NotFound"),
            (EC2.describe_transit_gateways, "TransitGatewayIds", "tgw", "InvalidTransitGatewayID.NotFound"),
            (
                EC2.describe_transit_gateway_vpc_attachments,
                "TransitGatewayAttachmentIds",
                "tgw-attach",
                "InvalidTransitGatewayAttachmentID.NotFound",
            ),
            (
                EC2.describe_transit_gateway_route_tables,
                "TransitGatewayRouteTableIds",
                "tgw-rtb",
                "InvalidRouteTableID.NotFound",
            ),
        ):
            with self.subTest(parameter), self.refused(code, f"{name}-0123456789abcdef0"):
                operation(**{parameter: [f"{name}-0123456789abcdef0"]})

    def test_max_results_and_next_token_page(self):
        made = subnets(vpc(), 7)
        first = EC2.describe_subnets(Filters=wish("subnet-id", *made), MaxResults=5)
        second = EC2.describe_subnets(Filters=wish("subnet-id", *made), MaxResults=5, NextToken=first["NextToken"])
        self.assertEqual((len(first["Subnets"]), len(second["Subnets"]), second.get("NextToken")), (5, 2, None))
        self.assertEqual({s["SubnetId"] for s in first["Subnets"] + second["Subnets"]}, set(made))

    def test_several_values_of_a_filter_match_what_has_any_of_them(self):
        here, there = subnets(vpc(), 3), subnets(vpc("10.1.0.0/16"), 3, "10.1")
        found = EC2.describe_network_acls(Filters=wish("association.subnet-id", here[0], here[1], there[0]))
        guarded = [{a["SubnetId"] for a in acl["Associations"]} for acl in found["NetworkAcls"]]
        self.assertCountEqual(guarded, [set(here), set(there)])
        self.assertEqual(
            EC2.describe_network_acls(Filters=wish("association.subnet-id", "subnet-0", "subnet-1"))["NetworkAcls"], []
        )

    def test_a_dry_run_does_nothing(self):
        before = len(EC2.describe_vpcs()["Vpcs"])
        with self.refused("DryRunOperation"):
            EC2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)
        self.assertEqual(len(EC2.describe_vpcs()["Vpcs"]), before)


class Vpcs(Case):
    def test_a_vpc_with_anything_inside_is_not_deleted(self):
        one = vpc()
        gateway = EC2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        EC2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=one)
        inside = {
            "subnet": (subnets(one, 1)[0], lambda name: EC2.delete_subnet(SubnetId=name)),
            "group": (group(one), lambda name: EC2.delete_security_group(GroupId=name)),
            "acl": (
                EC2.create_network_acl(VpcId=one)["NetworkAcl"]["NetworkAclId"],
                lambda name: EC2.delete_network_acl(NetworkAclId=name),
            ),
            "table": (
                EC2.create_route_table(VpcId=one)["RouteTable"]["RouteTableId"],
                lambda name: EC2.delete_route_table(RouteTableId=name),
            ),
            "endpoint": (
                EC2.create_vpc_endpoint(VpcId=one, ServiceName="com.amazonaws.eu-central-1.s3")["VpcEndpoint"][
                    "VpcEndpointId"
                ],
                lambda name: EC2.delete_vpc_endpoints(VpcEndpointIds=[name]),
            ),
            "gateway": (gateway, lambda name: EC2.detach_internet_gateway(InternetGatewayId=name, VpcId=one)),
        }
        for kind, (name, remove) in inside.items():
            with self.subTest(kind), self.refused("DependencyViolation"):
                EC2.delete_vpc(VpcId=one)
            remove(name)
        EC2.delete_vpc(VpcId=one)

    def test_its_defaults_go_with_a_vpc(self):
        one = vpc()
        EC2.create_tags(Resources=[one], Tags=[{"Key": "A", "Value": "b"}])
        EC2.delete_vpc(VpcId=one)
        for items in (
            EC2.describe_network_acls(Filters=wish("vpc-id", one))["NetworkAcls"],
            EC2.describe_security_groups(Filters=wish("vpc-id", one))["SecurityGroups"],
            EC2.describe_route_tables(Filters=wish("vpc-id", one))["RouteTables"],
            EC2.describe_tags(Filters=wish("resource-id", one))["Tags"],
        ):
            self.assertEqual(items, [])

    def test_network_acls_are_filtered_by_id(self):
        one = vpc()
        acl = EC2.create_network_acl(VpcId=one)["NetworkAcl"]["NetworkAclId"]
        found = EC2.describe_network_acls(Filters=wish("network-acl-id", acl))["NetworkAcls"]
        self.assertEqual([item["NetworkAclId"] for item in found], [acl])

    def test_a_subnet_takes_its_associations_along(self):
        one = vpc()
        subnet = subnets(one, 1)[0]
        table = EC2.create_route_table(VpcId=one)["RouteTable"]["RouteTableId"]
        acl = EC2.create_network_acl(VpcId=one)["NetworkAcl"]["NetworkAclId"]
        EC2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        here = EC2.describe_network_acls(Filters=wish("association.subnet-id", subnet))["NetworkAcls"][0][
            "Associations"
        ]
        association = next(a["NetworkAclAssociationId"] for a in here if a["SubnetId"] == subnet)
        EC2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
        with self.refused("DependencyViolation"):
            EC2.delete_route_table(RouteTableId=table)
        with self.refused("DependencyViolation"):
            EC2.delete_network_acl(NetworkAclId=acl)
        EC2.delete_subnet(SubnetId=subnet)
        EC2.delete_route_table(RouteTableId=table)
        EC2.delete_network_acl(NetworkAclId=acl)
        EC2.delete_vpc(VpcId=one)

    def test_an_interface_has_an_address_of_its_own_in_its_subnet(self):
        subnet = EC2.create_subnet(VpcId=vpc(), CidrBlock="10.0.0.0/28")["Subnet"]["SubnetId"]
        make = lambda: EC2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["PrivateIpAddress"]
        # The first four addresses and the last one are AWS's own.
        self.assertEqual({make() for _ in range(11)}, {f"10.0.0.{number}" for number in range(4, 15)})
        with self.refused("InsufficientFreeAddressesInSubnet"):
            make()

    def test_a_subnet_with_an_interface_is_not_deleted(self):
        subnet = subnets(vpc(), 1)[0]
        interface = EC2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        with self.refused("DependencyViolation"):
            EC2.delete_subnet(SubnetId=subnet)
        EC2.delete_network_interface(NetworkInterfaceId=interface)
        EC2.delete_subnet(SubnetId=subnet)

    def test_a_vpc_takes_one_internet_gateway(self):
        one = vpc()
        first, second = (EC2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2))
        EC2.attach_internet_gateway(InternetGatewayId=first, VpcId=one)
        with self.refused("InvalidParameterValue"):
            EC2.attach_internet_gateway(InternetGatewayId=second, VpcId=one)
        with self.refused("DependencyViolation"):
            EC2.delete_internet_gateway(InternetGatewayId=first)


class Routes(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.subnet = subnets(cls.vpc, 1)[0]
        cls.tables = [EC2.create_route_table(VpcId=cls.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]

    def test_targets_must_exist_and_be_reachable(self):
        gateway = EC2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        for target, code in (
            ({"TransitGatewayId": "tgw-0123456789abcdef0"}, "InvalidTransitGatewayID.NotFound"),
            ({"NatGatewayId": "nat-0123456789abcdef0"}, "InvalidNatGatewayID.NotFound"),
            ({"GatewayId": "igw-0123456789abcdef0"}, "InvalidGatewayID.NotFound"),
            ({"GatewayId": gateway}, "InvalidParameterValue"),
        ):
            with self.subTest(target), self.refused(code):
                EC2.create_route(RouteTableId=self.tables[0], DestinationCidrBlock="0.0.0.0/0", **target)

    def test_a_route_without_its_gateway_is_a_black_hole(self):
        gateway = EC2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        EC2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        EC2.create_route(RouteTableId=self.tables[1], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        state = lambda: {
            r["DestinationCidrBlock"]: r["State"]
            for r in EC2.describe_route_tables(RouteTableIds=[self.tables[1]])["RouteTables"][0]["Routes"]
        }["0.0.0.0/0"]
        self.assertEqual(state(), "active")
        EC2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.assertEqual(state(), "blackhole")

    def test_a_subnet_has_one_association(self):
        EC2.associate_route_table(RouteTableId=self.tables[0], SubnetId=self.subnet)
        with self.refused("Resource.AlreadyAssociated"):
            EC2.associate_route_table(RouteTableId=self.tables[1], SubnetId=self.subnet)

    def test_the_main_table_stays(self):
        main = EC2.describe_route_tables(Filters=[*wish("vpc-id", self.vpc), *wish("association.main", "true")])[
            "RouteTables"
        ][0]
        with self.refused("DependencyViolation"):
            EC2.delete_route_table(RouteTableId=main["RouteTableId"])


class Acls(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.acl = EC2.create_network_acl(VpcId=cls.vpc, TagSpecifications=specification("network-acl"))["NetworkAcl"][
            "NetworkAclId"
        ]

    def entries(self):
        return EC2.describe_network_acls(NetworkAclIds=[self.acl])["NetworkAcls"][0]["Entries"]

    def test_a_custom_acl_ends_with_two_deny_entries(self):
        last = [entry for entry in self.entries() if entry["RuleNumber"] == 32767]
        self.assertEqual(
            sorted((entry["Egress"], entry["RuleAction"]) for entry in last), [(False, "deny"), (True, "deny")]
        )
        with self.refused("InvalidParameterValue"):
            EC2.delete_network_acl_entry(NetworkAclId=self.acl, RuleNumber=32767, Egress=True)

    def test_icmp_type_and_code_read_back(self):
        entry = {
            "NetworkAclId": self.acl,
            "RuleNumber": 7,
            "Protocol": "1",
            "RuleAction": "allow",
            "Egress": False,
            "CidrBlock": "10.0.0.0/8",
        }
        EC2.create_network_acl_entry(**entry, IcmpTypeCode={"Code": -1, "Type": 8})
        EC2.replace_network_acl_entry(**entry, IcmpTypeCode={"Code": -1, "Type": 0})
        self.assertEqual([e["IcmpTypeCode"] for e in self.entries() if e["RuleNumber"] == 7], [{"Code": -1, "Type": 0}])

    def test_missing_entries_and_associations_are_told(self):
        with self.refused("InvalidNetworkAclEntry.NotFound"):
            EC2.delete_network_acl_entry(NetworkAclId=self.acl, RuleNumber=99, Egress=True)
        with self.refused("InvalidNetworkAclEntry.NotFound"):
            EC2.replace_network_acl_entry(
                NetworkAclId=self.acl,
                RuleNumber=99,
                Egress=True,
                Protocol="-1",
                RuleAction="deny",
                CidrBlock="0.0.0.0/0",
            )
        with self.refused("InvalidAssociationID.NotFound"):
            EC2.replace_network_acl_association(AssociationId="aclassoc-0123456789abcdef0", NetworkAclId=self.acl)

    def test_the_default_acl_stays(self):
        default = EC2.describe_network_acls(Filters=[*wish("vpc-id", self.vpc), *wish("default", "true")])[
            "NetworkAcls"
        ][0]
        with self.refused("InvalidParameterValue"):
            EC2.delete_network_acl(NetworkAclId=default["NetworkAclId"])


class Tokens(Case):
    def test_a_repeated_token_answers_the_first_result(self):
        one = vpc()
        made = [EC2.create_route_table(VpcId=one, ClientToken="same")["RouteTable"]["RouteTableId"] for _ in range(2)]
        self.assertEqual(made[0], made[1])
        with self.refused("IdempotentParameterMismatch"):
            EC2.create_route_table(VpcId=vpc("10.9.0.0/16"), ClientToken="same")

    def test_a_token_of_something_gone_answers_what_is_gone(self):
        one = vpc()
        wanted = {"VpcId": one, "ServiceName": "com.amazonaws.eu-central-1.s3", "ClientToken": "once"}
        name = EC2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"]
        EC2.delete_vpc_endpoints(VpcEndpointIds=[name])
        self.assertEqual(EC2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"], name)
        with self.refused("InvalidVpcEndpointId.NotFound"):
            EC2.describe_vpc_endpoints(VpcEndpointIds=[name])

    def test_flow_logs_take_tokens(self):
        one = vpc()
        client("logs").create_log_group(logGroupName="/flow")
        from support import role

        arn = role("flow", "vpc-flow-logs.amazonaws.com")
        wanted = {
            "ResourceIds": [one],
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogGroupName": "/flow",
            "DeliverLogsPermissionArn": arn,
            "ClientToken": "flow",
        }
        made = [EC2.create_flow_logs(**wanted)["FlowLogIds"] for _ in range(2)]
        self.assertEqual(made[0], made[1])
        answer = EC2.delete_flow_logs(FlowLogIds=[*made[0], "fl-0123456789abcdef0"])["Unsuccessful"]
        self.assertEqual([item["ResourceId"] for item in answer], ["fl-0123456789abcdef0"])
        self.assertEqual(EC2.describe_flow_logs()["FlowLogs"], [])
        by_arn = {key: value for key, value in wanted.items() if key not in ("LogGroupName", "ClientToken")}
        by_arn["LogDestination"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/flow"
        name = EC2.create_flow_logs(**by_arn)["FlowLogIds"]
        shown = EC2.describe_flow_logs(FlowLogIds=name)["FlowLogs"][0]
        self.assertEqual((shown["LogGroupName"], shown["DeliverLogsStatus"]), ("/flow", "SUCCESS"))
        with self.refused("InvalidParameter"):
            EC2.create_flow_logs(**{**wanted, "DeliverLogsPermissionArn": arn + "x", "ClientToken": "other"})


class Tags(Case):
    def test_tags_need_their_resource(self):
        for name, code in (
            ("tgw-0123456789abcdef0", "InvalidTransitGatewayID.NotFound"),
            ("tgw-attach-0123456789abcdef0", "InvalidTransitGatewayAttachmentID.NotFound"),
            ("vpce-0123456789abcdef0", "InvalidVpcEndpointId.NotFound"),
            ("acl-0123456789abcdef0", "InvalidNetworkAclID.NotFound"),
        ):
            with self.subTest(name), self.refused(code):
                EC2.create_tags(Resources=[name], Tags=[{"Key": "A", "Value": "b"}])

    def test_the_tagging_api_finds_every_type(self):
        one = vpc()
        acl = EC2.create_network_acl(VpcId=one)["NetworkAcl"]["NetworkAclId"]
        EC2.create_tags(Resources=[one, acl], Tags=[{"Key": "Mark", "Value": "1"}])
        found = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "Mark"}])["ResourceTagMappingList"]
        self.assertEqual({item["ResourceARN"].split("/")[-1] for item in found}, {one, acl})
