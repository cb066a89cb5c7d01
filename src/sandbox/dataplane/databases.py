"""The databases: each cluster with an instance that serves is backed by a PostgreSQL server under the names of its endpoints."""

import asyncio
import json
import traceback

from . import packages
from .postgres import Home, Server

# Real seconds until something that failed is tried again.
AGAIN = 1.0
COMMANDS = ("stop", "start", "crash")
# As on Aurora (user guide, "Security with Amazon Aurora PostgreSQL"). The master user is a superuser here: PostgreSQL 14 lets nobody else set
# `session_replication_role`, which AWS's own build grants to `rds_superuser`.
ROLES = ("rds_superuser", "rds_replication", "rds_iam", "rds_password")


class Part:
    """All servers."""

    def __init__(self, plane):
        self.plane = plane
        self._home = None
        self.clusters = {}

    async def follow(self, model):
        """Starts, stops and removes what differs."""
        wanted = {one["resource"]: one for one in model.get("clusters", [])}
        if wanted and self._home is None:
            native = packages.native(await packages.installed())
            self._home = await asyncio.to_thread(Home, self.plane.folder, native)
        for resource in set(self.clusters) - set(wanted):
            self.clusters.pop(resource).want(None)
        for resource, cluster in wanted.items():
            if resource not in self.clusters:
                self.clusters[resource] = Cluster(self.plane, self._home, cluster)
            self.clusters[resource].want(cluster)

    def routes(self):
        """See control.py."""
        return {("POST", "databases"): self._command}

    async def _command(self, body, _query, _rest):
        """`{"green": "stop"}`: the server does not answer until `start`; `crash` ends it without notice, and it starts again by itself."""
        for name, command in body.items():
            if command not in COMMANDS:
                raise ValueError(f"{name}: {command!r} is none of {', '.join(COMMANDS)}")
            found = self.find(name)
            await found.command(command)
        return self.state()

    def find(self, name):
        """A cluster by its identifier, or by the environment that stands in it."""
        for one in self.clusters.values():
            if name == one.name or name in one.name.split("-"):
                return one
        raise LookupError(f"no cluster is called {name}; there are {', '.join(one.name for one in self.clusters.values()) or 'none'}")

    def state(self):
        """See control.py."""
        return {one.name: one.shown() for one in self.clusters.values()}

    async def close(self):
        """All end."""
        await asyncio.gather(*(one.end() for one in self.clusters.values()), return_exceptions=True)
        if self._home is not None:
            await asyncio.to_thread(self._home.close)


