"""DB clusters: life, rules, the managed master secret."""

import json

from moto.rds.models import DBCluster, MasterUserSecret

from ..call import patch, refuse
from ..moto_parts import adds, replaces
from . import rds_catalog as catalog
from .secretsmanager import managed_password, rotate_managed

# moto leaves `creating` at the first look; here the clock decides.
replaces(DBCluster, "status")(
    lambda _original: property(lambda self: self._status, lambda self, value: setattr(self, "_status", value))
)
replaces(MasterUserSecret, "secret_status")(lambda _original: property(lambda self: self._status))


@replaces(MasterUserSecret, "_generate_secret_string")
def _credentials(_original):
    """AWS: the master user of the cluster with a password that nobody chose. moto: `admin` with one that everybody knows."""

    def generate(self):
        user = getattr(self.resource, "master_username", None) or getattr(self.resource, "master_user_username", None)
        return json.dumps({"username": user or "admin", "password": managed_password()})

    return generate


@replaces(MasterUserSecret, "rotate_secret")
def _rotated(_original):
    """AWS: a new password. moto: a version without one."""

    def rotate_secret(self):
        rotate_managed(self.secret)

    return rotate_secret


# ModifyDBCluster sets the attribute by its API name; moto reads another one.
adds(
    DBCluster,
    "enable_iam_database_authentication",
    property(lambda self: self.iam_auth, lambda self, value: setattr(self, "iam_auth", value)),
)


def key_arn(call, name):
    """The ARN of a usable KMS key given by id, ARN or alias; AWS refuses any other with KMSKeyNotAccessibleFault."""
    kms = call.backend_of("kms")
    key_id = kms.any_id_to_key_id(name) if hasattr(kms, "any_id_to_key_id") else name
    key = kms.keys.get(key_id)
    if key is None or key.key_state != "Enabled":
        refuse(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{name}] does not exist, is not enabled or you do not have permissions to access it.",
        )
    return key.arn


def with_key_arns(call, params, *names):
    """Parameters with their KMS keys as ARNs, which is how RDS shows them."""
    return {**params, **{name: key_arn(call, params[name]) for name in names if params.get(name)}}


