//! Whole shifts on simulated traffic, judged by the real gate: how often a healthy green is rolled back, how soon a bad one
//! is. Deterministic for a seed.

mod run;
mod tally;
mod world;

pub use run::{Outcome, shift};
pub use tally::{Report, Row};
pub use world::{Quality, Scenario};

use super::limits::Limits;

/// At most this part of shifts with a healthy green may be rolled back, in percent.
pub const FALSE_ROLLBACKS_PERCENT: f64 = 5.0;

/// A green with 10 % bad requests at 10 % weight and 210 requests a minute fails within this many closed minutes, at the
/// 90th percentile.
pub const CLOSED_MINUTES_TO_FAIL: f64 = 4.0;

/// The two healthy scenarios and the bad one that the figures are stated for.
pub fn figures() -> Vec<Scenario> {
    let bad = Quality {
        bad: 0.10,
        ..Quality::HEALTHY
    };
    vec![
        Scenario::new("healthy, 35 a minute", 35.0).most_rollbacks(FALSE_ROLLBACKS_PERCENT),
        Scenario::new("healthy, 210 a minute", 210.0).most_rollbacks(FALSE_ROLLBACKS_PERCENT),
        Scenario::new("10 % bad, 210 a minute", 210.0)
            .sick(10, bad)
            .most_minutes(CLOSED_MINUTES_TO_FAIL),
    ]
}

/// Simulates each scenario so many times, on all cores.
pub fn run(scenarios: &[Scenario], shifts: u32, seed: u64, limits: &Limits) -> Report {
    let row = |(at, scenario): (u64, &Scenario)| {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(at);
        Row::of(scenario, &outcomes(scenario, shifts, seed, limits))
    };
    Report {
        seed,
        shifts,
        delay_seconds: (world::DELAY.start, world::DELAY.end),
        rows: (0_u64..).zip(scenarios).map(row).collect(),
    }
}

/// Each shift has a seed of its own: the outcome does not depend on the number of cores.
fn outcomes(scenario: &Scenario, shifts: u32, seed: u64, limits: &Limits) -> Vec<Outcome> {
    let one = |n: u32| {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(u64::from(n));
        shift(scenario, limits, &mut fastrand::Rng::with_seed(seed))
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found: Vec<(u32, Outcome)> = std::thread::scope(|scope| {
        let part = |core: usize| (0..shifts).skip(core).step_by(cores);
        let one = &one;
        let start = |core| scope.spawn(move || part(core).map(|n| (n, one(n))).collect::<Vec<_>>());
        let started: Vec<_> = (0..cores).map(start).collect();
        started
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    found.sort_by_key(|(n, _)| *n);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}
