"""What AWS refuses of a request by itself, before it looks at anything in the account."""

import json
import urllib.error
import urllib.request

import boto3
from support import ACCOUNT, REGION, Case, client, control, endpoint, group, vpc

EC2, IAM, KMS, RDS, S3 = (client(name) for name in ("ec2", "iam", "kms", "rds", "s3"))
LOGS, TABLES, SECRETS = client("logs"), client("dynamodb"), client("secretsmanager")


def tags(count, key="Key", value="Value"):
    """Tags with distinct keys."""
    return [{key: f"k{number}", value: "v"} for number in range(count)]


class Model(Case):
    def test_upper_limits_patterns_and_types_hold_as_well_as_lower_ones(self):
        with self.refused("InvalidParameterValue", "max value: 100"):
            EC2.describe_route_tables(MaxResults=1000)
        with self.refused("InvalidParameterValue", "min value: 5"):
            EC2.describe_vpcs(MaxResults=4)
        with self.refused("ValidationException", "Limit"):
            KMS.list_aliases(Limit=101)
        with self.refused("ValidationError", "max length: 64"):
            IAM.get_role(RoleName="r" * 65)
        with self.refused("ValidationError", "regular expression"):
            IAM.get_role(RoleName="a b")
        with self.refused("InvalidParameterException", "regular expression"):
            LOGS.create_log_group(logGroupName="with space")
        with self.refused("ValidationException", "regular expression"):
            KMS.create_alias(AliasName="alias/with space", TargetKeyId="x")
        with self.refused("ValidationException", "Invalid type"):
            client("dynamodb").list_tables(Limit="ten")

    def test_s3_is_checked_like_the_others(self):
        S3.create_bucket(Bucket="checked", CreateBucketConfiguration={"LocationConstraint": REGION})
        with self.refused("MalformedXML", "Valid values are"):
            S3.put_bucket_versioning(Bucket="checked", VersioningConfiguration={"Status": "On"})
        with self.refused("MalformedXML", "Missing required parameter"):
            S3.put_bucket_lifecycle_configuration(
                Bucket="checked",
                LifecycleConfiguration={"Rules": [{"ID": "a", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]},
            )

    def test_the_log_names_what_the_model_does_not_know(self):
        url = f"{endpoint()}/checked-elements?tagging"
        S3.create_bucket(Bucket="checked-elements", CreateBucketConfiguration={"LocationConstraint": REGION})
        body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value><Color>red</Color></Tag></TagSet></Tagging>"
        signed = f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"Authorization": signed, "Content-MD5": "wrong", "x-amz-future": "1"}
        wrong = urllib.request.Request(url, data=body, method="PUT", headers=headers)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wrong, timeout=30)
        self.assertIn(b"BadDigest", refused.exception.read())
        entry = control("GET", "_sandbox/calls")["calls"][-1]
        self.assertEqual(entry["strange"], ["x-amz-future", "/Tagging/TagSet/Tag/Color"])
        EC2.describe_vpcs()
        self.assertEqual(control("GET", "_sandbox/calls")["calls"][-1]["strange"], [])
        signed = signed.replace("/s3/", "/ec2/")
        body = b"Action=DescribeVpcs&Version=2016-11-15&Color=red"
        urllib.request.urlopen(
            urllib.request.Request(endpoint(), data=body, headers={"Authorization": signed}), timeout=30
        ).read()
        self.assertEqual(control("GET", "_sandbox/calls")["calls"][-1]["strange"], ["Color"])


