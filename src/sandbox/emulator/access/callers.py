"""Who calls, and with which statements: IAM users (own policies and those of their groups) and assumed roles."""

import json
from collections import namedtuple

import moto.backends

from .. import policies

Caller = namedtuple("Caller", "arn statements")


def caller_of(request):
    """The caller of a request; None for a key that IAM does not know."""
    backend = moto.backends.get_backend("iam")[request.account]["aws"]
    key = backend.access_keys.get(request.access_key)
    # moto notes the keys of sessions here too, without a user.
    if key is not None and key.user_name:
        arn = f"arn:aws:iam::{request.account}:user/{key.user_name}"
        return Caller(arn, _statements(_of_user(backend, key.user_name)))
    role = moto.backends.get_backend("sts")[request.account]["aws"].get_assumed_role_from_access_key(request.access_key)
    # moto gives sessions of roles that are not there.
    if role is None or not any(one.name == _name(role.role_arn) for one in backend.roles.values()):
        return None
    return Caller(role.arn, _statements(_of_role(backend, role.role_arn)))


def of_principal(account, arn):
    """The statements of a user or a role, for SimulatePrincipalPolicy; None when there is no such principal."""
    backend = moto.backends.get_backend("iam")[account]["aws"]
    kind, _, name = arn.rpartition(":")[2].partition("/")
    name = _name(name)
    if kind == "user" and name in backend.users:
        return _statements(_of_user(backend, name))
    if kind == "role" and any(role.name == name for role in backend.roles.values()):
        return _statements(_of_role(backend, arn))
    return None


def _of_user(backend, name):
    user = backend.users[name]
    yield from user.policies.values()
    yield from map(_document, user.managed_policies.values())
    for group in backend.get_groups_for_user(name):
        yield from group.policies.values()
        yield from map(_document, group.managed_policies.values())


def _of_role(backend, arn):
    role = next(role for role in backend.roles.values() if role.name == _name(arn))
    yield from role.policies.values()
    yield from map(_document, role.managed_policies.values())


def _name(arn):
    return arn.rpartition("/")[2]


def _document(policy):
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _statements(documents):
    found = []
    for document in documents:
        if isinstance(document, dict) and "Statement" not in document:
            document = document.get("policy_document") or document.get("PolicyDocument")
        found += _parsed(document if isinstance(document, str) else json.dumps(document))
    return found


def _parsed(text, known={}):  # noqa: B006 - each document is parsed once
    if text not in known:
        known[text] = policies.statements(text)
    return known[text]
