"""Clusters and task definitions."""

from ..call import patch, refuse

REVISIONS = "ecs-revisions"
# "Task CPU and memory" of Fargate: CPU units -> MiB from, to, step.
SIZES = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}


@patch("ecs", "CreateCluster")
def create_cluster(call):
    """AWS: a name that is active answers its cluster, unchanged, and what a cluster has none of is an empty list. moto: replaces it, and
    leaves the list out."""
    name = call.params.get("clusterName", "default")
    known = call.backend.clusters.get(name)
    if known is not None and known.status == "ACTIVE":
        return {"cluster": call.ask("DescribeClusters", clusters=[name], include=["TAGS", "SETTINGS"])["clusters"][0]}
    answer = call.forward()
    made = call.backend.clusters[name]
    made.capacity_providers = made.capacity_providers or []
    made.default_capacity_provider_strategy = made.default_capacity_provider_strategy or []
    return answer


@patch("ecs", "UpdateCluster")
def update_cluster(call):
    """AWS: an empty namespace takes away the namespace. moto: keeps the empty one."""
    answer = call.forward()
    made = call.backend.clusters[call.params["cluster"].split("/")[-1]]
    if made.service_connect_defaults and not made.service_connect_defaults.get("namespace"):
        made.service_connect_defaults = None
        answer.data["cluster"].pop("serviceConnectDefaults", None)
    return answer


@patch("ecs", "DeleteCluster")
def delete_cluster(call):
    """AWS: not while services are active or drain. An INACTIVE one can still be read, without tags. moto: at once."""
    name = call.params["cluster"].split("/")[-1]
    services = [s for s in call.backend.services.values() if s.cluster_name == name]
    if any(service.status != "INACTIVE" for service in services):
        refuse("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    if name in call.backend.clusters and call.backend.clusters[name].status != "ACTIVE":
        refuse("ClusterNotFoundException", "Cluster not found.")
    answer = call.forward()
    call.backend.clusters[name].tags = []
    for service in services:
        del call.backend.services[f"{name}:{service.name}"]
    return answer


@patch("ecs", "ListClusters")
def list_clusters(call):
    """AWS: an inactive cluster is not listed. moto: is."""
    answer = call.forward()
    gone = {c.arn for c in call.backend.clusters.values() if c.status == "INACTIVE"}
    answer.data["clusterArns"] = [arn for arn in answer.data.get("clusterArns", []) if arn not in gone]
    return answer


@patch("ecs", "RegisterTaskDefinition")
def register(call):
    """AWS: Fargate takes certain sizes, one port per protocol, and roles that exist; the counter of a family never goes
    back. moto: takes any, and begins again at 1."""
    params = call.params
    if "FARGATE" in (params.get("requiresCompatibilities") or []):
        cpu, memory = int(params.get("cpu", 0)), int(params.get("memory", 0))
        low, high, step = SIZES.get(cpu, (1, 0, 1))
        if not low <= memory <= high or memory % step:
            refuse("ClientException", "No Fargate configuration exists for given values.")
    for role in (params.get("taskRoleArn"), params.get("executionRoleArn")):
        if role and role not in {r.arn for r in call.backend_of("iam").roles.values()}:
            refuse("ClientException", "Role is not valid")
    revisions = call.store.table(REVISIONS)
    family, known = params["family"], call.backend.task_definitions
    before = set(known.get(family, {}))
    last = revisions.get(family, 0)
    if known.get(family) is not None and not before and last:
        # moto numbers from the highest that it still has.
        del known[family]
    answer = call.forward()
    made = next(iter(set(known[family]) - before))
    number = max(last, max(before, default=0)) + 1
    if made != number:
        definition = known[family].pop(made)
        definition.revision = number
        definition.arn = definition.arn.rsplit(":", 1)[0] + f":{number}"
        known[family][number] = definition
        answer.data["taskDefinition"].update(revision=number, taskDefinitionArn=definition.arn)
    revisions[family] = number
    return answer


def active(call, name):
    """The definition that a family or a revision names; refuses as AWS does."""
    short = name.split("/")[-1]
    family, _, number = short.partition(":")
    revisions = call.backend_of("ecs").task_definitions.get(family, {})
    if number:
        return revisions.get(int(number)) or refuse("ClientException", "Unable to describe task definition.")
    newest = max((n for n, one in revisions.items() if one.status == "ACTIVE"), default=None)
    return revisions[newest] if newest else refuse("ClientException", "Unable to describe task definition.")


@patch("ecs", "DescribeTaskDefinition")
def describe(call):
    """AWS: a family stands for its newest active revision. moto: for its newest."""
    found = active(call, call.params["taskDefinition"])
    return call.forward({**call.params, "taskDefinition": found.arn})


@patch("ecs", "DeregisterTaskDefinition")
def deregister(call):
    """AWS: refuses what does not exist, and what is inactive already is fine."""
    short = call.params["taskDefinition"].split("/")[-1]
    family, _, number = short.partition(":")
    if int(number or 0) not in call.backend.task_definitions.get(family, {}):
        refuse("ClientException", "The specified task definition does not exist.")
    return call.forward()


@patch("ecs", "ListTaskDefinitionFamilies")
def families(call):
    """AWS: with ACTIVE only families that have an active revision. moto: all."""
    answer = call.forward()
    if call.params.get("status") == "ACTIVE":
        known = call.backend.task_definitions
        alive = {f for f, all in known.items() if any(one.status == "ACTIVE" for one in all.values())}
        answer.data["families"] = [family for family in answer.data.get("families", []) if family in alive]
    return answer


@patch("ecs", "ListTaskDefinitions")
def list_definitions(call):
    """AWS: in the order that is asked for. moto: always ascending."""
    answer = call.forward()
    key = lambda arn: (arn.rsplit(":", 1)[0], int(arn.rsplit(":", 1)[1]))  # noqa: E731
    answer.data["taskDefinitionArns"] = sorted(
        answer.data.get("taskDefinitionArns", []), key=key, reverse=call.params.get("sort") == "DESC"
    )
    return answer
