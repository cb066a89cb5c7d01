"""rpc-v2-cbor <-> JSON values. aws-sdk-cloudwatch speaks only rpc-v2-cbor, moto only JSON and Query."""

import datetime

import cbor2


def to_json(value):
    """CBOR value -> JSON value: tag 1 (decoded as datetime already) becomes epoch seconds."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, list) else value


def dumps(shape, value):
    """JSON value -> CBOR bytes, guided by the service model."""
    return cbor2.dumps(_to_cbor(shape, value))


def _to_cbor(shape, value):
    """Timestamps become tag 1 and doubles stay floats; both are plain numbers in JSON."""
    if value is None or shape is None:
        return value
    kind = shape.type_name
    if kind == "structure":
        return {key: _to_cbor(shape.members.get(key), item) for key, item in value.items() if item is not None}
    if kind == "list":
        return [_to_cbor(shape.member, item) for item in value]
    if kind == "map":
        return {key: _to_cbor(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return cbor2.CBORTag(1, float(_epoch(value)))
    return float(value) if kind in ("double", "float") else value


def _epoch(value):
    if isinstance(value, (int, float)):
        return value
    return datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
