"""An audit of the built account, written against AWS's rules and not against the blueprint: what the managed rules of
AWS Config in "Operational Best Practices for PCI DSS" ask of storage, keys, tables, databases, logs, roles and network.

    python tests/audit/pci.py ENDPOINT      # one line per finding: rule, resource; exit code 1 when there are any
"""

import json
import sys

import boto3

REGION = "eu-central-1"
OWN = {"key": "EnvironmentSuffix"}
# "Actions, resources, and condition keys for AWS services": what AWS limits to no resource.
# Actions that AWS takes for all resources only; those of interfaces are what "AWSLambdaVPCAccessExecutionRole" gives to functions.
UNBOUND = {"ecr:GetAuthorizationToken", "dynamodb:ListStreams"} | {
    f"ec2:{action}NetworkInterface" for action in ("Create", "Delete")
} | {f"ec2:{action}PrivateIpAddresses" for action in ("Assign", "Unassign")} | {
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
}
PORTS_NEVER_OPEN = (20, 21, 22, 3306, 3389, 4333, 5432)


def listed(value):
    return value if isinstance(value, list) else [value]


class Audit:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.findings = []
        self.resources = 0

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="auditor",
            aws_secret_access_key="auditor",
        )

    def check(self, rule, resource, compliant):
        self.resources += 1
        if not compliant:
            self.findings.append(f"{rule} {resource}")

    def run(self):
        for part in (self.buckets, self.keys, self.tables, self.databases, self.groups, self.roles, self.secrets, self.network, self.balancers):
            part()
        return sorted(self.findings)

    def buckets(self):
        s3 = self.client("s3")
        account = self.client("sts").get_caller_identity()["Account"]
        for bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
            policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
            denies = [
                s["Condition"]
                for s in policy
                if s["Effect"] == "Deny" and s["Principal"] in ("*", {"AWS": "*"}) and s["Action"] in ("*", "s3:*")
            ]
            self.check("s3-bucket-ssl-requests-only", bucket, {"Bool": {"aws:SecureTransport": "false"}} in denies)
            self.check("s3-bucket-tls-1.2", bucket, {"NumericLessThan": {"s3:TlsVersion": "1.2"}} in denies)
            allows = [s for s in policy if s["Effect"] == "Allow"]
            self.check("s3-bucket-policy-grantee-check", bucket, all("Service" in s["Principal"] for s in allows))
            own = f"/AWSLogs/{account}/*"
            confused = all(
                "aws:SourceAccount" in s.get("Condition", {}).get("StringEquals", {})
                or all(place.endswith(own) for place in listed(s["Resource"]))
                for s in allows
            )
            self.check("s3-bucket-policy-confused-deputy", bucket, confused)
            block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
            self.check("s3-bucket-level-public-access-prohibited", bucket, len(block) == 4 and all(block.values()))
            owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
            self.check("s3-bucket-acl-prohibited", bucket, owner == "BucketOwnerEnforced")
            rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
            algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            self.check("s3-bucket-server-side-encryption-enabled", bucket, algorithm in ("AES256", "aws:kms"))
            versioning = s3.get_bucket_versioning(Bucket=bucket).get("Status")
            self.check("s3-bucket-versioning-enabled", bucket, versioning == "Enabled")
            rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
            self.check("s3-lifecycle-policy-check", bucket, any(r["Status"] == "Enabled" for r in rules))
            stale = any("NoncurrentVersionExpiration" in r for r in rules)
            self.check("s3-version-lifecycle-policy-check", bucket, stale)
            self.check("s3-bucket-logging-enabled", bucket, "LoggingEnabled" in s3.get_bucket_logging(Bucket=bucket))

    def balancers(self):
        elb = self.client("elbv2")
        pairs = lambda answer: {item["Key"]: item["Value"] for item in answer["Attributes"]}
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            arn, name = balancer["LoadBalancerArn"], balancer["LoadBalancerName"]
            attributes = pairs(elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
            self.check("elbv2-multiple-az", name, len(balancer["AvailabilityZones"]) >= 2)
            if balancer["Type"] == "network":
                # The rules below are of Application Load Balancers; one of the network writes no log of a TCP listener.
                self.check("nlb-internal", name, balancer["Scheme"] == "internal")
                continue
            self.check("elb-logging-enabled", name, attributes["access_logs.s3.enabled"] == "true")
            dropped = attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
            self.check("alb-http-drop-invalid-header-enabled", name, dropped)
            mode = attributes["routing.http.desync_mitigation_mode"]
            self.check("alb-desync-mode-check", name, mode in ("defensive", "strictest"))
            for listener in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
                action, place = listener["DefaultActions"][0], f"{name}:{listener['Port']}"
                redirects = action.get("RedirectConfig", {}).get("Protocol") == "HTTPS"
                secure = listener["Protocol"] == "HTTPS"
                self.check("alb-http-to-https-redirection-check", place, secure or redirects)
                if secure:
                    self.check("elbv2-acm-certificate-required", place, bool(listener["Certificates"]))
                    policy = listener["SslPolicy"]
                    modern = policy.startswith("ELBSecurityPolicy-TLS13-1-2")
                    self.check("elbv2-predefined-security-policy-ssl-check", place, modern)
                    shown = pairs(elb.describe_listener_attributes(ListenerArn=listener["ListenerArn"]))
                    self.check("alb-no-server-header", place, shown["routing.http.response.server.enabled"] == "false")

    def keys(self):
        kms = self.client("kms")
        for key in [k["KeyId"] for k in kms.list_keys(Limit=1000)["Keys"]]:
            about = kms.describe_key(KeyId=key)["KeyMetadata"]
            if about["KeyManager"] != "CUSTOMER" or about["KeyState"] == "PendingDeletion":
                continue
            name = about["Description"]
            rotation = kms.get_key_rotation_status(KeyId=key)
            yearly = rotation["KeyRotationEnabled"] and rotation.get("RotationPeriodInDays", 365) <= 365
            self.check("cmk-backing-key-rotation-enabled", name, yearly)
            self.check("kms-cmk-not-multi-region", name, not about.get("MultiRegion"))
            policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
            for statement in policy:
                who = statement["Principal"]
                own = who.get("AWS") == f"arn:aws:iam::{about['AWSAccountId']}:root" or "Service" in who
                self.check("kms-key-policy-no-public-access", name, own)
                actions = listed(statement["Action"])
                self.check("kms-key-policy-no-wildcard", name, not {"*", "kms:*", "kms:Decrypt*"} & set(actions))
                uses = any(a in ("kms:Decrypt", "kms:Encrypt", "kms:CreateGrant") for a in actions)
                self.check("kms-key-use-through-services-only", name, not uses or "Condition" in statement)

    def tables(self):
        dynamodb = self.client("dynamodb")
        for table in dynamodb.list_tables()["TableNames"]:
            sse = dynamodb.describe_table(TableName=table)["Table"].get("SSEDescription", {})
            own = sse.get("Status") == "ENABLED" and ":key/" in sse.get("KMSMasterKeyArn", "")
            self.check("dynamodb-table-encrypted-kms", table, own)
            backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
            pitr = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
            self.check("dynamodb-pitr-enabled", table, pitr == "ENABLED")

    def databases(self):
        rds = self.client("rds")
        for cluster in rds.describe_db_clusters()["DBClusters"]:
            name = cluster["DBClusterIdentifier"]
            self.check("rds-cluster-encrypted-at-rest", name, cluster["StorageEncrypted"] and ":key/" in cluster["KmsKeyId"])
            self.check("rds-cluster-iam-authentication-enabled", name, cluster["IAMDatabaseAuthenticationEnabled"])
            default = cluster["MasterUsername"] in ("admin", "postgres")
            self.check("rds-cluster-default-admin-check", name, not default)
            self.check("rds-cluster-backup-retention-check", name, cluster["BackupRetentionPeriod"] >= 7)
            self.check("rds-cluster-auto-minor-version-upgrade-enable", name, cluster["AutoMinorVersionUpgrade"])
            self.check("rds-cluster-copy-tags-to-snapshots-enabled", name, cluster["CopyTagsToSnapshot"])
            self.check("rds-aurora-postgresql-logs-to-cloudwatch", name, "postgresql" in cluster["EnabledCloudwatchLogsExports"])
            self.check("rds-master-password-in-secrets-manager", name, ":key/" in cluster["MasterUserSecret"]["KmsKeyId"])
            members = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [name]}])["DBInstances"]
            zones = {member["AvailabilityZone"] for member in members}
            self.check("rds-cluster-multi-az-enabled", name, len(zones) > 1)
            group = cluster["DBClusterParameterGroup"]
            pages = rds.get_paginator("describe_db_cluster_parameters").paginate(
                DBClusterParameterGroupName=group, Source="user"
            )
            set_ = {p["ParameterName"]: p["ParameterValue"] for page in pages for p in page["Parameters"]}
            self.check("rds-transport-encrypted", name, set_.get("rds.force_ssl") == "1")
            logged = set_.get("log_connections") == set_.get("log_disconnections") == "1"
            self.check("rds-sessions-logged", name, logged)
            preloaded = set_.get("shared_preload_libraries", "").split(",")
            audited = "pgaudit" in preloaded and set_.get("pgaudit.role") == "rds_pgaudit"
            self.check("rds-cluster-pgaudit", name, audited)
            # A statement's values are card data; a statement of rights holds a password unless pgAudit leaves it out.
            silent = set_.get("pgaudit.log_parameter", "0") == "0" and set_.get("log_statement", "none") == "none"
            self.check("rds-log-without-card-data", name, silent)
        for instance in rds.describe_db_instances()["DBInstances"]:
            name = instance["DBInstanceIdentifier"]
            self.check("rds-instance-public-access-check", name, not instance["PubliclyAccessible"])
            self.check("rds-storage-encrypted", name, instance["StorageEncrypted"])
            self.check("rds-logging-enabled", name, instance["EnabledCloudwatchLogsExports"])
            self.check("rds-instance-iam-authentication-enabled", name, instance["IAMDatabaseAuthenticationEnabled"])
            self.check("rds-automatic-minor-version-upgrade-enabled", name, instance["AutoMinorVersionUpgrade"])
            self.check("rds-enhanced-monitoring-enabled", name, instance["MonitoringInterval"] > 0)
            self.check("rds-performance-insights-kms", name, ":key/" in instance.get("PerformanceInsightsKMSKeyId", ""))

    def groups(self):
        logs = self.client("logs")
        for page in logs.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                name = group["logGroupName"]
                self.check("cloudwatch-log-group-encrypted", name, ":key/" in group.get("kmsKeyId", ""))
                self.check("log-group-retention-90-days", name, group.get("retentionInDays", 0) >= 90)

    def roles(self):
        iam = self.client("iam")
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            if not any(t["Key"] == OWN["key"] for t in iam.list_role_tags(RoleName=name)["Tags"]):
                continue
            for statement in role["AssumeRolePolicyDocument"]["Statement"]:
                condition = {key for keys in statement.get("Condition", {}).values() for key in keys}
                # Lambda tells the account that it takes a role on for, and no ARN.
                functions = statement["Principal"].get("Service") == "lambda.amazonaws.com"
                bound = {"aws:SourceAccount", *([] if functions else ["aws:SourceArn"])} <= condition
                # What other accounts may take on: no public principal, and with an external ID alone.
                people = listed(statement["Principal"].get("AWS", []))
                named = all(p.startswith("arn:aws:iam::") and p.endswith(":root") for p in people)
                outside = people and named and "sts:ExternalId" in condition and role["MaxSessionDuration"] <= 3600
                service = "Service" in statement["Principal"] and not people and bound
                self.check("iam-role-confused-deputy", name, service or bool(outside))
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for statement in document["Statement"]:
                    whole = any(a == "*" or a.endswith(":*") for a in listed(statement["Action"]))
                    self.check("iam-policy-no-statements-with-full-access", name, not whole)
                    bound = "*" not in listed(statement["Resource"]) or set(listed(statement["Action"])) <= UNBOUND
                    self.check("iam-policy-resource-bound", name, bound)

    def secrets(self):
        secrets = self.client("secretsmanager")
        for secret in secrets.list_secrets()["SecretList"]:
            about = secrets.describe_secret(SecretId=secret["ARN"])
            days = about.get("RotationRules", {}).get("AutomaticallyAfterDays", 9999)
            self.check("secretsmanager-rotation-enabled-check", about["Name"], about.get("RotationEnabled", False) and days <= 90)
            self.check("secretsmanager-using-cmk", about["Name"], ":key/" in about.get("KmsKeyId", ""))

    def network(self):
        ec2 = self.client("ec2")
        ours = [{"Name": "tag-key", "Values": [OWN["key"]]}]
        logged = {f["ResourceId"] for f in ec2.describe_flow_logs()["FlowLogs"] if f["TrafficType"] == "ALL"}
        for vpc in [v["VpcId"] for v in ec2.describe_vpcs(Filters=ours)["Vpcs"]]:
            self.check("vpc-flow-logs-enabled", vpc, vpc in logged)
            here = [{"Name": "vpc-id", "Values": [vpc]}]
            for group in ec2.describe_security_groups(Filters=here)["SecurityGroups"]:
                rules = group["IpPermissions"] + group["IpPermissionsEgress"]
                if group["GroupName"] == "default":
                    self.check("vpc-default-security-group-closed", vpc, not rules)
                for rule in group["IpPermissions"]:
                    world = any(r["CidrIp"] == "0.0.0.0/0" for r in rule["IpRanges"])
                    ports = range(rule.get("FromPort", 0), rule.get("ToPort", 65535) + 1)
                    open_ = world and any(port in ports for port in PORTS_NEVER_OPEN)
                    self.check("restricted-common-ports", group["GroupName"], not open_)
            for subnet in ec2.describe_subnets(Filters=here)["Subnets"]:
                self.check("subnet-auto-assign-public-ip-disabled", subnet["SubnetId"], not subnet["MapPublicIpOnLaunch"])


if __name__ == "__main__":
    audit = Audit(sys.argv[1])
    found = audit.run()
    print("\n".join(found))
    print(f"{len(found)} findings in {audit.resources} checks", file=sys.stderr)
    sys.exit(1 if found else 0)
