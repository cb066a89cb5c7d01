"""An independent inventory of an account: what boto3 sees of everything that the deployer manages.

    inventory.py ENDPOINT [--region REGION]         canonical JSON: two runs of the same deployment give the same text
    inventory.py ENDPOINT [--region REGION] --ids   plain ids, one per line, of all that exists
    inventory.py ENDPOINT --kinds                   the deployer's kinds: what shows them here, and how many there are

In the JSON, ids are replaced by names (from the tags DeployerStep and Name, or from what a thing belongs to), and what
differs between two equal deployments (times, random parts of addresses) is left out. Keys pending deletion and deleted
Transit Gateways count as gone; the default VPC's things are listed like all others.
"""

import argparse
import json

import boto3
import botocore.config
import botocore.exceptions
from sections.canonical import canonical
from sections.edge import firewalls, load_balancers, names
from sections.network import ec2
from sections.services import compliance, compute, functions, iam, others
from sections.stores import dynamodb, kms, rds, s3

class Nothing(dict):
    """An answer of a call that was not made: whatever is taken out of it is empty too."""

    def __missing__(self, _key):
        return Nothing()


class Account:
    """Everything found: per type a list of (id, name, description). `only_ids`: lists are asked for, descriptions are not."""

    def __init__(self, endpoint, region, only_ids=False):
        self._endpoint, self._region, self._clients = endpoint, region, {}
        self._only_ids = only_ids
        self.found = {}
        self.names = {}

    def client(self, service):
        """A client for a service."""
        if service not in self._clients:
            config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 4})
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            self._clients[service] = boto3.client(
                service, endpoint_url=self._endpoint, region_name=self._region, config=config, **keys
            )
        return self._clients[service]

    def all(self, service, operation, key, **params):
        """All pages of a list."""
        client = self.client(service)
        if client.can_paginate(operation):
            return [item for page in client.get_paginator(operation).paginate(**params) for item in page.get(key, [])]
        return getattr(client, operation)(**params).get(key, [])

    def about(self, service, operation, **params):
        """What describes a thing."""
        return Nothing() if self._only_ids else getattr(self.client(service), operation)(**params)

    def parts(self, service, operation, key, **params):
        """All pages of what belongs to a thing and has no id of its own."""
        return [] if self._only_ids else self.all(service, operation, key, **params)

    def maybe(self, service, operation, **params):
        """What describes a thing, without its metadata; None where AWS says that there is none."""
        return None if self._only_ids else self.asked(service, operation, **params)

    def asked(self, service, operation, **params):
        """The same of what decides whether a thing counts."""
        try:
            answer = getattr(self.client(service), operation)(**params)
        except botocore.exceptions.ClientError as problem:
            code = problem.response["Error"]["Code"]
            if code.startswith("NoSuch") or "NotFound" in code:
                return None
            raise
        answer.pop("ResponseMetadata", None)
        return answer

    def add(self, kind, identity, item, name=None):
        """Notes a thing under its id; its name comes from its tags unless given."""
        tags = (
            {tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagSet") or item.get("TagList") or []}
            if isinstance(item, dict)
            else {}
        )
        step = f"{tags.get('Environment', '')}/{tags['DeployerStep']}" if "DeployerStep" in tags else tags.get("Name")
        name = name or step or identity
        self.found.setdefault(kind, []).append((identity, name, item))
        self.names[identity] = f"<{kind} {name}>"
        return name


SECTIONS = (ec2, names, load_balancers, firewalls, rds, s3, dynamodb, kms, iam, others, compute, functions, compliance)

# The deployer's kinds of resources, and the kind here that shows one or has it inside. A kind without a row fails a test:
# an account with leftovers of it would pass for empty.
KINDS = {
    "autoscaling/scaling": "scaling",
    "acm/certificate": "certificate",
    "acm/validation": "record",
    "cloudwatch/alarm": "alarm",
    "cloudwatch/composite_alarm": "composite-alarm",
    "cloudwatch/dashboard": "dashboard",
    "config/channel": "delivery-channel",
    "config/recorder": "recorder",
    "config/recording": "recorder",
    "config/rule": "config-rule",
    "dynamodb/table": "table",
    "ec2/default_network_acl": "network-acl",
    "ec2/default_security_group": "security-group",
    "ec2/endpoint_service": "endpoint-service",
    "ec2/flow_log": "flow-log",
    "ec2/gateway_endpoint": "vpc-endpoint",
    "ec2/interface_endpoint": "vpc-endpoint",
    "ec2/internet_gateway": "internet-gateway",
    "ec2/internet_gateway_attachment": "internet-gateway",
    "ec2/main_route_table": "route-table",
    "ec2/network_acl": "network-acl",
    "ec2/network_acl_entries": "network-acl",
    "ec2/network_acl_subnets": "network-acl",
    "ec2/route_table": "route-table",
    "ec2/route_table_subnets": "route-table",
    "ec2/routes": "route-table",
    "ec2/security_group": "security-group",
    "ec2/security_group_rules": "security-group-rule",
    "ec2/subnet": "subnet",
    "ec2/transit_gateway": "transit-gateway",
    "ec2/transit_gateway_association": "transit-gateway-route-table",
    "ec2/transit_gateway_attachment": "transit-gateway-attachment",
    "ec2/transit_gateway_propagations": "transit-gateway-route-table",
    "ec2/transit_gateway_route_table": "transit-gateway-route-table",
    "ec2/transit_gateway_routes": "transit-gateway-route-table",
    "ec2/vpc": "vpc",
    "ecr/repository": "repository",
    "ecs/cluster": "cluster",
    "ecs/service": "service",
    "ecs/task_definition": "task-definition",
    "elbv2/listener": "listener",
    "elbv2/load_balancer": "load-balancer",
    "elbv2/rule": "listener-rule",
    "elbv2/target_group": "target-group",
    "elbv2/targets": "target-group",
    "events/rule": "event-rule",
    "iam/role": "role",
    "kms/alias": "key",
    "lambda/function": "function",
    "lambda/stream_mapping": "stream-mapping",
    "kms/key": "key",
    "logs/log_group": "log-group",
    "rds/cluster": "db-cluster",
    "rds/cluster_parameter_group": "db-cluster-parameter-group",
    "rds/cluster_snapshot": "db-cluster-snapshot",
    "rds/event_subscription": "event-subscription",
    "rds/instance": "db-instance",
    "rds/parameter_group": "db-parameter-group",
    "rds/subnet_group": "db-subnet-group",
    "route53/health_check": "health-check",
    "route53/record": "record",
    "route53/text": "record",
    "route53/zone": "zone",
    "s3/bucket": "bucket",
    "scheduler/group": "schedule-group",
    "scheduler/schedule": "schedule",
    "secretsmanager/rotation": "secret",
    "secretsmanager/secret": "secret",
    "sns/topic": "topic",
    "ssm/parameter": "parameter",
    "sqs/queue": "queue",
    "wafv2/association": "web-acl",
    "wafv2/ip_set": "ip-set",
    "wafv2/logging": "web-acl",
    "wafv2/web_acl": "web-acl",
}


def main():
    """Prints the inventory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--kinds", action="store_true")
    arguments = parser.parse_args()
    account = collected(Account(arguments.endpoint, arguments.region, arguments.ids or arguments.kinds))
    if arguments.kinds:
        print(json.dumps({kind: [shown, len(account.found.get(shown, []))] for kind, shown in KINDS.items()}))
    else:
        print(ids(account) if arguments.ids else text(account))


def collected(account):
    """The account with everything found."""
    for section in SECTIONS:
        section(account)
    return account


def ids(account):
    """Plain ids, one per line."""
    return "\n".join(sorted(f"{kind} {identity}" for kind, items in account.found.items() for identity, _, _ in items))


def without_earlier_revisions(account):
    """The revision before the one that runs stays, so that ECS can go back to it: a life with a change has one more than a clean one."""
    kept = {}
    for entry in account.found.get("task-definition", []):
        shown = entry[2]
        place = (shown["family"], shown["status"])
        if place not in kept or kept[place][2]["revision"] < shown["revision"]:
            kept[place] = entry
    if kept:
        account.found["task-definition"] = list(kept.values())


def text(account):
    """Canonical JSON. Things without a name of their own (rules, interfaces) are named by what they are."""
    without_earlier_revisions(account)
    listed = {
        kind: canonical(
            [item | {"name": name if name != identity else ""} for identity, name, item in items], account.names
        )
        for kind, items in account.found.items()
    }
    return json.dumps(listed, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
