"""Tags in the context of a need: those that a request sets, and those of what is there."""

import moto.backends

from .evaluate import Unjudged

KEYS = ("Tags", "tags", "TagList", "AddTags", "tagsList", "Tagging")


def asked(params, kind=None):
    """The tags that a request sets: EC2 names the type of what they are for."""
    found = {}
    for specification in params.get("TagSpecifications") or params.get("TagSpecification") or []:
        if kind is None or specification.get("ResourceType") == kind:
            found.update(_pairs(specification.get("Tags")))
    for key in KEYS:
        found.update(_pairs(params.get(key)))
    for inner in ("CreateBucketConfiguration", "Tagging"):
        if isinstance(params.get(inner), dict):
            found.update(_pairs(params[inner].get("Tags") or params[inner].get("TagSet")))
    return found


def _pairs(tags):
    if isinstance(tags, dict):
        inner = tags.get("Tag") or tags.get("TagSet")
        return _pairs(inner) if isinstance(inner, list) else {k: v for k, v in tags.items() if isinstance(v, str)}
    found = {}
    for tag in tags or []:
        key = tag.get("Key") or tag.get("key") or tag.get("TagKey")
        found[key] = tag.get("Value") or tag.get("value") or tag.get("TagValue") or ""
    return found


def of(call, arn):
    """The tags of what has this ARN; none for what is only about to be made."""
    service = arn.split(":")[2]
    if service not in READERS:
        raise Unjudged(f"aws:ResourceTag of {service}")
    return READERS[service](call, arn) if "*" not in arn else {}


def _backend(service, arn):
    _, _, _, region, account, _ = arn.split(":", 5)
    return moto.backends.get_backend(service)[account][region]


def _ec2(_call, arn):
    return dict(_backend("ec2", arn).tags.get(arn.rpartition("/")[2], {}))


def _kms(_call, arn):
    identity = arn.rpartition("/")[2]
    backend = _backend("kms", arn)
    return _pairs(backend.list_resource_tags(identity)["Tags"]) if identity in backend.keys else {}


def _acm(_call, arn):
    certificate = _backend("acm", arn)._certificates.get(arn)
    return {key: value or "" for key, value in certificate.tags.items()} if certificate else {}


def _config(_call, arn):
    backend = _backend("config", arn)
    rule = next((rule for rule in backend.config_rules.values() if rule.config_rule_arn == arn), None)
    return dict(rule.tags) if rule else {}


def _lambda(_call, arn):
    if ":event-source-mapping:" not in arn:
        raise Unjudged("aws:ResourceTag of a function")
    mapping = _backend("lambda", arn)._event_source_mappings.get(arn.rpartition(":")[2])
    return dict(mapping.tags or {}) if mapping else {}


READERS = {"ec2": _ec2, "kms": _kms, "acm": _acm, "config": _config, "lambda": _lambda}
