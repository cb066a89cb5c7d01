"""How a service reaches its database: as the contract of the applications wants it. The password is read from the secret when a
connection is made, and again when PostgreSQL refuses the old one."""

import asyncio
import contextlib
import json

import asyncpg

from . import tls

MOST = 8
# Seconds until a connection is there, and until a statement is done.
CONNECT_SECONDS, STATEMENT_SECONDS = 5.0, 10.0


class Unreachable(OSError):
    """There is no connection to the database."""


class Database:
    """A pool of connections with the settings of a service."""

    def __init__(self, plane, region, settings):
        self.plane, self.region, self.settings = plane, region, settings
        self._pool, self._credentials, self._lock = None, None, asyncio.Lock()
        self.secret_reads = 0
        # Whether amounts are whole minor units and states words; known once it has been looked at.
        self.is_green = None

    async def _secret(self, again=False):
        if self._credentials is None or again:
            arn = self.settings.get("DATABASE_SECRET_ARN")
            if arn is None:
                raise Unreachable("it has no password, and nobody checks tokens of IAM here")
            answer = await self.plane.emulator.aws("secretsmanager", "get_secret_value", self.region, SecretId=arn)
            self._credentials = json.loads(answer["SecretString"])
            self.secret_reads += 1
        return self._credentials

    async def _opened(self):
        async with self._lock:
            if self._pool is None:
                address = self.plane.names.address(self.settings["DATABASE_HOST"])
                credentials = await self._secret()
                context = tls.client(self.plane.authority)

                async def password():
                    return (await self._secret())["password"]

                self._pool = asyncpg.create_pool(
                    host=address, port=int(self.settings["DATABASE_PORT"]), database=self.settings["DATABASE_NAME"],
                    user=credentials["username"], password=password, ssl=context, min_size=0, max_size=MOST,
                    max_inactive_connection_lifetime=60, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS, reset=_reset,
                    server_settings={"application_name": self.settings.get("NAME", "service")},
                )  # fmt: skip
                await self._pool
        return self._pool

    async def run(self, work):
        """What `await work(connection)` answers. Raises `Unreachable` when there is no connection, else asyncpg's errors."""
        for attempt in (1, 2):
            pool = await self._opened()
            try:
                connection = await pool.acquire(timeout=CONNECT_SECONDS)
            except asyncpg.InvalidAuthorizationSpecificationError as refused:
                # The password was changed: 28P01.
                if attempt == 2:
                    raise Unreachable(str(refused)) from refused
                await self._secret(again=True)
                continue
            except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError,
                    asyncpg.InterfaceError, asyncpg.InvalidCatalogNameError) as failed:  # fmt: skip
                raise Unreachable(f"{type(failed).__name__}: {failed}") from failed
            try:
                return await work(connection)
            except (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, ConnectionError,
                    asyncpg.InterfaceError, asyncpg.InternalClientError) as broken:  # fmt: skip
                raise Unreachable(f"{type(broken).__name__}: {broken}") from broken
            finally:
                await _released(pool, connection)
        raise Unreachable("no connection")

    async def look(self, connection):
        """Whose schema it is: green's has whole minor units. `None` while there are no payments."""
        if self.is_green is None:
            kind = await connection.fetchval(
                "SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = to_regclass('public.payments') AND attnum > 0"
            )
            self.is_green = None if kind is None else "amount_minor" in kind.split()
        return self.is_green

    async def close(self):
        """Closes all connections."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


async def _reset(connection):
    """Only what was left open: nothing of ours changes a session."""
    if connection.is_in_transaction():
        await connection.reset()


async def _released(pool, connection):
    """Gives a connection back. One that broke has left the pool by itself, which is no error of the request that had it."""
    try:
        await pool.release(connection, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        with contextlib.suppress(asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection.terminate()
