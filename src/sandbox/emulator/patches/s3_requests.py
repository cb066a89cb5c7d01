"""What S3 checks of a request before it looks at the bucket: checksums, and which part of a bucket is meant."""

import base64
import hashlib
import zlib
from urllib.parse import parse_qsl

from ..call import patch, refuse

# How the body's digest is made, by header. S3 knows CRC32C and CRC64NVME as well; Python has neither.
DIGESTS = {
    "content-md5": lambda body: hashlib.md5(body).digest(),  # noqa: S324 - S3's choice
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body).digest(),  # noqa: S324
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}


def _header(call, name):
    key = name.upper().replace("-", "_")
    return call.request.environ.get(f"HTTP_{key}")


@patch("s3", "*")
def checksums(call):
    """AWS: some requests must carry a digest of their body, and a digest must be right. moto: looks at neither."""
    if call.operation == "Unknown":
        return call.forward()
    environ = call.request.environ
    sent = [name for name in environ if name.startswith("HTTP_X_AMZ_CHECKSUM_")] + [
        name for name in ("HTTP_CONTENT_MD5", "HTTP_X_AMZ_TRAILER") if environ.get(name)
    ]
    model = call.request.model
    required = model.http_checksum_required or (model.http_checksum or {}).get("requestChecksumRequired")
    if required and not sent:
        refuse("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
    if environ.get("HTTP_X_AMZ_TRAILER") or "aws-chunked" in environ.get("HTTP_CONTENT_ENCODING", ""):
        return call.forward()
    for name, digest in DIGESTS.items():
        value = _header(call, name)
        if value and value != base64.b64encode(digest(call.request.body)).decode():
            code = "BadDigest"
            refuse(code, f"The {name} you specified did not match the calculated checksum.")
    return call.forward()


# The parts of a bucket that moto or a patch has, by method.
BOTH = set("analytics cors encryption inventory lifecycle ownershipControls policy publicAccessBlock replication tagging website".split())
PARTS = {
    "PUT": BOTH | set("accelerate acl logging notification object-lock versioning".split()),
    "DELETE": BOTH,
}


@patch("s3", "*")
def parts(call):
    """AWS: a request that names a part of a bucket is about that part. moto: of a part that it does not know, it takes PUT for
    CreateBucket and DELETE for DeleteBucket."""
    if call.operation == "Unknown" or "Key" in call.params or not call.params.get("Bucket"):
        return call.forward()
    known = PARTS.get(call.request.environ["REQUEST_METHOD"])
    asked = {name.lower() for name, _ in parse_qsl(call.request.environ.get("QUERY_STRING", ""), True)}
    asked = {name for name in asked if name != "id" and not name.startswith("x-")}
    if known is not None and asked - {name.lower() for name in known}:
        refuse("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    return call.forward()
