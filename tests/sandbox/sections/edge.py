"""Load balancers, names, firewalls."""


def load_balancers(account):
    """Load balancers with listeners and rules, target groups."""
    tags = lambda arn: account.about("elbv2", "describe_tags", ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    pairs = lambda answer: {item["Key"]: item["Value"] for item in answer["Attributes"]}
    elb = lambda operation, **params: account.about("elbv2", operation, **params)
    for balancer in account.all("elbv2", "describe_load_balancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        balancer["Attributes"] = pairs(elb("describe_load_balancer_attributes", LoadBalancerArn=arn))
        balancer["Tags"] = tags(arn)
        account.add("load-balancer", arn, balancer, balancer["LoadBalancerName"])
        for listener in account.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn):
            name = listener["ListenerArn"]
            listener["Attributes"] = pairs(elb("describe_listener_attributes", ListenerArn=name))
            listener["AllCertificates"] = elb("describe_listener_certificates", ListenerArn=name)["Certificates"]
            listener["Tags"] = tags(name)
            account.add("listener", name, listener)
            for rule in account.all("elbv2", "describe_rules", "Rules", ListenerArn=name):
                if not rule["IsDefault"]:
                    rule["Tags"] = tags(rule["RuleArn"])
                    account.add("listener-rule", rule["RuleArn"], rule)
    # Addresses are random: whose they are is not. Those of tasks are numbers of theirs, alike in all networks.
    addresses = {
        one["PrivateIpAddress"]: f"address of {one['Description']} in {one['SubnetId']}"
        for one in account.all("ec2", "describe_network_interfaces", "NetworkInterfaces")
        if not one["Description"].startswith("arn:aws:ecs:")
    }
    for group in account.all("elbv2", "describe_target_groups", "TargetGroups"):
        arn = group["TargetGroupArn"]
        group["Attributes"] = pairs(elb("describe_target_group_attributes", TargetGroupArn=arn))
        group["Targets"] = [
            addresses.get(one["Target"]["Id"], one["Target"]["Id"])
            for one in elb("describe_target_health", TargetGroupArn=arn)["TargetHealthDescriptions"]
        ]
        group["Tags"] = tags(arn)
        account.add("target-group", arn, group, group["TargetGroupName"])


def names(account):
    """Certificates, health checks, zones with their records."""
    for summary in account.all("acm", "list_certificates", "CertificateSummaryList"):
        arn = summary["CertificateArn"]
        certificate = account.about("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
        certificate["Tags"] = account.about("acm", "list_tags_for_certificate", CertificateArn=arn)["Tags"]
        account.add("certificate", arn, certificate)
    for check in account.all("route53", "list_health_checks", "HealthChecks"):
        name = check["Id"]
        tags = account.about("route53", "list_tags_for_resource", ResourceType="healthcheck", ResourceId=name)
        check["Tags"] = tags["ResourceTagSet"]["Tags"]
        account.add("health-check", name, check)
    for zone in account.all("route53", "list_hosted_zones", "HostedZones"):
        zone.pop("ResourceRecordSetCount")
        account.add("zone", zone["Id"], zone, zone["Name"])
        for record in account.all("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]):
            name = " ".join([record["Name"], record["Type"], record.get("SetIdentifier", "")]).strip()
            account.add("record", name, record, name)


def firewalls(account):
    """Web ACLs with what they guard and their logs, address sets."""
    waf = account.client("wafv2")
    tags = lambda arn: account.about("wafv2", "list_tags_for_resource", ResourceARN=arn)["TagInfoForResource"]["TagList"]
    for summary in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]:
        found = account.about("wafv2", "get_ip_set", Name=summary["Name"], Scope="REGIONAL", Id=summary["Id"])["IPSet"]
        account.add("ip-set", summary["ARN"], found | {"Tags": tags(summary["ARN"])}, summary["Name"])
    for summary in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]:
        arn = summary["ARN"]
        acl = account.about("wafv2", "get_web_acl", Name=summary["Name"], Scope="REGIONAL", Id=summary["Id"])["WebACL"]
        acl["Guards"] = account.about("wafv2", "list_resources_for_web_acl", WebACLArn=arn)["ResourceArns"]
        try:
            acl["Logging"] = account.about("wafv2", "get_logging_configuration", ResourceArn=arn)["LoggingConfiguration"]
        except waf.exceptions.WAFNonexistentItemException:
            acl["Logging"] = None
        account.add("web-acl", arn, acl | {"Tags": tags(arn)}, summary["Name"])
