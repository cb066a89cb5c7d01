"""One-off tasks: how one ends is what the control path says, since no container runs here."""

import time

from moto.moto_api._internal import mock_random

from ..call import patch, refuse
from ..store import store_of
from .ecs import active

TASKS = "ecs-tasks"
STARTING, RUNNING = "ecs/task", "ecs/task run"
# ECS shows a stopped task for about an hour.
SHOWN_SECONDS = 3600


def _cluster(call):
    name = call.params.get("cluster", "default").split("/")[-1]
    cluster = call.backend.clusters.get(name)
    if cluster is None or cluster.status != "ACTIVE":
        refuse("ClusterNotFoundException", "Cluster not found.")
    return cluster


def _told(container):
    return store_of("sandbox", "control").table("tasks").get(container)


def _log(call, task):
    """What the container has written, as the log driver awslogs puts it into its group."""
    for container in task["definition"]:
        told, log = _told(container["name"]) or {}, (container.get("logConfiguration") or {}).get("options") or {}
        lines = (told.get("log") or [])[task["logged"] :]
        if not lines or log.get("awslogs-group") is None:
            continue
        stream = f"{log['awslogs-stream-prefix']}/{container['name']}/{task['shown']['taskArn'].split('/')[-1]}"
        logs, now = call.backend_of("logs"), int(time.time() * 1000)
        logs.ensure_log_stream(log["awslogs-group"], stream)
        logs.put_log_events(log["awslogs-group"], stream, [{"timestamp": now, "message": line} for line in lines])
        task["logged"] += len(lines)


def _advance(call, task):
    """Brings a task to where it is now."""
    shown, now = task["shown"], call.clock.now()
    if shown["lastStatus"] == "STOPPED" or now < task["ready"]:
        return
    told = _told(shown["containers"][0]["name"]) or {}
    started = "reason" not in told or "exit" in told
    if started and shown["lastStatus"] != "RUNNING":
        shown.update(lastStatus="RUNNING", connectivity="CONNECTED", startedAt=time.time())
        task["ends"] = now + call.clock.seconds(RUNNING)
    if started:
        _log(call, task)
    if started and (told.get("exit") is None or now < task["ends"]):
        return
    why = ("EssentialContainerExited", "Essential container in task exited") if started else ("TaskFailedToStart", told["reason"])
    _stop(task, *why, told.get("exit") if started else None, told.get("reason") if started else None)


def _stop(task, code, reason, exit_code=None, container_reason=None):
    now = time.time()
    task["shown"].update(lastStatus="STOPPED", desiredStatus="STOPPED", stopCode=code, stoppedReason=reason, stoppingAt=now, stoppedAt=now)
    for container in task["shown"]["containers"]:
        container["lastStatus"] = "STOPPED"
        if exit_code is not None:
            container["exitCode"] = exit_code
        if container_reason is not None:
            container["reason"] = container_reason


def _tasks(call):
    """The tasks of the cluster that ECS still shows."""
    cluster = _cluster(call).name
    mine = [one for one in call.store.table(TASKS).values() if one["cluster"] == cluster]
    for task in mine:
        _advance(call, task)
    limit = time.time() - SHOWN_SECONDS
    return [one for one in mine if one["shown"].get("stoppedAt", limit) >= limit]


