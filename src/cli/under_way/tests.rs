use super::*;
use crate::engine::driver::{Live, Phase};
use crate::engine::ownership::Mark;
use serde_json::json;

fn live(spec: Value) -> Observed {
    Observed::Found(Live {
        spec,
        mark: Mark::Parent,
        outputs: json!({}),
        phase: Phase::Ready,
    })
}

#[test]
fn a_bridge_that_is_switched_on_stays_while_its_balancer_does() {
    let plan = |armed: bool, destroyed: bool| {
        let mut plan = removes(&["green"], "elbv2/rule");
        let node = &mut plan.nodes[0];
        node.destroyed = destroyed;
        let Observed::Found(rule) = live(json!({"armed": armed})) else {
            panic!("it is there")
        };
        node.live = Some(rule);
        check(&plan, &Observations::new())
    };
    assert!(plan(true, false).is_err());
    assert!(plan(false, false).is_ok() && plan(true, true).is_ok());
}

fn removes(scopes: &[&str], kind: &str) -> Plan {
    let node = |scope: &&str| Node {
        step: format!("cluster-{scope}"),
        kind: kind.into(),
        scope: (*scope).into(),
        name: String::new(),
        op: Op::Remove,
        verb: Verb::Delete,
        spec: Value::Null,
        tags: Default::default(),
        changes: Vec::new(),
        reasons: Vec::new(),
        live: None,
        needs: Vec::new(),
        record_needs: Vec::new(),
        refused: None,
        replaces: None,
        restore: None,
        upgrade: false,
        seconds: 0.0,
        destroyed: true,
        loss: Default::default(),
        holds_data: false,
        interrupts: Vec::new(),
        follows: false,
    };
    Plan {
        nodes: scopes.iter().map(node).collect(),
        ..Plan::default()
    }
}

fn seen(note: &str, enabled: bool) -> Observations {
    Observations::from([
        (NOTE.to_owned(), live(json!({"value": note}))),
        (
            "schedule-sync-green".to_owned(),
            live(json!({"enabled": enabled})),
        ),
        ("schedule-group-green".to_owned(), live(json!({}))),
    ])
}

/// Somebody has moved the customers by hand, or damaged the note.
#[test]
fn what_route_53_answers_counts_and_not_what_was_noted() {
    let back = "epoch=3 act=rollback blue=100 green=0";
    let over = "epoch=3 act=cutover blue=0 green=100 writer=green";
    // What the traffic command has not set comes with what it has set last.
    let moved = |weight: i64| live(json!({"weight": {"is": weight, "recorded": 7}}));
    let record = |weight: i64| live(json!({"weight": weight}));
    let both = |blue, green| [Some(blue), Some(green)];
    for (note, weights, scope, what) in [
        (back, both(50, 50), "green", Some("50 % of the customers")),
        (back, both(100, 0), "green", None),
        (
            "epoch=3 act=done blue=50 green=50",
            both(100, 0),
            "green",
            None,
        ),
        (back, both(0, 100), "blue", None),
        (back, both(100, 1), "green", Some("1 % of the customers")),
        (over, both(0, 100), "green", Some("100 % of the customers")),
        ("epoch=x", both(100, 0), "green", Some("damaged")),
        // The last one there is.
        (back, [Some(100), None], "blue", None),
        (over, [None, Some(100)], "green", None),
    ] {
        let mut seen = seen(note, false);
        for of in [&record as &dyn Fn(i64) -> Observed, &moved] {
            for (step, weight) in RECORDS.iter().zip(weights) {
                if let Some(weight) = weight {
                    seen.insert((*step).to_owned(), of(weight));
                }
            }
            let refused = check(&removes(&[scope], "rds/cluster"), &seen).err();
            let said = refused.map(|failure| failure.message);
            match what {
                Some(what) => assert!(said.is_some_and(|s| s.contains(what)), "{note} {weights:?}"),
                None => assert_eq!(said, None, "{note} {weights:?}"),
            }
        }
    }
}

