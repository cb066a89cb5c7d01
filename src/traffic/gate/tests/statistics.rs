//! The statistics themselves: exact bounds, and an evidence that is a fair bet.

use super::super::binomial::{at_least, at_most, lower_bound, upper_bound};
use super::super::evidence::{Evidence, Sample};
use super::*;

/// The probability of each number of hits of `n`.
fn chances(n: u64, p: f64) -> impl Iterator<Item = (u64, f64)> {
    (0..=n).map(move |k| {
        (
            k,
            at_most(k, n, p) - if k == 0 { 0.0 } else { at_most(k - 1, n, p) },
        )
    })
}

fn sample(green: (u64, u64), blue: (u64, u64)) -> Sample {
    let totals = |(requests, hits)| Totals { requests, hits };
    Sample {
        green: totals(green),
        blue: totals(blue),
    }
}

#[test]
fn the_upper_bound_is_within_one_percent_from_the_published_numbers_on() {
    for (bad, requests) in [(0, 299), (1, 473), (2, 628), (3, 773)] {
        let bound = |n| upper_bound(bad, n, 0.95);
        assert!(bound(requests) <= 0.01, "{bad} of {requests}");
        assert!(bound(requests - 1) > 0.01, "{bad} of {}", requests - 1);
        assert_eq!(plan::needed(bad, &Limits::default()), Some(requests));
    }
}

#[test]
fn bounds_and_tails_agree_and_hold_at_the_ends() {
    for (hits, n) in [(1, 5), (3, 66), (7, 10), (40, 1000), (900, 100_000)] {
        let (low, high) = (lower_bound(hits, n, 0.995), upper_bound(hits, n, 0.95));
        assert!((at_least(hits, n, low) - 0.005).abs() < 1e-9);
        assert!((at_most(hits, n, high) - 0.05).abs() < 1e-9);
        assert!(low < hits as f64 / n as f64 && (hits as f64 / n as f64) < high);
    }
    assert_eq!(upper_bound(0, 0, 0.95), 1.0);
    assert_eq!(upper_bound(5, 5, 0.95), 1.0);
    assert_eq!(lower_bound(0, 5, 0.95), 0.0);
    assert_eq!(at_most(0, 10_000_000, 0.5), 0.0);
    // 2 of 3 by hand: 3 * 0.25 * 0.5 + ...
    assert!((at_most(1, 3, 0.5) - 0.5).abs() < 1e-12);
    assert!((at_least(2, 3, 0.1) - 0.028).abs() < 1e-12);
}

/// The expectation of the factor of one minute with so many bad requests, when green is `ratio` times as bad as blue.
fn expected(limits: &Limits, kind: Kind, all: u64, (green, blue): (u64, u64), ratio: f64) -> f64 {
    let odds = ratio * green as f64 / blue as f64;
    let own = odds / (1.0 + odds);
    chances(all, own)
        .map(|(hits, chance)| {
            let mut evidence = Evidence::new(limits, kind);
            let minute = sample((green, hits), (blue, all - hits));
            evidence.compare(minute, limits, kind);
            chance * evidence.ln().exp()
        })
        .sum()
}

#[test]
fn evidence_is_a_fair_bet_at_the_tolerated_ratio_and_loses_below_it() {
    let limits = Limits::default();
    for kind in [Kind::Bad, Kind::Slow] {
        for sides in [(5, 95), (10, 90), (25, 75), (50, 50), (75, 25), (95, 5)] {
            for all in 0..=40 {
                let at = |ratio| expected(&limits, kind, all, sides, ratio);
                let place = format!("{kind:?} {sides:?} {all}");
                let fair = at(limits.tolerated_ratio);
                if all as f64 <= limits.counted_per_minute {
                    assert!((fair - 1.0).abs() < 1e-9, "{place}: {fair}");
                }
                assert!(fair <= 1.0 + 1e-9, "{place}: {fair}");
                assert!(at(1.0) <= fair + 1e-9, "{place}");
                assert!(at(0.2) <= fair + 1e-9, "{place}");
                if all > 0 {
                    assert!(at(16.0) > 1.0, "{place}: a worse green must show");
                }
            }
        }
    }
}

