"""AWS Config: recorder, delivery channel and rules."""

import json
import zlib

from ..call import patch, refuse

# What moto loses of recorders, by name: their ARN, their tags, how often they record.
RECORDERS = "config-recorders"
# The scopes of rules as they were sent, by name.
SCOPES = "config-scopes"


def _recorders(call):
    known = call.store.table(RECORDERS)
    for name in [name for name in known if name not in call.backend.recorders]:
        del known[name]
    return known


@patch("config", "PutConfigurationRecorder")
def put_recorder(call):
    """AWS: a recorder has an ARN, tags (from its creation) and a recording mode, and the role must trust AWS Config. moto: loses
    them and takes any text for a role."""
    recorder = call.params["ConfigurationRecorder"]
    name = recorder.get("name") or "default"
    role = recorder.get("roleARN", "")
    roles = call.backend_of("iam").roles.values()
    found = next((one for one in roles if one.arn == role), None)
    linked = "/aws-service-role/config.amazonaws.com/" in role
    trusts = found is not None and "config.amazonaws.com" in json.dumps(found.assume_role_policy_document)
    if not (linked or trusts):
        refuse("InvalidRoleException", "You have provided a null or empty string role ARN, or one that AWS Config cannot assume.")
    known = _recorders(call)
    sent = {key: value for key, value in recorder.items() if key != "recordingMode"}
    answer = call.forward({**call.params, "ConfigurationRecorder": sent})
    if name not in known:
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        identity = f"{zlib.crc32(f'{call.account}/{call.region}/{name}'.encode()):08x}"
        known[name] = {"arn": call.arn(f"configuration-recorder/{name}/{identity}"), "tags": tags}
    known[name]["mode"] = recorder.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"}
    return answer


@patch("config", "DescribeConfigurationRecorders")
def describe_recorders(call):
    """AWS: with ARN, mode and scope; a recording group shows what it has. moto: without, and empty lists."""
    known = _recorders(call)
    answer = call.forward()
    for recorder in answer.data.get("ConfigurationRecorders", []):
        own = known.get(recorder["name"])
        if own:
            recorder["arn"] = own["arn"]
            recorder["recordingMode"] = own["mode"]
        recorder["recordingScope"] = "PAID"
    return answer


@patch("config", "PutDeliveryChannel")
def put_channel(call):
    """AWS: writes a test object, so the bucket must be there and let AWS Config in. moto: takes any name."""
    name = call.params["DeliveryChannel"].get("s3BucketName", "")
    bucket = call.backend_of("s3").buckets.get(name)
    if bucket is None:
        refuse("NoSuchBucketException", f"Cannot find a S3 bucket with an empty bucket name or the name {name}.")
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy or ""
    if "config.amazonaws.com" not in policy:
        refuse("InsufficientDeliveryPolicyException", f"Insufficient delivery policy to s3 bucket: {name}, unable to write to bucket.")
    return call.forward()


@patch("config", "DeleteConfigurationRecorder")
def delete_recorder(call):
    """AWS: a recorder of this name made later is another one."""
    answer = call.forward()
    _recorders(call)
    return answer


@patch("config", "PutConfigRule")
def put_rule(call):
    """AWS: takes a rule only when there is a recorder, and tags at creation only. moto: takes it without one, and a put of a rule
    that exists replaces its tags."""
    if not call.backend.recorders:
        refuse("NoAvailableConfigurationRecorderException", "Configuration Recorder is not available to put config rule.")
    sent = call.params["ConfigRule"]
    rule = call.backend.config_rules.get(sent.get("ConfigRuleName"))
    tags = dict(rule.tags) if rule else None
    answer = call.forward()
    if rule:
        rule.tags = tags
    call.store.table(SCOPES)[sent.get("ConfigRuleName")] = sent.get("Scope")
    return answer


@patch("config", "DescribeConfigRules")
def describe_rules(call):
    """AWS: shows the scope as it was sent. moto: loses its tag."""
    answer = call.forward()
    scopes = call.store.table(SCOPES)
    for rule in answer.data.get("ConfigRules", []):
        scope = scopes.get(rule["ConfigRuleName"])
        rule.pop("Scope", None)
        if scope:
            rule["Scope"] = scope
    return answer


@patch("config", "TagResource", "UntagResource", "ListTagsForResource")
def tags_of_recorders(call):
    """AWS: recorders have tags. moto: knows those of rules only."""
    arn = call.params["ResourceArn"]
    own = next((one for one in _recorders(call).values() if one["arn"] == arn), None)
    if own is None:
        return call.forward()
    tags = own["tags"]
    if call.operation == "TagResource":
        tags.update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
    elif call.operation == "UntagResource":
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
    else:
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
    return {}


def _versioned(call):
    return [(bucket.name, bucket.versioning_status == "Enabled") for bucket in call.backend_of("s3").buckets.values()]


def _encrypted(call):
    return [(cluster.db_cluster_identifier, cluster.storage_encrypted) for cluster in call.backend_of("rds").clusters.values()]


# What is judged here, each with whether it is as the rule wants it; AWS has not come to the other rules yet.
JUDGED = {"S3_BUCKET_VERSIONING_ENABLED": _versioned, "RDS_CLUSTER_ENCRYPTED_AT_REST": _encrypted}


@patch("config", "DescribeComplianceByConfigRule")
def describe_compliance(call):
    """AWS: its judgement of each rule, INSUFFICIENT_DATA before the first. moto: not implemented."""
    wanted = call.params.get("ConfigRuleNames") or sorted(call.backend.config_rules)
    shown = []
    for name in wanted:
        rule = call.backend.config_rules.get(name)
        if rule is None:
            refuse("NoSuchConfigRuleException", f"The ConfigRule '{name}' provided in the request is invalid.")
        judge = JUDGED.get(rule.source.source_identifier)
        judged = judge(call) if judge else []
        bad = [thing for thing, good in judged if not good]
        if bad:
            count = {"CappedCount": min(len(bad), 25), "CapExceeded": len(bad) > 25}
            compliance = {"ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": count}
        else:
            compliance = {"ComplianceType": "COMPLIANT" if judged else "INSUFFICIENT_DATA"}
        shown.append({"ConfigRuleName": name, "Compliance": compliance})
    return {"ComplianceByConfigRules": shown}


@patch("config", "DescribeDeliveryChannelStatus")
def describe_channel_status(call):
    """AWS: how the last delivery of histories and snapshots ended. moto: not implemented."""
    names = call.params.get("DeliveryChannelNames") or sorted(call.backend.delivery_channels)
    shown = []
    for name in names:
        channel = call.backend.delivery_channels.get(name)
        if channel is None:
            refuse("NoSuchDeliveryChannelException", f"Cannot find delivery channel with specified name '{name}'.")
        there = channel.s3_bucket_name in call.backend_of("s3").buckets
        last = {"lastStatus": "Success" if there else "Failure"}
        if not there:
            last["lastErrorCode"], last["lastErrorMessage"] = "NoSuchBucket", f"The bucket {channel.s3_bucket_name} does not exist."
        shown.append({"name": name, "configHistoryDeliveryInfo": last, "configSnapshotDeliveryInfo": last})
    return {"DeliveryChannelsStatus": shown}
