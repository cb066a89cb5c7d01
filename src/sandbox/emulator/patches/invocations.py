"""Calls of functions: no function runs here, so the control path says what they answer."""

import json

from ..answer import Answer
from ..call import patch, refuse
from ..store import store_of

RECORDS = "lambda-functions"


@patch("lambda", "Invoke")
def invoke(call):
    """AWS: runs it. Here: the answer that the control path gave for it; without one it says that nothing runs. An answer
    `{"errorMessage": ...}` is that of a function that ended with an error."""
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
    if name not in answers:
        refuse("NotImplemented", f"The sandbox runs no function. POST /_sandbox/answers says what {name} answers.", 501)
    value = answers[name]
    if isinstance(value, dict) and "actions" in value:
        event = json.loads(call.params.get("Payload") or b"{}")
        value = value["actions"].get(event.get("action", ""), {"errorMessage": f"no answer for {event}"})
    headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
    if isinstance(value, dict) and "errorMessage" in value:
        headers.append(("X-Amz-Function-Error", "Unhandled"))
    return Answer(call.request, status=200, headers=headers, body=json.dumps(value).encode())
