"""Application Auto Scaling: the range of a count and the policies that move it."""

from ..call import patch, refuse
from .ecs_services import scale

COUNT = "ecs:service:DesiredCount"
NOTHING_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


def _service(call):
    parts = call.params["ResourceId"].split("/")
    return call.backend_of("ecs").services.get(f"{parts[1]}:{parts[2]}") if len(parts) == 3 else None


@patch("application-autoscaling", "RegisterScalableTarget")
def register(call):
    """AWS: the count is moved into the range at once; an inactive service is none; what is suspended is shown, also when nothing is. moto:
    leaves the count, and shows what was asked for."""
    ecs = call.params["ServiceNamespace"] == "ecs"
    service = _service(call) if ecs else None
    if ecs and (service is None or service.status != "ACTIVE"):
        refuse("ValidationException", f"ECS service doesn't exist: {call.params['ResourceId']}")
    answer = call.forward()
    if service is not None:
        target = call.backend.targets[COUNT][call.params["ResourceId"]]
        target.suspended_state = NOTHING_SUSPENDED | (target.suspended_state or {})
        count = min(max(service.desired_count, target.min_capacity), target.max_capacity)
        if count != service.desired_count:
            scale(call, service, count)
    return answer


def _known(call):
    return call.params["ResourceId"] in call.backend.targets.get(call.params["ScalableDimension"], {})


@patch("application-autoscaling", "PutScalingPolicy")
def put_policy(call):
    """AWS: needs a target; a policy that is put again keeps its pair of alarms. moto: makes another pair beside the old one."""
    if not _known(call):
        refuse("ObjectNotFoundException", f"No scalable target registered for {call.params['ResourceId']}")
    for policy in call.backend.policies.values():
        if (policy.policy_name, policy.resource_id) == (call.params["PolicyName"], call.params["ResourceId"]):
            policy.delete_alarms(call.backend.account_id, call.backend.region_name)
    return call.forward()


@patch("application-autoscaling", "DeleteScalingPolicy")
def delete_policy(call):
    """AWS: ObjectNotFoundException. moto: ValidationException."""
    named = [p for p in call.backend.policies.values() if p.policy_name == call.params["PolicyName"]]
    if not any(p.resource_id == call.params["ResourceId"] for p in named):
        refuse("ObjectNotFoundException", f"No scaling policy found: {call.params['PolicyName']}")
    return call.forward()


@patch("application-autoscaling", "DeregisterScalableTarget")
def deregister(call):
    """AWS: takes policies and scheduled actions along; ObjectNotFoundException. moto: leaves them; ValidationException."""
    if not _known(call):
        refuse("ObjectNotFoundException", f"No scalable target registered for {call.params['ResourceId']}")
    for policy in [p for p in call.backend.policies.values() if p.resource_id == call.params["ResourceId"]]:
        call.ask(
            "DeleteScalingPolicy",
            PolicyName=policy.policy_name,
            ServiceNamespace=call.params["ServiceNamespace"],
            ResourceId=policy.resource_id,
            ScalableDimension=policy.scalable_dimension,
        )
    call.backend.scheduled_actions = [one for one in call.backend.scheduled_actions if not _of(call, one)]
    return call.forward()


def _of(call, action):
    """True for a scheduled action of the target that a call names."""
    keys = ("service_namespace", "ServiceNamespace"), ("resource_id", "ResourceId"), ("scalable_dimension", "ScalableDimension")
    return all(getattr(action, ours) == call.params[theirs] for ours, theirs in keys)


@patch("application-autoscaling", "PutScheduledAction")
def put_scheduled(call):
    """AWS: needs a target. moto: does not."""
    if not _known(call):
        refuse("ObjectNotFoundException", f"No scalable target registered for {call.params['ResourceId']}")
    return call.forward()


@patch("application-autoscaling", "DeleteScheduledAction")
def delete_scheduled(call):
    """AWS: ObjectNotFoundException. moto: ValidationException."""
    name = call.params["ScheduledActionName"]
    if not any(_of(call, one) and one.scheduled_action_name == name for one in call.backend.scheduled_actions):
        refuse("ObjectNotFoundException", f"No scheduled action found: {name}")
    return call.forward()
