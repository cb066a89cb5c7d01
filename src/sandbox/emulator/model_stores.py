"""What the data plane must know of databases, functions, schedules and streams: sections of the model."""

import base64
import json

import moto.backends

from .store import store_of

# States in which a cluster and its instances take connections.
SERVING = {"available", "modifying", "backing-up", "configuring-enhanced-monitoring", "storage-optimization"}


def _everywhere(service):
    """moto's backends of a service with account and region; none is made by looking."""
    for account, regions in list(moto.backends.get_backend(service).items()):
        for region, backend in list(regions.items()):
            yield account, region, backend


def sections():
    """The sections by name."""
    return {"clusters": _clusters(), "functions": _functions(), "schedules": _schedules(), "mappings": _mappings()}


def _clusters():
    found = []
    for account, region, rds in _everywhere("rds"):
        for cluster in rds.clusters.values():
            if "postgres" not in cluster.engine:
                continue
            parameters = _parameters(rds.db_cluster_parameter_groups.get(cluster.parameter_group))
            serving = [member for member in cluster._members if member.status in SERVING]
            for member in serving[:1]:
                for group in member.db_parameter_groups():
                    parameters.update(_parameters(group))
            secret = cluster.master_user_secret.secret if cluster.manage_master_user_password else None
            found.append(
                {
                    "account": account,
                    "region": region,
                    "id": cluster.db_cluster_identifier,
                    "resource": cluster.db_cluster_resource_id,
                    "state": cluster.status,
                    "serving": cluster.status in SERVING and bool(serving),
                    "members": [member.db_instance_identifier for member in cluster._members],
                    "endpoint": cluster.endpoint,
                    "reader": cluster.reader_endpoint,
                    "port": int(cluster.port),
                    "database": cluster.database_name,
                    "user": cluster.master_username,
                    "secret": secret.arn if secret else None,
                    "secret_version": secret.default_version_id if secret else None,
                    "parameters": parameters,
                }
            )
    return found


def _parameters(group):
    return {name: one.get("ParameterValue") for name, one in (group.parameters if group else {}).items()}


def _functions():
    found = []
    for account, region, functions in _everywhere("lambda"):
        records = store_of(account, region).table("lambda-functions")
        for name, versions in functions._lambdas._functions.items():
            one = versions["latest"]
            if one is None:
                continue
            record = records.get(name, {})
            found.append(
                {
                    "account": account,
                    "region": region,
                    "name": name,
                    "arn": one.function_arn,
                    "active": record.get("State", "Active") == "Active",
                    "runtime": one.run_time,
                    "handler": one.handler,
                    "timeout": int(one.timeout),
                    "memory": int(one.memory_size),
                    "environment": dict(one.environment_vars or {}),
                    "digest": one.code_sha_256,
                    "concurrency": one.reserved_concurrency,
                    "log_group": (record.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}",
                    "dead_letters": (record.get("DeadLetterConfig") or {}).get("TargetArn"),
                }
            )
    return found


def _schedules():
    found = []
    for account, region, scheduler in _everywhere("scheduler"):
        for group in scheduler.schedule_groups.values():
            for one in group.schedules.values():
                retries = one.target.get("RetryPolicy") or {}
                found.append(
                    {
                        "account": account,
                        "region": region,
                        "arn": one.arn,
                        "enabled": one.state == "ENABLED",
                        "expression": one.schedule_expression,
                        "target": one.target["Arn"],
                        "input": one.target.get("Input", "{}"),
                        "retries": retries.get("MaximumRetryAttempts", 185),
                        "age": retries.get("MaximumEventAgeInSeconds", 86_400),
                        "dead_letters": (one.target.get("DeadLetterConfig") or {}).get("Arn"),
                    }
                )
    return found


def _mappings():
    found = []
    for account, region, functions in _everywhere("lambda"):
        states = store_of(account, region).table("lambda-mappings")
        for one in functions._event_source_mappings.values():
            if ":dynamodb:" not in one.event_source_arn:
                continue
            state = states.get(one.uuid, "Enabled" if one.enabled else "Disabled")
            found.append(
                {
                    "account": account,
                    "region": region,
                    "id": one.uuid,
                    # It still takes records while it is being switched off, and not yet while it is being switched on.
                    "enabled": state in ("Enabled", "Disabling", "Updating"),
                    "stream": one.event_source_arn,
                    "function": one.function_arn,
                    "batch": int(one.batch_size or 100),
                    "position": one.starting_position,
                    "retries": -1 if one.max_retry_attempts is None else int(one.max_retry_attempts),
                    "age": -1 if one.max_record_age is None else int(one.max_record_age),
                    "bisect": bool(one.bisect_on_error),
                    "partial": "ReportBatchItemFailures" in (one.function_response_types or []),
                    "destination": ((one.destination_config or {}).get("OnFailure") or {}).get("Destination"),
                }
            )
    return found


def code(query):
    """The zip of a function by its digest: {"zip": base64}."""
    for _, _, functions in _everywhere("lambda"):
        for versions in functions._lambdas._functions.values():
            if versions["latest"] is not None and versions["latest"].code_sha_256 == query["digest"]:
                return {"zip": base64.b64encode(versions["latest"].code_bytes).decode()}
    raise KeyError(f"no function has the code {query['digest']}")


def records(query):
    """Records of a stream as a function gets them, after a number of the sequence (empty: from the first): {"records"}."""
    _, _, _, region, account, resource = query["stream"].split(":", 5)
    dynamodb = moto.backends.get_backend("dynamodb")[account][region]
    table = dynamodb.tables.get(resource.split("/")[1])
    if table is None or table.stream_shard is None:
        return {"records": []}
    shard = table.stream_shard
    first = int(query["after"]) + 1 - shard.starting_sequence_number if query.get("after") else 0
    return {"records": [_record(one, query["stream"], region) for one in shard.items[first : first + int(query["limit"])]]}


def last(query):
    """The number of the last record that a stream has now: {"sequence"}."""
    _, _, _, region, account, resource = query["stream"].split(":", 5)
    table = moto.backends.get_backend("dynamodb")[account][region].tables.get(resource.split("/")[1])
    shard = table.stream_shard if table is not None else None
    return {"sequence": str(shard.starting_sequence_number + len(shard.items) - 1) if shard else ""}


def _record(one, stream, region):
    kept = one.to_json()
    inner = dict(kept["dynamodb"])
    inner["ApproximateCreationDateTime"] = inner["ApproximateCreationDateTime"].timestamp()
    shown = {**kept, "awsRegion": region, "eventSourceARN": stream, "eventVersion": "1.1", "dynamodb": inner}
    return json.loads(json.dumps(shown, default=_plain))


def _plain(value):
    """Bytes as Lambda's events have them."""
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)
