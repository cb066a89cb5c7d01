//! Nothing that was not read is shown, and what was read otherwise is contradicted.

mod world;

use super::*;
use crate::engine::Error;
use serde_json::json;
use std::collections::BTreeMap;
use world::{World, world};

fn of<'a>(all: &'a Evidence, id: &str) -> &'a Requirement {
    let found = all.requirements.iter().find(|r| r.id == id);
    found.unwrap_or_else(|| panic!("{id}"))
}

/// What the configuration cannot answer with its defaults, and nothing else.
#[test]
fn the_defaults_are_shown_but_for_the_known_deviations() {
    let all = world().evidence();
    let contradicted: Vec<&str> = all
        .requirements
        .iter()
        .filter(|r| r.verdict == Verdict::Contradicted)
        .map(|r| r.id.as_str())
        .collect();
    for id in &contradicted {
        let row = of(&all, id);
        let known = row.deviation.is_some() || row.status == Status::Gap;
        // Nobody is subscribed with the defaults.
        let silent = ["10.4.1-10.4.3", "10.7.2", "12.10.5"].contains(id);
        let values: Vec<_> = row
            .values
            .iter()
            .filter(|v| v.verdict == Verdict::Contradicted)
            .collect();
        assert!(known || silent, "{id}: {values:#?}");
    }
    for id in [
        "1.3.1",
        "1.3.2",
        "1.4.4",
        "3.6.1",
        "3.7.1-3.7.4",
        "4.2.1",
        "7.3.1-7.3.3",
        "12.5.1",
    ] {
        assert_eq!(
            of(&all, id).verdict,
            Verdict::Shown,
            "{id}: {:#?}",
            of(&all, id).values
        );
    }
    // No setting answers these, so nothing is shown.
    for id in ["3.3.1", "9", "8.4.1-8.4.3"] {
        assert_eq!(of(&all, id).verdict, Verdict::NotSeen, "{id}");
    }
    assert!(all.paths.open.len() > 20 && all.paths.extra.is_empty());
    assert!(all.paths.unknown.is_empty() && all.paths.closed.is_empty());
    assert!(all.log_groups.is_empty());
}

/// Every check finds a value in what is made: a field that a type does not have would be null everywhere.
#[test]
fn every_check_of_the_table_meets_a_value() {
    let all = world().evidence();
    for row in &all.requirements {
        for value in &row.values {
            assert_ne!(
                value
                    .why
                    .as_deref()
                    .map(|w| w.contains("nothing of the type")),
                Some(true),
                "{}: {value:?}",
                row.id
            );
        }
        let mut fields: BTreeMap<(&str, &str), bool> = BTreeMap::new();
        for value in row.values.iter().filter(|v| !v.step.is_empty()) {
            let known = fields.entry((&value.operation, &value.field)).or_default();
            *known |= !value.value.is_null();
        }
        // What nobody has set is a known gap.
        let empty = fields
            .iter()
            .find(|(_, known)| !**known)
            .filter(|_| row.status != Status::Gap);
        assert_eq!(empty, None, "{}", row.id);
    }
}

#[test]
fn a_change_by_hand_is_contradicted_and_what_was_not_read_is_not_seen() {
    let mut world = world();
    let key = "key-data-blue";
    world.change(key, "/rotation_days", json!(2000));
    world.change("waf-logs-blue", "/retention_days", json!(7));
    let all = world.evidence();
    let row = of(&all, "3.7.1-3.7.4");
    assert_eq!(row.verdict, Verdict::Contradicted);
    let bad: Vec<_> = row
        .values
        .iter()
        .filter(|v| v.verdict == Verdict::Contradicted)
        .collect();
    assert_eq!(
        (bad.len(), bad[0].step.as_str(), &bad[0].value),
        (1, key, &json!(2000))
    );
    assert_eq!(all.log_groups, [("waf-logs-blue".to_owned(), Some(7))]);
    let error = Error::permanent("kms:DescribeKey", "no").code("AccessDenied");
    world.seen.insert(key.into(), Observed::Unreadable(error));
    let all = world.evidence();
    let row = of(&all, "3.7.1-3.7.4");
    assert_eq!(row.verdict, Verdict::NotSeen, "{:#?}", row.values);
    assert_eq!(of(&all, "12.5.1").verdict, Verdict::NotSeen);
    assert_eq!(all.inventory.unreadable, 1);
    world.seen.insert(key.into(), Observed::Absent);
    assert_eq!(
        of(&world.evidence(), "12.5.1").verdict,
        Verdict::Contradicted
    );
}

