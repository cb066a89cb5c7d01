"""Network interfaces that AWS makes for managed things (endpoints, attachments, databases). They are what holds a subnet
or security group on AWS, and what DescribeNetworkInterfaces tells about the holder."""

import ipaddress

from moto.moto_api._internal import mock_random as random

from .call import refuse

# "Subnet sizing for IPv4" (Amazon VPC): the first four addresses of a subnet and the last one are AWS's own.
FIRST, LAST = 4, 1


def free(ec2, subnet):
    """An address of a subnet that no interface has."""
    network = ipaddress.IPv4Network(subnet.cidr_block)
    taken = {one["PrivateIpAddress"] for eni in ec2.enis.values() for one in eni.private_ip_addresses if eni.subnet.id == subnet.id}
    usable = network.num_addresses - FIRST - LAST
    start = random.randrange(usable)
    for step in range(usable):
        found = str(network[FIRST + (start + step) % usable])
        if found not in taken:
            return found
    refuse("InsufficientFreeAddressesInSubnet", f"The subnet {subnet.id} has not enough free addresses")


def is_within(address, subnet):
    """Whether an address is one of a subnet's."""
    return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(subnet.cidr_block)


def make(call, subnet_id, groups, description, kind="interface", requester="amazon-aws"):
    """A requester-managed interface in a subnet; answers its id."""
    ec2 = call.backend_of("ec2")
    subnet = ec2.get_subnet(subnet_id)
    interface = ec2.create_network_interface(subnet, None, group_ids=list(groups), description=description)
    adopt(interface, groups, description, kind, requester)
    return interface.id


def adopt(interface, groups, description, kind, requester="amazon-aws"):
    """Gives an interface the marks of one that AWS manages."""
    interface.description = description
    interface.interface_type = kind
    interface.requester_managed = True
    interface.requester_id = requester
    interface.status = "in-use"
    # Without groups moto puts an interface into the VPC's default group; a Transit Gateway's is in none.
    interface._group_set = [interface.ec2_backend.get_security_group_from_id(name) for name in groups]


def regroup(call, names, groups):
    """Puts interfaces into these groups."""
    ec2 = call.backend_of("ec2")
    for name in names:
        ec2.enis[name]._group_set = [ec2.get_security_group_from_id(group) for group in groups]


def drop(call, names):
    """Removes interfaces that are there."""
    for name in names:
        call.backend_of("ec2").enis.pop(name, None)


def in_subnet(call, subnet_id):
    """Ids of the interfaces in a subnet."""
    return [eni.id for eni in call.backend_of("ec2").enis.values() if eni.subnet.id == subnet_id]


def with_group(call, group_id):
    """Ids of the interfaces in a security group."""
    return [
        eni.id
        for eni in call.backend_of("ec2").enis.values()
        if any(group and group.id == group_id for group in eni.group_set)
    ]
