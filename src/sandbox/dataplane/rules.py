"""The rules of a listener ("Condition types for listener rules", "Action types for listener rules"), and what a firewall counts."""

import base64
import functools
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote


@dataclass
class Facts:
    """What conditions look at."""

    method: str
    path: str
    query: str
    host: str
    headers: list
    source: str
    protocol: str = "HTTPS"
    port: int = 443


@functools.lru_cache(maxsize=2000)
def _pattern(text, ignore_case):
    """`*` stands for any characters, `?` for exactly one."""
    inner = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)
    return re.compile(inner, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _like(pattern, text, ignore_case=False):
    return _pattern(pattern, ignore_case).fullmatch(text) is not None


@functools.lru_cache(maxsize=2000)
def _within(address, block):
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


CONFIG = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


def holds(condition, facts):
    """Whether one condition holds: one of its values does. A kind that is not known never holds."""
    field = condition["Field"]
    config = condition.get(CONFIG.get(field, "")) or {}
    values = config.get("Values") or condition.get("Values") or []
    if field == "path-pattern":
        return any(_like(value, facts.path) for value in values)
    if field == "host-header":
        host = facts.host.rsplit(":", 1)[0] if facts.host.rsplit(":", 1)[-1].isdigit() else facts.host
        return any(_like(value, host, True) for value in values)
    if field == "http-request-method":
        return facts.method in values
    if field == "source-ip":
        return any(_within(facts.source, value) for value in values)
    if field == "http-header":
        name = config.get("HttpHeaderName", "").lower()
        found = [value for key, value in facts.headers if key.lower() == name]
        return any(_like(value, one, True) for value in values for one in found)
    if field == "query-string":
        pairs = parse_qsl(facts.query, keep_blank_values=True)
        return any(
            _like(value["Value"], text, True) and ("Key" not in value or _like(value["Key"], key, True))
            for value in values
            for key, text in pairs
        )
    return False


def actions(listener, facts):
    """The actions of the first rule whose conditions all hold, by priority; else the listener's own."""
    for rule in listener["rules"]:
        if all(holds(condition, facts) for condition in rule["conditions"]):
            return rule["actions"]
    return listener["actions"]


def last(found):
    """The action that answers: it is the last one."""
    return max(found, key=lambda action: action.get("Order") or 1) if found else None


def groups(action):
    """The target groups of a forward with their weights."""
    config = action.get("ForwardConfig") or {}
    found = [(one["TargetGroupArn"], int(one.get("Weight", 1))) for one in config.get("TargetGroups") or []]
    if not found and action.get("TargetGroupArn"):
        found = [(action["TargetGroupArn"], 1)]
    return found


def group(action, random):
    """One of them by weight; `None` when all weights are 0."""
    found = groups(action)
    total = sum(weight for _, weight in found)
    if not total:
        return None
    at = random() * total
    for arn, weight in found:
        at -= weight
        if at < 0:
            return arn
    return found[-1][0]


def location(config, facts):
    """Where a redirect leads ("Redirect actions"): each part stays unless it is given."""
    path = facts.path.removeprefix("/")
    own = {"protocol": facts.protocol.lower(), "host": facts.host.rsplit(":", 1)[0], "port": str(facts.port), "path": path, "query": facts.query}

    def filled(key, default):
        text = config.get(key) or default
        return re.sub(r"#\{(\w+)\}", lambda found: own.get(found.group(1), ""), text)

    protocol = filled("Protocol", "#{protocol}").lower()
    query = filled("Query", "#{query}")
    end = f"?{query}" if query else ""
    return f"{protocol}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}{filled('Path', '/#{path}')}{end}"


# The firewall.


def _field(field, facts):
    if "UriPath" in field:
        return facts.path
    if "QueryString" in field:
        return facts.query
    if "Method" in field:
        return facts.method
    if "SingleHeader" in field:
        name = (field["SingleHeader"].get("Name") or "").lower()
        return next((value for key, value in facts.headers if key.lower() == name), None)
    return None


def _bytes_match(statement, facts):
    text = _field(statement["FieldToMatch"], facts)
    if text is None:
        return False
    for step in sorted(statement.get("TextTransformations") or [], key=lambda one: one["Priority"]):
        text = {"LOWERCASE": str.lower, "URL_DECODE": unquote}.get(step["Type"], str)(text)
    try:
        wanted = base64.b64decode(statement["SearchString"], validate=True).decode("latin-1")
    except ValueError:
        wanted = statement["SearchString"]
    where = statement["PositionalConstraint"]
    return {
        "EXACTLY": text == wanted,
        "STARTS_WITH": text.startswith(wanted),
        "ENDS_WITH": text.endswith(wanted),
        "CONTAINS": wanted in text,
    }.get(where, False)


def matches(statement, facts):
    """True or false, and `None` for what is not evaluated here: AWS's groups, rates, sets of addresses."""
    (kind, inner), *_ = statement.items()
    if kind == "ByteMatchStatement":
        return _bytes_match(inner, facts)
    if kind == "NotStatement":
        found = matches(inner["Statement"], facts)
        return None if found is None else not found
    if kind in ("AndStatement", "OrStatement"):
        found = [matches(one, facts) for one in inner["Statements"]]
        decides = kind == "OrStatement"
        if decides in found:
            return decides
        return None if None in found else not decides
    return None


def firewall(acl, facts):
    """The rules that count a request, and the one that blocks it or `None`."""
    counted = []
    for rule in acl["rules"]:
        if rule["action"] in ("Count", "Block", "Allow") and matches(rule["statement"], facts):
            if rule["action"] == "Count":
                counted.append(rule["name"])
            else:
                return counted, rule["name"] if rule["action"] == "Block" else None
    return counted, None if acl["default"] == "Allow" else "Default_Action"
