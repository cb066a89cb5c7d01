"""What is left of a deleted DB cluster, and clusters that are restored from it."""

from moto.rds.models import DBClusterSnapshot

from ..call import patch, refuse
from ..moto_parts import adds
from . import rds_catalog as catalog
from .secretsmanager import managed_password

adds(DBClusterSnapshot, "db_cluster_resource_id", property(lambda self: self.cluster.db_cluster_resource_id))

# What a restore call may say of the new cluster; the rest comes from the backup.
SETTINGS = (
    "Port",
    "DBSubnetGroupName",
    "DBClusterParameterGroupName",
    "VpcSecurityGroupIds",
    "KmsKeyId",
    "ServerlessV2ScalingConfiguration",
    "BackupRetentionPeriod",
    "PreferredBackupWindow",
    "EnableIAMDatabaseAuthentication",
    "EnableCloudwatchLogsExports",
    "CopyTagsToSnapshot",
    "DeletionProtection",
    "Tags",
)


def _retained(call):
    """Automated backups of deleted clusters, by resource id."""
    return call.store.table("retained cluster backups")


@patch("rds", "DeleteDBCluster")
def retain(call):
    """AWS: keeps the automated backups when it is asked to. moto: never. (It is reached when the cluster goes.)"""
    cluster = call.backend.clusters.get(call.params["DBClusterIdentifier"])
    window = {"EarliestTime": cluster.created, "LatestTime": call.wall_time()} if cluster else None
    answer = call.forward()
    if cluster and call.params.get("DeleteAutomatedBackups") is False:
        _retained(call)[cluster.db_cluster_resource_id] = (cluster, window)
    return answer


def _backup(call, cluster, window, status):
    return {
        "Engine": cluster.engine,
        "DBClusterAutomatedBackupsArn": call.arn(f"cluster-auto-backup:ab-{cluster.db_cluster_resource_id.lower()}"),
        "DBClusterIdentifier": cluster.db_cluster_identifier,
        "RestoreWindow": window,
        "MasterUsername": cluster.master_username,
        "DbClusterResourceId": cluster.db_cluster_resource_id,
        "Region": call.region,
        "Status": status,
        "IAMDatabaseAuthenticationEnabled": bool(cluster.iam_database_authentication_enabled),
        "ClusterCreateTime": cluster.created,
        "StorageEncrypted": bool(cluster.storage_encrypted),
        "EngineVersion": cluster.engine_version,
        "DBClusterArn": cluster.db_cluster_arn,
        "BackupRetentionPeriod": cluster.backup_retention_period,
        "EngineMode": "provisioned",
        "Port": cluster.port,
        "KmsKeyId": cluster.kms_key_id,
    }


@patch("rds", "DescribeDBClusterAutomatedBackups")
def describe_backups(call):
    """AWS: of clusters that are there, and what was retained of others. moto: does not know it."""
    there = [
        _backup(call, cluster, {"EarliestTime": cluster.created, "LatestTime": call.wall_time()}, "active")
        for cluster in call.backend.clusters.values()
    ]
    kept = [_backup(call, cluster, window, "retained") for cluster, window in _retained(call).values()]
    names = ("DBClusterIdentifier", "DbClusterResourceId")
    asked = {name: call.params[name] for name in names if call.params.get(name)}
    fitting = [one for one in there + kept if all(one[name] == value for name, value in asked.items())]
    return {"DBClusterAutomatedBackups": fitting}


def _restored(call, source, version):
    """A new cluster with the data of `source`, made by the rules of CreateDBCluster. Its password is the one of then."""
    name = call.params["DBClusterIdentifier"]
    if version.split(".")[0] != source.engine_version.split(".")[0]:
        refuse("InvalidParameterCombination", f"Cannot upgrade {source.engine} from {source.engine_version} to {version}")
    settings = {key: call.params[key] for key in SETTINGS if call.params.get(key) is not None}
    key = settings.get("KmsKeyId") or source.kms_key_id
    wanted = {
        "DBClusterIdentifier": name,
        "Engine": source.engine,
        "EngineVersion": version,
        "DatabaseName": source.database_name,
        "MasterUsername": source.master_username,
        "MasterUserPassword": managed_password(),
        "Port": source.port,
        "BackupRetentionPeriod": source.backup_retention_period,
        "StorageEncrypted": bool(key),
        "KmsKeyId": key,
        **settings,
    }
    return call.ask("CreateDBCluster", **{key: value for key, value in wanted.items() if value is not None})


@patch("rds", "RestoreDBClusterFromSnapshot")
def from_snapshot(call):
    """AWS: `creating`, checked like a new cluster, password not managed. moto: checks nothing, and shares settings with the old one."""
    name = call.params["SnapshotIdentifier"].rsplit(":cluster-snapshot:", 1)[-1]
    snapshot = call.backend.cluster_snapshots.get(name)
    if snapshot is None:
        refuse("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot not found: {name}")
    if call.params.get("Engine") != snapshot.engine:
        refuse("InvalidParameterCombination", f"The snapshot {name} is of engine {snapshot.engine}")
    return _restored(call, snapshot.cluster, call.params.get("EngineVersion") or catalog.DEFAULT_VERSION)


@patch("rds", "RestoreDBClusterToPointInTime")
def to_point_in_time(call):
    """AWS: of a cluster that is there or of retained backups, within their window. moto: of one that is there, whatever the time."""
    params = call.params
    if bool(params.get("UseLatestRestorableTime")) == bool(params.get("RestoreToTime")):
        refuse("InvalidParameterCombination", "Specify either RestoreToTime or UseLatestRestorableTime.")
    now = call.wall_time()
    if params.get("SourceDbClusterResourceId"):
        found = _retained(call).get(params["SourceDbClusterResourceId"])
    else:
        cluster = call.backend.clusters.get(params.get("SourceDBClusterIdentifier"))
        found = (cluster, {"EarliestTime": cluster.created, "LatestTime": now}) if cluster else None
    if found is None:
        refuse("DBClusterAutomatedBackupNotFoundFault", "The specified automated backups do not exist.")
    source, window = found
    at = params.get("RestoreToTime")
    if at and not window["EarliestTime"].replace(microsecond=0) <= at.replace(tzinfo=None) <= window["LatestTime"]:
        refuse("InvalidRestoreFault", "The specified time is before the earliest or after the latest restorable time.")
    return _restored(call, source, source.engine_version)
