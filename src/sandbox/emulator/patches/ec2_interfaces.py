"""Network interfaces."""

from moto.ec2.models import EC2Backend

from .. import interfaces, tags, tasks
from ..call import patch, refuse
from ..filters import matching
from ..moto_parts import replaces

FILTERS = [
    "network-interface-id",
    "subnet-id",
    "vpc-id",
    "description",
    "interface-type",
    "requester-managed",
    "requester-id",
    "status",
    "owner-id",
    "availability-zone",
    "private-ip-address",
    "groups.group-id",
    "groups.group-name",
    "attachment.status",
    "attachment.instance-id",
]


@replaces(EC2Backend, "create_network_interface")
def _addresses(original):
    """AWS: the address of an interface is one of its subnet, and no other interface has it. moto: any address for what services make,
    and for others one that may be taken."""

    def create(self, subnet, private_ip_address, private_ip_addresses=None, *more, **others):
        subnet = self.get_subnet(subnet) if isinstance(subnet, str) else subnet
        if not private_ip_addresses and (not private_ip_address or not interfaces.is_within(private_ip_address, subnet)):
            private_ip_address = interfaces.free(self, subnet)
        return original(self, subnet, private_ip_address, private_ip_addresses, *more, **others)

    return create


@patch("ec2", "DescribeNetworkInterfaces")
def describe_interfaces(call):
    """AWS: filters tell who holds an interface, and the tasks of services have one each. moto: not all of them, and none."""
    answer = call.forward({key: value for key, value in call.params.items() if key != "Filters"})
    items = answer.data.get("NetworkInterfaces", [])
    if not call.params.get("NetworkInterfaceIds"):
        items = items + tasks.interfaces(call)
    answer.data["NetworkInterfaces"] = matching(
        items, call.params.get("Filters"), FILTERS, {"group-id": "groups.group-id", "group-name": "groups.group-name"}
    )
    return answer


@patch("ec2", "DeleteNetworkInterface")
def delete_interface(call):
    """AWS: only the service that made a managed interface deletes it. moto: anyone does."""
    name = call.params["NetworkInterfaceId"]
    interface = call.backend.enis.get(name)
    if interface is not None and interface.requester_managed:
        refuse(
            "OperationNotPermitted",
            f"You do not have permission to access the specified resource: {name} is managed by a service",
        )
    answer = call.forward()
    tags.drop(call, name)
    return answer
