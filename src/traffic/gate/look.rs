//! The rules that judge one look: data, streams, targets, probes, lag.

use super::instant::{Guard, Instant, Parity, Probes, Stream, Targets, Verify};
use super::limits::Limits;
use super::step::Step;
use super::verdict::{Finding, NotChecked, Numbers, Rule, Verdict};

/// The findings of the rules that look at one instant.
pub fn findings(step: &Step, limits: &Limits, now: i64, seen: &Instant) -> Vec<Finding> {
    let mut found = vec![
        zero(
            Rule::Parity,
            "rows that differ on both sides",
            seen.parity_mismatches,
        ),
        zero(
            Rule::Conflicts,
            "rows that both sides changed",
            seen.conflicts,
        ),
    ];
    let counters = seen.counters.iter();
    found.extend(counters.map(|c| zero(Rule::Counter, &c.name, c.value)));
    found.push(stream(seen.reverse_stream));
    found.extend(targets(seen.targets.as_deref()));
    found.push(probes(seen.probes, limits));
    found.push(guard(seen.guard));
    found.push(lag(Rule::LagForward, "green", seen.lag_forward, limits));
    found.push(lag(Rule::LagReverse, "blue", seen.lag_reverse, limits));
    found.push(verify(seen.verify, now, limits));
    found.retain(|f| step.leaves_out(f.rule).is_none());
    found
}

/// The rules that the mode of the step leaves out, with the reason.
pub fn not_checked(step: &Step) -> impl Iterator<Item = NotChecked> {
    Rule::ALL.into_iter().filter_map(|rule| {
        let reason = step.leaves_out(rule)?.to_owned();
        Some(NotChecked { rule, reason })
    })
}

fn unknown(rule: Rule, what: &str) -> Finding {
    Finding::new(rule, Verdict::Unknown, format!("{what}: could not be read"))
}

fn zero(rule: Rule, what: &str, count: Option<u64>) -> Finding {
    let Some(count) = count else {
        return unknown(rule, what);
    };
    let verdict = if count == 0 {
        Verdict::Pass
    } else {
        Verdict::Fail
    };
    Finding::new(rule, verdict, format!("{what}: {count}, limit 0")).with(Numbers {
        value: Some(count as f64),
        limit: Some(0.0),
        ..Numbers::default()
    })
}

fn stream(seen: Option<Stream>) -> Finding {
    let rule = Rule::ReverseStream;
    match seen {
        None => unknown(rule, "stream from green to blue"),
        Some(Stream::Running) => {
            Finding::new(rule, Verdict::Pass, "the stream from green to blue runs")
        }
        Some(Stream::Stopped) => Finding::new(
            rule,
            Verdict::Fail,
            "the stream from green to blue is stopped",
        ),
        Some(Stream::SlotLost) => Finding::new(
            rule,
            Verdict::Fail,
            "the replication slot on green is lost: blue misses changes",
        ),
    }
}

fn targets(seen: Option<&[Targets]>) -> Vec<Finding> {
    let rule = Rule::Targets;
    let Some(services @ [_, ..]) = seen else {
        return vec![unknown(rule, "healthy targets of green")];
    };
    let one = |s: &Targets| {
        // A service that wants no task cannot serve: zero of zero is not healthy.
        let enough = s.healthy >= s.desired && s.healthy > 0;
        let verdict = if enough { Verdict::Pass } else { Verdict::Fail };
        let sentence = format!(
            "{}: {} of {} targets are healthy",
            s.service, s.healthy, s.desired
        );
        Finding::new(rule, verdict, sentence).with(Numbers {
            value: Some(f64::from(s.healthy)),
            limit: Some(f64::from(s.desired)),
            ..Numbers::default()
        })
    };
    services.iter().map(one).collect()
}

fn probes(seen: Option<Probes>, limits: &Limits) -> Finding {
    let (rule, needed) = (Rule::Probes, limits.probes_in_a_row);
    let Some(Probes {
        done,
        failed_in_a_row: failed,
    }) = seen
    else {
        return unknown(rule, "probes of green");
    };
    let (verdict, sentence) = if failed >= needed {
        let text = format!("the last {failed} probes of green failed, limit {needed}");
        (Verdict::Fail, text)
    } else if done < needed {
        let text = format!("{done} of {needed} probes of green have an answer");
        (Verdict::Unknown, text)
    } else if failed > 0 {
        let text = format!("the last {failed} probes of green failed, it fails at {needed}");
        (Verdict::Holding, text)
    } else {
        (Verdict::Pass, "the last probe of green passed".to_owned())
    };
    Finding::new(rule, verdict, sentence).with(Numbers {
        value: Some(f64::from(failed)),
        limit: Some(f64::from(needed)),
        ..Numbers::default()
    })
}

fn guard(seen: Option<Guard>) -> Finding {
    let rule = Rule::Guard;
    match seen {
        None => unknown(rule, "state of the guard in AWS"),
        Some(Guard::NotInstalled) => Finding::new(rule, Verdict::Pass, "no guard in AWS"),
        Some(Guard::Quiet) => Finding::new(rule, Verdict::Pass, "the guard in AWS is quiet"),
        Some(Guard::Raised) => Finding::new(
            rule,
            Verdict::Fail,
            "the guard in AWS has taken green out of DNS",
        ),
    }
}

fn lag(rule: Rule, side: &str, seen: Option<f64>, limits: &Limits) -> Finding {
    let Some(lag) = seen.filter(|s| s.is_finite()) else {
        return unknown(rule, &format!("lag of {side}'s data"));
    };
    let limit = limits.lag_seconds;
    let verdict = if lag < limit {
        Verdict::Pass
    } else {
        Verdict::Holding
    };
    let sentence = format!("{side}'s data is {lag:.1} s behind, limit {limit} s");
    Finding::new(rule, verdict, sentence).with(Numbers {
        value: Some(lag),
        limit: Some(limit),
        ..Numbers::default()
    })
}

fn verify(seen: Option<Verify>, now: i64, limits: &Limits) -> Finding {
    let (rule, limit) = (Rule::Verify, f64::from(limits.verify_age_minutes));
    let Some(Verify { result, at }) = seen else {
        return unknown(rule, "last verify");
    };
    let age = now.saturating_sub(at).max(0) as f64 / 60.0;
    let (verdict, what) = match result {
        // A difference is bad news, however old: a newer verify would have replaced it.
        Parity::Different => (Verdict::Fail, "found differences"),
        Parity::Moving => (
            Verdict::Holding,
            "found differences that may still be in motion",
        ),
        Parity::Equal if age > limit => (Verdict::Holding, "is too old"),
        Parity::Equal => (Verdict::Pass, "found both sides equal"),
    };
    let sentence =
        format!("the last verify {what}; it is {age:.0} minutes old, limit {limit} minutes");
    Finding::new(rule, verdict, sentence).with(Numbers {
        value: Some(age),
        limit: Some(limit),
        ..Numbers::default()
    })
}
