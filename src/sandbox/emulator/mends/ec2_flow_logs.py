"""Flow logs."""

from .. import tags
from ..call import mend, refuse


@mend("ec2", "DeleteFlowLogs")
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


@mend("ec2", "CreateFlowLogs")
def create_flow_logs(call):
    """AWS: a delivery role that does not exist is refused; a group may be named by its ARN in LogDestination."""
    role = call.params.get("DeliverLogsPermissionArn")
    if role and role.startswith(f"arn:aws:iam::{call.account}:role/"):
        name = role.rsplit("/", 1)[-1]
        if not any(known.name == name for known in call.backend_of("iam").roles.values()):
            refuse("InvalidParameter", f"Unable to assume given IAM role {role}")
    return call.forward()
