//! The cases of the self-test.

use super::super::instant::{Counter, Guard, Parity, Stream};
use super::super::limits::Limits;
use super::super::minute::{Counts, Pair};
use super::super::verdict::Rule;
use super::Scene;

pub(super) type Change = fn(&mut Scene, &Limits);

/// Numbers that are bad, and the rule that must fail.
pub(super) const BAD: [(&str, Rule, Change); 17] = [
    ("a row differs", Rule::Parity, |s, _| {
        s.seen.parity_mismatches = Some(1);
    }),
    ("both sides changed a row", Rule::Conflicts, |s, _| {
        s.seen.conflicts = Some(1);
    }),
    ("another counter is not zero", Rule::Counter, |s, _| {
        s.seen.counters = vec![counter(Some(1))];
    }),
    ("the reverse stream stopped", Rule::ReverseStream, |s, _| {
        s.seen.reverse_stream = Some(Stream::Stopped);
    }),
    ("the slot is lost", Rule::ReverseStream, |s, _| {
        s.seen.reverse_stream = Some(Stream::SlotLost);
    }),
    ("a target is not healthy", Rule::Targets, |s, _| {
        s.seen
            .targets
            .iter_mut()
            .flatten()
            .for_each(|t| t.healthy -= 1);
    }),
    ("a service wants no task", Rule::Targets, |s, _| {
        for service in s.seen.targets.iter_mut().flatten() {
            (service.healthy, service.desired) = (0, 0);
        }
    }),
    ("all last probes failed", Rule::Probes, |s, limits| {
        if let Some(probes) = &mut s.seen.probes {
            probes.failed_in_a_row = limits.probes_in_a_row;
        }
    }),
    ("the guard took green out", Rule::Guard, |s, _| {
        s.seen.guard = Some(Guard::Raised);
    }),
    ("verify found a difference", Rule::Verify, |s, _| {
        if let Some(verify) = &mut s.seen.verify {
            verify.result = Parity::Different;
        }
    }),
    (
        "both sides fail every request",
        Rule::BadShare,
        |s, limits| {
            let all = Counts::of(s.requests, s.requests, 0);
            newest(s, limits.window_minutes, all, all);
        },
    ),
    (
        "every request fails for one window, then none",
        Rule::BadShare,
        |s, limits| {
            let length = limits.window_minutes as usize;
            let all = Counts::of(s.requests, s.requests, 0);
            s.minutes
                .iter_mut()
                .take(length)
                .for_each(|p| p.green = all);
        },
    ),
    ("both sides are slow", Rule::SlowShare, |s, limits| {
        let all = Counts::of(s.requests, 0, s.requests);
        newest(s, limits.window_minutes, all, all);
    }),
    (
        "green alone fails 3 of 10 requests",
        Rule::BadComparison,
        |s, _| {
            let bad = Counts::of(s.requests, s.requests * 3 / 10, 0);
            let good = Counts::of(s.requests, 0, 0);
            newest(s, u32::MAX, bad, good);
        },
    ),
    (
        "green alone has slow requests",
        Rule::SlowComparison,
        |s, _| {
            let slow = Counts::of(s.requests, 0, s.requests * 6 / 10);
            let good = Counts::of(s.requests, 0, 0);
            newest(s, u32::MAX, slow, good);
        },
    ),
    (
        "all traffic on green, worse than blue ever was",
        Rule::BadComparison,
        |s, _| {
            s.at_100();
            let bad = Counts::of(s.requests, s.requests * 3 / 10, 0);
            newest(s, u32::MAX, bad, Counts::default());
        },
    ),
    (
        "all traffic on green, every request fails",
        Rule::BadShare,
        |s, limits| {
            s.at_100();
            let all = Counts::of(s.requests, s.requests, 0);
            newest(s, limits.window_minutes, all, Counts::default());
        },
    ),
];

