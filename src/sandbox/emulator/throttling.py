"""How AWS throttles: the token buckets of an account in a region. A bucket holds `burst` tokens and gets `rate` new ones a second; a
call takes one from each of its buckets, or is refused and takes none.

One table has them all, with the page of AWS's documentation that each part of it comes from. Where a page has calls a second and no
size of a bucket, the bucket holds what comes in a second. AWS publishes no figures for IAM, AWS Config, Application Auto Scaling, STS,
Service Quotas and ECR's repositories, nor for what S3 and SQS do with buckets and queues: these have none here.
"""

import collections
import fnmatch
import threading
from typing import NamedTuple, Optional

# What all calls of a service share beside the buckets of the table, as (burst, rate).
WHOLE = {
    # "Request throttling for the ELB API": the account-level bucket over all actions.
    "elbv2": (40, 10),
    # "Throttling for Amazon Route 53 API requests": all actions combined. (Its limit on changed records is not enforced here.)
    "route53": (50, 10),
    # "Request throttling for the Amazon RDS API": 300 requests in a burst, 12 a second, whatever the action.
    "rds": (300, 12),
    # "Best practices for managing the control plane in DynamoDB"; calls for items are not the control plane.
    "dynamodb": (2500, 2500),
}
READS, WRITES = "reads", "writes"
# What a bucket of one action is for.
ACTION, UNFILTERED = "{}", "{} without a filter"
NO_CONTROL = {
    "dynamodb": {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"},
    "lambda": {"Invoke", "InvokeAsync", "InvokeWithResponseStream"},
}


class Row(NamedTuple):
    """Buckets of a service: one for each operation that matches, or one for all of them when it has a name."""

    service: str
    operations: str
    burst: float
    rate: float
    together: Optional[str] = None
    of: str = ACTION


def _unfiltered(request):
    """No filter, no page and no id: EC2 takes such calls of a few actions from a smaller bucket."""
    return not any(part in request.body for part in (b"Filter.", b"MaxResults=", b"NextToken=", b"Id."))


def _second(service, rate, operations, together=None):
    """So many calls a second."""
    return Row(service, operations, max(rate, 1), rate, together)


# The first row that fits counts.
TABLE = [
    # "Request throttling for the Amazon EC2 API": each action for itself.
    Row("ec2", "CreateVpcEndpoint DeleteVpcEndpoints ModifyVpcEndpoint", 4, 0.3),
    Row("ec2", "CreateNatGateway DeleteNatGateway AssociateNatGatewayAddress DisassociateNatGatewayAddress", 10, 1),
    Row("ec2", "CreateVpcEndpointServiceConfiguration ModifyVpcEndpointServiceConfiguration", 10, 1),
    Row("ec2", "DeleteVpcEndpointServiceConfigurations AcceptVpcEndpointConnections RejectVpcEndpointConnections", 10, 1),
    Row("ec2", "CreateTags DeleteTags", 100, 10),
    Row("ec2", "CreateNetworkInterface DeleteNetworkInterface ModifyNetworkInterfaceAttribute", 100, 5),
    Row("ec2", "DescribeSecurityGroupReferences DescribeStaleSecurityGroups", 20, 5),
    Row("ec2", "DescribeInstances DescribeNetworkInterfaces DescribeSecurityGroups", 50, 10, of=UNFILTERED),
    Row("ec2", READS, 100, 20),
    Row("ec2", WRITES, 50, 5),
    # "Request throttling for the ELB API": each category has one bucket.
    Row("elbv2", "CreateLoadBalancer SetSubnets", 10, 0.2, "resource-intensive"),
    Row("elbv2", "RegisterTargets DeregisterTargets", 20, 4, "registration"),
    Row("elbv2", READS, 40, 10, "non-mutating"),
    Row("elbv2", WRITES, 20, 3, "mutating"),
    # "Throttling for Amazon Route 53 API requests".
    Row("route53", "AssociateVPCWithHostedZone", 20, 5),
    Row("route53", "CreateHealthCheck", 50, 0.5),
    Row("route53", "CreateHostedZone", 40, 2),
    Row("route53", "DeleteHealthCheck", 15, 3),
    Row("route53", "DeleteHostedZone", 40, 5),
    Row("route53", "*", 50, 10),
    # "Request throttling for the Amazon ECS API": each category has one bucket.
    Row("ecs", "CreateCluster DeleteCluster PutClusterCapacityProviders UpdateCluster UpdateClusterSettings", 20, 1, "cluster modify"),
    Row("ecs", "DescribeClusters ListClusters", 50, 20, "cluster read"),
    Row("ecs", "DeregisterTaskDefinition RegisterTaskDefinition", 20, 1, "task definition modify"),
    Row("ecs", "DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies", 50, 20, "task definition read"),
    Row("ecs", "DeleteTaskDefinitions", 5, 1),
    Row("ecs", "TagResource UntagResource", 20, 10, "tag modify"),
    Row("ecs", "ListTagsForResource", 50, 20),
    Row("ecs", "RunTask StartTask StopTask ExecuteCommand", 100, 40, "cluster resource modify"),
    Row("ecs", "DescribeTasks ListTasks DescribeContainerInstances", 100, 20, "cluster resource read"),
    Row("ecs", "CreateService DeleteService UpdateService", 50, 5, "service modify"),
    Row("ecs", "DescribeServices ListServices", 100, 20, "service read"),
    Row("ecs", "DescribeServiceDeployments ListServiceDeployments", 50, 20, "service deployment"),
    Row("ecs", "DescribeServiceRevisions", 50, 20),
    # "Lambda quotas", API requests: the rest is counted over all actions.
    _second("lambda", 100, "GetFunction"),
    _second("lambda", 15, "GetPolicy"),
    _second("lambda", 15, "*", "control plane"),
    # "Request quotas" of AWS KMS: each action for itself.
    _second("kms", 5, "CreateKey CreateAlias UpdateAlias UpdateKeyDescription EnableKey DisableKey DisableKeyRotation"),
    _second("kms", 5, "CancelKeyDeletion RotateKeyOnDemand UntagResource"),
    _second("kms", 10, "TagResource"),
    _second("kms", 15, "DeleteAlias EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion"),
    _second("kms", 50, "CreateGrant RetireGrant RevokeGrant"),
    _second("kms", 100, "ListGrants ListKeyPolicies ListKeyRotations"),
    _second("kms", 500, "ListKeys ListAliases"),
    # "CloudWatch Logs quotas" (eu-central-1).
    _second("logs", 10, "CreateLogGroup DeleteLogGroup DescribeLogGroups GetLogEvents StartQuery GetQueryResults"),
    _second("logs", 5, "AssociateKmsKey DeleteMetricFilter DeleteRetentionPolicy DeleteSubscriptionFilter FilterLogEvents"),
    _second("logs", 5, "DescribeMetricFilters DescribeSubscriptionFilters ListTagsForResource ListTagsLogGroup"),
    _second("logs", 5, "PutMetricFilter PutRetentionPolicy PutSubscriptionFilter TagLogGroup TagResource UntagLogGroup UntagResource"),
    _second("logs", 25, "DescribeLogStreams"),
    # "Amazon CloudWatch endpoints and quotas".
    _second("cloudwatch", 3, "PutMetricAlarm PutCompositeAlarm DeleteAlarms EnableAlarmActions DisableAlarmActions SetAlarmState"),
    _second("cloudwatch", 9, "DescribeAlarms DescribeAlarmsForMetric"),
    _second("cloudwatch", 10, "PutDashboard GetDashboard ListDashboards DeleteDashboards ListTagsForResource"),
    _second("cloudwatch", 20, "DescribeAlarmHistory TagResource UntagResource"),
    _second("cloudwatch", 25, "ListMetrics"),
    _second("cloudwatch", 500, "GetMetricData PutMetricData"),
    # "AWS WAF quotas": fixed quotas on calls; one request every two seconds is half a one.
    _second("wafv2", 0.5, "AssociateWebACL DisassociateWebACL"),
    _second("wafv2", 1, "GetWebACLForResource ListResourcesForWebACL"),
    _second("wafv2", 5, "Get* List*"),
    _second("wafv2", 1, "Create* Put* Update*"),
    # "Quotas" of AWS Certificate Manager, API rate quotas.
    _second("acm", 5, "RequestCertificate AddTagsToCertificate RemoveTagsFromCertificate UpdateCertificateOptions"),
    _second("acm", 8, "ListCertificates"),
    _second("acm", 10, "DeleteCertificate DescribeCertificate GetCertificate ListTagsForCertificate"),
    # "AWS Systems Manager endpoints and quotas", Parameter Store.
    _second("ssm", 40, "GetParameter GetParameters GetParametersByPath", "throughput"),
    _second("ssm", 3, "PutParameter"),
    # "Amazon Simple Notification Service endpoints and quotas", API throttling quotas.
    _second("sns", 10, "TagResource UntagResource ListTagsForResource"),
    _second("sns", 100, "Subscribe Unsubscribe"),
    _second("sns", 30, "CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes ListTopics ListSubscriptions*"),
    # "AWS Secrets Manager quotas".
    _second("secretsmanager", 50, "*ResourcePolicy", "policies"),
    _second("secretsmanager", 50, "PutSecretValue UpdateSecret UpdateSecretVersionStage", "changes"),
    _second("secretsmanager", 50, "RotateSecret CancelRotateSecret", "rotations"),
    _second("secretsmanager", 50, "TagResource UntagResource", "tags"),
    _second("secretsmanager", 50, "CreateSecret DeleteSecret RestoreSecret"),
    _second("secretsmanager", 100, "ListSecrets BatchGetSecretValue"),
    # "Quotas for Amazon EventBridge Scheduler".
    _second("scheduler", 10, "CreateScheduleGroup DeleteScheduleGroup"),
    # "Amazon EventBridge quotas": actions other than PutEvents.
    _second("events", 50, "Describe* List* Put[PRT]* Delete* Remove* Enable* Disable* TagResource UntagResource"),
    # "Service quotas for tagging".
    _second("resourcegroupstaggingapi", 15, "GetResources"),
    # LookupEvents in the "AWS CloudTrail API reference".
    _second("cloudtrail", 2, "LookupEvents"),
]


def buckets(request, write):
    """The buckets of a call, each as (name, burst, rate)."""
    if request.operation in NO_CONTROL.get(request.service, ()):
        return []
    found = []
    if request.service in WHOLE:
        found.append(("all", *WHOLE[request.service]))
    row = next((row for row in TABLE if row.service == request.service and _fits(row, request, write)), None)
    if row:
        found.append((row.together or row.of.format(request.operation), row.burst, row.rate))
    return found


def _fits(row, request, write):
    if row.of != ACTION and not _unfiltered(request):
        return False
    if row.operations in (READS, WRITES):
        return write == (row.operations == WRITES)
    return any(fnmatch.fnmatchcase(request.operation, pattern) for pattern in row.operations.split())


class Buckets:
    """What is left in the buckets; they are full at first. `now` tells the seconds by which they fill."""

    def __init__(self, now):
        self._now = now
        self._lock = threading.Lock()
        self._left = {}
        # How many calls were refused, by bucket.
        self.refused = collections.Counter()

    def take(self, request, write):
        """Whether AWS serves the call."""
        with self._lock:
            now, filled = self._now(), {}
            for name, burst, rate in buckets(request, write):
                key = (request.account, request.region, request.service, name)
                left, since = self._left.get(key, (burst, now))
                filled[key] = (min(burst, left + (now - since) * rate), now)
            # What came to a whole token by many small parts may be short of one by a rounding error.
            short = [key for key, (left, _) in filled.items() if left < 1 - 1e-6]
            self._left.update(filled)
            if short:
                self.refused.update(f"{key[2]}/{key[3]}" for key in short)
                return False
            for key, (left, _) in filled.items():
                self._left[key] = (left - 1, now)
            return True