@patch("rds", "CreateDBCluster")
def create_cluster(call):
    """AWS: refuses an unknown version, group, security group or key and a taken identifier; `creating` for a minute or
    two. moto: takes anything, with other codes."""
    params = with_key_arns(call, call.params, "KmsKeyId", "MasterUserSecretKmsKeyId", "PerformanceInsightsKMSKeyId")
    rds, name = call.backend, params["DBClusterIdentifier"]
    rds._validate_db_identifier(name)
    if name in rds.clusters:
        refuse("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    if params.get("Engine") == catalog.ENGINE:
        version = params.setdefault("EngineVersion", catalog.DEFAULT_VERSION)
        if version not in catalog.VERSIONS:
            refuse("InvalidParameterCombination", f"Cannot find version {version} for {catalog.ENGINE}")
        params.setdefault("DBClusterParameterGroupName", f"default.{catalog.family(version)}")
        _check_group(call, params["DBClusterParameterGroupName"], catalog.family(version))
    _check_network(call, params)
    _check_capacity(params.get("ServerlessV2ScalingConfiguration"))
    if params.get("ManageMasterUserPassword") and params.get("MasterUserPassword"):
        refuse(
            "InvalidParameterCombination", "You can't specify MasterUserPassword when ManageMasterUserPassword is true."
        )
    answer = call.forward(params)
    cluster = rds.clusters[name]
    cluster.status = "creating"
    _own_secret(call, cluster)
    answer.data["DBCluster"] = shown(call, name)

    def available():
        if cluster.status == "creating":
            cluster.status = "available"

    call.clock.later("rds/cluster", available)
    return answer


def _check_group(call, name, family):
    group = call.backend.db_cluster_parameter_groups.get(name)
    if group is None and not name.startswith("default."):
        refuse("DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}")
    if group is not None and group.db_parameter_group_family != family:
        refuse(
            "InvalidParameterCombination",
            f"The Parameter Group {name} with DBParameterGroupFamily {group.db_parameter_group_family} can't be used for this instance. Please use a Parameter Group with DBParameterGroupFamily {family}",
        )


def _check_network(call, params):
    group = params.get("DBSubnetGroupName")
    if group and group not in call.backend.subnet_groups:
        refuse("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' does not exist.")
    vpc = call.backend.subnet_groups[group].vpc_id if group else None
    for name in params.get("VpcSecurityGroupIds", []):
        found = call.backend_of("ec2").get_security_group_from_id(name)
        if found is None or (vpc and found.vpc_id != vpc):
            refuse("InvalidParameterValue", f"Invalid security group , groupId= {name}, groupName=.")


def _check_capacity(scaling):
    if not scaling:
        return
    low, high = float(scaling.get("MinCapacity", 0.5)), float(scaling.get("MaxCapacity", 1))
    if low > high or low < 0 or high > 256 or (low * 2) % 1 or (high * 2) % 1 or high < 1:
        refuse(
            "InvalidParameterCombination",
            "The Serverless v2 capacity is given in steps of 0.5 from 0 (minimum) and 1 (maximum) to 256, the minimum not above the maximum.",
        )


def _own_secret(call, cluster):
    """AWS rotates a managed master secret every 7 days from the start. moto: shows no rotation at all."""
    if not cluster.manage_master_user_password:
        return
    managed = cluster.master_user_secret
    managed._status = "creating"
    secret = managed.secret
    secret.rotation_requested, secret.rotation_enabled, secret.auto_rotate_after_days = True, True, 7
    call.clock.later("rds/cluster secret", lambda: setattr(managed, "_status", "active"))


def shown(call, name):
    """A cluster as DescribeDBClusters shows it."""
    return call.ask("DescribeDBClusters", DBClusterIdentifier=name)["DBClusters"][0]


def existing(call, name):
    """A cluster; refuses as AWS does."""
    cluster = call.backend.clusters.get(name)
    return cluster if cluster else refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.")


@patch("rds", "ModifyDBCluster")
def modify_cluster(call):
    """AWS: only in state `available`, checks as at creation. moto: any state, checks nothing."""
    params = with_key_arns(call, call.params, "MasterUserSecretKmsKeyId", "PerformanceInsightsKMSKeyId")
    cluster = existing(call, params["DBClusterIdentifier"])
    if cluster.status != "available":
        refuse("InvalidDBClusterStateFault", f"DB cluster {cluster.db_cluster_identifier} is not in available state.")
    if params.get("DBClusterParameterGroupName"):
        _check_group(call, params["DBClusterParameterGroupName"], catalog.family(cluster.engine_version))
    _check_network(call, {key: value for key, value in params.items() if key == "VpcSecurityGroupIds"})
    _check_capacity(params.get("ServerlessV2ScalingConfiguration"))
    exports = params.pop("CloudwatchLogsExportConfiguration", None) or {}
    had = cluster.manage_master_user_password
    answer = call.forward(params)
    # moto reads the exports from a parameter that this operation does not have.
    kept = [name for name in cluster.enabled_cloudwatch_logs_exports if name not in exports.get("DisableLogTypes", [])]
    cluster.enabled_cloudwatch_logs_exports = kept + [
        name for name in exports.get("EnableLogTypes", []) if name not in kept
    ]
    if not had:
        _own_secret(call, cluster)
    cluster.status = "modifying"
    answer.data["DBCluster"] = shown(call, cluster.db_cluster_identifier)

    def available():
        if cluster.status == "modifying":
            cluster.status = "available"

    call.clock.later("rds/cluster modification", available)
    return answer


@patch("rds", "DeleteDBCluster")
def delete_cluster(call):
    """AWS: refused while an instance is not being deleted, and while it is stopped ("Deleting a stopped Aurora cluster");
    needs a word on the final snapshot; stays `deleting` until the instances are gone; the managed secret goes with it.
    moto: gone at once, any instance refuses it, a stopped one goes."""
    rds, name = call.backend, call.params["DBClusterIdentifier"]
    cluster = existing(call, name)
    if not call.params.get("SkipFinalSnapshot") and not call.params.get("FinalDBSnapshotIdentifier"):
        refuse(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    if cluster.status == "deleting":
        refuse("InvalidDBClusterStateFault", f"The cluster {name} is already being deleted.")
    if cluster.status == "stopped":
        refuse("InvalidDBClusterStateFault", f"Db cluster {name} is in stopped state")
    if cluster.deletion_protection:
        refuse(
            "InvalidParameterCombination",
            "Cannot delete protected Cluster, please disable deletion protection and try again.",
        )
    if any(member.status != "deleting" for member in cluster._members):
        refuse(
            "InvalidDBClusterStateFault",
            "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
        )
    cluster.status = "deleting"
    answer = {"DBCluster": shown(call, name)}

    def gone():
        if cluster._members:
            call.clock.later("rds/cluster deletion", gone)
            return
        secret = cluster.master_user_secret.secret if cluster.manage_master_user_password else None
        cluster.manage_master_user_password = False
        call.forward()
        # AWS's automated snapshots go with the cluster; moto leaves them.
        for snapshot in [
            key
            for key, kept in rds.cluster_snapshots.items()
            if kept.snapshot_type == "automated" and kept.db_cluster_identifier == name
        ]:
            del rds.cluster_snapshots[snapshot]
        if secret:
            secrets = call.backend_of("secretsmanager").secrets
            for key in [key for key, value in list(secrets.items()) if value is secret]:
                secrets.pop(key)

    call.clock.later("rds/cluster deletion", gone)
    return answer


@patch("rds", "RemoveRoleFromDBCluster")
def remove_role(call):
    """AWS: takes a role away from a cluster; PostgreSQL wants the feature that it was given for. moto: not there."""
    name, role = call.params["DBClusterIdentifier"], call.params["RoleArn"]
    cluster = call.backend.clusters.get(name)
    if cluster is None:
        refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.", 404)
    feature = call.params.get("FeatureName")
    if not feature and cluster.engine == catalog.ENGINE:
        refuse(
            "InvalidParameterValue",
            "The feature-name parameter must be provided with the current operation for the Aurora (PostgreSQL) engine.",
        )
    left = [r for r in cluster._associated_roles if (r.role_arn, r.feature_name) != (role, feature)]
    if len(left) == len(cluster._associated_roles):
        refuse("DBClusterRoleNotFound", f"Role {role} is not associated with DB cluster {name}.", 404)
    cluster._associated_roles = left
    return {}
