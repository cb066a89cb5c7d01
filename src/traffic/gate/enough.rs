//! Enough seen to advance: requests, the upper bound of the bad share, observed minutes, and the share of requests that
//! green really gets. Settled minutes only.

use super::binomial::upper_bound;
use super::limits::Limits;
use super::minute::{Kind, Pair, Totals};
use super::minutes::Minutes;
use super::step::{DataMode, Step};
use super::verdict::{Finding, Numbers, Rule, Verdict};

fn finding(rule: Rule, enough: bool, sentence: String, numbers: Numbers) -> Finding {
    let verdict = if enough {
        Verdict::Pass
    } else {
        Verdict::Holding
    };
    Finding::new(rule, verdict, sentence).with(numbers)
}

/// The findings of the rules that wait.
pub fn findings(step: &Step, limits: &Limits, now: i64, minutes: &Minutes) -> Vec<Finding> {
    let (mut green, mut observed) = (Totals::default(), 0_u32);
    for (_, pair) in minutes.settled(step, limits, now) {
        if let Some(counts) = pair.green.of_kind(Kind::Bad) {
            green.add(counts);
        }
        if step.knows(pair) {
            observed = observed.saturating_add(1);
        }
    }
    let confidence = limits.bound_confidence_percent;
    let bound = upper_bound(green.hits, green.requests, confidence / 100.0) * 100.0;
    let (needed, limit) = (limits.least_requests, limits.bound_percent);
    let bake = step.bake_minutes;
    vec![
        finding(
            Rule::Requests,
            green.requests >= needed,
            format!(
                "green has had {} requests in this step, {needed} are needed",
                green.requests
            ),
            Numbers {
                green: Some(green),
                value: Some(green.requests as f64),
                limit: Some(needed as f64),
                ..Numbers::default()
            },
        ),
        finding(
            Rule::BadBound,
            bound <= limit,
            format!(
                "{} of green's {} requests were bad: with {confidence} % confidence the bad share is at most {bound:.2} %, limit {limit} %",
                green.hits, green.requests
            ),
            Numbers {
                green: Some(green),
                bound: Some(bound),
                limit: Some(limit),
                ..Numbers::default()
            },
        ),
        finding(
            Rule::Bake,
            observed >= bake,
            format!("{observed} minutes observed, {bake} are needed"),
            Numbers {
                value: Some(f64::from(observed)),
                limit: Some(f64::from(bake)),
                ..Numbers::default()
            },
        ),
        observed_share(step, limits, now, minutes),
    ]
}

/// DNS weights are shares of answers: what green gets is counted at the target groups, over the newest `window_minutes` that
/// are known on both sides. At weight 100 a blue that reports nothing gets nothing. A green that only reads passes writes on to
/// blue, which counts them: how many there are nobody knows, so green must get anything at all.
fn observed_share(step: &Step, limits: &Limits, now: i64, minutes: &Minutes) -> Finding {
    let (mut own, mut all) = (0_u64, 0_u64);
    let both = |pair: &Pair| {
        let blue = pair.blue.requests.or((step.weight == 100).then_some(0))?;
        Some((pair.green.requests?, blue))
    };
    let known: Vec<_> = minutes
        .settled(step, limits, now)
        .filter_map(|(_, pair)| both(pair))
        .collect();
    let newest = known.iter().rev().take(limits.window_minutes as usize);
    for (green, blue) in newest {
        own = own.saturating_add(*green);
        all = all.saturating_add(*green).saturating_add(*blue);
    }
    let rule = Rule::ObservedShare;
    if all == 0 {
        let text = "no settled minute with requests yet";
        return Finding::new(rule, Verdict::Holding, text);
    }
    let (share, weight) = (own as f64 / all as f64 * 100.0, f64::from(step.weight));
    let most = (weight * limits.share_most).min(100.0);
    let (is_enough, expected) = if step.mode == DataMode::ReadOnly {
        let text = format!("at most {most:.1} % is expected, since blue gets what writes");
        (own > 0, text)
    } else {
        let least = weight * limits.share_least;
        let text = format!("{least:.1} to {most:.1} % is expected");
        (share >= least, text)
    };
    finding(
        rule,
        is_enough && share <= most,
        format!(
            "green got {share:.1} % of the requests at weight {}; {expected}",
            step.weight
        ),
        Numbers {
            value: Some(share),
            limit: Some(weight),
            ..Numbers::default()
        },
    )
}
