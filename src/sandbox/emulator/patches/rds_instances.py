"""DB instances: life, rules, Performance Insights, monitoring role, network interface."""

import json

from moto.moto_api._internal import mock_random
from moto.rds.models import DBInstance, DBInstanceClustered

from .. import interfaces
from ..call import patch, refuse
from ..moto_parts import adds
from . import rds_catalog as catalog
from .rds_clusters import existing as existing_cluster
from .rds_clusters import with_key_arns

INTERFACES = "db-instance-interfaces"
INSIGHTS = (
    ("EnablePerformanceInsights", "performance_insights_enabled"),
    ("PerformanceInsightsKMSKeyId", "performance_insights_kms_key_id"),
    ("PerformanceInsightsRetentionPeriod", "performance_insights_retention_period"),
)


def _of_cluster(attribute):
    return property(lambda self: getattr(self.cluster, attribute), lambda self, value: None)


# AWS: members show the IAM authentication and the log exports of their cluster. moto: neither.
adds(DBInstanceClustered, "enable_iam_database_authentication", _of_cluster("iam_auth"))
adds(DBInstanceClustered, "enabled_cloudwatch_logs_exports", _of_cluster("enabled_cloudwatch_logs_exports"))


# AWS: where enhanced monitoring goes. moto: not shown.
adds(
    DBInstance,
    "enhanced_monitoring_resource_arn",
    property(
        lambda self: (
            f"arn:aws:logs:{self.region}:{self.account_id}:log-group:RDSOSMetrics:log-stream:{self.dbi_resource_id}"
            if self.monitoring_interval
            else None
        )
    ),
)


def existing(call, name):
    """An instance; refuses as AWS does."""
    instance = call.backend.databases.get(name)
    return instance if instance else refuse("DBInstanceNotFound", f"DBInstance {name} not found.")


def shown(call, name):
    """An instance as DescribeDBInstances shows it."""
    return call.ask("DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"][0]


@patch("rds", "CreateDBInstance")
def create_instance(call):
    """AWS: needs a living cluster, with a Serverless v2 configuration for db.serverless, and a monitoring role that RDS
    can assume; `creating` for minutes. moto: takes anything, is ready at once, loses Performance Insights and the subnet
    group."""
    params = with_key_arns(call, call.params, "PerformanceInsightsKMSKeyId", "KmsKeyId")
    rds, name = call.backend, params["DBInstanceIdentifier"]
    rds._validate_db_identifier(name)
    cluster = None
    if params.get("DBClusterIdentifier"):
        cluster = existing_cluster(call, params["DBClusterIdentifier"])
        if cluster.status not in ("creating", "available", "modifying", "backing-up"):
            refuse(
                "InvalidDBClusterStateFault",
                f"The cluster {cluster.db_cluster_identifier} is not in a state that takes instances: {cluster.status}",
            )
        if params.get("DBInstanceClass") == "db.serverless" and not cluster.serverless_v2_scaling_configuration:
            refuse(
                "InvalidParameterCombination",
                "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance.",
            )
        if "EngineVersion" in params and params["EngineVersion"] != cluster.engine_version:
            refuse(
                "InvalidParameterCombination",
                f"The engine version that you requested for your DB instance ({params['EngineVersion']}) does not match the engine version of your DB cluster ({cluster.engine_version}).",
            )
    _check_monitoring(call, params)
    group = rds.subnet_groups.get(params.get("DBSubnetGroupName") or getattr(cluster, "db_subnet_group_name", ""))
    zone = params.get("AvailabilityZone")
    subnets = list(group._subnets) if group else []
    if zone and subnets and zone not in [subnet.availability_zone for subnet in subnets]:
        refuse("InvalidVPCNetworkStateFault", f"DB subnet group {group.name} has no subnet in {zone}")
    if subnets and not zone:
        # AWS spreads a cluster's instances over the zones of its group.
        taken = len(cluster._members) if cluster else 0
        params["AvailabilityZone"] = subnets[taken % len(subnets)].availability_zone
    answer = call.forward(params)
    instance = rds.databases[name]
    instance.dbi_resource_id = "db-" + mock_random.get_random_string(26, lower_case=False).upper()
    _keep_insights(instance, params)
    instance.performance_insights_retention_period = (
        params.get("PerformanceInsightsRetentionPeriod", 7) if instance.performance_insights_enabled else None
    )
    if group:
        instance.db_subnet_group = group
        home = next(subnet for subnet in subnets if subnet.availability_zone == instance.availability_zone)
        call.store.table(INTERFACES)[name] = [
            interfaces.make(
                call, home.id, instance.vpc_security_group_ids, "RDSNetworkInterface", requester="amazon-rds"
            )
        ]
    instance.status = "creating"
    answer.data["DBInstance"] = shown(call, name)
    _settle(call, instance, "rds/instance")
    return answer


