"""Engine versions of DB clusters: where an upgrade may lead, and what one to another major version takes."""

from ..call import patch, refuse
from . import rds_catalog as catalog

# What an upgrade is asked for by; other settings of the same call are changed beside it.
OWN = ("EngineVersion", "AllowMajorVersionUpgrade", "DBClusterParameterGroupName", "DBInstanceParameterGroupName")


def _major(version):
    return version.split(".")[0]


@patch("rds", "ModifyDBCluster")
def upgrade_cluster(call):
    """AWS: a version must be a target of the one that runs; another major version takes AllowMajorVersionUpgrade and groups of its family
    in place of custom ones, makes a snapshot, and nothing connects for a long time. moto: sets any version at once."""
    params = call.params
    # rds_clusters would register its patch first if it were imported here; this one is around it.
    cluster = call.backend.clusters.get(params["DBClusterIdentifier"])
    if cluster is None or cluster.engine != catalog.ENGINE:
        return call.forward()
    version = params.get("EngineVersion") or cluster.engine_version
    targets = {target["EngineVersion"] for target in catalog.targets(cluster.engine_version)}
    if version != cluster.engine_version and version not in targets:
        refuse("InvalidParameterCombination", f"Cannot upgrade {cluster.engine} from {cluster.engine_version} to {version}")
    if _major(version) == _major(cluster.engine_version):
        if params.get("DBInstanceParameterGroupName"):
            refuse("InvalidParameterCombination", "DBInstanceParameterGroupName is valid with a major version upgrade alone.")
        return call.forward()
    if not params.get("AllowMajorVersionUpgrade"):
        refuse(
            "InvalidParameterCombination",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )
    if cluster.status != "available" or any(member.status != "available" for member in cluster._members):
        refuse("InvalidDBClusterStateFault", f"DB cluster {cluster.db_cluster_identifier} is not in available state.")
    _groups(call, cluster, version)
    rest = {key: value for key, value in params.items() if key not in OWN}
    if rest.keys() - {"DBClusterIdentifier", "ApplyImmediately"}:
        call.forward(rest)
    call.backend.create_auto_cluster_snapshot(
        cluster.db_cluster_identifier,
        f"preupgrade-{cluster.db_cluster_identifier}-{cluster.engine_version}-to-{version}".replace(".", "-"),
    )
    for one in (cluster, *cluster._members):
        one.status = "upgrading"

    def upgraded():
        cluster.engine_version = version
        cluster.parameter_group = params.get("DBClusterParameterGroupName") or f"default.{catalog.family(version)}"
        for member in cluster._members:
            member.db_parameter_group_name = params.get("DBInstanceParameterGroupName")
        for one in (cluster, *cluster._members):
            if one.status == "upgrading":
                one.status = "available"

    shown = call.ask("DescribeDBClusters", DBClusterIdentifier=cluster.db_cluster_identifier)["DBClusters"][0]
    call.clock.later("rds/cluster upgrade", upgraded)
    return {"DBCluster": shown}


def _groups(call, cluster, version):
    """Custom groups of the old family must be replaced, by groups of the new one."""
    rds, family = call.backend, catalog.family(version)
    own = [member.db_parameter_group_name for member in cluster._members]
    for kind, current, groups in (
        ("Cluster", [cluster.parameter_group], rds.db_cluster_parameter_groups),
        ("Instance", own, rds.db_parameter_groups),
    ):
        name = call.params.get(f"DB{kind}ParameterGroupName")
        custom = next((one for one in current if one and not one.startswith("default.")), None)
        if custom and not name:
            what = f"DB {kind.lower()} parameter group"
            refuse(
                "InvalidParameterCombination",
                f"The current {what} {custom} is custom. You must explicitly specify a new {what}, either default or custom, for the engine version upgrade.",
            )
        if not name or name.startswith("default."):
            continue
        if name not in groups:
            refuse("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
        has = getattr(groups[name], "db_parameter_group_family", None) or groups[name].family
        if has != family:
            refuse(
                "InvalidParameterCombination",
                f"The Parameter Group {name} with DBParameterGroupFamily {has} can't be used for this instance. Please use a Parameter Group with DBParameterGroupFamily {family}",
            )
