"""Starts the sandbox: `python -m emulator --port 0 --instance ID [--latency aws/100] [--port-file FILE]`."""

import argparse
import json
import os
import signal
import sys

# Before moto is imported: AWS-managed policies can be attached, and no picture library of 1285 AMIs is loaded.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "1")
# No page of another origin calls it, and the headers for one are made for every answer.
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
# moto's services call boto3 in places; it must never look for real credentials.
os.environ.update(AWS_ACCESS_KEY_ID="sandbox", AWS_SECRET_ACCESS_KEY="sandbox", AWS_EC2_METADATA_DISABLED="true")


def main():
    """Parses the arguments and serves until it is stopped."""
    parser = argparse.ArgumentParser(prog="emulator")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--instance", default="sandbox")
    parser.add_argument("--latency", default="none")
    parser.add_argument("--seconds", type=json.loads, help='typical seconds of types: {"rds/cluster": [90, 90]}')
    parser.add_argument("--port-file", help="gets the port once the server listens")
    arguments = parser.parse_args()

    # It outlives the terminal that it was started from.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from .server import serve

    try:
        serve(arguments.port, arguments.instance, arguments.latency, arguments.port_file, arguments.seconds)
    except ValueError as problem:
        sys.exit(f"emulator: {problem}")
    except OSError as problem:
        sys.exit(f"emulator: can't listen on 127.0.0.1:{arguments.port}: {problem}")


if __name__ == "__main__":
    main()
