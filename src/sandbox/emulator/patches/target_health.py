"""Health of targets: ECS registers the tasks of its services."""

from .. import tasks
from ..call import patch
from ..store import store_of


def _running(call, arn):
    """Tasks that run in services of this group, and their port."""
    count, port = 0, 80
    for service in call.backend_of("ecs").services.values():
        for balancer in service.load_balancers or []:
            if balancer.get("targetGroupArn") == arn:
                count += service.running_count
                port = balancer.get("containerPort", port)
    return count, port


@patch("elbv2", "DescribeTargetHealth")
def describe(call):
    """AWS: the tasks of services are targets, healthy when they answer. moto: only what was registered by hand. The control path
    can say how many are healthy."""
    answer = call.forward()
    arn = call.params["TargetGroupArn"]
    shown = answer.data.setdefault("TargetHealthDescriptions", [])
    running, port = _running(call, arn)
    healthy = store_of("sandbox", "control").table("targets").get(arn.split("/")[1])
    states = healthy if isinstance(healthy, dict) else {}
    for one in shown:
        if states.get(one["Target"]["Id"], "healthy") != "healthy":
            one["TargetHealth"] = {"State": states[one["Target"]["Id"]], "Reason": "Target.FailedHealthChecks"}
    healthy = None if states else healthy
    for at in range(running):
        good = healthy is None or at < healthy
        health = {"State": "healthy"} if good else {"State": "unhealthy", "Reason": "Target.FailedHealthChecks"}
        target = {"Id": tasks.address(at), "Port": port}
        shown.append({"Target": target, "HealthCheckPort": str(port), "TargetHealth": health})
    return answer
