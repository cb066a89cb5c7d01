"""DynamoDB tables: states, keys, indexes."""

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table

from ..call import patch, refuse
from ..moto_parts import replaces


@replaces(Table, "describe")
def _states(original):
    """AWS: shows the table's and each index's own state. moto: always ACTIVE."""

    def describe(self, base_key="TableDescription"):
        shown = original(self, base_key)
        table = shown[base_key]
        table["TableStatus"] = getattr(self, "state", "ACTIVE")
        building = getattr(self, "building", {})
        for index in table.get("GlobalSecondaryIndexes", []):
            index["IndexStatus"] = building.get(
                index["IndexName"], "CREATING" if table["TableStatus"] == "CREATING" else "ACTIVE"
            )
            index.setdefault("IndexArn", f"{self.table_arn}/index/{index['IndexName']}")
        # AWS leaves lists out that are empty.
        for key in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            if not table.get(key):
                table.pop(key, None)
        return shown

    return describe


@replaces(StreamShard, "add")
def _add(_original):
    """AWS: a write that changes nothing leaves no record, and who reads the stream is Lambda's business. moto: a record for each write,
    and it runs the functions of all mappings itself, in containers, also of those that are off."""

    def add(self, old, new):
        if old is not None and new is not None and old.to_json() == new.to_json():
            return
        event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        number = len(self.items) + self.starting_sequence_number
        self.items.append(StreamRecord(self.table, self.table.stream_specification["StreamViewType"], event, old, new, number))

    return add


@replaces(DynamoDBBackend, "update_table_streams")
def _streams(original):
    """AWS: a stream that was switched off can be switched on again, as a new one. moto: never again."""

    def update_table_streams(self, table, stream_specification):
        if not (table.stream_specification or {}).get("StreamEnabled"):
            table.latest_stream_label = None
        original(self, table, stream_specification)

    return update_table_streams


@replaces(DynamoDBBackend, "tag_resource")
def _tags(original):
    """AWS: a tag with a key that is there gets the new value. moto: has both."""

    def tag_resource(self, arn, tags):
        self.untag_resource(arn, list(tags))
        original(self, arn, tags)

    return tag_resource


def _table(call):
    name = call.params["TableName"].rsplit("table/", 1)[-1]
    table = call.backend.tables.get(name)
    return (
        table
        if table
        else refuse("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    )


def key_arn(call, specification):
    """AWS shows the ARN of a key given by id or alias and refuses one that can't be used."""
    name = specification.get("KMSMasterKeyId")
    if not name:
        return specification
    kms = call.backend_of("kms")
    try:
        key = kms.keys.get(kms.any_id_to_key_id(name))
    except (AttributeError, TypeError):
        key = None
    if key is None or key.key_state != "Enabled":
        refuse("ValidationException", f"KMS key access failed: the key {name} does not exist or is not enabled")
    return {**specification, "KMSMasterKeyId": key.arn}


@patch("dynamodb", "CreateTable")
def create_table(call):
    """AWS: CREATING for some seconds; checks the key. moto: ACTIVE at once, takes any key."""
    params = dict(call.params)
    if params.get("SSESpecification"):
        params["SSESpecification"] = key_arn(call, params["SSESpecification"])
    answer = call.forward(params)
    table = call.backend.tables[params["TableName"]]
    table.state = "CREATING"
    answer.data["TableDescription"]["TableStatus"] = "CREATING"

    def active():
        if table.state == "CREATING":
            table.state = "ACTIVE"

    call.clock.later("dynamodb/table", active)
    return answer


@patch("dynamodb", "DeleteTable")
def delete_table(call):
    """AWS: refused while CREATING; DELETING for some seconds. moto: gone at once."""
    table = _table(call)
    if table.state != "ACTIVE":
        refuse(
            "ResourceInUseException",
            f"Attempt to change a resource which is still in use: Table is being {'created' if table.state == 'CREATING' else 'deleted or updated'}: {table.name}",
        )
    if table.deletion_protection_enabled:
        return call.forward()
    table.state = "DELETING"
    answer = {"TableDescription": _description(call, table)}
    call.clock.later("dynamodb/table deletion", call.forward)
    return answer


def _description(call, table):
    return call.ask("DescribeTable", TableName=table.name)["Table"]


@patch("dynamodb", "UpdateTimeToLive", "UpdateContinuousBackups", "TagResource", "UntagResource")
def settled_only(call):
    """AWS: the table must be ACTIVE; TTL that is already as asked is refused. moto: any state, takes both."""
    if "TableName" not in call.params and ":table/" not in call.params.get("ResourceArn", ""):
        return call.forward()
    name = call.params.get("TableName") or call.params["ResourceArn"]
    table = call.backend.tables.get(name.rsplit("table/", 1)[-1])
    if table is None:
        refuse(
            "TableNotFoundException" if call.operation == "UpdateContinuousBackups" else "ResourceNotFoundException",
            f"Table not found: {name}",
        )
    if table.state != "ACTIVE" and call.operation == "UpdateContinuousBackups":
        refuse(
            "ContinuousBackupsUnavailableException",
            f"Backups are being enabled for the table: {table.name}. Please retry later",
        )
    if table.state != "ACTIVE":
        refuse(
            "ResourceInUseException",
            f"Attempt to change a resource which is still in use: Table {table.name} is {table.state}",
        )
    wanted = call.params.get("TimeToLiveSpecification")
    if wanted and wanted.get("Enabled") == (table.ttl["TimeToLiveStatus"] == "ENABLED"):
        refuse("ValidationException", f"TimeToLive is already {'enabled' if wanted['Enabled'] else 'disabled'}")
    return call.forward()


@patch("dynamodb", "UpdateTable")
def update_table(call):
    """AWS: only ACTIVE tables, one index at a time (CREATING for minutes), encryption changes too; the attributes that are
    named come to those of the keys there are, and go with the last key that has them. moto: any state, any number, ignores
    SSESpecification; has only the attributes that are named."""
    table = _table(call)
    if table.state != "ACTIVE":
        refuse(
            "ResourceInUseException",
            f"Attempt to change a resource which is still in use: Table is being {'created' if table.state == 'CREATING' else 'deleted or updated'}: {table.name}",
        )
    changes = call.params.get("GlobalSecondaryIndexUpdates", [])
    created = [change["Create"]["IndexName"] for change in changes if "Create" in change]
    building = table.__dict__.setdefault("building", {})
    if len(created) > 1 or (changes and building):
        refuse(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )
    if call.params.get("SSESpecification"):
        table.sse_specification = key_arn(call, call.params["SSESpecification"])
    attributes = {one["AttributeName"]: one for one in [*table.attr, *call.params.get("AttributeDefinitions", [])]}
    answer = call.forward()
    keys = [table.schema, *(index.schema for index in [*table.indexes, *table.global_indexes])]
    used = {part["AttributeName"] for key in keys for part in key}
    table.attr = [attributes[name] for name in sorted(used & attributes.keys())]
    for name in created:
        building[name] = "CREATING"
    shown = _description(call, table)
    answer.data["TableDescription"] = {**shown, "TableStatus": "UPDATING"}
    for name in created:
        call.clock.later("dynamodb/table index", lambda name=name: building.pop(name, None))
    return answer
