"""The guide's commands, which the rehearsal must have played, and what they print."""

import re
from pathlib import Path

FILE = Path(__file__).resolve().parent / "guide.md"
# What a person does not type, or types when asked.
EXTRA = re.compile(r" --(yes|json|destroy-data|ignore-migration)\b")
COMMAND, PRINTED = "    deployer ", "    |"


def commands():
    """Its command lines without comments, each with the lines right below that it prints."""
    found, below = [], False
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith(COMMAND):
            found.append((re.sub(r"\s+#.*$", "", line.strip()), []))
        elif below and line.startswith(PRINTED):
            found[-1][1].append(_plain(line.removeprefix(PRINTED)))
        below = line.startswith(COMMAND) or (below and line.startswith(PRINTED))
    return found


def _plain(line):
    return " ".join(line.split())


def printed(line, output):
    """Whether a command printed a line; `...` stands for anything, a number for any other."""
    pattern = ".*".join(re.sub(r"\d+", lambda _: r"\d+", re.escape(part)) for part in line.split("..."))
    return any(re.fullmatch(pattern, _plain(one)) for one in output.splitlines())


def missing(stage, short=False):
    """Commands of the guide that were not played, and lines that they did not print; `<...>` stands for anything. The short form leaves acts out: only what it plays must print what the guide says."""
    played = [(EXTRA.sub("", event["text"]), event["output"]) for event in stage.events if event["kind"] == "command"]
    found = []
    for command, lines in commands():
        if command.startswith("deployer rehearse"):
            continue
        pattern = "".join(".+" if part.startswith("<") else re.escape(part) for part in re.split(r"(<[^>]*>)", command))
        outputs = [output for line, output in played if re.fullmatch(pattern, line)]
        if not (outputs or short):
            found.append(command)
        found += [f"{command}: {line}" for line in lines if outputs and not any(printed(line, output) for output in outputs)]
    return found
