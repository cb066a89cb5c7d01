"""What a call needs beside its own action: tags at creation, roles that are passed, linked roles, keys that a service uses in
the caller's name, and what AWS's documentation of an operation lists."""

from ..refusals import IAM_PREFIX
from . import resources, tags
from .evaluate import Need

# The action that sets tags in a create, by service, where it is not TagResource.
TAGS = {
    "acm": "AddTagsToCertificate", "ec2": "CreateTags", "elasticloadbalancing": "AddTags", "iam": "TagRole", "rds": "AddTagsToResource",
    "sqs": "TagQueue", "ssm": "AddTagsToResource",
}
# Operations whose tags are their own business: tag actions themselves.
TAG_CALLS = ("Tag", "Untag", "AddTags", "RemoveTags", "CreateTags", "DeleteTags", "ChangeTags", "PutBucketTagging")

# The service that a role in a request is passed to ("Granting a user permissions to pass a role to an AWS service").
PASSED = {
    "config:PutConfigurationRecorder": "config.amazonaws.com",
    "ec2:CreateFlowLogs": "vpc-flow-logs.amazonaws.com",
    "ecs:RegisterTaskDefinition": "ecs-tasks.amazonaws.com",
    "ecs:RunTask": "ecs-tasks.amazonaws.com",
    "events:PutTargets": "events.amazonaws.com",
    "lambda:CreateFunction": "lambda.amazonaws.com",
    "lambda:UpdateFunctionConfiguration": "lambda.amazonaws.com",
    "rds:CreateDBInstance": "monitoring.rds.amazonaws.com",
    "rds:ModifyDBInstance": "monitoring.rds.amazonaws.com",
    "scheduler:CreateSchedule": "scheduler.amazonaws.com",
    "scheduler:UpdateSchedule": "scheduler.amazonaws.com",
}
# The first of these in an account makes the service's linked role ("Using service-linked roles" of each service).
LINKED = {
    "application-autoscaling:RegisterScalableTarget": ("ecs.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ECSService"),
    "ecs:CreateCluster": ("ecs.amazonaws.com", "ECS"),
    "ecs:CreateService": ("ecs.amazonaws.com", "ECS"),
    "elasticloadbalancing:CreateLoadBalancer": ("elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing"),
    "rds:CreateDBCluster": ("rds.amazonaws.com", "RDS"),
    "rds:CreateDBSubnetGroup": ("rds.amazonaws.com", "RDS"),
    "wafv2:PutLoggingConfiguration": ("wafv2.amazonaws.com", "WAFV2Logging"),
}
# What a service does with a key in the caller's name: "Overview of encrypting RDS resources" and "Password management with
# Amazon RDS and AWS Secrets Manager", "DynamoDB encryption at rest: usage notes", "Secret encryption and decryption in AWS Secrets
# Manager", "Encryption at rest" of Amazon ECR and of EventBridge Scheduler, "Working with Lambda environment variables" of AWS
# Lambda.
USED = ["kms:DescribeKey", "kms:CreateGrant"]
READ = ["kms:Decrypt", "kms:GenerateDataKey"]
KEYS = {
    "dynamodb:CreateTable": ("dynamodb", [*USED, *READ]),
    "dynamodb:RestoreTableFromBackup": ("dynamodb", [*USED, *READ]),
    "ecr:CreateRepository": ("ecr", USED),
    "lambda:CreateFunction": ("lambda", ["kms:CreateGrant", "kms:Encrypt"]),
    "lambda:UpdateFunctionConfiguration": ("lambda", ["kms:CreateGrant", "kms:Encrypt"]),
    "rds:CreateDBCluster": ("rds", USED),
    "rds:CreateDBInstance": ("rds", USED),
    "rds:RestoreDBClusterFromSnapshot": ("rds", USED),
    "rds:RestoreDBClusterToPointInTime": ("rds", USED),
    "scheduler:CreateSchedule": ("scheduler", ["kms:DescribeKey", "kms:GenerateDataKey"]),
    "scheduler:UpdateSchedule": ("scheduler", ["kms:DescribeKey", "kms:GenerateDataKey"]),
    "secretsmanager:CreateSecret": ("secretsmanager", READ),
    "secretsmanager:UpdateSecret": ("secretsmanager", READ),
}
# What else an operation needs, on everything: "Permissions to configure logging" of AWS WAF, "Publish flow logs to CloudWatch
# Logs" of Amazon VPC.
ALSO = {
    "ec2:CreateFlowLogs": ["logs:CreateLogDelivery"],
    "ec2:DeleteFlowLogs": ["logs:DeleteLogDelivery"],
    "wafv2:PutLoggingConfiguration": ["logs:CreateLogDelivery", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"],
    "wafv2:DeleteLoggingConfiguration": ["logs:DeleteLogDelivery"],
}
# What DynamoDB does with the items of a table that is restored ("Using IAM with DynamoDB backup and restore").
ITEMS = ["BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"]


def of(call, service, own):
    """The needs beside those of a call's own actions (`own`)."""
    operation = f"{service}:{call.operation}"
    found = [*_tags(call, service, own), *_roles(call, operation), *_linked(call, operation), *_keys(call, operation)]
    found += [_need(call, action, "*") for action in ALSO.get(operation, [])]
    return found + [need for make in MORE.get(operation, []) for need in make(call)]


def _need(call, action, arn, **known):
    from .needs import context

    return Need(action, arn, context(call, action, arn, {"aws:viaawsservice": "false", **known}))


def _tags(call, service, own):
    """A create with tags needs the action that sets them, on what is made."""
    if call.operation.startswith(TAG_CALLS) or not tags.asked(call.params):
        return
    action = f"{service}:{TAGS.get(service, 'TagResource')}"
    for arn in _tagged(call, service, own):
        yield _need(call, action, arn, **{"ec2:createaction": call.operation} if service == "ec2" else {})


def _tagged(call, service, own):
    if service == "ec2":
        return [need.resource for need in own if need.resource.endswith("/*")]
    if service == "ecs" and call.operation == "RunTask":
        return resources.named(call, "ecs:RunTask", "task")
    made = MADE.get(f"{service}:{call.operation}")
    if made is not None:
        return [arn for kind in made for arn in _first(call, service, kind)]
    return [need.resource for need in own][:1]


def _first(call, service, kind):
    """What is made has the name in the request, or one of AWS's own."""
    return resources.named(call, f"{service}:", kind)[:1] or [resources.filled(call, service, kind)]


# What a call makes, where the resource that it is judged on first is another.
MADE = {
    "acm:RequestCertificate": ["certificate"],
    "ecs:RegisterTaskDefinition": ["task-definition"],
    # See `_listener`.
    "elasticloadbalancing:CreateListener": [],
    "elasticloadbalancing:CreateRule": [],
    "kms:CreateKey": ["key"],
    "lambda:CreateEventSourceMapping": ["eventSourceMapping"],
    "rds:CreateDBInstance": ["db"],
    "rds:CreateDBCluster": ["cluster"],
    "rds:RestoreDBClusterFromSnapshot": ["cluster"],
    "rds:RestoreDBClusterToPointInTime": ["cluster"],
    "wafv2:CreateWebACL": ["webacl"],
}


def _roles(call, operation):
    service = PASSED.get(operation)
    if service is None:
        return
    for arn in sorted(set(_texts_of_roles(call.params))):
        yield _need(call, "iam:PassRole", arn, **{"iam:passedtoservice": service})


def _texts_of_roles(value, key=None):
    if key in ("Environment", "containerDefinitions", "Input"):
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts_of_roles(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of_roles(inner)
    elif isinstance(value, str) and value.startswith("arn:aws:iam::") and ":role/" in value:
        yield value


def _linked(call, operation):
    linked = LINKED.get(operation)
    if linked and linked[0] not in call.store.table("linked roles"):
        arn = f"arn:aws:iam::{call.account}:role/aws-service-role/{linked[0]}/AWSServiceRoleFor{linked[1]}"
        yield _need(call, "iam:CreateServiceLinkedRole", arn, **{"iam:awsservicename": linked[0]})


def made(call):
    """Linked roles are made once."""
    linked = LINKED.get(f"{IAM_PREFIX.get(call.service, call.service)}:{call.operation}")
    if linked:
        call.store.table("linked roles")[linked[0]] = True


def _keys(call, operation):
    service, actions = KEYS.get(operation, (None, []))
    if service is None:
        return
    backend = call.backend_of("kms")
    for text in sorted(set(_texts_of_keys(call.params))):
        identity = backend.get_key_id_from_alias(text.rpartition(":")[2]) if "alias/" in text else text.rpartition("/")[2]
        key = backend.keys.get((identity or "").rpartition("/")[2])
        if key is not None and key.key_manager == "CUSTOMER":
            via = f"{service}.{call.region}.amazonaws.com"
            yield from (_need(call, action, key.arn, **{"kms:viaservice": via}) for action in actions)


def _texts_of_keys(value, key=None):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts_of_keys(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of_keys(inner, key)
    elif isinstance(value, str) and key and "k" in key.lower() and ("kms" in key.lower() or key == "kmsKey"):
        yield value


def _password(call):
    """RDS makes the secret of the master user in the caller's name."""
    if call.params.get("ManageMasterUserPassword"):
        arn = f"arn:aws:secretsmanager:{call.region}:{call.account}:secret:rds!cluster-*"
        yield from (_need(call, f"secretsmanager:{action}", arn) for action in ("CreateSecret", "TagResource"))
        key = next(iter(_texts_of_keys({"Kms": call.params.get("MasterUserSecretKmsKeyId")}, "Kms")), None)
        if key and key.startswith("arn:"):
            via = f"secretsmanager.{call.region}.amazonaws.com"
            yield from (_need(call, action, key, **{"kms:viaservice": via}) for action in [*USED, *READ])


def _items(call):
    for arn in resources.named(call, "dynamodb:", "table"):
        yield from (_need(call, f"dynamodb:{item}", arn, **{"aws:viaawsservice": "true"}) for item in ITEMS)


def _balancer(call):
    """"AssociateWebACL needs elasticloadbalancing:SetWebACL" on an application load balancer."""
    for arn in resources.named(call, "wafv2:", "loadbalancer/app/"):
        yield _need(call, "elasticloadbalancing:SetWebACL", arn)


def _final_snapshot(call):
    """DeleteDBCluster with a final snapshot makes one; its tags are copied to it."""
    if call.params.get("FinalDBSnapshotIdentifier"):
        cluster = resources.named(call, "rds:", "cluster")
        snapshot = resources.named(call, "rds:", "cluster-snapshot")
        yield from (_need(call, "rds:CreateDBClusterSnapshot", arn) for arn in [*cluster, *snapshot])


def _listener(call):
    """The tags of a listener or a rule are set on it; its ARN begins with that of what it belongs to."""
    if not tags.asked(call.params):
        return
    for key, kind in (("LoadBalancerArn", "listener"), ("ListenerArn", "listener-rule")):
        arn = call.params.get(key)
        if arn:
            head, _, rest = arn.partition(":loadbalancer/" if key == "LoadBalancerArn" else ":listener/")
            yield _need(call, "elasticloadbalancing:AddTags", f"{head}:{kind}/{rest}/*")


def _private_names(call):
    """"An endpoint with private DNS names needs route53:AssociateVPCWithHostedZone"."""
    if str(call.params.get("PrivateDnsEnabled")).lower() == "true":
        yield _need(call, "route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*")


MORE = {
    "dynamodb:RestoreTableFromBackup": [_items],
    "ec2:CreateVpcEndpoint": [_private_names],
    "rds:CreateDBCluster": [_password],
    "rds:DeleteDBCluster": [_final_snapshot],
    "wafv2:AssociateWebACL": [_balancer],
    "wafv2:DisassociateWebACL": [_balancer],
    "elasticloadbalancing:CreateListener": [_listener],
    "elasticloadbalancing:CreateRule": [_listener],
}
