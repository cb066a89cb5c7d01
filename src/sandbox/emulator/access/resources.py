"""The resources that a request names, as ARNs by type.

Three ways, tried in this order: ids and ARNs that stand in the parameters themselves, names in parameters that name a type
(`NAMES`), and per service what only its records know (`SPECIAL`: the key of an alias, the table of an association).
"""

import re

from . import reference

# Parameters whose content names no resource of the call: text of the caller's own, and rules that other services read.
IGNORED = {
    "Environment", "environment", "containerDefinitions", "Input", "Tags", "tags", "TagSpecifications", "AlarmActions", "OKActions",
    "InsufficientDataActions", "Attributes", "Metrics", "AlarmRule", "DashboardBody", "KmsKeyId",
}
# EC2's ids by their prefix ("ARNs for Amazon EC2").
PREFIXES = {
    "vpc": "vpc", "subnet": "subnet", "rtb": "route-table", "igw": "internet-gateway", "acl": "network-acl", "sg": "security-group",
    "sgr": "security-group-rule", "tgw": "transit-gateway", "tgw-attach": "transit-gateway-attachment", "nat": "natgateway",
    "tgw-rtb": "transit-gateway-route-table", "vpce": "vpc-endpoint", "vpce-svc": "vpc-endpoint-service", "fl": "vpc-flow-log",
    "dopt": "dhcp-options", "pl": "prefix-list", "eni": "network-interface", "i": "instance", "vol": "volume", "eipalloc": "elastic-ip",
    "pcx": "vpc-peering-connection", "vgw": "vpn-gateway", "eigw": "egress-only-internet-gateway",
}
ID = re.compile(r"^([a-z]+(?:-[a-z]+)*)-([0-9a-f]{8}|[0-9a-f]{17})$")

# Parameters that name a resource of a type.
NAMES = {
    "cloudwatch:alarm": ["AlarmName", "AlarmNames"],
    "cloudwatch:dashboard": ["DashboardName", "DashboardNames"],
    "dynamodb:table": ["TableName", "TargetTableName", "SourceTableName"],
    "ecr:repository": ["repositoryName", "repositoryNames"],
    "ecs:cluster": ["cluster", "clusters", "clusterName"],
    "events:rule-on-default-event-bus": ["Name", "Rule"],
    "iam:user": ["UserName"],
    "kms:alias": ["AliasName"],
    "lambda:function": ["FunctionName"],
    "lambda:eventSourceMapping": ["UUID"],
    "rds:cluster": ["DBClusterIdentifier", "SourceDBClusterIdentifier"],
    "rds:cluster-auto-backup": ["DbClusterResourceId", "SourceDbClusterResourceId"],
    "rds:cluster-pg": ["DBClusterParameterGroupName"],
    "rds:cluster-snapshot": ["DBClusterSnapshotIdentifier", "FinalDBSnapshotIdentifier", "SnapshotIdentifier"],
    "rds:db": ["DBInstanceIdentifier"],
    "rds:es": ["SubscriptionName"],
    "rds:og": ["OptionGroupName"],
    "rds:pg": ["DBParameterGroupName", "DBInstanceParameterGroupName"],
    "rds:subgrp": ["DBSubnetGroupName"],
    "route53:change": ["Id"],
    "route53:healthcheck": ["HealthCheckId"],
    "route53:hostedzone": ["Id", "HostedZoneId"],
    "s3:bucket": ["Bucket"],
    "sns:topic": ["Name"],
    "sqs:queue": ["QueueName"],
    "ssm:parameter": ["Name", "Names"],
}
# What its type's name is written with in front.
CUT = {"kms:alias": "alias/", "ssm:parameter": "/", "route53:hostedzone": "/hostedzone/", "route53:change": "/change/"}
# RDS keeps names in lower case.
LOWER = "rds:"


def named(call, action, kind):
    """The ARNs of a type of the action's service that the request names."""
    service = action.split(":")[0]
    found = list(_in_parameters(call, service, kind))
    names = NAMES.get(f"{service}:{kind}", [])
    for name in (one for key in names for one in _list(call.params.get(key))):
        if isinstance(name, str) and not name.startswith("arn:"):
            found.append(filled(call, service, kind, _clean(f"{service}:{kind}", name)))
    special = SPECIAL.get(f"{service}:{kind}")
    if special:
        found += [arn if arn.startswith("arn:") else filled(call, service, kind, *arn.split("|")) for arn in special(call)]
    return list(dict.fromkeys(found))


def filled(call, service, kind, *names):
    """The ARN of a type with these names; `*` for what is not known."""
    arn = reference.template(service, kind).replace("${Region}", call.region).replace("${Account}", call.account)
    left = list(names)
    return re.sub(r"\$\{\w+\}", lambda _: left.pop(0) if left else "*", arn)


