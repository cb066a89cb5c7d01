"""Execution environments: a Node.js process for each, warm between invocations and frozen as on Lambda."""

import asyncio
import base64
import io
import json
import os
import shutil
import signal
import sys
import time
import zipfile

from . import children, packages

# Real seconds that loading the code may take ("Understanding the Lambda execution environment lifecycle": 10, then once more with the function's time).
INIT_SECONDS = 30
# Answers are at most 6 MB on Lambda; a line of the log may be long too.
MOST = 32 * 1024 * 1024


class Code:
    """Unpacked zips, one folder for each digest."""

    def __init__(self, plane):
        self.folder = plane.folder / "functions" / "code"
        self._emulator = plane.emulator
        self._lock = asyncio.Lock()

    async def folder_of(self, digest):
        """The folder with the files of a zip."""
        target = self.folder / digest.replace("/", "_").replace("+", "-").rstrip("=")
        async with self._lock:
            if not target.is_dir():
                from urllib.parse import quote

                answer = await self._emulator.control("GET", f"code?digest={quote(digest, safe='')}")
                await asyncio.to_thread(_unpack, base64.b64decode(answer["zip"]), target)
        return target


def _unpack(content, target):
    new = target.with_name(target.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(new)
    os.rename(new, target)


class Ended(Exception):
    """The process has ended in the middle; `status` is the error that Lambda answers."""

    def __init__(self, error):
        super().__init__(error["errorMessage"])
        self.error = error


class Host:
    """One environment of a function."""

    def __init__(self, plane, function, log):
        self.plane, self.function, self._log = plane, function, log
        self.process = None
        self._answers = None
        self._transport = None
        self._reading = None
        self._fatal = None

    async def start(self, folder, modules):
        """Loads the code; raises `Ended` when that fails."""
        reading, writing = os.pipe()
        try:
            self.process = await asyncio.create_subprocess_exec(
                self._node(),
                f"--max-old-space-size={max(64, int(self.function['memory'] * 0.9))}",
                "--require",
                str(packages.HERE / "preload.cjs"),
                str(packages.HERE / "host.cjs"),
                cwd=folder,
                env=self._environment(folder, modules) | {"DATA_PLANE_ANSWERS": str(writing)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=MOST,
                pass_fds=(writing,),
                start_new_session=True,
                preexec_fn=children.tied(),
            )
        finally:
            os.close(writing)
        self._answers = asyncio.StreamReader(limit=MOST)
        protocol = asyncio.StreamReaderProtocol(self._answers)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb", 0))
        self._reading = asyncio.create_task(self._read_log())
        try:
            answer = await asyncio.wait_for(self._next("init"), INIT_SECONDS)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            await self.end()
            raise
        if "init" in answer:
            await self.end()
            raise Ended(answer["init"])

    @staticmethod
    def _node():
        found = shutil.which("node")
        if found is None:
            raise RuntimeError("the data plane needs Node.js")
        return found

    def _environment(self, folder, modules):
        function, region = self.function, self.function["region"]
        reserved = {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_SESSION_TOKEN": "sandbox",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function['runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": function["name"],
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["memory"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function["log_group"],
            "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime("%Y/%m/%d/[$LATEST]") + os.urandom(16).hex(),
            "_HANDLER": function["handler"],
            "LAMBDA_TASK_ROOT": str(folder),
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "PATH": os.environ.get("PATH", ""),
            "NODE_PATH": str(modules),
        }
        # What stands in for AWS itself: its endpoints, its names, and the authority of its databases' certificates.
        ours = {
            "AWS_ENDPOINT_URL": self.plane.emulator.endpoint,
            "DB_CA_FILE": str(self.plane.folder / "ca.pem"),
            "DATA_PLANE_NAMES": str(self.plane.folder / "names.json"),
        }
        return {**function["environment"], **reserved, **ours}

    async def run(self, request, event, seconds):
        """One invocation; the payload as text. Raises `Ended`; `asyncio.TimeoutError` when the time is over, and then it is gone."""
        self._signal(signal.SIGCONT)
        end = int((time.time() + seconds) * 1000)
        line = json.dumps({"id": request, "event": json.loads(event), "arn": self.function["arn"], "end": end})
        try:
            self.process.stdin.write(line.encode() + b"\n")
            await self.process.stdin.drain()
            answer = await asyncio.wait_for(self._next(request), seconds)
        except (ConnectionError, asyncio.TimeoutError):
            await self.end()
            raise
        # Nothing runs between two invocations.
        self._signal(signal.SIGSTOP)
        return answer

    async def _next(self, request):
        line = await self._answers.readline()
        answer = json.loads(line) if line else {}
        if "fatal" in answer or not line:
            # It ends by itself, with a status that says why.
            await asyncio.wait([asyncio.ensure_future(self.process.wait())], timeout=2)
            await self.end()
            code = self.process.returncode
            how = f"exit status {code}" if code is not None and code >= 0 else f"signal: {signal.Signals(-(code or -9)).name}"
            error = {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request} Error: Runtime exited with error: {how}"}
            raise Ended(answer.get("fatal") or error)
        return answer

    def _signal(self, number):
        children.send(self.process, number)

    @property
    def alive(self):
        """Whether its process is there."""
        return self.process is not None and self.process.returncode is None

    async def _read_log(self):
        try:
            while line := await self.process.stdout.readline():
                self._log(line.decode(errors="replace").rstrip("\n"))
        except ValueError as long:
            print(f"data plane: a line of the log of {self.function['name']} is too long: {long}", file=sys.stderr, flush=True)

    async def end(self):
        """Ends the process."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()
        if self._transport is not None:
            self._transport.close()
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=1)
            self._reading.cancel()