#[test]
fn two_minutes_together_are_a_fair_bet_too() {
    let limits = Limits::default();
    let mut sum = 0.0;
    let own = |green: f64, blue: f64| 1.25 * green / (1.25 * green + blue);
    for (first, chance) in chances(4, own(10.0, 90.0)) {
        for (second, other) in chances(3, own(40.0, 60.0)) {
            let mut evidence = Evidence::new(&limits, Kind::Bad);
            evidence.compare(sample((10, first), (90, 4 - first)), &limits, Kind::Bad);
            evidence.compare(sample((40, second), (60, 3 - second)), &limits, Kind::Bad);
            sum += chance * other * evidence.ln().exp();
        }
    }
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[test]
fn against_the_past_evidence_never_gains_on_average_while_green_is_tolerable() {
    let limits = Limits::default();
    for (requests, highest) in [(20, 0.02), (210, 0.003), (210, 0.03), (400, 0.2)] {
        for ratio in [0.2, 1.0, 1.25] {
            let mean: f64 = chances(requests, ratio * highest)
                .map(|(hits, chance)| {
                    let mut evidence = Evidence::new(&limits, Kind::Bad);
                    let green = Totals { requests, hits };
                    evidence.compare_with_past(green, highest, &limits, Kind::Bad);
                    chance * evidence.ln().exp()
                })
                .sum();
            assert!(mean <= 1.0 + 1e-9, "{requests} {highest} {ratio}: {mean}");
        }
    }
}

#[test]
fn so_many_errors_on_green_alone_fail_when_blue_has_none() {
    // One bad request a minute; the counts that the design states for 10, 50 and 90 % weight.
    for (weight, errors) in [(10, 4), (50, 12), (90, 78)] {
        let all = 1000;
        let green = all * u64::from(weight) / 100;
        let minute = pair((green, 1, 0), (all - green, 0, 0));
        let at =
            |n: usize| verdict_of(&judged(step(weight), &vec![minute; n]), Rule::BadComparison);
        assert_eq!(at(errors), Verdict::Fail, "{weight}");
        assert_ne!(at(errors - 1), Verdict::Fail, "{weight}");
    }
}

#[test]
fn a_spike_on_both_sides_is_nobodys_fault() {
    // Blue alone is above what counts in full: cutting each side on its own would blame green.
    let minute = pair((100, 6, 6), (900, 54, 54));
    let decision = judged(step(10), &[minute; 200]);
    for rule in [Rule::BadComparison, Rule::SlowComparison] {
        assert_eq!(verdict_of(&decision, rule), Verdict::Pass, "{rule:?}");
    }
}

#[test]
fn nothing_overflows_and_every_number_is_one_in_json() {
    let bad = pair((u64::MAX / 8, u64::MAX / 8, 0), (u64::MAX / 8, 1, 0));
    for minutes in [
        vec![bad; 3],
        vec![pair((10_000, 9_000, 9_000), (10_000, 1, 1)); 3000],
    ] {
        for weight in [10, 100] {
            let past = Totals {
                requests: 1_000_000,
                hits: 1000,
            };
            let mut fed = fed(
                Step {
                    past,
                    ..step(weight)
                },
                &minutes,
            );
            // Bounds of such counts take long; the comparison alone is asked.
            let now = settled(minutes.len().min(200));
            let finding = compare::evaluate(
                fed.step(),
                &Limits::default(),
                now,
                fed.minutes(),
                Kind::Bad,
            );
            let finding = finding.unwrap();
            assert_eq!(finding.verdict, Verdict::Fail);
            let json = serde_json::to_value(&finding.numbers).unwrap();
            assert!(json["evidence"].as_f64().unwrap() >= 200.0);
            fed.observe(FIRST, bad);
        }
    }
}
