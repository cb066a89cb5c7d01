"""Read-after-write lag: a resource just created is invisible to reads for a while, as EC2's and IAM's are on AWS."""

import re

from .call import refuse
from .describes import DESCRIBES, not_found

ID = re.compile(r"(?<![\w-])[a-z]+(?:-[a-z]+)*-[0-9a-f]{8,17}(?![\w-])")


class Lag:
    """Remembers when ids appeared: in the answer of the first write that names them. A later write that names a thing (an
    association names its VPC) makes it no younger."""

    def __init__(self):
        self._born = {}
        self._known = set()

    def forget(self):
        """Nothing is there."""
        self._born.clear()
        self._known.clear()

    def filtered(self, call, write, answer):
        """Notes what a write made; takes what is too young out of a read's answer."""
        seconds = call.gateway.faults.lag_seconds
        if call.service not in ("ec2", "iam"):
            return answer
        if write:
            self._note(call, answer, seconds)
        if write or seconds <= 0:
            return answer
        now = call.clock.now()
        self._born = {name: at for name, at in self._born.items() if now - at < seconds}
        if self._born:
            (_hide_ec2 if call.service == "ec2" else _hide_iam)(call, answer, self._born)
        return answer

    def _note(self, call, answer, seconds):
        """Without a lag a thing is never young, but from then on it is known."""
        if call.service == "iam":
            born = _role_names(call)
        else:
            sent = call.request.body.decode("utf-8", "replace")
            named = set(ID.findall(answer.text))
            born = [name for name in named - self._known if name not in sent]
            self._known |= named
        if seconds > 0:
            self._born.update(dict.fromkeys(born, call.clock.now()))


def _role_names(call):
    return [f"role/{call.params['RoleName']}"] if call.operation == "CreateRole" else []


def _hide_ec2(call, answer, born):
    kind = DESCRIBES.get(call.operation)
    if kind is None:
        return
    for asked in call.params.get(kind.ids, []) if kind.ids else []:
        if asked in born:
            raise not_found(kind, asked)
    key = kind.list
    young = [item for item in answer.data.get(key, []) if item.get(kind.id) in born]
    if young:
        answer.data[key] = [item for item in answer.data[key] if item.get(kind.id) not in born]


def _hide_iam(call, answer, born):
    name = call.params.get("RoleName")
    if name and f"role/{name}" in born:
        refuse("NoSuchEntity", f"The role with name {name} cannot be found.")
    key = {"ListRoles": "Roles", "GetAccountAuthorizationDetails": "RoleDetailList"}.get(call.operation)
    if key and answer.data.get(key):
        answer.data[key] = [role for role in answer.data[key] if f"role/{role['RoleName']}" not in born]
