"""What a request has that its service model does not know. A newer client may know more than the model here, so nothing is
refused for it; the call log names it."""

import io
import re
from xml.etree import ElementTree

from botocore.serialize import create_serializer

from . import shapes

NUMBER = re.compile(r"\.\d+")
# Requests of which everything was known, as operation and names without their numbers: most are sent again and again.
KNOWN = set()
# Headers of S3 requests that belong to the transport and not to an operation.
TRANSPORT = ("date", "content-sha256", "user-agent", "security-token", "sdk-", "checksum-", "trailer", "decoded-")


def strange(request):
    """Names of parameters, members, elements and headers that the model does not have; empty for what is no AWS operation."""
    try:
        shape = request.model.input_shape
    except Exception:  # noqa: BLE001 - an unknown service or operation has no model
        return []
    if request.protocol == "json":
        return shapes.unknown(request.params, shape) if shape else []
    if request.protocol in ("ec2", "query"):
        return _unknown_names(request) if shape else []
    if request.service != "s3" or shape is None:
        return []
    payload = shape.members.get(shape.serialization.get("payload"))
    meant = _serialized(request)
    known = {name.lower() for name in meant["headers"]}
    headers = [name[5:].replace("_", "-").lower() for name in request.environ if name.startswith("HTTP_X_AMZ_")]
    found = [name for name in headers if name not in known and not name.removeprefix("x-amz-").startswith(TRANSPORT)]
    if payload is not None and payload.type_name == "structure":
        found += _elements(request.body, meant["body"])
    return found


def _unknown_names(request):
    sent = {name for name, _ in request.form}
    # An empty value may be left out where another one is sent.
    kind = (request.service, request.operation, frozenset((NUMBER.sub(".", name), value == "") for name, value in request.form))
    if kind in KNOWN:
        return []
    found = sorted(sent - set(_serialized(request)["body"]) - {"Action", "Version"})
    if not found:
        KNOWN.add(kind)
    return found


def _serialized(request):
    """The request as botocore would send what was understood of it."""
    return create_serializer(request.protocol, include_validation=False).serialize_to_request(
        request.params, request.model
    )


def _elements(sent, meant):
    """Elements of an XML body that the model has no place for."""
    if not sent.lstrip().startswith(b"<"):
        return []
    if isinstance(meant, io.IOBase):
        meant = meant.read()
    try:
        known = _paths(ElementTree.fromstring(meant)) if meant else set()
        return sorted(_paths(ElementTree.fromstring(sent)) - known)
    except ElementTree.ParseError as problem:
        return [f"malformed XML: {problem}"]


def _paths(element, above=""):
    path = f"{above}/{element.tag.split('}')[-1]}"
    return {path}.union(*(_paths(child, path) for child in element))