#[test]
fn a_way_that_is_not_asked_for_is_named_and_an_unread_group_makes_ways_unknown() {
    let mut world = world();
    let Some(Observed::Found(live)) = world.seen.get_mut("security-group-alb-rules-green") else {
        panic!();
    };
    live.spec["ingress"]["tcp/443 from 0.0.0.0/0"] = json!("x");
    live.spec["egress"]["all to 0.0.0.0/0"] = json!("");
    let Some(Observed::Found(live)) = world.seen.get_mut("security-group-reporting-rules-green")
    else {
        panic!();
    };
    live.spec["ingress"]["all from 0.0.0.0/0"] = json!("");
    let all = world.evidence();
    assert!(!all.paths.extra.is_empty());
    assert!(
        all.paths.extra.iter().all(|p| p.to == "reporting of green"),
        "{:?}",
        all.paths.extra
    );
    assert_eq!(of(&all, "1.3.1").verdict, Verdict::Contradicted);
    let error = Error::permanent("ec2:DescribeSecurityGroupRules", "no");
    let step = "security-group-reporting-rules-green";
    world.seen.insert(step.into(), Observed::Unreadable(error));
    let all = world.evidence();
    assert!(
        all.paths
            .unknown
            .iter()
            .any(|p| p.from == "reporting of green")
    );
    assert!(
        !all.paths
            .closed
            .iter()
            .any(|p| p.from == "reporting of green")
    );
    assert_eq!(of(&all, "1.3.1").verdict, Verdict::NotSeen);
}

/// The groups still hold, so no way is open; the entry is a hole all the same.
#[test]
fn an_acl_that_lets_anybody_reach_a_port_of_administration_is_contradicted() {
    let entry = |ports: &str, protocol: &str, cidr: &str| json!({"50": {"action": "allow", "protocol": protocol, "ports": ports, "cidr": cidr}});
    for (entries, wanted) in [
        (entry("22", "tcp", "0.0.0.0/0"), Verdict::Contradicted),
        (entry("3000-4000", "udp", "::/0"), Verdict::Contradicted),
        (entry("", "all", "0.0.0.0/0"), Verdict::Contradicted),
        (entry("22", "tcp", "10.0.0.0/8"), Verdict::Shown),
        (entry("8:0", "icmp", "0.0.0.0/0"), Verdict::Shown),
        (entry("23-3388", "tcp", "0.0.0.0/0"), Verdict::Shown),
    ] {
        let mut world = world();
        world.change("acl-db-entries-green", "/ingress", entries.clone());
        let all = world.evidence();
        let mut values = of(&all, "1.3.1").values.iter();
        let acl = values.find(|v| v.step == "acl-db-entries-green").unwrap();
        assert_eq!(acl.verdict, wanted, "{entries}");
    }
    let mut world = world();
    let open = entry("443", "tcp", "10.0.0.0/8");
    world.change("acl-default-blue", "/ingress", open);
    assert_eq!(
        of(&world.evidence(), "1.3.1").verdict,
        Verdict::Contradicted
    );
}

#[test]
fn an_empty_state_shows_nothing() {
    let mut world = world();
    world.state.steps.clear();
    world.seen.clear();
    let all = world.evidence();
    for row in &all.requirements {
        if row.id != "1.2.8" && row.id != "11.5.2" {
            assert_eq!(
                row.verdict,
                Verdict::NotSeen,
                "{}: {:#?}",
                row.id,
                row.values
            );
        }
    }
}

#[test]
fn each_value_says_when_its_step_was_read() {
    let world = world();
    let at: Timestamp = "2026-11-29T07:00:00Z".parse().unwrap();
    world.reads.note("key-data-green", at);
    let all = world.evidence();
    let values = all.requirements.iter().flat_map(|r| &r.values);
    let of = |step: &str| values.clone().find(|v| v.step == step).unwrap().read;
    assert_eq!(
        (of("key-data-green"), of("key-data-blue")),
        (Some(at), None)
    );
}

