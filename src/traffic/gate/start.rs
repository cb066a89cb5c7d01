//! May a shift begin at all? A metric with a wrong name never has data, and a gate on it would see nothing.

use super::instant::Instant;
use super::limits::Limits;
use super::minute::{Counts, Minute, closes};
use super::step::Step;
use super::verdict::{Finding, Rule, Verdict};

/// Each metric must have had data for blue within this time.
const WITHIN_MINUTES: i64 = 10;

type Has = fn(&Counts) -> bool;

/// Unknown, with the metric in the sentence, unless blue's requests, bad and slow requests were all read in a minute that
/// closed within the last 10 minutes.
pub fn can_start(blue: &[(Minute, Counts)], now: i64) -> Finding {
    let rule = Rule::BlueMetrics;
    let recent = || {
        let age = |minute: Minute| now.saturating_sub(closes(minute));
        let fresh = move |m: &Minute| (0..=WITHIN_MINUTES * 60).contains(&age(*m));
        blue.iter()
            .filter(move |(m, _)| fresh(m))
            .map(|(_, counts)| counts)
    };
    let metrics: [(&str, Has); 3] = [
        ("requests", |c| c.requests.is_some_and(|n| n > 0)),
        ("bad requests", |c| c.bad.is_some()),
        ("slow requests", |c| c.slow.is_some()),
    ];
    let missing: Vec<&str> = metrics
        .iter()
        .filter(|(_, has)| !recent().any(has))
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        let text = format!("every metric of blue had data within {WITHIN_MINUTES} minutes");
        return Finding::new(rule, Verdict::Pass, text);
    }
    let text = format!(
        "blue has had no data of {} for {WITHIN_MINUTES} minutes: a shift could not be judged",
        missing.join(" and ")
    );
    Finding::new(rule, Verdict::Unknown, text)
}

/// What speaks against giving green more requests now, beside the metrics: everything that must be known and good at once. A
/// `verify` that is too old, and a lag, pass by themselves: the step waits for them.
pub fn before_raise(step: &Step, limits: &Limits, now: i64, seen: &Instant) -> Vec<Finding> {
    let mut found = super::look::findings(step, limits, now, seen);
    found.retain(|f| matches!(f.verdict, Verdict::Fail | Verdict::Unknown));
    found
}
