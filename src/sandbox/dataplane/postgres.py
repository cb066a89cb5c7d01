"""One PostgreSQL server as the sandbox runs it for a cluster: files, settings, start and end."""

import asyncio
import os
import secrets
import shutil
import signal
import stat
import tempfile
from pathlib import Path

from . import children

# PostgreSQL refuses to be root.
NOBODY = 65534
# As on AWS the owner of everything, which nobody but the service itself uses.
ADMIN = "rdsadmin"
# Real seconds.
START_SECONDS = 60
STOP_SECONDS = 20
# The disk's promises don't matter here: the machine does not lose power, only processes end.
ALWAYS = {
    "fsync": "off",
    "full_page_writes": "off",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "max_replication_slots": "20",
    "max_wal_senders": "20",
    "timezone": "UTC",
    "ssl": "on",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.key",
    "ssl_min_protocol_version": "TLSv1.2",
    "password_encryption": "scram-sha-256",
    "log_destination": "stderr",
    "logging_collector": "off",
}
# Settings that name files or addresses are the sandbox's own.
OURS = set(ALWAYS) | {"port", "listen_addresses", "data_directory", "hba_file", "ident_file", "shared_preload_libraries", "log_directory"}
PREFIX = "deployer-data-plane-"


class Home:
    """Where servers keep their files: below the folder of the data plane, or elsewhere when the user that runs them can't reach that."""

    def __init__(self, folder, native):
        self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        self.folder = folder / "postgres"
        self._own = False
        self._sweep()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.user and not reachable(self.folder):
            self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
            self.folder.chmod(0o711)
            self._own = True
        self.native = native
        if self.user and not reachable(native):
            self.native = self.folder / "native"
            shutil.copytree(native, self.native, symlinks=True, copy_function=_same)

    def environment(self):
        """Of a server."""
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}

    def give(self, path):
        """A file for the user that runs the servers."""
        if self.user:
            os.chown(path, NOBODY, NOBODY)
        return path

    def close(self):
        """Removes what is nobody else's."""
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep(self):
        """Removes what a data plane left that was killed."""
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            pid = left.name.removeprefix(PREFIX).partition("-")[0]
            if pid.isdigit() and not children.alive(int(pid)):
                shutil.rmtree(left, ignore_errors=True)


def reachable(path):
    """Whether every user can reach a path."""
    path = Path(path).resolve()
    return all(one.stat().st_mode & stat.S_IXOTH for one in [path, *path.parents])


def _same(source, target, follow_symlinks=True):
    """A hard link where the disk is the same, otherwise a copy."""
    try:
        os.link(source, target, follow_symlinks=follow_symlinks)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=follow_symlinks)


class Server:
    """A server. `addresses` it listens on, `certificate` is (certificate, key) in PEM."""

    def __init__(self, home, name, addresses, port, certificate):
        self.home, self.name, self.addresses, self.port = home, name, addresses, port
        self.folder = home.folder / name
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._certificate = certificate
        self.password = secrets.token_urlsafe(24)
        self.process = None
        self._answers = False

    @property
    def ready(self):
        """Whether it takes connections."""
        return self._answers and self.running

    @property
    def running(self):
        """Whether its process is there."""
        return self.process is not None and self.process.returncode is None

    async def make(self):
        """An empty cluster, as initdb makes it. What is there is removed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.home.give(self.folder)
        word = self.home.give(_private(self.folder / "password", self.password.encode()))
        command = [self._program("initdb"), "-D", self.data, "-U", ADMIN, "--pwfile", word, "--auth", "scram-sha-256"]
        command += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
        process = await self._spawn(command, asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        word.unlink()
        if process.returncode != 0:
            raise RuntimeError(f"initdb of {self.name} failed: {output.decode(errors='replace')[-1000:]}")
        for file, content in zip(("server.pem", "server.key"), self._certificate, strict=True):
            self.home.give(_private(self.data / file, content))

    async def known(self):
        """Names of the settings that this PostgreSQL has."""
        process = await self._spawn([self._program("postgres"), "--describe-config"], asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        return {line.split("\t", 1)[0] for line in output.decode().splitlines()}

    def configure(self, settings, known, force_ssl):
        """Writes the settings; those that PostgreSQL does not know are left out (extensions that are not there)."""
        taken = {name: value for name, value in settings.items() if value is not None and name in known and name not in OURS}
        every = ALWAYS | {"max_connections": "200"} | taken
        every |= {"listen_addresses": ",".join(self.addresses), "port": str(self.port)}
        lines = [f"{name} = '{_escaped(value)}'\n" for name, value in sorted(every.items())]
        self.home.give(_private(self.data / "postgresql.auto.conf", "".join(lines).encode()))
        rules = [f"host all {ADMIN} 127.0.0.0/8 scram-sha-256"]
        # A token of IAM is not checked here; that it comes over TLS is.
        rules += ["hostssl all +rds_iam 0.0.0.0/0 trust", f"host{'ssl' if force_ssl else ''} all all 0.0.0.0/0 scram-sha-256"]
        self.home.give(_private(self.data / "pg_hba.conf", ("\n".join(rules) + "\n").encode()))

    def reload(self):
        """Takes on settings that need no restart."""
        children.send(self.process, signal.SIGHUP)

    async def start(self):
        """Starts it and waits until it answers."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._answers = False
        with open(self.log, "ab") as log:
            self.process = await self._spawn([self._program("postgres"), "-D", self.data], log)
        for _ in range(START_SECONDS * 20):
            if self.process.returncode is not None:
                break
            try:
                await (await self.admin("postgres")).close()
                self._answers = True
                return
            except (OSError, asyncio.TimeoutError):
                await asyncio.sleep(0.05)
            except Exception as refused:  # noqa: BLE001 - it is starting up, or shutting down
                if getattr(refused, "sqlstate", None) not in ("57P03", "57P01"):
                    raise
                await asyncio.sleep(0.05)
        status = self.process.returncode
        await self.stop("immediate")
        raise RuntimeError(f"PostgreSQL of {self.name} did not start (status {status}): {self._tail()}")

    async def stop(self, how="fast"):
        """`fast` is an orderly end, `immediate` a crash; clients are thrown out in both."""
        if not self.running:
            return
        children.send(self.process, signal.SIGINT if how == "fast" else signal.SIGQUIT)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except asyncio.TimeoutError:
            children.send(self.process, signal.SIGQUIT)
            await self.process.wait()

    async def remove(self):
        """It and all that it holds."""
        await self.stop("immediate")
        await asyncio.to_thread(shutil.rmtree, self.folder, True)

    async def admin(self, database):
        """A connection of the service itself."""
        import asyncpg

        return await asyncpg.connect(
            host=self.addresses[0], port=self.port, user=ADMIN, password=self.password, database=database, ssl=False, timeout=10, statement_cache_size=0
        )

    def _program(self, name):
        return self.home.native / "bin" / name

    async def _spawn(self, command, output):
        return await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=self.folder,
            env=self.home.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=children.tied(signal.SIGQUIT),
            **self.home.user,
        )

    def _tail(self):
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else "(no log)"


def _private(file, content):
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)
    return file


def _escaped(value):
    return str(value).replace("\\", "\\\\").replace("'", "''")
