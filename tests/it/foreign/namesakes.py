ec2 = c("ec2")
def tags(kind, name, step):
    mine = {"Name": f"{name}-dev"} if other is None else {"Name": f"{name}-{other}", "EnvironmentSuffix": other, "DeployerStep": step}
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in mine.items()]}]
ids = []
for number, other in enumerate((None, "other")):
    def made(kind, name, id, answer):
        ids.append(answer[id])
        return answer[id]
    t = lambda kind, name: {"TagSpecifications": tags(kind, name, name)}
    vpc = made("vpc", "", "VpcId", ec2.create_vpc(CidrBlock=f"10.{90 + number}.0.0/16", **t("vpc", "vpc-green"))["Vpc"])
    subnet = made("subnet", "", "SubnetId", ec2.create_subnet(VpcId=vpc, AvailabilityZone="eu-central-1a", CidrBlock=f"10.{90 + number}.1.0/24", **t("subnet", "subnet-app-a-green"))["Subnet"])
    igw = made("igw", "", "InternetGatewayId", ec2.create_internet_gateway(**t("internet-gateway", "igw-green"))["InternetGateway"])
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    table = made("rtb", "", "RouteTableId", ec2.create_route_table(VpcId=vpc, **t("route-table", "rtb-app-green"))["RouteTable"])
    made("acl", "", "NetworkAclId", ec2.create_network_acl(VpcId=vpc, **t("network-acl", "acl-app-green"))["NetworkAcl"])
    made("sg", "", "GroupId", ec2.create_security_group(VpcId=vpc, GroupName="security-group-alb-green-dev", Description="x", **t("security-group", "security-group-alb-green")))
    made("vpce", "", "VpcEndpointId", ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.eu-central-1.s3", RouteTableIds=[table], **t("vpc-endpoint", "vpce-s3-green"))["VpcEndpoint"])
    gateway = made("tgw", "", "TransitGatewayId", ec2.create_transit_gateway(**t("transit-gateway", "tgw-shared"))["TransitGateway"])
    made("tgw-rtb", "", "TransitGatewayRouteTableId", ec2.create_transit_gateway_route_table(TransitGatewayId=gateway, **t("transit-gateway-route-table", "tgw-rt-green-shared"))["TransitGatewayRouteTable"])
    made("tgw-attach", "", "TransitGatewayAttachmentId", ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet], **t("transit-gateway-attachment", "tgw-attach-green"))["TransitGatewayVpcAttachment"])
print(json.dumps(ids))
