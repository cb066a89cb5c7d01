"""Policy documents: just enough of IAM's evaluation to tell who a statement is for and whether its conditions hold."""

import fnmatch
import json


def statements(document):
    """The statements of a policy given as text, bytes or dict."""
    parsed = json.loads(document) if isinstance(document, (str, bytes)) else document
    return as_list(parsed.get("Statement"))


def as_list(value):
    """A policy element that may be one thing or a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


def principals(statement, kind):
    """The principals of a kind ("AWS", "Service") in a statement; "*" alone stands for all."""
    principal = statement.get("Principal")
    if principal == "*":
        return ["*"]
    return as_list(principal.get(kind)) if isinstance(principal, dict) else []


def covers(statement, element, value):
    """Whether an element ("Action", "Resource") of a statement matches a value."""
    fold = str.lower if element == "Action" else str
    return any(
        fnmatch.fnmatchcase(fold(value), fold(pattern).replace("[", "[[]"))
        for pattern in as_list(statement.get(element))
    )


def conditions_hold(statement, context):
    """Whether all conditions of a statement hold; a key that the context does not have makes its condition false (true for
    operators that end with IfExists and for negated ones, as in IAM)."""
    for operator, block in statement.get("Condition", {}).items():
        for key, wanted in block.items():
            got = next((value for name, value in context.items() if name.lower() == key.lower()), None)
            if not _holds(operator, got, [str(value) for value in as_list(wanted)]):
                return False
    return True


def _holds(operator, got, wanted):
    name = operator.split(":")[-1]
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (got is None) == (wanted[0].lower() == "true")
    negated = "Not" in name
    if got is None:
        return optional or negated
    plain = name.replace("Not", "")
    if plain.startswith(("String", "Arn", "Bool")):
        fold = str.lower if plain in ("Bool", "StringEqualsIgnoreCase") else str
        wild = plain in ("StringLike", "ArnLike", "ArnEquals")
        hit = any(fnmatch.fnmatchcase(got, value) if wild else fold(got) == fold(value) for value in wanted)
        return hit != negated
    if plain.startswith("Numeric"):
        number, limit = float(got), float(wanted[0])
        return {
            "NumericEquals": number == limit,
            "NumericLessThan": number < limit,
            "NumericLessThanEquals": number <= limit,
            "NumericGreaterThan": number > limit,
            "NumericGreaterThanEquals": number >= limit,
        }.get(plain, False) != negated
    return False
