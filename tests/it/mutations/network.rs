//! What someone does to the network by hand.

use super::{Mutation, by_hand, changed, extra, missing};

pub const ALL: &[Mutation] = &[
    by_hand(
        "ec2/vpc",
        r#"ec2.modify_vpc_attribute(VpcId="<vpc-green>", EnableDnsHostnames={"Value": False})"#,
        &[changed("vpc-green", "dns_hostnames")],
    ),
    by_hand(
        "ec2/vpc",
        r#"tag("<vpc-blue>", CostCenter="elsewhere")"#,
        &[changed("vpc-blue", "tags.CostCenter")],
    ),
    by_hand(
        "ec2/vpc",
        r#"ec2.associate_vpc_cidr_block(VpcId="<vpc-green>", CidrBlock="10.98.0.0/16")"#,
        &[extra("vpc-green", "extra_cidrs[10.98.0.0/16]")],
    ),
    by_hand(
        "ec2/subnet",
        r#"ec2.modify_subnet_attribute(SubnetId="<subnet-public-a-green>", MapPublicIpOnLaunch={"Value": True})"#,
        &[changed("subnet-public-a-green", "public_addresses")],
    ),
    by_hand(
        "ec2/subnet",
        r#"tag("<subnet-db-a-green>", Owner="somebody")"#,
        &[extra("subnet-db-a-green", "tags.Owner")],
    ),
    by_hand(
        "ec2/internet_gateway",
        r#"tag("<igw-green>", Name="gateway")"#,
        &[changed("igw-green", "tags.Name")],
    ),
    by_hand(
        "ec2/internet_gateway_attachment",
        r#"ec2.detach_internet_gateway(InternetGatewayId="<igw-blue>", VpcId="<vpc-blue>")"#,
        &[
            missing("igw-attachment-blue"),
            // It leads nowhere now.
            changed("rtb-public-routes-blue", "routes.0.0.0.0/0"),
        ],
    ),
    by_hand(
        "ec2/route_table",
        r#"ec2.delete_tags(Resources=["<rtb-app-green>"], Tags=[{"Key": "CostCenter"}])"#,
        &[changed("rtb-app-green", "tags.CostCenter")],
    ),
    by_hand(
        "ec2/route_table_subnets",
        r#"ec2.disassociate_route_table(AssociationId=association("<rtb-db-green>", "<subnet-db-b-green>"))"#,
        &[changed(
            "rtb-db-subnets-green",
            "subnets[<subnet-db-b-green>]",
        )],
    ),
    by_hand(
        "ec2/route_table_subnets",
        r#"ec2.associate_route_table(RouteTableId="<rtb-app-green>", GatewayId="<igw-green>")"#,
        &[extra("rtb-app-subnets-green", "gateways[<igw-green>]")],
    ),
    by_hand(
        "ec2/route_table_subnets",
        r#"ec2.replace_route_table_association(AssociationId=association("<rtb-app-blue>", "<subnet-app-a-blue>"), RouteTableId="<rtb-public-blue>")"#,
        &[
            changed("rtb-app-subnets-blue", "subnets[<subnet-app-a-blue>]"),
            extra("rtb-public-subnets-blue", "subnets[<subnet-app-a-blue>]"),
        ],
    ),
    by_hand(
        "ec2/main_route_table",
        r#"tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": ["<vpc-green>"]}])["RouteTables"]
main = [a["RouteTableAssociationId"] for t in tables for a in t["Associations"] if a.get("Main")][0]
ec2.replace_route_table_association(AssociationId=main, RouteTableId="<rtb-app-green>")"#,
        &[changed("rtb-main-green", "own")],
    ),
    by_hand(
        "ec2/main_route_table",
        r#"ec2.create_route(RouteTableId="<rtb-main-blue>", DestinationCidrBlock="10.98.0.0/16", TransitGatewayId="<tgw-shared>")"#,
        &[extra("rtb-main-blue", "routes.10.98.0.0/16")],
    ),
    by_hand(
        "ec2/routes",
        r#"ec2.create_route(RouteTableId="<rtb-app-green>", DestinationCidrBlock="10.99.0.0/16", TransitGatewayId="<tgw-shared>")"#,
        &[extra("rtb-app-routes-green", "routes.10.99.0.0/16")],
    ),
    by_hand(
        "ec2/routes",
        r#"ec2.delete_route(RouteTableId="<rtb-db-green>", DestinationCidrBlock="10.10.64.0/18")"#,
        &[changed("rtb-db-routes-green", "routes.10.10.64.0/18")],
    ),
    by_hand(
        "ec2/routes",
        r#"ec2.replace_route(RouteTableId="<rtb-app-green>", DestinationCidrBlock="10.10.64.0/18", GatewayId="<igw-green>")"#,
        &[changed("rtb-app-routes-green", "routes.10.10.64.0/18")],
    ),
    by_hand(
        "ec2/network_acl",
        r#"tag("<acl-app-green>", Owner="somebody")"#,
        &[extra("acl-app-green", "tags.Owner")],
    ),
    by_hand(
        "ec2/network_acl_entries",
        r#"ec2.create_network_acl_entry(NetworkAclId="<acl-db-green>", RuleNumber=999, Egress=False, Protocol="6", PortRange={"From": 22, "To": 22}, CidrBlock="0.0.0.0/0", RuleAction="allow")"#,
        &[extra("acl-db-entries-green", "ingress.999")],
    ),
    by_hand(
        "ec2/network_acl_entries",
        r#"ec2.replace_network_acl_entry(NetworkAclId="<acl-public-green>", RuleNumber=100, Egress=False, Protocol="6", PortRange={"From": 443, "To": 443}, CidrBlock="10.0.0.0/8", RuleAction="allow")"#,
        &[changed("acl-public-entries-green", "ingress.100.cidr")],
    ),
    by_hand(
        "ec2/network_acl_entries",
        r#"ec2.delete_network_acl_entry(NetworkAclId="<acl-app-green>", RuleNumber=160, Egress=True)"#,
        &[changed("acl-app-entries-green", "egress.160")],
    ),
    by_hand(
        "ec2/network_acl_subnets",
        r#"ec2.replace_network_acl_association(AssociationId=guard("<acl-db-green>", "<subnet-db-a-green>"), NetworkAclId="<acl-default-green>")"#,
        &[changed(
            "acl-db-subnets-green",
            "subnets[<subnet-db-a-green>]",
        )],
    ),
    by_hand(
        "ec2/network_acl_subnets",
        r#"ec2.replace_network_acl_association(AssociationId=guard("<acl-db-blue>", "<subnet-db-c-blue>"), NetworkAclId="<acl-app-blue>")"#,
        &[
            changed("acl-db-subnets-blue", "subnets[<subnet-db-c-blue>]"),
            extra("acl-app-subnets-blue", "subnets[<subnet-db-c-blue>]"),
        ],
    ),
    by_hand(
        "ec2/default_network_acl",
        r#"ec2.create_network_acl_entry(NetworkAclId="<acl-default-green>", RuleNumber=100, Egress=True, Protocol="-1", CidrBlock="0.0.0.0/0", RuleAction="allow")"#,
        &[extra("acl-default-green", "egress.100")],
    ),
    by_hand(
        "ec2/security_group",
        r#"tag("<security-group-alb-green>", CostCenter="elsewhere", Owner="somebody")"#,
        &[
            changed("security-group-alb-green", "tags.CostCenter"),
            extra("security-group-alb-green", "tags.Owner"),
        ],
    ),
    by_hand(
        "ec2/security_group_rules",
        r#"ec2.authorize_security_group_ingress(GroupId="<security-group-database-green>", IpPermissions=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])"#,
        &[extra(
            "security-group-database-rules-green",
            "ingress.tcp/5432 from 0.0.0.0/0",
        )],
    ),
    by_hand(
        "ec2/security_group_rules",
        r#"ec2.revoke_security_group_ingress(GroupId="<security-group-alb-green>", IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])"#,
        &[changed(
            "security-group-alb-rules-green",
            "ingress.tcp/80 from 0.0.0.0/0",
        )],
    ),
    by_hand(
        "ec2/security_group_rules",
        r#"ec2.update_security_group_rule_descriptions_ingress(GroupId="<security-group-alb-blue>", IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "whoever"}]}])"#,
        &[changed(
            "security-group-alb-rules-blue",
            "ingress.tcp/443 from 0.0.0.0/0",
        )],
    ),
    by_hand(
        "ec2/default_security_group",
        r#"ec2.authorize_security_group_egress(GroupId="<security-group-default-green>", IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])"#,
        &[extra(
            "security-group-default-green",
            "egress.all to 0.0.0.0/0",
        )],
    ),
    by_hand(
        "ec2/transit_gateway",
        r#"ec2.modify_transit_gateway(TransitGatewayId="<tgw-shared>", Description="Ours", Options={"DnsSupport": "disable"})"#,
        &[
            changed("tgw-shared", "description"),
            changed("tgw-shared", "dns_support"),
        ],
    ),
    by_hand(
        "ec2/transit_gateway_route_table",
        r#"ec2.delete_tags(Resources=["<tgw-rt-blue-shared>"], Tags=[{"Key": "Service"}])"#,
        &[changed("tgw-rt-blue-shared", "tags.Service")],
    ),
    by_hand(
        "ec2/transit_gateway_attachment",
        r#"ec2.modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId="<tgw-attach-green>", RemoveSubnetIds=["<subnet-app-c-green>"], Options={"ApplianceModeSupport": "enable"})"#,
        &[
            changed("tgw-attach-green", "appliance_mode"),
            changed("tgw-attach-green", "subnets[<subnet-app-c-green>]"),
        ],
    ),
    by_hand(
        "ec2/transit_gateway_association",
        r#"ec2.disassociate_transit_gateway_route_table(TransitGatewayRouteTableId="<tgw-rt-green-shared>", TransitGatewayAttachmentId="<tgw-attach-green>")"#,
        &[missing("tgw-assoc-green")],
    ),
    by_hand(
        "ec2/transit_gateway_propagations",
        r#"ec2.disable_transit_gateway_route_table_propagation(TransitGatewayRouteTableId="<tgw-rt-green-shared>", TransitGatewayAttachmentId="<tgw-attach-blue>")"#,
        &[changed(
            "tgw-propagations-blue",
            "attachments[<tgw-attach-blue>]",
        )],
    ),
    by_hand(
        "ec2/transit_gateway_propagations",
        r#"ec2.enable_transit_gateway_route_table_propagation(TransitGatewayRouteTableId="<tgw-rt-blue-shared>", TransitGatewayAttachmentId="<tgw-attach-blue>")"#,
        &[extra(
            "tgw-propagations-green",
            "attachments[<tgw-attach-blue>]",
        )],
    ),
    by_hand(
        "ec2/transit_gateway_routes",
        r#"ec2.delete_transit_gateway_route(TransitGatewayRouteTableId="<tgw-rt-blue-shared>", DestinationCidrBlock="10.20.0.0/18")"#,
        &[changed("tgw-routes-green", "routes.10.20.0.0/18")],
    ),
    by_hand(
        "ec2/transit_gateway_routes",
        r#"ec2.create_transit_gateway_route(TransitGatewayRouteTableId="<tgw-rt-blue-shared>", DestinationCidrBlock="10.99.0.0/16", TransitGatewayAttachmentId="<tgw-attach-green>")"#,
        &[extra("tgw-routes-green", "routes.10.99.0.0/16")],
    ),
    by_hand(
        "ec2/transit_gateway_routes",
        r#"ec2.replace_transit_gateway_route(TransitGatewayRouteTableId="<tgw-rt-green-shared>", DestinationCidrBlock="10.10.0.0/18", TransitGatewayAttachmentId="<tgw-attach-blue>")"#,
        &[changed("tgw-routes-blue", "routes.10.10.0.0/18")],
    ),
    by_hand(
        "ec2/gateway_endpoint",
        r#"ec2.modify_vpc_endpoint(VpcEndpointId="<vpce-dynamodb-green>", RemoveRouteTableIds=["<rtb-db-green>"], AddRouteTableIds=["<rtb-public-green>"])"#,
        &[
            changed("vpce-dynamodb-green", "route_tables[<rtb-db-green>]"),
            extra("vpce-dynamodb-green", "route_tables[<rtb-public-green>]"),
        ],
    ),
    by_hand(
        "ec2/gateway_endpoint",
        r#"ec2.delete_vpc_endpoints(VpcEndpointIds=["<vpce-s3-blue>"])"#,
        &[missing("vpce-s3-blue")],
    ),
    by_hand(
        "ec2/endpoint_service",
        r#"ec2.modify_vpc_endpoint_service_permissions(ServiceId="<endpoint-service-green>", AddAllowedPrincipals=["arn:aws:iam::999999999999:root"])
ec2.modify_vpc_endpoint_service_configuration(ServiceId="<endpoint-service-blue>", AcceptanceRequired=True)
tag("<endpoint-service-blue>", Owner="somebody")"#,
        &[
            extra(
                "endpoint-service-green",
                "principals[arn:aws:iam::999999999999:root]",
            ),
            changed("endpoint-service-blue", "acceptance"),
            extra("endpoint-service-blue", "tags.Owner"),
        ],
    ),
    by_hand(
        "ec2/interface_endpoint",
        r#"ec2.modify_vpc_endpoint(VpcEndpointId="<vpce-kms-green>", PrivateDnsEnabled=False)"#,
        &[changed("vpce-kms-green", "private_dns")],
    ),
    by_hand(
        "ec2/interface_endpoint",
        r#"ec2.modify_vpc_endpoint(VpcEndpointId="<vpce-sts-green>", RemoveSubnetIds=["<subnet-app-a-green>"], AddSecurityGroupIds=["<security-group-alb-green>"])"#,
        &[
            changed("vpce-sts-green", "subnets[<subnet-app-a-green>]"),
            extra("vpce-sts-green", "groups[<security-group-alb-green>]"),
        ],
    ),
    by_hand(
        "ec2/interface_endpoint",
        r#"ec2.delete_vpc_endpoints(VpcEndpointIds=["<vpce-ssm-green>"])"#,
        &[missing("vpce-ssm-green")],
    ),
    by_hand(
        "ec2/flow_log",
        r#"ec2.delete_flow_logs(FlowLogIds=["<flow-log-green>"])"#,
        &[missing("flow-log-green")],
    ),
    by_hand(
        "ec2/flow_log",
        r#"tag("<flow-log-blue>", CostCenter="elsewhere")"#,
        &[changed("flow-log-blue", "tags.CostCenter")],
    ),
];
