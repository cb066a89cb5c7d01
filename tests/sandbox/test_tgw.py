"""Transit Gateways."""

from support import Case, client, specification, subnets, vpc, wish

EC2 = client("ec2")
NO_DEFAULTS = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}


def gateway(**options):
    made = EC2.create_transit_gateway(
        Options={**NO_DEFAULTS, **options}, TagSpecifications=specification("transit-gateway")
    )
    return made["TransitGateway"]["TransitGatewayId"]


def attach(name, vpc_id, subnet_ids, **tags):
    made = EC2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=name,
        VpcId=vpc_id,
        SubnetIds=subnet_ids,
        TagSpecifications=specification("transit-gateway-attachment", **tags),
    )
    return made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]


def table(name, **tags):
    made = EC2.create_transit_gateway_route_table(
        TransitGatewayId=name, TagSpecifications=specification("transit-gateway-route-table", **tags)
    )
    return made["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]


def routes(name, *types):
    found = EC2.search_transit_gateway_routes(
        TransitGatewayRouteTableId=name, Filters=wish("type", *(types or ("static", "propagated")))
    )["Routes"]
    return sorted((route["DestinationCidrBlock"], route["Type"], route["State"]) for route in found)


class TransitGateways(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpcs = [vpc("10.10.0.0/16"), vpc("10.20.0.0/16")]
        cls.subnets = [subnets(cls.vpcs[0], 3, "10.10"), subnets(cls.vpcs[1], 3, "10.20")]

    def setUp(self):
        self.gateway = gateway()
        self.attachments = [
            attach(self.gateway, self.vpcs[number], self.subnets[number], Side=str(number)) for number in (0, 1)
        ]
        self.tables = [table(self.gateway, Side=str(number)) for number in (0, 1)]

    def tearDown(self):
        for item in EC2.describe_transit_gateway_vpc_attachments(Filters=wish("state", "available"))[
            "TransitGatewayVpcAttachments"
        ]:
            EC2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=item["TransitGatewayAttachmentId"])
        for item in EC2.describe_transit_gateways(Filters=wish("state", "available"))["TransitGateways"]:
            EC2.delete_transit_gateway(TransitGatewayId=item["TransitGatewayId"])

    def test_tags_and_tag_filters(self):
        by_tag = wish("tag:Side", "1")
        found = EC2.describe_transit_gateway_vpc_attachments(Filters=by_tag)["TransitGatewayVpcAttachments"]
        self.assertEqual(
            [(a["TransitGatewayAttachmentId"], a["Tags"]) for a in found if a["State"] == "available"],
            [(self.attachments[1], [{"Key": "Side", "Value": "1"}])],
        )
        found = EC2.describe_transit_gateway_attachments(Filters=by_tag)["TransitGatewayAttachments"]
        self.assertIn(self.attachments[1], [a["TransitGatewayAttachmentId"] for a in found])
        self.assertNotIn(self.attachments[0], [a["TransitGatewayAttachmentId"] for a in found])
        found = EC2.describe_transit_gateway_route_tables(Filters=[*by_tag, *wish("transit-gateway-id", self.gateway)])[
            "TransitGatewayRouteTables"
        ]
        self.assertEqual([t["TransitGatewayRouteTableId"] for t in found], [self.tables[1]])
        EC2.create_tags(Resources=[self.attachments[0]], Tags=[{"Key": "Late", "Value": "1"}])
        EC2.delete_tags(Resources=[self.attachments[0]], Tags=[{"Key": "Side"}])
        shown = EC2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=self.attachments[:1])[
            "TransitGatewayVpcAttachments"
        ][0]
        self.assertEqual(shown["Tags"], [{"Key": "Late", "Value": "1"}])
        with self.refused("InvalidParameterValue"):
            EC2.describe_transit_gateways(Filters=wish("nonsense", "1"))

    def test_propagation_yields_routes_and_static_ones_win(self):
        EC2.enable_transit_gateway_route_table_propagation(
            TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[1]
        )
        self.assertEqual(routes(self.tables[0]), [("10.20.0.0/16", "propagated", "active")])
        with self.refused("TransitGatewayRouteTablePropagation.Duplicate"):
            EC2.enable_transit_gateway_route_table_propagation(
                TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[1]
            )
        shown = EC2.get_transit_gateway_route_table_propagations(TransitGatewayRouteTableId=self.tables[0])[
            "TransitGatewayRouteTablePropagations"
        ]
        self.assertEqual(
            [(p["TransitGatewayAttachmentId"], p["ResourceId"], p["State"]) for p in shown],
            [(self.attachments[1], self.vpcs[1], "enabled")],
        )
        EC2.create_transit_gateway_route(
            TransitGatewayRouteTableId=self.tables[0], DestinationCidrBlock="10.20.0.0/16", Blackhole=True
        )
        self.assertEqual(routes(self.tables[0]), [("10.20.0.0/16", "static", "blackhole")])
        EC2.delete_transit_gateway_route(TransitGatewayRouteTableId=self.tables[0], DestinationCidrBlock="10.20.0.0/16")
        EC2.disable_transit_gateway_route_table_propagation(
            TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[1]
        )
        self.assertEqual(routes(self.tables[0]), [])
        with self.refused("TransitGatewayRouteTablePropagation.NotFound"):
            EC2.disable_transit_gateway_route_table_propagation(
                TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[1]
            )

    def test_static_routes(self):
        name = self.tables[0]
        made = EC2.create_transit_gateway_route(
            TransitGatewayRouteTableId=name,
            DestinationCidrBlock="10.99.0.0/16",
            TransitGatewayAttachmentId=self.attachments[1],
        )["Route"]
        self.assertEqual(made["TransitGatewayAttachments"][0]["ResourceId"], self.vpcs[1])
        with self.refused("RouteAlreadyExists"):
            EC2.create_transit_gateway_route(
                TransitGatewayRouteTableId=name, DestinationCidrBlock="10.99.0.0/16", Blackhole=True
            )
        EC2.replace_transit_gateway_route(
            TransitGatewayRouteTableId=name, DestinationCidrBlock="10.99.0.0/16", Blackhole=True
        )
        self.assertEqual(routes(name), [("10.99.0.0/16", "static", "blackhole")])
        found = EC2.search_transit_gateway_routes(
            TransitGatewayRouteTableId=name, Filters=wish("route-search.exact-match", "10.99.0.0/16")
        )["Routes"]
        self.assertEqual(len(found), 1)
        with self.refused("InvalidRoute.NotFound"):
            EC2.delete_transit_gateway_route(TransitGatewayRouteTableId=name, DestinationCidrBlock="10.98.0.0/16")

    def test_one_association_per_attachment(self):
        EC2.associate_transit_gateway_route_table(
            TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[0]
        )
        with self.refused("Resource.AlreadyAssociated"):
            EC2.associate_transit_gateway_route_table(
                TransitGatewayRouteTableId=self.tables[1], TransitGatewayAttachmentId=self.attachments[0]
            )
        shown = EC2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=self.tables[0])[
            "Associations"
        ]
        self.assertEqual(
            [(a["TransitGatewayAttachmentId"], a["State"]) for a in shown], [(self.attachments[0], "associated")]
        )
        with self.refused("IncorrectState"):
            EC2.delete_transit_gateway_route_table(TransitGatewayRouteTableId=self.tables[0])
        EC2.disassociate_transit_gateway_route_table(
            TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[0]
        )
        EC2.delete_transit_gateway_route_table(TransitGatewayRouteTableId=self.tables[0])
        with self.refused("InvalidRouteTableID.NotFound"):
            EC2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=self.tables[0])

    def test_a_gateway_with_attachments_is_not_deleted(self):
        with self.refused("IncorrectState", self.attachments[0]):
            EC2.delete_transit_gateway(TransitGatewayId=self.gateway)
        for name in self.attachments:
            EC2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        EC2.delete_transit_gateway(TransitGatewayId=self.gateway)
        shown = EC2.describe_transit_gateways(TransitGatewayIds=[self.gateway])["TransitGateways"][0]
        self.assertEqual(shown["State"], "deleted")
        self.assertEqual(EC2.describe_tags(Filters=wish("resource-id", self.gateway, *self.attachments))["Tags"], [])
        with self.refused("InvalidTransitGatewayID.NotFound"):
            EC2.delete_transit_gateway(TransitGatewayId=self.gateway)

    def test_what_an_attachment_leaves_behind(self):
        route_table = EC2.create_route_table(VpcId=self.vpcs[0])["RouteTable"]["RouteTableId"]
        EC2.create_route(RouteTableId=route_table, DestinationCidrBlock="10.20.0.0/16", TransitGatewayId=self.gateway)
        EC2.associate_transit_gateway_route_table(
            TransitGatewayRouteTableId=self.tables[0], TransitGatewayAttachmentId=self.attachments[0]
        )
        EC2.enable_transit_gateway_route_table_propagation(
            TransitGatewayRouteTableId=self.tables[1], TransitGatewayAttachmentId=self.attachments[0]
        )
        EC2.create_transit_gateway_route(
            TransitGatewayRouteTableId=self.tables[1],
            DestinationCidrBlock="10.77.0.0/16",
            TransitGatewayAttachmentId=self.attachments[0],
        )
        with self.refused("DependencyViolation"):
            EC2.delete_subnet(SubnetId=self.subnets[0][0])
        EC2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=self.attachments[0])
        self.assertEqual(
            EC2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=self.tables[0])["Associations"],
            [],
        )
        self.assertEqual(routes(self.tables[1]), [("10.77.0.0/16", "static", "blackhole")])
        shown = EC2.describe_route_tables(RouteTableIds=[route_table])["RouteTables"][0]["Routes"]
        self.assertEqual([r["State"] for r in shown if r.get("TransitGatewayId")], ["blackhole"])
        self.assertEqual(EC2.describe_network_interfaces(Filters=wish("vpc-id", self.vpcs[0]))["NetworkInterfaces"], [])

    def test_attachment_refusals(self):
        with self.refused("DuplicateTransitGatewayAttachment"):
            attach(self.gateway, self.vpcs[0], self.subnets[0])
        with self.refused("InvalidSubnetID.NotFound"):
            attach(gateway(), self.vpcs[0], ["subnet-0123456789abcdef0"])
        with self.refused("InvalidParameterValue"):
            attach(gateway(), self.vpcs[0], self.subnets[1])
        with self.refused("InvalidTransitGatewayID.NotFound"):
            attach("tgw-0123456789abcdef0", self.vpcs[0], self.subnets[0])

    def test_subnets_of_an_attachment_can_change(self):
        EC2.modify_transit_gateway_vpc_attachment(
            TransitGatewayAttachmentId=self.attachments[0],
            RemoveSubnetIds=self.subnets[0][:1],
            Options={"ApplianceModeSupport": "enable"},
        )
        shown = EC2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=self.attachments[:1])[
            "TransitGatewayVpcAttachments"
        ][0]
        self.assertEqual(
            (shown["SubnetIds"], shown["Options"]["ApplianceModeSupport"], shown["State"]),
            (self.subnets[0][1:], "enable", "available"),
        )
        EC2.modify_transit_gateway(TransitGatewayId=self.gateway, Description="new")
        self.assertEqual(
            EC2.describe_transit_gateways(TransitGatewayIds=[self.gateway])["TransitGateways"][0]["Description"], "new"
        )

    def test_default_route_table(self):
        one = EC2.create_transit_gateway()["TransitGateway"]
        default = one["Options"]["AssociationDefaultRouteTableId"]
        other = vpc("10.30.0.0/16")
        attachment = attach(one["TransitGatewayId"], other, subnets(other, 1, "10.30"))
        self.assertEqual(routes(default), [("10.30.0.0/16", "propagated", "active")])
        shown = EC2.describe_transit_gateway_attachments(TransitGatewayAttachmentIds=[attachment])[
            "TransitGatewayAttachments"
        ][0]
        self.assertEqual(shown["Association"], {"TransitGatewayRouteTableId": default, "State": "associated"})
