"""What RDS offers, as data: engine versions and the parameters of the aurora-postgresql families."""

ENGINE = "aurora-postgresql"
# AWS retires minor versions; 14.6 is kept here because the platform's brief demands it.
VERSIONS = [
    "13.18",
    "14.6",
    "14.9",
    "14.13",
    "14.15",
    "14.17",
    "15.8",
    "15.10",
    "15.12",
    "16.4",
    "16.6",
    "16.8",
    "17.4",
]
DEFAULT_VERSION = "16.6"

# Defaults ("Quotas and constraints for Amazon RDS", Amazon RDS User Guide).
ACCOUNT_QUOTAS = {
    "DBInstances": 40,
    "DBClusters": 40,
    "DBParameterGroups": 50,
    "DBClusterParameterGroups": 50,
    "DBSubnetGroups": 50,
}


def family(version):
    """`14.6` -> `aurora-postgresql14`."""
    return f"{ENGINE}{version.split('.')[0]}"


def targets(version):
    """What a version can be upgraded to in place: later ones of its major version and of later ones."""
    numbers = [int(part) for part in version.split(".")]
    later = [other for other in VERSIONS if [int(part) for part in other.split(".")] > numbers]
    return [
        {
            "Engine": ENGINE,
            "EngineVersion": other,
            "Description": f"Aurora PostgreSQL (Compatible with PostgreSQL {other})",
            "AutoUpgrade": False,
            "IsMajorVersionUpgrade": other.split(".")[0] != version.split(".")[0],
        }
        for other in later
    ]


def version_shown(version):
    """An entry of DescribeDBEngineVersions."""
    return {
        "ValidUpgradeTarget": targets(version),
        "Engine": ENGINE,
        "EngineVersion": version,
        "DBParameterGroupFamily": family(version),
        "DBEngineDescription": "Aurora PostgreSQL",
        "DBEngineVersionDescription": f"Aurora PostgreSQL (Compatible with PostgreSQL {version})",
        "Status": "available",
        "SupportedEngineModes": ["provisioned"],
        "ExportableLogTypes": ["postgresql"],
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": False,
        "SupportsParallelQuery": False,
        "SupportsGlobalDatabases": True,
        "SupportsBabelfish": True,
        "MajorEngineVersion": version.split(".")[0],
    }


# (name, default, apply type, data type, allowed values): the parameters that a payment platform touches and some more.
PARAMETERS = [
    ("apg_plan_mgmt.capture_plan_baselines", "off", "dynamic", "string", "off,manual,automatic"),
    ("autovacuum", "1", "dynamic", "boolean", "0,1"),
    ("client_encoding", None, "dynamic", "string", None),
    ("idle_in_transaction_session_timeout", "86400000", "dynamic", "integer", "0-2147483647"),
    ("lock_timeout", None, "dynamic", "integer", "0-2147483647"),
    ("log_autovacuum_min_duration", "10000", "dynamic", "integer", "-1-2147483647"),
    ("log_checkpoints", "1", "dynamic", "boolean", "0,1"),
    ("log_connections", None, "dynamic", "boolean", "0,1"),
    ("log_disconnections", None, "dynamic", "boolean", "0,1"),
    ("log_error_verbosity", None, "dynamic", "string", "default,terse,verbose"),
    ("log_hostname", None, "dynamic", "boolean", "0,1"),
    ("log_lock_waits", None, "dynamic", "boolean", "0,1"),
    ("log_min_duration_statement", None, "dynamic", "integer", "-1-2147483647"),
    ("log_min_error_statement", None, "dynamic", "string", None),
    ("log_rotation_age", "60", "dynamic", "integer", "1-1440"),
    ("log_statement", None, "dynamic", "string", "none,ddl,mod,all"),
    ("log_temp_files", None, "dynamic", "integer", "-1-2147483647"),
    ("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", "static", "integer", "6-262143"),
    ("max_logical_replication_workers", None, "static", "integer", "0-262143"),
    ("max_replication_slots", "20", "static", "integer", "0-262143"),
    ("max_wal_senders", "20", "static", "integer", "0-262143"),
    ("max_worker_processes", "GREATEST({DBInstanceVCPU*2},8)", "static", "integer", "0-262143"),
    ("password_encryption", None, "dynamic", "string", "md5,scram-sha-256"),
    ("pg_stat_statements.max", None, "static", "integer", "100-2147483647"),
    ("pg_stat_statements.track", None, "dynamic", "string", "none,top,all"),
    ("pg_stat_statements.track_utility", None, "dynamic", "boolean", "0,1"),
    ("pgaudit.log", None, "dynamic", "string", None),
    ("pgaudit.log_parameter", None, "dynamic", "boolean", "0,1"),
    ("pgaudit.role", None, "dynamic", "string", "rds_pgaudit"),
    ("random_page_cost", None, "dynamic", "float", None),
    ("rds.accepted_password_auth_method", "md5+scram", "dynamic", "string", "md5+scram,scram"),
    ("rds.force_admin_logging_level", "disabled", "dynamic", "string", None),
    ("rds.force_autovacuum_logging_level", "WARNING", "dynamic", "string", None),
    ("rds.force_ssl", "0", "dynamic", "boolean", "0,1"),
    ("rds.log_retention_period", "4320", "dynamic", "integer", "1440-10080"),
    ("rds.logical_replication", "0", "static", "boolean", "0,1"),
    ("rds.restrict_password_commands", None, "static", "boolean", "0,1"),
    ("shared_buffers", "SUM({DBInstanceClassMemory/12038},-50003)", "static", "integer", "16-1073741823"),
    ("shared_preload_libraries", "pg_stat_statements", "static", "list", None),
    ("ssl_max_protocol_version", None, "dynamic", "string", "TLSv1.2,TLSv1.3"),
    ("ssl_min_protocol_version", "TLSv1.2", "dynamic", "string", "TLSv1.2,TLSv1.3"),
    ("statement_timeout", None, "dynamic", "integer", "0-2147483647"),
    ("timezone", "UTC", "dynamic", "string", None),
    ("track_activity_query_size", "4096", "static", "integer", "100-1048576"),
    ("track_io_timing", "1", "dynamic", "boolean", "0,1"),
    ("wal_sender_timeout", "30000", "dynamic", "integer", "0-3600000"),
    ("work_mem", None, "dynamic", "integer", "64-2147483647"),
]
PARAMETER = {entry[0]: entry for entry in PARAMETERS}


def parameter_shown(name, changed, clustered):
    """An entry of DescribeDB(Cluster)Parameters: the engine's default, or what the user set."""
    _, default, apply_type, data_type, allowed = PARAMETER.get(name, (name, None, "dynamic", "string", None))
    shown = {
        "ParameterName": name,
        "ParameterValue": changed["ParameterValue"] if changed else default,
        "Description": f"{name} of the engine",
        "Source": "user" if changed else "engine-default" if default is None else "system",
        "ApplyType": apply_type,
        "DataType": data_type,
        "AllowedValues": allowed,
        "IsModifiable": True,
        "ApplyMethod": changed["ApplyMethod"] if changed else "pending-reboot",
    }
    if clustered:
        shown["SupportedEngineModes"] = ["provisioned"]
    return {key: value for key, value in shown.items() if value is not None}