def _clean(kind, name):
    name = name.removeprefix(CUT.get(kind, ""))
    return name.lower() if kind.startswith(LOWER) else name


def _in_parameters(call, service, kind):
    pattern = reference.pattern(service, kind)
    for text in _texts(call.params):
        if text.startswith("arn:"):
            # A log group's ARN may end in :*, which stands for its streams.
            arn = text.removesuffix(":*")
            if pattern.fullmatch(arn) and _exact(service, kind, arn):
                yield arn
        elif service == "ec2":
            found = ID.match(text)
            if found and PREFIXES.get(found[1]) == kind:
                yield filled(call, "ec2", kind, text)


def _exact(service, kind, arn):
    """Patterns are wide: `loadbalancer/NAME` matches a load balancer of any type."""
    parts = arn.split(":", 5)[5]
    return not any(
        other != kind and len(reference.template(service, other)) > len(reference.template(service, kind)) and "*" not in parts
        and reference.pattern(service, other).fullmatch(arn)
        for other in reference.kinds(service)
    )


def _texts(value, key=None):
    if key in IGNORED:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, name)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _list(value):
    return value if isinstance(value, (list, tuple)) else [] if value is None else [value]


def _record_of(arn_or_name):
    return arn_or_name.rpartition("/")[2]


def _associated(call):
    """[(tables or ACLs by id, subnet)] of the associations that the request names."""
    backend = call.backend_of("ec2")
    for key in ("AssociationId", "Associations"):
        for name in _list(call.params.get(key)):
            for table in backend.route_tables.values():
                if name in table._associations:
                    yield table.id, table._associations[name]
                elif name == table.main_association_id:
                    yield table.id, None
            for acl in backend.network_acls.values():
                if name in acl.associations:
                    yield acl.id, acl.associations[name].subnet_id


def _of_association(kind):
    def found(call):
        for pair in _associated(call):
            for name in pair:
                if name and PREFIXES.get(ID.match(name)[1]) == kind:
                    yield name

    return found


def _roles(call):
    """Roles have a path in their ARN, which a request does not name."""
    roles = {role.name: role.arn for role in call.backend_of("iam").roles.values()}
    for name in _list(call.params.get("RoleName")):
        path = (call.params.get("Path") or "/").lstrip("/")
        yield roles.get(name) or path + name


def _keys(call):
    """Keys by id, by ARN or by alias; those that an alias stands for."""
    backend = call.backend_of("kms")
    keys = [*_list(call.params.get("KeyId")), *_list(call.params.get("TargetKeyId"))]
    if call.operation in ("DeleteAlias", "UpdateAlias"):
        keys += _list(call.params.get("AliasName"))
    for key in keys:
        identity = backend.get_key_id_from_alias(key.rpartition(":")[2]) if "alias/" in key else _record_of(key)
        if identity:
            yield _record_of(identity)


def _services(call):
    cluster = _record_of(call.params.get("cluster") or "default")
    for key in ("service", "services", "serviceName"):
        for name in _list(call.params.get(key)):
            yield f"{cluster}|{_record_of(name)}"


def _tasks(call):
    cluster = _record_of(call.params.get("cluster") or "default")
    for name in _list(call.params.get("tasks")):
        yield f"{cluster}|{_record_of(name)}"
    if call.operation == "RunTask":
        yield f"{cluster}|*"


def _definitions(call):
    for key in ("taskDefinition", "taskDefinitions", "family"):
        for name in _list(call.params.get(key)):
            family, _, revision = _record_of(name).partition(":")
            yield f"{family}|{revision or '*'}"


def _rules_of_config(call):
    rules = call.backend_of("config").config_rules
    asked = [*_list(call.params.get("ConfigRuleName")), *_list(call.params.get("ConfigRuleNames"))]
    for name in [*asked, *_list((call.params.get("ConfigRule") or {}).get("ConfigRuleName"))]:
        yield rules[name].config_rule_arn if name in rules else "*"


def _recorders(call):
    inner = call.params.get("ConfigurationRecorder") or {}
    names = [inner.get("name"), call.params.get("ConfigurationRecorderName"), *_list(call.params.get("ConfigurationRecorderNames"))]
    yield from (f"{name}|*" for name in names if name)


def _secrets(call):
    secrets = call.backend_of("secretsmanager").secrets
    for name in _list(call.params.get("SecretId")):
        if not name.startswith("arn:"):
            yield secrets[name].arn if name in secrets else f"{name}-xxxxxx"
    if call.operation == "CreateSecret":
        # AWS ends the name in six characters that nobody knows before.
        yield f"{call.params['Name']}-xxxxxx"


