"""The data plane's databases, functions, schedules and streams: real PostgreSQL and Node.js under a model that the test gives."""

import asyncio
import base64
import io
import json
import pathlib
import ssl
import sys
import tempfile
import types
import unittest
import zipfile

from support import SOURCES, Case, client, control

sys.path.insert(0, str(SOURCES))
from dataplane import databases, functions, schedules, streams  # noqa: E402
from dataplane.authority import Authority  # noqa: E402
from dataplane.clock import Clock  # noqa: E402
from dataplane.names import Names  # noqa: E402
from dataplane.plane import PARTS  # noqa: E402

CODE = """
let cold = true;
exports.handler = async (event, context) => {
  if (event.throws) throw Object.assign(new Error('no'), { name: 'Refused' });
  if (event.exits) process.exit(3);
  if (event.sleeps) await new Promise((done) => setTimeout(done, event.sleeps));
  if (event.metric) console.log(JSON.stringify({ _aws: { Timestamp: 1, CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [['F']], Metrics: [{ Name: 'M', Unit: 'Count' }] }] }, F: 'f', M: 3 }));
  const was = cold;
  cold = false;
  const address = await require('node:dns').promises.lookup('served.example').then((found) => found.address, () => null);
  return { cold: was, setting: process.env.SETTING, name: context.functionName, left: context.getRemainingTimeInMillis() > 0, address, records: event.Records?.length };
};
"""


class Emulator:
    """What the parts ask of the emulator."""

    endpoint = "http://127.0.0.1:1"

    def __init__(self):
        self.metrics, self.sent, self.password, self.records = [], [], "first'pass\\word", []

    async def control(self, method, path, body=None, seconds=60):
        if path.startswith("code?"):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr("index.js", CODE)
            return {"zip": base64.b64encode(packed.getvalue()).decode()}
        if path.startswith("stream-records?"):
            after = path.partition("after=")[2].partition("&")[0]
            return {"records": [one for one in self.records if not after or int(one["dynamodb"]["SequenceNumber"]) > int(after)][:10]}
        self.metrics += body["metrics"]
        return {}

    async def aws(self, service, operation, region, **params):
        self.sent.append((operation, params))
        if operation == "get_secret_value":
            return {"SecretString": json.dumps({"username": "master", "password": self.password})}
        return {"QueueUrl": "url"}


def plane(test, folder, rate=1):
    made = types.SimpleNamespace(folder=pathlib.Path(folder), clock=Clock(rate), names=Names(folder), emulator=Emulator(), authority=Authority(folder))
    made.parts = {"functions": functions.Part(made)}
    made.part = made.parts.get
    test.addCleanup(made.names.close)
    return made


def function(**other):
    return {
        "account": "1", "region": "eu-central-1", "name": "f", "arn": "arn:aws:lambda:eu-central-1:1:function:f", "active": True,
        "runtime": "nodejs18.x", "handler": "index.handler", "timeout": 60, "memory": 256, "environment": {"SETTING": "a"}, "digest": "d+/=",
        "concurrency": 1, "log_group": "/aws/lambda/f", "dead_letters": "arn:aws:sqs:eu-central-1:1:dead",
    } | other  # fmt: skip


async def until(what):
    for _ in range(600):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it has not come about within 30 seconds")


class Pure(unittest.TestCase):
    """What is decided without a server."""

    def test_the_parts_are_registered(self):
        self.assertLessEqual({"databases", "functions", "schedules", "streams"}, set(PARTS))

    def test_expressions_of_schedules(self):
        self.assertEqual(schedules.first("rate(1 minute)", 100), (160, 60))
        self.assertEqual(schedules.first("rate(2 hours)", 0), (7200, 7200))
        self.assertEqual(schedules.first("at(1970-01-01T00:01:00)", 5), (60.0, None))
        self.assertEqual(schedules.first("cron(0 12 * * ? *)", 0), (None, None))

    def test_partial_answers_of_a_batch(self):
        batch = [{"dynamodb": {"SequenceNumber": str(at)}} for at in (5, 6, 7)]

        def failed(answer):
            return streams.first_failure(json.dumps(answer), batch)

        self.assertIsNone(failed({"batchItemFailures": []}))
        self.assertIsNone(failed(None))
        self.assertEqual(failed({"batchItemFailures": [{"itemIdentifier": "7"}, {"itemIdentifier": "6"}]}), 1)
        self.assertEqual(failed({"batchItemFailures": [{"itemIdentifier": "9"}]}), 0)
        self.assertEqual(failed({"batchItemFailures": [{"itemIdentifier": ""}]}), 0)

    def test_lines_of_the_embedded_format_are_metrics(self):
        line = {"_aws": {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["A"], []], "Metrics": [{"Name": "M"}, {"Name": "gone"}]}]}, "A": 1, "M": [2, 2, 3]}
        found = functions.embedded(line, 77.9)
        self.assertEqual([one["dimensions"] for one in found], [{"A": "1"}, {}])
        self.assertEqual(found[0]["points"], [[77, {"2": 2, "3": 1}]])


