"""Services: deployments that succeed, fail and are rolled back, draining, settings that moto loses."""

import time

from moto.moto_api._internal import mock_random

from ..call import patch, refuse
from .ecr import is_removed
from .ecs import active

RECORDS = "ecs-services"
KEPT = {
    "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
    "availabilityZoneRebalancing": "ENABLED",
    "enableExecuteCommand": False,
    "enableECSManagedTags": False,
    "healthCheckGracePeriodSeconds": 0,
    "networkConfiguration": None,
    "platformVersion": "LATEST",
    "propagateTags": "NONE",
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "capacityProviderStrategy": [],
}
# What a service shows with the deployment that brought it, and no other way.
DEPLOYED = ("serviceConnectConfiguration", "vpcLatticeConfigurations", "volumeConfigurations")


def _find(call):
    cluster = call.params.get("cluster", "default").split("/")[-1]
    name = (call.params.get("service") or call.params.get("serviceName")).split("/")[-1]
    return call.backend.services.get(f"{cluster}:{name}")


def _record(call, service):
    return call.store.table(RECORDS).setdefault(service.arn, {"settings": dict(KEPT), "deployments": [], "events": []})


def _tell(record, text):
    record["events"].insert(0, {"id": str(mock_random.uuid4()), "createdAt": time.time(), "message": text})
    del record["events"][100:]


def _check_targets(call):
    """Its groups exist and a load balancer sends them requests."""
    elb = call.backend_of("elbv2")
    for one in call.params.get("loadBalancers") or []:
        arn = one.get("targetGroupArn")
        group = elb.target_groups.get(arn)
        if group is None:
            refuse("InvalidParameterException", "Unable to find the specified target group.")
        if not any(balancer in elb.load_balancers for balancer in group.load_balancer_arns):
            refuse(
                "InvalidParameterException",
                f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
            )


def _starts(call, definition):
    """Whether tasks of a definition start: their images are there, by digest."""
    containers = active(call, definition).container_definitions
    return all("@sha256:" in one["image"] and not is_removed(call, one["image"]) for one in containers)


def _alarms_off(call, record):
    """True when an alarm of the service's deployments has gone off."""
    alarms = record["settings"]["deploymentConfiguration"].get("alarms") or {}
    known = call.backend_of("cloudwatch").alarms
    named = [known[name] for name in alarms.get("alarmNames", []) if name in known]
    return bool(alarms.get("enable")) and any(alarm.state_value == "ALARM" for alarm in named)


def _deploy(call, service, record, reason=None):
    """A new deployment takes over; what ran before runs on until it is done."""
    name = f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}"
    before = [one for one in record["deployments"] if one["status"] == "PRIMARY"]
    for one in before:
        one["status"] = "ACTIVE"
    now = time.time()
    # An alarm that is off already when a deployment begins is not looked at (aws/copilot-cli#4512).
    record["blind"] = _alarms_off(call, record)
    record["deployments"] = [
        {
            "id": name,
            "status": "PRIMARY",
            "taskDefinition": service.task_definition,
            "desiredCount": service.desired_count,
            "pendingCount": service.desired_count,
            "runningCount": 0,
            "failedTasks": 0,
            "createdAt": now,
            "updatedAt": now,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "networkConfiguration": record["settings"]["networkConfiguration"],
            **record.get("deployed", {}),
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": reason or f"ECS deployment {name} in progress.",
        },
        *before,
    ]
    return lambda: call.clock.later("ecs/service", lambda: _finish(call, service, record, name))


def _finish(call, service, record, name):
    mine = next((one for one in record["deployments"] if one["id"] == name), None)
    if mine is None or mine["status"] != "PRIMARY" or service.status != "ACTIVE":
        return
    mine["pendingCount"] = 0
    settings = record["settings"]["deploymentConfiguration"]
    if not record.get("blind") and _alarms_off(call, record):
        _tell(record, f"(service {service.name}) (deployment {name}) deployment failed: alarm detected.")
        mine.update(rolloutState="FAILED", rolloutStateReason="ECS deployment failed: alarm detected.")
        _back(call, service, record, (settings.get("alarms") or {}).get("rollback"), "alarm detected")
        return
    if service.desired_count == 0 or _starts(call, mine["taskDefinition"]):
        mine.update(
            rolloutState="COMPLETED",
            rolloutStateReason=f"ECS deployment {name} completed.",
            runningCount=service.desired_count,
        )
        service.running_count, service.pending_count = service.desired_count, 0
        record["deployments"] = [mine]
        _tell(record, f"(service {service.name}) has reached a steady state.")
        return
    mine["failedTasks"] = 3
    _tell(record, f"(service {service.name}) was unable to start a task: CannotPullContainerError: not found")
    breaker = settings.get("deploymentCircuitBreaker") or {}
    if not breaker.get("enable"):
        return
    _tell(record, f"(service {service.name}) (deployment {name}) deployment failed: tasks failed to start.")
    mine.update(rolloutState="FAILED", rolloutStateReason="ECS deployment circuit breaker: tasks failed to start.")
    _back(call, service, record, breaker.get("rollback"), "ECS deployment circuit breaker")


def _back(call, service, record, wanted, why):
    """Back to what ran before, when that is wanted and there is something."""
    before = [one for one in record["deployments"] if one["rolloutState"] == "COMPLETED" and one["runningCount"]]
    if wanted and before:
        service.task_definition = before[0]["taskDefinition"]
        record["deployments"] = before
        _tell(record, f"(service {service.name}) rolling back to deployment {before[0]['id']}.")
        reason = f"{why}: rolling back to deploymentId {before[0]['id']}."
        _deploy(call, service, record, reason)()


