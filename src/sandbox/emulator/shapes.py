"""A request against its service model, as strictly as the model says: botocore's own validator leaves out upper limits,
patterns and enumerated values."""

import datetime
import functools
import re

# Python's type of each kind of scalar.
SCALARS = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (str, int, float, datetime.datetime),
}
# Java's character classes in patterns, in Python's words.
JAVA = [
    (r"\p{Print}", r"[ -~]"),
    (r"\p{L}", "a-zA-Z\u00c0-\uffff"),
    (r"\p{Zs}", " "),
    (r"\p{Z}", r"\s"),
    (r"\p{N}", "0-9"),
    (r"\p{M}", ""),
    (r"\p{S}", "$+<=>^`|~"),
    (r"\p{P}", "!-#%-*,-/:;?@\\[-\\]_{}"),
    (r"\p{IsLetter}", "a-zA-Z\u00c0-\uffff"),
    (r"\p{IsDigit}", "0-9"),
    (r"\p{IsPunctuation}", "!-#%-*,-/:;?@\\[-\\]_{}"),
    (r"\p{Alnum}", "a-zA-Z0-9"),
    (r"\p{ASCII}", "\x00-\x7f"),
    (r"\p{Graph}", "!-~"),
    (r"\p{Print}", " -~"),
]


def problems(value, shape, path=""):
    """What the model forbids in a value, one line each; a missing member first."""
    if value is None:
        return []
    kind = shape.type_name
    if kind == "structure":
        return _structure(value, shape, path)
    if kind == "list":
        if not isinstance(value, list):
            return [f"Invalid type for parameter {path}, must be a list"]
        inner = [line for item in value for line in problems(item, shape.member, path)]
        return _measure(len(value), shape, path, "size") + inner
    if kind == "map":
        if not isinstance(value, dict):
            return [f"Invalid type for parameter {path}, must be a map"]
        inner = [
            line
            for key, item in value.items()
            for line in problems(key, shape.key, f"{path} (key)") + problems(item, shape.value, f"{path}.{key}")
        ]
        return _measure(len(value), shape, path, "size") + inner
    return _scalar(value, shape, path, kind)


def unknown(value, shape, path=""):
    """Members that the model does not have. Newer clients may know more than the model here, so this is no refusal."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return []
        strange = [f"{path}.{name}".lstrip(".") for name in value if name not in shape.members]
        parts = [(value[name], member, f"{path}.{name}") for name, member in shape.members.items() if name in value]
    elif kind == "list" and isinstance(value, list):
        strange, parts = [], [(item, shape.member, path) for item in value]
    elif kind == "map" and isinstance(value, dict):
        strange, parts = [], [(item, shape.value, path) for item in value.values()]
    else:
        return []
    return strange + [line for part in parts for line in unknown(*part)]


def _structure(value, shape, path):
    if not isinstance(value, dict):
        return [f"Invalid type for parameter {path or 'input'}, must be a structure"]
    if getattr(shape, "is_document_type", False):
        return []
    where = path.lstrip(".") or "input"
    missing = [
        f'Missing required parameter in {where}: "{name}"' for name in shape.required_members if value.get(name) is None
    ]
    given = [name for name in shape.members if value.get(name) is not None]
    if getattr(shape, "is_tagged_union", False) and len(given) != 1:
        missing.append(f"Invalid number of members of {where}: exactly one of {', '.join(shape.members)}")
    inner = [line for name in given for line in problems(value[name], shape.members[name], f"{path}.{name}")]
    return missing + inner


def _scalar(value, shape, path, kind):
    path = path.lstrip(".")
    wanted = SCALARS.get(kind)
    if wanted and (not isinstance(value, wanted) or (kind not in ("boolean",) and isinstance(value, bool))):
        return [f"Invalid type for parameter {path}, value: {value}, must be of type {kind}"]
    if kind == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            return [f"Value ({value}) for parameter {path} is invalid. Valid values are {', '.join(shape.enum)}"]
        pattern = shape.metadata.get("pattern")
        found = _measure(len(value), shape, path, "length")
        if pattern and not _matcher(pattern).search(value):
            found.append(f"Value ({value}) for parameter {path} must satisfy the regular expression {pattern}")
        return found
    if kind == "blob":
        # JSON carries it as base64.
        size = len(value.rstrip("=")) * 3 // 4 if isinstance(value, str) else len(value)
        return _measure(size, shape, path, "length")
    if kind in ("integer", "long", "float", "double"):
        return _measure(value, shape, path, "value")
    return []


def _measure(size, shape, path, what):
    """A value, length or size against the model's least and most."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    path = path.lstrip(".")
    if least is not None and size < least:
        return [f"Invalid {what} for parameter {path}: {size}, valid min {what}: {least}"]
    if most is not None and size > most:
        return [f"Invalid {what} for parameter {path}: {size}, valid max {what}: {most}"]
    return []


@functools.cache
def _matcher(pattern):
    """A pattern of a model: written for Java, and meant for the whole value."""
    for java, python in JAVA:
        pattern = pattern.replace(java, python)
    try:
        return re.compile(rf"\A(?:{pattern})\Z")
    except re.error:
        return re.compile("")
