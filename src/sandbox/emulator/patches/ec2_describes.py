"""What all Describe operations of EC2 have in common and moto does not have: unknown ids, pages."""

import base64
import fnmatch

from moto.ec2 import utils

from ..call import patch, refuse
from ..describes import DESCRIBES, not_found
from ..errors import AwsError
from ..moto_parts import replaces


@replaces(utils, "is_filter_matching")
def _match_any_value(original):
    """AWS: a filter with several values matches what has any of them ("List and filter your resources", EC2 User
    Guide). moto: a resource with several values (the subnets of an ACL or a route table) matches several wanted ones
    only if all of its values are wanted, or it has all that are wanted."""

    def is_filter_matching(resource, name, wanted):
        values = resource.get_filter_value(name)
        if not isinstance(values, (list, set, tuple)) or not isinstance(wanted, list):
            return original(resource, name, wanted)
        return any(fnmatch.fnmatchcase(str(value), pattern) for value in values for pattern in wanted)

    return is_filter_matching


@patch("ec2", *DESCRIBES)
def unknown_ids_and_pages(call):
    """AWS: an unknown id is an error with the resource's own code, for every Describe with ids; MaxResults and
    NextToken page. moto: some answer an empty list or another resource's code; none pages."""
    kind = DESCRIBES[call.operation]
    params = dict(call.params)
    size, token = params.pop("MaxResults", None), params.pop("NextToken", None)
    asked = params.get(kind.ids, []) if kind.ids else []
    try:
        answer = call.forward(params if size or token else None)
    except AwsError as failure:
        if asked and "notfound" in failure.code.lower():
            raise not_found(kind, _first_named(asked, failure.message)) from failure
        raise
    if asked:
        answered = {item.get(kind.id) for item in answer.data.get(kind.list, [])}
        for name in asked:
            # With filters beside the ids an existing resource may rightly be absent.
            if name not in answered and not params.get("Filters"):
                raise not_found(kind, name)
    if size or token:
        _page(answer, kind.list, size, token)
    return answer


def _first_named(asked, message):
    return next((name for name in asked if name in message), asked[0])


def _page(answer, key, size, token):
    items = answer.data.get(key, [])
    try:
        start = int(base64.b64decode(token)) if token else 0
    except ValueError:
        refuse("InvalidNextToken", "The token is invalid.")
    end = start + (int(size) if size else 1000)
    answer.data[key] = items[start:end]
    if end < len(items):
        answer.data["NextToken"] = base64.b64encode(str(end).encode()).decode()
