"""Sections of the model for DNS, load balancers, services, metrics and alarms."""

import json

from .model import section
from .patches.elbv2 import BALANCER_DEFAULTS, INTERFACES
from .patches.route53 import ALARMS
from .patches.route53 import _shown as shown_record
from .store import store_of


def sections():
    """All of them."""
    return {
        "balancers": section("elbv2", _balancers),
        "listeners": section("elbv2", _listeners),
        "groups": section("elbv2", _groups),
        "certificates": section("acm", _certificates),
        "services": section("ecs", _services),
        "vpcs": section("ec2", _vpcs),
        "endpoints": section("ec2", _endpoints),
        "endpoint_services": section("ec2", _endpoint_services),
        "zones": section("route53", _zones),
        "health_checks": section("route53", _health_checks),
        "alarms": section("cloudwatch", _alarms),
        "web_acls": section("wafv2", _web_acls),
        "queues": section("sqs", _queues),
    }


def _text(value):
    """Values of settings as strings, as AWS shows them."""
    return {str(key): str(one) for key, one in (value or {}).items()}


def _balancers(account, region, backend, store):
    interfaces = store.table(INTERFACES)
    enis = _backend("ec2", account, region).enis
    for one in backend.load_balancers.values():
        own = [enis[name].private_ip_address for name in interfaces.get(one.arn, []) if name in enis]
        yield {
            "arn": one.arn,
            "name": one.name,
            "type": one.type,
            "scheme": one.scheme,
            "state": one.state,
            "dns_name": one.dns_name,
            "vpc": one.vpc_id,
            "subnets": [subnet.cidr_block for subnet in one.subnets],
            "addresses": own,
            "attributes": (BALANCER_DEFAULTS if one.type == "application" else {}) | _text(one.attrs),
        }


def _backend(service, account, region):
    import moto.backends

    return moto.backends.get_backend(service)[account][region]


def _actions(actions):
    return [getattr(action, "data", action) for action in actions or []]


def _listeners(_account, _region, backend, _store):
    for balancer in backend.load_balancers.values():
        for one in balancer.listeners.values():
            rules = [
                {"arn": rule.arn, "priority": int(rule.priority), "conditions": rule.conditions, "actions": _actions(rule.actions)}
                for rule in one.rules.values()
                if not rule.is_default
            ]
            yield {
                "arn": one.arn,
                "balancer": balancer.arn,
                "port": int(one.port),
                "protocol": one.protocol,
                "certificates": [getattr(cert, "arn", cert) for cert in one.certificates],
                "attributes": _text(one.attributes),
                "actions": _actions(one.default_actions),
                "rules": sorted(rules, key=lambda rule: rule["priority"]),
            }


def _groups(_account, _region, backend, _store):
    for one in backend.target_groups.values():
        yield {
            "arn": one.arn,
            "name": one.name,
            "protocol": one.protocol,
            "port": int(one.port or 0),
            "type": one.target_type,
            "vpc": one.vpc_id,
            "balancers": sorted(set(one.load_balancer_arns)),
            "attributes": _text(one.attributes),
            "targets": [{"id": target["Id"], "port": int(target.get("Port") or one.port)} for target in one.targets.values()],
            "health": {
                "protocol": one.health_check_protocol,
                "port": one.health_check_port or "traffic-port",
                "path": one.health_check_path or "/",
                "codes": str((one.matcher or {}).get("HttpCode") or "200"),
                "interval": int(one.health_check_interval_seconds),
                "timeout": int(one.health_check_timeout_seconds),
                "healthy": int(one.healthy_threshold_count),
                "unhealthy": int(one.unhealthy_threshold_count),
            },
        }


def _certificates(_account, _region, backend, _store):
    for arn, one in backend._certificates.items():
        yield {"arn": arn, "names": sorted({one.common_name, *one.sans} - {""})}


def _services(account, region, backend, _store):
    for one in backend.services.values():
        if one.status == "INACTIVE":
            continue
        container = _container(backend, one.task_definition)
        yield {
            "arn": one.arn,
            "cluster": one.cluster_name,
            "name": one.name,
            "status": one.status,
            "running": one.running_count,
            "desired": one.desired_count,
            "task_definition": one.task_definition,
            "targets": [
                {"group": each.get("targetGroupArn"), "port": int(each.get("containerPort") or 80)} for each in one.load_balancers or []
            ],
            "container": container,
        }


