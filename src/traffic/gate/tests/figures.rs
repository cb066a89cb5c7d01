//! Figures that are stated: time to pass, the self-test, and simulated shifts.

use super::*;

#[test]
fn time_to_pass_follows_from_blues_traffic() {
    let limits = Limits::default();
    let at = |weight, rate| time_to_pass(weight, rate, 10, None, &limits).unwrap();
    for (weight, minutes) in [(10, 86), (25, 35), (50, 18), (75, 12), (100, 10)] {
        assert_eq!(at(weight, 35.0).minutes, minutes, "{weight}");
    }
    assert_eq!(at(10, 210.0).minutes, 15);
    assert!(at(100, 210.0).bake_decides && !at(10, 210.0).bake_decides);
    assert_eq!(at(10, 35.0).with_delay, 88);
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(time_to_pass(10, rate, 10, None, &limits), None);
    }
    let likely = |hits| {
        let blue = Totals {
            requests: 10_000,
            hits,
        };
        time_to_pass(10, 210.0, 10, Some(blue), &limits)
            .unwrap()
            .likely_minutes
    };
    assert_eq!(likely(0), Some(15));
    assert_eq!(likely(20), Some(23), "473 requests with one bad one");
    assert_eq!(likely(100), None, "blue itself would not pass");
    let text = at(10, 35.0).to_string();
    assert_eq!(
        text,
        "weight 10: able to pass after 86 minutes (300 requests on green)"
    );
}

#[test]
fn a_step_passes_when_the_plan_says_that_it_can() {
    let told = time_to_pass(50, 60.0, 10, None, &Limits::default()).unwrap();
    let minute = pair((30, 0, 1), (30, 0, 1));
    let minutes = |n: u64| vec![minute; usize::try_from(n).unwrap()];
    assert_eq!(
        judged(step(50), &minutes(told.minutes)).action,
        Action::Advance
    );
    assert_eq!(
        judged(step(50), &minutes(told.minutes - 1)).action,
        Action::Wait
    );
}

#[test]
fn the_self_test_covers_every_rule_and_holds() {
    let test = self_test(&Limits::default());
    assert!(test.holds, "{test}");
    let cases = |verdict| {
        let of = test.cases.iter().filter(move |c| c.expected == verdict);
        of.filter_map(|c| c.rule).collect::<Vec<_>>()
    };
    let can_fail = [
        Rule::Parity,
        Rule::Conflicts,
        Rule::Counter,
        Rule::ReverseStream,
        Rule::Targets,
        Rule::Probes,
        Rule::Guard,
        Rule::BadShare,
        Rule::SlowShare,
        Rule::BadComparison,
        Rule::SlowComparison,
        Rule::Verify,
    ];
    for rule in Rule::ALL {
        assert_eq!(
            cases(Verdict::Fail).contains(&rule),
            can_fail.contains(&rule),
            "{rule:?}"
        );
        let others = [Verdict::Unknown, Verdict::Holding].map(cases).concat();
        assert!(
            others.contains(&rule) || can_fail.contains(&rule),
            "{rule:?}"
        );
    }
}

#[test]
fn the_self_test_finds_a_limit_that_can_never_fail() {
    for text in [
        r#"{"bad_share_least_bad": 1000000000}"#,
        r#"{"slow_share_least_requests": 1000000000}"#,
        r#"{"comparison_least_bad": 1000000000}"#,
        r#"{"tolerated_ratio": 10, "bad_ratios": [999], "slow_ratios": [10.0001]}"#,
    ] {
        let limits: Limits = serde_json::from_str(text).unwrap();
        assert_eq!(limits.problems(), Vec::<String>::new());
        let test = self_test(&limits);
        assert!(!test.holds, "{text}\n{test}");
        assert!(
            test.cases
                .iter()
                .any(|c| !c.holds && c.expected == Verdict::Fail),
            "{text}"
        );
    }
}

#[test]
fn words_in_json_are_those_in_tables() {
    for rule in Rule::ALL {
        let json = serde_json::to_value(rule).unwrap();
        assert_eq!(json, rule.word().replace(' ', "_"));
    }
    for verdict in [
        Verdict::Pass,
        Verdict::Holding,
        Verdict::Unknown,
        Verdict::Fail,
    ] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
    }
    assert!(Rule::ALL.is_sorted());
}

#[test]
fn a_decision_prints_its_numbers_and_comes_back_from_json() {
    let decision = judged(step(10), &[pair((21, 2, 1), (189, 0, 9)); 4]);
    let text = decision.to_string();
    for part in [
        "gate at weight 10: fail: 4 of green's 42 requests in 5 minutes were bad: 9.52 %, limit 1 %",
        "lower bound is 1.6",
        "green 4 of 42 (9.52 %) bad, blue 0 of 378 (0.00 %) in the same minutes",
        "fails at 200 (alpha 0.005)",
        "slower than 0.8 s",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json = serde_json::to_string(&decision).unwrap();
    assert!(
        !json.contains("null,\"limit") && json.contains("\"evidence_limit\":200.0"),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision);
}

#[test]
fn simulated_shifts_keep_the_figures() {
    let report = simulate::run(&simulate::figures(), 200, 1, &Limits::default());
    assert_eq!(report.missed(), Vec::<String>::new(), "\n{report}");
}

#[test]
fn the_simulation_can_miss_its_figures_and_is_the_same_again() {
    let run = |limits: &Limits| simulate::run(&simulate::figures()[1..], 10, 7, limits);
    let strict = Limits {
        slow_share_percent: 5.0,
        ..Limits::default()
    };
    let report = run(&strict);
    assert!(
        report.missed()[0].starts_with("healthy, 210 a minute"),
        "{report}"
    );
    let deaf = Limits {
        bad_share_least_bad: 1_000_000,
        comparison_least_bad: 1_000_000,
        longest_step_minutes: 60,
        ..Limits::default()
    };
    assert!(
        run(&deaf)
            .missed()
            .iter()
            .any(|m| m.starts_with("10 % bad"))
    );
    assert_eq!(run(&strict), report);
}