@patch("ecs", "RunTask")
def run(call):
    """AWS: a token stands for one task; a task of Fargate needs a network, an active definition, a container of that name; it
    starts, runs and ends. moto: forgets the token, and a task never has an exit code."""
    params, cluster = call.params, _cluster(call)
    definition = active(call, params["taskDefinition"])
    if definition.status != "ACTIVE":
        refuse("ClientException", "TaskDefinition is inactive")
    fargate = params.get("launchType") == "FARGATE"
    if fargate and not (params.get("networkConfiguration") or {}).get("awsvpcConfiguration"):
        refuse(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    if len(params.get("startedBy") or "") > 128:
        refuse("InvalidParameterException", "startedBy must be 128 characters or fewer.")
    containers = definition.container_definitions
    names = {one["name"] for one in containers}
    for override in (params.get("overrides") or {}).get("containerOverrides") or []:
        if override.get("name") not in names:
            refuse(
                "InvalidParameterException",
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition.",
            )
    token = params.get("clientToken")
    asked = {key: value for key, value in params.items() if key != "clientToken"}
    known = next((one for one in call.store.table(TASKS).values() if token and one["token"] == token), None)
    if known is not None:
        if known["asked"] != asked:
            refuse("ConflictException", "The clientToken was used with other parameters.")
        return {"tasks": [known["shown"]], "failures": []}
    if any(_told(name) is None for name in names):
        name = sorted(names)[0]
        refuse("NotImplemented", f"The sandbox runs no container. POST /_sandbox/tasks says how a task of {name} ends.", 501)
    made = []
    for _ in range(params.get("count") or 1):
        identity = mock_random.uuid4().hex
        arn = call.arn(f"task/{cluster.name}/{identity}")
        shown = {
            "taskArn": arn,
            "clusterArn": cluster.arn,
            "taskDefinitionArn": definition.arn,
            "lastStatus": "PROVISIONING",
            "desiredStatus": "RUNNING",
            "createdAt": time.time(),
            "cpu": str(definition.cpu),
            "memory": str(definition.memory),
            "launchType": params.get("launchType", "EC2"),
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "group": params.get("group") or f"family:{definition.family}",
            "startedBy": params.get("startedBy", ""),
            "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **(params.get("overrides") or {})},
            "tags": params.get("tags") or [],
            "attachments": [],
            "containers": [
                {
                    "containerArn": call.arn(f"container/{cluster.name}/{identity}/{mock_random.uuid4()}"),
                    "taskArn": arn,
                    "name": one["name"],
                    "image": one["image"],
                    "lastStatus": "PENDING",
                    "networkInterfaces": [],
                }
                for one in containers
            ],
        }
        task = {
            "shown": shown,
            "cluster": cluster.name,
            "definition": containers,
            "token": token,
            "asked": asked,
            "logged": 0,
            "ready": call.clock.ready_at(STARTING),
            "ends": 0.0,
        }
        call.store.table(TASKS)[arn] = task
        made.append(shown)
    return {"tasks": made, "failures": []}


@patch("ecs", "ListTasks")
def list_tasks(call):
    """AWS: those that are to run unless others are asked for; `startedBy` comes alone. moto: all, and takes both."""
    params = call.params
    others = [key for key in ("family", "serviceName", "desiredStatus", "containerInstance", "launchType") if params.get(key)]
    if params.get("startedBy") and others:
        refuse("InvalidParameterException", f"startedBy can not be combined with {', '.join(others)}.")
    wanted = params.get("desiredStatus", "RUNNING")
    family = params.get("family")
    shown = [one["shown"] for one in _tasks(call) if one["shown"]["desiredStatus"] == wanted]
    if params.get("startedBy"):
        shown = [one for one in shown if one["startedBy"] == params["startedBy"]]
    if family:
        shown = [one for one in shown if one["taskDefinitionArn"].split("/")[-1].split(":")[0] == family]
    if params.get("serviceName"):
        shown = []
    arns = sorted(one["taskArn"] for one in shown)
    start, size = int(params.get("nextToken") or 0), int(params.get("maxResults") or 100)
    end = start + size
    return {"taskArns": arns[start:end], **({"nextToken": str(end)} if end < len(arns) else {})}


@patch("ecs", "DescribeTasks")
def describe(call):
    """AWS: a task that is not known (any more) is a failure; tags only when they are asked for. moto: leaves it out."""
    wanted = call.params.get("tasks") or []
    if not wanted:
        refuse("InvalidParameterException", "Tasks cannot be empty.")
    known = {one["shown"]["taskArn"].split("/")[-1]: one["shown"] for one in _tasks(call)}
    with_tags = "TAGS" in (call.params.get("include") or [])
    found, failures = [], []
    for name in wanted:
        shown = known.get(name.split("/")[-1])
        if shown is None:
            failures.append({"arn": name, "reason": "MISSING"})
        else:
            found.append(shown if with_tags else {**shown, "tags": []})
    return {"tasks": found, "failures": failures}


@patch("ecs", "StopTask")
def stop(call):
    """AWS: SIGTERM, and after a while SIGKILL: exit code 143 of what does not say otherwise. moto: only for its own tasks."""
    known = {one["shown"]["taskArn"].split("/")[-1]: one for one in _tasks(call)}
    task = known.get(call.params["task"].split("/")[-1])
    if task is None:
        refuse("InvalidParameterException", "The referenced task was not found.")
    if task["shown"]["lastStatus"] != "STOPPED":
        _stop(task, "UserInitiated", call.params.get("reason") or "Task stopped by user", 143)
    return {"task": task["shown"]}


@patch("ecs", "DeleteCluster")
def delete_cluster(call):
    """AWS: not while tasks are active. moto: at once."""
    name = call.params["cluster"].split("/")[-1]
    cluster = call.backend.clusters.get(name)
    if cluster is not None and cluster.status == "ACTIVE" and any(one["shown"]["lastStatus"] != "STOPPED" for one in _tasks(call)):
        refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    return call.forward()
