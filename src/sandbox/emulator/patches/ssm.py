"""Parameters."""

import json

from ..call import patch, refuse


@patch("ssm", "PutParameter")
def put(call):
    """AWS: tags and Overwrite exclude each other; a type is needed at creation only. moto: takes both."""
    if call.params.get("Tags") and call.params.get("Overwrite"):
        refuse(
            "ValidationException",
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag.",
        )
    return call.forward()


@patch("ssm", "DescribeParameters")
def describe(call):
    """AWS: pages of MaxResults, at most 50; policies as texts, with their type. moto: pages of ten; policies as they were sent."""
    params, all = {**call.params, "NextToken": ""}, []
    while True:
        answer = call.forward(params)
        all += answer.data.get("Parameters", [])
        params["NextToken"] = answer.data.pop("NextToken", None)
        if not params["NextToken"]:
            break
    start = int(call.params.get("NextToken") or 0)
    end = start + int(call.params.get("MaxResults") or 50)
    answer.data["Parameters"] = all[start:end]
    for shown in answer.data["Parameters"]:
        shown.pop("Value", None)
        sent = json.loads(call.backend._parameters[shown["Name"]][-1].policies or "[]")
        shown["Policies"] = [{"PolicyText": json.dumps(one), "PolicyType": one["Type"], "PolicyStatus": "Pending"} for one in sent]
    if end < len(all):
        answer.data["NextToken"] = str(end)
    return answer


def _exists(call, name):
    return any(key == name for key in call.backend._parameters)


@patch("ssm", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
def tags_of_unknown(call):
    """AWS: the parameter must exist."""
    if call.params["ResourceType"] == "Parameter" and not _exists(call, call.params["ResourceId"]):
        refuse("InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
    return call.forward()