#[test]
fn what_a_migration_or_customers_need_stays_until_they_are_gone() {
    let cases: [(&str, bool, &[&str], Option<&str>); 12] = [
        ("epoch=0", false, &["green"], None),
        ("epoch=0", false, &["blue", "green"], None),
        ("epoch=0", true, &["green"], Some("migrate stop")),
        ("epoch=0", true, &["blue", "green"], Some("migrate stop")),
        (
            "epoch=3 act=shift blue=90 green=10",
            false,
            &["blue"],
            Some("traffic rollback"),
        ),
        (
            "epoch=3 act=shift blue=90 green=10",
            false,
            &["blue", "green"],
            Some("traffic rollback"),
        ),
        (
            "epoch=3 act=done blue=50 green=50",
            false,
            &["green"],
            Some("traffic rollback"),
        ),
        (
            "epoch=3 act=done blue=50 green=50",
            false,
            &["blue"],
            Some("traffic shift"),
        ),
        (
            "epoch=3 act=done blue=50 green=50",
            false,
            &["blue", "green"],
            None,
        ),
        (
            "epoch=3 act=rollback blue=100 green=0",
            false,
            &["green"],
            None,
        ),
        (
            "epoch=3 act=cutover blue=100 green=0 writer=green",
            false,
            &["green"],
            Some("cutover --reverse"),
        ),
        (
            "epoch=3 act=cutover blue=0 green=100 writer=green",
            false,
            &["blue"],
            None,
        ),
    ];
    for (note, enabled, scopes, hint) in cases {
        let refused = check(&removes(scopes, "rds/cluster"), &seen(note, enabled)).err();
        match (hint, refused) {
            (None, None) => {}
            (Some(hint), Some(failure)) => {
                let said = failure.hint.clone().unwrap_or_default();
                assert!(said.contains(hint), "{note} {scopes:?}: {said}");
                assert_eq!(failure.exit, Exit::Refused);
            }
            (hint, refused) => panic!("{note} {scopes:?}: {hint:?} {}", refused.is_some()),
        }
        // What nobody notices goes at any time, and so does nothing.
        assert!(check(&removes(scopes, "cloudwatch/alarm"), &seen(note, enabled)).is_ok());
        assert!(check(&removes(&[], "rds/cluster"), &seen(note, enabled)).is_ok());
    }
}

/// What a split needs stays, whoever changed the configuration meanwhile.
#[test]
fn records_are_not_renamed_during_a_shift_and_green_takes_no_writes_under_customers() {
    let plan = |step: &str, kind: &str, verb: Verb| {
        let mut plan = removes(&["green"], kind);
        let node = &mut plan.nodes[0];
        (node.step, node.verb, node.destroyed) = (step.into(), verb, false);
        plan
    };
    let with = |note: &str, green: i64| {
        let mut seen = seen(note, true);
        for (step, weight) in RECORDS.iter().zip([100 - green, green]) {
            seen.insert((*step).to_owned(), live(json!({"weight": weight})));
        }
        seen
    };
    let renamed = plan("record-green", "route53/record", Verb::Replace);
    let opened = plan("rule-write-payment-api-green", "elbv2/rule", Verb::Delete);
    let shift = "epoch=3 act=shift blue=75 green=25 run=a";
    let done = "epoch=3 act=done blue=75 green=25 run=a";
    let back = "epoch=3 act=rollback blue=100 green=0";
    for (plan, note, green, refused) in [
        (&renamed, shift, 25, true),
        (&renamed, "epoch=x", 25, true),
        (&renamed, done, 25, false),
        (&opened, shift, 0, true),
        (&opened, done, 25, true),
        (&opened, back, 0, false),
        (&opened, "epoch=0", 10, false),
    ] {
        let said = check(plan, &with(note, green)).err();
        assert_eq!(
            said.is_some(),
            refused,
            "{} {note} {green}",
            plan.nodes[0].step
        );
        assert!(said.is_none_or(|failure| failure.exit == Exit::Refused));
    }
}