/// Numbers that are missing, and the rule that must not know.
pub(super) const MISSING: [(&str, Rule, Change); 21] = [
    ("rows that differ", Rule::Parity, |s, _| {
        s.seen.parity_mismatches = None;
    }),
    ("rows that both changed", Rule::Conflicts, |s, _| {
        s.seen.conflicts = None;
    }),
    ("another counter", Rule::Counter, |s, _| {
        s.seen.counters = vec![counter(None)];
    }),
    ("the reverse stream", Rule::ReverseStream, |s, _| {
        s.seen.reverse_stream = None;
    }),
    ("the targets", Rule::Targets, |s, _| s.seen.targets = None),
    ("every target", Rule::Targets, |s, _| {
        s.seen.targets = Some(Vec::new());
    }),
    ("the probes", Rule::Probes, |s, _| s.seen.probes = None),
    ("a first answer of the probes", Rule::Probes, |s, _| {
        s.seen.probes.iter_mut().for_each(|p| p.done = 0);
    }),
    ("the guard", Rule::Guard, |s, _| s.seen.guard = None),
    ("the lag of green", Rule::LagForward, |s, _| {
        s.seen.lag_forward = None;
    }),
    ("the lag of blue", Rule::LagReverse, |s, _| {
        s.seen.lag_reverse = None;
    }),
    ("a lag that is a number", Rule::LagForward, |s, _| {
        s.seen.lag_forward = Some(f64::NAN);
    }),
    ("a verify", Rule::Verify, |s, _| s.seen.verify = None),
    ("the limit of slow requests", Rule::GreenMetrics, |s, _| {
        s.step.slow_over_seconds = None;
    }),
    ("green's requests", Rule::GreenMetrics, |s, l| {
        gap(s, l, |p| p.green.requests = None);
    }),
    ("green's bad requests", Rule::GreenMetrics, |s, l| {
        gap(s, l, |p| p.green.bad = None);
    }),
    ("green's slow requests", Rule::GreenMetrics, |s, l| {
        gap(s, l, |p| p.green.slow = None);
    }),
    ("blue's requests", Rule::BlueMetrics, |s, l| {
        gap(s, l, |p| p.blue.requests = None);
    }),
    ("blue's bad requests", Rule::BlueMetrics, |s, l| {
        gap(s, l, |p| p.blue.bad = None);
    }),
    ("blue's slow requests", Rule::BlueMetrics, |s, l| {
        gap(s, l, |p| p.blue.slow = None);
    }),
    (
        "green's minutes at weight 100",
        Rule::GreenMetrics,
        |s, l| {
            s.at_100();
            gap(s, l, |p| p.green = Counts::default());
        },
    ),
];

/// Numbers that are good and not enough, and the rule that must hold.
pub(super) const FEW: [(&str, Rule, Change); 8] = [
    ("few requests", Rule::Requests, |s, _| quiet(s)),
    ("a wide bound", Rule::BadBound, |s, _| quiet(s)),
    ("one minute", Rule::Bake, |s, limits| {
        s.minutes.truncate(1);
        let closed = super::FIRST * 60 + 60;
        let age = limits.settle_seconds.max(limits.published_seconds);
        s.now = closed + i64::from(age);
        s.seen = Scene::healthy_look(limits, s.now);
    }),
    ("green gets too little", Rule::ObservedShare, |s, _| {
        let (few, many) = (Counts::of(1, 0, 0), Counts::of(s.requests, 0, 0));
        newest(s, u32::MAX, few, many);
    }),
    ("green's data is behind", Rule::LagForward, |s, limits| {
        s.seen.lag_forward = Some(limits.lag_seconds);
    }),
    ("blue's data is behind", Rule::LagReverse, |s, limits| {
        s.seen.lag_reverse = Some(limits.lag_seconds);
    }),
    ("an old verify", Rule::Verify, |s, limits| {
        let age = i64::from(limits.verify_age_minutes) * 60 + 60;
        s.seen.verify.iter_mut().for_each(|v| v.at -= age);
    }),
    ("a verify in motion", Rule::Verify, |s, _| {
        let moving = Parity::Moving;
        s.seen.verify.iter_mut().for_each(|v| v.result = moving);
    }),
];

fn counter(value: Option<u64>) -> Counter {
    Counter {
        name: "changes sent back to where they came from".to_owned(),
        value,
    }
}

/// The newest minutes of a scene become these.
fn newest(scene: &mut Scene, minutes: u32, green: Counts, blue: Counts) {
    let newest = scene.minutes.iter_mut().rev().take(minutes as usize);
    newest.for_each(|p| *p = Pair { green, blue });
}

/// Takes something out of all minutes that would be expected by now.
fn gap(scene: &mut Scene, limits: &Limits, take: fn(&mut Pair)) {
    let length = limits.overdue_seconds.div_ceil(60) as usize + 1;
    scene.minutes.iter_mut().rev().take(length).for_each(take);
}

fn quiet(scene: &mut Scene) {
    let one = Counts::of(1, 0, 0);
    scene.minutes.truncate(1);
    newest(scene, 1, one, one);
    scene.step.bake_minutes = 1;
}
