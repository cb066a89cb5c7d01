"""DynamoDB's backups: what a deletion leaves, which are listed, and what a restore brings back."""

import copy

from moto.dynamodb.models.table import Backup, RestoredTable

from ..call import patch, refuse
from ..moto_parts import replaces
from .dynamodb import key_arn


@patch("dynamodb", "DeleteTable")
def leave_backup(call):
    """AWS: a table with point-in-time recovery leaves a backup of its last state. moto: nothing. (It is reached when the table goes.)"""
    table = call.backend.tables.get(call.params["TableName"].rsplit("table/", 1)[-1])
    recovery = table.continuous_backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] if table else None
    last = None
    if recovery == "ENABLED":
        last = Backup(call.account, call.region, f"{table.name}$DeletedTableBackup", table, type_="SYSTEM")
    answer = call.forward()
    if last:
        call.backend.backups[last.arn] = last
    return answer


@patch("dynamodb", "ListBackups")
def list_backups(call):
    """AWS: those that users made, unless another type or all are asked for. moto: all."""
    wanted = call.params.get("BackupType", "USER")
    answer = call.forward()
    shown = answer.data["BackupSummaries"]
    answer.data["BackupSummaries"] = [one for one in shown if wanted in ("ALL", one["BackupType"])]
    return answer


@replaces(RestoredTable, "describe")
def _in_progress(original):
    """AWS: says while it is being restored that it is. moto: never."""

    def describe(self, base_key="TableDescription"):
        shown = original(self, base_key)
        shown[base_key]["RestoreSummary"]["RestoreInProgress"] = shown[base_key]["TableStatus"] == "CREATING"
        return shown

    return describe


@patch("dynamodb", "RestoreTableFromBackup")
def restore_table(call):
    """AWS: CREATING for a while; keys, indexes, billing and encryption come back or are given; tags, stream, expiry, recovery and
    protection do not. moto: ACTIVE at once, without billing and encryption."""
    backup = call.backend.backups.get(call.params["BackupArn"])
    if backup is None:
        refuse("BackupNotFoundException", f"Backup not found: {call.params['BackupArn']}")
    encryption = copy.deepcopy(backup.table.sse_specification)
    if call.params.get("SSESpecificationOverride"):
        encryption = key_arn(call, call.params["SSESpecificationOverride"])
    name = call.params["TargetTableName"]
    answer = call.forward({"TargetTableName": name, "BackupArn": backup.arn})
    table = call.backend.tables[name]
    table.billing_mode = call.params.get("BillingModeOverride", backup.table.billing_mode)
    table.sse_specification = encryption
    table.warm_throughput = copy.deepcopy(backup.table.warm_throughput)
    table.state = "CREATING"
    answer.data["TableDescription"] = call.ask("DescribeTable", TableName=name)["Table"]

    def active():
        if table.state == "CREATING":
            table.state = "ACTIVE"

    call.clock.later("dynamodb/table", active)
    return answer
