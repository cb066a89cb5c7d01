"""An independent client looks up values of a report of evidence: whatever it says was read is what AWS shows.

    python tests/audit/evidence.py ENDPOINT REPORT.json     # one line per difference, or of what was not looked up
"""

import datetime
import json
import sys

import boto3

REGION = "eu-central-1"


def clients(endpoint):
    made = {}

    def client(service):
        if service not in made:
            keys = {"aws_access_key_id": "auditor", "aws_secret_access_key": "auditor"}
            made[service] = boto3.client(service, endpoint_url=endpoint, region_name=REGION, **keys)
        return made[service]

    return client


def last(arn, before="/"):
    return arn.rsplit(before, 1)[-1]


class Account:
    """What another client sees of a resource."""

    def __init__(self, client):
        self.client = client

    def one(self, service, operation, key, **asked):
        return getattr(self.client(service), operation)(**asked)[key][0]

    def group(self, arn):
        name = last(arn, ":log-group:").removesuffix(":*")
        found = self.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next(g for g in found if name in (g["logGroupName"], g["arn"].removesuffix(":*")))

    def cluster(self, arn):
        return self.one("rds", "describe_db_clusters", "DBClusters", DBClusterIdentifier=arn)

    def instance(self, arn):
        return self.one("rds", "describe_db_instances", "DBInstances", DBInstanceIdentifier=last(arn, ":"))

    def listener(self, arn):
        return self.one("elbv2", "describe_listeners", "Listeners", ListenerArns=[arn])

    def service(self, arn):
        cluster = arn.split("/")[1]
        return self.one("ecs", "describe_services", "services", cluster=cluster, services=[arn])

    def containers(self, arn):
        return self.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"]

    def alarm(self, arn):
        return self.one("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=[last(arn, ":alarm:")])

    def flow_log(self, name):
        return self.one("ec2", "describe_flow_logs", "FlowLogs", FlowLogIds=[name])

    def recovery(self, arn):
        shown = self.client("dynamodb").describe_continuous_backups(TableName=last(arn))
        return shown["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]

    def table(self, arn):
        return self.client("dynamodb").describe_table(TableName=last(arn))["Table"]

    def key(self, arn):
        return self.client("kms").describe_key(KeyId=arn)["KeyMetadata"]

    def rotation(self, arn):
        return self.client("kms").get_key_rotation_status(KeyId=arn)

    def secret(self, arn):
        return self.client("secretsmanager").describe_secret(SecretId=arn)

    def certificate(self, arn):
        return self.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]

    def topic(self, arn):
        return self.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]

    def encryption(self, bucket):
        shown = self.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        return shown["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]

    def ownership(self, bucket):
        return self.client("s3").get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]

    def firewall(self, arn):
        name, key = arn.split("/")[-2:]
        rules = self.client("wafv2").get_web_acl(Name=name, Scope="REGIONAL", Id=key)["WebACL"]["Rules"]
        limit = lambda rule: rule["Statement"].get("RateBasedStatement", {}).get("Limit")
        return sorted((rule["Name"], rule["Priority"], limit(rule)) for rule in rules)

    def judged(self, arn):
        config = self.client("config")
        rules = config.describe_config_rules()["ConfigRules"]
        name = next(rule["ConfigRuleName"] for rule in rules if rule["ConfigRuleArn"] == arn)
        (rule,) = config.describe_compliance_by_config_rule(ConfigRuleNames=[name])["ComplianceByConfigRules"]
        count = rule["Compliance"].get("ComplianceContributorCount")
        return rule["Compliance"]["ComplianceType"] + (f": {count['CappedCount']}" if count else "")


def bucket(arn):
    return arn.removeprefix("arn:aws:s3:::")


def rules(value):
    """Rules of a web ACL as the report has them, in the form of `firewall`."""
    limit = lambda rule: rule["statement"].get("rate", {}).get("limit")
    return sorted((name, rule["priority"], limit(rule)) for name, rule in value.items())


