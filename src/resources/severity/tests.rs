use super::*;
use crate::engine::diff::Path;
use serde_json::json;

fn of<const N: usize>(kind: &str, path: [&str; N], want: Value, have: Value) -> Severity {
    judged(kind, path, want, have).0
}

fn judged<const N: usize>(
    kind: &str,
    path: [&str; N],
    want: Value,
    have: Value,
) -> (Severity, &'static str) {
    let some = |value: Value| (!value.is_null()).then_some(value);
    let change = Change {
        path: Path::of(path),
        want: some(want),
        have: some(have),
    };
    severity(kind, false, Difference::Setting(&change))
}

#[test]
fn what_is_switched_off_says_what_is_lost() {
    let off = |kind, field| judged(kind, [field], json!(true), json!(false));
    let on = |kind, field| of(kind, [field], json!(false), json!(true));
    for (kind, field, why) in [
        ("ecr/repository", "scan", "images are no longer scanned"),
        (
            "ecr/repository",
            "immutable",
            "a tag may name another image later",
        ),
        ("cloudwatch/alarm", "actions", "the alarm reaches nobody"),
    ] {
        assert_eq!(off(kind, field), (Severity::High, why));
    }
    assert_eq!(on("ecr/repository", "scan"), Severity::Medium);
    assert_eq!(
        judged("cloudwatch/alarm", ["notify", "a"], json!("a"), json!(null)).1,
        "the alarm reaches fewer people"
    );
}

#[test]
fn a_setting_beside_ours_is_no_thing_of_somebody_else() {
    let extra = |kind, entry| judged(kind, ["others", entry], json!(null), json!("x"));
    for (kind, entry) in [
        ("elbv2/load_balancer", "8080"),
        ("elbv2/listener", "7"),
        ("elbv2/target_group", "10.10.0.1:80"),
        ("route53/record", "A theirs"),
    ] {
        assert_eq!(extra(kind, entry), (Severity::High, STRANGER));
    }
    for (kind, entry) in [
        ("sns/topic", "email ops@example.com/FilterPolicy"),
        ("cloudwatch/alarm", "unit"),
        ("wafv2/logging", "a filter"),
        ("wafv2/web_acl", "token domains"),
        ("ssm/parameter", "policies"),
        ("lambda/stream_mapping", "filters"),
    ] {
        let (severity, why) = extra(kind, entry);
        assert_eq!(severity, Severity::High, "{kind}");
        assert_ne!(why, STRANGER);
    }
    for (kind, entry) in [
        ("sns/topic", "DisplayName"),
        ("sqs/queue", "DelaySeconds"),
        ("elbv2/listener", "mutual_authentication: verify"),
        ("lambda/function", "description"),
        ("ssm/parameter", "tier"),
    ] {
        assert_eq!(extra(kind, entry), (Severity::Medium, "not asked for"));
    }
    assert_eq!(
        judged("rds/cluster", ["members", "a"], json!(null), json!("a")),
        (Severity::High, STRANGER)
    );
}

#[test]
fn what_opens_weakens_or_gives_more_is_of_high_severity() {
    let high = [
        of(
            "ec2/security_group_rules",
            ["ingress", "tcp/22 from 0.0.0.0/0"],
            json!(null),
            json!(""),
        ),
        of(
            "ec2/security_group_rules",
            ["ingress", "tcp/22 from ::/0"],
            json!(null),
            json!(""),
        ),
        of(
            "ec2/security_group_rules",
            ["ingress", "tcp/22 from 8.8.8.0/24"],
            json!(null),
            json!(""),
        ),
        of(
            "rds/instance",
            ["publicly_accessible"],
            json!(false),
            json!(true),
        ),
        of(
            "s3/bucket",
            ["public_access", "restrict"],
            json!(true),
            json!(false),
        ),
        of(
            "s3/bucket",
            ["policy", "Statement", "DenyPlainHttp"],
            json!({}),
            json!(null),
        ),
        of(
            "iam/role",
            ["managed", "arn:aws:iam::aws:policy/AdministratorAccess"],
            json!(null),
            json!("x"),
        ),
        of("rds/cluster", ["backup_days"], json!(35), json!(7)),
        of("dynamodb/table", ["recovery_days"], json!(35), json!(null)),
        of("elbv2/listener", ["tls_policy"], json!("a"), json!("b")),
        of("kms/key", ["enabled"], json!(true), json!(false)),
        of("logs/log_group", ["kms_key"], json!("k"), json!(null)),
        of(
            "rds/cluster",
            ["deletion_protection"],
            json!(true),
            json!(false),
        ),
    ];
    assert!(high.iter().all(|s| *s == Severity::High), "{high:?}");
    let medium = [
        of(
            "ec2/security_group_rules",
            ["ingress", "tcp/22 from 10.0.0.0/8"],
            json!(null),
            json!(""),
        ),
        of(
            "ec2/security_group_rules",
            ["ingress", "tcp/443 from 0.0.0.0/0"],
            json!(""),
            json!(null),
        ),
        of("rds/cluster", ["backup_days"], json!(7), json!(35)),
        of("rds/cluster", ["capacity", "max"], json!(7), json!(35)),
        of(
            "s3/bucket",
            ["policy", "Statement", "Allow"],
            json!({}),
            json!(null),
        ),
    ];
    assert!(medium.iter().all(|s| *s == Severity::Medium), "{medium:?}");
    assert_eq!(
        of("ec2/vpc", ["tags", "Owner"], json!("a"), json!(null)),
        Severity::Low
    );
    assert_eq!(
        severity("ec2/vpc", false, Difference::Missing).0,
        Severity::Medium
    );
    assert_eq!(
        severity("s3/bucket", true, Difference::Missing).0,
        Severity::High
    );
    assert_eq!(
        severity("wafv2/association", false, Difference::Missing).0,
        Severity::High
    );
}

