ec2, kms, iam, logs, s3, dynamodb, rds, secrets, elb = map(c, "ec2 kms iam logs s3 dynamodb rds secretsmanager elbv2".split())

def tag(id, **tags):
    ec2.create_tags(Resources=[id], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

def association(table, subnet):
    found = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"]
    return [a["RouteTableAssociationId"] for a in found if a.get("SubnetId") == subnet][0]

def guard(acl, subnet):
    found = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Associations"]
    return [a["NetworkAclAssociationId"] for a in found if a["SubnetId"] == subnet][0]

