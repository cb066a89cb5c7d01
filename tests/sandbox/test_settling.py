"""States in between, while `latency` is set."""

import urllib.error

from support import Case, client, control, group, subnets, vpc, wish

EC2, RDS, DYNAMODB = client("ec2"), client("rds"), client("dynamodb")
NO_DEFAULTS = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}


class Settling(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control("POST", "_sandbox/latency", {"latency": "600"})


class Gateways(Settling):
    def state(self, name):
        return EC2.describe_transit_gateways(TransitGatewayIds=[name])["TransitGateways"][0]["State"]

    def attachment(self, name):
        return EC2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[name])[
            "TransitGatewayVpcAttachments"
        ][0]["State"]

    def test_life(self):
        one = vpc()
        made = EC2.create_transit_gateway(Options=NO_DEFAULTS)["TransitGateway"]
        gateway = made["TransitGatewayId"]
        self.assertEqual((made["State"], self.state(gateway)), ("pending", "pending"))
        wanted = {"TransitGatewayId": gateway, "VpcId": one, "SubnetIds": subnets(one)}
        with self.refused("IncorrectState"):
            EC2.create_transit_gateway_vpc_attachment(**wanted)
        with self.refused("IncorrectState"):
            EC2.delete_transit_gateway(TransitGatewayId=gateway)
        self.skip(601)
        self.assertEqual(self.state(gateway), "available")
        table = EC2.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"][
            "TransitGatewayRouteTableId"
        ]
        name = EC2.create_transit_gateway_vpc_attachment(**wanted)["TransitGatewayVpcAttachment"][
            "TransitGatewayAttachmentId"
        ]
        both = {"TransitGatewayRouteTableId": table, "TransitGatewayAttachmentId": name}
        routes = EC2.create_route_table(VpcId=one)["RouteTable"]["RouteTableId"]
        for code, attempt in (
            ("IncorrectState", lambda: EC2.associate_transit_gateway_route_table(**both)),
            ("IncorrectState", lambda: EC2.enable_transit_gateway_route_table_propagation(**both)),
            ("IncorrectState", lambda: EC2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)),
            (
                "InvalidTransitGatewayID.NotFound",
                lambda: EC2.create_route(
                    RouteTableId=routes, DestinationCidrBlock="10.9.0.0/16", TransitGatewayId=gateway
                ),
            ),
        ):
            with self.refused(code):
                attempt()
        self.skip(601)
        self.assertEqual(self.attachment(name), "available")
        self.assertEqual(EC2.associate_transit_gateway_route_table(**both)["Association"]["State"], "associating")
        association = lambda: [
            a["State"]
            for a in EC2.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=table)["Associations"]
        ]
        self.assertEqual(association(), ["associating"])
        self.skip(601)
        self.assertEqual(association(), ["associated"])
        EC2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.assertEqual(self.attachment(name), "deleting")
        with self.refused("IncorrectState"):
            EC2.delete_transit_gateway(TransitGatewayId=gateway)
        with self.refused("DependencyViolation"):
            EC2.delete_subnet(SubnetId=wanted["SubnetIds"][0])
        self.skip(601)
        self.assertEqual(self.attachment(name), "deleted")
        EC2.delete_subnet(SubnetId=wanted["SubnetIds"][0])
        EC2.delete_transit_gateway(TransitGatewayId=gateway)
        self.assertEqual(self.state(gateway), "deleting")
        self.skip(601)
        self.assertEqual(self.state(gateway), "deleted")


class Endpoints(Settling):
    def test_life(self):
        one = vpc()
        inside, own = subnets(one), group(one)
        wanted = {
            "VpcId": one,
            "ServiceName": "com.amazonaws.eu-central-1.kms",
            "VpcEndpointType": "Interface",
            "SubnetIds": inside,
            "SecurityGroupIds": [own],
        }
        name = EC2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"]
        state = lambda: [
            e["State"] for e in EC2.describe_vpc_endpoints(Filters=wish("vpc-endpoint-id", name))["VpcEndpoints"]
        ]
        self.assertEqual(state(), ["pending"])
        with self.refused("IncorrectState"):
            EC2.modify_vpc_endpoint(VpcEndpointId=name, PrivateDnsEnabled=False)
        self.skip(601)
        self.assertEqual(state(), ["available"])
        EC2.delete_vpc_endpoints(VpcEndpointIds=[name])
        self.assertEqual(state(), ["deleting"])
        with self.refused("InvalidParameter"):
            EC2.create_vpc_endpoint(**wanted)
        for code, attempt in (
            ("DependencyViolation", lambda: EC2.delete_subnet(SubnetId=inside[0])),
            ("DependencyViolation", lambda: EC2.delete_security_group(GroupId=own)),
            ("DependencyViolation", lambda: EC2.delete_vpc(VpcId=one)),
        ):
            with self.refused(code):
                attempt()
        self.skip(601)
        self.assertEqual(state(), [])
        EC2.delete_security_group(GroupId=own)


