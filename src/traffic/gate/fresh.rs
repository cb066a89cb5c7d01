//! Do the metrics still arrive? What is overdue is unknown: not zero, not healthy.

use super::limits::Limits;
use super::minute::{Counts, Kind, Pair, closes};
use super::minutes::Minutes;
use super::step::Step;
use super::verdict::{Finding, NotChecked, Numbers, Rule, Verdict};

/// One finding for each side. A single minute without data is no gap: the next one ends it.
pub fn findings(
    step: &Step,
    limits: &Limits,
    now: i64,
    minutes: &Minutes,
) -> (Vec<Finding>, Vec<NotChecked>) {
    let green = side(Rule::GreenMetrics, step, limits, now, minutes, |p| p.green);
    if step.weight == 100 {
        let reason = "blue gets no requests at weight 100".to_owned();
        let rule = Rule::BlueMetrics;
        return (vec![green], vec![NotChecked { rule, reason }]);
    }
    let blue = side(Rule::BlueMetrics, step, limits, now, minutes, |p| p.blue);
    (vec![green, blue], Vec::new())
}

fn side(
    rule: Rule,
    step: &Step,
    limits: &Limits,
    now: i64,
    minutes: &Minutes,
    of: impl Fn(&Pair) -> Counts,
) -> Finding {
    let name = if rule == Rule::GreenMetrics {
        "green"
    } else {
        "blue"
    };
    if step.slow_over_seconds.is_none() {
        let text = format!("{name}: the limit of slow requests is not known");
        return Finding::new(rule, Verdict::Unknown, text);
    }
    let begin = step.first_minute().saturating_mul(60);
    let newest = |has: &dyn Fn(&Counts) -> bool| {
        let mut found = minutes.closed(step, now).rev();
        found
            .find(|(_, pair)| has(&of(pair)))
            .map_or(begin, |(minute, _)| closes(minute))
    };
    let ages = [
        ("requests", newest(&|c| c.requests.is_some())),
        ("bad requests", newest(&|c| c.of_kind(Kind::Bad).is_some())),
        (
            "slow requests",
            newest(&|c| c.of_kind(Kind::Slow).is_some()),
        ),
    ];
    let limit = i64::from(limits.overdue_seconds);
    let (what, newest) = ages
        .into_iter()
        .min_by_key(|(_, at)| *at)
        .unwrap_or(("requests", begin));
    let age = now.saturating_sub(newest).max(0);
    let (verdict, sentence) = if age > limit {
        let text =
            format!("{name}: nothing is known of {what} for {age} s, expected within {limit} s");
        (Verdict::Unknown, text)
    } else if newest == begin {
        let text = format!("{name}: the first minute of the step is not published yet");
        (Verdict::Holding, text)
    } else {
        let text = format!("{name}: the newest minute closed {age} s ago, limit {limit} s");
        (Verdict::Pass, text)
    };
    Finding::new(rule, verdict, sentence).with(Numbers {
        value: Some(age as f64),
        limit: Some(limit as f64),
        ..Numbers::default()
    })
}
