//! Is green worse than blue? A test on counts that may be looked at after every minute.
//!
//! Of the bad requests of one minute, green's part follows from the requests of both sides: with `s` = green's share of the
//! requests and a green that is `r` times as bad as blue, a bad request is green's with probability
//! `p(r) = r s / (r s + 1 - s)`. For each ratio `r` that is looked for, the likelihood ratio against `p(tolerated_ratio)` is
//! multiplied over the minutes; the mean over the ratios is the evidence E. While green is at most `tolerated_ratio` times
//! as bad as blue, E is expected to shrink or stay with every minute, so it ever reaches 1/alpha with a probability of at
//! most alpha, however often one looks (Ville's inequality). The hour of the day cancels, and blue needs no errors.
//!
//! Products are kept as sums of logarithms.

use super::limits::Limits;
use super::minute::{Kind, Totals};

/// Green and blue of one minute, or of a past compared with green's minute.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Green's requests and hits.
    pub green: Totals,
    /// Blue's.
    pub blue: Totals,
}

/// The ratios that are looked for.
pub fn ratios(limits: &Limits, kind: Kind) -> &[f64] {
    match kind {
        Kind::Bad => &limits.bad_ratios,
        Kind::Slow => &limits.slow_ratios,
    }
}

/// The evidence of a step against one hypothesis per ratio, in logarithms.
#[derive(Debug, Clone)]
pub struct Evidence {
    ln: Vec<f64>,
}

impl Evidence {
    /// E = 1: nothing seen.
    pub fn new(limits: &Limits, kind: Kind) -> Self {
        Self {
            ln: vec![0.0; ratios(limits, kind).len()],
        }
    }

    /// Adds a minute in which both sides had requests.
    ///
    /// More than `counted_per_minute` bad requests of both sides together are scaled down to that number with their
    /// proportion kept. The factor depends on the sum alone, so E stays a fair bet (Jensen's inequality). Cutting each side
    /// down on its own would not: at 10 % weight blue is cut and green is not, and a green as good as blue looks worse.
    pub fn compare(&mut self, minute: Sample, limits: &Limits, kind: Kind) {
        let (green, blue) = (minute.green, minute.blue);
        let hits = green.hits.saturating_add(blue.hits) as f64;
        if green.requests == 0 || blue.requests == 0 || hits == 0.0 {
            return;
        }
        let odds = green.requests as f64 / blue.requests as f64;
        let scale = (limits.counted_per_minute / hits).min(1.0);
        let tolerated = limits.tolerated_ratio * odds;
        for (ln, ratio) in self.ln.iter_mut().zip(ratios(limits, kind)) {
            let worse = ratio * odds;
            // With p = o / (1 + o): (1 - p) / (1 - p0) is `other`, p / p0 is the ratio of the odds times `other`.
            let other = tolerated.ln_1p() - worse.ln_1p();
            let own = (ratio / limits.tolerated_ratio).ln() + other;
            *ln += scale * (green.hits as f64 * own + blue.hits as f64 * other);
        }
    }

    /// Adds a minute of green alone, held against the highest share that blue's past allows (0 to 1).
    ///
    /// Only what speaks against green is scaled down: a smaller factor can't raise the expectation.
    pub fn compare_with_past(&mut self, green: Totals, highest: f64, limits: &Limits, kind: Kind) {
        let tolerated = limits.tolerated_ratio * highest;
        let (hits, rest) = (
            green.hits as f64,
            green.requests.saturating_sub(green.hits) as f64,
        );
        for (ln, ratio) in self.ln.iter_mut().zip(ratios(limits, kind)) {
            let worse = (ratio * highest).min(0.99);
            if worse <= tolerated || tolerated <= 0.0 {
                continue;
            }
            let gain =
                hits * (worse / tolerated).ln() + rest * ((-worse).ln_1p() - (-tolerated).ln_1p());
            let scale = if gain > 0.0 && hits > 0.0 {
                (limits.counted_per_minute / hits).min(1.0)
            } else {
                1.0
            };
            *ln += scale * gain;
        }
    }

    /// The greatest of the logarithms: ln E is at most this.
    pub fn most(&self) -> f64 {
        self.ln.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// ln E.
    pub fn ln(&self) -> f64 {
        ln_mean(self.ln.iter().copied())
    }
}

/// The logarithm of the mean of numbers that are given by their logarithms.
pub fn ln_mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count();
    let peak = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if count == 0 || !peak.is_finite() {
        return 0.0;
    }
    let sum: f64 = values.map(|v| (v - peak).exp()).sum();
    peak + (sum / count as f64).ln()
}

/// A number for people and JSON from its logarithm: at most 1e300.
pub fn shown(ln: f64) -> f64 {
    ln.min(690.7).exp()
}