def _groups(call):
    """Actions on a log group are judged with an ARN that goes on behind its name, those on its tags with that of the group alone
    ("Identity and access management for Amazon CloudWatch Logs", resources)."""
    for key in ("logGroupName", "logGroupIdentifier", "logGroupNamePrefix"):
        for name in _list(call.params.get(key)):
            if not name.startswith("arn:"):
                yield f"{name}:log-stream:"


def _streams(call):
    if call.params.get("logGroupName"):
        yield f"{call.params['logGroupName']}|{call.params.get('logStreamName') or ''}"


def _objects(call):
    bucket, delete = call.params.get("Bucket"), call.params.get("Delete") or {}
    keys = [call.params.get("Key"), *(item.get("Key") for item in delete.get("Objects", []))]
    yield from (f"{bucket}|{key}" for key in keys if key)


def _topics(call):
    """A subscription's ARN is that of its topic and an id."""
    for text in _list(call.params.get("SubscriptionArn")):
        yield text.rpartition(":")[0]


def _queues(call):
    for url in _list(call.params.get("QueueUrl")):
        yield _record_of(url)


def _resource_of(service, kind):
    """Tag calls that name what they are for by its type and id."""

    def found(call):
        if call.params.get("ResourceType", "").lower() == kind:
            for key in ("ResourceId", "ResourceIds"):
                yield from (name.lstrip("/") for name in _list(call.params.get(key)))

    return found


def _schedules(call):
    if call.operation.endswith("Schedule"):
        yield f"{call.params.get('GroupName') or 'default'}|{call.params['Name']}"


def _schedule_groups(call):
    if call.operation.endswith("ScheduleGroup"):
        yield call.params["Name"]


def _of_waf(kind, operations):
    def found(call):
        if call.operation.endswith(operations) and call.params.get("Name"):
            yield f"{call.params.get('Scope', 'REGIONAL').lower()}|{call.params['Name']}|{call.params.get('Id') or '*'}"

    return found


def _managed_rules(call):
    """AWS judges managed rule groups with this ARN, whichever they are ("... on resource: arn:aws:wafv2:...:regional/managedruleset/*/*")."""
    if any(text for text in _vendors(call.params.get("Rules"))):
        yield f"{call.params.get('Scope', 'REGIONAL').lower()}|*|*"


def _vendors(value):
    if isinstance(value, dict):
        if "VendorName" in value:
            yield value["VendorName"]
        for inner in value.values():
            yield from _vendors(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _vendors(inner)


def _balancers(of_type):
    def found(call):
        if call.operation == "CreateLoadBalancer" and (call.params.get("Type") or "application") == of_type:
            yield call.params["Name"]

    return found


def _target_groups(call):
    if call.operation == "CreateTargetGroup":
        yield call.params["Name"]


def _default_options(call):
    """Who names no option group gets the engine's default one. A restore to a point in time names no engine: its parameter
    group is of one."""
    params = call.params
    if not call.operation.startswith(("CreateDBCluster", "RestoreDBCluster")):
        return
    group = call.backend.db_cluster_parameter_groups.get(params.get("DBClusterParameterGroupName"))
    if "Engine" in params:
        yield f"default:{params['Engine']}-{str(params.get('EngineVersion') or '').split('.')[0]}"
    elif group is not None:
        family = group.db_parameter_group_family
        engine = family.rstrip("0123456789")
        yield f"default:{engine}-{family.removeprefix(engine)}"


SPECIAL = {
    "config:ConfigRule": _rules_of_config,
    "config:ConfigurationRecorder": _recorders,
    "ec2:network-acl": _of_association("network-acl"),
    "ec2:route-table": _of_association("route-table"),
    "ec2:subnet": _of_association("subnet"),
    "ecs:service": _services,
    "ecs:task": _tasks,
    "ecs:task-definition": _definitions,
    "elasticloadbalancing:loadbalancer/app/": _balancers("application"),
    "elasticloadbalancing:loadbalancer/net/": _balancers("network"),
    "elasticloadbalancing:targetgroup": _target_groups,
    "iam:role": _roles,
    "kms:key": _keys,
    "logs:log-group": _groups,
    "logs:log-stream": _streams,
    "rds:og": _default_options,
    "route53:healthcheck": _resource_of("route53", "healthcheck"),
    "route53:hostedzone": _resource_of("route53", "hostedzone"),
    "s3:object": _objects,
    "scheduler:schedule": _schedules,
    "scheduler:schedule-group": _schedule_groups,
    "secretsmanager:Secret": _secrets,
    "sns:topic": _topics,
    "sqs:queue": _queues,
    "ssm:parameter": _resource_of("ssm", "parameter"),
    "wafv2:ipset": _of_waf("ipset", "IPSet"),
    "wafv2:managedruleset": _managed_rules,
    "wafv2:webacl": _of_waf("webacl", "WebACL"),
}
