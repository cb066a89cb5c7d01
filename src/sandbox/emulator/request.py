"""An incoming HTTP request in AWS's terms: service, operation, parameters, account and region.

Every wire protocol ends here; the layers behind speak of operations and parameters only.
"""

import functools
import hashlib
import io
import json
import os
import re
from urllib.parse import parse_qsl

import cbor2
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from .cbor import to_json
from .errors import AwsError

# botocore's name of a service where it differs from the name requests are signed with.
SERVICE_OF_SIGNING_NAME = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "states": "stepfunctions",
}
# rpc-v2-cbor carries no X-Amz-Target; the path names the service by its shape id.
CBOR_PATH = re.compile(r"^/service/([\w.]+)/operation/(\w+)$")
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
DEFAULT_ACCOUNT = "123456789012"
# Parts that differ when the same intent is sent again: they must not make a write look new.
VOLATILE_FIELDS = {"ClientToken", "ClientRequestToken", "CallerReference", "IdempotencyToken", "SignatureVersion"}
VOLATILE_BYTES = re.compile(rb"chunk-signature=[0-9a-f]+|x-amz-trailer-signature:\S+")


class Request:
    """One API call. `params` is parsed by the service model on first use; `body` holds the raw bytes."""

    def __init__(self, environ):
        self.environ = environ
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.body = environ["wsgi.input"].read(length) if length else _read_unsized(environ)
        self.path = environ.get("PATH_INFO", "/")
        self.cbor = CBOR_PATH.match(self.path)
        self.access_key, self.region, self.signing_name = self._credential()
        self.service = SERVICE_OF_SIGNING_NAME.get(self.signing_name, self.signing_name)
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDBStreams"):
            self.service = "dynamodbstreams"
        if self.cbor:
            self._become_json()
        self._uri = {}
        self._model = None
        self._params = None
        self.protocol = self._protocol()
        self.operation = self._operation()

    def _credential(self):
        found = CREDENTIAL.search(self.environ.get("HTTP_AUTHORIZATION", "") or _query_credential(self.environ))
        return (found[1], found[2], found[3].lower()) if found else ("", "us-east-1", "s3")

    def _become_json(self):
        """moto knows only JSON for these services: the CBOR request becomes the awsJson one with the same meaning."""
        document = to_json(cbor2.loads(self.body)) if self.body else {}
        self.body = json.dumps(document).encode()
        for key in ("RAW_URI", "REQUEST_URI", "HTTP_SMITHY_PROTOCOL", "HTTP_ACCEPT"):
            self.environ.pop(key, None)
        self.environ.update(
            PATH_INFO="/",
            CONTENT_TYPE="application/x-amz-json-1.0",
            HTTP_X_AMZ_TARGET=f"{self.cbor[1]}.{self.cbor[2]}",
            CONTENT_LENGTH=str(len(self.body)),
        )

    def _protocol(self):
        content_type = self.environ.get("CONTENT_TYPE", "")
        if self.environ.get("HTTP_X_AMZ_TARGET"):
            return "json"
        if content_type.startswith("application/x-www-form-urlencoded") and self.service != "s3":
            return "ec2" if self.service == "ec2" else "query"
        if self.service in ("s3", "route53", "cloudfront", "s3control"):
            return "rest-xml"
        return "rest-json"

    def _operation(self):
        if self.protocol == "json":
            return self.environ["HTTP_X_AMZ_TARGET"].split(".")[-1]
        if self.protocol in ("ec2", "query"):
            return dict(self.form).get("Action", "Unknown")
        try:
            operation, self._uri = get_service_router(self.service).match(self._moto_request())
            return operation.name
        except Exception:  # noqa: BLE001 - an unknown service or path: moto decides what it is
            return "Unknown"

    def _moto_request(self):
        environ = dict(self.environ)
        environ["wsgi.input"] = io.BytesIO(self.body)
        return MotoRequest(environ)

    @property
    def model(self):
        """The operation's botocore model."""
        if self._model is None:
            self._model = get_service_model(self.service).operation_model(self.operation)
        return self._model

    @property
    def params(self):
        """The parameters with the names of the service model; only what was sent."""
        if self._params is None:
            self._params = self._parse()
        return self._params

    def _parse(self):
        if self.protocol == "json":
            try:
                return json.loads(self.body or b"{}")
            except ValueError as problem:
                raise AwsError("SerializationException", f"The request body is not JSON: {problem}") from problem
        request = self._moto_request()
        try:
            return PROTOCOL_PARSERS[self.protocol](self.model, map_type=dict).parse(
                {
                    "method": request.method,
                    "values": request.values,
                    "headers": request.headers,
                    "body": self.body,
                    "url_path": request.path,
                    "url_params": self._uri,
                }
            )
        except (ValueError, HTTPException):
            return dict(self._uri)

    @functools.cached_property
    def form(self):
        """Names and values of a query request's body, those without a value included."""
        return parse_qsl(self.body.decode("utf-8", "replace"), True)

    @functools.cached_property
    def account(self):
        """The account, found the way moto finds it."""
        from moto.iam.models import get_account_id_from

        return (
            os.environ.get("MOTO_ACCOUNT_ID")
            or self.environ.get("HTTP_X_MOTO_ACCOUNT_ID")
            or get_account_id_from(self.access_key)
        )

    @property
    def body_hash(self):
        """A short hash of what is asked: equal for two attempts at the same thing."""
        if self.protocol in ("ec2", "query"):
            what = sorted(p for p in self.form if p[1] and p[0] not in VOLATILE_FIELDS)
        elif self.protocol == "json":
            what = _without_volatile(self.body)
        elif self.protocol == "rest-json":
            query = sorted(p for p in parse_qsl(self.environ.get("QUERY_STRING", ""), True) if p[0] != "clientToken")
            what = [self.environ["REQUEST_METHOD"], self.path, query, _without_volatile(self.body)]
        else:
            query = sorted(
                p
                for p in parse_qsl(self.environ.get("QUERY_STRING", ""), True)
                if not p[0].lower().startswith("x-amz-")
            )
            what = [
                self.environ["REQUEST_METHOD"],
                self.path,
                query,
                VOLATILE_BYTES.sub(b"", self.body).decode("latin-1"),
            ]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def _without_volatile(body):
    """A JSON request's members but those that differ from one attempt to the next."""
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return body.decode("utf-8", "replace")
    return (
        sorted((k, v) for k, v in document.items() if k not in VOLATILE_FIELDS)
        if isinstance(document, dict)
        else document
    )


def _read_unsized(environ):
    """The body of a request without Content-Length: werkzeug ends the stream of a chunked one itself."""
    return environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else b""


def _query_credential(environ):
    """Presigned requests carry their credential in the query."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    return f"Credential={query['X-Amz-Credential']}" if "X-Amz-Credential" in query else ""
