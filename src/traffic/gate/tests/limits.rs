//! Tables for each limit.

use super::super::instant::{Counter, Guard, Parity, Probes, Stream, Verify};
use super::*;

#[test]
fn the_limit_of_bad_requests_needs_a_share_three_bad_ones_and_a_proof() {
    use Verdict::{Fail, Holding, Pass};
    for (requests, bad, expected) in [
        (105, 0, Pass),
        (105, 1, Pass),
        (105, 2, Holding),
        (105, 3, Holding),
        (105, 4, Fail),
        (20, 1, Holding),
        (20, 2, Holding),
        (20, 3, Fail),
        (68, 3, Fail),
        (69, 3, Holding),
        (1000, 10, Pass),
        (1000, 11, Holding),
        (1000, 12, Holding),
        (1000, 13, Fail),
        (3, 3, Fail),
    ] {
        let minute = pair((requests, bad, 0), (requests, bad, 0));
        let decision = judged(step(50), &[minute]);
        let got = verdict_of(&decision, Rule::BadShare);
        assert_eq!(got, expected, "{bad} of {requests}");
    }
}

#[test]
fn the_limit_of_slow_requests_needs_a_hundred_requests() {
    use Verdict::{Fail, Holding, Pass};
    for (requests, slow, expected) in [
        (100, 5, Pass),
        (100, 15, Pass),
        (100, 16, Fail),
        (99, 14, Pass),
        (99, 99, Holding),
        (10_000, 1501, Fail),
    ] {
        let minute = pair((requests, 0, slow), (requests, 0, slow));
        let decision = judged(step(50), &[minute]);
        let got = verdict_of(&decision, Rule::SlowShare);
        assert_eq!(got, expected, "{slow} of {requests}");
    }
}

#[test]
fn the_window_is_five_minutes_of_the_clock() {
    let (bad, none) = (pair((21, 2, 0), (189, 0, 0)), pair((21, 0, 0), (189, 0, 0)));
    let share = |minutes: &[Pair]| verdict_of(&judged(step(10), minutes), Rule::BadShare);
    assert_eq!(share(&[bad, none, none, none, bad]), Verdict::Fail);
    assert_eq!(share(&[bad, none, none, none, none, bad]), Verdict::Holding);
    // A minute of which nothing is known takes its place in the window.
    let gap = Pair::default();
    assert_eq!(share(&[bad, none, gap, gap, gap, bad]), Verdict::Holding);
    assert_eq!(share(&[bad, gap, gap, gap, bad]), Verdict::Fail);
}

#[test]
fn a_failure_that_nobody_looked_at_is_still_one() {
    let (bad, none) = (
        pair((21, 8, 0), (189, 0, 0)),
        pair((210, 0, 0), (1890, 0, 0)),
    );
    let mut minutes = vec![bad; 2];
    minutes.extend(vec![none; 500]);
    let decision = judged(step(10), &minutes);
    assert_eq!(decision.action, Action::RollBack);
    assert_eq!(verdict_of(&decision, Rule::BadShare), Verdict::Fail);
    assert_eq!(verdict_of(&decision, Rule::BadComparison), Verdict::Fail);
}

#[test]
fn one_look_is_enough_to_fail() {
    let minutes = vec![pair((300, 0, 15), (300, 0, 15)); 30];
    let now = settled(30);
    type Change = fn(&mut Instant);
    let cases: [(Rule, Change); 9] = [
        (Rule::Parity, |i| i.parity_mismatches = Some(1)),
        (Rule::Conflicts, |i| i.conflicts = Some(1)),
        (Rule::Counter, |i| {
            let name = "pairs".to_owned();
            i.counters = vec![Counter {
                name,
                value: Some(2),
            }];
        }),
        (Rule::ReverseStream, |i| {
            i.reverse_stream = Some(Stream::Stopped);
        }),
        (Rule::ReverseStream, |i| {
            i.reverse_stream = Some(Stream::SlotLost);
        }),
        (Rule::Targets, |i| {
            i.targets.as_mut().unwrap()[0].healthy = 2;
        }),
        (Rule::Probes, |i| {
            i.probes = Some(Probes {
                done: 3,
                failed_in_a_row: 3,
            });
        }),
        (Rule::Guard, |i| i.guard = Some(Guard::Raised)),
        (Rule::Verify, |i| {
            i.verify = Some(Verify {
                result: Parity::Different,
                at: 0,
            });
        }),
    ];
    for (rule, change) in cases {
        let mut seen = good(now);
        change(&mut seen);
        let decision = fed(step(50), &minutes).evaluate(&Limits::default(), now, &seen);
        assert_eq!(decision.action, Action::RollBack, "{rule:?}");
        let deciding: Vec<Rule> = decision.deciding().map(|f| f.rule).collect();
        assert_eq!(deciding, [rule]);
        assert!(
            decision
                .sentence
                .contains(&decision.of(rule).unwrap().sentence)
        );
    }
}

