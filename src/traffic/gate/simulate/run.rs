//! One simulated shift, step by step, as a caller drives the gate.

use super::super::instant::{Guard, Instant, Parity, Probes, Stream, Targets, Verify};
use super::super::judge::Gate;
use super::super::limits::Limits;
use super::super::minute::{Minute, Pair, Totals};
use super::super::step::{DEFAULT_BAKE_MINUTES, DataMode, Step};
use super::super::verdict::{Action, Rule, Verdict};
use super::world::{Quality, Scenario, Truth, arrivals};
use fastrand::Rng;

/// The gate is asked this often, in seconds.
const LOOK: i64 = 30;

/// How a shift ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every step passed.
    Passed {
        /// Seconds from the first weight to the last verdict.
        seconds: i64,
    },
    /// The gate rolled back.
    RolledBack {
        /// The weight at that time.
        weight: u8,
        /// The first rule that said so; `None` = unknown for too long.
        rule: Option<Rule>,
        /// Seconds since green had this quality.
        seconds: i64,
        /// Closed minutes of green that were published by then.
        minutes: i64,
    },
    /// A person was called.
    Held {
        /// The weight at that time.
        weight: u8,
    },
}

/// Plays one shift.
pub fn shift(scenario: &Scenario, limits: &Limits, random: &mut Rng) -> Outcome {
    // Any second of any minute.
    let begin = 29_000_000 * 60 + random.i64(0..60);
    let hour = scenario.per_minute * 60.0;
    let past = Totals {
        requests: arrivals(random, hour * (1.0 - Quality::HEALTHY.bad)),
        hits: arrivals(random, hour * Quality::HEALTHY.bad),
    };
    let past = Totals {
        requests: past.requests + past.hits,
        ..past
    };
    let mut now = begin;
    let mut sick_since = None;
    let mut last: Option<Gate> = None;
    for weight in &scenario.steps {
        let step = Step {
            weight: *weight,
            start: now,
            bake_minutes: DEFAULT_BAKE_MINUTES,
            steps: scenario.steps.len() as u32,
            metrics: 2,
            mode: DataMode::TwoWay,
            slow_over_seconds: Some(0.8),
            past,
            probes: true,
        };
        let next = match &last {
            None => Gate::begin(step),
            Some(gate) => gate.next(step),
        };
        let Ok(mut gate) = next else {
            return Outcome::Held { weight: *weight };
        };
        if scenario.sick.is_some_and(|(from, _)| *weight >= from) {
            let minute = gate.step().first_minute();
            sick_since.get_or_insert((now, minute));
        }
        let mut traffic = Traffic::new(gate.step().first_minute());
        loop {
            now += LOOK;
            traffic.goes_on(scenario, *weight, random, now);
            traffic.read(&mut gate, now);
            let decision = gate.evaluate(limits, now, &healthy(limits, random, now));
            match decision.action {
                Action::Wait => {}
                Action::Advance => break,
                Action::PageAndHold => return Outcome::Held { weight: *weight },
                Action::RollBack => {
                    let (since, minute) = sick_since.unwrap_or((begin, begin.div_euclid(60)));
                    let failed = decision.deciding().next();
                    let failed = failed.filter(|f| f.verdict == Verdict::Fail);
                    return Outcome::RolledBack {
                        weight: *weight,
                        rule: failed.map(|f| f.rule),
                        seconds: now - since,
                        minutes: traffic.newest.map_or(0, |newest| newest - minute + 1),
                    };
                }
            }
        }
        last = Some(gate);
    }
    Outcome::Passed {
        seconds: now - begin,
    }
}

/// The minutes of a step, as they close and are published.
struct Traffic {
    next: Minute,
    pending: Vec<(Minute, Truth, Truth)>,
    /// The newest minute of green that was seen.
    newest: Option<Minute>,
}

impl Traffic {
    fn new(first: Minute) -> Self {
        Self {
            next: first,
            pending: Vec::new(),
            newest: None,
        }
    }

    fn goes_on(&mut self, scenario: &Scenario, weight: u8, random: &mut Rng, now: i64) {
        let share = f64::from(weight) / 100.0;
        let (green, blue) = (scenario.green(weight), Quality::HEALTHY);
        while (self.next + 1) * 60 <= now {
            let (minute, all) = (self.next, scenario.per_minute);
            self.pending.push((
                minute,
                Truth::new(random, minute, all * share, green),
                Truth::new(random, minute, all * (1.0 - share), blue),
            ));
            self.next += 1;
        }
    }

    fn read(&mut self, gate: &mut Gate, now: i64) {
        for (minute, green, blue) in &self.pending {
            let read = Pair {
                green: green.seen(now),
                blue: blue.seen(now),
            };
            if read.green.requests.is_some() {
                self.newest = self.newest.max(Some(*minute));
            }
            gate.observe(*minute, read);
        }
        self.pending.retain(|(_, green, _)| !green.is_complete(now));
    }
}

/// Everything but the metrics is healthy; lags have a mean of 0.8 s, and `verify` ends every 10 minutes.
fn healthy(limits: &Limits, random: &mut Rng, now: i64) -> Instant {
    let mut lag = || Some(-(1.0 - random.f64()).ln() * 0.8);
    Instant {
        parity_mismatches: Some(0),
        conflicts: Some(0),
        counters: Vec::new(),
        reverse_stream: Some(Stream::Running),
        targets: Some(vec![Targets {
            service: "payment-api".to_owned(),
            healthy: 2,
            desired: 2,
        }]),
        probes: Some(Probes {
            done: limits.probes_in_a_row,
            failed_in_a_row: 0,
        }),
        guard: Some(Guard::Quiet),
        lag_forward: lag(),
        lag_reverse: lag(),
        verify: Some(Verify {
            result: Parity::Equal,
            at: now - now.rem_euclid(600),
        }),
    }
}
