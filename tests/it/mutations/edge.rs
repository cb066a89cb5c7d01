//! What someone does to load balancers, listeners and target groups by hand.

use super::{Mutation, by_hand, changed, extra, missing};

/// A guard that is left out of the health of green, for each of them.
const HEALTH: &[super::Row] = &[
    changed("health-errors-pay-green", "without_data"),
    changed("health-errors-tx-green", "alarm.name"),
    changed(
        "health-errors-tx-green",
        "alarm.settings.metric.dimensions.TargetGroup",
    ),
    changed("health-green", "children[<health-errors-pay-green>]"),
    changed("health-green", "children[<health-healthy-pay-green>]"),
    changed("health-green", "children[<health-errors-tx-green>]"),
    changed("health-green", "children[<health-healthy-tx-green>]"),
    changed("health-green", "children[<health-errors-report-green>]"),
    changed("health-green", "children[<health-healthy-report-green>]"),
    changed("health-green", "healthy_children"),
];

pub const ALL: &[Mutation] = &[
    by_hand(
        "elbv2/load_balancer",
        r#"elb.modify_load_balancer_attributes(LoadBalancerArn="<alb-green.arn>", Attributes=[{"Key": "access_logs.s3.enabled", "Value": "false"}, {"Key": "routing.http.desync_mitigation_mode", "Value": "monitor"}, {"Key": "deletion_protection.enabled", "Value": "true"}])"#,
        &[
            changed("alb-green", "attributes.access_logs.s3.enabled"),
            extra(
                "alb-green",
                "attributes.routing.http.desync_mitigation_mode",
            ),
            changed("alb-green", "deletion_protection"),
        ],
    ),
    by_hand(
        "elbv2/load_balancer",
        r#"elb.set_security_groups(LoadBalancerArn="<alb-blue.arn>", SecurityGroups=["<security-group-alb-blue>", "<security-group-database-blue>"])
elb.create_listener(LoadBalancerArn="<alb-blue.arn>", Protocol="HTTP", Port=8080, DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "theirs"}}])"#,
        &[
            extra(
                "alb-blue",
                "security_groups[<security-group-database-blue>]",
            ),
            extra("alb-blue", "others[8080]"),
        ],
    ),
    by_hand(
        "elbv2/target_group",
        r#"elb.modify_target_group(TargetGroupArn="<tg-payment-api-green.arn>", HealthCheckPath="/", HealthyThresholdCount=5)
elb.modify_target_group_attributes(TargetGroupArn="<tg-payment-api-green.arn>", Attributes=[{"Key": "stickiness.enabled", "Value": "true"}, {"Key": "slow_start.duration_seconds", "Value": "0"}])"#,
        &[
            changed("tg-payment-api-green", "health.path"),
            changed("tg-payment-api-green", "health.healthy"),
            extra("tg-payment-api-green", "attributes.stickiness.enabled"),
            changed(
                "tg-payment-api-green",
                "attributes.slow_start.duration_seconds",
            ),
        ],
    ),
    by_hand(
        "elbv2/target_group",
        r#"elb.remove_tags(ResourceArns=["<tg-reporting-blue.arn>"], TagKeys=["ManagedBy"])"#,
        &[changed("tg-reporting-blue", "tags.ManagedBy")],
    ),
    by_hand(
        "elbv2/listener",
        r#"elb.modify_listener_attributes(ListenerArn="<listener-http-green.arn>", Attributes=[{"Key": "routing.http.response.server.enabled", "Value": "true"}])
elb.modify_listener(ListenerArn="<listener-http-green.arn>", DefaultActions=[{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}}])
elb.create_rule(ListenerArn="<listener-http-green.arn>", Priority=7, Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}], Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "theirs"}}])"#,
        &[
            changed(
                "listener-http-green",
                "attributes.routing.http.response.server.enabled",
            ),
            changed("listener-http-green", "action.redirect.status"),
            extra("listener-http-green", "others[7]"),
        ],
    ),
    by_hand(
        "elbv2/listener",
        r#"elb.delete_listener(ListenerArn="<listener-http-blue.arn>")"#,
        &[missing("listener-http-blue")],
    ),
    by_hand(
        "elbv2/rule",
        r#"elb.modify_rule(RuleArn="<rule-reporting-green.arn>", Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/reports", "/api/reports/*", "/theirs"]}}])
elb.modify_rule(RuleArn="<rule-side-green.arn>", Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "500", "ContentType": "application/json", "MessageBody": "{\"side\":\"green\"}"}}])"#,
        &[
            extra("rule-reporting-green", "conditions.path-pattern[/theirs]"),
            changed("rule-side-green", "action.fixed.status"),
        ],
    ),
    // The service that takes its group from the rule is as it should be, and stays.
    by_hand(
        "elbv2/rule",
        r#"elb.modify_rule(RuleArn="<rule-payment-api-blue.arn>", Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "500", "ContentType": "text/plain", "MessageBody": ""}}])"#,
        &[
            changed("rule-payment-api-blue", "action.forward"),
            extra("rule-payment-api-blue", "action.fixed"),
        ],
    ),
    by_hand(
        "elbv2/rule",
        r#"elb.set_rule_priorities(RulePriorities=[{"RuleArn": "<rule-ready-blue.arn>", "Priority": 40}])"#,
        &[changed("rule-ready-blue", "priority")],
    ),
    // What a rule has that ours have not.
    by_hand(
        "elbv2/rule",
        r#"def conditions(rule, *more, **inside):
    path = elb.describe_rules(RuleArns=[rule])["Rules"][0]["Conditions"][0]["PathPatternConfig"]
    return [{"Field": "path-pattern", "PathPatternConfig": path | inside}, *more]
def query(key): return {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": key, "Value": "theirs"}]}}
regex, twice = "<rule-payment-api-blue.arn>", "<rule-transaction-processor-blue.arn>"
elb.modify_rule(RuleArn=regex, Conditions=conditions(regex, RegexValues=[".*"]))
elb.modify_rule(RuleArn=twice, Conditions=conditions(twice, query("a"), query("b")))
elb.modify_rule(RuleArn="<rule-reporting-blue.arn>", Transforms=[{"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": ".*", "Replace": "theirs.example"}]}}])"#,
        &[
            extra(
                "rule-payment-api-blue",
                "conditions.path-pattern[path_pattern_config: {regex_values: [.*]}]",
            ),
            extra(
                "rule-transaction-processor-blue",
                "conditions.query-string[a=theirs]",
            ),
            extra(
                "rule-transaction-processor-blue",
                "conditions.query-string again[b=theirs]",
            ),
            extra(
                "rule-reporting-blue",
                "others[transforms: [{type: HostHeaderRewrite, host_header_rewrite_config: {rewrites: [{regex: .*, replace: theirs.example}]}}]]",
            ),
        ],
    ),
    by_hand(
        "elbv2/listener",
        r#"elb.modify_listener(ListenerArn="<listener-https-green.arn>", MutualAuthentication={"Mode": "passthrough"})
elb.modify_listener_attributes(ListenerArn="<listener-https-blue.arn>", Attributes=[{"Key": "routing.http.request.x_amzn_tls_version.header_name", "Value": "X-Theirs"}])"#,
        &[
            extra(
                "listener-https-green",
                "others[mutual_authentication: {mode: passthrough}]",
            ),
            extra(
                "listener-https-blue",
                "attributes.routing.http.request.x_amzn_tls_version.header_name",
            ),
        ],
    ),
    // The bridge is switched on, which belongs to the traffic command: no difference.
    by_hand(
        "elbv2/rule",
        r#"elb.modify_rule(RuleArn="<rule-bridge-green.arn>", Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/theirs"]}}])
elb.modify_rule(RuleArn="<rule-loop-rest-green.arn>", Conditions=[{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.20.0.0/18"]}}])
elb.modify_rule(RuleArn="<rule-loop-reporting-blue.arn>", Conditions=[{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.10.0.0/18", "10.20.0.0/16", "203.0.113.7/32"]}}, {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/reports", "/api/reports/*"]}}])"#,
        &[
            changed("rule-bridge-green", "conditions.source-ip[192.0.2.0/32]"),
            extra("rule-bridge-green", "conditions.path-pattern[/theirs]"),
            changed("rule-loop-rest-green", "conditions.source-ip[10.10.0.0/16]"),
            extra(
                "rule-loop-reporting-blue",
                "conditions.source-ip[203.0.113.7/32]",
            ),
        ],
    ),
    by_hand(
        "elbv2/load_balancer",
        r#"elb.set_security_groups(LoadBalancerArn="<nlb-bridge-green.arn>", SecurityGroups=["<security-group-bridge-nlb-green>"], EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="on")
elb.modify_load_balancer_attributes(LoadBalancerArn="<nlb-bridge-green.arn>", Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}])"#,
        &[
            changed("nlb-bridge-green", "private_link_rules"),
            extra(
                "nlb-bridge-green",
                "attributes.load_balancing.cross_zone.enabled",
            ),
        ],
    ),
    by_hand(
        "elbv2/targets",
        r#"there = [t["Target"]["Id"] for t in elb.describe_target_health(TargetGroupArn="<tg-bridge-green.arn>")["TargetHealthDescriptions"]]
elb.register_targets(TargetGroupArn="<tg-bridge-green.arn>", Targets=[{"Id": "10.20.64.250"}, {"Id": there[0], "Port": 8080}])
made["bridge"] = there[0] + ":8080"
elb.deregister_targets(TargetGroupArn="<tg-bridge-nlb-blue.arn>", Targets=[{"Id": "<alb-blue.arn>"}])"#,
        &[
            extra("targets-bridge-green", "targets[10.20.64.250]"),
            // The same target once more, with another port.
            extra("targets-bridge-green", "targets[<made.bridge>]"),
            changed("targets-bridge-nlb-blue", "targets[<alb-blue.arn>]"),
        ],
    ),
    by_hand(
        "elbv2/target_group",
        r#"elb.modify_target_group_attributes(TargetGroupArn="<tg-bridge-blue.arn>", Attributes=[{"Key": "target_group_health.dns_failover.minimum_healthy_targets.count", "Value": "1"}])"#,
        &[changed(
            "tg-bridge-blue",
            "attributes.target_group_health.dns_failover.minimum_healthy_targets.count",
        )],
    ),
    by_hand(
        "elbv2/listener",
        r#"elb.modify_listener(ListenerArn="<listener-https-blue.arn>", SslPolicy="ELBSecurityPolicy-2016-08")"#,
        &[changed("listener-https-blue", "tls_policy")],
    ),
    by_hand(
        "acm/certificate",
        r#"acm.remove_tags_from_certificate(CertificateArn="<certificate-shared.arn>", Tags=[{"Key": "ManagedBy"}])
acm.add_tags_to_certificate(CertificateArn="<certificate-shared.arn>", Tags=[{"Key": "Owner", "Value": "somebody"}])"#,
        &[
            changed("certificate-shared", "tags.ManagedBy"),
            extra("certificate-shared", "tags.Owner"),
        ],
    ),
    by_hand(
        "acm/validation",
        r#"records(("DELETE", record("<validation-green-shared.name>", "validation-green-shared-dev.eu-central-1")))"#,
        &[missing("validation-green-shared")],
    ),
    // Somebody may change a record of ours without touching its identifier.
    by_hand(
        "acm/validation",
        r#"r = record("<validation-blue-shared.name>", "validation-blue-shared-dev.eu-central-1")
records(("UPSERT", r | {"ResourceRecords": [{"Value": "theirs.example.org."}]}), ("CREATE", r | {"SetIdentifier": "theirs-dev.eu-central-1", "ResourceRecords": [{"Value": "theirs.example.org."}]}))"#,
        &[
            changed("validation-blue-shared", "value"),
            extra(
                "validation-blue-shared",
                "others[CNAME theirs-dev.eu-central-1]",
            ),
        ],
    ),
    by_hand(
        "route53/health_check",
        r#"dns.update_health_check(HealthCheckId="<health-endpoint-green>", ResourcePath="/", FailureThreshold=10, Regions=["us-east-1", "us-west-1", "sa-east-1"])
dns.update_health_check(HealthCheckId="<health-blue>", Disabled=True)
dns.change_tags_for_resource(ResourceType="healthcheck", ResourceId="<health-endpoint-blue>", RemoveTagKeys=["ManagedBy"])"#,
        &[
            changed("health-endpoint-green", "path"),
            changed("health-endpoint-green", "threshold"),
            extra("health-endpoint-green", "regions[sa-east-1]"),
            extra("health-endpoint-green", "regions[us-east-1]"),
            extra("health-endpoint-green", "regions[us-west-1]"),
            changed("health-blue", "disabled"),
            changed("health-endpoint-blue", "tags.ManagedBy"),
        ],
    ),
    by_hand(
        "route53/health_check",
        r#"dns.update_health_check(HealthCheckId="<health-errors-pay-green>", InsufficientDataHealthStatus="Healthy")
dns.update_health_check(HealthCheckId="<health-errors-tx-green>", AlarmIdentifier={"Region": "eu-central-1", "Name": "<alarm-guard-errors-reporting-green.name>"})
dns.update_health_check(HealthCheckId="<health-green>", ChildHealthChecks=["<health-endpoint-green>"], HealthThreshold=1)"#,
        HEALTH,
    ),
    by_hand(
        "route53/record",
        r#"r = record("dev.sandbox.example", "record-green-dev.eu-central-1")
records(("UPSERT", {k: v for k, v in r.items() if k != "HealthCheckId"}))"#,
        &[changed("record-green", "health_check")],
    ),
    by_hand(
        "route53/record",
        r#"records(("DELETE", record("blue.dev.sandbox.example", "record-own-blue-dev.eu-central-1")))"#,
        &[missing("record-own-blue")],
    ),
    // Somebody else's answers for names of ours.
    by_hand(
        "route53/record",
        r#"theirs = record("dev.sandbox.example", "record-blue-dev.eu-central-1") | {"SetIdentifier": "theirs", "Weight": 200}
records(("CREATE", theirs), ("CREATE", {"Name": "green.dev.sandbox.example", "Type": "AAAA", "TTL": 60, "ResourceRecords": [{"Value": "2001:db8::7"}]}))"#,
        &[
            extra("record-blue", "others[A theirs]"),
            extra("record-own-green", "others[AAAA]"),
        ],
    ),
    // An identifier like ours, and name servers that lead our names away.
    by_hand(
        "route53/record",
        r#"records(
    ("CREATE", {"Name": "dev.sandbox.example", "Type": "A", "SetIdentifier": "zz-theirs-dev.eu-central-1", "Weight": 255, "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.6"}]}),
    *(("CREATE", {"Name": name, "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.theirs.example.org"}]}) for name in ("dev.sandbox.example", "green.dev.sandbox.example")),
)"#,
        &[
            extra("record-blue", "others[A zz-theirs-dev.eu-central-1]"),
            extra("record-blue", "others[NS]"),
            extra("record-own-green", "others[NS]"),
        ],
    ),
    by_hand(
        "route53/text",
        r#"r = record("_traffic.dev.sandbox.example", "record-traffic-shared-dev.eu-central-1")
records(("UPSERT", r | {"TTL": 300}), ("CREATE", r | {"SetIdentifier": "zz-theirs-dev.eu-central-1", "ResourceRecords": [{"Value": '"epoch=9"'}]}))"#,
        &[
            changed("record-traffic-shared", "ttl"),
            extra(
                "record-traffic-shared",
                "others[TXT zz-theirs-dev.eu-central-1]",
            ),
        ],
    ),
    by_hand(
        "wafv2/web_acl",
        r#"def change(rules):
    rules["per-client"]["Statement"]["RateBasedStatement"]["Limit"] = 100
    rules["core"]["OverrideAction"] = {"Count": {}}
    rules["theirs"] = {"Name": "theirs", "Priority": 5, "Action": {"Allow": {}}, "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}, "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "theirs"}}
