"""One call on its way through the patches to moto, and the registry of the patches."""

import io
import json
from collections import defaultdict
from datetime import datetime, timezone
from urllib.parse import urlencode

import moto.backends
from botocore.serialize import create_serializer

from . import answer
from .errors import AwsError
from .request import Request
from .store import store_of

# (service, operation) -> patches, outermost first; "*" stands for every service or operation.
PATCHES = defaultdict(list)
MOTO_NAME = {"cloudwatch": "cloudwatch", "service-quotas": "servicequotas"}


def patch(service, *operations):
    """Registers a function `f(call)` around operations. It may refuse (raise AwsError), answer a dict of its own, or
    change what `call.forward()` answers and return that."""

    def register(function):
        for operation in operations:
            PATCHES[service, operation].append(function)
        return function

    return register


class Call:
    """What a patch works with: the parameters, moto's backend, the sandbox's own records and the way on."""

    def __init__(self, gateway, request, internal=False, rest=None):
        self.gateway = gateway
        self.request = request
        self.internal = internal
        self.service, self.operation = request.service, request.operation
        self.account, self.region = request.account, request.region
        # The patches that are still between here and moto. Each patch gets a Call of its own, so that what an inner one
        # sends on (now, or later when something settles) is not what an outer one was asked.
        every = PATCHES["*", "*"] + PATCHES[self.service, "*"] + PATCHES[self.service, self.operation]
        self._rest = every if rest is None else rest

    @property
    def params(self):
        """The parameters as sent."""
        return self.request.params

    @property
    def backend(self):
        """moto's backend of this service, account and region."""
        return self.backend_of(self.service)

    def backend_of(self, service):
        """moto's backend of any service in this account and region."""
        region = "aws" if service in ("iam", "s3", "sts", "route53") else self.region
        return moto.backends.get_backend(MOTO_NAME.get(service, service))[self.account][region]

    @property
    def store(self):
        """The sandbox's own records of this account and region."""
        return store_of(self.account, self.region)

    @property
    def clock(self):
        """The settling clock."""
        return self.gateway.clock

    def run(self):
        """The answer, patches included."""
        return self.forward()

    def forward(self, params=None):
        """The answer of the next patch or, behind the last, of moto. `params` replaces what was sent."""
        request = self.request if params is None else rebuilt(self.request, self.operation, params)
        if not self._rest:
            return self.gateway.ask_moto(request)
        result = self._rest[0](Call(self.gateway, request, self.internal, self._rest[1:]))
        if isinstance(result, answer.Answer):
            return result
        return answer.Answer(request, data=result if result is not None else {})

    def ask(self, operation, **params):
        """Another call to the same service by the same caller; answers its data."""
        return Call(self.gateway, rebuilt(self.request, operation, params), internal=True).run().data

    def wall_time(self):
        """The time of the data plane's clock, in UTC without a zone, as moto keeps times."""
        return datetime.fromtimestamp(self.clock.wall(), timezone.utc).replace(tzinfo=None)

    def arn(self, resource, service=None):
        """An ARN in this account and region."""
        return f"arn:aws:{service or self.service}:{self.region}:{self.account}:{resource}"


def rebuilt(request, operation, params):
    """A request like `request` for another operation or with other parameters (query and JSON protocols)."""
    environ = dict(request.environ)
    if request.protocol == "json":
        prefix = environ["HTTP_X_AMZ_TARGET"].rsplit(".", 1)[0]
        environ["HTTP_X_AMZ_TARGET"] = f"{prefix}.{operation}"
        body = json.dumps(params).encode()
    else:
        model = type(request.model.service_model).operation_model(request.model.service_model, operation)
        serialized = create_serializer(request.protocol, include_validation=False).serialize_to_request(params, model)
        body = urlencode(serialized["body"]).encode()
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    return Request(environ)


def refuse(code, message, status=None):
    """Refuses the call; a function so that it can stand in an expression."""
    raise AwsError(code, message, status)
