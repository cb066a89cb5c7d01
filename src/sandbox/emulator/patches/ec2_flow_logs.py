"""Flow logs."""

from .. import tags
from ..call import patch, refuse


@patch("ec2", "DeleteFlowLogs")
def delete_flow_logs(call):
    """AWS: unknown ids are listed in Unsuccessful, the tags go with a flow log. moto: refuses the whole call, keeps tags."""
    names = call.params["FlowLogIds"]
    known = [name for name in names if name in call.backend.flow_logs]
    for name in known:
        del call.backend.flow_logs[name]
        tags.drop(call, name)
    unknown = [name for name in names if name not in known]
    failed = [
        {
            "ResourceId": name,
            "Error": {"Code": "InvalidFlowLogId.NotFound", "Message": f"The flow log ID '{name}' does not exist"},
        }
        for name in unknown
    ]
    return {"Unsuccessful": failed}


@patch("ec2", "CreateFlowLogs")
def create_flow_logs(call):
    """AWS: a delivery role that does not exist is refused; a group named by its ARN in LogDestination is the same as by
    its name. moto: takes any role, delivers to groups by name only."""
    role = call.params.get("DeliverLogsPermissionArn")
    if role and role.startswith(f"arn:aws:iam::{call.account}:role/"):
        name = role.rsplit("/", 1)[-1]
        if not any(known.name == name for known in call.backend_of("iam").roles.values()):
            refuse("InvalidParameter", f"Unable to assume given IAM role {role}")
    destination = call.params.get("LogDestination", "")
    if ":log-group:" in destination and not call.params.get("LogGroupName"):
        group = destination.split(":log-group:", 1)[1].removesuffix(":*")
        params = {key: value for key, value in call.params.items() if key != "LogDestination"}
        return call.forward({**params, "LogGroupName": group})
    return call.forward()
