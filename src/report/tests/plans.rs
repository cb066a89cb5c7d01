//! A plan in words.

use super::*;

#[test]
fn a_plan_is_grouped_and_says_what_changes_and_why() {
    insta::assert_snapshot!(plan(&rich(), &Detail::Short, Paint::PLAIN));
    assert!(plan(&rich(), &Detail::Short, Paint::COLOR).contains("\u{1b}[32m  +\u{1b}[0m"));
}

#[test]
fn a_plan_without_adoption_has_the_short_headline_and_an_empty_one_says_so() {
    let plain = Plan {
        nodes: vec![node("a", "ec2/vpc", "blue", Verb::Create)],
        unchanged: vec!["x".into(); 140],
        ..Plan::default()
    };
    let text = plan(&plain, &Detail::Short, Paint::PLAIN);
    assert!(
        text.ends_with(
            "Plan: 1 to create, 0 to update, 0 to replace, 0 to delete, 140 unchanged\n"
        ),
        "{text}"
    );
    let empty = Plan {
        unchanged: vec!["x".into()],
        ..Plan::default()
    };
    assert_eq!(
        plan(&empty, &Detail::Short, Paint::PLAIN),
        "Nothing to do: 1 unchanged\n"
    );
}

#[test]
fn what_is_marked_twice_is_said_first() {
    let twice = |step: &str| Error::marked_twice(step, &["a".into(), "b".into()]);
    let refused = |step: &str| Node {
        refused: Some(twice(step)),
        ..node(step, "ec2/vpc", "green", Verb::Update)
    };
    let mut several = Plan {
        nodes: ["a", "b", "c", "d"].map(refused).into(),
        notes: vec!["a note".into()],
        ..Plan::default()
    };
    let text = plan(&several, &Detail::Short, Paint::PLAIN);
    let first =
        "warning: more than one resource carries the ownership mark of 4 steps (a, b, c, ...). ";
    assert!(text.starts_with(first), "{text}");
    let document = PlanDocument::new(DeploymentRef::default(), &several);
    assert!(text.contains(&document.notes[0]) && document.notes[1] == "a note");
    several.nodes.truncate(1);
    let text = plan(&several, &Detail::Short, Paint::PLAIN);
    assert!(text.contains(" of 1 step (a). "), "{text}");
    several.nodes[0].refused = Some(denied());
    assert!(!plan(&several, &Detail::Short, Paint::PLAIN).starts_with("warning"));
}

#[test]
fn a_hint_that_many_steps_share_is_printed_once() {
    let taken = |step: &str| Error::foreign("read", step);
    let refused = ["a", "b"].map(|step| Node {
        refused: Some(taken(step)),
        ..node(step, "ec2/vpc", "green", Verb::Update)
    });
    let problems = ["c", "d"].map(|step| Problem {
        step: step.into(),
        error: taken(step),
    });
    let some = Plan {
        nodes: refused.into(),
        problems: problems.into(),
        ..Plan::default()
    };
    let text = plan(&some, &Detail::Short, Paint::PLAIN);
    assert_eq!(text.matches("hint: ").count(), 1, "{text}");
    assert_eq!(text.matches("ownership mark").count(), 4, "{text}");
}

#[test]
fn the_same_change_on_many_steps_is_shown_once_and_every_step_is_named() {
    let owner = || change("tags.Owner", Some(json!("payments")), None);
    let tagged = |step: &str| Node {
        changes: vec![owner()],
        ..node(step, "ec2/subnet", "green", Verb::Update)
    };
    let mut both = tagged("subnet-c");
    both.changes.push(change(
        "public_addresses",
        Some(json!(false)),
        Some(json!(true)),
    ));
    let some = Plan {
        nodes: vec![tagged("subnet-a"), tagged("subnet-b"), both],
        ..Plan::default()
    };
    let text = plan(&some, &Detail::Short, Paint::PLAIN);
    assert_eq!(text.matches("tags.Owner").count(), 1, "{text}");
    assert!(text.contains("The same on 3 steps\n    + tags.Owner: \"payments\"\n    subnet-a, subnet-b, subnet-c\n"), "{text}");
    assert!(
        text.contains("~ subnet-c") && !text.contains("~ subnet-a"),
        "{text}"
    );
    let whole = plan(&some, &Detail::All, Paint::PLAIN);
    assert_eq!(whole.matches("tags.Owner").count(), 3, "{whole}");
}

/// A plan with every kind of thing that a reviewer has to see.
fn reviewed() -> Plan {
    let mut plan = rich();
    let long = "x".repeat(120);
    for node in &mut plan.nodes {
        node.spec = json!({"vpc": "@{vpc-green.id!}", "text": long.as_str(), "none": null});
        node.tags = BTreeMap::from([("Name".to_owned(), node.name.clone())]);
        node.holds_data = node.kind == "rds/cluster";
        if node.verb == Verb::Replace && node.op == Op::Ensure {
            node.interrupts = vec![Interruption {
                field: None,
                text: "it does not exist for about 9 min".into(),
            }];
        }
    }
    plan
}

#[test]
fn detail_shows_every_value_whole_and_no_internal_syntax() {
    let all = plan(&reviewed(), &Detail::All, Paint::PLAIN);
    let one = plan(
        &reviewed(),
        &Detail::Steps(vec!["tgw-*".into()]),
        Paint::PLAIN,
    );
    insta::assert_snapshot!(one);
    assert!(
        all.contains(&"x".repeat(120)) && !all.contains("@{"),
        "{all}"
    );
    assert!(
        all.contains("INTERRUPTS it does not exist for about 9 min"),
        "{all}"
    );
}

#[test]
fn markdown_and_json_have_what_the_text_has() {
    let home = DeploymentRef {
        suffix: "dev".into(),
        ..DeploymentRef::default()
    };
    let document = PlanDocument::new(home, &reviewed());
    let json = serde_json::to_value(&document).unwrap();
    assert!(!json.to_string().contains("@{"), "{json}");
    let step = &json["steps"][0];
    assert_eq!(
        step["known_after_apply"],
        json!([{"step": "vpc-green", "output": "id"}])
    );
    assert_eq!(step["tags"]["Name"], "tgw-shared-dev");
    insta::assert_snapshot!(plan_markdown(&document, "green of suffix dev", &[], false));
    let detail = plan_markdown(&document, "green of suffix dev", &[], true);
    assert!(
        detail.contains(&"x".repeat(120)) && !detail.contains("@{"),
        "{detail}"
    );
}
