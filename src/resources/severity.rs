//! How much a difference matters, from what the fields of the types mean: what is open to the internet, encrypted less, no
//! longer backed up or logged, or allowed to more people than declared, is of high severity.

mod settings;
#[cfg(test)]
mod tests;

use self::settings::{BALANCER, weakened};
use crate::engine::diff::{Change, TAGS};
use crate::engine::drift::{Difference, Severity};
use ipnet::IpNet;
use serde_json::Value;

/// Types without which nobody guards, encrypts or records.
const GUARDS: [(&str, &str); 9] = [
    (
        "wafv2/association",
        "no firewall stands before the load balancer",
    ),
    ("wafv2/logging", "the firewall writes no log"),
    ("ec2/flow_log", "the network writes no flow log"),
    ("kms/key", "what the key encrypts cannot be read"),
    ("rds/cluster_snapshot", "a backup is gone"),
    ("config/recorder", NO_RECORD),
    ("config/recording", NO_RECORD),
    ("config/channel", NO_RECORD),
    (
        "secretsmanager/rotation",
        "the password is no longer rotated",
    ),
];

const NO_RECORD: &str = "changes of the account are not recorded";

/// Types whose `others` are things of somebody else. Those of the rest are settings that we do not use.
const HOLDERS: [&str; 6] = [
    BALANCER,
    "elbv2/target_group",
    "route53/record",
    "route53/text",
    "acm/validation",
    "ec2/transit_gateway_association",
];

/// Fields that give rights.
const RIGHTS: [&str; 7] = [
    "policy",
    "trust",
    "inline",
    "managed",
    "permissions_boundary",
    "exposed",
    "principals",
];

/// Fields of encryption: at rest and on the way.
const ENCRYPTION: [&str; 8] = [
    "kms_key",
    "storage_key",
    "secret_key",
    "encryption",
    "tls_policy",
    "certificate",
    "rotation_days",
    "enabled",
];

/// Judges a difference of a type.
pub fn severity(
    kind: &str,
    holds_data: bool,
    difference: Difference<'_>,
) -> (Severity, &'static str) {
    match difference {
        Difference::Setting(change) => setting(kind, change),
        Difference::Missing => match GUARDS.iter().find(|(guard, _)| *guard == kind) {
            Some((_, why)) => (Severity::High, why),
            None if holds_data => (Severity::High, "what holds data is missing"),
            None => (Severity::Medium, "missing"),
        },
        Difference::Whole => (Severity::Medium, "changed"),
    }
}

