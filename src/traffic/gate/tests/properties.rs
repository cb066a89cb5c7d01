//! What holds for any traffic.

use super::*;
use proptest::prelude::*;

/// A minute: requests of green and blue, and chances of bad and slow ones on each.
fn minute() -> impl Strategy<Value = Pair> {
    let side = || {
        (0_u64..60, 0_u64..12, 0_u64..12, 0_u8..20).prop_map(|(n, bad, slow, gap)| {
            let bad = if bad < 8 { 0 } else { bad - 7 };
            let counts = Counts::of(n, bad.min(n), (slow / 3).min(n));
            if gap == 0 { Counts::default() } else { counts }
        })
    };
    (side(), side()).prop_map(|(green, blue)| Pair { green, blue })
}

fn traffic() -> impl Strategy<Value = (u8, Vec<Pair>)> {
    let weight = prop::sample::select(vec![1_u8, 10, 50, 75, 90, 100]);
    (weight, prop::collection::vec(minute(), 1..60))
}

fn with_past(weight: u8) -> Step {
    Step {
        past: Totals {
            requests: 5000,
            hits: 10,
        },
        probes: true,
        ..step(weight)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn more_bad_on_green_never_makes_it_better(
        (weight, minutes) in traffic(),
        more in prop::collection::vec((0_u64..6, 0_u64..6), 60),
    ) {
        let before = judged(with_past(weight), &minutes);
        let worse: Vec<Pair> = minutes.iter().zip(&more).map(|(pair, (bad, slow))| {
            let mut pair = *pair;
            let most = pair.green.requests.unwrap_or(0);
            pair.green.bad = pair.green.bad.map(|n| (n + bad).min(most));
            pair.green.slow = pair.green.slow.map(|n| (n + slow).min(most));
            pair
        }).collect();
        let after = judged(with_past(weight), &worse);
        prop_assert!(after.verdict >= before.verdict, "{before}\n{after}");
        for finding in &before.findings {
            prop_assert!(verdict_of(&after, finding.rule) >= finding.verdict, "{:?}\n{before}\n{after}", finding.rule);
        }
    }

    #[test]
    fn more_bad_on_blue_never_speaks_against_green(
        (weight, minutes) in traffic(),
        more in prop::collection::vec(0_u64..6, 60),
    ) {
        let before = judged(with_past(weight), &minutes);
        let worse: Vec<Pair> = minutes.iter().zip(&more).map(|(pair, bad)| {
            let mut pair = *pair;
            let most = pair.blue.requests.unwrap_or(0);
            pair.blue.bad = pair.blue.bad.map(|n| (n + bad).min(most));
            pair
        }).collect();
        prop_assert!(judged(with_past(weight), &worse).verdict <= before.verdict);
    }

    #[test]
    fn minutes_may_come_in_any_order_and_again(
        (weight, minutes) in traffic(),
        seed in any::<u64>(),
    ) {
        let now = settled(minutes.len());
        let mut gate = Gate::begin(with_past(weight)).unwrap();
        let mut order: Vec<usize> = (0..minutes.len()).chain(0..minutes.len()).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
        for at in order {
            gate.observe(FIRST + at as i64, minutes[at]);
            // A reading that failed takes nothing away.
            gate.observe(FIRST + at as i64, Pair::default());
        }
        let limits = Limits::default();
        let shuffled = gate.evaluate(&limits, now, &good(now));
        prop_assert_eq!(shuffled, judged(with_past(weight), &minutes));
    }

    #[test]
    fn unknown_never_passes(taken in 1_u16..(1 << 12), weight in 1_u8..=100) {
        let limits = Limits::default();
        let mut minutes = vec![pair((1000, 0, 50), (1000, 0, 50)); 12];
        let now = settled(minutes.len());
        let mut seen = good(now);
        prop_assert!(fed(step(weight), &minutes).evaluate(&limits, now, &seen).verdict < Verdict::Unknown);
        let is = |bit: u16| taken & (1 << bit) != 0;
        if is(0) { seen.parity_mismatches = None; }
        if is(1) { seen.conflicts = None; }
        if is(2) { seen.reverse_stream = None; }
        if is(3) { seen.targets = None; }
        if is(4) { seen.probes = None; }
        if is(5) { seen.guard = None; }
        if is(6) { seen.lag_forward = None; }
        if is(7) { seen.lag_reverse = Some(f64::NAN); }
        if is(8) { seen.verify = None; }
        let gap = |change: fn(&mut Pair), minutes: &mut Vec<Pair>| minutes.iter_mut().for_each(change);
        if is(9) { gap(|p| p.green.requests = None, &mut minutes); }
        if is(10) { gap(|p| p.green.bad = None, &mut minutes); }
        if is(11) { gap(|p| p.green.slow = None, &mut minutes); }
        let decision = fed(step(weight), &minutes).evaluate(&limits, now, &seen);
        prop_assert!(decision.verdict >= Verdict::Unknown);
        prop_assert!(decision.action != Action::Advance);
    }

    #[test]
    fn the_worst_input_wins_and_only_all_good_advances((weight, minutes) in traffic()) {
        let decision = judged(with_past(weight), &minutes);
        let worst = decision.findings.iter().map(|f| f.verdict).max().unwrap();
        prop_assert_eq!(decision.verdict, worst);
        prop_assert_eq!(decision.action == Action::Advance, worst == Verdict::Pass);
        prop_assert_eq!(decision.action == Action::RollBack, worst == Verdict::Fail);
        // Every rule is either judged or said not to be.
        for rule in Rule::ALL {
            let judged = decision.of(rule).is_some();
            let left_out = decision.not_checked.iter().any(|n| n.rule == rule);
            prop_assert!(judged != left_out || rule == Rule::Counter, "{rule:?}");
        }
    }

    #[test]
    fn a_green_as_good_as_a_blue_without_errors_passes(n in 30_u64..500, weight in 20_u8..=75) {
        let blue = n * (100 - u64::from(weight)) / u64::from(weight);
        let minute = pair((n, 0, 0), (blue, 0, 0));
        let decision = judged(step(weight), &[minute; 12]);
        prop_assert_eq!(decision.action, Action::Advance, "{}", decision);
    }
}
