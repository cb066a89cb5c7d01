"""One module per service and theme; importing a module registers its patches."""

import importlib

from ..moto_parts import PROBLEMS, check

# In order: what comes first is outermost around an operation.
MODULES = [
    "caches",
    "validation",
    "limits",
    "s3_requests",
    "ec2_tags",
    "ec2_describes",
    "ec2_vpcs",
    "ec2_routes",
    "ec2_acls",
    "ec2_security_groups",
    "ec2_endpoints",
    "ec2_endpoint_services",
    "ec2_flow_logs",
    "ec2_interfaces",
    "elbv2_network",
    "elbv2_settings",
    "elbv2",
    "acm",
    "route53",
    "wafv2",
    "tgw_gateways",
    "tgw_routing",
    "rds_groups",
    "rds_certificates",
    "rds_upgrades",
    "rds_clusters",
    "rds_restores",
    "rds_instances",
    "rds_reboots",
    "rds_events",
    "s3",
    "s3_conditions",
    "s3_listings",
    "s3_roots",
    "kms",
    "logs",
    "dynamodb",
    "dynamodb_backups",
    "dynamodb_kinesis",
    "iam",
    "scheduler",
    "secretsmanager",
    "servicequotas",
    "sns",
    "ssm",
    "ecr",
    "ecs",
    "ecs_services",
    "ecs_tasks",
    "autoscaling",
    "sqs",
    "cloudtrail",
    "cloudwatch",
    "alarm_history",
    "config",
    "config_rules",
    "events",
    "tagging",
    "metrics",
    "invocations",
    "target_health",
    "functions",
]


def load():
    """Imports every module; raises with all that moto no longer has."""
    for module in MODULES:
        try:
            importlib.import_module(f"{__name__}.{module}")
        except (ImportError, AttributeError) as missing:
            PROBLEMS.append(f"patches/{module}.py: {missing}")
    check()
