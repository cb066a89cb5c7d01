"""When an alarm goes off ("Using Amazon CloudWatch alarms", "Configuring how CloudWatch alarms treat missing data"): pure functions."""

import ast
import operator
import re

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
# CloudWatch looks at more periods than an alarm evaluates, because data come late.
MORE = 2


def periods(now, period, number):
    """The begins of the last closed periods that are looked at, oldest first."""
    end = int(now // period) * period
    return [end - period * back for back in range(number + MORE, 0, -1)]


def state(values, alarm, before=OK):
    """The state of an alarm from the values of the periods that were looked at, oldest first, `None` where data are missing."""
    breaches = COMPARISONS[alarm["comparison"]]
    number, needed = alarm["periods"], alarm["datapoints"]
    there = [breaches(value, alarm["threshold"]) for value in reversed(values) if value is not None][:number]
    absent, bad = number - len(there), sum(there)
    if bad >= needed:
        return ALARM
    if not absent:
        return OK
    missing = alarm["missing"]
    if missing == "breaching":
        return ALARM if bad + absent >= needed else OK
    if missing == "notBreaching":
        return OK
    if missing == "ignore":
        return before if bad or not there else OK
    if not there:
        return INSUFFICIENT
    return ALARM if bad >= min(needed, len(there)) else OK


TOKEN = re.compile(r"""\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*["']?([^"')]+?)["']?\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))""")


def composite(rule, states):
    """The state of a composite alarm from those of the alarms that its rule names; what is not there is in no state."""
    words, at = [], 0
    while rule[at:].strip():
        found = TOKEN.match(rule, at)
        if found is None:
            raise ValueError(f"the rule {rule!r} is not understood at {rule[at:]!r}")
        wanted, name, word, bracket = found.groups()
        if wanted:
            words.append(str(states.get(name.split(":alarm:")[-1]) == wanted))
        else:
            words.append({"TRUE": "True", "FALSE": "False"}.get(word, (word or bracket).lower()))
        at = found.end()
    return ALARM if _true(ast.parse(" ".join(words), mode="eval").body) else OK


def _true(node):
    if isinstance(node, ast.BoolOp):
        every = [_true(one) for one in node.values]
        return all(every) if isinstance(node.op, ast.And) else any(every)
    if isinstance(node, ast.UnaryOp):
        return not _true(node.operand)
    return node.value