def _container(backend, arn):
    """What a task's first container gets."""
    try:
        one = backend.describe_task_definition(arn).container_definitions[0]
    except Exception:  # noqa: BLE001 - a definition that is gone runs nothing
        return None
    return {
        "name": one.get("name"),
        "image": one.get("image"),
        "environment": {item["name"]: item["value"] for item in one.get("environment", [])},
        "secrets": {item["name"]: item["valueFrom"] for item in one.get("secrets", [])},
    }


def _vpcs(_account, _region, backend, _store):
    for one in backend.vpcs.values():
        yield {"id": one.id, "blocks": [block["cidr_block"] for block in one.get_cidr_block_association_set()]}


def _endpoints(_account, _region, backend, _store):
    for one in backend.vpc_end_points.values():
        if one.vpc_endpoint_type == "Interface" and one.state == "available":
            found = [backend.enis[name] for name in one.network_interface_ids if name in backend.enis]
            yield {"id": one.id, "vpc": one.vpc_id, "service": one.service_name, "addresses": [eni.private_ip_address for eni in found]}


def _endpoint_services(_account, _region, backend, _store):
    for one in backend.configurations.values():
        yield {"id": one.id, "name": one.service_name, "balancers": list(one.network_load_balancer_arns)}


def _zones(_account, _region, backend, _store):
    for one in backend.zones.values():
        yield {
            "id": one.resource_id,
            "name": one.name,
            "private": bool(one.private_zone),
            "name_servers": list(one.delegation_set.name_servers) if one.delegation_set else [],
            "records": [shown_record(record) for record in one.rrsets],
        }


def _health_checks(account, _region, backend, _store):
    followed = store_of(account, "aws").table(ALARMS)
    for one in backend.health_checks.values():
        config = {key: value for key, value in one.health_check_config.items() if value is not None}
        yield {"id": one.id, "config": config, "alarm": followed.get(one.id)}


def _dimensions(found):
    return {one.name: one.value for one in found or []}


def _query(one):
    stat = one.metric_stat
    return {
        "id": one.id,
        "expression": one.expression,
        "returned": str(one.return_data).lower() != "false",
        "metric": stat
        and {
            "namespace": stat.metric.namespace,
            "name": stat.metric.metric_name,
            "dimensions": _dimensions(stat.metric.dimensions),
            "period": int(stat.period),
            "statistic": stat.stat,
        },
    }


def _alarms(_account, _region, backend, _store):
    for one in backend.alarms.values():
        metric = {
            "namespace": one.namespace,
            "name": one.metric_name,
            "dimensions": _dimensions(one.dimensions),
            "period": int(one.period or 60),
            "statistic": one.statistic or one.extended_statistic,
        }
        # The state is not here: it changes by the data plane itself.
        yield {
            "name": one.name,
            "rule": one.rule,
            "metric": metric if one.metric_name else None,
            "queries": [_query(query) for query in one.metric_data_queries],
            "comparison": one.comparison_operator,
            "threshold": None if one.threshold is None else float(one.threshold),
            "periods": int(one.evaluation_periods or 1),
            "datapoints": int(one.datapoints_to_alarm or one.evaluation_periods or 1),
            "missing": one.treat_missing_data or "missing",
        }


def _web_acls(_account, _region, backend, _store):
    for one in backend.wacls.values():
        log = backend.logging_configurations.get(one.arn)
        rules = [
            {"name": rule.name, "priority": rule.priority, "action": next(iter(rule.action or {}), None), "statement": _json(rule.statement)}
            for rule in one.rules
        ]
        yield {
            "name": one.name,
            "arn": one.arn,
            "default": next(iter(one.default_action or {"Allow": {}})),
            "resources": list(one.associated_resources),
            "log_group": log.log_destination_configs[0].split(":log-group:")[-1] if log else None,
            "redacted": [field["SingleHeader"]["Name"].lower() for field in log.redacted_fields or [] if "SingleHeader" in field] if log else [],
            "rules": sorted(rules, key=lambda rule: rule["priority"]),
        }


def _json(document):
    """With texts in place of bytes."""
    return json.loads(json.dumps(document, default=lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value)))


def _queues(_account, _region, backend, _store):
    for one in backend.queues.values():
        yield {"name": one.name, "visible": len(one.messages)}
