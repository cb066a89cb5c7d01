"""An independent client looks up values of a report of evidence: whatever it says was read is what AWS shows.

    python tests/audit/evidence.py ENDPOINT REPORT.json     # one line per difference, then how many values were looked up
"""

import json
import sys

import boto3

REGION = "eu-central-1"


def clients(endpoint):
    def client(service):
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="auditor",
            aws_secret_access_key="auditor",
        )

    return client


def lookups(client):
    """By operation and field: the value of a resource as AWS shows it, in the report's form."""
    kms, s3, logs, rds = client("kms"), client("s3"), client("logs"), client("rds")
    dynamodb, ec2, elb, config = client("dynamodb"), client("ec2"), client("elbv2"), client("config")

    def group(name):
        found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next(g for g in found if name in (g["logGroupName"], g["arn"].removesuffix(":*")))

    def named(arn):
        return arn.rsplit(":log-group:", 1)[-1].removesuffix(":*")

    def key(arn):
        return kms.get_key_rotation_status(KeyId=arn)

    def cluster(arn):
        return rds.describe_db_clusters(DBClusterIdentifier=arn)["DBClusters"][0]

    def instance(arn):
        return rds.describe_db_instances(DBInstanceIdentifier=arn.rsplit(":", 1)[-1])["DBInstances"][0]

    def bucket(arn):
        return arn.removeprefix("arn:aws:s3:::")

    def table(arn):
        return arn.rsplit("/", 1)[-1]

    def judged(arn):
        rules = config.describe_config_rules()["ConfigRules"]
        name = next(rule["ConfigRuleName"] for rule in rules if rule["ConfigRuleArn"] == arn)
        (rule,) = config.describe_compliance_by_config_rule(ConfigRuleNames=[name])["ComplianceByConfigRules"]
        count = rule["Compliance"].get("ComplianceContributorCount")
        return rule["Compliance"]["ComplianceType"] + (f": {count['CappedCount']}" if count else "")

    def listener(arn):
        return elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]

    return {
        ("kms:GetKeyRotationStatus", "RotationPeriodInDays"): lambda r: key(r).get("RotationPeriodInDays"),
        ("kms:DescribeKey", "Enabled"): lambda r: kms.describe_key(KeyId=r)["KeyMetadata"]["Enabled"],
        ("logs:DescribeLogGroups", "retentionInDays"): lambda r: group(named(r)).get("retentionInDays"),
        ("logs:DescribeLogGroups", "kmsKeyId"): lambda r: group(named(r)).get("kmsKeyId"),
        ("rds:DescribeDBClusters", "MasterUsername"): lambda r: cluster(r)["MasterUsername"],
        ("rds:DescribeDBClusters", "BackupRetentionPeriod"): lambda r: cluster(r)["BackupRetentionPeriod"],
        ("rds:DescribeDBInstances", "PubliclyAccessible"): lambda r: instance(r)["PubliclyAccessible"],
        ("rds:DescribeDBInstances", "AutoMinorVersionUpgrade"): lambda r: instance(r)["AutoMinorVersionUpgrade"],
        ("s3:GetBucketVersioning", "Status"): lambda r: s3.get_bucket_versioning(Bucket=bucket(r)).get("Status") == "Enabled",
        ("s3:GetEncryptionConfiguration", "SSEAlgorithm"): lambda r: s3.get_bucket_encryption(Bucket=bucket(r))[
            "ServerSideEncryptionConfiguration"
        ]["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
        ("s3:GetBucketOwnershipControls", "ObjectOwnership"): lambda r: s3.get_bucket_ownership_controls(Bucket=bucket(r))[
            "OwnershipControls"
        ]["Rules"][0]["ObjectOwnership"],
        ("dynamodb:DescribeTable", "SSEDescription.KMSMasterKeyArn"): lambda r: dynamodb.describe_table(TableName=table(r))["Table"][
            "SSEDescription"
        ]["KMSMasterKeyArn"],
        ("ec2:DescribeSubnets", "MapPublicIpOnLaunch"): lambda r: ec2.describe_subnets(SubnetIds=[r])["Subnets"][0]["MapPublicIpOnLaunch"],
        ("elasticloadbalancing:DescribeListeners", "SslPolicy"): lambda r: listener(r).get("SslPolicy"),
        ("config:DescribeComplianceByConfigRule", "ComplianceType"): judged,
        ("ec2:DescribeFlowLogs", "DeliverLogsStatus"): lambda r: ec2.describe_flow_logs(FlowLogIds=[r])["FlowLogs"][0]["DeliverLogsStatus"],
        ("elasticloadbalancing:DescribeListeners", "Protocol"): lambda r: listener(r)["Protocol"],
    }


def main(endpoint, report):
    known = lookups(clients(endpoint))
    looked, kinds = 0, set()
    report = json.load(open(report))
    values = [requirement["values"] for requirement in report["requirements"]]
    for some in [*values, report["judged"], report["delivered"]]:
        for value in some:
            ask = (value["operation"], value["field"])
            if value["verdict"] == "not_seen" or ask not in known:
                continue
            looked, _ = looked + 1, kinds.add(ask)
            shown = known[ask](value["resource"])
            if shown != value["value"]:
                print(f"{ask[0]} {ask[1]} of {value['resource']}: reported {value['value']!r}, shown {shown!r}")
    missed = sorted(set(known) - kinds)
    if looked < 20 or missed:
        print(f"only {looked} values looked up, none of {missed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
