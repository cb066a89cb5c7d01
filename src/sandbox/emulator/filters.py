"""EC2's filters over plain answer items, for the types that the sandbox answers itself."""

import fnmatch

from .errors import AwsError


def camel(name):
    """`transit-gateway-id` -> `TransitGatewayId`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("-"))


def matching(items, filters, known, renamed=None):
    """Items that pass every filter; a filter name outside `known` is refused as AWS does. A known name is the path of
    keys in the item, or `renamed` gives that; "tag:KEY" and "tag-key" are always known."""
    for wanted in filters or []:
        name, values = (renamed or {}).get(wanted["Name"], wanted["Name"]), wanted.get("Values", [])
        if not name.startswith("tag:") and name != "tag-key" and name not in known:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        items = [item for item in items if any(_equal(got, value) for got in _values(item, name) for value in values)]
    return items


def tags_of(item):
    """An item's tags as a dict."""
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagSet") or []}


def _values(item, name):
    if name.startswith("tag:"):
        tags = tags_of(item)
        return [tags[name[4:]]] if name[4:] in tags else []
    if name == "tag-key":
        return list(tags_of(item))
    values = [item]
    for part in name.split("."):
        values = [value[camel(part)] for value in values if isinstance(value, dict) and camel(part) in value]
        values = [inner for value in values for inner in (value if isinstance(value, list) else [value])]
    return values


def _equal(got, wanted):
    text = str(got).lower() if isinstance(got, bool) else str(got)
    return fnmatch.fnmatchcase(text, str(wanted).replace("[", "[[]"))
