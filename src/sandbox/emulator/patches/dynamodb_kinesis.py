"""Kinesis streams that get the changes of tables. No record is sent."""

from ..call import patch, refuse
from .dynamodb import _table

SERVICE = "kinesisreplication.dynamodb.amazonaws.com"
ROLE = "AWSServiceRoleForDynamoDBKinesisDataStreamsReplication"


def _known(table):
    """The streams of a table and their states; they go with it."""
    return table.__dict__.setdefault("kinesis_destinations", {})


@patch("dynamodb", "EnableKinesisStreamingDestination")
def enable(call):
    """AWS: the stream must exist; the first one of an account makes the service-linked role. moto: not implemented."""
    table, arn = _table(call), call.params["StreamArn"]
    if arn.rsplit("/", 1)[-1] not in call.backend_of("kinesis").streams:
        refuse("ResourceNotFoundException", f"User does not have a permission to use this stream: {arn}")
    known = _known(table)
    if known.get(arn) == "ACTIVE":
        refuse("ResourceInUseException", "Table is already enabled for this Kinesis stream.")
    iam = call.backend_of("iam")
    if not any(role.name == ROLE for role in iam.roles.values()):
        iam.create_role(ROLE, "{}", f"/aws-service-role/{SERVICE}/", None, "", [], "3600", linked_service=SERVICE)
    known[arn] = "ACTIVE"
    return {"TableName": table.name, "StreamArn": arn, "DestinationStatus": "ENABLING"}


@patch("dynamodb", "DisableKinesisStreamingDestination")
def disable(call):
    """AWS: a stream that was switched off is shown for a day. moto: not implemented."""
    table, arn = _table(call), call.params["StreamArn"]
    known = _known(table)
    if known.get(arn) != "ACTIVE":
        refuse("ValidationException", "Table is not in a valid state to disable Kinesis Streaming Destination.")
    known[arn] = "DISABLED"
    return {"TableName": table.name, "StreamArn": arn, "DestinationStatus": "DISABLING"}


@patch("dynamodb", "DescribeKinesisStreamingDestination")
def describe(call):
    """moto: not implemented."""
    table = _table(call)
    shown = [{"StreamArn": arn, "DestinationStatus": state} for arn, state in _known(table).items()]
    return {"TableName": table.name, "KinesisDataStreamDestinations": shown}
