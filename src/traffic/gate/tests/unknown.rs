//! What is missing is unknown, and unknown never passes.

use super::super::instant::Counter;
use super::*;

#[test]
fn an_absent_error_count_is_zero_only_beside_a_request_count() {
    use Metric::{Absent, Unreadable, Value};
    let some = |n, bad, slow| Counts::of(n, bad, slow);
    let partly = |requests, bad, slow| Counts {
        requests,
        bad,
        slow,
    };
    for (request_count, without_target, errors, slow, checks, expected) in [
        (Value(9), Absent, Absent, Absent, Absent, some(9, 0, 0)),
        (Value(9), Absent, Value(2), Value(1), Absent, some(9, 2, 1)),
        (Value(9), Value(3), Value(2), Absent, Absent, some(12, 5, 0)),
        (Value(100), Absent, Absent, Absent, Value(97), some(3, 0, 0)),
        (Value(97), Absent, Absent, Absent, Value(99), some(0, 0, 0)),
        (Absent, Absent, Absent, Absent, Absent, Counts::default()),
        (Absent, Absent, Value(4), Absent, Absent, Counts::default()),
        (
            Unreadable,
            Value(3),
            Absent,
            Absent,
            Absent,
            Counts::default(),
        ),
        // Requests that found no target prove themselves.
        (Absent, Value(3), Absent, Absent, Absent, some(3, 3, 0)),
        (
            Value(9),
            Absent,
            Unreadable,
            Absent,
            Absent,
            partly(Some(9), None, Some(0)),
        ),
        (
            Value(9),
            Absent,
            Absent,
            Unreadable,
            Absent,
            partly(Some(9), Some(0), None),
        ),
        (
            Value(9),
            Absent,
            Absent,
            Absent,
            Unreadable,
            Counts::default(),
        ),
        (
            Value(9),
            Unreadable,
            Absent,
            Absent,
            Absent,
            Counts::default(),
        ),
        // The error count can be published before the request count is complete.
        (Value(1), Absent, Value(4), Absent, Absent, some(4, 4, 0)),
    ] {
        let published = Published {
            request_count,
            without_target,
            errors,
            slow,
            checks,
        };
        assert_eq!(published.counts(), expected, "{published:?}");
    }
}

#[test]
fn a_later_reading_adds_and_takes_no_bad_news_back() {
    let first = Counts::of(118, 3, 1);
    assert_eq!(first.updated(Counts::default()), first);
    assert_eq!(first.updated(Counts::of(21, 0, 2)), Counts::of(21, 3, 2));
}

/// Ten settled minutes of a healthy green, then nothing.
fn healthy(weight: u8) -> Gate {
    fed(step(weight), &[pair((100, 0, 5), (100, 0, 5)); 12])
}

#[test]
fn unknown_holds_ten_minutes_then_rolls_back_or_pages() {
    let limits = Limits::default();
    for (weight, last) in [
        (10, Action::RollBack),
        (50, Action::RollBack),
        (51, Action::PageAndHold),
    ] {
        let mut gate = healthy(weight);
        let now = settled(12);
        let blind = Instant {
            lag_forward: None,
            ..good(now)
        };
        for (after, action) in [(0, Action::Wait), (599, Action::Wait), (600, last)] {
            let decision = gate.evaluate(&limits, now + after, &blind);
            assert_eq!(decision.verdict, Verdict::Unknown);
            assert_eq!(decision.action, action, "{weight} after {after} s");
            assert_eq!(decision.unknown_since, Some(now));
        }
        // One full view ends it.
        let mut gate = healthy(weight);
        gate.evaluate(&limits, now, &blind);
        let full = gate.evaluate(&limits, now + 30, &good(now));
        assert_eq!(full.unknown_since, None);
        assert_eq!(
            gate.evaluate(&limits, now + 60, &blind).unknown_since,
            Some(now + 60)
        );
    }
}

#[test]
fn metrics_are_unknown_when_they_are_overdue() {
    let limits = Limits::default();
    let closed = (FIRST + 12) * 60;
    let mut gate = healthy(10);
    assert_ne!(
        gate.evaluate(&limits, closed + 240, &good(closed)).verdict,
        Verdict::Unknown
    );
    let late = gate.evaluate(&limits, closed + 241, &good(closed));
    assert_eq!(late.verdict, Verdict::Unknown);
    assert_eq!(
        gate.evaluate(&limits, closed + 241 + 600, &good(closed))
            .action,
        Action::RollBack
    );

    // Before anything was published the step holds; then it is overdue too.
    let mut gate = fed(step(10), &[]);
    let begin = FIRST * 60;
    assert_eq!(
        gate.evaluate(&limits, begin + 240, &good(begin)).verdict,
        Verdict::Holding
    );
    assert_eq!(
        gate.evaluate(&limits, begin + 241, &good(begin)).verdict,
        Verdict::Unknown
    );
}

