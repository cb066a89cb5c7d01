"""Lambda: states, interfaces in subnets, settings that moto loses, and mappings of streams."""

import datetime

from .. import interfaces
from ..call import patch, refuse

RECORDS = "lambda-functions"
INTERFACES = "lambda-interfaces"
MAPPINGS = "lambda-mappings"
GRANTS = "lambda-grants"
# What moto does not keep.
KEPT = ("DeadLetterConfig", "LoggingConfig", "KMSKeyArn", "TracingConfig", "EphemeralStorage", "FileSystemConfigs")
# The least that all functions without a reservation share ("Configuring reserved concurrency for a function").
UNRESERVED = 100
QUOTA = 1000


def _function(call, name):
    """moto's function of a name or ARN; refuses like AWS when it is not there."""
    name = name.split(":function:")[-1].split(":")[0]
    found = call.backend._lambdas._functions.get(name)
    if found is None or found["latest"] is None:
        refuse("ResourceNotFoundException", f"Function not found: {call.arn('function:' + name)}", 404)
    return found["latest"]


def _record(call, name):
    return call.store.table(RECORDS).setdefault(name, {"State": "Active", "LastUpdateStatus": "Successful"})


def _shown(call, data):
    """What moto answers, with what it loses."""
    record = _record(call, data["FunctionName"])
    data.update({key: value for key, value in record.items() if value is not None})
    for key in ("KMSKeyArn", "FileSystemConfigs"):
        if not data.get(key):
            data.pop(key, None)
    data.setdefault("LoggingConfig", {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{data['FunctionName']}"})
    network = data.get("VpcConfig") or {}
    if network.get("SubnetIds"):
        network["VpcId"] = call.backend_of("ec2").get_subnet(network["SubnetIds"][0]).vpc_id
    else:
        data["VpcConfig"] = {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}
    return data


def _idle(call, record):
    """One change at a time."""
    if record["State"] == "Pending":
        refuse(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            409,
        )
    if record["LastUpdateStatus"] == "InProgress":
        refuse(
            "ResourceConflictException",
            f"The operation cannot be performed at this time. An update is in progress for resource: {call.operation}",
            409,
        )


def _check(call):
    """Things that a function refers to exist."""
    iam, params = call.backend_of("iam"), call.params
    role = params.get("Role")
    if role and role.rsplit("/", 1)[-1] not in {one.name for one in iam.roles.values()}:
        refuse("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
    group = (params.get("LoggingConfig") or {}).get("LogGroup")
    if group and group not in call.backend_of("logs").groups:
        refuse("InvalidParameterValueException", f"The log group {group} does not exist.")
    network = params.get("VpcConfig") or {}
    ec2 = call.backend_of("ec2")
    for subnet in network.get("SubnetIds") or []:
        if not any(subnet in zone for zone in ec2.subnets.values()):
            refuse("InvalidParameterValueException", f"Error occurred while DescribeSubnets. The subnet ID '{subnet}' does not exist")
    for name in network.get("SecurityGroupIds") or []:
        if ec2.get_security_group_from_id(name) is None:
            refuse("InvalidParameterValueException", f"Error occurred while DescribeSecurityGroups. The security group '{name}' does not exist")
    if bool(network.get("SubnetIds")) != bool(network.get("SecurityGroupIds")):
        refuse("InvalidParameterValueException", "SecurityGroupIds and SubnetIds must both be given, or both be empty.")


def _settle_interfaces(call, name, network, kind):
    """Interfaces are shared by functions with the same subnets and groups; the last that leaves lets go of them after a while."""
    table = call.store.table(INTERFACES)
    wanted = {
        (subnet, tuple(sorted(network.get("SecurityGroupIds") or []))) for subnet in network.get("SubnetIds") or []
    }
    for subnet, groups in wanted:
        entry = table.setdefault((subnet, groups), {"users": set(), "id": None})
        entry["users"].add(name)
        if entry["id"] is None:
            note = f"AWS Lambda VPC ENI-{name}-{len(table):08x}"
            entry["id"] = interfaces.make(call, subnet, groups, note, "lambda", "lambda")
    for key, entry in list(table.items()):
        if key in wanted or name not in entry["users"]:
            continue
        entry["users"].discard(name)

        def released(key=key, entry=entry):
            if not entry["users"] and table.get(key) is entry:
                interfaces.drop(call, [entry["id"]])
                del table[key]

        if not entry["users"]:
            call.clock.later(kind, released)


def _let_decrypt(call, function, record):
    """AWS: whoever sets variables and a key lets the function's role decrypt them, by a grant for this function alone. moto: nobody needs to."""
    key = record.get("KMSKeyArn")
    _let_go(call, function)
    if not key or not function.environment_vars:
        return
    name, role = function.function_name, function.role.rsplit("/", 1)[-1]
    who = f"arn:aws:sts::{call.account}:assumed-role/{role}/{name}"
    only = {"EncryptionContextEquals": {"aws:lambda:FunctionArn": call.arn(f"function:{name}")}}
    made = call.backend_of("kms").create_grant(key, who, ["Decrypt", "RetireGrant"], "", only, who)
    call.store.table(GRANTS)[name] = (key, made[0])


def _let_go(call, function):
    """AWS: retires the grant. moto: has none."""
    key, grant = call.store.table(GRANTS).pop(function.function_name, (None, None))
    if key:
        call.backend_of("kms").retire_grant(key, grant, "")


@patch("lambda", "CreateFunction")
def create(call):
    """AWS: refuses a name that is taken; Pending at first; keeps queue, log group and key; has interfaces in its subnets. moto: none of it."""
    name = call.params["FunctionName"]
    found = call.backend._lambdas._functions.get(name)
    if found is not None and found["latest"] is not None:
        refuse("ResourceConflictException", f"Function already exist: {name}", 409)
    _check(call)
    answer = call.forward()
    call.store.table(RECORDS).pop(name, None)
    record = _record(call, name)
    record.update({key: call.params.get(key) for key in KEPT})
    _let_decrypt(call, _function(call, name), record)
    _settle_interfaces(call, name, call.params.get("VpcConfig") or {}, "lambda/function interfaces")
    record["State"] = "Pending"
    _shown(call, answer.data)
    call.clock.later("lambda/function", lambda: record.update(State="Active"))
    return answer


@patch("lambda", "GetFunction")
def get(call):
    """See CreateFunction. AWS: a reservation of 0, with which the function never runs, is shown. moto: not that one."""
    function = _function(call, call.params["FunctionName"])
    answer = call.forward()
    _shown(call, answer.data["Configuration"])
    if function.reserved_concurrency is not None:
        answer.data["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
    return answer


@patch("lambda", "GetFunctionConfiguration")
def get_configuration(call):
    """See CreateFunction."""
    _function(call, call.params["FunctionName"])
    answer = call.forward()
    _shown(call, answer.data)
    return answer


@patch("lambda", "ListFunctions")
def list_functions(call):
    """See CreateFunction."""
    answer = call.forward()
    for one in answer.data.get("Functions", []):
        _shown(call, one)
    return answer


@patch("lambda", "UpdateFunctionConfiguration")
def configure(call):
    """AWS: one change at a time, in progress for a while; empty lists take it out of its subnets. moto: at once, and loses queue, log group
    and key."""
    function = _function(call, call.params["FunctionName"])
    record = _record(call, function.function_name)
    _idle(call, record)
    _check(call)
    answer = call.forward()
    record.update({key: call.params[key] for key in KEPT if key in call.params})
    if {"Environment", "KMSKeyArn", "Role"} & set(call.params):
        _let_decrypt(call, function, record)
    if "VpcConfig" in call.params:
        _settle_interfaces(call, function.function_name, call.params["VpcConfig"], "lambda/function interfaces")
    record["LastUpdateStatus"] = "InProgress"
    _shown(call, answer.data)
    call.clock.later("lambda/function update", lambda: record.update(LastUpdateStatus="Successful"))
    return answer


@patch("lambda", "UpdateFunctionCode")
def code(call):
    """AWS: one change at a time, in progress for a while. moto: at once."""
    function = _function(call, call.params["FunctionName"])
    record = _record(call, function.function_name)
    _idle(call, record)
    answer = call.forward()
    record["LastUpdateStatus"] = "InProgress"
    _shown(call, answer.data)
    call.clock.later("lambda/function update", lambda: record.update(LastUpdateStatus="Successful"))
    return answer


@patch("lambda", "DeleteFunction")
def delete(call):
    """AWS: not while it changes; interfaces that it still has stay for long. moto: forgets it at once."""
    function = _function(call, call.params["FunctionName"])
    record = _record(call, function.function_name)
    if record["LastUpdateStatus"] == "InProgress":
        _idle(call, record)
    answer = call.forward()
    call.store.table(RECORDS).pop(function.function_name, None)
    _let_go(call, function)
    _settle_interfaces(call, function.function_name, {}, "lambda/function abandoned interfaces")
    return answer


@patch("lambda", "GetPolicy")
def policy(call):
    """AWS: a function without statements has no policy. moto: an empty one."""
    function = _function(call, call.params["FunctionName"])
    if not function.policy.statements:
        refuse("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return call.forward()


@patch("lambda", "CreateFunctionUrlConfig")
def create_url(call):
    """AWS: a function has one URL. moto: replaces it."""
    if _function(call, call.params["FunctionName"]).url_config:
        refuse("ResourceConflictException", "Failed to create function url config for the function. Error: URL config exists", 409)
    return call.forward()


@patch("lambda", "ListFunctionUrlConfigs")
def list_urls(call):
    """moto: does not offer it."""
    url = _function(call, call.params["FunctionName"]).url_config
    if url is None:
        return {"FunctionUrlConfigs": []}
    shown = {**url.to_dict(), "InvokeMode": "BUFFERED"}
    return {"FunctionUrlConfigs": [{key: value for key, value in shown.items() if value is not None}]}


@patch("lambda", "ListFunctionEventInvokeConfigs")
def list_asynchronous(call):
    """AWS: times are seconds since 1970. moto: texts."""
    _function(call, call.params["FunctionName"])
    answer = call.forward()
    for one in answer.data.get("FunctionEventInvokeConfigs", []):
        one["LastModified"] = datetime.datetime.now(datetime.timezone.utc)
    return answer


@patch("lambda", "DeleteFunctionUrlConfig")
def delete_url(call):
    """AWS: refuses when there is none. moto: does not."""
    if not _function(call, call.params["FunctionName"]).url_config:
        refuse("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return call.forward()


@patch("lambda", "PutFunctionConcurrency")
def reserve(call):
    """AWS: 100 must be left for all others. moto: checks nothing."""
    function = _function(call, call.params["FunctionName"])
    others = [
        one["latest"].reserved_concurrency or 0
        for name, one in call.backend._lambdas._functions.items()
        if one["latest"] is not None and name != function.function_name
    ]
    if QUOTA - sum(others) - call.params["ReservedConcurrentExecutions"] < UNRESERVED:
        refuse(
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
        )
    return call.forward()


@patch("lambda", "GetAccountSettings")
def account(call):
    """AWS: the quotas of the account. moto: does not offer it."""
    functions = [one["latest"] for one in call.backend._lambdas._functions.values() if one["latest"] is not None]
    reserved = sum(one.reserved_concurrency or 0 for one in functions)
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": QUOTA,
            "UnreservedConcurrentExecutions": QUOTA - reserved,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(functions)},
    }


def _mapping_shown(call, data):
    state = call.store.table(MAPPINGS).get(data.get("UUID"))
    if state is not None:
        data["State"] = state
    # "-1" is for ever.
    data.setdefault("MaximumRetryAttempts", -1)
    data.setdefault("MaximumRecordAgeInSeconds", -1)
    data.setdefault("BisectBatchOnFunctionError", False)
    data.setdefault("ParallelizationFactor", 1)
    data.setdefault("MaximumBatchingWindowInSeconds", 0)
    data.setdefault("TumblingWindowInSeconds", 0)
    # An empty list takes all filters away.
    if not (data.get("FilterCriteria") or {}).get("Filters"):
        data.pop("FilterCriteria", None)
    data.pop("Tags", None)
    return data


def _mapping_settles(call, name, during, enabled):
    table = call.store.table(MAPPINGS)
    table[name] = during

    def done():
        if table.get(name) == during:
            table[name] = "Enabled" if enabled else "Disabled"

    return lambda: call.clock.later("lambda/stream_mapping", done)


@patch("lambda", "CreateEventSourceMapping")
def create_mapping(call):
    """AWS: one for each pair of function and stream; it takes a while. moto: any number, at once."""
    function = _function(call, call.params["FunctionName"])
    source = call.params["EventSourceArn"]
    for one in call.backend._event_source_mappings.values():
        if one.function_arn == function.function_arn and one.event_source_arn == source:
            refuse(
                "ResourceConflictException",
                f"The event source arn (\" {source} \") and function (\" {function.function_name} \") provided mapping already exists. Please update or delete the existing mapping with UUID {one.uuid}",
                409,
            )
    answer = call.forward()
    go = _mapping_settles(call, answer.data["UUID"], "Creating", call.params.get("Enabled", True))
    _mapping_shown(call, answer.data)
    go()
    return answer


@patch("lambda", "GetEventSourceMapping")
def get_mapping(call):
    """See CreateEventSourceMapping."""
    answer = call.forward()
    _mapping_shown(call, answer.data)
    return answer


@patch("lambda", "ListEventSourceMappings")
def list_mappings(call):
    """See CreateEventSourceMapping."""
    answer = call.forward()
    for one in answer.data.get("EventSourceMappings", []):
        _mapping_shown(call, one)
    return answer


def _mapping(call):
    name = call.params["UUID"]
    found = call.backend._event_source_mappings.get(name)
    if found is None:
        refuse("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    if call.store.table(MAPPINGS).get(name) in ("Creating", "Updating", "Enabling", "Disabling", "Deleting"):
        refuse(
            "ResourceInUseException",
            f"Cannot update the event source mapping because it is in use: {call.store.table(MAPPINGS)[name]}",
            400,
        )
    return found


@patch("lambda", "UpdateEventSourceMapping")
def update_mapping(call):
    """AWS: one change at a time. moto: at once."""
    found = _mapping(call)
    wanted = call.params.get("Enabled", found.enabled)
    during = "Updating" if wanted == found.enabled else "Enabling" if wanted else "Disabling"
    answer = call.forward()
    for key, name in (
        ("MaximumRetryAttempts", "max_retry_attempts"),
        ("MaximumRecordAgeInSeconds", "max_record_age"),
        ("BisectBatchOnFunctionError", "bisect_on_error"),
        ("FunctionResponseTypes", "function_response_types"),
        ("DestinationConfig", "destination_config"),
    ):
        if key in call.params:
            setattr(found, name, call.params[key])
    go = _mapping_settles(call, found.uuid, during, wanted)
    answer.data.update(_mapping_shown(call, found.get_configuration()))
    go()
    return answer


@patch("lambda", "DeleteEventSourceMapping")
def delete_mapping(call):
    """AWS: it takes a while, and shows until then. moto: gone at once."""
    found = _mapping(call)
    table = call.store.table(MAPPINGS)
    table[found.uuid] = "Deleting"

    def gone():
        call.backend._event_source_mappings.pop(found.uuid, None)
        table.pop(found.uuid, None)

    answer = _mapping_shown(call, found.get_configuration())
    call.clock.later("lambda/stream_mapping deletion", gone)
    return answer