class Functions(unittest.TestCase):
    """Real Node.js."""

    def test_a_function_runs_fails_ends_and_is_throttled_as_on_lambda(self):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(self._runs(folder))

    async def _runs(self, folder):
        made = plane(self, folder, rate=1000)
        part = made.part("functions")
        address = made.names.address("served.example")
        await part.follow({"functions": [function()]})

        async def run(**event):
            done = await part.invoke("arn:aws:lambda:eu-central-1:1:function:f", json.dumps(event))
            return done.get("failed"), json.loads(done.get("payload", "null"))

        self.assertEqual(await run(), (None, {"cold": True, "setting": "a", "name": "f", "left": True, "address": address}))
        self.assertFalse((await run(metric=1))[1]["cold"])
        self.assertEqual((await run(throws=1))[1] | {"trace": 0}, {"errorType": "Refused", "errorMessage": "no", "trace": 0})
        slow = asyncio.create_task(run(sleeps=2000))
        await asyncio.sleep(0.1)
        self.assertEqual(await part.invoke("f", "{}"), {"throttled": True})
        await slow
        failed, error = await run(exits=1)
        self.assertEqual((failed, error["errorType"]), ("Unhandled", "Runtime.ExitError"))
        self.assertIn("exit status 3", error["errorMessage"])
        await part.follow({"functions": [function(environment={"SETTING": "b"})]})
        self.assertEqual((await run())[1]["setting"], "b")
        await part.follow({"functions": [function(timeout=1)]})
        failed, error = await run(sleeps=5000)
        self.assertEqual((failed, error["errorType"]), ("Unhandled", "Sandbox.Timedout"))
        # Three attempts with a pause, then the dead letters.
        await part.later("f", '{"throws": 1}')
        self.assertEqual([name for name, _ in made.emulator.sent], ["get_queue_url", "send_message"])
        self.assertEqual(made.emulator.sent[1][1]["MessageBody"], '{"throws": 1}')
        wanted = {("N", "M"), ("AWS/Lambda", "Errors"), ("AWS/Lambda", "Throttles")}
        await until(lambda: wanted <= {(one["namespace"], one["name"]) for one in made.emulator.metrics})
        with self.assertRaises(LookupError):
            await part.invoke("other", "{}")
        await part.follow({"functions": []})
        await part.close()

    def test_a_schedule_and_a_stream_call_their_function(self):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(self._called(folder))

    async def _called(self, folder):
        made = plane(self, folder, rate=600)
        made.emulator.records = [{"dynamodb": {"SequenceNumber": str(at), "ApproximateCreationDateTime": made.clock.origin}} for at in range(100, 115)]
        calls, streaming = schedules.Part(made), streams.Part(made)
        await made.part("functions").follow({"functions": [function(concurrency=None)]})
        schedule = {
            "arn": "arn:aws:scheduler:eu-central-1:1:schedule/g/s", "region": "eu-central-1", "enabled": True, "expression": "rate(1 minute)",
            "target": "arn:aws:lambda:eu-central-1:1:function:f", "input": "{}", "dead_letters": None,
        }  # fmt: skip
        mapping = {
            "id": "m", "region": "eu-central-1", "enabled": True, "stream": "arn:aws:dynamodb:eu-central-1:1:table/t/stream/x",
            "function": "arn:aws:lambda:eu-central-1:1:function:f", "batch": 10, "position": "TRIM_HORIZON", "retries": 2, "age": -1,
            "bisect": True, "partial": True, "destination": None,
        }  # fmt: skip
        await calls.follow({"schedules": [schedule | {"enabled": False}]})
        await streaming.follow({"mappings": [mapping | {"enabled": False}]})
        await asyncio.sleep(0.2)
        self.assertEqual(made.part("functions").state()["f"]["invocations"], 0)
        await calls.follow({"schedules": [schedule]})
        await streaming.follow({"mappings": [mapping]})
        await until(lambda: streaming.state()["f"]["records"] == 15 and calls.state()["g/s"]["calls"] >= 3)
        shown = streaming.state()["f"]
        self.assertEqual((shown["after"], shown["batches"]), ("114", 2))
        # Switched off and on again it goes on where it was.
        await calls.follow({"schedules": []})
        await streaming.follow({"mappings": [mapping | {"enabled": False}]})
        made.emulator.records.append({"dynamodb": {"SequenceNumber": "115", "ApproximateCreationDateTime": made.clock.origin}})
        await asyncio.sleep(0.4)
        self.assertEqual(streaming.state()["f"]["records"], 15)
        await streaming.follow({"mappings": [mapping]})
        await until(lambda: streaming.state()["f"]["records"] == 16)
        await asyncio.gather(calls.close(), streaming.close(), made.part("functions").close())


