//! How long a step takes until it is able to pass.

use super::binomial::at_most;
use super::limits::Limits;
use super::minute::Totals;
use serde::{Deserialize, Serialize};

/// The time that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeToPass {
    /// Green's weight in percent.
    pub weight: u8,
    /// Requests on green without a bad one that the step needs.
    pub requests: u64,
    /// Minutes until green has had them, and at least the bake time.
    pub minutes: u64,
    /// The same with the time that minutes take to settle.
    pub with_delay: u64,
    /// Whether the bake time decides, not the requests.
    pub bake_decides: bool,
    /// Minutes that a green as good as blue needs, whose bad requests cost it further ones. `None` when blue's own share
    /// would not pass, or is not known.
    pub likely_minutes: Option<u64>,
}

/// How long a step of `weight` percent needs to be able to pass, from `per_minute` requests of both sides together.
/// `blue` is its traffic of the last hour with the bad requests in it. `None` without traffic: the step can't pass.
pub fn time_to_pass(
    weight: u8,
    per_minute: f64,
    bake_minutes: u32,
    blue: Option<Totals>,
    limits: &Limits,
) -> Option<TimeToPass> {
    let rate = per_minute * f64::from(weight) / 100.0;
    if !(rate.is_finite() && rate > 0.0) {
        return None;
    }
    let minutes_for = |requests: u64| (requests as f64 / rate).ceil() as u64;
    let requests = limits.least_requests.max(needed(0, limits)?);
    let (bake, seen) = (u64::from(bake_minutes), minutes_for(requests));
    let likely = blue.and_then(|b| likely_requests(b, limits));
    let minutes = seen.max(bake);
    Some(TimeToPass {
        weight,
        requests,
        minutes,
        with_delay: minutes.saturating_add(u64::from(limits.settle_seconds).div_ceil(60)),
        bake_decides: bake >= seen,
        likely_minutes: likely.map(|n| minutes_for(n.max(requests)).max(bake)),
    })
}

/// The fewest requests with `bad` bad ones whose upper bound is within the limit: 299 with none by default. `None` above a
/// thousand million.
pub fn needed(bad: u64, limits: &Limits) -> Option<u64> {
    let risk = 1.0 - limits.bound_confidence_percent / 100.0;
    let share = limits.bound_percent / 100.0;
    let enough = |n: u64| at_most(bad, n, share) <= risk;
    let mut high = bad.saturating_add(1);
    while !enough(high) {
        if high > 1_000_000_000 {
            return None;
        }
        high = high.saturating_mul(2);
    }
    let mut low = high / 2;
    while low < high {
        let middle = low.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(high)
}

/// The requests after which a side with blue's bad share is expected to have no more bad ones than the bound allows.
fn likely_requests(blue: Totals, limits: &Limits) -> Option<u64> {
    let share = blue.percent() / 100.0;
    if blue.requests == 0 || share >= limits.bound_percent / 100.0 {
        return None;
    }
    // More than 500 bad requests in one step: nobody waits for that.
    (0..=500).find_map(|bad| needed(bad, limits).filter(|n| share * *n as f64 <= bad as f64))
}

/// One line for people.
impl std::fmt::Display for TimeToPass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            weight, requests, ..
        } = self;
        write!(
            f,
            "weight {weight}: able to pass after {} minutes",
            self.minutes
        )?;
        if self.bake_decides {
            write!(f, " (bake time)")?;
        } else {
            write!(f, " ({requests} requests on green)")?;
        }
        match self.likely_minutes {
            Some(likely) if likely > self.minutes => {
                write!(f, ", likely {likely} with blue's share of bad requests")
            }
            _ => Ok(()),
        }
    }
}
