"""The types of resources of an action and their ARNs, from the Service Authorization Reference (`reference.json`)."""

import functools
import json
import pathlib
import re


@functools.cache
def _table():
    return json.loads((pathlib.Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))


def types(action):
    """[(type, required)] of an action; "*" stands for any type of its service. None for an action that is not in the table."""
    names = _table()["actions"].get(action)
    if names is None:
        return None
    if names == "*":
        return [("*", False)]
    # Names of types have no spaces but for one of Lambda's.
    words = names.replace("code signing config", "code-signing-config").split()
    return [(word.rstrip("*").replace("code-signing-config", "code signing config"), word.endswith("*")) for word in words]


def template(service, kind):
    """The ARN of a type, with ${Region}, ${Account} and what names one."""
    return _table()["types"][f"{service}:{kind}"]


def kinds(service):
    """All types of a service that the table has."""
    return [name.split(":", 1)[1] for name in _table()["types"] if name.startswith(f"{service}:")]


@functools.cache
def pattern(service, kind):
    """What an ARN of this type looks like."""
    parts = re.split(r"(\$\{\w+\})", template(service, kind))
    return re.compile("".join(".*" if part.startswith("${") else re.escape(part) for part in parts))
