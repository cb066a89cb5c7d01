"""What is left of tables and database clusters that were deleted, and what is restored from it."""

import time

from support import TAGS, Case, client, control, key
from test_rds import Database

DYNAMODB, RDS = client("dynamodb"), client("rds")


class Tables(Case):
    def make(self, name, recovery):
        encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key()}
        made = DYNAMODB.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            SSESpecification=encryption,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            Tags=TAGS,
        )["TableDescription"]
        if recovery:
            DYNAMODB.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        DYNAMODB.put_item(TableName=name, Item={"id": {"S": "a"}})
        return made["TableArn"], encryption["KMSMasterKeyId"]

    def backups(self, name, **more):
        return DYNAMODB.list_backups(TableName=name, **more)["BackupSummaries"]

    def test_a_table_with_recovery_leaves_a_backup_and_comes_back_without_its_tags(self):
        arn, encrypted = self.make("back", recovery=True)
        DYNAMODB.create_backup(TableName="back", BackupName="by-hand")
        DYNAMODB.delete_table(TableName="back")
        self.assertEqual([b["BackupName"] for b in self.backups("back")], ["by-hand"])
        (system,) = self.backups("back", BackupType="SYSTEM")
        self.assertEqual(system["BackupName"], "back$DeletedTableBackup")
        self.assertEqual(len(self.backups("back", BackupType="ALL")), 2)
        made = DYNAMODB.restore_table_from_backup(
            TargetTableName="back", BackupArn=system["BackupArn"], BillingModeOverride="PAY_PER_REQUEST"
        )["TableDescription"]
        self.assertEqual((made["TableStatus"], made["RestoreSummary"]["RestoreInProgress"]), ("CREATING", True))
        shown = DYNAMODB.describe_table(TableName="back")["Table"]
        self.assertEqual(
            (shown["TableStatus"], shown["RestoreSummary"]["SourceTableArn"], shown["SSEDescription"]["KMSMasterKeyArn"]),
            ("ACTIVE", arn, encrypted),
        )
        self.assertFalse(shown["RestoreSummary"]["RestoreInProgress"])
        self.assertEqual(shown["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertNotIn("StreamSpecification", shown)
        self.assertEqual(DYNAMODB.list_tags_of_resource(ResourceArn=arn)["Tags"], [])
        self.assertEqual(DYNAMODB.scan(TableName="back")["Count"], 1)
        with self.refused("TableAlreadyExistsException"):
            DYNAMODB.restore_table_from_backup(TargetTableName="back", BackupArn=system["BackupArn"])
        with self.refused("BackupNotFoundException"):
            DYNAMODB.restore_table_from_backup(TargetTableName="other", BackupArn=system["BackupArn"] + "x")
        DYNAMODB.delete_table(TableName="back")

    def test_a_table_without_recovery_leaves_nothing(self):
        self.make("forgotten", recovery=False)
        DYNAMODB.delete_table(TableName="forgotten")
        self.assertEqual(self.backups("forgotten", BackupType="ALL"), [])


class Clusters(Database):
    def settings(self):
        return {
            "DBSubnetGroupName": "subnets",
            "DBClusterParameterGroupName": "cluster-group",
            "VpcSecurityGroupIds": [self.group],
            "Tags": TAGS,
        }

    def test_from_a_final_snapshot(self):
        old = self.cluster("kept", DatabaseName="payments")
        RDS.delete_db_cluster(DBClusterIdentifier="kept", FinalDBSnapshotIdentifier="last")
        (snapshot,) = RDS.describe_db_cluster_snapshots(DBClusterIdentifier="kept")["DBClusterSnapshots"]
        self.assertEqual(snapshot["DbClusterResourceId"], old["DbClusterResourceId"])
        restore = {"DBClusterIdentifier": "kept", "SnapshotIdentifier": "last", "Engine": "aurora-postgresql"}
        with self.refused("InvalidParameterCombination"):
            # AWS takes its default version where none is named.
            RDS.restore_db_cluster_from_snapshot(**restore, **self.settings())
        made = RDS.restore_db_cluster_from_snapshot(**restore, EngineVersion="14.6", **self.settings())["DBCluster"]
        self.assertEqual(made["Status"], "creating")
        shown = RDS.describe_db_clusters(DBClusterIdentifier="kept")["DBClusters"][0]
        self.assertEqual(
            (shown["Status"], shown["DatabaseName"], shown["MasterUsername"], shown["KmsKeyId"], shown["TagList"]),
            ("available", "payments", "admin1", self.key, TAGS),
        )
        self.assertNotIn("MasterUserSecret", shown)
        self.assertNotEqual(shown["DbClusterResourceId"], old["DbClusterResourceId"])
        RDS.modify_db_cluster(
            DBClusterIdentifier="kept",
            ManageMasterUserPassword=True,
            MasterUserSecretKmsKeyId=self.key,
            ApplyImmediately=True,
        )
        shown = RDS.describe_db_clusters(DBClusterIdentifier="kept")["DBClusters"][0]
        self.assertEqual(shown["MasterUserSecret"]["KmsKeyId"], self.key)
        with self.refused("DBClusterAlreadyExistsFault"):
            RDS.restore_db_cluster_from_snapshot(**restore, EngineVersion="14.6", **self.settings())
        with self.refused("DBClusterSnapshotNotFoundFault"):
            RDS.restore_db_cluster_from_snapshot(**{**restore, "SnapshotIdentifier": "none"})
        RDS.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="last")
        self.remove("kept")

    def test_from_backups_that_were_retained(self):
        self.cluster("gone", DatabaseName="payments")
        RDS.delete_db_cluster(DBClusterIdentifier="gone", SkipFinalSnapshot=True)
        backups = lambda: RDS.describe_db_cluster_automated_backups(DBClusterIdentifier="gone")[
            "DBClusterAutomatedBackups"
        ]
        self.assertEqual(backups(), [])
        self.cluster("gone", DatabaseName="payments")
        self.assertEqual([b["Status"] for b in backups()], ["active"])
        time.sleep(1.1)
        RDS.delete_db_cluster(DBClusterIdentifier="gone", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
        (kept,) = backups()
        self.assertEqual(kept["Status"], "retained")
        source = {"DBClusterIdentifier": "gone", "SourceDbClusterResourceId": kept["DbClusterResourceId"]}
        with self.refused("InvalidParameterCombination"):
            RDS.restore_db_cluster_to_point_in_time(**source)
        with self.refused("InvalidRestoreFault"):
            RDS.restore_db_cluster_to_point_in_time(**source, RestoreToTime="2020-01-01T00:00:00Z")
        with self.refused("DBClusterAutomatedBackupNotFoundFault"):
            RDS.restore_db_cluster_to_point_in_time(
                DBClusterIdentifier="gone", SourceDbClusterResourceId="cluster-NONE", UseLatestRestorableTime=True
            )
        at = kept["RestoreWindow"]["LatestTime"].replace(microsecond=0)
        for when in ({"RestoreToTime": at}, {"UseLatestRestorableTime": True}):
            RDS.restore_db_cluster_to_point_in_time(**source, **when, **self.settings())
            shown = RDS.describe_db_clusters(DBClusterIdentifier="gone")["DBClusters"][0]
            self.assertEqual((shown["DatabaseName"], shown["EngineVersion"]), ("payments", "14.6"))
            self.remove("gone")


class Upgrades(Database):
    def groups(self, family, name):
        RDS.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"cluster-{name}", DBParameterGroupFamily=family, Description="d"
        )
        RDS.create_db_parameter_group(
            DBParameterGroupName=f"own-{name}", DBParameterGroupFamily=family, Description="d"
        )
        return {"DBClusterParameterGroupName": f"cluster-{name}", "DBInstanceParameterGroupName": f"own-{name}"}

    def test_a_major_version_takes_its_flag_and_groups_of_its_family(self):
        self.cluster("grows")
        self.instance("grows", "grows-1")
        new = self.groups("aurora-postgresql15", "15")
        modify = lambda **more: RDS.modify_db_cluster(DBClusterIdentifier="grows", ApplyImmediately=True, **more)
        for more, says in (
            ({"EngineVersion": "13.18"}, "Cannot upgrade"),
            ({"EngineVersion": "15.8", **new}, "AllowMajorVersionUpgrade flag must be present"),
            ({"EngineVersion": "15.8", "AllowMajorVersionUpgrade": True}, "new DB cluster parameter group"),
            (
                {
                    "EngineVersion": "15.8",
                    "AllowMajorVersionUpgrade": True,
                    "DBClusterParameterGroupName": new["DBClusterParameterGroupName"],
                },
                "new DB instance parameter group",
            ),
            (
                {
                    "EngineVersion": "15.8",
                    "AllowMajorVersionUpgrade": True,
                    "DBClusterParameterGroupName": "cluster-group",
                    "DBInstanceParameterGroupName": "group",
                },
                "aurora-postgresql15",
            ),
            ({"DBInstanceParameterGroupName": "group"}, "major version upgrade alone"),
        ):
            with self.subTest(says), self.refused("InvalidParameterCombination", says):
                modify(**more)
        with self.refused("InvalidParameterCombination", "can't be used"):
            RDS.modify_db_instance(DBInstanceIdentifier="grows-1", DBParameterGroupName="own-15")
        self.latency("5")
        modify(EngineVersion="15.8", AllowMajorVersionUpgrade=True, BackupRetentionPeriod=7, **new)
        shown = lambda: (
            RDS.describe_db_clusters(DBClusterIdentifier="grows")["DBClusters"][0],
            RDS.describe_db_instances(DBInstanceIdentifier="grows-1")["DBInstances"][0],
        )
        cluster, instance = shown()
        self.assertEqual(
            (cluster["Status"], instance["DBInstanceStatus"], cluster["EngineVersion"]),
            ("upgrading", "upgrading", "14.6"),
        )
        self.skip(6)
        self.latency("none")
        cluster, instance = shown()
        self.assertEqual(
            (cluster["Status"], cluster["EngineVersion"], cluster["BackupRetentionPeriod"]), ("available", "15.8", 7)
        )
        self.assertEqual(cluster["DBClusterParameterGroup"], "cluster-15")
        self.assertEqual((instance["EngineVersion"], instance["DBInstanceStatus"]), ("15.8", "available"))
        self.assertEqual(instance["DBParameterGroups"][0]["DBParameterGroupName"], "own-15")
        self.remove("grows", "grows-1")

    @staticmethod
    def latency(text):
        control("POST", "_sandbox/latency", {"latency": text})