#[test]
fn what_a_step_needs_to_pass_is_exact() {
    let minute = |n| pair((n, 0, 0), (n, 0, 0));
    let at = |n, minutes: usize| judged(step(50), &vec![minute(n); minutes]);
    assert_eq!(at(30, 10).action, Action::Advance);
    let short = at(29, 10);
    assert_eq!(short.verdict, Verdict::Holding);
    assert_eq!(verdict_of(&short, Rule::Requests), Verdict::Holding);
    let early = at(1000, 9);
    assert_eq!(
        early.deciding().map(|f| f.rule).collect::<Vec<_>>(),
        [Rule::Bake]
    );

    let now = settled(10);
    type Change = fn(&mut Instant, i64);
    let cases: [(Rule, bool, Change); 8] = [
        (Rule::LagForward, true, |i, _| i.lag_forward = Some(4.99)),
        (Rule::LagForward, false, |i, _| i.lag_forward = Some(5.0)),
        (Rule::LagReverse, true, |i, _| i.lag_reverse = Some(0.0)),
        (Rule::LagReverse, false, |i, _| i.lag_reverse = Some(5.0)),
        (Rule::Verify, true, |i, now| {
            i.verify.as_mut().unwrap().at = now - 900;
        }),
        (Rule::Verify, false, |i, now| {
            i.verify.as_mut().unwrap().at = now - 901;
        }),
        (Rule::Verify, false, |i, _| {
            i.verify.as_mut().unwrap().result = Parity::Moving;
        }),
        (Rule::Probes, false, |i, _| {
            i.probes.as_mut().unwrap().failed_in_a_row = 1;
        }),
    ];
    for (rule, passes, change) in cases {
        let mut seen = good(now);
        change(&mut seen, now);
        let mut gate = fed(step(50), &[minute(100); 10]);
        let decision = gate.evaluate(&Limits::default(), now, &seen);
        let expected = if passes {
            Verdict::Pass
        } else {
            Verdict::Holding
        };
        assert_eq!(verdict_of(&decision, rule), expected, "{rule:?}");
        assert_eq!(decision.verdict, expected, "{rule:?}");
    }
}

#[test]
fn green_must_get_between_half_and_twice_its_weight() {
    for (green, blue, passes) in [
        (49, 951, false),
        (50, 950, true),
        (200, 800, true),
        (201, 799, false),
    ] {
        let decision = judged(step(10), &[pair((green, 0, 0), (blue, 0, 0)); 10]);
        let passed = verdict_of(&decision, Rule::ObservedShare) == Verdict::Pass;
        assert_eq!(passed, passes, "{green} of 1000");
    }
}

#[test]
fn a_green_that_only_reads_must_get_something() {
    for (green, blue, passes) in [(0, 1000, false), (1, 999, true), (201, 799, false)] {
        let mut step = step(10);
        step.mode = DataMode::ReadOnly;
        let decision = judged(step, &[pair((green, 0, 0), (blue, 0, 0)); 10]);
        let passed = verdict_of(&decision, Rule::ObservedShare) == Verdict::Pass;
        assert_eq!(passed, passes, "{green} of 1000");
    }
}

#[test]
fn at_weight_100_blue_is_not_asked_and_its_past_is() {
    let alone = |bad| Pair {
        green: Counts::of(210, bad, 10),
        blue: Counts::default(),
    };
    let past = Totals {
        requests: 20_000,
        hits: 20,
    };
    let with_past = Step { past, ..step(100) };
    let healthy = judged(with_past.clone(), &[alone(0); 12]);
    assert_eq!(healthy.action, Action::Advance, "{healthy}");
    let left_out = |d: &Decision, rule| d.not_checked.iter().any(|n| n.rule == rule);
    assert!(left_out(&healthy, Rule::BlueMetrics));
    assert!(left_out(&healthy, Rule::SlowComparison));
    // 0.95 % bad is below the absolute limit, and ten times what blue had.
    let worse = judged(with_past, &[alone(2); 12]);
    assert_eq!(
        verdict_of(&worse, Rule::BadComparison),
        Verdict::Fail,
        "{worse}"
    );
    assert_ne!(verdict_of(&worse, Rule::BadShare), Verdict::Fail);
    // Without a past the comparison is not made, and that is said.
    assert!(left_out(
        &judged(step(100), &[alone(0); 12]),
        Rule::BadComparison
    ));
}

#[test]
fn a_mode_asks_for_what_it_has() {
    let minutes = vec![pair((100, 0, 5), (100, 0, 5)); 12];
    let now = settled(12);
    for (mode, without) in [
        (
            DataMode::ReadOnly,
            vec![Rule::ReverseStream, Rule::LagReverse, Rule::Conflicts],
        ),
        (
            DataMode::OneWriter,
            vec![
                Rule::Parity,
                Rule::Conflicts,
                Rule::ReverseStream,
                Rule::LagForward,
                Rule::LagReverse,
                Rule::Verify,
            ],
        ),
        (DataMode::TwoWay, vec![]),
    ] {
        let decision =
            fed(Step { mode, ..step(50) }, &minutes).evaluate(&Limits::default(), now, &good(now));
        assert_eq!(decision.action, Action::Advance, "{mode:?}");
        for rule in Rule::ALL {
            let listed = decision.not_checked.iter().any(|n| n.rule == rule);
            assert_eq!(listed, without.contains(&rule), "{mode:?} {rule:?}");
            assert!(!(listed && decision.of(rule).is_some()));
        }
    }
}
