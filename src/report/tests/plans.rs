//! A plan in words.

use super::*;

#[test]
fn a_plan_is_grouped_and_says_what_changes_and_why() {
    insta::assert_snapshot!(plan(&rich(), Paint::PLAIN));
    assert!(plan(&rich(), Paint::COLOR).contains("\u{1b}[32m  +\u{1b}[0m"));
}

#[test]
fn a_plan_without_adoption_has_the_short_headline_and_an_empty_one_says_so() {
    let plain = Plan {
        nodes: vec![node("a", "ec2/vpc", "blue", Verb::Create)],
        unchanged: vec!["x".into(); 140],
        ..Plan::default()
    };
    let text = plan(&plain, Paint::PLAIN);
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
    assert_eq!(plan(&empty, Paint::PLAIN), "Nothing to do: 1 unchanged\n");
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
    let text = plan(&several, Paint::PLAIN);
    let first =
        "warning: more than one resource carries the ownership mark of 4 steps (a, b, c, ...). ";
    assert!(text.starts_with(first), "{text}");
    let document = PlanDocument::new(DeploymentRef::default(), &several);
    assert!(text.contains(&document.notes[0]) && document.notes[1] == "a note");
    several.nodes.truncate(1);
    let text = plan(&several, Paint::PLAIN);
    assert!(text.contains(" of 1 step (a). "), "{text}");
    several.nodes[0].refused = Some(denied());
    assert!(!plan(&several, Paint::PLAIN).starts_with("warning"));
}
