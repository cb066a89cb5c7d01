mod accepted;
mod support;
mod waiting;

use super::untracked::names;
use super::*;
use crate::engine::driver::{Live, Phase};
use crate::engine::ownership::Mark;
use crate::state::Stage;
use serde_json::json;
use std::collections::BTreeMap;
use support::*;

#[test]
fn what_is_as_it_should_be_is_in_sync() {
    let list = [
        owned("vpc", "vpc-1"),
        owned("lone", "arn:aws:test:::lone/lone-1"),
    ];
    let drift = run(&state(), &good(), &list);
    assert_eq!(
        drift.summary,
        Counts {
            in_sync: 3,
            ..Counts::default()
        }
    );
    assert!(!drift.differs() && drift.complete());
}

#[test]
fn changes_and_extra_elements_are_told_apart_by_path() {
    let mut seen = good();
    let mut found = live(
        "vpc",
        json!({"cidr": "10.9.0.0/16", "rules": {"https": 443, "ssh": 22}, "count": 12}),
    );
    let extra = BTreeMap::from([
        ("Owner".to_owned(), "me".to_owned()),
        ("map-1".into(), "x".into()),
        ("aws:a".into(), "x".into()),
    ]);
    found.mark = Mark::Tags(tags("vpc").into_iter().chain(extra).collect());
    seen.insert("vpc".into(), Observed::Found(found));
    let drift = run(&state(), &seen, &[]);
    let row = row(&drift, "vpc");
    assert_eq!(row.status, Status::Changed);
    let paths = |list: &[Change]| list.iter().map(|c| c.path.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(&row.changes), ["cidr"]);
    assert_eq!(paths(&row.unmanaged), ["rules.ssh", "tags.Owner"]);
    assert_eq!(row.out_of_range[0].illegal.as_deref(), Some("12 is over 9"));
    let expected = Counts {
        in_sync: 2,
        changed: 1,
        unmanaged: 2,
        out_of_range: 1,
        ..Counts::default()
    };
    assert_eq!(drift.summary, expected);
    assert!(drift.differs());
}

#[test]
fn what_follows_from_the_repair_of_another_step_is_no_difference() {
    let mut b = crate::engine::Builder::new();
    b.add(head("vpc", "green"), Thing(json!({"cidr": "wanted"})));
    b.add(head("link", "green"), Part(json!({"to": "@{vpc.address}"})));
    let graph = b.build().unwrap();
    let mut state = state();
    state.steps.remove("lone");
    let vpc = state.steps.get_mut("vpc").unwrap();
    vpc.outputs["address"] = json!("recorded");
    for (cidr, address, to, status) in [
        ("wanted", json!("recorded"), "recorded", Status::InSync),
        // The repair will give it another address, whatever it has now.
        ("other", json!("now"), "recorded", Status::InSync),
        ("other", Value::Null, "recorded", Status::InSync),
        ("other", json!("now"), "elsewhere", Status::Changed),
        // It has another one and keeps it: the link has to follow.
        ("wanted", json!("now"), "recorded", Status::Changed),
        ("wanted", json!("now"), "now", Status::InSync),
    ] {
        let mut found = live("vpc", json!({"cidr": cidr}));
        if !address.is_null() {
            found.outputs["address"] = address.clone();
        }
        let part = Live {
            mark: Mark::Parent,
            ..live("link", json!({"to": to}))
        };
        let seen = BTreeMap::from([
            ("vpc".to_owned(), Observed::Found(found)),
            ("link".to_owned(), Observed::Found(part)),
        ]);
        let drift = run_on(&graph, &state, &seen, &[]);
        let case = format!("{cidr} {address} {to}");
        assert_eq!(row(&drift, "link").status, status, "{case}");
    }
}

