//! Simulated traffic, and CloudWatch's view of it.

use super::super::minute::{Counts, Metric, Minute, Published, closes};
use fastrand::Rng;
use std::ops::Range;

/// How long after its end CloudWatch publishes a metric of a minute, in seconds: each metric by itself.
pub const DELAY: Range<i64> = 60..180;

/// How good one side is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Chance that a request fails, 0 to 1.
    pub bad: f64,
    /// Chance that a request is slow, 0 to 1.
    pub slow: f64,
}

impl Quality {
    /// 0.2 % bad, and 5 % slow by definition of the limit.
    pub const HEALTHY: Self = Self {
        bad: 0.002,
        slow: 0.05,
    };
}

/// One kind of shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name in the report.
    pub name: String,
    /// Requests of both sides together in a minute.
    pub per_minute: f64,
    /// The weights of its steps.
    pub steps: Vec<u8>,
    /// The new side, from a weight on; healthy before it.
    pub sick: Option<(u8, Quality)>,
    /// At most so many percent of the shifts may be rolled back.
    pub most_rollbacks: Option<f64>,
    /// Rolled back within so many closed minutes, at the 90th percentile, always.
    pub most_minutes: Option<f64>,
}

impl Scenario {
    /// A healthy shift of 10, 25, 50, 75 and 100 percent.
    pub fn new(name: &str, per_minute: f64) -> Self {
        Self {
            name: name.to_owned(),
            per_minute,
            steps: vec![10, 25, 50, 75, 100],
            sick: None,
            most_rollbacks: None,
            most_minutes: None,
        }
    }

    /// Green has another quality from this weight on.
    #[must_use]
    pub fn sick(mut self, weight: u8, quality: Quality) -> Self {
        self.sick = Some((weight, quality));
        self
    }

    /// A figure for healthy shifts.
    #[must_use]
    pub fn most_rollbacks(mut self, percent: f64) -> Self {
        self.most_rollbacks = Some(percent);
        self
    }

    /// A figure for bad ones.
    #[must_use]
    pub fn most_minutes(mut self, minutes: f64) -> Self {
        self.most_minutes = Some(minutes);
        self
    }

    /// Green's quality at a weight.
    pub fn green(&self, weight: u8) -> Quality {
        match self.sick {
            Some((from, quality)) if weight >= from => quality,
            _ => Quality::HEALTHY,
        }
    }
}

/// A number of arrivals with this mean (Poisson): exponential gaps are added up until one unit of time is over.
pub fn arrivals(random: &mut Rng, mean: f64) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    let (mut count, mut time) = (0, 0.0);
    loop {
        time -= (1.0 - random.f64()).ln();
        if time > mean {
            return count;
        }
        count += 1;
    }
}

/// Successes among `n` trials.
fn hits(random: &mut Rng, n: u64, chance: f64) -> u64 {
    (0..n).filter(|_| random.f64() < chance).count() as u64
}

/// What happened in one minute on one side, and when CloudWatch tells.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    minute: Minute,
    counts: (u64, u64, u64),
    published: [i64; 3],
}

impl Truth {
    /// A minute of traffic.
    pub fn new(random: &mut Rng, minute: Minute, mean: f64, quality: Quality) -> Self {
        let requests = arrivals(random, mean);
        let bad = hits(random, requests, quality.bad);
        let slow = hits(random, requests, quality.slow);
        let mut at = || closes(minute) + random.i64(DELAY);
        Self {
            minute,
            counts: (requests, bad, slow),
            published: [at(), at(), at()],
        }
    }

    /// Whether nothing is to come any more.
    pub fn is_complete(&self, now: i64) -> bool {
        closes(self.minute) + DELAY.end <= now
    }

    /// What CloudWatch shows at `now`: nothing for a count of zero, as it does.
    pub fn seen(&self, now: i64) -> Counts {
        let (requests, bad, slow) = self.counts;
        let metric = |value: u64, at: i64| {
            if value > 0 && at <= now {
                Metric::Value(value)
            } else {
                Metric::Absent
            }
        };
        let [first, second, third] = self.published;
        Published {
            request_count: metric(requests, first),
            without_target: Metric::Absent,
            errors: metric(bad, second),
            slow: metric(slow, third),
            checks: Metric::Absent,
        }
        .counts()
    }
}
