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