fn setting(kind: &str, change: &Change) -> (Severity, &'static str) {
    let field = change.field();
    if field == TAGS || field == "description" {
        return (Severity::Low, "changed");
    }
    if is_open(kind, change) {
        return (Severity::High, "open to the internet");
    }
    if let Some(why) = lets_in(kind, change).or_else(|| weakened(kind, change)) {
        return (Severity::High, why);
    }
    if field == "members" {
        return (Severity::High, STRANGER);
    }
    if field == "others" {
        return beside(kind, change.entry().unwrap_or_default());
    }
    if RIGHTS.contains(&field) {
        return rights(change);
    }
    if kind == "wafv2/web_acl" {
        return (Severity::High, OTHER_REQUESTS);
    }
    if ENCRYPTION.contains(&field) && !(field == "enabled" && kind != "kms/key") {
        return (Severity::High, "encryption differs");
    }
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
    let less = match (number(&change.want), number(&change.have)) {
        (Some(want), Some(have)) => have < want,
        (Some(_), None) => true,
        _ => false,
    };
    let off = change.want == Some(Value::Bool(true)) && change.have != Some(Value::Bool(true));
    match field {
        "backup_days" | "recovery_days" if less => (Severity::High, "less is backed up"),
        "versioning" if off => (Severity::High, "overwritten objects are no longer kept"),
        "deletion_protection" if off => (Severity::High, "it is no longer protected from deletion"),
        "lifecycle" => (Severity::High, "objects are kept otherwise"),
        "retention_days" if change.have.is_none() => {
            (Severity::Medium, "logs are kept without an end")
        }
        "retention_days" if less => (Severity::High, "logs are kept for less time"),
        "logging" | "log_exports" if change.have.is_none() => (Severity::High, "it writes no log"),
        "traffic" if kind == "ec2/flow_log" => (Severity::High, "the network logs other traffic"),
        "scan" if kind == "ecr/repository" && off => {
            (Severity::High, "images are no longer scanned")
        }
        "immutable" if kind == "ecr/repository" && off => {
            (Severity::High, "a tag may name another image later")
        }
        "actions" if kind.starts_with("cloudwatch/") && off => {
            (Severity::High, "the alarm reaches nobody")
        }
        "actions" | "notify" if kind.starts_with("cloudwatch/") && change.have.is_none() => {
            (Severity::High, "the alarm reaches fewer people")
        }
        "actions" | "notify" if kind.starts_with("cloudwatch/") => {
            (Severity::High, "the alarm reaches other people")
        }
        _ if WATCHES.contains(&(kind, field)) => (Severity::High, OTHER_ALARM),
        "targets" if kind == "elbv2/targets" && change.have.is_some() => (Severity::High, STRANGER),
        "task_definition" if kind == "ecs/service" => {
            (Severity::High, "other code with other rights runs")
        }
        "targets" if kind == "events/rule" && change.have.is_some() => {
            (Severity::High, "the events reach others")
        }
        "subscribers" if change.have.is_some() => (Severity::High, "the messages reach others"),
        "enabled" if NOTICES.contains(&kind) && off => (Severity::High, "nobody is notified"),
        "auto_accept"
            if kind == "ec2/transit_gateway" && change.have == Some(Value::Bool(true)) =>
        {
            (Severity::High, "networks of others join without a question")
        }
        "exec" if kind == "ecs/service" && change.have == Some(Value::Bool(true)) => {
            (Severity::High, "shells into tasks are allowed")
        }
        "addresses" if kind == "wafv2/ip_set" && change.have.is_some() => {
            (Severity::High, OTHER_REQUESTS)
        }
        "action" if ROUTES.contains(&kind) => (Severity::High, "requests are sent elsewhere"),
        _ if change.is_extra() => (Severity::Medium, "not asked for"),
        _ => (Severity::Medium, "changed"),
    }
}

/// Types that pass events on.
const NOTICES: [&str; 2] = ["events/rule", "rds/event_subscription"];
/// Types that say where requests go.
const ROUTES: [&str; 2] = ["elbv2/listener", "elbv2/rule"];
/// Fields that say when an alarm goes off, by type.
const WATCHES: [(&str, &str); 8] = [
    ("cloudwatch/alarm", "metric"),
    ("cloudwatch/alarm", "queries"),
    ("cloudwatch/alarm", "comparison"),
    ("cloudwatch/alarm", "threshold"),
    ("cloudwatch/alarm", "periods"),
    ("cloudwatch/alarm", "datapoints"),
    ("cloudwatch/alarm", "missing"),
    ("cloudwatch/composite_alarm", "any_of"),
];
const OTHER_ALARM: &str = "the alarm goes off otherwise";
const STRANGER: &str = "it holds something that is not ours";
const OTHER_REQUESTS: &str = "the firewall lets other requests through";

/// Judges what there is beside what a type declares: things of somebody else, or a setting that we do not use.
fn beside(kind: &str, entry: &str) -> (Severity, &'static str) {
    // A rule of a listener shows as its priority.
    let is_rule = entry.parse::<u32>().is_ok();
    match kind {
        "elbv2/listener" if is_rule => (Severity::High, STRANGER),
        // `email ops@example.com/FilterPolicy`; what the topic itself has is no path.
        "sns/topic" if entry.contains('/') => {
            (Severity::High, "a subscriber gets its messages otherwise")
        }
        "wafv2/web_acl" => (Severity::High, OTHER_REQUESTS),
        "wafv2/logging" => (Severity::High, "the firewall logs other requests"),
        "cloudwatch/alarm" => (Severity::High, OTHER_ALARM),
        "lambda/stream_mapping" if entry.starts_with("filter") => {
            (Severity::High, "some records are left out")
        }
        "ssm/parameter" if entry == "policies" => (Severity::High, "it may be deleted by itself"),
        _ if HOLDERS.contains(&kind) => (Severity::High, STRANGER),
        _ => (Severity::Medium, "not asked for"),
    }
}

