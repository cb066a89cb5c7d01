"""Metric math of alarms ("Using metric math with CloudWatch metrics"): arithmetic, comparisons, IF and FILL over series.

A series is a dict from the second at which a period begins to its value; a number stands for itself in every period.
"""

import ast
import operator

OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def evaluate(text, series, periods):
    """The series of an expression over these periods. ValueError for what is not known."""
    try:
        return _full(_value(ast.parse(text.strip(), mode="eval").body, series, periods), periods)
    except SyntaxError as bad:
        raise ValueError(f"{text!r}: {bad}") from bad


def _full(value, periods):
    return value if isinstance(value, dict) else {at: value for at in periods}


def _value(node, series, periods):
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id not in series:
            raise ValueError(f"{node.id} is not there")
        return series[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _joined(operator.sub, 0.0, _value(node.operand, series, periods))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return _joined(OPERATORS[type(node.op)], _value(node.left, series, periods), _value(node.right, series, periods))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OPERATORS:
        return _joined(OPERATORS[type(node.ops[0])], _value(node.left, series, periods), _value(node.comparators[0], series, periods))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id.upper(), node.args, series, periods)
    raise ValueError(f"{ast.unparse(node)} is not known here")


def _call(name, nodes, series, periods):
    found = [_value(node, series, periods) for node in nodes]
    if name == "FILL" and len(found) == 2 and isinstance(found[1], float):
        return {at: found[0].get(at, found[1]) for at in periods} if isinstance(found[0], dict) else found[0]
    if name == "IF" and len(found) == 3:
        asked, yes, no = (_full(one, periods) for one in found)
        chosen = {at: (yes if asked[at] else no).get(at) for at in periods if at in asked}
        return {at: value for at, value in chosen.items() if value is not None}
    if name in ("MAX", "MIN") and len(found) == 1 and isinstance(found[0], dict):
        return {"MAX": max, "MIN": min}[name](found[0].values(), default=0.0)
    raise ValueError(f"{name} with {len(found)} values is not known here")


def _joined(work, left, right):
    """Period by period; one without data on either side has none. A division by zero has none either."""

    def one(a, b):
        try:
            return float(work(a, b))
        except ZeroDivisionError:
            return None

    if not isinstance(left, dict) and not isinstance(right, dict):
        return one(left, right) or 0.0
    at = set(left) & set(right) if isinstance(left, dict) and isinstance(right, dict) else set(left if isinstance(left, dict) else right)
    pairs = {key: one(left[key] if isinstance(left, dict) else left, right[key] if isinstance(right, dict) else right) for key in at}
    return {key: value for key, value in pairs.items() if value is not None}