#[test]
fn ends_of_support_are_those_of_the_versions_that_run() {
    let mut world = world();
    world.change("aurora-green", "/running_version", json!("11.9"));
    let all = world.evidence();
    let old: Vec<_> = all.support.iter().filter(|s| s.version == "11.9").collect();
    assert_eq!(old.len(), 1);
    assert_eq!(old[0].steps, ["aurora-green"]);
    assert_eq!(old[0].verdict, Verdict::Contradicted);
    let configured = all.support.iter().find(|s| s.version == "14.6").unwrap();
    assert_eq!(configured.steps, ["aurora-blue"]);
    assert_eq!(configured.verdict, Verdict::Shown);
    let row = of(&all, "12.3.4");
    let value = row
        .values
        .iter()
        .find(|v| v.step == "aurora-green")
        .unwrap();
    assert_eq!(
        (value.field.as_str(), &value.value, value.verdict),
        ("EngineVersion", &json!("11.9"), Verdict::Contradicted)
    );
    for step in ["aurora-blue", "aurora-green"] {
        let error = Error::permanent("rds:DescribeDBClusters", "no");
        world.seen.insert(step.into(), Observed::Unreadable(error));
    }
    let all = world.evidence();
    let unread = all.support.iter().find(|s| s.key.starts_with("database"));
    let unread = unread.unwrap();
    assert_eq!((unread.steps.len(), unread.verdict), (0, Verdict::NotSeen));
}

#[test]
fn an_alarm_that_notifies_nobody_is_silent_unless_one_above_it_speaks() {
    let mut world = world();
    let name = world.state.steps["alarm-lag-sync-green"].name.clone();
    let silent = |world: &World| {
        let all = world.evidence().silent;
        all.into_iter()
            .any(|s| s.starts_with("alarm-lag-sync-green"))
    };
    assert!(!silent(&world));
    world.change("alarm-lag-sync-green", "/notify", json!([]));
    assert!(silent(&world));
    world.change("alarm-any-green", "/any_of", json!([name]));
    assert!(!silent(&world));
    world.change("alarm-any-green", "/notify", json!([]));
    assert!(silent(&world));
    world.seen.insert("alerts-green".into(), Observed::Absent);
    let all = world.evidence().silent;
    assert!(
        all.iter()
            .any(|s| s.contains("alerts-green: the topic is not there")),
        "{all:?}"
    );
}

/// What somebody put behind a name may be secret: the names are enough.
#[test]
fn settings_of_tasks_are_shown_by_name_alone() {
    let mut world = world();
    let Some(Observed::Found(live)) = world.seen.get_mut("task-reporting-green") else {
        panic!();
    };
    let mut values = Vec::new();
    each_environment(&mut live.spec, &mut |environment| {
        environment["DB_PASSWORD"] = json!("hunter2");
        values.push(environment.clone());
    });
    assert!(!values.is_empty());
    let all = world.evidence();
    assert_eq!(of(&all, "8.6.2").verdict, Verdict::Contradicted);
    let text = serde_json::to_string(&all).unwrap();
    assert!(text.contains("DB_PASSWORD") && !text.contains("hunter2"));
}

fn each_environment(value: &mut Value, each: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if key == "environment" {
                    each(value);
                } else {
                    each_environment(value, each);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| each_environment(v, each)),
        _ => {}
    }
}

#[test]
fn a_key_that_waits_for_its_deletion_is_contradicted() {
    let mut world = world();
    let at: Timestamp = "2026-12-06T10:50:45Z".parse().unwrap();
    let age = |step: &str, dates, why: Option<&str>| Age {
        step: step.into(),
        resource: format!("arn of {step}"),
        operation: "kms:DescribeKey".into(),
        dates,
        read: Timestamp::UNIX_EPOCH,
        why: why.map(str::to_owned),
    };
    let deletion = Dated {
        what: DELETION,
        at: Some(at),
    };
    world.ages = vec![
        age("key-data-blue", vec![deletion], None),
        age("key-data-green", Vec::new(), None),
        age(
            "key-logs-green",
            Vec::new(),
            Some("kms:DescribeKey: denied"),
        ),
    ];
    let all = world.evidence();
    let row = of(&all, "3.7.5");
    let verdicts: Vec<_> = row
        .values
        .iter()
        .map(|v| (v.step.as_str(), v.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("key-data-blue", Verdict::Contradicted),
            ("key-data-green", Verdict::Shown),
            ("key-logs-green", Verdict::NotSeen),
        ]
    );
    assert_eq!(row.verdict, Verdict::Contradicted);
    assert_eq!(row.values[0].value, json!(at));
}
