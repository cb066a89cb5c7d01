"""Tags and client tokens, for every type of EC2."""

import json

from moto.core.resource_tagging import TaggedResource
from moto.ec2.models import EC2Backend
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from ..answer import Answer
from ..call import patch, refuse
from ..errors import AwsError
from ..moto_parts import replaces
from ..request import VOLATILE_FIELDS

PREFIX = "tgw-"


@patch("ec2", "CreateTags")
def create_tags(call):
    """AWS: an id that does not exist is refused, whatever its type. moto: does not look at several types."""
    from .. import tgw

    for name in call.params.get("Resources", []):
        kind = (
            "attachments"
            if name.startswith("tgw-attach-")
            else "tables"
            if name.startswith("tgw-rtb-")
            else "gateways"
            if name.startswith(PREFIX)
            else None
        )
        if kind:
            tgw.get(call, kind, name)
        for prefix, table, code in (
            ("vpce-svc-", call.backend.configurations, "InvalidVpcEndpointServiceId.NotFound"),
            ("vpce-", call.backend.vpc_end_points | call.backend.configurations, "InvalidVpcEndpointId.NotFound"),
            ("acl-", call.backend.network_acls, "InvalidNetworkAclID.NotFound"),
            ("fl-", call.backend.flow_logs, "InvalidFlowLogId.NotFound"),
        ):
            if name.startswith(prefix) and name not in table:
                refuse(code, f"The ID '{name}' does not exist")
        if name.startswith("sgr-") and not call.backend.describe_security_group_rules([name], {}):
            refuse("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{name}' does not exist")
    if any(tag["Key"].lower().startswith("aws:") for tag in call.params.get("Tags", [])):
        refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    return call.forward()


def _all_tagged(self):
    """AWS: the tagging API returns every tagged EC2 resource. moto: lists some types only."""
    for name, tags in list(self.tags.items()):
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(name))
        if tags and kind:
            arn = f"arn:{self.partition}:ec2:{self.region_name}:{self.account_id}:{TYPE_IN_ARN.get(kind, kind)}/{name}"
            yield TaggedResource(arn=arn, tags=dict(tags), resource_type=f"ec2:{TYPE_IN_ARN.get(kind, kind)}")


TYPE_IN_ARN = {"flow-logs": "vpc-flow-log", "nat-gateway": "natgateway"}
replaces(EC2Backend, "iter_tagged_resources")(lambda _original: _all_tagged)


@patch("ec2", "*")
def client_tokens(call):
    """AWS: a create sent again with its ClientToken answers what the first one made, even when that is gone by now; with
    other parameters it is refused. moto: makes a second one."""
    if call.internal or not call.operation.startswith(("Create", "Allocate")):
        return call.forward()
    token = call.params.get("ClientToken")
    if not token:
        return call.forward()
    asked = json.dumps(
        {key: value for key, value in call.params.items() if key not in VOLATILE_FIELDS}, sort_keys=True, default=str
    )
    known = call.store.table("client-tokens")
    if (call.operation, token) in known:
        first, data = known[call.operation, token]
        if first != asked:
            raise AwsError(
                "IdempotentParameterMismatch", f"The client token {token} was used with different parameters before"
            )
        return Answer(call.request, data=data)
    answer = call.forward()
    known[call.operation, token] = asked, answer.data
    return answer