#[test]
fn a_single_minute_without_data_is_no_gap() {
    let mut minutes = vec![pair((100, 0, 5), (900, 0, 45)); 14];
    minutes[6] = Pair::default();
    let decision = judged(step(10), &minutes);
    assert_eq!(decision.action, Action::Advance, "{decision}");
    assert_eq!(decision.of(Rule::Bake).unwrap().numbers.value, Some(13.0));
}

#[test]
fn bad_news_counts_at_once_and_good_news_when_it_has_settled() {
    let limits = Limits::default();
    let mut gate = fed(step(50), &[pair((30, 0, 1), (30, 0, 1)); 10]);
    let closed = (FIRST + 10) * 60;
    assert_eq!(
        gate.evaluate(&limits, closed + 119, &good(closed)).action,
        Action::Wait
    );
    assert_eq!(
        gate.evaluate(&limits, closed + 120, &good(closed)).action,
        Action::Advance
    );
    // A minute counts from its end, and against green in the same second.
    gate.observe(FIRST + 10, pair((30, 12, 0), (30, 0, 0)));
    assert_eq!(
        gate.evaluate(&limits, closed + 59, &good(closed)).verdict,
        Verdict::Holding
    );
    assert_eq!(
        gate.evaluate(&limits, closed + 60, &good(closed)).action,
        Action::RollBack
    );
}

#[test]
fn an_error_count_of_blue_that_is_not_published_yet_is_no_evidence() {
    let limits = Limits::default();
    // Green's slow requests are published, blue's are not: read as zero.
    let mut gate = fed(step(10), &[pair((900, 0, 45), (8100, 0, 0)); 3]);
    let seen = |gate: &mut Gate, age: i64| {
        let now = (FIRST + 1) * 60 + age;
        let decision = gate.evaluate(&limits, now, &good(now));
        decision.of(Rule::SlowComparison).unwrap().numbers.evidence
    };
    assert_eq!(seen(&mut gate, 179), Some(1.0));
    assert!(seen(&mut gate, 180) > Some(1.0));
    gate.observe(FIRST, pair((900, 0, 45), (8100, 0, 405)));
    assert!(seen(&mut gate, 180) < Some(1.0));
}

#[test]
fn fail_wins_over_unknown_and_what_waits_too_long_pages() {
    let limits = Limits::default();
    let now = settled(12);
    let seen = Instant {
        verify: None,
        conflicts: Some(1),
        counters: vec![Counter {
            name: "echoes".to_owned(),
            value: None,
        }],
        ..good(now)
    };
    let decision = healthy(50).evaluate(&limits, now, &seen);
    assert_eq!(
        (decision.verdict, decision.action),
        (Verdict::Fail, Action::RollBack)
    );

    let mut gate = fed(step(50), &[]);
    for (minute, action) in [(1438, Action::Wait), (1441, Action::PageAndHold)] {
        gate.observe(FIRST + minute, pair((1, 0, 0), (1, 0, 0)));
        let now = (FIRST + minute + 1) * 60;
        let decision = gate.evaluate(&limits, now, &good(now));
        assert_eq!(
            (decision.verdict, decision.action),
            (Verdict::Holding, action)
        );
    }
}

#[test]
fn a_shift_starts_when_every_metric_of_blue_had_data() {
    let now = settled(0);
    let minute = |ago: i64| now.div_euclid(60) - 1 - ago;
    let full = Counts::of(20, 0, 1);
    let at = |minutes: &[(Minute, Counts)]| can_start(minutes, now);
    assert_eq!(at(&[(minute(3), full)]).verdict, Verdict::Pass);
    assert_eq!(at(&[(minute(11), full)]).verdict, Verdict::Unknown);
    assert_eq!(at(&[]).verdict, Verdict::Unknown);
    assert_eq!(
        at(&[(minute(1), Counts::of(0, 0, 0))]).verdict,
        Verdict::Unknown
    );
    let parts = [
        (minute(2), Counts { bad: None, ..full }),
        (minute(4), Counts { slow: None, ..full }),
    ];
    assert_eq!(at(&parts).verdict, Verdict::Pass);
    let finding = at(&parts[..1]);
    assert_eq!(finding.verdict, Verdict::Unknown);
    assert!(
        finding.sentence.contains("no data of bad requests for"),
        "{}",
        finding.sentence
    );
}
