"""One action on one resource against the statements of identity policies ("Policy evaluation logic", IAM user guide)."""

import fnmatch
import functools
import re
from collections import namedtuple

from .. import policies

# What is asked for: an IAM action, a resource, and a function that answers the context's value of a key (None: the request
# has none; raises Unjudged: nobody knows).
Need = namedtuple("Need", "action resource context")
# Whether it is allowed, by an explicit deny or not, by which statements, and what could not be judged on the way.
Verdict = namedtuple("Verdict", "allowed denied by unjudged")

OPERATORS = re.compile(
    r"^(?:(?:ForAllValues|ForAnyValue):)?(?:String(?:Not)?(?:Equals|Like|EqualsIgnoreCase)|Arn(?:Not)?(?:Equals|Like)|Bool|"
    r"Numeric(?:Not)?(?:Equals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals))(?:IfExists)?$|^Null$"
)
ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


class Unjudged(Exception):
    """Something that this evaluator does not know."""


def decide(statements, need):
    """The verdict of all statements on a need. A statement that cannot be judged allows nothing, and denies what it names."""
    allowing, denied, unjudged = [], False, []
    for statement in statements:
        deny = statement.get("Effect") == "Deny"
        try:
            applies = _applies(statement, need)
        except Unjudged as problem:
            unjudged.append(f"{statement.get('Sid', 'a statement')}: {problem}")
            applies = deny
        if applies and deny:
            denied = True
        elif applies:
            allowing.append(statement.get("Sid", "a statement"))
    return Verdict(bool(allowing) and not denied, denied, allowing, unjudged)


def _applies(statement, need):
    if not _named(statement, "Action", need.action) or not _named(statement, "Resource", need.resource):
        return False
    unknown = set(statement) - ELEMENTS
    if unknown:
        raise Unjudged(f"the element {', '.join(sorted(unknown))}")
    return all(
        _holds(operator, key, policies.as_list(wanted), need)
        for operator, block in statement.get("Condition", {}).items()
        for key, wanted in block.items()
    )


def _named(statement, element, value):
    patterns = policies.as_list(statement.get(element)) or policies.as_list(statement.get(f"Not{element}"))
    if any("${" in pattern for pattern in patterns):
        raise Unjudged("a policy variable")
    fold = str.lower if element == "Action" else str
    return _any_like(fold(value), tuple(map(fold, patterns))) == (element in statement)


@functools.lru_cache(maxsize=100_000)
def _any_like(value, patterns):
    """IAM's wildcards: * and ? alone. The same few actions and resources are asked about in every call."""
    return any(fnmatch.fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


def _holds(operator, key, wanted, need):
    if not OPERATORS.match(operator):
        raise Unjudged(f"the operator {operator}")
    if any("${" in str(value) for value in wanted):
        raise Unjudged("a policy variable")
    got = need.context(key)
    if isinstance(got, (list, set)):
        raise Unjudged(f"{key} with several values")
    block = {operator: {key: wanted}}
    return policies.conditions_hold({"Condition": block}, {} if got is None else {key: got})
