"""Static parameters: they wait for a reboot of the instances that use their group."""

import copy

from moto.rds.models import DBCluster, DBInstance

from ..call import patch, refuse
from ..moto_parts import replaces
from . import rds_catalog as catalog

OWN, CLUSTERS = "_reboot_for_own_group", "_reboot_for_cluster_group"


def _status(instance, which):
    return "pending-reboot" if getattr(instance, which, False) else "in-sync"


def _own_groups(instance):
    shown = [copy.copy(group) for group in instance.db_parameter_groups()]
    for group in shown:
        group.ParameterApplyStatus = _status(instance, OWN)
    return shown


# moto: always in-sync.
replaces(DBInstance, "db_parameter_group_status_list")(lambda _original: property(_own_groups))


@replaces(DBCluster, "db_cluster_members")
def _members_shown(original):
    """Likewise."""

    def members(cluster):
        shown = original.fget(cluster)
        for entry, member in zip(shown, cluster.members):
            entry["DBClusterParameterGroupStatus"] = _status(member, CLUSTERS)
        return shown

    return property(members)


def note(call, group, before, clustered):
    """After a change of a group: instances whose static parameters are no longer what they run with."""
    after = group.parameters
    value = lambda parameters, name: (parameters.get(name) or {}).get("ParameterValue")
    changed = {name for name in {*before, *after} if value(before, name) != value(after, name)}
    static = {name for name in changed if catalog.PARAMETER.get(name, (0, 0, "dynamic"))[2] == "static"}
    if not static:
        return
    rds = call.backend
    if clustered:
        clusters = [cluster for cluster in rds.clusters.values() if cluster.db_cluster_parameter_group == group.name]
        users = [member for cluster in clusters for member in cluster.members]
    else:
        users = [db for db in rds.databases.values() if db.db_parameter_group_name == group.name]
    for instance in users:
        setattr(instance, CLUSTERS if clustered else OWN, True)


@patch("rds", "RebootDBInstance")
def reboot(call):
    """AWS: only in state `available`; `rebooting` for a while, then static parameters are in force. moto: nothing."""
    instance = call.backend.describe_db_instances(call.params["DBInstanceIdentifier"])[0]
    if instance.status != "available":
        refuse("InvalidDBInstanceState", f"Instance {instance.db_instance_identifier} is not in available state.")
    answer = call.forward()
    instance.status = "rebooting"

    def rebooted():
        if instance.status == "rebooting":
            instance.status = "available"
            setattr(instance, OWN, False)
            setattr(instance, CLUSTERS, False)

    call.clock.later("rds/cluster modification", rebooted)
    return answer
