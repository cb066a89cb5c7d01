//! Rules that accept differences for a time, and what each difference means.

use super::support::*;
use super::*;
use crate::engine::drift::{Difference, Rule, Severity, Use};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 28);

fn rule(step: &str, path: Option<&str>, until: Date) -> Rule {
    Rule {
        step: step.into(),
        path: path.map(str::to_owned),
        reason: "agreed".into(),
        until,
    }
}

/// `vpc` has another cidr and one rule more; `lone` is gone.
fn differing() -> Drift {
    let mut seen = good();
    seen.insert(
        "vpc".into(),
        Observed::Found(live(
            "vpc",
            json!({"cidr": "10.9.0.0/16", "rules": {"https": 443, "ssh": 22}, "count": 12}),
        )),
    );
    seen.insert("lone".into(), Observed::Absent);
    run(&state(), &seen, &[])
}

fn accepted(rules: &[Rule]) -> Drift {
    let mut drift = differing();
    drift.accept(rules, TODAY);
    drift
}

#[test]
fn a_rule_takes_what_it_names_and_nothing_else() {
    let drift = accepted(&[rule("vpc", Some("rules.*"), TODAY)]);
    let row = row(&drift, "vpc");
    assert_eq!(row.changes[0].path.to_string(), "cidr");
    assert!(row.unmanaged.is_empty());
    assert_eq!((row.status, drift.summary.accepted), (Status::Changed, 1));
    assert_eq!(drift.accepted[0].path, "rules.ssh");
    assert_eq!(drift.accepted[0].have, Some(json!(22)));
    assert!(drift.differs());
}

#[test]
fn a_rule_for_a_setting_does_not_hide_that_the_step_is_gone() {
    let drift = accepted(&[rule("*", Some("*"), TODAY)]);
    assert_eq!(row(&drift, "vpc").status, Status::InSync);
    assert_eq!(row(&drift, "lone").status, Status::Missing);
    let drift = accepted(&[rule("*", None, TODAY)]);
    assert!(!drift.differs());
    assert_eq!((drift.summary.accepted, drift.summary.in_sync), (4, 3));
}

#[test]
fn an_expired_rule_hides_nothing_and_an_unused_one_is_reported() {
    let yesterday = date(2026, 11, 27);
    let drift = accepted(&[rule("vpc", None, yesterday), rule("aurora-*", None, TODAY)]);
    assert_eq!(drift.steps, differing().steps);
    let uses: Vec<Use> = drift.rules.iter().map(|r| r.status).collect();
    assert_eq!(uses, [Use::Expired, Use::Unused]);
}

#[test]
fn what_could_not_be_read_is_never_accepted() {
    let mut seen = good();
    seen.insert(
        "vpc".into(),
        Observed::Unreadable(Error::permanent("read", "no")),
    );
    let mut drift = run(&state(), &seen, &[]);
    drift.accept(&[rule("*", None, TODAY)], TODAY);
    assert!(!drift.complete());
}

#[test]
fn every_difference_that_is_left_is_judged_once_and_the_worst_comes_first() {
    let mut drift = accepted(&[rule("vpc", Some("cidr"), TODAY)]);
    drift.rate(&|_, difference| match difference {
        Difference::Missing => (Severity::High, "gone"),
        _ => (Severity::Low, "other"),
    });
    let found: Vec<(Severity, &str, &str)> = drift
        .findings
        .iter()
        .map(|f| (f.severity, f.step.as_str(), f.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Severity::High, "lone", ""),
            (Severity::Medium, "vpc", "count"),
            (Severity::Low, "vpc", "rules.ssh")
        ]
    );
    assert_eq!(drift.summary.severity.high, 1);
}
