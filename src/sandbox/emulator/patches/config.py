"""AWS Config: recorder and delivery channel."""

import json
import zlib

from ..call import patch, refuse

# What moto loses of recorders, by name: their ARN, their tags, how often they record.
RECORDERS = "config-recorders"


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
    if answer.status >= 300:
        return answer
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


@patch("config", "StartConfigurationRecorder")
def start_recorder(call):
    """AWS: its status is PENDING until what it records has been delivered. moto: for ever."""
    answer = call.forward()
    if answer.status < 300:
        name = call.params["ConfigurationRecorderName"]
        status = call.backend.recorders[name].status

        def delivered():
            if status.last_status == "PENDING":
                status.last_status = "SUCCESS"

        call.clock.later("config/recording", delivered)
    return answer


@patch("config", "DescribeConfigurationRecorderStatus")
def describe_recorder_status(call):
    """AWS: with the ARN; FAILURE when the bucket of its channel is gone. moto: without, and never."""
    known = _recorders(call)
    answer = call.forward()
    gone = [one.s3_bucket_name for one in call.backend.delivery_channels.values() if not _there(call, one)]
    for status in answer.data.get("ConfigurationRecordersStatus", []):
        if status["name"] in known:
            status["arn"] = known[status["name"]]["arn"]
        if status.get("recording") and gone:
            status.update(lastStatus="FAILURE", **_missing(gone[0]))
    return answer


def _there(call, channel):
    return channel.s3_bucket_name in call.backend_of("s3").buckets


def _missing(bucket):
    return {"lastErrorCode": "NoSuchBucket", "lastErrorMessage": f"The bucket {bucket} does not exist."}


@patch("config", "DescribeDeliveryChannelStatus")
def describe_channel_status(call):
    """AWS: how the last delivery of histories and snapshots ended, in capitals whatever the service model says (the example of the
    AWS CLI). moto: not implemented."""
    names = call.params.get("DeliveryChannelNames") or sorted(call.backend.delivery_channels)
    shown = []
    for name in names:
        channel = call.backend.delivery_channels.get(name)
        if channel is None:
            refuse("NoSuchDeliveryChannelException", f"Cannot find delivery channel with specified name '{name}'.")
        last = {"lastStatus": "SUCCESS"}
        if not _there(call, channel):
            last = {"lastStatus": "FAILURE", **_missing(channel.s3_bucket_name)}
        shown.append({"name": name, "configHistoryDeliveryInfo": last, "configSnapshotDeliveryInfo": last})
    return {"DeliveryChannelsStatus": shown}
