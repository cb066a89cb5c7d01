"""Databases, buckets, tables, keys."""


def rds(account):
    """Databases."""
    tags = lambda arn: account.about("rds", "list_tags_for_resource", ResourceName=arn)["TagList"]
    for group in account.all("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        group["Tags"] = tags(group["DBSubnetGroupArn"])
        account.add("db-subnet-group", group["DBSubnetGroupName"], group, group["DBSubnetGroupName"])
    for group in account.all("rds", "describe_db_cluster_parameter_groups", "DBClusterParameterGroups"):
        name = group["DBClusterParameterGroupName"]
        group["Tags"] = tags(group["DBClusterParameterGroupArn"])
        group["Parameters"] = account.parts(
            "rds", "describe_db_cluster_parameters", "Parameters", DBClusterParameterGroupName=name, Source="user"
        )
        account.add("db-cluster-parameter-group", name, group, name)
    for group in account.all("rds", "describe_db_parameter_groups", "DBParameterGroups"):
        name = group["DBParameterGroupName"]
        if not name.startswith("default."):
            group["Tags"] = tags(group["DBParameterGroupArn"])
            group["Parameters"] = account.parts(
                "rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name, Source="user"
            )
            account.add("db-parameter-group", name, group, name)
    for cluster in account.all("rds", "describe_db_clusters", "DBClusters"):
        account.add("db-cluster", cluster["DBClusterIdentifier"], cluster, cluster["DBClusterIdentifier"])
    for instance in account.all("rds", "describe_db_instances", "DBInstances"):
        account.add("db-instance", instance["DBInstanceIdentifier"], instance, instance["DBInstanceIdentifier"])
    for events in account.all("rds", "describe_event_subscriptions", "EventSubscriptionsList"):
        events["Tags"] = tags(events["EventSubscriptionArn"])
        account.add("event-subscription", events["CustSubscriptionId"], events, events["CustSubscriptionId"])
    for snapshot in account.all("rds", "describe_db_cluster_snapshots", "DBClusterSnapshots"):
        account.add(
            "db-cluster-snapshot",
            snapshot["DBClusterSnapshotIdentifier"],
            snapshot,
            f"of {snapshot['DBClusterIdentifier']}",
        )


BUCKET_SETTINGS = {
    "location": "get_bucket_location",
    "versioning": "get_bucket_versioning",
    "encryption": "get_bucket_encryption",
    "public access block": "get_public_access_block",
    "ownership": "get_bucket_ownership_controls",
    "policy": "get_bucket_policy",
    "logging": "get_bucket_logging",
    "lifecycle": "get_bucket_lifecycle_configuration",
    "tags": "get_bucket_tagging",
}


def s3(account):
    """Buckets with all their settings and how much is in them (not of those that access logs are delivered to: every
    look at another bucket adds to them). The bucket of a shared state belongs to no deployment."""
    names = [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]]
    tags = {name: (account.asked("s3", "get_bucket_tagging", Bucket=name) or {}).get("TagSet", []) for name in names}
    names = [name for name in names if {"Key": "Purpose", "Value": "deployer-state"} not in tags[name]]
    logging = [account.maybe("s3", "get_bucket_logging", Bucket=name) or {} for name in names]
    targets = {one["LoggingEnabled"]["TargetBucket"] for one in logging if "LoggingEnabled" in one}
    for name in names:
        settings = {
            setting: account.maybe("s3", operation, Bucket=name) for setting, operation in BUCKET_SETTINGS.items()
        }
        if name not in targets:
            for count, key in (("versions", "Versions"), ("delete markers", "DeleteMarkers")):
                settings[count] = len(account.parts("s3", "list_object_versions", key, Bucket=name))
        account.add("bucket", name, settings, name)


def dynamodb(account):
    """Tables."""
    for name in account.all("dynamodb", "list_tables", "TableNames"):
        table = account.about("dynamodb", "describe_table", TableName=name)["Table"]
        table["TimeToLive"] = account.about("dynamodb", "describe_time_to_live", TableName=name)["TimeToLiveDescription"]
        table["Backups"] = account.about("dynamodb", "describe_continuous_backups", TableName=name)[
            "ContinuousBackupsDescription"
        ]
        table["Tags"] = account.parts("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=table["TableArn"])
        account.add("table", name, table, name)


def kms(account):
    """Keys that are ours and not pending deletion, with their aliases."""
    aliases = {}
    for alias in account.all("kms", "list_aliases", "Aliases"):
        if alias.get("TargetKeyId"):
            aliases.setdefault(alias["TargetKeyId"], []).append(alias["AliasName"])
    for entry in account.all("kms", "list_keys", "Keys"):
        name = entry["KeyId"]
        key = account.client("kms").describe_key(KeyId=name)["KeyMetadata"]
        own = aliases.get(name, [])
        if (
            key["KeyState"] == "PendingDeletion"
            or key["KeyManager"] == "AWS"
            or any(alias.startswith("alias/aws/") for alias in own)
        ):
            for alias in own:
                if not alias.startswith("alias/aws/"):
                    account.add("alias", alias, {"of": "a key pending deletion"}, alias)
            continue
        key["Aliases"] = sorted(own)
        key["Policy"] = account.about("kms", "get_key_policy", KeyId=name, PolicyName="default")["Policy"]
        key["Rotation"] = account.maybe("kms", "get_key_rotation_status", KeyId=name)
        key["Tags"] = [
            {"Key": tag["TagKey"], "Value": tag["TagValue"]}
            for tag in account.about("kms", "list_resource_tags", KeyId=name)["Tags"]
        ]
        account.add("key", name, key, ",".join(sorted(own)) or None)
