"""Conditions of writes that moto judges otherwise than S3 does."""

from ..call import patch, refuse


@patch("s3", "PutObject", "CompleteMultipartUpload", "CopyObject")
def no_other_none_match(call):
    """AWS: a write takes `If-None-Match: *` alone. moto: takes any other value and writes without a condition."""
    if call.request.environ.get("HTTP_IF_NONE_MATCH", "*") != "*":
        refuse("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    return call.forward()


@patch("s3", "DeleteObject")
def any_version(call):
    """AWS: `If-Match: *` holds for any object that is there. moto: takes the star for a version."""
    environ = call.request.environ
    if environ.get("HTTP_IF_MATCH") == "*" and call.backend.get_object(call.params["Bucket"], call.params["Key"]):
        environ.pop("HTTP_IF_MATCH")
    return call.forward()
