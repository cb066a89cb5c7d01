"""The HTTP server: werkzeug's threaded one on the loopback address."""

import functools
import gc
import io
import os
import threading
import time
from email.utils import formatdate

from moto.backends import get_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import WSGIRequestHandler, make_server

from . import patches
from .gateway import Gateway


class Handler(MotoRequestHandler):
    """One thread per connection, many requests on it. werkzeug's own way is a connection for every request, which costs
    as much as most calls; it is safe here because a request is read whole before it is answered."""

    protocol_version = "HTTP/1.1"
    # An answer is one write, and the next request waits for all of it.
    disable_nagle_algorithm = True

    def make_environ(self):
        """moto looks after headers with an underscore, which metadata of S3 may have; others have none."""
        if any("_" in name for name in self.headers):
            return super().make_environ()
        return WSGIRequestHandler.make_environ(self)

    def date_time_string(self, timestamp=None):
        """For the header Date: the same for a second."""
        return _date(int(time.time() if timestamp is None else timestamp))

    def run_wsgi(self):
        """Answers one request."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        if environ.pop("HTTP_TRANSFER_ENCODING", None):
            body = environ["wsgi.input"].read()
            environ.pop("wsgi.input_terminated", None)
        else:
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        started = []
        try:
            answer = b"".join(self.server.app(environ, lambda status, headers, _=None: started.extend((status, headers))))
        except ConnectionError:
            self.close_connection = True
            return
        status, headers = started
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers) and int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(answer)))
        self._headers_buffer.append(b"\r\n")
        head, self._headers_buffer = b"".join(self._headers_buffer), []
        self.wfile.write(head if self.command == "HEAD" else head + answer)

    def log_request(self, code="-", size="-"):
        """Silent: `GET /_sandbox/calls` shows the calls."""

    def connection_dropped(self, error, environ=None):
        """A client that left, or a fault that closed the connection: both are ordinary here."""


@functools.lru_cache(maxsize=2)
def _date(second):
    return formatdate(second, usegmt=True)


def listen(gateway, port):
    """The server for a gateway; port 0 takes a free one."""
    server = make_server("127.0.0.1", port, gateway, threaded=True, request_handler=Handler)
    server.daemon_threads = True
    return server


def serve(port, instance, latency, port_file, seconds=None):
    """Listens and serves for ever."""
    patches.load()
    gateway = Gateway(instance, latency, seconds)
    server = listen(gateway, port)
    if port_file:
        # Renamed into place so that a reader never sees half a number.
        with open(port_file + ".new", "w", encoding="ascii") as out:
            out.write(str(server.port))
        os.replace(port_file + ".new", port_file)
    print(f"sandbox {instance} listens on 127.0.0.1:{server.port}, latency {gateway.clock.latency}", flush=True)
    threading.Thread(target=_warm_up, daemon=True).start()
    server.serve_forever()


def _warm_up():
    """Does while nobody asks yet what the first calls would wait for."""
    from .patches.iam import managed_policies

    managed_policies()
    for service in ("ec2", "rds", "s3", "kms", "logs", "dynamodb", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "ecr", "ecs", "lambda", "sts", "config"):
        get_backend(service)
    # What is there now stays: the collector need not go through hundreds of thousands of objects again and again.
    gc.freeze()
