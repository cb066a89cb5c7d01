//! Steps and limits that make no sense.

use super::*;

#[test]
fn steps_without_a_weight_and_limits_without_sense_are_refused() {
    for weight in [0, 101] {
        assert!(Gate::begin(step(weight)).is_err());
    }
    assert!(
        Gate::begin(Step {
            steps: 0,
            ..step(10)
        })
        .is_err()
    );
    for t in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let slow_over_seconds = Some(t);
        assert!(
            Gate::begin(Step {
                slow_over_seconds,
                ..step(10)
            })
            .is_err()
        );
    }
    assert_eq!(Limits::default().problems(), Vec::<String>::new());
    assert_eq!(
        serde_json::from_str::<Limits>("{}").unwrap(),
        Limits::default()
    );
    assert!(serde_json::from_str::<Limits>(r#"{"bad_shares": 2}"#).is_err());
    for (text, key) in [
        (r#"{"bad_share_percent": 0}"#, "bad_share_percent"),
        (r#"{"bad_share_percent": 100}"#, "bad_share_percent"),
        (r#"{"bad_ratios": [1.1]}"#, "bad_ratios"),
        (r#"{"slow_ratios": []}"#, "slow_ratios"),
        (r#"{"overdue_seconds": 120}"#, "overdue_seconds"),
        (r#"{"probes_in_a_row": 0}"#, "probes_in_a_row"),
        (
            r#"{"unknown_rollback_weight": 101}"#,
            "unknown_rollback_weight",
        ),
    ] {
        let limits: Limits = serde_json::from_str(text).unwrap();
        let problems = limits.problems();
        assert!(
            problems.len() == 1 && problems[0].starts_with(key),
            "{problems:?}"
        );
        assert!(!self_test(&limits).holds);
    }
}
