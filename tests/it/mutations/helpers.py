import io
import zipfile

ec2, kms, iam, logs, s3, dynamodb, rds, secrets, elb, acm, dns, waf, sns, sqs, ssm, ecr, ecs, functions, watch, scaling, scheduler, config, events = map(
    c, "ec2 kms iam logs s3 dynamodb rds secretsmanager elbv2 acm route53 wafv2 sns sqs ssm ecr ecs lambda cloudwatch application-autoscaling scheduler config events".split()
)

# What a script makes whose name only it knows.
made = {}

def tag(id, **tags):
    ec2.create_tags(Resources=[id], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

def association(table, subnet):
    found = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"]
    return [a["RouteTableAssociationId"] for a in found if a.get("SubnetId") == subnet][0]

def guard(acl, subnet):
    found = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Associations"]
    return [a["NetworkAclAssociationId"] for a in found if a["SubnetId"] == subnet][0]


zone = dns.list_hosted_zones()["HostedZones"][0]["Id"]

def record(name, id):
    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [r for r in found if r["Name"] == name + "." and r.get("SetIdentifier") == id][0]

def records(*changes):
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": r} for action, r in changes]}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

def acl(name, id, change, **more):
    found = waf.get_web_acl(Name=name, Scope="REGIONAL", Id=id)
    rules = {r["Name"]: r for r in found["WebACL"]["Rules"]}
    change(rules)
    waf.update_web_acl(Name=name, Scope="REGIONAL", Id=id, LockToken=found["LockToken"], DefaultAction={"Allow": {}}, Description=found["WebACL"]["Description"], VisibilityConfig=found["WebACL"]["VisibilityConfig"], Rules=list(rules.values()), **more)


def archive(name):
    """A zip with one file that is not ours."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr(name, "exports.handler = async () => ({})")
    return packed.getvalue()


def reschedule(group, name, change):
    found = scheduler.get_schedule(GroupName=group, Name=name)
    keep = ("Name", "GroupName", "Description", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target", "State", "KmsKeyArn", "ActionAfterCompletion")
    sent = {key: found[key] for key in keep if found.get(key) is not None}
    change(sent)
    scheduler.update_schedule(**sent)