/// The parts of a statement that limit what it allows. In one that denies they limit that; a path does not always tell which it is.
const LIMITS: [&str; 4] = ["Condition", "NotAction", "NotResource", "NotPrincipal"];

/// Rights that are there and not wanted are more than declared. So they are when what limits rights is missing: a statement that
/// denies, a limit within a statement, or a boundary.
fn rights(change: &Change) -> (Severity, &'static str) {
    let path = &change.path;
    let limits = (1..path.len())
        .filter_map(|place| path.at(place))
        .any(|part| LIMITS.contains(&part));
    let limits = limits
        || path.to_string().contains("Deny")
        || change.field() == "permissions_boundary"
        || change.want.as_ref().is_some_and(denies);
    match (&change.want, &change.have) {
        (_, Some(_)) => (Severity::High, "others have more or other rights"),
        (Some(_), None) if limits => (Severity::High, NO_LIMIT),
        _ => (Severity::Medium, "rights are missing"),
    }
}

const NO_LIMIT: &str = "a limit of rights is missing";

/// Whether a statement, or one of a document, denies.
fn denies(value: &Value) -> bool {
    match value {
        Value::Object(parts) => {
            parts.get("Effect").is_some_and(|effect| effect == "Deny") || parts.values().any(denies)
        }
        _ => false,
    }
}

/// Why more addresses than declared may send something: those of a prefix list that is not declared, which somebody else may
/// fill, or those that an entry of a network ACL kept out.
fn lets_in(kind: &str, change: &Change) -> Option<&'static str> {
    let denied = |value: &Option<Value>| {
        let action = value.as_ref().map(|v| v.get("action").unwrap_or(v));
        action.is_some_and(|action| action == "deny")
    };
    match (kind, change.field()) {
        ("ec2/security_group_rules" | "ec2/default_security_group", "ingress") => {
            let peer = change.entry().and_then(|rule| rule.rsplit(' ').next());
            let is_list = peer.is_some_and(|peer| peer.starts_with("pl-"));
            (change.is_extra() && is_list).then_some("open to the addresses of a prefix list")
        }
        ("ec2/network_acl_entries" | "ec2/default_network_acl", "ingress" | "egress") => {
            (denied(&change.want) && !denied(&change.have))
                .then_some("what a network ACL denied passes")
        }
        _ => None,
    }
}

fn is_open(kind: &str, change: &Change) -> bool {
    let Some(have) = &change.have else {
        return false;
    };
    let on = *have == Value::Bool(true);
    match (kind, change.field()) {
        ("ec2/security_group_rules" | "ec2/default_security_group", "ingress") => change
            .entry()
            .and_then(|rule| rule.rsplit(' ').next())
            .is_some_and(is_public),
        ("ec2/network_acl_entries" | "ec2/default_network_acl", "ingress") => {
            let allows = have.get("action").is_none_or(|a| a != "deny");
            let cidr = have.get("cidr").and_then(Value::as_str);
            allows && cidr.is_some_and(is_public)
        }
        ("ec2/routes" | "ec2/main_route_table", "routes") => {
            have.as_str().is_some_and(|to| to.starts_with("igw-"))
        }
        ("ec2/subnet", "public_addresses")
        | ("rds/instance", "publicly_accessible")
        | ("ecs/service", "public_ip") => on,
        ("elbv2/load_balancer", "scheme") => have == "internet-facing",
        ("s3/bucket", "public_access") => *have == Value::Bool(false),
        ("elbv2/listener", "protocol") => have == "HTTP",
        _ => false,
    }
}

/// True for addresses that are not all private (RFC 1918, RFC 4193).
fn is_public(cidr: &str) -> bool {
    match cidr.parse::<IpNet>() {
        Ok(IpNet::V4(net)) => {
            let within = |a: [u8; 4], length: u8| {
                ipnet::Ipv4Net::new(a.into(), length).is_ok_and(|private| private.contains(&net))
            };
            !(within([10, 0, 0, 0], 8)
                || within([172, 16, 0, 0], 12)
                || within([192, 168, 0, 0], 16))
        }
        Ok(IpNet::V6(net)) => {
            let first = net.addr().segments()[0];
            !(net.prefix_len() >= 7 && first & 0xfe00 == 0xfc00)
        }
        Err(_) => false,
    }
}
