//! Every number that the gate decides by, with its default.

use serde::{Deserialize, Serialize};

/// The limits of the gate. A key that is left out has its default; an unknown key is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Window of the absolute limits, in minutes. Default 5.
    pub window_minutes: u32,
    /// Absolute limit: share of green's requests that may be bad in the window, in percent. Default 1.
    pub bad_share_percent: f64,
    /// The absolute limit needs at least this many bad requests. Default 3.
    pub bad_share_least_bad: u64,
    /// The absolute limit also needs a lower bound of the bad share above this, in percent: without it three chance errors
    /// of a quiet minute roll a healthy green back. Default 0.5.
    pub bad_share_proven_percent: f64,
    /// Confidence of that one-sided lower bound, in percent. Default 99.5.
    pub bad_share_confidence_percent: f64,
    /// Absolute limit: share of green's requests that may be slow in the window, in percent. By definition 5 % of blue's
    /// are. Default 15.
    pub slow_share_percent: f64,
    /// The limit of slow requests needs this many requests in the window. Default 100.
    pub slow_share_least_requests: u64,
    /// Risk that the comparisons roll a healthy green back, for the whole shift, in percent. Each step and metric gets an
    /// equal part. Default 5.
    pub false_alarm_percent: f64,
    /// Green may be this many times as bad as blue without being called worse. Default 1.25.
    pub tolerated_ratio: f64,
    /// The comparison looks for a green that is this many times as bad as blue. Default 2, 4, 8, 16.
    pub bad_ratios: Vec<f64>,
    /// The comparison looks for a green with this many times as many slow requests. Default 1.5, 2, 4.
    pub slow_ratios: Vec<f64>,
    /// A comparison fails with this many bad (slow) requests of green or more. Default 3.
    pub comparison_least_bad: u64,
    /// Bad (slow) requests of both sides that count in full in one minute; more are scaled down to this number, split as
    /// they were. One client that retries is one fact. Default 5.
    pub counted_per_minute: f64,
    /// Above this weight blue has too few requests to compare with, and green is compared with blue's past as well.
    /// Default 75.
    pub past_above_weight: u8,
    /// Confidence of the upper bound of blue's past bad share, in percent. Default 99.9.
    pub past_confidence_percent: f64,
    /// A step passes with this many requests on green or more. Default 300.
    pub least_requests: u64,
    /// A step passes when the upper bound of green's bad share is at most this, in percent. Default 1.
    pub bound_percent: f64,
    /// Confidence of that one-sided upper bound, in percent. Default 95.
    pub bound_confidence_percent: f64,
    /// A step passes when the observed share of green is at least this part of the weight. Default 0.5.
    pub share_least: f64,
    /// A step passes when the observed share of green is at most this multiple of the weight. Default 2.
    pub share_most: f64,
    /// A step passes when each direction of the data lags less than this, in seconds. Default 5.
    pub lag_seconds: f64,
    /// A step passes when the last `verify` is at most this old, in minutes. Default 15.
    pub verify_age_minutes: u32,
    /// Probes of green that must fail one after the other. Default 3.
    pub probes_in_a_row: u32,
    /// Good news counts from minutes that closed this long ago, in seconds: CloudWatch adds to younger ones. Default 120.
    pub settle_seconds: u32,
    /// CloudWatch publishes a minute at most this long after it has closed, in seconds. The comparisons take minutes of this
    /// age: before it an error count of blue that is not published yet reads as zero, which speaks against green. Default 180.
    pub published_seconds: u32,
    /// A metric is unknown when its last minute closed longer ago than this, in seconds: one minute until the next one
    /// closes and CloudWatch's 180 s. Default 240.
    pub overdue_seconds: u32,
    /// What is unknown for this long ends the waiting, in minutes. Default 10.
    pub unknown_minutes: u32,
    /// Up to this weight the unknown rolls back; above it the gate pages and holds. Default 50.
    pub unknown_rollback_weight: u8,
    /// A step that has not passed after this time pages, in minutes. Default 1440.
    pub longest_step_minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_minutes: 5,
            bad_share_percent: 1.0,
            bad_share_least_bad: 3,
            bad_share_proven_percent: 0.5,
            bad_share_confidence_percent: 99.5,
            slow_share_percent: 15.0,
            slow_share_least_requests: 100,
            false_alarm_percent: 5.0,
            tolerated_ratio: 1.25,
            bad_ratios: vec![2.0, 4.0, 8.0, 16.0],
            slow_ratios: vec![1.5, 2.0, 4.0],
            comparison_least_bad: 3,
            counted_per_minute: 5.0,
            past_above_weight: 75,
            past_confidence_percent: 99.9,
            least_requests: 300,
            bound_percent: 1.0,
            bound_confidence_percent: 95.0,
            share_least: 0.5,
            share_most: 2.0,
            lag_seconds: 5.0,
            verify_age_minutes: 15,
            probes_in_a_row: 3,
            settle_seconds: 120,
            published_seconds: 180,
            overdue_seconds: 240,
            unknown_minutes: 10,
            unknown_rollback_weight: 50,
            longest_step_minutes: 1440,
        }
    }
}

