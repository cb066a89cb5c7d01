//! What someone does to keys, roles, storage, tables and databases by hand.

use super::{Mutation, by_hand, changed, extra, missing};

pub const ALL: &[Mutation] = &[
    by_hand(
        "kms/key",
        r#"kms.disable_key_rotation(KeyId="<key-logs-green>"); kms.update_key_description(KeyId="<key-logs-green>", Description="Mine")"#,
        &[
            changed("key-logs-green", "description"),
            changed("key-logs-green", "rotation_days"),
        ],
    ),
    by_hand(
        "kms/key",
        r#"p = json.loads(kms.get_key_policy(KeyId="<key-data-green>", PolicyName="default")["Policy"])
p["Statement"].append({"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"})
kms.put_key_policy(KeyId="<key-data-green>", PolicyName="default", Policy=json.dumps(p))
kms.create_alias(AliasName="alias/theirs-green-dev", TargetKeyId="<key-data-green>")"#,
        &[
            extra("key-data-green", "policy.Statement.Mine"),
            extra("key-data-green", "members[alias/theirs-green-dev]"),
        ],
    ),
    by_hand(
        "kms/key",
        r#"kms.disable_key(KeyId="<key-logs-blue>")"#,
        &[changed("key-logs-blue", "enabled")],
    ),
    by_hand(
        "secretsmanager/rotation",
        r#"secrets.put_resource_policy(SecretId="<aurora-rotation-blue.arn>", ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}))"#,
        &[extra("aurora-rotation-blue", "exposed.policy")],
    ),
    by_hand(
        "s3/bucket",
        r#"s3.put_public_access_block(Bucket="transaction-logs-blue-dev", PublicAccessBlockConfiguration={"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False})
s3.put_bucket_website(Bucket="transaction-logs-blue-dev", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
s3.put_bucket_cors(Bucket="transaction-logs-blue-dev", CORSConfiguration={"CORSRules": [{"ID": "theirs", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://theirs.example.org"]}]})"#,
        &[
            changed("transaction-logs-blue", "public_access.restrict"),
            extra("transaction-logs-blue", "exposed.website"),
            extra("transaction-logs-blue", "exposed.cors/theirs"),
        ],
    ),
    by_hand(
        "logs/log_group",
        r#"logs.put_metric_filter(logGroupName="/aws/rds/cluster/aurora-blue-dev/postgresql", filterName="theirs", filterPattern="", metricTransformations=[{"metricName": "theirs", "metricNamespace": "theirs", "metricValue": "1"}])"#,
        &[extra("database-logs-blue", "exposed.metric_filter/theirs")],
    ),
    by_hand(
        "logs/log_group",
        r#"c("kinesis").create_stream(StreamName="theirs", ShardCount=1); logs.put_subscription_filter(logGroupName="/aws/rds/cluster/aurora-blue-dev/postgresql", filterName="theirs", filterPattern="", destinationArn="arn:aws:kinesis:eu-central-1:123456789012:stream/theirs")"#,
        &[extra("database-logs-blue", "exposed.subscription/theirs")],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.put_resource_policy(ResourceArn="<sessions-green.arn>", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "dynamodb:Scan", "Resource": "*"}]}))"#,
        &[extra("sessions-green", "exposed.policy")],
    ),
    by_hand(
        "kms/alias",
        r#"kms.delete_alias(AliasName="alias/data-green-dev")"#,
        &[missing("alias-data-green")],
    ),
    by_hand(
        "kms/alias",
        r#"kms.update_alias(AliasName="alias/data-blue-dev", TargetKeyId="<key-logs-green>")"#,
        &[changed("alias-data-blue", "key")],
    ),
    by_hand(
        "iam/role",
        r#"iam.put_role_policy(RoleName="role-flow-logs-green-dev", PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))"#,
        &[extra("role-flow-logs-green", "inline.all")],
    ),
    by_hand(
        "iam/role",
        r#"iam.delete_role_policy(RoleName="role-flow-logs-blue-dev", PolicyName="write-flow-logs")"#,
        &[changed("role-flow-logs-blue", "inline.write-flow-logs")],
    ),
    by_hand(
        "iam/role",
        r#"iam.detach_role_policy(RoleName="role-monitoring-green-dev", PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole")
iam.update_role(RoleName="role-monitoring-green-dev", MaxSessionDuration=7200)"#,
        &[
            changed(
                "role-monitoring-green",
                "managed[arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]",
            ),
            changed("role-monitoring-green", "max_session_seconds"),
        ],
    ),
    by_hand(
        "iam/role",
        r#"iam.untag_role(RoleName="role-monitoring-blue-dev", TagKeys=["ManagedBy"])"#,
        &[changed("role-monitoring-blue", "tags.ManagedBy")],
    ),
    by_hand(
        "logs/log_group",
        r#"logs.delete_log_group(logGroupName="flow-logs-green-dev")"#,
        &[missing("flow-logs-green")],
    ),
    by_hand(
        "logs/log_group",
        r#"logs.put_retention_policy(logGroupName="flow-logs-blue-dev", retentionInDays=1)"#,
        &[changed("flow-logs-blue", "retention_days")],
    ),
    by_hand(
        "logs/log_group",
        r#"logs.disassociate_kms_key(logGroupName="/aws/rds/cluster/aurora-green-dev/postgresql")"#,
        &[changed("database-logs-green", "kms_key")],
    ),
    by_hand(
        "s3/bucket",
        r#"s3.delete_bucket_policy(Bucket="transaction-logs-green-dev")"#,
        &[changed("transaction-logs-green", "policy")],
    ),
    by_hand(
        "s3/bucket",
        r#"s3.put_bucket_versioning(Bucket="transaction-logs-green-dev", VersioningConfiguration={"Status": "Suspended"})
s3.put_bucket_logging(Bucket="transaction-logs-green-dev", BucketLoggingStatus={})"#,
        &[
            changed("transaction-logs-green", "versioning"),
            changed("transaction-logs-green", "logging"),
        ],
    ),
    by_hand(
        "s3/bucket",
        r#"l = s3.get_bucket_lifecycle_configuration(Bucket="compliance-docs-green-dev")
[r for r in l["Rules"] if r["ID"] == "expire-noncurrent"][0]["NoncurrentVersionExpiration"]["NoncurrentDays"] = 5
l["Rules"].append({"ID": "mine", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}})
s3.put_bucket_lifecycle_configuration(Bucket="compliance-docs-green-dev", LifecycleConfiguration={"Rules": l["Rules"]})"#,
        &[
            changed(
                "compliance-docs-green",
                "lifecycle.expire-noncurrent.noncurrent_days",
            ),
            extra("compliance-docs-green", "lifecycle.mine"),
        ],
    ),
    by_hand(
        "s3/bucket",
        r#"s3.put_public_access_block(Bucket="access-logs-green-dev", PublicAccessBlockConfiguration={"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True})"#,
        &[changed("access-logs-green", "public_access.block_policy")],
    ),
    by_hand(
        "s3/bucket",
        r#"p = json.loads(s3.get_bucket_policy(Bucket="access-logs-blue-dev")["Policy"])
p["Statement"] = [s for s in p["Statement"] if s["Sid"] != "DenyOldTls"]
s3.put_bucket_policy(Bucket="access-logs-blue-dev", Policy=json.dumps(p))"#,
        &[changed("access-logs-blue", "policy.Statement.DenyOldTls")],
    ),
    by_hand(
        "s3/bucket",
        r#"t = s3.get_bucket_tagging(Bucket="compliance-docs-blue-dev")["TagSet"]
s3.put_bucket_tagging(Bucket="compliance-docs-blue-dev", Tagging={"TagSet": t + [{"Key": "Owner", "Value": "somebody"}]})"#,
        &[extra("compliance-docs-blue", "tags.Owner")],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.update_table(TableName="sessions-blue-dev", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-user"}}])"#,
        &[changed("sessions-blue", "indexes.by-user")],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.update_continuous_backups(TableName="rate-limits-green-dev", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False})
dynamodb.update_table(TableName="rate-limits-green-dev", DeletionProtectionEnabled=True)"#,
        &[
            changed("rate-limits-green", "recovery_days"),
            changed("rate-limits-green", "deletion_protection"),
        ],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.update_time_to_live(TableName="rate-limits-blue-dev", TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"})"#,
        &[changed("rate-limits-blue", "ttl")],
    ),
    // A stream that is switched on again is another one.
    by_hand(
        "dynamodb/table",
        r#"dynamodb.update_table(TableName="sessions-green-dev", StreamSpecification={"StreamEnabled": False})"#,
        &[changed("sessions-green", "stream")],
    ),
    by_hand(
        "dynamodb/table",
        r#"dynamodb.tag_resource(ResourceArn="<sessions-blue.arn>", Tags=[{"Key": "CostCenter", "Value": "elsewhere"}])"#,
        &[changed("sessions-blue", "tags.CostCenter")],
    ),
    by_hand(
        "rds/subnet_group",
        r#"rds.modify_db_subnet_group(DBSubnetGroupName="db-subnets-green-dev", SubnetIds=["<subnet-db-a-green>", "<subnet-db-b-green>", "<subnet-db-c-green>", "<subnet-app-a-green>"])"#,
        &[extra("db-subnets-green", "subnets[<subnet-app-a-green>]")],
    ),
    by_hand(
        "rds/cluster_parameter_group",
        r#"rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="db-cluster-parameters-green-dev", Parameters=[{"ParameterName": "pgaudit.log_parameter", "ParameterValue": "1", "ApplyMethod": "immediate"}, {"ParameterName": "log_min_duration_statement", "ParameterValue": "100", "ApplyMethod": "immediate"}])"#,
        &[
            changed(
                "db-cluster-parameters-green",
                "parameters.pgaudit.log_parameter",
            ),
            extra(
                "db-cluster-parameters-green",
                "parameters.log_min_duration_statement",
            ),
        ],
    ),
    by_hand(
        "rds/parameter_group",
        r#"rds.reset_db_parameter_group(DBParameterGroupName="db-parameters-green-dev", Parameters=[{"ParameterName": "pg_stat_statements.track_utility", "ApplyMethod": "immediate"}])"#,
        &[changed(
            "db-parameters-green",
            "parameters.pg_stat_statements.track_utility",
        )],
    ),
    by_hand(
        "rds/cluster",
        r#"rds.modify_db_cluster(DBClusterIdentifier="aurora-green-dev", ApplyImmediately=True, BackupRetentionPeriod=1, DeletionProtection=True, ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 64}, CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]}, ManageMasterUserPassword=False, MasterUserPassword="theirs-12345678")"#,
        &[
            changed("aurora-green", "backup_days"),
            changed("aurora-green", "deletion_protection"),
            changed("aurora-green", "capacity.max"),
            changed("aurora-green", "log_exports.postgresql"),
            changed("aurora-green", "secret_key"),
            missing("aurora-rotation-green"),
        ],
    ),
    by_hand(
        "rds/cluster",
        r#"rds.modify_db_cluster(DBClusterIdentifier="aurora-blue-dev", ApplyImmediately=True, VpcSecurityGroupIds=["<security-group-database-blue>", "<security-group-alb-blue>"])"#,
        &[extra(
            "aurora-blue",
            "security_groups[<security-group-alb-blue>]",
        )],
    ),
    by_hand(
        "rds/cluster",
        r#"rds.modify_db_cluster(DBClusterIdentifier="aurora-blue-dev", ApplyImmediately=True, AutoMinorVersionUpgrade=True)"#,
        &[changed("aurora-blue", "auto_minor_upgrades")],
    ),
    by_hand(
        "rds/instance",
        r#"rds.modify_db_instance(DBInstanceIdentifier="aurora-2-green-dev", ApplyImmediately=True, EnablePerformanceInsights=False, MonitoringInterval=15, AutoMinorVersionUpgrade=True)"#,
        &[
            changed("aurora-2-green", "auto_minor_upgrades"),
            changed("aurora-2-green", "insights"),
            changed("aurora-2-green", "monitoring.seconds"),
        ],
    ),
    by_hand(
        "rds/instance",
        r#"rds.delete_db_instance(DBInstanceIdentifier="aurora-3-blue-dev", SkipFinalSnapshot=True)"#,
        &[missing("aurora-3-blue")],
    ),
    by_hand(
        "secretsmanager/rotation",
        r#"secrets.rotate_secret(SecretId="<aurora-rotation-blue.arn>", RotationRules={"AutomaticallyAfterDays": 300}, RotateImmediately=False)"#,
        &[changed("aurora-rotation-blue", "days")],
    ),
];
