//! Tables for the limits, properties of any traffic, and the figures.

mod figures;
mod limits;
mod properties;
mod refused;
mod resume;
mod statistics;
mod unknown;

use super::instant::{Guard, Parity, Probes, Stream, Targets, Verify};
use super::*;

/// Every test's step begins here.
const FIRST: Minute = 29_000_000;

fn step(weight: u8) -> Step {
    Step {
        weight,
        start: FIRST * 60,
        bake_minutes: DEFAULT_BAKE_MINUTES,
        steps: 5,
        metrics: 2,
        mode: DataMode::TwoWay,
        slow_over_seconds: Some(0.8),
        past: Totals::default(),
        probes: true,
    }
}

/// Everything but the metrics is good.
fn good(now: i64) -> Instant {
    Instant {
        parity_mismatches: Some(0),
        conflicts: Some(0),
        counters: Vec::new(),
        reverse_stream: Some(Stream::Running),
        targets: Some(vec![Targets {
            service: "payment-api".to_owned(),
            healthy: 3,
            desired: 3,
        }]),
        probes: Some(Probes {
            done: 3,
            failed_in_a_row: 0,
        }),
        guard: Some(Guard::Quiet),
        lag_forward: Some(0.4),
        lag_reverse: Some(0.4),
        verify: Some(Verify {
            result: Parity::Equal,
            at: now,
        }),
    }
}

fn pair(green: (u64, u64, u64), blue: (u64, u64, u64)) -> Pair {
    Pair {
        green: Counts::of(green.0, green.1, green.2),
        blue: Counts::of(blue.0, blue.1, blue.2),
    }
}

/// The gate after these minutes.
fn fed(step: Step, minutes: &[Pair]) -> Gate {
    let mut gate = Gate::begin(step).unwrap();
    for (minute, pair) in (FIRST..).zip(minutes) {
        gate.observe(minute, *pair);
    }
    gate
}

/// The moment at which the last of so many minutes has settled and is published in full.
fn settled(minutes: usize) -> i64 {
    (FIRST + minutes as i64) * 60 + 180
}

/// Judged when all minutes have settled.
fn judged(step: Step, minutes: &[Pair]) -> Decision {
    let now = settled(minutes.len());
    fed(step, minutes).evaluate(&Limits::default(), now, &good(now))
}

fn verdict_of(decision: &Decision, rule: Rule) -> Verdict {
    decision.of(rule).unwrap().verdict
}
