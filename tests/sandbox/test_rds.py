"""RDS."""

import json

from support import ACCOUNT, REGION, TAGS, Case, client, group, key, role, subnets, vpc

EC2, RDS, SECRETS = client("ec2"), client("rds"), client("secretsmanager")
FAMILY = "aurora-postgresql14"


class Database(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vpc = vpc()
        cls.subnets, cls.group, cls.key = subnets(cls.vpc), group(cls.vpc), key()
        cls.role = role("monitoring", "monitoring.rds.amazonaws.com")
        RDS.create_db_subnet_group(
            DBSubnetGroupName="subnets", DBSubnetGroupDescription="d", SubnetIds=cls.subnets, Tags=TAGS
        )
        RDS.create_db_cluster_parameter_group(
            DBClusterParameterGroupName="cluster-group", DBParameterGroupFamily=FAMILY, Description="d", Tags=TAGS
        )
        RDS.create_db_parameter_group(
            DBParameterGroupName="group", DBParameterGroupFamily=FAMILY, Description="d", Tags=TAGS
        )

    def cluster(self, name, **more):
        wanted = {
            "DBClusterIdentifier": name,
            "Engine": "aurora-postgresql",
            "EngineVersion": "14.6",
            "DBSubnetGroupName": "subnets",
            "VpcSecurityGroupIds": [self.group],
            "DBClusterParameterGroupName": "cluster-group",
            "MasterUsername": "admin1",
            "ManageMasterUserPassword": True,
            "MasterUserSecretKmsKeyId": self.key,
            "StorageEncrypted": True,
            "KmsKeyId": self.key,
            "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 16},
            "BackupRetentionPeriod": 35,
            "EnableIAMDatabaseAuthentication": True,
            "EnableCloudwatchLogsExports": ["postgresql"],
            "CopyTagsToSnapshot": True,
            "Tags": TAGS,
        }
        return RDS.create_db_cluster(**{key: value for key, value in {**wanted, **more}.items() if value is not None})[
            "DBCluster"
        ]

    def instance(self, cluster, name, **more):
        wanted = {
            "DBClusterIdentifier": cluster,
            "DBInstanceIdentifier": name,
            "Engine": "aurora-postgresql",
            "DBInstanceClass": "db.serverless",
            "DBParameterGroupName": "group",
            "EnablePerformanceInsights": True,
            "PerformanceInsightsKMSKeyId": self.key,
            "PerformanceInsightsRetentionPeriod": 7,
            "MonitoringInterval": 60,
            "MonitoringRoleArn": self.role,
            "PromotionTier": 1,
            "Tags": TAGS,
        }
        return RDS.create_db_instance(**{**wanted, **more})["DBInstance"]

    def remove(self, cluster, *instances):
        for name in instances:
            RDS.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        return RDS.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)["DBCluster"]


