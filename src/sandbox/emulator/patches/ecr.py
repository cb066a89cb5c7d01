"""Images: every one exists unless somebody deleted it."""

import hashlib

from ..call import patch, refuse

REMOVED = "ecr-removed-images"


def _digest(repository, tag):
    return "sha256:" + hashlib.sha256(f"{repository}:{tag}".encode()).hexdigest()


def is_removed(call, uri):
    """Whether an image, by digest, was deleted."""
    return uri.rsplit("@", 1)[-1] in call.store.table(REMOVED)


@patch("ecr", "DescribeImages")
def describe_images(call):
    """Here: what is asked for by its tag exists, also before its repository does, unless it was deleted (BatchDeleteImage):
    nobody can push to a sandbox. A listing shows what was really pushed."""
    ids = call.params.get("imageIds")
    if not ids:
        return call.forward()
    name, found = call.params["repositoryName"], []
    for one in ids:
        digest = one.get("imageDigest") or _digest(name, one["imageTag"])
        if digest not in call.store.table(REMOVED):
            tags = [one["imageTag"]] if "imageTag" in one else []
            found.append(
                {"registryId": call.account, "repositoryName": name, "imageDigest": digest, "imageTags": tags}
            )
    if not found:
        refuse("ImageNotFoundException", f"The image with imageId {ids} does not exist within the repository '{name}'")
    return {"imageDetails": found}


@patch("ecr", "BatchDeleteImage")
def delete_images(call):
    """Here: from now on the image does not exist."""
    name = call.params["repositoryName"]
    for one in call.params["imageIds"]:
        digest = one.get("imageDigest") or _digest(name, one["imageTag"])
        call.store.table(REMOVED)[digest] = True
    return {"imageIds": call.params["imageIds"], "failures": []}


@patch("ecr", "PutImage")
def put_image(call):
    """Here: an image that was deleted exists again once its tag is pushed."""
    answer = call.forward()
    if call.params.get("imageTag"):
        call.store.table(REMOVED).pop(_digest(call.params["repositoryName"], call.params["imageTag"]), None)
    return answer