def lookups(see):
    """By operation and field: the value of a resource as AWS shows it, in the report's form."""
    return {
        ("kms:GetKeyRotationStatus", "RotationPeriodInDays"): lambda r: see.rotation(r).get("RotationPeriodInDays"),
        ("kms:DescribeKey", "Enabled"): lambda r: see.key(r)["Enabled"],
        ("logs:DescribeLogGroups", "retentionInDays"): lambda r: see.group(r).get("retentionInDays"),
        ("logs:DescribeLogGroups", "kmsKeyId"): lambda r: see.group(r).get("kmsKeyId"),
        ("rds:DescribeDBClusters", "MasterUsername"): lambda r: see.cluster(r)["MasterUsername"],
        ("rds:DescribeDBClusters", "BackupRetentionPeriod"): lambda r: see.cluster(r)["BackupRetentionPeriod"],
        ("rds:DescribeDBClusters", "KmsKeyId"): lambda r: see.cluster(r)["KmsKeyId"],
        ("rds:DescribeDBClusters", "EngineVersion"): lambda r: see.cluster(r)["EngineVersion"],
        ("rds:DescribeDBClusters", "IAMDatabaseAuthenticationEnabled"): lambda r: see.cluster(r)["IAMDatabaseAuthenticationEnabled"],
        ("rds:DescribeDBInstances", "PubliclyAccessible"): lambda r: see.instance(r)["PubliclyAccessible"],
        ("rds:DescribeDBInstances", "AutoMinorVersionUpgrade"): lambda r: see.instance(r)["AutoMinorVersionUpgrade"],
        ("lambda:GetFunction", "Runtime"): lambda r: see.client("lambda").get_function(FunctionName=r)["Configuration"]["Runtime"],
        ("s3:GetBucketVersioning", "Status"): lambda r: see.client("s3").get_bucket_versioning(Bucket=bucket(r)).get("Status") == "Enabled",
        ("s3:GetBucketEncryption", "SSEAlgorithm"): lambda r: see.encryption(bucket(r)),
        ("s3:GetBucketOwnershipControls", "ObjectOwnership"): lambda r: see.ownership(bucket(r)),
        ("dynamodb:DescribeTable", "SSEDescription.KMSMasterKeyArn"): lambda r: see.table(r)["SSEDescription"]["KMSMasterKeyArn"],
        ("dynamodb:DescribeContinuousBackups", "RecoveryPeriodInDays"): lambda r: see.recovery(r).get("RecoveryPeriodInDays"),
        ("secretsmanager:DescribeSecret", "KmsKeyId"): lambda r: see.secret(r)["KmsKeyId"],
        ("sns:GetTopicAttributes", "KmsMasterKeyId"): lambda r: see.topic(r)["KmsMasterKeyId"],
        ("ec2:DescribeSubnets", "MapPublicIpOnLaunch"): lambda r: see.one("ec2", "describe_subnets", "Subnets", SubnetIds=[r])["MapPublicIpOnLaunch"],
        ("ec2:DescribeFlowLogs", "DeliverLogsStatus"): lambda r: see.flow_log(r)["DeliverLogsStatus"],
        ("ec2:DescribeFlowLogs", "TrafficType"): lambda r: see.flow_log(r)["TrafficType"],
        ("elasticloadbalancing:DescribeListeners", "SslPolicy"): lambda r: see.listener(r).get("SslPolicy"),
        ("elasticloadbalancing:DescribeListeners", "Protocol"): lambda r: see.listener(r)["Protocol"],
        ("wafv2:GetWebACL", "Rules"): see.firewall,
        ("cloudwatch:DescribeAlarms", "AlarmActions"): lambda r: see.alarm(r)["AlarmActions"],
        ("cloudwatch:DescribeAlarms", "ActionsEnabled"): lambda r: see.alarm(r)["ActionsEnabled"],
        ("ecs:DescribeServices", "enableExecuteCommand"): lambda r: see.service(r)["enableExecuteCommand"],
        ("ecs:DescribeTaskDefinition", "image"): lambda r: see.containers(r)[0]["image"],
        ("config:DescribeComplianceByConfigRule", "ComplianceType"): see.judged,
    }


def dates(see):
    """By the service of an operation and what a date says: the date as AWS shows it."""
    return {
        ("kms", "created"): lambda r: see.key(r)["CreationDate"],
        ("kms", "next rotation"): lambda r: see.rotation(r).get("NextRotationDate"),
        ("rds", "created"): lambda r: see.cluster(r)["ClusterCreateTime"],
        ("rds", "restorable from"): lambda r: see.cluster(r)["EarliestRestorableTime"],
        ("acm", "valid until"): lambda r: see.certificate(r)["NotAfter"],
        ("dynamodb", "restorable from"): lambda r: see.recovery(r).get("EarliestRestorableDateTime"),
        ("secretsmanager", "created"): lambda r: see.secret(r)["CreatedDate"],
        ("secretsmanager", "last rotated"): lambda r: see.secret(r).get("LastRotatedDate"),
        ("secretsmanager", "next rotation"): lambda r: see.secret(r).get("NextRotationDate"),
    }


def same(reported, shown, seconds):
    """Whether a date of the report is the one that AWS shows."""
    if reported is None or shown is None:
        return reported is None and shown is None
    return abs(datetime.datetime.fromisoformat(reported) - shown) < datetime.timedelta(seconds=seconds)


def main(endpoint, report):
    see = Account(clients(endpoint))
    known, days = lookups(see), dates(see)
    looked, kinds = 0, set()
    report = json.load(open(report))
    values = [requirement["values"] for requirement in report["requirements"]]
    for value in (value for some in [*values, report["judged"], report["delivered"]] for value in some):
        ask = (value["operation"], value["field"])
        if value["verdict"] == "not_seen" or ask not in known:
            continue
        looked, _ = looked + 1, kinds.add(ask)
        reported = rules(value["value"]) if ask == ("wafv2:GetWebACL", "Rules") else value["value"]
        shown = known[ask](value["resource"])
        if shown != reported:
            print(f"{ask[0]} {ask[1]} of {value['resource']}: reported {reported!r}, shown {shown!r}")
    for age in report["ages"]:
        for date in age["dates"]:
            ask = (age["operation"].split(":")[0], date["what"])
            if ask in days:
                looked, _ = looked + 1, kinds.add(ask)
                shown = days[ask](age["resource"])
                # The emulator counts a key's next rotation from the moment of the question.
                seconds = 300 if ask == ("kms", "next rotation") else 1
                if not same(date["at"], shown, seconds):
                    print(f"{date['what']} of {age['resource']}: reported {date['at']}, shown {shown}")
    missed = sorted({*known, *days} - kinds)
    if looked < 20 or missed:
        print(f"{looked} values looked up, none of {missed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
