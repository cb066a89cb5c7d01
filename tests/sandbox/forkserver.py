"""Sandboxes and scripts for the integration tests, from one process that has everything imported.

Importing moto and loading botocore's models takes seconds; a fork of a process that has done so takes milliseconds, and
each fork is a fresh account. So this process imports, makes one read per service, and then forks for every connection on
its Unix socket. A connection carries one line of JSON:

    {"sandbox": {"latency": L, "seconds": S, "log": F}} a sandbox; the answer is {"port": N}; it ends with the connection.
                                                       A further line {"copies": SOCKET} makes it listen there; each
                                                       connection with {"copy": {"log": F}} is a sandbox with a copy of
                                                       its account, and answers as above
    {"script": FILE, "arguments": [..], "folder": F}   runs a script; the answer is {"code": N, "out": "..", "err": ".."}
    {"code": TEXT, "arguments": [..], "folder": F}     the same for a program given as text

`python forkserver.py SOCKET`: listens there until its standard input ends, which it does when the tests' process is gone.
"""

import contextlib
import gc
import io
import json
import os
import pathlib
import select
import signal
import socket
import sys
import threading
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "src" / "sandbox"), str(HERE)]
sys.dont_write_bytecode = True

from emulator import __main__ as _settings  # noqa: E402, F401 - sets moto's environment before moto is imported

import boto3  # noqa: E402
import inventory  # noqa: E402, F401 - so that a script that is the inventory finds its imports done
from botocore.awsrequest import AWSResponse  # noqa: E402
from emulator import patches, server  # noqa: E402
from emulator.gateway import Gateway  # noqa: E402
from emulator.patches.iam import managed_policies  # noqa: E402
from moto.moto_api._internal import mock_random  # noqa: E402
from werkzeug.test import Client  # noqa: E402

# One read for each service that a deployment uses: moto builds its backend and botocore loads its model.
READS = {
    "ec2": "describe_vpcs",
    "rds": "describe_db_clusters",
    "s3": "list_buckets",
    "kms": "list_keys",
    "logs": "describe_log_groups",
    "dynamodb": "list_tables",
    "iam": "list_roles",
    "scheduler": "list_schedule_groups",
    "secretsmanager": "list_secrets",
    "sns": "list_topics",
    "ecr": "describe_repositories",
    "ecs": "list_clusters",
    "lambda": "list_functions",
    "sqs": "list_queues",
    "ssm": "describe_parameters",
    "cloudwatch": "describe_alarms",
    "sts": "get_caller_identity",
    "elbv2": "describe_load_balancers",
    "acm": "list_certificates",
    "route53": "list_hosted_zones",
    "wafv2": "list_web_acls",
    "application-autoscaling": "describe_scalable_targets",
    "cloudtrail": "lookup_events",
    "config": "describe_config_rules",
    "events": "list_rules",
    "resourcegroupstaggingapi": "get_resources",
    "service-quotas": "get_service_quota",
}
# What these reads cannot do without.
ASKED = {
    "wafv2": {"Scope": "REGIONAL"},
    "application-autoscaling": {"ServiceNamespace": "ecs"},
    "service-quotas": {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"},
}


class _Raw(io.BytesIO):
    def stream(self, **_more):
        """What botocore reads a body with."""
        yield self.read()


def warmed():
    """A gateway that has answered one read of each service."""
    patches.load()
    gateway = Gateway("tests")
    managed_policies()
    wsgi = Client(gateway)

    def answer(request, **_more):
        sent = dict(request.headers.items())
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in sent.items()}
        got = wsgi.open(request.url, method=request.method, headers=headers, data=request.body or b"")
        return AWSResponse(request.url, got.status_code, dict(got.headers), _Raw(got.data))

    for service, operation in READS.items():
        client = boto3.client(
            service, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        client.meta.events.register(f"before-send.{service}", answer)
        getattr(client, operation)(**ASKED.get(service, {}))
    gateway.log.clear()
    # Shared with all forks and never garbage: the collector would touch, and so copy, every page of it.
    gc.collect()
    gc.freeze()
    return gateway


def sandbox(gateway, connection, latency, seconds, log):
    """Serves until the other side closes the connection."""
    # It lives for a minute or two: fewer looks for garbage cost less than they find.
    gc.set_threshold(50_000, 20, 50)
    gateway.clock.learn(seconds)
    gateway.clock.set(latency)
    answer_calls(gateway, connection, log)


def answer_calls(gateway, connection, log):
    """The sandbox itself, in this process: a port of its own until the other side closes the connection."""
    with open(log, "w", encoding="utf-8") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    listening = server.listen(gateway, 0)

    def watch():
        for line in connection.makefile("r", encoding="utf-8"):
            copies(gateway, json.loads(line)["copies"], connection)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    connection.sendall(json.dumps({"port": listening.port}).encode() + b"\n")
    listening.serve_forever()


def copies(gateway, path, connection):
    """Forks for every connection on this socket until the sandbox's own connection ends."""
    gc.collect()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    connection.sendall(b"{}\n")
    while True:
        ready, _, _ = select.select([listener, connection], [], [])
        if connection in ready:
            os._exit(0)
        wanted, _ = listener.accept()
        wish = json.loads(wanted.makefile("r", encoding="utf-8").readline())["copy"]
        # Under the lock no call is under way, so the copy has whole models and no lock that nobody gives back.
        with gateway.lock:
            child = os.fork()
        if child == 0:
            mock_random.seed()
            listener.close()
            connection.close()
            answer_calls(gateway, wanted, wish["log"])
        wanted.close()


def run(connection, wish):
    """Runs a script or code as a program of its own would run, and tells how it ended."""
    os.chdir(wish["folder"])
    # It ends before there is garbage worth a look.
    gc.disable()
    path = wish.get("script") or "-c"
    sys.argv = [path, *wish["arguments"]]
    text = wish.get("code") if path == "-c" else pathlib.Path(path).read_text(encoding="utf-8")
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            exec(compile(text, path, "exec"), {"__name__": "__main__", "__doc__": None, "__file__": path})
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                print(end.code, file=err)
        except BaseException:  # noqa: BLE001 - as Python's own end does
            traceback.print_exc(file=err)
            code = 1
    connection.sendall(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}).encode() + b"\n")


def serve(gateway, connection):
    """One connection, in a process of its own."""
    mock_random.seed()
    wish = json.loads(connection.makefile("r", encoding="utf-8").readline())
    if "sandbox" in wish:
        sandbox(gateway, connection, **wish["sandbox"])
    else:
        # A script may wait for programs that it starts.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        run(connection, wish)


def main():
    """Forks for every connection until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    gateway = warmed()
    listener.listen(64)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            socket_file = pathlib.Path(sys.argv[1])
            socket_file.unlink()
            with contextlib.suppress(OSError):
                socket_file.parent.rmdir()
            return
        connection, _ = listener.accept()
        sys.stdout.flush()
        if os.fork() == 0:
            listener.close()
            code = 1
            try:
                serve(gateway, connection)
                code = 0
            except BaseException:  # noqa: BLE001 - reported, and the process ends
                traceback.print_exc()
            os._exit(code)
        connection.close()


if __name__ == "__main__":
    main()