def _shown(call, data):
    """What moto answers, with what it loses."""
    service = call.backend.services.get(f"{data['clusterArn'].split('/')[-1]}:{data['serviceName']}")
    if service is None:
        return data
    record = _record(call, service)
    settings = {key: value for key, value in record["settings"].items() if value is not None}
    data.update(settings)
    data.update(
        deployments=[dict(one) for one in record["deployments"]],
        events=list(record["events"]),
        status=service.status,
        desiredCount=service.desired_count,
        runningCount=service.running_count,
        pendingCount=max(service.desired_count - service.running_count, 0),
        taskDefinition=service.task_definition,
    )
    return data


@patch("ecs", "CreateService")
def create(call):
    """AWS: refuses a name that is active or drains, an inactive definition, and a target group that no load balancer uses; tasks start. moto: replaces the service, which
    never becomes stable, and loses most settings."""
    service = _find(call)
    if service is not None and service.status == "ACTIVE":
        refuse("InvalidParameterException", "Creation of service was not idempotent.")
    if service is not None and service.status == "DRAINING":
        refuse("InvalidParameterException", "Unable to Start a service that is still Draining.")
    definition = active(call, call.params["taskDefinition"])
    if definition.status != "ACTIVE":
        refuse("ClientException", "TaskDefinition is inactive")
    _check_targets(call)
    answer = call.forward()
    service = _find(call)
    call.store.table(RECORDS).pop(service.arn, None)
    record = _record(call, service)
    record["settings"].update({key: call.params[key] for key in KEPT if key in call.params})
    record["deployed"] = {key: call.params[key] for key in DEPLOYED if key in call.params}
    service.task_definition, service.running_count = definition.arn, 0
    go = _deploy(call, service, record)
    _shown(call, answer.data["service"])
    go()
    return answer


@patch("ecs", "UpdateService")
def update(call):
    """AWS: another definition, network or platform starts a deployment; only an active service takes changes. moto: changes at
    once."""
    service = _find(call)
    if service is None:
        refuse("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        refuse("ServiceNotActiveException", "Service was not ACTIVE.")
    _check_targets(call)
    params, record = call.params, _record(call, service)
    deploys = bool(params.get("forceNewDeployment"))
    if params.get("taskDefinition"):
        definition = active(call, params["taskDefinition"])
        if definition.status != "ACTIVE":
            refuse("ClientException", "TaskDefinition is inactive")
        deploys |= definition.arn != service.task_definition
        service.task_definition = definition.arn
    for key in ("networkConfiguration", "platformVersion", "loadBalancers", "serviceRegistries"):
        deploys |= key in params and params[key] != record["settings"].get(key)
    deployed = {key: params[key] for key in DEPLOYED if key in params}
    deploys |= any(record.get("deployed", {}).get(key) != value for key, value in deployed.items())
    record["deployed"] = {**record.get("deployed", {}), **deployed}
    record["settings"].update({key: params[key] for key in KEPT if key in params})
    if params.get("desiredCount") is not None:
        scale(call, service, params["desiredCount"])
    go = _deploy(call, service, record) if deploys else lambda: None
    cluster = service.cluster_name
    answer = call.ask("DescribeServices", cluster=cluster, services=[service.name])["services"][0]
    go()
    return {"service": answer}


def scale(call, service, count):
    """Another count: tasks start or stop, no deployment."""
    service.desired_count = count
    record = call.store.table(RECORDS).get(service.arn)
    primary = next((one for one in record["deployments"] if one["status"] == "PRIMARY"), None) if record else None
    if primary and primary["rolloutState"] == "COMPLETED":
        running = count if count == 0 or _starts(call, primary["taskDefinition"]) else 0
        primary.update(desiredCount=count, runningCount=running)
        service.running_count = running


@patch("ecs", "DescribeServices")
def describe(call):
    """AWS: deployments, events and all settings. moto: loses them."""
    answer = call.forward()
    for one in answer.data.get("services", []):
        _shown(call, one)
    return answer


@patch("ecs", "ListServices")
def list_services(call):
    """AWS: an inactive service is not listed. moto: is."""
    answer = call.forward()
    gone = {s.arn for s in call.backend.services.values() if s.status == "INACTIVE"}
    answer.data["serviceArns"] = [arn for arn in answer.data.get("serviceArns", []) if arn not in gone]
    return answer


@patch("ecs", "DeleteService")
def delete(call):
    """AWS: drains, then is INACTIVE and can still be read. moto: INACTIVE at once, with its tags."""
    service = _find(call)
    if service is None:
        refuse("ServiceNotFoundException", "Service not found.")
    if service.status == "INACTIVE":
        refuse("ServiceNotActiveException", "Service was not ACTIVE.")
    if service.status == "DRAINING":
        return {"service": call.ask("DescribeServices", cluster=service.cluster_name, services=[service.name])["services"][0]}
    answer = call.forward()
    service.status, service.desired_count, service.running_count = "DRAINING", 0, 0
    record = _record(call, service)
    for one in record["deployments"]:
        one.update(desiredCount=0, runningCount=0)
    _shown(call, answer.data["service"])

    def gone():
        if service.status == "DRAINING":
            service.status, service.tags = "INACTIVE", []
            record["deployments"] = []

    call.clock.later("ecs/service deletion", gone)
    return answer