class Groups(Database):
    def test_the_account_tells_its_quotas_and_what_is_used(self):
        quotas = {q["AccountQuotaName"]: q for q in RDS.describe_account_attributes()["AccountQuotas"]}
        self.assertEqual((quotas["DBClusters"]["Max"], quotas["DBInstances"]["Max"]), (40, 40))
        groups = RDS.describe_db_subnet_groups()["DBSubnetGroups"]
        self.assertEqual(quotas["DBSubnetGroups"]["Used"], len(groups))

    def test_a_subnet_group_survives_its_change(self):
        RDS.create_db_subnet_group(
            DBSubnetGroupName="Changing", DBSubnetGroupDescription="d", SubnetIds=self.subnets[:2]
        )
        RDS.modify_db_subnet_group(DBSubnetGroupName="changing", DBSubnetGroupDescription="e", SubnetIds=self.subnets)
        shown = RDS.describe_db_subnet_groups(DBSubnetGroupName="changing")["DBSubnetGroups"][0]
        self.assertEqual(
            (shown["DBSubnetGroupDescription"], sorted(s["SubnetIdentifier"] for s in shown["Subnets"])),
            ("e", sorted(self.subnets)),
        )
        RDS.delete_db_subnet_group(DBSubnetGroupName="changing")

    def test_subnet_group_refusals(self):
        for more, code in (
            ({"SubnetIds": self.subnets[:1]}, "DBSubnetGroupDoesNotCoverEnoughAZs"),
            ({"SubnetIds": ["subnet-0123456789abcdef0", self.subnets[0]]}, "InvalidSubnet"),
            ({"DBSubnetGroupName": "subnets"}, "DBSubnetGroupAlreadyExists"),
        ):
            with self.subTest(code), self.refused(code):
                RDS.create_db_subnet_group(
                    **{"DBSubnetGroupName": "other", "DBSubnetGroupDescription": "d", "SubnetIds": self.subnets, **more}
                )

    def test_parameters(self):
        for describe, modify, reset, name in (
            (
                RDS.describe_db_cluster_parameters,
                RDS.modify_db_cluster_parameter_group,
                RDS.reset_db_cluster_parameter_group,
                {"DBClusterParameterGroupName": "cluster-group"},
            ),
            (
                RDS.describe_db_parameters,
                RDS.modify_db_parameter_group,
                RDS.reset_db_parameter_group,
                {"DBParameterGroupName": "group"},
            ),
        ):
            with self.subTest(name):
                everything = describe(**name)["Parameters"]
                self.assertGreater(len(everything), 40)
                wanted = {
                    "ParameterName": "rds.logical_replication",
                    "ParameterValue": "1",
                    "ApplyMethod": "pending-reboot",
                }
                with self.refused("InvalidParameterCombination"):
                    modify(**name, Parameters=[{**wanted, "ApplyMethod": "immediate"}])
                modify(**name, Parameters=[wanted])
                user = describe(**name, Source="user")["Parameters"]
                self.assertEqual(
                    [(p["ParameterName"], p["ParameterValue"], p["ApplyMethod"]) for p in user],
                    [("rds.logical_replication", "1", "pending-reboot")],
                )
                reset(**name, ResetAllParameters=True)
                self.assertEqual(describe(**name, Source="user")["Parameters"], [])

    def test_unknown_names(self):
        with self.refused("DBParameterGroupNotFound"):
            RDS.describe_db_parameter_groups(DBParameterGroupName="nothing")
        with self.refused("DBParameterGroupNotFound"):
            RDS.describe_db_cluster_parameter_groups(DBClusterParameterGroupName="nothing")
        for kind, code in (
            ("subgrp", "DBSubnetGroupNotFoundFault"),
            ("pg", "DBParameterGroupNotFound"),
            ("cluster", "DBClusterNotFoundFault"),
            ("db", "DBInstanceNotFound"),
        ):
            with self.subTest(kind), self.refused(code):
                RDS.list_tags_for_resource(ResourceName=f"arn:aws:rds:{REGION}:{ACCOUNT}:{kind}:nothing")

    def test_the_tagging_api_finds_groups(self):
        found = client("resourcegroupstaggingapi").get_resources(
            TagFilters=[{"Key": "Name"}], ResourceTypeFilters=["rds"]
        )["ResourceTagMappingList"]
        kinds = {item["ResourceARN"].split(":")[5] for item in found}
        self.assertLessEqual({"subgrp", "pg", "cluster-pg"}, kinds)

    def test_engine_versions(self):
        offered = RDS.describe_db_engine_versions(Engine="aurora-postgresql")["DBEngineVersions"]
        self.assertLessEqual({"14.6", "14.15", "16.6"}, {entry["EngineVersion"] for entry in offered})
        one = RDS.describe_db_engine_versions(Engine="aurora-postgresql", EngineVersion="14.6")["DBEngineVersions"]
        self.assertEqual([entry["DBParameterGroupFamily"] for entry in one], [FAMILY])
        targets = {target["EngineVersion"]: target["IsMajorVersionUpgrade"] for target in one[0]["ValidUpgradeTarget"]}
        self.assertEqual((targets["14.9"], targets["15.8"], targets.get("13.18")), (False, True, None))
        self.assertEqual(
            RDS.describe_db_engine_versions(Engine="aurora-postgresql", EngineVersion="9.9")["DBEngineVersions"], []
        )


