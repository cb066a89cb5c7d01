//! Settings that AWS names, of which another value encrypts, guards or logs less.

use crate::engine::diff::Change;

const CLUSTER_PARAMETERS: &str = "rds/cluster_parameter_group";
const INSTANCE_PARAMETERS: &str = "rds/parameter_group";
pub(super) const BALANCER: &str = "elbv2/load_balancer";

/// The fields that hold settings by the names that AWS gives them.
const NAMED: [&str; 2] = ["parameters", "attributes"];

/// Settings in these that the blueprint sets and that encrypt, guard or log, by type: any other value is less of it.
const SET: [(&str, &str, &str); 14] = [
    (
        CLUSTER_PARAMETERS,
        "rds.force_ssl",
        "connections need no encryption any more",
    ),
    (
        CLUSTER_PARAMETERS,
        "log_connections",
        "the database logs less",
    ),
    (
        CLUSTER_PARAMETERS,
        "log_disconnections",
        "the database logs less",
    ),
    (
        CLUSTER_PARAMETERS,
        "pgaudit.log",
        "the database logs otherwise",
    ),
    (
        CLUSTER_PARAMETERS,
        "pgaudit.log_parameter",
        "card data may get into the log",
    ),
    (
        CLUSTER_PARAMETERS,
        "pgaudit.role",
        "reads and writes are logged otherwise",
    ),
    (
        CLUSTER_PARAMETERS,
        "shared_preload_libraries",
        "the database may log less",
    ),
    (
        INSTANCE_PARAMETERS,
        "pg_stat_statements.track_utility",
        "passwords in statements are kept in clear",
    ),
    (
        BALANCER,
        "access_logs.s3.enabled",
        "requests are not logged any more",
    ),
    (
        BALANCER,
        "access_logs.s3.bucket",
        "the log of requests goes elsewhere",
    ),
    (
        BALANCER,
        "connection_logs.s3.enabled",
        "connections are not logged any more",
    ),
    (
        BALANCER,
        "connection_logs.s3.bucket",
        "the log of connections goes elsewhere",
    ),
    (
        BALANCER,
        "routing.http.drop_invalid_header_fields.enabled",
        "headers that are not valid reach the services",
    ),
    (
        "elbv2/listener",
        "routing.http.response.strict_transport_security.header_value",
        "browsers may come without encryption",
    ),
];

/// A setting that the blueprint leaves as AWS makes it, the values that take nothing away, and what any other means.
type Left = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const LEFT: [Left; 4] = [
    (
        CLUSTER_PARAMETERS,
        "log_statement",
        &["none"],
        "passwords in statements get into the log in clear",
    ),
    (
        INSTANCE_PARAMETERS,
        "log_statement",
        &["none"],
        "passwords in statements get into the log in clear",
    ),
    (
        BALANCER,
        "waf.fail_open.enabled",
        &["false"],
        "requests pass when the firewall does not answer",
    ),
    (
        BALANCER,
        "routing.http.desync_mitigation_mode",
        &["defensive", "strictest"],
        "requests that can be read in two ways pass",
    ),
];

/// Why a setting that AWS names is less than was asked for.
pub(super) fn weakened(kind: &str, change: &Change) -> Option<&'static str> {
    if !NAMED.contains(&change.field()) {
        return None;
    }
    let name = change.entry()?;
    if change.want.is_some() {
        let set = SET.iter().find(|(of, key, _)| (*of, *key) == (kind, name));
        return set.map(|(.., why)| *why);
    }
    let have = change.have.as_ref()?.as_str()?;
    let left = LEFT
        .iter()
        .find(|(of, key, fine, _)| (*of, *key) == (kind, name) && !fine.contains(&have));
    left.map(|(.., why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use crate::engine::diff::Path;
    use serde_json::{Value, json};

    fn of(kind: &str, path: [&str; 2], want: Value, have: Value) -> Option<&'static str> {
        let some = |value: Value| (!value.is_null()).then_some(value);
        let change = Change {
            path: Path::of(path),
            want: some(want),
            have: some(have),
        };
        weakened(kind, &change)
    }

    #[test]
    fn settings_that_encrypt_guard_or_log_are_declared_and_weakened_by_another_value() {
        let graph = build(&Config::default(), &Facts::sample()).unwrap();
        for (kind, name, why) in SET {
            let mut steps = graph.steps.iter().filter(|step| step.kind == kind);
            let declared = steps.find_map(|step| {
                NAMED.into_iter().find_map(|field| {
                    let value = step.spec.get(field)?.get(name)?;
                    Some((field, value.clone()))
                })
            });
            let (field, want) = declared.unwrap_or_else(|| panic!("{kind} sets no {name}"));
            for have in [json!("other"), json!(null)] {
                assert_eq!(of(kind, [field, name], want.clone(), have), Some(why));
            }
            assert_eq!(of(kind, [field, name], json!(null), json!("other")), None);
        }
        for (kind, name, fine, why) in LEFT {
            let found = |have: &str| of(kind, [NAMED[0], name], json!(null), json!(have));
            assert_eq!(found("other"), Some(why));
            assert!(fine.iter().all(|value| found(value).is_none()));
            assert!(graph.steps.iter().all(|step| {
                let set = |field: &str| step.spec.get(field).and_then(|all| all.get(name));
                step.kind != kind || NAMED.into_iter().all(|field| set(field).is_none())
            }));
        }
        let group = [NAMED[0], "rds.logical_replication"];
        assert_eq!(of(CLUSTER_PARAMETERS, group, json!("1"), json!("0")), None);
    }
}
