//! The absolute limits: green's share of bad and of slow requests in the last minutes, whatever blue does.
//!
//! Every window of the step is judged, not the newest alone: what went wrong while no process looked is found by the next.

use super::binomial::{at_least, lower_bound};
use super::limits::Limits;
use super::minute::{Kind, Minute, Totals, closes};
use super::minutes::Minutes;
use super::step::Step;
use super::verdict::{Finding, Numbers, Rule, Verdict};
use std::collections::VecDeque;

/// The verdict of one absolute limit: of the first window that fails, else of the newest.
pub fn evaluate(step: &Step, limits: &Limits, now: i64, minutes: &Minutes, kind: Kind) -> Finding {
    let length = i64::from(limits.window_minutes);
    let mut window: VecDeque<(Minute, Totals)> = VecDeque::new();
    let mut newest = None;
    for (minute, pair) in minutes.closed(step, now) {
        let Some(green) = pair.green.of_kind(kind) else {
            continue;
        };
        window.push_back((minute, green));
        while window.front().is_some_and(|(m, _)| minute - m >= length) {
            window.pop_front();
        }
        let mut sum = Totals::default();
        window.iter().for_each(|(_, counts)| sum.add(*counts));
        let verdict = one(sum, limits, kind);
        newest = Some((minute, sum, verdict));
        if verdict == Verdict::Fail {
            break;
        }
    }
    let rule = match kind {
        Kind::Bad => Rule::BadShare,
        Kind::Slow => Rule::SlowShare,
    };
    let Some((minute, sum, verdict)) = newest else {
        let text = format!("no closed minute with known {} requests yet", kind.word());
        return Finding::new(rule, Verdict::Holding, text);
    };
    let end = closes(minute);
    let numbers = Numbers {
        green: Some(sum),
        period: Some((end - length * 60, end)),
        value: Some(sum.percent()),
        limit: Some(limit(limits, kind)),
        bound: (kind == Kind::Bad).then(|| {
            let confidence = limits.bad_share_confidence_percent / 100.0;
            lower_bound(sum.hits, sum.requests, confidence) * 100.0
        }),
        slow_over_seconds: step.slow_over_seconds.filter(|_| kind == Kind::Slow),
        ..Numbers::default()
    };
    let sentence = sentence(sum, limits, kind, &numbers);
    Finding::new(rule, verdict, sentence).with(numbers)
}

fn limit(limits: &Limits, kind: Kind) -> f64 {
    match kind {
        Kind::Bad => limits.bad_share_percent,
        Kind::Slow => limits.slow_share_percent,
    }
}

/// A share above the limit that is not proven holds: it is no reason to go on, and none to go back.
fn one(sum: Totals, limits: &Limits, kind: Kind) -> Verdict {
    if sum.percent() <= limit(limits, kind) {
        return Verdict::Pass;
    }
    let proven = match kind {
        Kind::Bad => {
            let share = limits.bad_share_proven_percent / 100.0;
            let risk = 1.0 - limits.bad_share_confidence_percent / 100.0;
            sum.hits >= limits.bad_share_least_bad && at_least(sum.hits, sum.requests, share) < risk
        }
        Kind::Slow => sum.requests >= limits.slow_share_least_requests,
    };
    if proven {
        Verdict::Fail
    } else {
        Verdict::Holding
    }
}

fn sentence(sum: Totals, limits: &Limits, kind: Kind, numbers: &Numbers) -> String {
    let (word, limit, minutes) = (kind.word(), limit(limits, kind), limits.window_minutes);
    let over = numbers
        .slow_over_seconds
        .map(|t| format!(" (slower than {t} s)"))
        .unwrap_or_default();
    let (hits, requests, share) = (sum.hits, sum.requests, sum.percent());
    let seen = format!(
        "{hits} of green's {requests} requests in {minutes} minutes were {word}{over}: {share:.2} %, limit {limit} %"
    );
    match numbers.bound {
        Some(bound) => format!(
            "{seen} with {} bad or more and a lower bound above {} %; the lower bound is {bound:.2} %",
            limits.bad_share_least_bad, limits.bad_share_proven_percent
        ),
        None => format!(
            "{seen} with {} requests or more",
            limits.slow_share_least_requests
        ),
    }
}
