"""Subnet groups, parameter groups, engine versions and tags of RDS."""

import copy

from moto.core.resource_tagging import TaggedResource
from moto.rds.models import RDSBackend

from ..call import patch, refuse
from ..moto_parts import replaces
from . import rds_catalog as catalog
from . import rds_reboots

LOWER = (
    "DBClusterIdentifier",
    "DBInstanceIdentifier",
    "DBSubnetGroupName",
    "DBParameterGroupName",
    "DBClusterParameterGroupName",
)
IN_USE = "InvalidDBParameterGroupState"


@patch("rds", "*")
def lower_case_names(call):
    """AWS: identifiers are case-insensitive and kept in lower case. moto: keeps them as sent in places."""
    sent = {key: call.params[key] for key in LOWER if key in call.params}
    if all(value == value.lower() for value in sent.values()):
        return call.forward()
    return call.forward({**call.params, **{key: value.lower() for key, value in sent.items()}})


@patch("rds", "DescribeDBEngineVersions")
def describe_engine_versions(call):
    """AWS: lists what can be created. moto: not implemented."""
    params = call.params
    wanted = {wish["Name"]: wish["Values"] for wish in params.get("Filters", [])}
    shown = (
        [catalog.version_shown(version) for version in catalog.VERSIONS]
        if params.get("Engine", catalog.ENGINE) == catalog.ENGINE
        else []
    )
    if params.get("DefaultOnly"):
        shown = [entry for entry in shown if entry["EngineVersion"] == catalog.DEFAULT_VERSION]
    for key, values in (
        ("EngineVersion", [params["EngineVersion"]] if params.get("EngineVersion") else wanted.get("engine-version")),
        (
            "DBParameterGroupFamily",
            [params["DBParameterGroupFamily"]]
            if params.get("DBParameterGroupFamily")
            else wanted.get("db-parameter-group-family"),
        ),
    ):
        if values:
            # A major version as EngineVersion lists its minor ones.
            shown = [
                entry
                for entry in shown
                if entry[key] in values or (key == "EngineVersion" and entry["MajorEngineVersion"] in values)
            ]
    return {"DBEngineVersions": shown}


@patch("rds", "DescribeAccountAttributes")
def account_quotas(call):
    """AWS: the quotas of RDS with what is used of them. moto: not implemented."""
    backend = call.backend
    used = {
        "DBInstances": len(backend.databases),
        "DBClusters": len(backend.clusters),
        "DBParameterGroups": len(backend.db_parameter_groups),
        "DBClusterParameterGroups": len(backend.db_cluster_parameter_groups),
        "DBSubnetGroups": len(backend.subnet_groups),
    }
    quotas = [
        {"AccountQuotaName": name, "Used": used[name], "Max": most} for name, most in catalog.ACCOUNT_QUOTAS.items()
    ]
    return {"AccountQuotas": quotas}


def _zones(call, names):
    ec2 = call.backend_of("ec2")
    subnets = {subnet.id: subnet for by_zone in ec2.subnets.values() for subnet in by_zone.values()}
    unknown = [name for name in names if name not in subnets]
    if unknown:
        refuse("InvalidSubnet", f"Some input subnets in :[{', '.join(unknown)}] are invalid.")
    if len({subnets[name].vpc_id for name in names}) > 1:
        refuse("InvalidSubnet", "The subnets are not all in the same VPC.")
    if len({subnets[name].availability_zone for name in names}) < 2:
        refuse(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Add subnets to cover at least 2 AZs.",
        )
    return [subnets[name] for name in names]


def users_of_subnet_group(call, name):
    """Clusters and instances in a subnet group, those being deleted included."""
    rds = call.backend
    clusters = [
        cluster.db_cluster_identifier for cluster in rds.clusters.values() if cluster.db_subnet_group_name == name
    ]
    return clusters + [
        db.db_instance_identifier
        for db in rds.databases.values()
        if getattr(getattr(db, "db_subnet_group", None), "name", None) == name
    ]


