"""The inventory: two equal deployments give the same text, and nothing is left out."""

import json
import pathlib
import subprocess
import sys

import inventory
from support import REGION, TAGS, Case, client, control, endpoint, group, key, role, specification, subnets, vpc

EC2 = client("ec2")


class Account(inventory.Account):
    """With the clients of the tests: making new ones takes longer than the inventory."""

    def client(self, service):
        return client(service)


def look():
    return inventory.collected(Account(endpoint(), REGION))


def command(*more):
    script = pathlib.Path(inventory.__file__)
    return subprocess.run(
        [sys.executable, str(script), endpoint(), *more], check=True, capture_output=True, text=True
    ).stdout


def deploy():
    one = vpc()
    EC2.create_tags(Resources=[one], Tags=TAGS)
    inside = subnets(one)
    for number, name in enumerate(inside):
        EC2.create_tags(Resources=[name], Tags=[{"Key": "Name", "Value": f"subnet-{number}"}])
    first, second = group(one, "first"), group(one, "second")
    EC2.authorize_security_group_ingress(
        GroupId=first,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": second}]}
        ],
    )
    EC2.create_vpc_endpoint(
        VpcId=one,
        ServiceName="com.amazonaws.eu-central-1.kms",
        VpcEndpointType="Interface",
        SubnetIds=inside,
        SecurityGroupIds=[first],
        TagSpecifications=specification("vpc-endpoint"),
    )
    gateway = EC2.create_transit_gateway(TagSpecifications=specification("transit-gateway"))["TransitGateway"][
        "TransitGatewayId"
    ]
    EC2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway,
        VpcId=one,
        SubnetIds=inside,
        TagSpecifications=specification("transit-gateway-attachment"),
    )
    name = key()
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=name)
    client("kms").schedule_key_deletion(KeyId=key(), PendingWindowInDays=7)
    client("s3").create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    client("dynamodb").create_table(
        TableName="sessions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=attributes,
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": name},
    )
    client("logs").create_log_group(logGroupName="/flow", tags={"A": "b"})
    role("worker", "ecs-tasks.amazonaws.com")
    client("rds").create_db_subnet_group(DBSubnetGroupName="group", DBSubnetGroupDescription="d", SubnetIds=inside)
    client("rds").create_db_cluster(
        DBClusterIdentifier="data",
        Engine="aurora-postgresql",
        EngineVersion="14.6",
        DBSubnetGroupName="group",
        MasterUsername="admin1",
        ManageMasterUserPassword=True,
        KmsKeyId=name,
        StorageEncrypted=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 1},
    )
    client("rds").create_db_instance(
        DBInstanceIdentifier="data-0",
        DBClusterIdentifier="data",
        Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
    )


class Inventory(Case):
    def test_equal_deployments_look_equal(self):
        empty = inventory.ids(look())
        deploy()
        account = look()
        first, ids = inventory.text(account), inventory.ids(account)
        self.assertEqual(command("--ids").strip(), ids)
        control("POST", "moto-api/reset")
        deploy()
        second = inventory.text(look())
        self.maxDiff = 2000
        self.assertEqual(first, second)
        found = json.loads(first)
        for kind in (
            "vpc",
            "subnet",
            "security-group-rule",
            "vpc-endpoint",
            "transit-gateway",
            "transit-gateway-attachment",
            "key",
            "bucket",
            "table",
            "log-group",
            "role",
            "db-cluster",
            "db-instance",
            "secret",
        ):
            self.assertIn(kind, found)
        self.assertEqual(len(found["key"]), 1)
        self.assertIn("bucket documents", ids)
        self.assertTrue(set(empty.splitlines()) - set(ids.splitlines()) == set())
        client("s3").put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
        self.assertNotEqual(inventory.text(look()), second)