impl Limits {
    /// What makes these limits unusable: one sentence per key, with the value and what it takes.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |holds: bool, key: &str, value: &dyn std::fmt::Debug, takes: &str| {
            if !holds {
                found.push(format!("{key} is {value:?}; it takes {takes}"));
            }
        };
        for (key, value) in [
            ("bad_share_percent", self.bad_share_percent),
            ("bad_share_proven_percent", self.bad_share_proven_percent),
            ("slow_share_percent", self.slow_share_percent),
            ("bound_percent", self.bound_percent),
        ] {
            let takes = "a share above 0 and below 100";
            check(value > 0.0 && value < 100.0, key, &value, takes);
        }
        for (key, value) in [
            (
                "bad_share_confidence_percent",
                self.bad_share_confidence_percent,
            ),
            ("past_confidence_percent", self.past_confidence_percent),
            ("bound_confidence_percent", self.bound_confidence_percent),
        ] {
            let takes = "a confidence from 50 to below 100";
            check((50.0..100.0).contains(&value), key, &value, takes);
        }
        for (key, value) in [
            ("window_minutes", u64::from(self.window_minutes)),
            ("bad_share_least_bad", self.bad_share_least_bad),
            ("slow_share_least_requests", self.slow_share_least_requests),
            ("comparison_least_bad", self.comparison_least_bad),
            ("least_requests", self.least_requests),
            ("verify_age_minutes", u64::from(self.verify_age_minutes)),
            ("probes_in_a_row", u64::from(self.probes_in_a_row)),
            ("unknown_minutes", u64::from(self.unknown_minutes)),
            ("longest_step_minutes", u64::from(self.longest_step_minutes)),
        ] {
            check(value >= 1, key, &value, "at least 1");
        }
        let (risk, ratio) = (self.false_alarm_percent, self.tolerated_ratio);
        let takes = "a risk above 0 and at most 20";
        check(
            risk > 0.0 && risk <= 20.0,
            "false_alarm_percent",
            &risk,
            takes,
        );
        let takes = "a ratio from 1 to 10";
        check(
            (1.0..=10.0).contains(&ratio),
            "tolerated_ratio",
            &ratio,
            takes,
        );
        for (key, ratios) in [
            ("bad_ratios", &self.bad_ratios),
            ("slow_ratios", &self.slow_ratios),
        ] {
            let fits = |r: &f64| *r > ratio && *r <= 1000.0;
            let holds = !ratios.is_empty() && ratios.iter().all(fits);
            let takes = "one or more ratios above tolerated_ratio and at most 1000";
            check(holds, key, ratios, takes);
        }
        let scale = self.counted_per_minute;
        let takes = "a number from 1 to 1000";
        check(
            (1.0..=1000.0).contains(&scale),
            "counted_per_minute",
            &scale,
            takes,
        );
        let (least, most) = (self.share_least, self.share_most);
        let takes = "a part of the weight, above 0 and at most 1";
        check(least > 0.0 && least <= 1.0, "share_least", &least, takes);
        let takes = "a multiple of the weight, from 1 to 100";
        check((1.0..=100.0).contains(&most), "share_most", &most, takes);
        let lag = self.lag_seconds;
        let takes = "seconds above 0, at most 3600";
        check(lag > 0.0 && lag <= 3600.0, "lag_seconds", &lag, takes);
        let (settle, published) = (self.settle_seconds, self.published_seconds);
        let overdue = self.overdue_seconds;
        let takes = "seconds from 60 to 3600";
        check(
            (60..=3600).contains(&published),
            "published_seconds",
            &published,
            takes,
        );
        check(
            (60..=3600).contains(&settle),
            "settle_seconds",
            &settle,
            takes,
        );
        let takes =
            "seconds, at least 60 more than settle_seconds and published_seconds, at most 3660";
        let holds = overdue >= settle.max(published).saturating_add(60) && overdue <= 3660;
        check(holds, "overdue_seconds", &overdue, takes);
        for (key, weight) in [
            ("past_above_weight", self.past_above_weight),
            ("unknown_rollback_weight", self.unknown_rollback_weight),
        ] {
            check(weight <= 100, key, &weight, "a weight from 0 to 100");
        }
        found
    }

    /// The part of the whole shift's risk that one comparison of one step may use (alpha).
    pub fn alpha(&self, steps: u32, metrics: u32) -> f64 {
        let parts = f64::from(steps.max(1)) * f64::from(metrics.max(1));
        self.false_alarm_percent / 100.0 / parts
    }
}
