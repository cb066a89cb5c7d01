"""Service quotas: moto knows some of VPC's; these are AWS's defaults for the services of the platform."""

from ..call import patch, refuse

# service code -> (name of the service, [(quota code, name, value, adjustable)])
QUOTAS = {
    "vpc": (
        "Amazon Virtual Private Cloud (Amazon VPC)",
        [
            ("L-F678F1CE", "VPCs per Region", 5, True),
            ("L-407747CB", "Subnets per VPC", 200, True),
            ("L-A4707A72", "Internet gateways per Region", 5, True),
            ("L-589F43AA", "Route tables per VPC", 200, True),
            ("L-93826ACB", "Routes per route table", 500, True),
            ("L-B4A6D682", "Network ACLs per VPC", 200, True),
            ("L-2AEEBF1A", "Rules per network ACL", 20, True),
            ("L-E79EC296", "VPC security groups per Region", 2500, True),
            ("L-0EA8095F", "Inbound or outbound rules per security group", 60, True),
            ("L-2AFB9258", "Security groups per network interface", 5, True),
            ("L-1B52E74A", "Gateway VPC endpoints per Region", 20, True),
            ("L-29B6F2EB", "Interface VPC endpoints per VPC", 50, True),
            ("L-DF5E4CA3", "Network interfaces per Region", 5000, True),
        ],
    ),
    "ec2": (
        "Amazon Elastic Compute Cloud (Amazon EC2)",
        [
            ("L-A2478D36", "Transit gateways per account", 5, True),
            ("L-E0233F82", "Attachments per transit gateway", 5000, True),
            ("L-6DA43717", "Routes per transit gateway", 10000, True),
            ("L-B91E5754", "VPC attachments per transit gateway", 5000, True),
            ("L-0263D0A3", "EC2-VPC Elastic IPs", 5, True),
        ],
    ),
    "rds": (
        "Amazon Relational Database Service (Amazon RDS)",
        [
            ("L-952B80B8", "DB clusters", 40, True),
            ("L-7B6409FD", "DB instances", 40, True),
            ("L-E4C808A8", "DB cluster parameter groups", 50, True),
            ("L-DE55804A", "Parameter groups", 50, True),
            ("L-48C6BF61", "DB subnet groups", 50, True),
        ],
    ),
    "dynamodb": (
        "Amazon DynamoDB",
        [
            ("L-F98FE922", "Maximum number of tables", 2500, True),
            ("L-F7858A77", "Global Secondary Indexes per table", 20, True),
        ],
    ),
    "kms": (
        "AWS Key Management Service (AWS KMS)",
        [("L-C2F1777E", "Customer Master Keys (CMKs)", 100000, True), ("L-2601EE20", "Aliases per CMK", 50, True)],
    ),
    "s3": ("Amazon Simple Storage Service (Amazon S3)", [("L-DC2B2D3D", "General purpose buckets", 10000, True)]),
    "iam": (
        "AWS Identity and Access Management (IAM)",
        [("L-FE177D64", "Roles per account", 1000, True), ("L-0DA4ABF3", "Managed policies per role", 10, True)],
    ),
    "logs": ("Amazon CloudWatch Logs", [("L-D2832119", "Log groups", 1000000, True)]),
    "secretsmanager": ("AWS Secrets Manager", [("L-2F66C23C", "Secrets per Region", 500000, False)]),
    "monitoring": ("Amazon CloudWatch", [("L-5E141212", "Alarms per Region", 5000, True)]),
    "elasticloadbalancing": (
        "Elastic Load Balancing",
        [
            ("L-53DA6B97", "Application Load Balancers per Region", 50, True),
            ("L-B22855CB", "Target Groups per Region", 3000, True),
        ],
    ),
    "ecs": (
        "Amazon Elastic Container Service (Amazon ECS)",
        [("L-21C621EB", "Clusters per account", 10000, True), ("L-9EF96962", "Services per cluster", 5000, True)],
    ),
    "fargate": ("AWS Fargate", [("L-3032A538", "Fargate On-Demand vCPU resource count", 6, True)]),
    "lambda": ("AWS Lambda", [("L-B99A9384", "Concurrent executions", 1000, True)]),
    "route53": (
        "Amazon Route 53",
        [("L-4EA4796A", "Hosted zones", 500, True), ("L-ACB674F3", "Health checks", 200, True)],
    ),
    "wafv2": ("AWS WAF", [("L-E6E78B7B", "Web ACLs per account in a Region", 100, True)]),
}
QUOTAS["iam"][1].append(("L-C07B4B0D", "Role trust policy length", 2048, True))


def _shown(call, service):
    if service not in QUOTAS:
        refuse(
            "NoSuchResourceException",
            "This service is not available in the current Region. Choose a different Region or a different service.",
        )
    name, quotas = QUOTAS[service]
    return [
        {
            "ServiceCode": service,
            "ServiceName": name,
            "QuotaArn": call.arn(f"{service}/{code}", "servicequotas"),
            "QuotaCode": code,
            "QuotaName": title,
            "Value": float(value),
            "Unit": "None",
            "Adjustable": adjustable,
            "GlobalQuota": service in ("iam", "route53", "s3"),
            "QuotaAppliedAtLevel": "ACCOUNT",
        }
        for code, title, value, adjustable in quotas
    ]


@patch("service-quotas", "ListServices")
def list_services(_call):
    """The services with quotas here."""
    return {"Services": [{"ServiceCode": code, "ServiceName": name} for code, (name, _) in QUOTAS.items()]}


@patch("service-quotas", "ListServiceQuotas", "ListAWSDefaultServiceQuotas")
def list_quotas(call):
    """AWS's defaults; pages by MaxResults and NextToken."""
    items = _shown(call, call.params["ServiceCode"])
    start, size = int(call.params.get("NextToken") or 0), int(call.params.get("MaxResults") or 100)
    answer = {"Quotas": items[start : start + size]}
    if start + size < len(items):
        answer["NextToken"] = str(start + size)
    return answer


@patch("service-quotas", "GetServiceQuota", "GetAWSDefaultServiceQuota")
def get_quota(call):
    """One quota."""
    for quota in _shown(call, call.params["ServiceCode"]):
        if quota["QuotaCode"] == call.params["QuotaCode"]:
            return {"Quota": quota}
    return refuse("NoSuchResourceException", "The specified service quota does not exist.")