acl("waf-green-dev", "<waf-green>", change)"#,
        &[
            changed("waf-green", "rules.per-client.statement.rate.limit"),
            changed("waf-green", "rules.core.action"),
            extra("waf-green", "rules.theirs"),
        ],
    ),
    by_hand(
        "wafv2/web_acl",
        r#"def change(rules):
    rules["all-requests"]["Action"] = {"Block": {"CustomResponse": {"ResponseCode": 302, "ResponseHeaders": [{"Name": "Location", "Value": "https://theirs.example"}]}}}
    rules["all-requests"]["RuleLabels"] = [{"Name": "theirs"}]
    rules["checks"]["Statement"]["ByteMatchStatement"]["TextTransformations"] = [{"Priority": 0, "Type": "MD5"}]
    bridge = rules["per-client"]["Statement"]["RateBasedStatement"]["ScopeDownStatement"]["NotStatement"]["Statement"]
    bridge["IPSetReferenceStatement"]["IPSetForwardedIPConfig"] = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH", "Position": "FIRST"}
    rules["core"]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"] = [{"Name": "NoUserAgent_HEADER", "ActionToUse": {"Count": {}}}]
acl("waf-blue-dev", "<waf-blue>", change, TokenDomains=["theirs.example"])"#,
        &[
            changed("waf-blue", "rules.all-requests.action"),
            extra(
                "waf-blue",
                "rules.all-requests.others[rule_labels: [{name: theirs}]]",
            ),
            changed("waf-blue", "rules.checks.statement.path"),
            extra("waf-blue", "rules.checks.statement.other"),
            changed("waf-blue", "rules.per-client.statement.rate.of.not.from"),
            extra("waf-blue", "rules.per-client.statement.rate.of.not.other"),
            extra(
                "waf-blue",
                "rules.core.statement.managed.overrides.NoUserAgent_HEADER",
            ),
            extra("waf-blue", "others[token_domains: [theirs.example]]"),
        ],
    ),
    by_hand(
        "wafv2/ip_set",
        r#"token = waf.get_ip_set(Name="waf-bridge-blue-dev", Scope="REGIONAL", Id="<waf-bridge-blue>")["LockToken"]
waf.update_ip_set(Name="waf-bridge-blue-dev", Scope="REGIONAL", Id="<waf-bridge-blue>", Description="What sends requests on to blue from the other environment", Addresses=["10.10.0.0/18", "10.20.0.0/16", "203.0.113.0/24"], LockToken=token)"#,
        &[extra("waf-bridge-blue", "addresses[203.0.113.0/24]")],
    ),
    by_hand(
        "wafv2/association",
        r#"waf.disassociate_web_acl(ResourceArn="<alb-blue.arn>")"#,
        &[missing("waf-association-blue")],
    ),
    by_hand(
        "wafv2/logging",
        r#"waf.put_logging_configuration(LoggingConfiguration={"ResourceArn": "<waf-green.arn>", "LogDestinationConfigs": ["<waf-logs-green.arn>"], "RedactedFields": [{"SingleHeader": {"Name": "cookie"}}]})"#,
        &[changed(
            "waf-logging-green",
            "redacted_headers[authorization]",
        )],
    ),
];