class Databases(unittest.TestCase):
    """Real PostgreSQL."""

    def test_a_cluster_has_a_server_that_follows_its_secret_and_its_state(self):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(self._lives(folder))

    async def _lives(self, folder):
        import asyncpg

        made = plane(self, folder)
        part = databases.Part(made)
        cluster = {
            "account": "1", "region": "eu-central-1", "id": "aurora-green-x", "resource": "cluster-X", "state": "available", "serving": True,
            "endpoint": "x.cluster-1.rds.amazonaws.com", "reader": "x.cluster-ro-1.rds.amazonaws.com", "port": 5432, "database": "payments",
            "user": "master", "secret": "arn", "secret_version": "1",
            "parameters": {"rds.force_ssl": "1", "rds.logical_replication": "1", "max_connections": "50", "pgaudit.log": "ddl", "log_directory": "/x"},
        }  # fmt: skip

        async def connect(password, **other):
            trusted = ssl.create_default_context(cafile=str(Authority(made.folder).file))
            host = part.find("green").addresses[0]
            return await asyncpg.connect(host=host, user="master", password=password, database="payments", **{"ssl": trusted} | other)

        await part.follow({"clusters": [cluster | {"serving": False}]})
        await asyncio.sleep(0.1)
        self.assertFalse(part.find("green").server.running)
        await part.follow({"clusters": [cluster]})
        await until(lambda: part.find("aurora-green-x").ready)
        session = await connect(made.emulator.password)
        self.assertEqual([await session.fetchval(f"SHOW {name}") for name in ("wal_level", "max_connections")], ["logical", "50"])
        await session.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (7)")
        with self.assertRaises(asyncpg.InvalidAuthorizationSpecificationError):
            await connect(made.emulator.password, ssl=False)
        old, made.emulator.password = made.emulator.password, "second"
        await part.follow({"clusters": [cluster | {"secret_version": "2"}]})
        await until(lambda: part.find("green")._version == "2")
        self.assertEqual(await session.fetchval("SELECT a FROM t"), 7)
        with self.assertRaises(asyncpg.InvalidPasswordError):
            await connect(old)
        command = part.routes()["POST", "databases"]
        await command({"green": "crash"}, {}, "")
        self.assertTrue(part.find("green").ready)
        await command({"green": "stop"}, {}, "")
        with self.assertRaises(OSError):
            await connect("second")
        await command({"green": "start"}, {}, "")
        session = await connect("second")
        self.assertEqual(await session.fetchval("SELECT a FROM t"), 7)
        await session.close()
        for bad, problem in (({"green": "burn"}, ValueError), ({"red": "stop"}, LookupError)):
            with self.assertRaises(problem):
                await command(bad, {}, "")
        server = part.find("green").server
        await part.follow({"clusters": []})
        await until(lambda: not server.folder.exists())
        self.assertFalse(server.running)
        await part.close()


class Secrets(Case):
    """The emulator's part: what a data plane reads there."""

    def test_a_managed_secret_has_the_master_user_and_a_new_password_after_a_rotation(self):
        rds, secrets = client("rds"), client("secretsmanager")
        arn = rds.create_db_cluster(
            DBClusterIdentifier="plane-secret", Engine="aurora-postgresql", MasterUsername="owner", ManageMasterUserPassword=True
        )["DBCluster"]["MasterUserSecret"]["SecretArn"]
        self.addCleanup(rds.delete_db_cluster, DBClusterIdentifier="plane-secret", SkipFinalSnapshot=True)
        first = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
        self.assertEqual((first["username"], len(first["password"])), ("owner", 28))
        secrets.rotate_secret(SecretId=arn, RotateImmediately=True)
        second = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
        self.assertEqual(second["username"], "owner")
        self.assertNotEqual(second["password"], first["password"])
        previous = secrets.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")
        self.assertEqual(json.loads(previous["SecretString"]), first)

    def test_a_stream_has_no_record_of_a_write_that_changes_nothing(self):
        dynamodb = client("dynamodb")
        table = dynamodb.create_table(
            TableName="plane-stream", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]  # fmt: skip
        self.addCleanup(dynamodb.delete_table, TableName="plane-stream")
        for value in ("a", "a", "b"):
            dynamodb.put_item(TableName="plane-stream", Item={"k": {"S": "1"}, "v": {"S": value}, "b": {"B": b"\x00\xff"}, "n": {"N": "1.50"}})
        dynamodb.delete_item(TableName="plane-stream", Key={"k": {"S": "1"}})
        found = control("GET", f"_sandbox/stream-records?stream={table['LatestStreamArn']}&after=&limit=10")["records"]
        self.assertEqual([one["eventName"] for one in found], ["INSERT", "MODIFY", "REMOVE"])
        self.assertEqual(found[1]["dynamodb"]["OldImage"], {"k": {"S": "1"}, "v": {"S": "a"}, "b": {"B": "AP8="}, "n": {"N": "1.50"}})
        after = found[1]["dynamodb"]["SequenceNumber"]
        rest = control("GET", f"_sandbox/stream-records?stream={table['LatestStreamArn']}&after={after}&limit=10")["records"]
        self.assertEqual(rest, found[2:])


if __name__ == "__main__":
    unittest.main()