class Tags(Case):
    def test_every_service_refuses_too_many_twice_the_same_reserved_and_too_long_ones(self):
        name = vpc()
        make = {
            "ec2": ("InvalidParameterValue", lambda t: EC2.create_tags(Resources=[name], Tags=t)),
            "iam": (
                "InvalidInput",
                lambda t: IAM.create_role(RoleName="tagged", AssumeRolePolicyDocument="{}", Tags=t),
            ),
            "rds": (
                "InvalidParameterValue",
                lambda t: RDS.create_db_parameter_group(
                    DBParameterGroupName="tagged", DBParameterGroupFamily="aurora-postgresql14", Description="d", Tags=t
                ),
            ),
            "kms": (
                "TagException",
                lambda t: KMS.create_key(Tags=[{"TagKey": x["Key"], "TagValue": x["Value"]} for x in t]),
            ),
            "dynamodb": (
                "ValidationException",
                lambda t: TABLES.tag_resource(ResourceArn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/abc", Tags=t),
            ),
            "secretsmanager": ("InvalidParameterException", lambda t: SECRETS.create_secret(Name="tagged", Tags=t)),
        }
        for service, (code, call) in make.items():
            with self.subTest(service):
                with self.refused(code, "Duplicate"):
                    call([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])
                with self.refused(code, "reserved"):
                    call([{"Key": "aws:x", "Value": "1"}])
        for tag in ({"Key": "RDS:x", "Value": "1"}, {"Key": "a", "Value": "rds:1"}, {"Key": "a", "Value": "AWS:1"}):
            with self.refused("InvalidParameterValue", "reserved"):
                make["rds"][1]([tag])
        with self.refused("InvalidParameterException", "reserved"):
            client("ecs").create_cluster(clusterName="tagged", tags=[{"key": "a", "value": "Aws:1"}])
        with self.refused("TagLimitExceeded"):
            EC2.create_tags(Resources=[name], Tags=tags(51))
        with self.refused("InvalidParameterValue", "too long"):
            EC2.create_tags(Resources=[name], Tags=[{"Key": "k" * 129, "Value": ""}])
        with self.refused("InvalidParameterValue", "not allowed"):
            make["rds"][1]([{"Key": "a", "Value": "semi;colon"}])
        with self.refused("InvalidParameterException", "reserved"):
            LOGS.create_log_group(logGroupName="tagged", tags={"aws:x": "1"})


class Names(Case):
    def test_documented_names_are_kept_to(self):
        for wrong in ("1abc", "a--b", "a-", "a" * 64, "a_b"):
            with self.refused("InvalidParameterValue", "DBClusterIdentifier"):
                RDS.create_db_cluster(DBClusterIdentifier=wrong, Engine="aurora-postgresql")
        with self.refused("InvalidParameterValue", "DBSubnetGroupName"):
            RDS.create_db_subnet_group(DBSubnetGroupName="Default", DBSubnetGroupDescription="d", SubnetIds=[])
        with self.refused("InvalidParameterValue", "MaxRecords"):
            RDS.describe_db_clusters(MaxRecords=10)
        with self.refused("ValidationException", "TableName"):
            TABLES.describe_table(TableName="a b")
        with self.refused("ValidationException", "AliasName"):
            KMS.create_alias(AliasName="alias/aws/mine", TargetKeyId="x")
        for wrong in ("Upper", "1.2.3.4", "a..b", "xn--a", "-ab"):
            with self.refused("InvalidArgument", "Bucket"):
                S3.create_bucket(Bucket=wrong, CreateBucketConfiguration={"LocationConstraint": REGION})

    def test_tokens_pages_and_policies_have_their_limits(self):
        name = vpc()
        with self.refused("InvalidParameterValue", "ClientToken"):
            EC2.create_route_table(VpcId=name, ClientToken="x" * 65)
        with self.refused("InvalidParameterValue", "MaxResults"):
            EC2.describe_tags(MaxResults=4)
        with self.refused("InvalidParameterValue", "PolicyDocument"):
            EC2.create_vpc_endpoint(VpcId=name, ServiceName="x", PolicyDocument=json.dumps({"a": "b" * 20480}))
        with self.refused("InvalidParameterValue", "MaxAggregationInterval"):
            EC2.create_flow_logs(
                ResourceIds=[name], ResourceType="VPC", TrafficType="ALL", LogGroupName="g", MaxAggregationInterval=61
            )


class Combinations(Case):
    def test_one_vpc_attribute_a_call(self):
        name = vpc(dns=False)
        on = {"Value": True}
        with self.refused("InvalidParameterCombination", "multiple attribute types"):
            EC2.modify_vpc_attribute(VpcId=name, EnableDnsHostnames=on, EnableDnsSupport=on)
        with self.refused("InvalidParameterCombination"):
            EC2.modify_vpc_attribute(VpcId=name)
        EC2.modify_vpc_attribute(VpcId=name, EnableDnsSupport={"Value": False})
        with self.refused("InvalidParameterValue", "DNS support"):
            EC2.modify_vpc_attribute(VpcId=name, EnableDnsHostnames=on)

    def test_a_further_block_goes_whole_and_not_from_under_its_subnets(self):
        name = vpc()
        block = EC2.associate_vpc_cidr_block(VpcId=name, CidrBlock="10.9.0.0/16")["CidrBlockAssociation"]["AssociationId"]
        inside = EC2.create_subnet(VpcId=name, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        with self.refused("InvalidCidrBlock.InUse", inside):
            EC2.disassociate_vpc_cidr_block(AssociationId=block)
        EC2.delete_subnet(SubnetId=inside)
        EC2.disassociate_vpc_cidr_block(AssociationId=block)
        shown = EC2.describe_vpcs(VpcIds=[name])["Vpcs"][0]["CidrBlockAssociationSet"]
        self.assertEqual([entry["CidrBlock"] for entry in shown], ["10.0.0.0/16"])
        with self.refused("InvalidVpcCidrBlockAssociationID.NotFound"):
            EC2.disassociate_vpc_cidr_block(AssociationId=block)

    def test_each_type_of_endpoint_has_settings_of_its_own(self):
        name = vpc()
        gateway = {"VpcId": name, "ServiceName": f"com.amazonaws.{REGION}.s3", "VpcEndpointType": "Gateway"}
        with self.refused("InvalidParameter", "PrivateDnsEnabled"):
            EC2.create_vpc_endpoint(**gateway, PrivateDnsEnabled=True)
        with self.refused("InvalidParameter", "SecurityGroupIds"):
            EC2.create_vpc_endpoint(**gateway, SecurityGroupIds=[group(name)])
        with self.refused("InvalidParameter", "RouteTableIds"):
            EC2.create_vpc_endpoint(**{**gateway, "VpcEndpointType": "Interface"}, RouteTableIds=["rtb-1"])

    def test_rules_and_entries(self):
        name = vpc()
        guarded = group(name)
        rule = EC2.authorize_security_group_ingress(
            GroupId=guarded,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
            ],
        )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        update = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIpv4": "10.0.0.0/8", "Description": "ü"}
        with self.refused("InvalidParameterValue", "description"):
            EC2.modify_security_group_rules(
                GroupId=guarded, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": update}]
            )
        acl = EC2.create_network_acl(VpcId=name)["NetworkAcl"]["NetworkAclId"]
        entry = {"NetworkAclId": acl, "Egress": False, "RuleAction": "allow", "CidrBlock": "10.0.0.0/8"}
        with self.refused("MissingParameter", "PortRange"):
            EC2.create_network_acl_entry(**entry, RuleNumber=1, Protocol="6")
        with self.refused("MissingParameter", "IcmpTypeCode"):
            EC2.create_network_acl_entry(**entry, RuleNumber=1, Protocol="1")
        for number in range(1, 21):
            EC2.create_network_acl_entry(**entry, RuleNumber=number, Protocol="-1")
        with self.refused("NetworkAclEntryLimitExceeded"):
            EC2.create_network_acl_entry(**entry, RuleNumber=21, Protocol="-1")


class Checksums(Case):
    def test_what_must_carry_a_digest_is_refused_without(self):
        S3.create_bucket(Bucket="digest", CreateBucketConfiguration={"LocationConstraint": REGION})
        plain = boto3.client(
            "s3",
            endpoint_url=endpoint(),
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

        def without(request, **_):
            for name in list(request.headers):
                if name.lower().startswith(("x-amz-checksum", "content-md5")):
                    del request.headers[name]

        plain.meta.events.register("before-sign.s3", without)
        with self.refused("InvalidRequest", "Content-MD5"):
            plain.delete_objects(Bucket="digest", Delete={"Objects": [{"Key": "a"}]})
        S3.delete_objects(Bucket="digest", Delete={"Objects": [{"Key": "a"}]})
