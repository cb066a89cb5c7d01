"""Tasks of services: what ECS registers as targets, and the interfaces that it makes for them."""

import hashlib
import uuid

from .store import store_of


def address(number):
    """The address of a service's task."""
    return f"10.0.{number % 250}.{10 + number // 250}"


def _network(call, service):
    known = store_of(call.account, call.region).table("ecs-services").get(service.arn) or {}
    return ((known.get("settings") or {}).get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}


def interfaces(call):
    """The interfaces of all running tasks, as DescribeNetworkInterfaces shows them: AWS manages them, and they come and go with their
    tasks."""
    ec2 = call.backend_of("ec2")
    known = {name: subnet for zone in ec2.subnets.values() for name, subnet in zone.items()}
    shown = []
    for service in call.backend_of("ecs").services.values():
        network = _network(call, service)
        subnets = [known[name] for name in network.get("subnets") or [] if name in known]
        groups = [ec2.get_security_group_from_id(name) for name in network.get("securityGroups") or []]
        for number in range(service.running_count if subnets else 0):
            subnet = subnets[number % len(subnets)]
            mark = hashlib.sha256(f"{service.arn}/{number}".encode()).hexdigest()
            attachment = f"arn:aws:ecs:{call.region}:{call.account}:attachment/{uuid.UUID(mark[:32])}"
            at = address(number)
            shown.append(
                {
                    "NetworkInterfaceId": f"eni-{mark[:17]}",
                    "SubnetId": subnet.id,
                    "VpcId": subnet.vpc_id,
                    "AvailabilityZone": subnet.availability_zone,
                    "Description": attachment,
                    "OwnerId": call.account,
                    "RequesterManaged": True,
                    "InterfaceType": "interface",
                    "Status": "in-use",
                    "PrivateIpAddress": at,
                    "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": at}],
                    "Groups": [{"GroupId": group.id, "GroupName": group.name} for group in groups if group],
                    "TagSet": [],
                }
            )
    return shown