#[test]
fn a_step_with_extra_elements_alone_is_unmanaged_and_one_out_of_range_says_so() {
    let mut seen = good();
    seen.insert(
        "vpc".into(),
        Observed::Found(live(
            "vpc",
            json!({"cidr": "10.0.0.0/16", "rules": {"https": 443, "ssh": 22}, "count": 3}),
        )),
    );
    let drift = run(&state(), &seen, &[]);
    assert_eq!(
        (row(&drift, "vpc").status, drift.summary.unmanaged),
        (Status::Unmanaged, 1)
    );
    seen.insert(
        "vpc".into(),
        Observed::Found(live(
            "vpc",
            json!({"cidr": "10.0.0.0/16", "rules": {"https": 443}, "count": 10}),
        )),
    );
    let drift = run(&state(), &seen, &[]);
    assert_eq!(row(&drift, "vpc").status, Status::OutOfRange);
    assert_eq!((drift.summary.out_of_range, drift.differs()), (1, true));
    seen.insert(
        "vpc".into(),
        Observed::Found(live(
            "vpc",
            json!({"cidr": "10.0.0.0/16", "rules": {"https": 443}, "count": 9}),
        )),
    );
    assert_eq!(
        row(&run(&state(), &seen, &[]), "vpc").status,
        Status::InSync
    );
}

#[test]
fn missing_says_why_and_a_part_names_its_parent() {
    let mut seen = good();
    seen.insert("vpc".into(), Observed::Absent);
    seen.insert("link".into(), Observed::Absent);
    let mut state = state();
    let drift = run(&state, &seen, &[]);
    assert_eq!(
        row(&drift, "vpc").reason.as_deref(),
        Some("it is recorded but no longer exists")
    );
    assert_eq!(
        row(&drift, "link").reason.as_deref(),
        Some("`vpc`, which it belongs to, is missing")
    );
    assert_eq!(drift.summary.missing, 2);
    for (stage, why) in [
        (Stage::Creating, "an earlier run did not finish it"),
        (Stage::Deleting, "an earlier run deleted it"),
    ] {
        state
            .steps
            .insert("vpc".into(), record("test/thing", "green", "vpc", stage));
        assert_eq!(
            row(&run(&state, &seen, &[]), "vpc").reason.as_deref(),
            Some(why)
        );
    }
    state.steps.clear();
    assert_eq!(
        row(&run(&state, &seen, &[]), "vpc").reason.as_deref(),
        Some("not created yet")
    );
}

#[test]
fn what_cannot_be_read_is_unchecked_and_never_in_sync() {
    let denied = Error::permanent("ec2:DescribeVpcs", "no").code("UnauthorizedOperation");
    let mut seen = good();
    seen.insert("vpc".into(), Observed::Unreadable(denied.clone()));
    seen.remove("lone");
    let drift = run(&state(), &seen, &[]);
    assert_eq!(row(&drift, "vpc").error, Some(denied));
    assert_eq!((drift.summary.unchecked, drift.summary.in_sync), (2, 1));
    // Its dependents are compared with what is recorded, and do not look changed because of it.
    assert_eq!(row(&drift, "link").status, Status::InSync);
    assert!(!drift.differs() && !drift.complete());
}

#[test]
fn a_thing_is_unchecked_when_what_others_have_in_it_cannot_be_read() {
    let mut seen = good();
    let Some(Observed::Found(vpc)) = seen.get_mut("vpc") else {
        panic!("it is there");
    };
    let denied = "not read: ec2:DescribeX: UnauthorizedOperation";
    vpc.spec["members"] = json!(["subnet s-1", denied]);
    let drift = run(&state(), &seen, &[]);
    let vpc = row(&drift, "vpc");
    assert_eq!(vpc.status, Status::Unchecked);
    let reason = format!("what others have in it: {denied}");
    assert_eq!(vpc.reason, Some(reason));
    // What could be read of it is listed.
    let listed: Vec<String> = vpc.unmanaged.iter().map(|c| c.path.to_string()).collect();
    assert_eq!(listed, ["members[subnet s-1]"]);
    assert!(!drift.complete());
}

#[test]
fn a_lost_mark_is_a_change_and_a_foreign_thing_is_named() {
    let error = Error::foreign("read", "vpc `x`");
    let mut seen = good();
    seen.insert(
        "vpc".into(),
        Observed::Foreign(live("vpc", json!({})), error.clone()),
    );
    let mut state = state();
    assert_eq!(
        row(&run(&state, &seen, &[]), "vpc").reason.as_deref(),
        Some("it lost its mark")
    );
    state.steps.remove("vpc");
    let drift = run(&state, &seen, &[]);
    assert_eq!(row(&drift, "vpc").status, Status::Changed);
    assert_eq!(
        row(&drift, "vpc").reason.as_deref(),
        Some("its name is taken by a resource that this deployment does not own")
    );
    assert_eq!(row(&drift, "vpc").error, Some(error));
}

