"""The stage of the rehearsal: the folder, the command line as a user types it, the sandbox, and what was seen."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# The functions that carry changes, by the direction.
LAGS = {"blue to green": "function-sync-green-dev", "green to blue": "function-sync-reverse-green-dev"}
# Real seconds that one command may take.
PATIENCE = 900
# What takes a second takes so many at most on a slow machine.
SLOWEST = 3


class Unexpected(Exception):
    """Something that the story cannot go on without."""


class Stage:
    """Runs commands, asks the data plane, keeps what was seen."""

    def __init__(self, deployer, folder, rate):
        self.deployer, self.folder, self.rate = str(Path(deployer).resolve()), folder.resolve(), rate
        self.folder.mkdir(parents=True, exist_ok=True)
        self.began = time.time()
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AWS_", "DEPLOYER_")) and key.upper() not in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        }
        self.environment |= {"NO_COLOR": "1", "RUST_BACKTRACE": "0", "AWS_EC2_METADATA_DISABLED": "true"}
        self.plane = None
        self.load = None
        self.events, self.figures, self.failures = [], [], []
        # Of each direction: [(real time, seconds behind)].
        self.lags = {}
        self.running = []
        # Acts for which the machine was too slow.
        self.slow = 0

    # What was seen

    def say(self, text):
        """A line of the story."""
        print(f"[{time.time() - self.began:6.1f} s] {text}", flush=True)

    def act(self, text):
        """A chapter begins."""
        self.events.append({"at": time.time(), "kind": "act", "text": text})
        print(f"\n== {text}", flush=True)

    def event(self, kind, text):
        """Something for the page."""
        self.events.append({"at": time.time(), "kind": kind, "text": text})
        self.say(text)

    def figure(self, name, value, unit="", limit=None):
        """A measured value; with a limit it must not be above it."""
        self.figures.append({"name": name, "value": value, "unit": unit, "limit": limit})
        shown = f"{value:.3g}" if isinstance(value, float) else str(value)
        self.say(f"{name}: {shown} {unit}".rstrip() + (f" (at most {limit:g} wanted)" if limit is not None else ""))

    def check(self, what, good, detail=""):
        """A promise; what does not hold is a failure of the rehearsal."""
        text = f"{what}: {'yes' if good else 'NO'}{f' ({detail})' if detail else ''}"
        self.events.append({"at": time.time(), "kind": "good" if good else "bad", "text": text})
        self.say(text)
        if not good:
            self.failures.append(text)
        return good

    def fail(self, text):
        """The story cannot go on."""
        self.failures.append(text)
        self.event("bad", f"the rehearsal ends here: {text}")

    # Commands

    def run(self, line, expect=0, quiet=False):
        """Runs `deployer LINE` and answers what it printed. Another exit code than the expected one ends the story."""
        process = self.start(line)
        return self.wait(process, expect, quiet)

    def start(self, line):
        """Starts `deployer LINE`."""
        self.say(f"$ deployer {line}")
        # Files, since nobody reads while the story looks elsewhere.
        said = [tempfile.TemporaryFile("w+", encoding="utf-8") for _ in range(2)]  # noqa: SIM115 - until the command has ended
        process = subprocess.Popen(
            [self.deployer, *shlex.split(line)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=said[0],
            stderr=said[1],
        )
        process.line, process.began, process.said = line, time.time(), said
        self.running.append(process)
        return process

    def wait(self, process, expect=0, quiet=False):
        """Waits for a command that was started."""
        late = ""
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            late = f"\n(killed after {PATIENCE} s)"
        out, err = map(_read, process.said)
        err += late
        self.running.remove(process)
        seconds = time.time() - process.began
        with open(self.folder / "commands.log", "a", encoding="utf-8") as log:
            log.write(f"$ deployer {process.line}\n{err}{out}(exit {process.returncode} after {seconds:.1f} s)\n\n")
        self.events.append({"at": time.time(), "kind": "command", "text": f"deployer {process.line}", "seconds": seconds, "exit": process.returncode, "output": f"{err}\n{out}"})
        expected = expect if isinstance(expect, tuple) else (expect,)
        if process.returncode not in expected:
            tail = "\n".join((err + out).strip().splitlines()[-25:])
            raise Unexpected(f"`deployer {process.line}` ended with {process.returncode}, not {expect}, after {seconds:.0f} s:\n{tail}")
        if not quiet:
            for text in out.strip().splitlines()[-6:]:
                print(f"             {text[:200]}")
            self.say(f"exit {process.returncode} after {seconds:.1f} s")
        return out

    def json(self, line, expect=0):
        """The document of a command."""
        return json.loads(self.run(f"{line} --json", expect, quiet=True))

    def kill(self, process):
        """Kills a command, as a crash would."""
        process.send_signal(signal.SIGKILL)
        self.wait(process, expect=-signal.SIGKILL, quiet=True)

    # The sandbox

    def up(self):
        """The sandbox with its data plane, and what commands need to see it."""
        info = self.json(f"sandbox up --data-plane --clock-rate {self.rate:g}")
        self.plane = info["data_plane"]
        self.environment |= {
            "AWS_ENDPOINT_URL": info["endpoint"],
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": "eu-central-1",
            "AWS_CA_BUNDLE": self.plane["certificates"],
            "DEPLOYER_CLOCK_RATE": self.plane["clock"],
            "DEPLOYER_EDGE": self.plane["edge"],
        }
        self.say(f"emulator {info['endpoint']}, data plane {self.plane['control']}, one minute passes in {60 / self.rate:g} s")

    def ask(self, path, body=None):
        """The data plane's control path."""
        return _json(f"{self.plane['control']}{path}", body)

    def emulator(self, path, body=None):
        """The emulator's control path."""
        return _json(f"{self.environment['AWS_ENDPOINT_URL']}/_sandbox{path}", body)

    def now(self):
        """The time that the data plane and the commands have."""
        rate, origin = self.plane["clock"].split("@")
        return float(origin) + (time.time() - float(origin)) * float(rate)

    def real(self, stamp):
        """When that was, in real time."""
        rate, origin = self.plane["clock"].split("@")
        return float(origin) + (stamp - float(origin)) / float(rate)

    def until(self, what, look, seconds=60.0, every=0.25):
        """Waits until `look` answers something; answers it. A slow machine has longer."""
        end = time.time() + seconds * SLOWEST
        while time.time() < end:
            found = look()
            if found:
                return found
            time.sleep(every)
        raise Unexpected(f"{what} did not come about within {seconds * SLOWEST:g} s")

    def end(self, keep):
        """Ends load, commands, and the sandbox unless it is kept."""
        if self.load is not None:
            self.load.end()
        for process in list(self.running):
            process.kill()
            process.wait()
        if self.plane is not None:
            with contextlib.suppress(OSError, ValueError, Unexpected):
                self.lags = {way: self._lag(function) for way, function in LAGS.items()}
        if keep:
            exports = " ".join(f"{key}={value}" for key, value in self.environment.items() if key.startswith(("AWS_", "DEPLOYER_")))
            self.say(f"it goes on running; in {self.folder}: export {exports}; `deployer sandbox down` ends it")
            return
        subprocess.run([self.deployer, "sandbox", "down"], cwd=self.folder, env=self.environment, capture_output=True, check=False)

    def _lag(self, function):
        """What a function published of how far it is behind."""
        first = float(self.plane["clock"].split("@")[1])
        query = {
            "account": "123456789012", "region": self.environment["AWS_REGION"], "namespace": "PaymentMigration", "name": "LagSeconds",
            "dimensions": {"FunctionName": function}, "period": 60, "statistic": "Maximum", "from": int(first) // 60 * 60,
        }  # fmt: skip
        body = {"first": query["from"], "last": int(self.now()), "queries": [query]}
        return [(self.real(at), value) for at, value in self.emulator("/series", body)["series"][0]]

    def result(self):
        """For programs."""
        return {"failures": self.failures, "figures": self.figures, "seconds": round(time.time() - self.began, 1)}

    def summary(self):
        """The figures, and what did not hold."""
        print(f"\n== After {time.time() - self.began:.0f} s")
        width = max((len(one["name"]) for one in self.figures), default=0)
        for one in self.figures:
            value = f"{one['value']:.3g}" if isinstance(one["value"], float) else one["value"]
            print(f"  {one['name']:<{width}}  {value} {one['unit']}" + (f"  (wanted: at most {one['limit']:g})" if one["limit"] is not None else ""))
        for one in self.failures:
            print(f"NOT AS PROMISED: {one}")
        print("everything that was promised was seen" if not self.failures else f"{len(self.failures)} promises were not kept", flush=True)
        sys.stdout.flush()


def _read(file):
    with file:
        file.seek(0)
        return file.read()


def _json(url, body):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise Unexpected(f"{url}: {refused.code} {refused.read().decode(errors='replace')}") from refused
