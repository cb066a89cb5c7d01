"""The HTTP server: werkzeug's threaded one on the loopback address."""

import gc
import os
import threading

from moto.backends import get_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from . import patches
from .gateway import Gateway


class Handler(MotoRequestHandler):
    """One request per connection (werkzeug's way); the access log is ours, on the control path."""

    def log_request(self, code="-", size="-"):
        """Silent: `GET /_sandbox/calls` shows the calls."""

    def connection_dropped(self, error, environ=None):
        """A client that left, or a fault that closed the connection: both are ordinary here."""


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
    for service in ("ec2", "rds", "s3", "kms", "logs", "dynamodb", "secretsmanager", "sns", "sts"):
        get_backend(service)
    # What is there now stays: the collector need not go through hundreds of thousands of objects again and again.
    gc.freeze()
