"""Read-after-write lag: a resource just created is invisible to reads for a while, as EC2's and IAM's are on AWS."""

import re

from .call import refuse
from .describes import DESCRIBES, not_found

ID = re.compile(r"^[a-z]+(-[a-z]+)*-[0-9a-f]{8,17}$")


class Lag:
    """Remembers when ids appeared; asked only while a lag is set."""

    def __init__(self):
        self._born = {}

    def forget(self):
        """Nothing is young."""
        self._born.clear()

    def filtered(self, call, write, answer):
        """Notes what a write made; takes what is too young out of a read's answer."""
        seconds = call.gateway.faults.lag_seconds
        if seconds <= 0 or call.service not in ("ec2", "iam"):
            return answer
        if write:
            sent = call.request.body.decode("utf-8", "replace")
            for name in _ids(answer.data) if call.service == "ec2" else _role_names(call):
                if call.service == "iam" or name not in sent:
                    self._born[name] = call.clock.now()
            return answer
        now = call.clock.now()
        self._born = {name: at for name, at in self._born.items() if now - at < seconds}
        if self._born:
            (_hide_ec2 if call.service == "ec2" else _hide_iam)(call, answer, self._born)
        return answer


def _role_names(call):
    return [f"role/{call.params['RoleName']}"] if call.operation == "CreateRole" else []


def _ids(data):
    """Every id in an answer."""
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        return [name for item in data for name in _ids(item)]
    return [data] if isinstance(data, str) and ID.match(data) else []


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
    roles = answer.data.get("Roles") if call.operation == "ListRoles" else None
    if roles:
        answer.data["Roles"] = [role for role in roles if f"role/{role['RoleName']}" not in born]
