//! The comparison of green with blue: in the same minutes, and above 75 % weight with blue's past as well.
//!
//! Where blue has few requests left, the same minutes say little (at 90 % weight 78 errors on green alone are needed). Above
//! `past_above_weight` the evidence for bad requests is therefore the mean of two: the one of the same minutes, and green
//! against the highest bad share that blue's past allows (its upper bound at `past_confidence_percent`; the past is the hour
//! before the shift and all its earlier steps). A mean of two such evidences keeps the risk. At weight 100 the second one is
//! all there is. Slow requests are not held against the past: what is slow changes with the hour, and only the same minutes
//! cancel that; the absolute limit of slow requests stays.

use super::binomial::upper_bound;
use super::evidence::{Evidence, Sample, ln_mean, shown};
use super::limits::Limits;
use super::minute::{Kind, Pair, Totals, closes};
use super::minutes::Minutes;
use super::step::Step;
use super::verdict::{Finding, NotChecked, Numbers, Rule, Verdict};

fn rule(kind: Kind) -> Rule {
    match kind {
        Kind::Bad => Rule::BadComparison,
        Kind::Slow => Rule::SlowComparison,
    }
}

/// The minute's counts of both sides, if both are known and both had requests.
fn both(pair: &Pair, kind: Kind) -> Option<Sample> {
    let sample = Sample {
        green: pair.green.of_kind(kind)?,
        blue: pair.blue.of_kind(kind)?,
    };
    (sample.green.requests > 0 && sample.blue.requests > 0).then_some(sample)
}

/// The highest share (0 to 1) of blue's past, where the past is used.
fn past(step: &Step, limits: &Limits, kind: Kind) -> Option<f64> {
    let used = kind == Kind::Bad && step.weight > limits.past_above_weight;
    if !used || step.past.requests == 0 {
        return None;
    }
    let confidence = limits.past_confidence_percent / 100.0;
    let highest = upper_bound(step.past.hits, step.past.requests, confidence);
    // A past of a few requests allows any share: nothing can be held against it.
    (highest * limits.tolerated_ratio < 0.5).then_some(highest)
}

/// The verdict of one comparison, or why there is none at this weight.
pub fn evaluate(
    step: &Step,
    limits: &Limits,
    now: i64,
    minutes: &Minutes,
    kind: Kind,
) -> Result<Finding, NotChecked> {
    let highest = past(step, limits, kind);
    if step.weight == 100 && highest.is_none() {
        let reason = "blue has no requests at weight 100, and no past to compare with";
        return Err(NotChecked {
            rule: rule(kind),
            reason: reason.to_owned(),
        });
    }
    let alpha = limits.alpha(step.steps, step.metrics);
    let mut side_by_side = Evidence::new(limits, kind);
    let mut against_past = Evidence::new(limits, kind);
    let (mut green, mut blue) = (Totals::default(), Totals::default());
    let evidence = |side_by_side: &Evidence, against_past: &Evidence| match highest {
        None => side_by_side.ln(),
        Some(_) => ln_mean([side_by_side.ln(), against_past.ln()].into_iter()),
    };
    let needed = -alpha.ln();
    let (mut until, mut failed) = (None, false);
    let now = now.saturating_sub(i64::from(limits.published_seconds));
    for (minute, pair) in minutes.closed(step, now) {
        let sample = both(pair, kind);
        let alone = pair.green.of_kind(kind).filter(|_| highest.is_some());
        let Some(own) = sample.map(|s| s.green).or(alone) else {
            continue;
        };
        green.add(own);
        if let Some(sample) = sample {
            blue.add(sample.blue);
            side_by_side.compare(sample, limits, kind);
        }
        if let Some(highest) = highest {
            against_past.compare_with_past(own, highest, limits, kind);
        }
        until = Some(closes(minute));
        // Minutes that nobody looked at in time are judged as if somebody had: a failure stays one. A mean is at most its
        // greatest part, which is cheaper to know.
        let may = side_by_side.most().max(against_past.most()) >= needed;
        failed = may
            && green.hits >= limits.comparison_least_bad
            && evidence(&side_by_side, &against_past) >= needed;
        if failed {
            break;
        }
    }
    let ln = evidence(&side_by_side, &against_past);
    let verdict = match (until, failed) {
        (None, _) => Verdict::Holding,
        (_, true) => Verdict::Fail,
        (_, false) => Verdict::Pass,
    };
    let numbers = Numbers {
        green: Some(green),
        blue: Some(blue),
        past: highest.map(|_| step.past),
        period: until.map(|end| (step.first_minute().saturating_mul(60), end)),
        bound: highest.map(|h| h * 100.0),
        slow_over_seconds: step.slow_over_seconds.filter(|_| kind == Kind::Slow),
        alpha: Some(alpha),
        evidence: Some(shown(ln)),
        evidence_limit: Some(1.0 / alpha),
        ..Numbers::default()
    };
    let sentence = sentence(kind, &numbers, until.is_some());
    Ok(Finding::new(rule(kind), verdict, sentence).with(numbers))
}

fn sentence(kind: Kind, numbers: &Numbers, seen: bool) -> String {
    if !seen {
        return "no minute that is published in full and has requests to compare yet".to_owned();
    }
    let word = kind.word();
    let part = |t: Option<Totals>| {
        let t = t.unwrap_or_default();
        format!("{} of {} ({:.2} %)", t.hits, t.requests, t.percent())
    };
    let over = numbers
        .slow_over_seconds
        .map(|t| format!(" (slower than {t} s)"))
        .unwrap_or_default();
    let past = match (numbers.past, numbers.bound) {
        (Some(past), Some(bound)) => format!(
            ", blue before {} and at most {bound:.2} %",
            part(Some(past))
        ),
        _ => String::new(),
    };
    format!(
        "green {} {word}{over}, blue {} in the same minutes{past}: evidence {:.3}, fails at {:.0} (alpha {})",
        part(numbers.green),
        part(numbers.blue),
        numbers.evidence.unwrap_or(1.0),
        numbers.evidence_limit.unwrap_or(f64::INFINITY),
        numbers.alpha.unwrap_or(0.0),
    )
}
