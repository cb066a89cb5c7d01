"""Groups of schedules, and schedules."""

from ..call import patch, refuse

# What a client token made, and groups whose deletion is under way.
TOKENS, LEAVING = "scheduler-tokens", "scheduler-leaving-groups"


def _group(call, name, code="ResourceNotFoundException"):
    group = call.backend.schedule_groups.get(name or "default")
    if group is None:
        refuse(code, f"Schedule group {name} does not exist.")
    return group


def _leaving(call, name):
    return name in call.store.table(LEAVING)


def _once(call, name, answer):
    """AWS: a repeated call with the same client token answers what the first one answered. moto: ignores tokens."""
    token = call.params.get("ClientToken")
    known = call.store.table(TOKENS)
    key = (call.operation, name, token)
    if token and key in known:
        return known[key]
    made = answer().data
    if token:
        known[key] = made
    return made


@patch("scheduler", "CreateScheduleGroup")
def create_group(call):
    """AWS: a name is taken once, also while its group is being deleted; a group has no tags unless it gets some. moto:
    overwrites the group with all that is in it, and fails without tags."""
    name = call.params["Name"]
    groups = call.backend.schedule_groups

    def make():
        if name in groups:
            refuse("ConflictException", f"Schedule group {name} already exists.")
        made = call.backend.create_schedule_group(name, call.params.get("Tags") or [])
        return _Made({"ScheduleGroupArn": made.arn})

    if name not in groups:
        _forget(call, name)
    if _leaving(call, name):
        refuse("ConflictException", f"Schedule group {name} is being deleted.")
    return _once(call, name, make)


class _Made:
    """An answer of our own."""

    def __init__(self, data):
        self.data = data


def _forget(call, name):
    """What is gone is made anew, whatever token asks for it."""
    known = call.store.table(TOKENS)
    for key in [key for key in known if key[1] == name]:
        del known[key]


@patch("scheduler", "DeleteScheduleGroup")
def delete_group(call):
    """AWS: the group is DELETING until its schedules are gone, and can't be deleted twice; the default group stays. moto: is
    gone at once, with a KeyError for what is not there."""
    name = call.params["Name"]
    group = _group(call, name)
    if name == "default":
        refuse("ValidationException", "The default schedule group cannot be deleted.")
    if _leaving(call, name):
        refuse("ConflictException", f"Schedule group {name} is being deleted.")
    backend, leaving = call.backend, call.store.table(LEAVING)
    leaving[name] = True

    def gone():
        leaving.pop(name, None)
        backend.schedule_groups.pop(name, None)
        backend.tagger.delete_all_tags_for_resource(group.arn)

    call.clock.later("scheduler/group deletion", gone)
    return {}


@patch("scheduler", "GetScheduleGroup", "ListScheduleGroups")
def shown_groups(call):
    """AWS: shows which are being deleted. moto: all are ACTIVE."""
    answer = call.forward()
    for group in answer.data.get("ScheduleGroups", [answer.data]):
        if _leaving(call, group.get("Name")):
            group["State"] = "DELETING"
    return answer


@patch("scheduler", "ListSchedules")
def list_schedules(call):
    """AWS: the group must exist. moto: shows nothing of one that does not."""
    if call.params.get("GroupName"):
        _group(call, call.params["GroupName"])
    return call.forward()


@patch("scheduler", "TagResource", "UntagResource", "ListTagsForResource")
def tags_of_groups(call):
    """AWS: groups have tags, nothing else has, and the group must exist. moto: takes any ARN."""
    arn = call.params["ResourceArn"]
    if not any(group.arn == arn for group in call.backend.schedule_groups.values()):
        refuse("ResourceNotFoundException", f"Resource {arn} does not exist.")
    return call.forward()


def _check(call):
    """What AWS refuses of a schedule whatever it stands for."""
    group = call.params.get("GroupName") or "default"
    _group(call, group)
    if _leaving(call, group):
        refuse("ConflictException", f"Schedule group {group} is being deleted.")
    window = call.params["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        refuse("ValidationException", "MaximumWindowInMinutes goes with the mode FLEXIBLE and only with it.")
    role = call.params["Target"]["RoleArn"]
    roles = call.backend_of("iam").roles.values()
    if not any(one.arn == role and "scheduler.amazonaws.com" in str(one.assume_role_policy_document) for one in roles):
        refuse(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        )


@patch("scheduler", "CreateSchedule")
def create_schedule(call):
    """AWS: the group and the role must be there, and the role must trust the service. moto: a KeyError, and takes any role."""
    _check(call)
    name = call.params["Name"]
    place = f"{call.params.get('GroupName') or 'default'}/{name}"
    if name not in _group(call, call.params.get("GroupName")).schedules:
        _forget(call, place)
    return _once(call, place, call.forward)


@patch("scheduler", "UpdateSchedule")
def update_schedule(call):
    """AWS: as at creation; what is left out is as if it had never been set. moto: keeps what happens after the last call."""
    _check(call)
    answer = call.forward()
    kept = _group(call, call.params.get("GroupName")).schedules[call.params["Name"]]
    kept.state = call.params.get("State") or "ENABLED"
    kept.action_after_completion = call.params.get("ActionAfterCompletion") or "NONE"
    return answer


@patch("scheduler", "GetSchedule")
def get_schedule(call):
    """AWS: NONE unless told otherwise. moto: nothing."""
    answer = call.forward()
    answer.data["ActionAfterCompletion"] = answer.data.get("ActionAfterCompletion") or "NONE"
    return answer