class Clusters(Database):
    def test_life(self):
        made = self.cluster("Life")
        self.assertEqual((made["DBClusterIdentifier"], made["Status"]), ("life", "creating"))
        with self.refused("DBClusterAlreadyExistsFault"):
            self.cluster("life")
        for number in range(3):
            self.instance("life", f"life-{number}")
        shown = RDS.describe_db_clusters(DBClusterIdentifier="life")["DBClusters"][0]
        self.assertEqual(
            (shown["Status"], len(shown["DBClusterMembers"]), shown["KmsKeyId"]), ("available", 3, self.key)
        )
        instances = RDS.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": ["life"]}])["DBInstances"]
        self.assertEqual({i["AvailabilityZone"] for i in instances}, {f"{REGION}{zone}" for zone in "abc"})
        for shown in instances:
            self.assertEqual(
                (shown["IAMDatabaseAuthenticationEnabled"], shown["EnabledCloudwatchLogsExports"]),
                (True, ["postgresql"]),
            )
            self.assertIn("log-group:RDSOSMetrics:log-stream:db-", shown["EnhancedMonitoringResourceArn"])
            self.assertEqual(
                (shown["CACertificateIdentifier"], shown["CertificateDetails"]["ValidTill"].year),
                ("rds-ca-rsa2048-g1", 2061),
            )
            wanted = (True, self.key, 7, 60, self.role, "subnets", "available")
            got = (
                shown["PerformanceInsightsEnabled"],
                shown["PerformanceInsightsKMSKeyId"],
                shown["PerformanceInsightsRetentionPeriod"],
                shown["MonitoringInterval"],
            )
            self.assertEqual(
                (
                    *got,
                    shown["MonitoringRoleArn"],
                    shown["DBSubnetGroup"]["DBSubnetGroupName"],
                    shown["DBInstanceStatus"],
                ),
                wanted,
            )
        for code, attempt in (
            ("InvalidDBSubnetGroupStateFault", lambda: RDS.delete_db_subnet_group(DBSubnetGroupName="subnets")),
            ("InvalidDBParameterGroupState", lambda: RDS.delete_db_parameter_group(DBParameterGroupName="group")),
            (
                "InvalidDBParameterGroupState",
                lambda: RDS.delete_db_cluster_parameter_group(DBClusterParameterGroupName="cluster-group"),
            ),
            ("DependencyViolation", lambda: EC2.delete_subnet(SubnetId=self.subnets[0])),
            ("DependencyViolation", lambda: EC2.delete_security_group(GroupId=self.group)),
            (
                "SubnetInUse",
                lambda: RDS.modify_db_subnet_group(DBSubnetGroupName="subnets", SubnetIds=self.subnets[:2]),
            ),
            (
                "InvalidDBClusterStateFault",
                lambda: RDS.delete_db_cluster(DBClusterIdentifier="life", SkipFinalSnapshot=True),
            ),
            ("InvalidParameterCombination", lambda: RDS.delete_db_cluster(DBClusterIdentifier="life")),
        ):
            with self.subTest(code), self.refused(code):
                attempt()
        self.assertEqual(self.remove("life", "life-0", "life-1", "life-2")["Status"], "deleting")
        with self.refused("DBClusterNotFoundFault"):
            RDS.describe_db_clusters(DBClusterIdentifier="life")
        self.assertEqual(RDS.describe_db_cluster_snapshots()["DBClusterSnapshots"], [])
        self.assertEqual(
            EC2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["NetworkInterfaces"], []
        )

    def test_interfaces_follow_the_groups_of_the_cluster(self):
        def shown():
            found = EC2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["RDSNetworkInterface"]}])
            return [[entry["GroupId"] for entry in one["Groups"]] for one in found["NetworkInterfaces"]]

        other = group(self.vpc, "other")
        self.cluster("groups")
        self.instance("groups", "groups-0")
        self.instance("groups", "groups-1")
        self.assertEqual(shown(), [[self.group]] * 2)
        RDS.modify_db_cluster(DBClusterIdentifier="groups", VpcSecurityGroupIds=[other], ApplyImmediately=True)
        self.assertEqual(shown(), [[other]] * 2)
        with self.refused("DependencyViolation"):
            EC2.delete_security_group(GroupId=other)
        self.remove("groups", "groups-0", "groups-1")
        EC2.delete_security_group(GroupId=other)

    def test_refusals(self):
        for more, code in (
            ({"EngineVersion": "14.99"}, "InvalidParameterCombination"),
            ({"DBClusterParameterGroupName": "nothing"}, "DBClusterParameterGroupNotFound"),
            ({"EngineVersion": "16.6"}, "InvalidParameterCombination"),
            ({"DBSubnetGroupName": "nothing"}, "DBSubnetGroupNotFoundFault"),
            ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
            ({"KmsKeyId": "00000000-0000-0000-0000-000000000000"}, "KMSKeyNotAccessibleFault"),
            (
                {"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.7, "MaxCapacity": 1}},
                "InvalidParameterCombination",
            ),
        ):
            with self.subTest(more), self.refused(code):
                self.cluster("refused", **more)
        with self.refused("DBClusterNotFoundFault"):
            self.instance("nothing", "refused-0")
        self.cluster("plain", ServerlessV2ScalingConfiguration=None)
        with self.refused("InvalidParameterCombination", "Serverless v2"):
            self.instance("plain", "refused-0")
        with self.refused("InvalidParameterValue", "ENHANCED_MONITORING"):
            self.instance(
                "plain",
                "refused-0",
                DBInstanceClass="db.r6g.large",
                MonitoringRoleArn=role("other", "ec2.amazonaws.com"),
            )
        self.remove("plain")

    def test_what_can_change_reads_back(self):
        self.cluster("change")
        self.instance("change", "change-0")
        RDS.modify_db_cluster(
            DBClusterIdentifier="change",
            EnableIAMDatabaseAuthentication=False,
            BackupRetentionPeriod=7,
            ServerlessV2ScalingConfiguration={"MinCapacity": 1, "MaxCapacity": 8},
            CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]},
            CopyTagsToSnapshot=False,
            AutoMinorVersionUpgrade=False,
            ApplyImmediately=True,
        )
        shown = RDS.describe_db_clusters(DBClusterIdentifier="change")["DBClusters"][0]
        got = (
            shown["IAMDatabaseAuthenticationEnabled"],
            shown["BackupRetentionPeriod"],
            shown["ServerlessV2ScalingConfiguration"],
            shown.get("EnabledCloudwatchLogsExports", []),
            shown["CopyTagsToSnapshot"],
            shown["AutoMinorVersionUpgrade"],
        )
        self.assertEqual(got, (False, 7, {"MinCapacity": 1.0, "MaxCapacity": 8.0}, [], False, False))
        RDS.modify_db_instance(
            DBInstanceIdentifier="change-0", EnablePerformanceInsights=False, PromotionTier=5, ApplyImmediately=True
        )
        shown = RDS.describe_db_instances(DBInstanceIdentifier="change-0")["DBInstances"][0]
        self.assertEqual((shown["PerformanceInsightsEnabled"], shown["PromotionTier"]), (False, 5))
        self.remove("change", "change-0")

    def test_minor_upgrades_are_on_unless_told_otherwise(self):
        self.assertTrue(self.cluster("upgrades")["AutoMinorVersionUpgrade"])
        self.assertFalse(self.cluster("stays", AutoMinorVersionUpgrade=False)["AutoMinorVersionUpgrade"])
        self.remove("upgrades")
        self.remove("stays")

    def test_events_are_of_what_exists_and_of_kinds_that_it_has(self):
        topic = client("sns").create_topic(Name="events")["TopicArn"]
        self.cluster("told")
        self.instance("told", "told-0")
        wanted = {"SnsTopicArn": topic, "EventCategories": ["configuration change"], "Enabled": True}
        for kind, source in (("db-cluster", "told"), ("db-instance", "told-0"), ("db-parameter-group", "group")):
            RDS.create_event_subscription(SubscriptionName=kind, SourceType=kind, SourceIds=[source], **wanted)
            with self.refused("SourceNotFound"):
                RDS.create_event_subscription(SubscriptionName="none", SourceType=kind, SourceIds=["none"], **wanted)
            with self.refused("SourceNotFound"):
                RDS.add_source_identifier_to_subscription(SubscriptionName=kind, SourceIdentifier="none")
        with self.refused("SubscriptionCategoryNotFound"):
            RDS.modify_event_subscription(SubscriptionName="db-parameter-group", EventCategories=["failover"])
        for kind in ("db-cluster", "db-instance", "db-parameter-group"):
            RDS.delete_event_subscription(SubscriptionName=kind)
        self.remove("told", "told-0")

    def test_certificate_authorities(self):
        offered = RDS.describe_certificates()
        self.assertEqual(offered["DefaultCertificateForNewLaunches"], "rds-ca-rsa2048-g1")
        self.assertEqual(len(offered["Certificates"]), 3)
        one = RDS.describe_certificates(CertificateIdentifier="rds-ca-ecc384-g1")["Certificates"]
        self.assertEqual([c["CertificateIdentifier"] for c in one], ["rds-ca-ecc384-g1"])
        with self.refused("CertificateNotFound"):
            RDS.describe_certificates(CertificateIdentifier="rds-ca-2019")
        self.cluster("authority")
        with self.refused("CertificateNotFound"):
            self.instance("authority", "authority-0", CACertificateIdentifier="rds-ca-2019")
        self.remove("authority")

    def test_a_stopped_cluster_is_started_before_it_can_go(self):
        self.cluster("stopped")
        self.instance("stopped", "stopped-0")
        RDS.describe_db_clusters(DBClusterIdentifier="stopped")
        RDS.stop_db_cluster(DBClusterIdentifier="stopped")
        for instances in (["stopped-0"], []):
            with self.refused("InvalidDBClusterStateFault", "stopped"):
                self.remove("stopped", *instances)
        RDS.start_db_cluster(DBClusterIdentifier="stopped")
        self.remove("stopped", "stopped-0")

    def test_a_role_is_taken_away_with_the_feature_that_it_was_given_for(self):
        self.cluster("roles")
        role = "arn:aws:iam::123456789012:role/theirs"
        RDS.describe_db_clusters(DBClusterIdentifier="roles")
        RDS.add_role_to_db_cluster(DBClusterIdentifier="roles", RoleArn=role, FeatureName="s3Export")
        with self.refused("InvalidParameterValue"):
            RDS.remove_role_from_db_cluster(DBClusterIdentifier="roles", RoleArn=role)
        with self.refused("DBClusterRoleNotFound"):
            RDS.remove_role_from_db_cluster(DBClusterIdentifier="roles", RoleArn=role, FeatureName="s3Import")
        RDS.remove_role_from_db_cluster(DBClusterIdentifier="roles", RoleArn=role, FeatureName="s3Export")
        left = RDS.describe_db_clusters(DBClusterIdentifier="roles")["DBClusters"][0]
        self.assertEqual(left.get("AssociatedRoles", []), [])
        self.remove("roles")

    def test_the_managed_secret(self):
        secret = self.cluster("secret")["MasterUserSecret"]["SecretArn"]
        shown = SECRETS.describe_secret(SecretId=secret)
        self.assertEqual(
            (shown["OwningService"], shown["RotationEnabled"], shown["RotationRules"]),
            ("rds", True, {"AutomaticallyAfterDays": 7}),
        )
        versions = shown["VersionIdsToStages"]
        SECRETS.rotate_secret(SecretId=secret, RotationRules={"AutomaticallyAfterDays": 30}, RotateImmediately=False)
        shown = SECRETS.describe_secret(SecretId=secret)
        self.assertEqual(
            (shown["RotationRules"], shown["VersionIdsToStages"]), ({"AutomaticallyAfterDays": 30}, versions)
        )
        with self.refused("InvalidRequestException"):
            SECRETS.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        self.assertIn("password", json.loads(SECRETS.get_secret_value(SecretId=secret)["SecretString"]))
        self.remove("secret")
        with self.refused("ResourceNotFoundException"):
            SECRETS.describe_secret(SecretId=secret)
        SECRETS.create_secret(Name="ours", SecretString="x")
        with self.refused("InvalidRequestException"):
            SECRETS.rotate_secret(SecretId="ours", RotationRules={"AutomaticallyAfterDays": 30})
