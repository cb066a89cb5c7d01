"""What the tests of the sandbox share: one server for all of them, clients, and short ways to make things."""

import atexit
import contextlib
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

REGION = "eu-central-1"
ACCOUNT = "123456789012"
SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src" / "sandbox"
TAGS = [{"Key": "Name", "Value": "mine"}]
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}


@functools.cache
def endpoint():
    """The server under test: the one in SANDBOX_ENDPOINT, or one started for this run."""
    if os.environ.get("SANDBOX_ENDPOINT"):
        return os.environ["SANDBOX_ENDPOINT"]
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    port_file = pathlib.Path(folder.name) / "port"
    command = [sys.executable, "-m", "emulator", "--instance", "tests", "--port-file", str(port_file)]
    command += ["--seconds", json.dumps({"rds/cluster": [90, 90]})]
    log = sys.stderr if os.environ.get("SANDBOX_LOG") else subprocess.DEVNULL
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1"}, stdout=log, stderr=log
    )
    atexit.register(process.wait)
    atexit.register(process.terminate)
    until = time.monotonic() + 60
    while not port_file.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the sandbox did not start; set SANDBOX_LOG=1 to see why")
        time.sleep(0.05)
    return f"http://127.0.0.1:{port_file.read_text()}"


@functools.cache
def client(service, region=REGION, read_timeout=60):
    """A client that tries once and takes everything the server says."""
    config = botocore.config.Config(
        retries={"total_max_attempts": 1},
        read_timeout=read_timeout,
        s3={"addressing_style": "path"},
        parameter_validation=False,
    )
    return boto3.client(
        service,
        endpoint_url=endpoint(),
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


def control(method, path, body=None):
    """A call to the sandbox's control path."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(
        urllib.request.Request(f"{endpoint()}/{path}", data=data, method=method), timeout=30
    ) as answer:
        return json.loads(answer.read() or b"{}")


class Case(unittest.TestCase):
    """A test class with an empty account."""

    @classmethod
    def setUpClass(cls):
        control("POST", "moto-api/reset")
        control("DELETE", "_sandbox/faults")
        control("POST", "_sandbox/latency", {"latency": "none"})

    @classmethod
    def tearDownClass(cls):
        control("DELETE", "_sandbox/faults")
        control("POST", "_sandbox/latency", {"latency": "none"})

    @contextlib.contextmanager
    def refused(self, code, containing=""):
        """AWS refuses what is inside with this code."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            yield
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        self.assertIn(containing, error.get("Message", ""))

    @staticmethod
    def skip(seconds):
        """Lets the sandbox's clock run ahead: no test waits, or fails because the machine is busy."""
        control("POST", "_sandbox/clock", {"skip": seconds})


def specification(kind, **tags):
    """TagSpecifications for one type."""
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()] or TAGS
    return [{"ResourceType": kind, "Tags": pairs}]


def vpc(cidr="10.0.0.0/16", dns=True):
    """A VPC with DNS support and hostnames."""
    name = client("ec2").create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    if dns:
        client("ec2").modify_vpc_attribute(VpcId=name, EnableDnsHostnames={"Value": True})
    return name


def subnets(vpc_id, count=3, base="10.0"):
    """Subnets in distinct zones."""
    made = []
    for number in range(count):
        zone = f"{REGION}{'abc'[number % 3]}"
        made.append(
            client("ec2").create_subnet(VpcId=vpc_id, CidrBlock=f"{base}.{number}.0/24", AvailabilityZone=zone)[
                "Subnet"
            ]["SubnetId"]
        )
    return made


def group(vpc_id, name="group"):
    """A security group."""
    return client("ec2").create_security_group(VpcId=vpc_id, GroupName=name, Description="test")["GroupId"]


def key(*statements):
    """A KMS key whose policy has these statements beside the account's."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})
    return client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]


def role(name, service):
    """A role that a service can assume."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]


def names(items, field):
    """One field of each item, sorted."""
    return sorted(item[field] for item in items)


def wish(name, *values):
    """A filter."""
    return [{"Name": name, "Values": list(values)}]
