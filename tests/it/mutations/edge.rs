//! What someone does to load balancers, listeners and target groups by hand.

use super::{Mutation, by_hand, changed, extra, missing};

pub const ALL: &[Mutation] = &[
    by_hand(
        "elbv2/load_balancer",
        r#"elb.modify_load_balancer_attributes(LoadBalancerArn="<alb-green.arn>", Attributes=[{"Key": "access_logs.s3.enabled", "Value": "false"}, {"Key": "routing.http.desync_mitigation_mode", "Value": "monitor"}, {"Key": "deletion_protection.enabled", "Value": "true"}])"#,
        &[
            changed("alb-green", "attributes.access_logs.s3.enabled"),
            extra("alb-green", "attributes.routing.http.desync_mitigation_mode"),
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
];