class Databases(Settling):
    def cluster(self):
        return [c["Status"] for c in RDS.describe_db_clusters()["DBClusters"]]

    def instances(self):
        return sorted(i["DBInstanceStatus"] for i in RDS.describe_db_instances()["DBInstances"])

    def test_life(self):
        RDS.create_db_subnet_group(DBSubnetGroupName="group", DBSubnetGroupDescription="d", SubnetIds=subnets(vpc()))
        scaling = {"MinCapacity": 0.5, "MaxCapacity": 1}
        RDS.create_db_cluster(
            DBClusterIdentifier="c",
            Engine="aurora-postgresql",
            EngineVersion="14.6",
            DBSubnetGroupName="group",
            MasterUsername="admin1",
            ManageMasterUserPassword=True,
            ServerlessV2ScalingConfiguration=scaling,
        )
        self.assertEqual(self.cluster(), ["creating"])
        with self.refused("InvalidDBClusterStateFault"):
            RDS.modify_db_cluster(DBClusterIdentifier="c", BackupRetentionPeriod=7)
        for name in ("a", "b"):
            RDS.create_db_instance(
                DBInstanceIdentifier=name,
                DBClusterIdentifier="c",
                Engine="aurora-postgresql",
                DBInstanceClass="db.serverless",
            )
        self.assertEqual(self.instances(), ["creating", "creating"])
        with self.refused("InvalidDBInstanceState"):
            RDS.modify_db_instance(DBInstanceIdentifier="a", PromotionTier=2)
        self.skip(601)
        self.assertEqual(self.instances(), ["available", "available"])
        self.skip(601)
        self.assertEqual(self.cluster(), ["available"])
        secret = RDS.describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]
        self.assertEqual(secret["SecretStatus"], "active")
        RDS.delete_db_instance(DBInstanceIdentifier="a", SkipFinalSnapshot=True)
        self.assertEqual(self.instances(), ["available", "deleting"])
        with self.refused("InvalidDBInstanceState"):
            RDS.delete_db_instance(DBInstanceIdentifier="a", SkipFinalSnapshot=True)
        with self.refused("InvalidDBClusterStateFault"):
            RDS.delete_db_cluster(DBClusterIdentifier="c", SkipFinalSnapshot=True)
        RDS.delete_db_instance(DBInstanceIdentifier="b", SkipFinalSnapshot=True)
        RDS.delete_db_cluster(DBClusterIdentifier="c", SkipFinalSnapshot=True)
        self.assertEqual(self.cluster(), ["deleting"])
        with self.refused("InvalidDBClusterStateFault"):
            RDS.create_db_instance(
                DBInstanceIdentifier="d",
                DBClusterIdentifier="c",
                Engine="aurora-postgresql",
                DBInstanceClass="db.serverless",
            )
        with self.refused("InvalidDBSubnetGroupStateFault"):
            RDS.delete_db_subnet_group(DBSubnetGroupName="group")
        with self.refused("DBClusterAlreadyExistsFault"):
            RDS.create_db_cluster(
                DBClusterIdentifier="c",
                Engine="aurora-postgresql",
                MasterUsername="admin1",
                ManageMasterUserPassword=True,
            )
        self.skip(601)
        self.assertEqual(self.cluster(), [])
        self.assertEqual(self.instances(), [])
        RDS.delete_db_subnet_group(DBSubnetGroupName="group")


class Tables(Settling):
    def state(self):
        return DYNAMODB.describe_table(TableName="tab")["Table"]["TableStatus"]

    def test_life(self):
        attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "user")]
        DYNAMODB.create_table(
            TableName="tab",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=attributes[:1],
        )
        self.assertEqual(self.state(), "CREATING")
        for code, attempt in (
            (
                "ResourceInUseException",
                lambda: DYNAMODB.update_time_to_live(
                    TableName="tab", TimeToLiveSpecification={"Enabled": True, "AttributeName": "x"}
                ),
            ),
            (
                "ContinuousBackupsUnavailableException",
                lambda: DYNAMODB.update_continuous_backups(
                    TableName="tab", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
                ),
            ),
            ("ResourceInUseException", lambda: DYNAMODB.delete_table(TableName="tab")),
            ("ResourceInUseException", lambda: DYNAMODB.update_table(TableName="tab", BillingMode="PROVISIONED")),
        ):
            with self.refused(code):
                attempt()
        self.skip(601)
        self.assertEqual(self.state(), "ACTIVE")
        one = {
            "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "IndexName": "by-user",
        }
        DYNAMODB.update_table(
            TableName="tab", AttributeDefinitions=attributes, GlobalSecondaryIndexUpdates=[{"Create": one}]
        )
        index = lambda: DYNAMODB.describe_table(TableName="tab")["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"]
        self.assertEqual(index(), "CREATING")
        self.skip(601)
        self.assertEqual(index(), "ACTIVE")
        DYNAMODB.delete_table(TableName="tab")
        self.assertEqual(self.state(), "DELETING")
        self.skip(601)
        self.assertEqual(DYNAMODB.list_tables()["TableNames"], [])


class Latency(Case):
    def test_settings(self):
        for text, shown in (("aws/100", "aws/100"), ("2", "2"), ("none", "none")):
            self.assertEqual(control("POST", "_sandbox/latency", {"latency": text})["latency"], shown)
        for text in ("aws/0", "soon", "-1", "aws/"):
            with self.subTest(text), self.assertRaises(urllib.error.HTTPError):
                control("POST", "_sandbox/latency", {"latency": text})
