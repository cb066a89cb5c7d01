"""Parameters."""

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


def _exists(call, name):
    return any(key == name for key in call.backend._parameters)


@patch("ssm", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
def tags_of_unknown(call):
    """AWS: the parameter must exist."""
    if call.params["ResourceType"] == "Parameter" and not _exists(call, call.params["ResourceId"]):
        refuse("InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
    return call.forward()