def _settle(call, instance, kind):
    """To `available`; with enhanced monitoring AWS shows a state of its own on the way."""

    def available():
        if instance.status in ("creating", "modifying", "rebooting", "configuring-enhanced-monitoring"):
            instance.status = "available"

    def configured():
        if instance.status == "creating" and instance.monitoring_interval:
            instance.status = "configuring-enhanced-monitoring"
            call.clock.later("rds/cluster secret", available)
        else:
            available()

    call.clock.later(kind, configured)


def _keep_insights(instance, params):
    for parameter, attribute in INSIGHTS:
        if parameter in params:
            setattr(instance, attribute, params[parameter])
    instance.performance_insights_enabled = bool(getattr(instance, "performance_insights_enabled", False))


def _check_monitoring(call, params):
    arn = params.get("MonitoringRoleArn")
    if not arn:
        return
    role = next((role for role in call.backend_of("iam").roles.values() if role.arn == arn), None)
    trusted = json.dumps(role.assume_role_policy_document) if role else ""
    if "monitoring.rds.amazonaws.com" not in trusted:
        refuse(
            "InvalidParameterValue",
            "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
        )


def _check_group(call, instance, name):
    group = call.backend.db_parameter_groups.get(name) if name else None
    family = catalog.family(instance.engine_version or "")
    if group is not None and instance.engine == catalog.ENGINE and group.family != family:
        refuse(
            "InvalidParameterCombination",
            f"The Parameter Group {name} with DBParameterGroupFamily {group.family} can't be used for this instance. Please use a Parameter Group with DBParameterGroupFamily {family}",
        )


@patch("rds", "ModifyDBCluster")
def change_groups(call):
    """AWS: the interfaces of all members are in the cluster's groups. moto: no interfaces."""
    answer = call.forward()
    if "VpcSecurityGroupIds" in call.params:
        cluster, held = existing_cluster(call, call.params["DBClusterIdentifier"]), call.store.table(INTERFACES)
        for member in cluster._members:
            groups = cluster.vpc_security_group_ids
            interfaces.regroup(call, held.get(member.db_instance_identifier, []), groups)
    return answer


@patch("rds", "ModifyDBInstance")
def modify_instance(call):
    """AWS: refused while the instance settles, and with a parameter group of another family; Performance Insights reads back. moto: any
    state and group, loses it."""
    params = with_key_arns(call, call.params, "PerformanceInsightsKMSKeyId")
    instance = existing(call, params["DBInstanceIdentifier"])
    if instance.status != "available":
        refuse("InvalidDBInstanceState", f"Database instance is not in available state: {instance.status}.")
    _check_monitoring(call, params)
    _check_group(call, instance, params.get("DBParameterGroupName"))
    answer = call.forward(params)
    _keep_insights(instance, params)
    instance.status = "modifying"
    answer.data["DBInstance"] = shown(call, instance.db_instance_identifier)
    _settle(call, instance, "rds/instance modification")
    return answer


@patch("rds", "DeleteDBInstance")
def delete_instance(call):
    """AWS: `deleting` for minutes, still listed and holding its interface; refused while its cluster is stopped. moto: gone
    at once."""
    instance = existing(call, call.params["DBInstanceIdentifier"])
    name = instance.db_instance_identifier
    cluster = call.backend.clusters.get(instance.db_cluster_identifier)
    if cluster is not None and cluster.status == "stopped":
        refuse("InvalidDBClusterStateFault", f"Db cluster {cluster.db_cluster_identifier} is in stopped state")
    if instance.status == "deleting":
        refuse("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
    if instance.deletion_protection:
        refuse(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        )
    if (
        instance.db_cluster_identifier is None
        and not call.params.get("SkipFinalSnapshot")
        and not call.params.get("FinalDBSnapshotIdentifier")
    ):
        refuse(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    instance.status = "deleting"
    answer = {"DBInstance": shown(call, name)}

    def gone():
        interfaces.drop(call, call.store.table(INTERFACES).pop(name, []))
        call.forward()

    call.clock.later("rds/instance deletion", gone)
    return answer