#[test]
fn phases_count() {
    for (phase, status) in [
        (Phase::Settling, Status::InSync),
        (Phase::Failed("x".into()), Status::Changed),
        (Phase::Deleting, Status::Missing),
    ] {
        let mut seen = good();
        seen.insert(
            "lone".into(),
            Observed::Found(Live {
                phase,
                ..live("lone", json!({"x": 1}))
            }),
        );
        let drift = run(&state(), &seen, &[]);
        assert_eq!(row(&drift, "lone").status, status);
        assert!(row(&drift, "lone").reason.is_some());
    }
}

#[test]
fn marked_things_outside_the_state_are_unmanaged_once() {
    let mut state = state();
    // A duplicate of a recorded step, a step nobody knows, and one that was found without a record (its row tells).
    state.steps.remove("lone");
    let list = [
        owned("vpc", "vpc-1"),
        owned("vpc", "vpc-2"),
        owned("old", "old-7"),
        owned("lone", "lone-1"),
    ];
    let drift = run(&state, &good(), &list);
    let got: Vec<_> = drift
        .unmanaged
        .iter()
        .map(|u| (u.id.as_str(), u.reason.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            (
                "old-7",
                "its tag DeployerStep names a step that neither the state nor the blueprint has"
            ),
            ("vpc-2", "a second one beside the recorded one of `vpc`"),
        ]
    );
    assert_eq!(row(&drift, "lone").status, Status::Unmanaged);
    assert_eq!(drift.summary.unmanaged, 3);
}

#[test]
fn an_id_is_not_taken_for_the_tail_of_another() {
    let outputs = json!({"id": "vpc-11"});
    assert!(!names(&outputs, &owned("vpc", "1")));
    assert!(!names(&outputs, &owned("vpc", "vpc-1")));
    assert!(names(&outputs, &owned("vpc", "arn:aws:ec2:r:1:vpc/vpc-11")));
}

#[test]
fn recorded_steps_that_left_the_blueprint_show_while_they_exist() {
    let mut state = state();
    state.steps.insert(
        "old".into(),
        record("test/thing", "green", "old", Stage::Ready),
    );
    let mut seen = good();
    seen.insert("old".into(), Observed::Absent);
    assert_eq!(run(&state, &seen, &[]).steps.len(), 3);
    seen.insert("old".into(), Observed::Found(live("old", json!({}))));
    let drift = run(&state, &seen, &[owned("old", "old-1")]);
    assert_eq!(
        row(&drift, "old").reason.as_deref(),
        Some("no longer in the blueprint; `deployer apply` deletes it")
    );
    assert!(drift.unmanaged.is_empty());
}

#[test]
fn a_scope_leaves_out_the_rest_and_unlisted_types_are_unchecked() {
    let graph = graph();
    let chosen = graph.select(Some("green"));
    let list = [
        owned("lone", "lone-2"),
        owned("else", "e-1"),
        Owned {
            tags: BTreeMap::from([("Environment".into(), "blue".into())]),
            ..owned("other", "o-1")
        },
    ];
    let unlisted = vec![Unlisted {
        kind: "kms/key".into(),
        error: Error::permanent("kms:ListKeys", "no"),
    }];
    let drift = drift(Input {
        graph: &graph,
        chosen: &chosen,
        scope: Some("green"),
        state: &state(),
        seen: &good(),
        owned: &list,
        undecided: &[],
        unlisted,
        registry: &registry(),
        ignore_tags: &[],
        needed: &BTreeMap::new(),
    });
    assert_eq!(drift.steps.len(), 2);
    let ids: Vec<_> = drift.unmanaged.iter().map(|u| u.id.as_str()).collect();
    assert_eq!(ids, ["e-1"]);
    assert!(!drift.complete());
}
