"""The WSGI application in front of moto: control path, faults, patches, call log."""

import io
import threading
import traceback

import moto.backends
from cbor2 import CBORError
from moto.core.exceptions import ServiceException, _RESTError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import access, answer, control, store
from .call import Call
from .clock import Clock
from .errors import AwsError
from .faults import Faults
from .lag import Lag
from .log import CallLog
from .model import Model, shows
from .request import Request
from .strange import strange
from .writes import is_write


def _application(service):
    """moto's application of a service. In its debug mode Flask does at every request what helps to write an application; that
    exceptions reach `ask_moto` is the part of it that stays."""
    application = create_backend_app(service)
    application.debug = False
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return application


class Gateway:
    """One sandbox: everything that is shared between requests."""

    def __init__(self, instance, latency="none", seconds=None):
        self.instance = instance
        self.clock = Clock(latency, seconds)
        self.faults = Faults(self.clock)
        self.lag = Lag()
        self.log = CallLog()
        self.model = Model()
        # Writes and other reasons to look at the model again.
        self.changes = 0
        self._moto = DomainDispatcherApplication(_application)
        # moto's models are not safe under parallel writes. Held for one call's work, never while sleeping or hanging.
        self.lock = threading.RLock()

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_sandbox"):
            return control.respond(self, environ, start_response)
        if path.startswith("/moto-api"):
            return self._moto_api(environ, start_response)
        try:
            request = Request(environ)
        except (ValueError, EOFError, CBORError) as problem:
            start_response("400 ERROR", [("Content-Type", "text/plain")])
            return [f"this is no AWS request: {problem}\n".encode()]
        status, headers, body = self._aws(request, environ.get("werkzeug.socket"))
        if environ["REQUEST_METHOD"] != "HEAD":
            headers = [(k, v) for k, v in headers if k.lower() != "content-length"] + [
                ("Content-Length", str(len(body)))
            ]
        start_response(f"{status} {'OK' if status < 400 else 'ERROR'}", headers)
        return [body]

    def _moto_api(self, environ, start_response):
        with self.lock:
            self.changes += 1
            if environ["PATH_INFO"].rstrip("/") == "/moto-api/reset":
                # moto's reset builds the old backends anew, default VPCs and all, only to drop them; these two take seconds.
                for service in ("ec2", "iam"):
                    moto.backends.get_backend(service).clear()
                store.reset()
                access.record.forget()
                self.clock.forget()
                self.lag.forget()
            return self._moto(environ, start_response)

    def _aws(self, request, socket):
        """An AWS call with its faults; answers (status, headers, body)."""
        write = is_write(request)
        call_hash = request.body_hash
        entry = self.log.begin(request, write, call_hash)
        plan = None
        try:
            entry["strange"] = strange(request)
            plan = self.faults.plan(request, write, call_hash)
            plan.before(socket, entry)
            rendered = self._effect(request, write)
        except AwsError as failure:
            entry["error"] = failure.code
            rendered = answer.error(request, failure)
        except ConnectionError:
            entry["error"] = "(connection closed before the effect)"
            raise
        except Exception as failure:  # noqa: BLE001 - AWS answers an error document, never a stack trace
            entry["error"] = "InternalError"
            entry["status"] = 500
            traceback.print_exc()
            rendered = answer.error(request, AwsError("InternalError", f"{type(failure).__name__}: {failure}", 500))
        finally:
            if plan:
                plan.leave()
        entry["status"] = rendered[0]
        if plan and rendered[0] < 300:
            try:
                plan.after(socket, entry)
            except AwsError as failure:
                rendered = answer.error(request, failure)
        return rendered

    def _effect(self, request, write):
        """Patches and moto, one call at a time."""
        with self.lock:
            self.clock.run_due()
            if write and shows(request):
                self.changes += 1
            call = Call(self, request)
            try:
                access.check(call)
                done = self.lag.filtered(call, write, call.run())
                if done.status < 300:
                    access.made(call)
                if not isinstance(done, answer.Outside):
                    return done.render()
            except ServiceException as failure:
                # A patch looked something up in moto's models and moto refused.
                raise AwsError(failure.code, failure.message) from failure
            except _RESTError as failure:
                raise AwsError(failure.error_type, failure.message, failure.code) from failure
        return done.render()

    def ask_moto(self, request):
        """moto's answer to a request."""
        environ = dict(request.environ)
        environ["wsgi.input"] = io.BytesIO(request.body)
        environ["CONTENT_LENGTH"] = str(len(request.body))
        if environ.pop("HTTP_TRANSFER_ENCODING", None):
            environ.pop("wsgi.input_terminated", None)
        started = {}

        def start_response(status, headers, _exc_info=None):
            started.update(status=int(status.split()[0]), headers=list(headers))

        try:
            body = b"".join(self._moto(environ, start_response))
        except NotImplementedError as missing:
            # moto's server would answer 500 with an HTML page, which an SDK retries.
            raise AwsError(
                "NotImplemented", f"The sandbox does not offer {request.service}:{request.operation} ({missing})", 501
            ) from missing
        return answer.from_moto(request, started["status"], started["headers"], body)