@patch("rds", "CreateDBSubnetGroup")
def create_subnet_group(call):
    """AWS: needs two zones of one VPC and a free name. moto: overwrites a group of the same name."""
    name = call.params["DBSubnetGroupName"]
    if name in call.backend.subnet_groups:
        refuse("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    _zones(call, call.params.get("SubnetIds", []))
    return call.forward()


@patch("rds", "ModifyDBSubnetGroup")
def modify_subnet_group(call):
    """AWS: changes the group. moto: deletes it."""
    name = call.params["DBSubnetGroupName"]
    group = call.backend.describe_db_subnet_groups(name)[0]
    subnets = _zones(call, call.params.get("SubnetIds", []))
    kept = {subnet.id for subnet in subnets}
    used = {eni.subnet.id for eni in call.backend_of("ec2").enis.values() if eni.description == "RDSNetworkInterface"}
    lost = [subnet.id for subnet in group._subnets if subnet.id not in kept and subnet.id in used]
    if lost and users_of_subnet_group(call, name):
        refuse("SubnetInUse", f"The subnets {', '.join(lost)} are in use by DB instances")
    group.subnets = subnets
    if call.params.get("DBSubnetGroupDescription"):
        group.description = call.params["DBSubnetGroupDescription"]
    return {"DBSubnetGroup": call.ask("DescribeDBSubnetGroups", DBSubnetGroupName=name)["DBSubnetGroups"][0]}


@patch("rds", "DeleteDBSubnetGroup")
def delete_subnet_group(call):
    """AWS: refused while a cluster or instance uses it. moto: deletes it."""
    name = call.params["DBSubnetGroupName"]
    call.backend.describe_db_subnet_groups(name)
    users = users_of_subnet_group(call, name)
    if users:
        refuse(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{name}' because at least one database instance: {users[0]} is still using it.",
        )
    return call.forward()


def _refuse_unknown(call, name, clustered):
    groups = call.backend.db_cluster_parameter_groups if clustered else call.backend.db_parameter_groups
    if name not in groups:
        kind = "DBClusterParameterGroup" if clustered else "DBParameterGroup"
        refuse("DBParameterGroupNotFound", f"{kind} not found: {name}")
    return groups[name]


@patch("rds", "DescribeDBParameterGroups", "DescribeDBClusterParameterGroups")
def describe_parameter_groups(call):
    """AWS: DBParameterGroupNotFound for an unknown name, of either kind. moto: an empty list or another code."""
    clustered = "Cluster" in call.operation
    name = call.params.get("DBClusterParameterGroupName" if clustered else "DBParameterGroupName")
    if name:
        _refuse_unknown(call, name, clustered)
    return call.forward()


@patch("rds", "CreateDBParameterGroup", "CreateDBClusterParameterGroup")
def create_parameter_group(call):
    """AWS: the family must exist."""
    wanted = call.params.get("DBParameterGroupFamily", "")
    if wanted.startswith(catalog.ENGINE) and wanted not in {catalog.family(version) for version in catalog.VERSIONS}:
        refuse("InvalidParameterValue", f"ParameterGroupFamily {wanted} is not a valid parameter group family")
    return call.forward()


@patch("rds", "DescribeDBParameters", "DescribeDBClusterParameters")
def describe_parameters(call):
    """AWS: lists all parameters of the engine, `Source` tells which were set. moto: lists only those."""
    clustered = "Cluster" in call.operation
    group = _refuse_unknown(
        call, call.params["DBClusterParameterGroupName" if clustered else "DBParameterGroupName"], clustered
    )
    names = sorted(set(catalog.PARAMETER) | set(group.parameters))
    shown = [catalog.parameter_shown(name, group.parameters.get(name), clustered) for name in names]
    source = call.params.get("Source")
    return {"Parameters": [entry for entry in shown if not source or entry["Source"] == source]}


@patch("rds", "ModifyDBParameterGroup", "ModifyDBClusterParameterGroup")
def modify_parameters(call):
    """AWS: at most 20 parameters a call; a static parameter takes only pending-reboot. moto: checks neither."""
    clustered = "Cluster" in call.operation
    group = _refuse_unknown(
        call, call.params["DBClusterParameterGroupName" if clustered else "DBParameterGroupName"], clustered
    )
    before = copy.deepcopy(group.parameters)
    wanted = call.params.get("Parameters", [])
    if len(wanted) > 20:
        refuse("InvalidParameterValue", "A maximum of 20 parameters can be modified in a single request.")
    for parameter in wanted:
        known = catalog.PARAMETER.get(parameter.get("ParameterName"))
        if known and known[2] == "static" and parameter.get("ApplyMethod") == "immediate":
            refuse("InvalidParameterCombination", f"cannot use immediate apply method for static parameter {known[0]}")
        if "ParameterValue" not in parameter or parameter.get("ApplyMethod") not in ("immediate", "pending-reboot"):
            refuse("InvalidParameterValue", "ParameterValue and ApplyMethod are required for each parameter.")
    answer = call.forward()
    rds_reboots.note(call, group, before, clustered)
    return answer


@patch("rds", "ResetDBParameterGroup", "ResetDBClusterParameterGroup")
def reset_parameters(call):
    """AWS: parameters go back to the engine's defaults. moto: not implemented."""
    clustered = "Cluster" in call.operation
    key = "DBClusterParameterGroupName" if clustered else "DBParameterGroupName"
    group = _refuse_unknown(call, call.params[key], clustered)
    names = (
        list(group.parameters)
        if call.params.get("ResetAllParameters")
        else [p["ParameterName"] for p in call.params.get("Parameters", [])]
    )
    before = copy.deepcopy(group.parameters)
    for name in names:
        group.parameters.pop(name, None)
    rds_reboots.note(call, group, before, clustered)
    return {key: group.name}


@patch("rds", "DeleteDBParameterGroup", "DeleteDBClusterParameterGroup")
def delete_parameter_group(call):
    """AWS: refused while a cluster or instance uses it. moto: deletes it."""
    clustered = "Cluster" in call.operation
    name = call.params["DBClusterParameterGroupName" if clustered else "DBParameterGroupName"]
    _refuse_unknown(call, name, clustered)
    rds = call.backend
    used = (
        any(cluster.parameter_group == name for cluster in rds.clusters.values())
        if clustered
        else any(db.db_parameter_group_name == name for db in rds.databases.values())
    )
    if used:
        refuse(
            IN_USE,
            f"One or more database instances are still members of this parameter group {name}, so the group cannot be deleted",
        )
    if name.startswith("default."):
        refuse(IN_USE, f"Default DB parameter group cannot be deleted: {name}")
    return call.forward()


# Type in the ARN -> the code AWS answers for a resource of that type that is not there.
NOT_FOUND = {
    "cluster": "DBClusterNotFoundFault",
    "db": "DBInstanceNotFound",
    "subgrp": "DBSubnetGroupNotFoundFault",
    "pg": "DBParameterGroupNotFound",
    "cluster-pg": "DBParameterGroupNotFound",
}


@patch("rds", "ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")
def tags_of_unknown(call):
    """AWS: tags of something that does not exist are an error. moto: an empty list, or silence."""
    arn = call.params["ResourceName"]
    kind = arn.split(":")[5] if arn.count(":") >= 6 else ""
    if kind in NOT_FOUND and call.backend._get_resource_for_tagging(arn) is None:
        refuse(NOT_FOUND[kind], f"{arn} not found.")
    return call.forward()


@replaces(RDSBackend, "iter_tagged_resources")
def _all_tagged(original):
    """AWS: the tagging API returns subnet and parameter groups too. moto: leaves them out."""

    def iter_tagged_resources(self):
        yield from original(self)
        for kind, groups in (
            ("subgrp", self.subnet_groups),
            ("pg", self.db_parameter_groups),
            ("cluster-pg", self.db_cluster_parameter_groups),
        ):
            for group in groups.values():
                own = {tag["Key"]: tag["Value"] for tag in group.get_tags()}
                yield TaggedResource(arn=group.arn, tags=own, resource_type=f"rds:{kind}")

    return iter_tagged_resources
