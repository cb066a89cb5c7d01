"""Identity policies: what a caller whose access key belongs to an IAM user or to an assumed role may do.

`check(call)` runs before a call has an effect. A key that IAM does not know belongs to the account's owner: nothing is
judged for it. What cannot be judged is refused and listed at `GET /_sandbox/access`, never silently allowed.

    callers.py    who calls, and with which policy statements
    needs.py      which actions on which resources a call asks for (beside.py: what else it needs, such as PassRole)
    resources.py  the resources that a request names, as ARNs; reference.py: which types an action has
    tags.py       tags of the request and of what is there
    evaluate.py   one action on one resource against the statements
    record.py     what was decided, by statement

Not judged at all, so that a policy which passes here may still meet them on AWS: policies of resources (buckets, keys, queues),
permissions boundaries, session policies and service control policies.
"""

from . import evaluate, needs, record
from .callers import caller_of
from .evaluate import Unjudged
from ..refusals import access_denied

# "No permissions are required to perform this operation" (API reference of GetCallerIdentity).
FREE = {("sts", "GetCallerIdentity")}


def check(call):
    """Raises AWS's refusal unless the caller's policies allow everything that the call needs."""
    if (call.service, call.operation) in FREE:
        return
    caller = caller_of(call.request)
    if caller is None:
        return
    try:
        asked = needs.of(call)
    except Unjudged as problem:
        record.unjudged(call, str(problem))
        raise access_denied(call.request, caller.arn) from problem
    for need in asked:
        verdict = evaluate.decide(caller.statements, need)
        record.decided(call, need, verdict)
        if not verdict.allowed:
            raise access_denied(call.request, caller.arn, need.action, need.resource, verdict.denied)


def made(call):
    """Notes what a call that succeeded made beside what it was asked for."""
    needs.made(call)
