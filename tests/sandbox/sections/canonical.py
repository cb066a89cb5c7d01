"""The text of an account: names for ids, without what differs between two equal deployments."""

import json
import re

# Differs between two equal deployments, or says nothing about the settings.
VOLATILE = set(
    """
    ResponseMetadata AssociationId RouteTableAssociationId NetworkAclAssociationId SecurityGroupRuleId
    NetworkInterfaceIds NetworkInterfaceId MacAddress PrivateIpAddress PrivateIpAddresses PrivateDnsName
    AvailableIpAddressCount HostedZoneId DbClusterResourceId DbiResourceId EnhancedMonitoringResourceArn RoleId
    LatestStreamLabel TableId
    TableSizeBytes ItemCount storedBytes creationTime VersionIdsToStages SecretVersionsToStages DnsEntries
    LatestRestorableTime EarliestRestorableTime EarliestRestorableDateTime LatestRestorableDateTime
    CreationDate CreateDate CreatedDate RoleLastUsed CreationTime CreationTimestamp CreationDateTime
    ClusterCreateTime InstanceCreateTime LastChangedDate LastAccessedDate LastRotatedDate NextRotationDate
    LastModified LastModifiedDate LastUpdatedDate StateUpdatedTimestamp StateTransitionedTimestamp
    SubscriptionCreationTime registeredAt createdAt updatedAt revision taskDefinitionArn LastModifiedDate LastModifiedUser Version AlarmARN PolicyARN
    CreatedTime lastEvaluatedAt ScalableTargetARN CallerReference NotBefore NotAfter CreatedAt IssuedAt Serial HealthCheckVersion
    AlarmConfigurationUpdatedTimestamp DBClusterSnapshotIdentifier SnapshotCreateTime IsClusterWriter
    CreatedTimestamp LastModifiedTimestamp LastModificationDate RestoreSummary
    """.split()
)
# Random parts inside strings.
RANDOM = [
    # The numbers of a family go on, also after a life that has ended.
    (re.compile(r"(task-definition/[a-z0-9-]+):\d+"), r"\1:*"),
    (re.compile(r"(rds:[a-z0-9-]+?)-\d{4}-\d\d-\d\d-\d\d-\d\d"), r"\1-*"),
    (re.compile(r"\b(cluster-(?:ro-)?)[a-z0-9]{12}\."), r"\1*."),
    (re.compile(r"\bvpce-svc-[0-9a-f]{8}\b"), "vpce-svc-*"),
    # Functions in the same subnets and groups share an interface, which is named after the first of them.
    (re.compile(r"(AWS Lambda VPC ENI)-[a-z0-9-]+"), r"\1-*"),
    (re.compile(r"/stream/[0-9T:.\-]+"), "/stream/*"),
    (re.compile(r"/[0-9a-f]{16}\b"), "/*"),
    (re.compile(r"rds!cluster-[0-9a-f-]{36}(-\w{6})?"), "rds!cluster-*"),
    (re.compile(r"(:secret:[a-z][a-z0-9-]*)-[A-Za-z0-9]{6}\b"), r"\1-*"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "*"),
    (re.compile(r"\b([a-z]+(?:-[a-z]+)*)-[0-9a-f]{17}\b"), r"\1-*"),
]


def canonical(value, names):
    """A value with names for ids, without what is volatile, sorted."""
    if isinstance(value, dict):
        return {
            key: canonical(item, names)
            for key, item in sorted(value.items())
            if key not in VOLATILE and item is not None
        }
    if isinstance(value, (list, tuple)):
        return sorted(
            (canonical(item, names) for item in value), key=lambda item: json.dumps(item, sort_keys=True, default=str)
        )
    if isinstance(value, str):
        if value.startswith("{"):
            try:
                return canonical(json.loads(value), names)
            except ValueError:
                pass
        return anonymous(value, names)
    return value if isinstance(value, (int, float, bool)) else str(value)


ID = re.compile(r"[a-z]+(?:-[a-z]+)*-[0-9a-f]{17}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def anonymous(text, names):
    """A string with names for the ids in it."""
    text = ID.sub(lambda found: names.get(found[0], found[0]), text)
    for pattern, replacement in RANDOM:
        text = pattern.sub(replacement, text)
    return text
