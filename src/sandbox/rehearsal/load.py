"""The customers' process, and what their lines say."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


class Load:
    """Runs the customers."""

    def __init__(self, stage, domain, per_second):
        dns, https = stage.plane["edge"].split("/")
        self.folder = stage.folder
        sources = str(Path(__file__).resolve().parent.parent)
        self.log = open(stage.folder / "customers.log", "w", encoding="utf-8")  # noqa: SIM115 - for as long as it runs
        arguments = {
            "folder": stage.folder, "domain": domain, "dns": dns, "https": https, "ca": stage.plane["certificates"],
            "rate": stage.rate, "per-second": per_second,
        }  # fmt: skip
        line = [f"--{name}={value}" for name, value in arguments.items()]
        environment = os.environ | {"PYTHONPATH": sources}
        self.process = subprocess.Popen([sys.executable, "-m", "rehearsal.customers", *line], env=environment, stdout=self.log, stderr=self.log)

    def start_anew(self):
        """The customers that never look a name up again start anew: some of them have green's address then."""
        self.process.send_signal(signal.SIGUSR1)

    def less(self):
        """Half as many requests from now on."""
        self.process.send_signal(signal.SIGUSR2)

    def end(self):
        """No more payments; those under way come to their end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=45)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def attempts(self):
        """All attempts so far."""
        return _lines(self.folder / "attempts.jsonl")

    def payments(self):
        """All payments that came to an end so far."""
        return _lines(self.folder / "payments.jsonl")


def _lines(path):
    if not path.exists():
        return []
    found = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            # The last one may be half written.
            if line.endswith("\n"):
                found.append(json.loads(line))
    return found