#[test]
fn what_lets_others_in_or_nobody_know_is_high() {
    let (on, off, some) = (json!(true), json!(false), json!("theirs"));
    for (kind, path, want, have) in [
        ("sns/topic", "subscribers", Value::Null, some.clone()),
        ("events/rule", "enabled", on.clone(), off.clone()),
        ("rds/event_subscription", "enabled", on.clone(), off.clone()),
        (
            "ec2/transit_gateway",
            "auto_accept",
            off.clone(),
            on.clone(),
        ),
        ("ecs/service", "exec", off.clone(), on.clone()),
        ("wafv2/ip_set", "addresses", Value::Null, some.clone()),
        ("elbv2/listener", "action", json!("ours"), some),
    ] {
        assert_eq!(of(kind, [path], want, have), Severity::High, "{kind}");
    }
    let missing = severity("config/recording", false, Difference::Missing);
    assert_eq!(missing.0, Severity::High);
}

#[test]
fn a_right_that_is_missing_is_medium_and_a_limit_of_rights_is_high() {
    let (no_limit, fewer) = (
        (Severity::High, NO_LIMIT),
        (Severity::Medium, "rights are missing"),
    );
    for field in RIGHTS {
        let missing = |rest: [&str; 4]| {
            let [a, b, c, d] = rest;
            judged("iam/role", [field, a, b, c, d], json!("x"), Value::Null)
        };
        for limit in LIMITS {
            let found = missing(["Statement", "AllowRead", limit, "x"]);
            assert_eq!(found, no_limit, "{field}: {limit}");
        }
        // A boundary is a limit as a whole.
        let usual = match field {
            "permissions_boundary" => no_limit,
            _ => fewer,
        };
        let action = missing(["Statement", "AllowRead", "Action", "x"]);
        assert_eq!(action, usual, "{field}");
        let of = |want: Value| judged("iam/role", [field, "mine"], want, Value::Null);
        let document = |effect: &str| json!({"Statement": {"a": {"Effect": effect}}});
        assert_eq!(of(document("Allow")), usual, "{field}");
        assert_eq!(of(document("Deny")), no_limit, "{field}");
        let more = judged("iam/role", [field, "mine"], Value::Null, json!("x"));
        assert_eq!(more.0, Severity::High, "{field}");
    }
}

#[test]
fn a_prefix_list_that_may_send_too_is_high_and_one_that_is_gone_or_receives_is_not() {
    for kind in ["ec2/security_group_rules", "ec2/default_security_group"] {
        let rule = |way, want, have| of(kind, [way, "tcp/22 from pl-1"], want, have);
        assert_eq!(rule("ingress", Value::Null, json!("")), Severity::High);
        assert_eq!(rule("ingress", json!(""), Value::Null), Severity::Medium);
        assert_eq!(rule("ingress", json!("a"), json!("b")), Severity::Medium);
        assert_eq!(rule("egress", Value::Null, json!("")), Severity::Medium);
    }
}

#[test]
fn what_a_network_acl_denied_and_lets_pass_is_high() {
    let entry = |action: &str| json!({"action": action, "cidr": "10.0.0.0/8"});
    for kind in ["ec2/network_acl_entries", "ec2/default_network_acl"] {
        for way in ["ingress", "egress"] {
            let gone = |want| of(kind, [way, "110"], want, Value::Null);
            assert_eq!(gone(entry("deny")), Severity::High);
            assert_eq!(gone(entry("allow")), Severity::Medium);
            let now =
                |want: &str, have: &str| of(kind, [way, "110", "action"], json!(want), json!(have));
            assert_eq!(now("deny", "allow"), Severity::High);
            assert_eq!(now("allow", "deny"), Severity::Medium);
        }
    }
}

#[test]
fn what_runs_other_code_answers_customers_or_goes_off_otherwise_is_high() {
    for (kind, field) in WATCHES {
        let found = judged(kind, [field, "a"], json!("a"), json!("b"));
        assert_eq!(found, (Severity::High, OTHER_ALARM), "{field}");
    }
    let threshold = judged("cloudwatch/alarm", ["threshold"], json!(1.0), json!(9.0));
    assert_eq!(threshold, (Severity::High, OTHER_ALARM));
    let revision = of("ecs/service", ["task_definition"], json!("a"), json!("b"));
    assert_eq!(revision, Severity::High);
    let target = |want, have| judged("elbv2/targets", ["targets", "10.0.0.1"], want, have);
    assert_eq!(
        target(Value::Null, json!("10.0.0.1")),
        (Severity::High, STRANGER)
    );
    assert_eq!(target(json!("10.0.0.1"), Value::Null).0, Severity::Medium);
}
