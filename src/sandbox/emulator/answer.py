"""An answer in AWS's terms and its rendering in the protocol of the request."""

import json
import re
import uuid
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.parsers import create_parser
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from . import cbor
from .errors import AwsError

XML = "text/xml"
CODE_IN_XML = re.compile(rb"<Code>([^<]*)</Code>")
MESSAGE_IN_XML = re.compile(rb"<Message>([^<]*)</Message>", re.S)


class Answer:
    """Status, headers and body as they go out; `data` is the parsed body and may be changed (it is rendered again)."""

    def __init__(self, request, status=200, headers=None, body=b"", data=None):
        self.request = request
        self.status = status
        self.headers = headers if headers is not None else []
        self._body = body
        self._data = data

    @property
    def data(self):
        """The answer with the names of the service model."""
        if self._data is None:
            self._data = self._parse()
        return self._data

    @property
    def text(self):
        """What is in it, for a search; it is not rendered again because of that."""
        return self._body.decode("utf-8", "replace") if self._data is None else str(self._data)

    def _parse(self):
        if self.request.protocol == "json":
            return json.loads(self._body or b"{}")
        parser = create_parser(self.request.protocol)
        headers = {key.lower(): value for key, value in self.headers}
        parsed = parser.parse(
            {"status_code": self.status, "headers": headers, "body": self._body}, self.request.model.output_shape
        )
        parsed.pop("ResponseMetadata", None)
        return parsed

    def render(self):
        """(status, headers, body) for the wire; untouched answers leave as moto gave them."""
        if self._data is not None:
            self._render_data()
        if self.request.cbor:
            self._render_cbor()
        return self.status, self.headers, self._body

    def _render_data(self):
        request = self.request
        if request.protocol == "json":
            body, content_type, kept = json.dumps(self._data, default=_epoch), request.environ["CONTENT_TYPE"], []
        else:
            serializer = get_serializer_class(request.service, request.protocol)(operation_model=request.model)
            rendered = serializer.serialize(self._data)
            body, content_type = rendered["body"], rendered["headers"].get("Content-Type", XML)
            kept = [
                (k, v) for k, v in rendered["headers"].items() if k.lower() not in ("content-type", "content-length")
            ]
        self._body = body.encode() if isinstance(body, str) else body
        self.headers = kept + [("Content-Type", content_type)] + _ids()

    def _render_cbor(self):
        document = json.loads(self._body or b"{}")
        shape = self.request.model.output_shape if self.status < 300 else None
        self._body = cbor.dumps(shape, document)
        self.headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")] + _ids()


class Outside(Answer):
    """An answer that is worked out when no lock is held any more, since who works it out calls AWS. `work` answers an `Answer`."""

    def __init__(self, work):
        super().__init__(None)
        self.work = work

    def render(self):
        """The work is done now."""
        return self.work().render()


def from_moto(request, status, headers, body):
    """moto's answer as an Answer, or as an AwsError that keeps moto's code and message."""
    if status < 400 or (request.protocol in ("rest-xml", "rest-json") and request.environ["REQUEST_METHOD"] == "HEAD"):
        return Answer(request, status, headers, body)
    code, message, understood = _code_and_message(request, status, body)
    failure = AwsError(code, message, status)
    if understood and not request.cbor:
        failure.as_sent = (status, headers, body)
    raise failure


def error(request, failure):
    """An AwsError in the request's protocol; moto's own errors leave as moto wrote them."""
    if failure.as_sent:
        return failure.as_sent
    code, message = failure.code, failure.message
    status = failure.status or _status_of(request, code)
    if request.protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
        answer = Answer(
            request, status, [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)] + _ids(), body
        )
        return answer.render()
    request_id = str(uuid.uuid4())
    tags = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    kind = "Sender" if status < 500 else "Receiver"
    plain = f"<Error>{tags}<RequestId>{request_id}</RequestId><HostId>sandbox</HostId></Error>"
    wrapped = f"<ErrorResponse><Error><Type>{kind}</Type>{tags}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    body = {
        "ec2": f"<Response><Errors><Error>{tags}</Error></Errors><RequestID>{request_id}</RequestID></Response>",
        "query": wrapped,
        "rest-xml": plain if request.service in ("s3", "s3control") else wrapped,
    }[request.protocol]
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
    if request.environ["REQUEST_METHOD"] == "HEAD":
        body = b""
    return status, [("Content-Type", XML)] + _ids(request_id), body


def _status_of(request, code):
    """The HTTP status that the service model gives an error code."""
    try:
        for shape in get_service_model(request.service).error_shapes:
            error_data = shape.metadata.get("error", {})
            if code in (shape.name, error_data.get("code")):
                return error_data.get("httpStatusCode", 400)
    except UnknownServiceError:
        pass
    return 400


def _code_and_message(request, status, body):
    if request.protocol in ("json", "rest-json"):
        try:
            document = json.loads(body or b"{}")
            code = str(document.get("__type") or document.get("Code") or "").split("#")[-1]
            if code:
                return code, str(document.get("message") or document.get("Message") or ""), True
        except (ValueError, AttributeError):
            pass
    code, message = CODE_IN_XML.search(body), MESSAGE_IN_XML.search(body)
    if code:
        return code[1].decode(), _unescape(message[1].decode()) if message else "", True
    if status == 403 and request.service == "s3":
        return "AccessDenied", "Access Denied", False
    # moto answers programming errors with an HTML page; AWS would say InternalError in the service's protocol.
    return ("InternalError" if status >= 500 else f"HTTP{status}"), body[:300].decode("utf-8", "replace"), False


def _unescape(text):
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, char)
    return text


def _ids(request_id=None):
    request_id = request_id or str(uuid.uuid4())
    return [("x-amzn-RequestId", request_id), ("x-amz-request-id", request_id)]


def _epoch(value):
    """json.dumps' fallback: JSON services send timestamps as epoch seconds."""
    if hasattr(value, "timestamp"):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no JSON form")
