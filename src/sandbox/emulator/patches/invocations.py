"""Calls of functions: the data plane runs them. Without one no function runs, and the control path says what they answer."""

import http.client
import json
from urllib.parse import quote, urlsplit

from ..answer import Answer, Outside
from ..call import patch, refuse
from ..errors import AwsError
from ..store import store_of

RECORDS = "lambda-functions"
# The longest that a function runs, and a little.
LIMIT = 920


@patch("lambda", "Invoke")
def invoke(call):
    """AWS: runs it. Here: the data plane does; without one it is the answer that the control path gave for it, and without that it says
    that nothing runs. An answer `{"errorMessage": ...}` is that of a function that ended with an error."""
    name = call.params["FunctionName"].split(":function:")[-1].split(":")[0]
    known = call.backend._lambdas._functions.get(name)
    if known is None or known["latest"] is None:
        refuse("ResourceNotFoundException", f"Function not found: {call.arn('function:' + name)}", 404)
    state = call.store.table(RECORDS).get(name, {}).get("State", "Active")
    if state != "Active":
        refuse(
            "ResourceConflictException",
            f"The operation cannot be performed at this time. The function is currently in the following state: {state}",
            409,
        )
    answers = store_of("sandbox", "control").table("answers")
    if name in answers:
        return _said(call, answers[name])
    plane = store_of("sandbox", "control").table("data-plane").get("url")
    if not plane:
        refuse("NotImplemented", f"The sandbox runs no function. POST /_sandbox/answers says what {name} answers.", 501)
    return Outside(lambda: _run(call.request, plane, name))


def _said(call, value):
    """The answer that the control path gave for a function."""
    if isinstance(value, dict) and "actions" in value:
        event = json.loads(call.params.get("Payload") or b"{}")
        value = value["actions"].get(event.get("action", ""), {"errorMessage": f"no answer for {event}"})
    failed = "Unhandled" if isinstance(value, dict) and "errorMessage" in value else None
    return _answered(call.request, json.dumps(value), failed)


def _answered(request, payload, failed):
    headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
    if failed:
        headers.append(("X-Amz-Function-Error", failed))
    return Answer(request, status=200, headers=headers, body=payload.encode())


def _run(request, plane, name):
    """Has the data plane run it. No lock is held: the function calls AWS itself."""
    kind = request.params.get("InvocationType") or "RequestResponse"
    if kind == "DryRun":
        return Answer(request, status=204, headers=[], body=b"")
    event = request.params.get("Payload") or b"{}"
    try:
        json.loads(event)
    except ValueError as problem:
        raise AwsError("InvalidRequestContentException", f"Could not parse request body into json: {problem}", 400) from problem
    done = _post(plane, f"/invoke/{quote(name)}", {"event": event.decode() if isinstance(event, bytes) else event, "kind": kind})
    if done.get("throttled"):
        raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429)
    if kind == "Event":
        return Answer(request, status=202, headers=[], body=b"")
    return _answered(request, done["payload"], done.get("failed"))


def _post(plane, path, body):
    connection = http.client.HTTPConnection(urlsplit(plane).netloc, timeout=LIMIT)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise AwsError("ServiceException", f"the data plane answered {answer.status}: {text.decode(errors='replace')}", 500)
        return json.loads(text)
    except (OSError, http.client.HTTPException) as problem:
        raise AwsError("ServiceException", f"the data plane does not answer: {problem}", 500) from problem
    finally:
        connection.close()
