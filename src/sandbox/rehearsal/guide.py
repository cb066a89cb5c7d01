"""The guide's commands, which the rehearsal must have played."""

import re
from pathlib import Path

FILE = Path(__file__).resolve().parent / "guide.md"
# What a person does not type, or types when asked.
EXTRA = re.compile(r" --(yes|json|destroy-data|ignore-migration)\b")


def commands():
    """The command lines of its blocks, without comments."""
    lines = [line.strip() for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("    deployer ")]
    return [re.sub(r"\s+#.*$", "", line) for line in lines]


def missing(stage):
    """Commands of the guide that were not played; `<...>` stands for anything."""
    played = [EXTRA.sub("", event["text"]) for event in stage.events if event["kind"] == "command"]
    found = []
    for command in commands():
        pattern = "".join(".+" if part.startswith("<") else re.escape(part) for part in re.split(r"(<[^>]*>)", command))
        if not command.startswith("deployer rehearse") and not any(re.fullmatch(pattern, line) for line in played):
            found.append(command)
    return found
