"""EC2 tags at creation and on items that the sandbox answers itself; they live in moto's tag table, so that CreateTags,
DeleteTags and DescribeTags work on them as on everything else."""


def from_specifications(params, resource_type):
    """The tags given for a resource type in TagSpecifications (or in TagSpecification, as some operations call it)."""
    found = {}
    for specification in params.get("TagSpecifications") or params.get("TagSpecification") or []:
        if specification.get("ResourceType") == resource_type:
            found.update({tag["Key"]: tag.get("Value", "") for tag in specification.get("Tags", [])})
    return found


def put(call, resource_id, tags):
    """Tags a new resource."""
    if tags:
        call.backend_of("ec2").create_tags([resource_id], tags)


def shown(call, resource_id):
    """The tags of a resource as a list of Key and Value."""
    tags = call.backend_of("ec2").tags.get(resource_id, {})
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def drop(call, resource_id):
    """Forgets the tags of a resource that is gone."""
    call.backend_of("ec2").tags.pop(resource_id, None)


def outlast(call, resource_id):
    """Forgets the tags of what AWS shows as `deleted` for about an hour, unless the fault `stale_tags` lets them stay in the
    listings of tags as long."""
    if not call.gateway.faults.stale_tags:
        drop(call, resource_id)
