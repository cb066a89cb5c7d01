"""VPCs with everything in them, Transit Gateways."""


def ec2(account):
    """The network."""
    vpcs = account.all("ec2", "describe_vpcs", "Vpcs")
    for vpc in vpcs:
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            shown = account.maybe("ec2", "describe_vpc_attribute", VpcId=vpc["VpcId"], Attribute=attribute)
            vpc[attribute] = next((value["Value"] for key, value in (shown or {}).items() if key != "VpcId"), None)
        account.add("vpc", vpc["VpcId"], vpc, "default" if vpc["IsDefault"] else None)
    of = lambda item: account.names.get(item.get("VpcId"), "")
    for subnet in account.all("ec2", "describe_subnets", "Subnets"):
        account.add(
            "subnet",
            subnet["SubnetId"],
            subnet,
            f"default-{subnet['AvailabilityZone']}" if subnet["DefaultForAz"] else None,
        )
    for gateway in account.all("ec2", "describe_internet_gateways", "InternetGateways"):
        account.add("internet-gateway", gateway["InternetGatewayId"], gateway)
    for acl in account.all("ec2", "describe_network_acls", "NetworkAcls"):
        account.add("network-acl", acl["NetworkAclId"], acl, f"default of {of(acl)}" if acl["IsDefault"] else None)
    for group in account.all("ec2", "describe_security_groups", "SecurityGroups"):
        group.pop("IpPermissions", None), group.pop("IpPermissionsEgress", None)
        name = group["GroupName"]
        account.add("security-group", group["GroupId"], group, f"{name} of {of(group)}")
    for rule in account.all("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        account.add("security-group-rule", rule["SecurityGroupRuleId"], rule)
    for endpoint in account.all("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        account.add("vpc-endpoint", endpoint["VpcEndpointId"], endpoint)
    for service in account.all("ec2", "describe_vpc_endpoint_service_configurations", "ServiceConfigurations"):
        name = service["ServiceId"]
        service["AllowedPrincipals"] = account.parts(
            "ec2", "describe_vpc_endpoint_service_permissions", "AllowedPrincipals", ServiceId=name
        )
        account.add("endpoint-service", name, service)
    for interface in account.all("ec2", "describe_network_interfaces", "NetworkInterfaces"):
        account.add("network-interface", interface["NetworkInterfaceId"], interface)
    for flow_log in account.all("ec2", "describe_flow_logs", "FlowLogs"):
        account.add("flow-log", flow_log["FlowLogId"], flow_log)
    for gateway in account.all("ec2", "describe_nat_gateways", "NatGateways"):
        if gateway["State"] != "deleted":
            account.add("nat-gateway", gateway["NatGatewayId"], gateway)
    for address in account.all("ec2", "describe_addresses", "Addresses"):
        account.add("address", address["AllocationId"], address)
    transit_gateways(account)
    for table in account.all("ec2", "describe_route_tables", "RouteTables"):
        main = any(association.get("Main") for association in table["Associations"])
        account.add("route-table", table["RouteTableId"], table, f"main of {of(table)}" if main else None)


def transit_gateways(account):
    """Transit Gateways with everything in them."""
    for gateway in account.all("ec2", "describe_transit_gateways", "TransitGateways"):
        if gateway["State"] != "deleted":
            account.add("transit-gateway", gateway["TransitGatewayId"], gateway)
    for attachment in account.all("ec2", "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"):
        if attachment["State"] != "deleted":
            account.add("transit-gateway-attachment", attachment["TransitGatewayAttachmentId"], attachment)
    for table in account.all("ec2", "describe_transit_gateway_route_tables", "TransitGatewayRouteTables"):
        if table["State"] == "deleted":
            continue
        name = table["TransitGatewayRouteTableId"]
        table["Associations"] = account.parts(
            "ec2", "get_transit_gateway_route_table_associations", "Associations", TransitGatewayRouteTableId=name
        )
        table["Propagations"] = account.parts(
            "ec2",
            "get_transit_gateway_route_table_propagations",
            "TransitGatewayRouteTablePropagations",
            TransitGatewayRouteTableId=name,
        )
        every = [{"Name": "type", "Values": ["static", "propagated"]}]
        found = account.about("ec2", "search_transit_gateway_routes", TransitGatewayRouteTableId=name, Filters=every)
        table["Routes"] = found["Routes"]
        account.add("transit-gateway-route-table", name, table)