class Cluster:
    """One cluster and its server. What is wanted is brought about one thing after the other by a task of its own."""

    def __init__(self, plane, home, wanted):
        self.plane, self.name, self.wanted = plane, wanted["id"], wanted
        names = [wanted["endpoint"], wanted["reader"]]
        self.addresses = [plane.names.address(name) for name in names]
        certificate = plane.authority.issue([*names, *self.addresses])
        self.server = Server(home, wanted["resource"], self.addresses, wanted["port"], certificate)
        self.held = False
        self.problem = None
        self.crashes = 0
        self._settings, self._version, self._user = None, None, None
        self._known = set()
        self._made = False
        self._look = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def want(self, wanted):
        """What the model says of it now; `None` when it is gone."""
        self.wanted = wanted
        self._look.set()

    async def command(self, command):
        """Of the control path; waits until it is done."""
        self.held = command == "stop"
        if command == "crash":
            self.crashes += 1
            await self.server.stop("immediate")
        elif command == "stop":
            await self.server.stop("fast")
        self._look.set()
        while command != "stop" and self.wanted and self.wanted["serving"] and not self.ready:
            await asyncio.sleep(0.05)

    @property
    def ready(self):
        """Whether it takes connections of the master user."""
        return self.server.ready and self._user is not None and self.problem is None

    def shown(self):
        """For people and for the story; passwords are in the secret alone."""
        wanted = self.wanted or {}
        return {
            "ready": self.ready,
            "held": self.held,
            "endpoint": wanted.get("endpoint"),
            "address": self.addresses[0],
            "port": self.server.port,
            "database": wanted.get("database"),
            "user": wanted.get("user"),
            "secret": wanted.get("secret"),
            "region": wanted.get("region"),
            "ca": str(self.plane.folder / "ca.pem"),
            "log": str(self.server.log),
            "pid": self.server.process.pid if self.server.running else None,
            "problem": self.problem,
        }

    async def end(self):
        """The data plane ends."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.server.remove()

    async def _run(self):
        while True:
            self._look.clear()
            try:
                if self.wanted is None:
                    await self.server.remove()
                    return
                await self._settle(self.wanted)
                self.problem = None
                waits = [asyncio.ensure_future(self._look.wait())]
                if self.server.running:
                    # Its end is noticed too: what was not asked to end starts again.
                    waits.append(asyncio.ensure_future(self.server.process.wait()))
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for one in waits:
                    one.cancel()
            except Exception as failure:  # noqa: BLE001 - it is shown, and tried again
                if self.held or self.wanted is None:
                    continue  # it was stopped while it started
                self.problem = f"{type(failure).__name__}: {failure}"
                print(f"data plane: {self.name}: {self.problem}", flush=True)
                traceback.print_exc()
                await asyncio.sleep(AGAIN)

    async def _settle(self, wanted):
        if not wanted["serving"] or self.held:
            await self.server.stop("fast")
            return
        if not self._made:
            await self.server.make()
            self._known = await self.server.known()
            self._made = True
        settings = self._wanted_settings(wanted)
        if settings != self._settings or self.server.port != wanted["port"]:
            if self.server.port != wanted["port"]:
                await self.server.stop("fast")
                self.server.port = wanted["port"]
            self.server.configure(*settings[:1], self._known, settings[1])
            self._settings = settings
            self.server.reload()
        if not self.server.running:
            await self.server.start()
        if self._version != wanted["secret_version"] or self._user != wanted["user"]:
            await self._users(wanted)

    @staticmethod
    def _wanted_settings(wanted):
        parameters = dict(wanted["parameters"])
        logical = parameters.get("rds.logical_replication") in ("1", "on", "true")
        parameters["wal_level"] = "logical" if logical else "replica"
        return parameters, parameters.get("rds.force_ssl") in ("1", "on", "true")

    async def _users(self, wanted):
        """The master user with the password of the secret, and its database; again when the password has changed."""
        secret = {"username": wanted["user"], "password": None}
        if wanted["secret"]:
            answer = await self.plane.emulator.aws(
                "secretsmanager", "get_secret_value", wanted["region"], SecretId=wanted["secret"], VersionId=wanted["secret_version"]
            )
            secret = json.loads(answer["SecretString"])
        admin = await self.server.admin("postgres")
        try:
            there = {row["rolname"] for row in await admin.fetch("SELECT rolname FROM pg_roles")}
            for role in ROLES:
                if role not in there:
                    await admin.execute(f"CREATE ROLE {role}")
            user, password = _name(secret["username"]), _text(secret["password"] or "")
            verb = "ALTER" if secret["username"] in there else "CREATE"
            await admin.execute(f"{verb} ROLE {user} LOGIN SUPERUSER CREATEDB CREATEROLE REPLICATION PASSWORD {password}")
            await admin.execute(f"GRANT rds_superuser, rds_replication TO {user}")
            database = wanted["database"]
            if database and not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
                await admin.execute(f"CREATE DATABASE {_name(database)} OWNER {user}")
        finally:
            await admin.close()
        self._version, self._user = wanted["secret_version"], wanted["user"]


def _name(text):
    return '"' + text.replace('"', '""') + '"'


def _text(text):
    return "'" + text.replace("'", "''") + "'"
