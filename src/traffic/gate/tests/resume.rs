//! A killed shift goes on with the same statistics.

use super::*;
use proptest::prelude::*;

fn traffic(seed: u64, minutes: usize) -> Vec<Pair> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut side = |most: u64| {
        let n = random.u64(0..most);
        if random.u8(0..12) == 0 {
            return Counts::default();
        }
        Counts::of(
            n,
            random.u64(0..8).saturating_sub(6).min(n),
            random.u64(0..4).min(n),
        )
    };
    let one = |_| Pair {
        green: side(60),
        blue: side(100),
    };
    (0..minutes).map(one).collect()
}

fn saved(gate: &Gate) -> Gate {
    serde_json::from_str(&serde_json::to_string(gate).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_kill_after_any_minute_changes_nothing(seed in any::<u64>(), weight in 1_u8..=100, blind in 0_usize..40) {
        let limits = Limits::default();
        let minutes = traffic(seed, 40);
        let (mut whole, mut killed) = (fed(step(weight), &[]), fed(step(weight), &[]));
        for (at, pair) in minutes.iter().enumerate() {
            let now = settled(at) - 60;
            let mut seen = good(now);
            if (blind..blind + 15).contains(&at) {
                seen.verify = None;
            }
            for gate in [&mut whole, &mut killed] {
                gate.observe(FIRST + at as i64, *pair);
            }
            killed = saved(&killed);
            prop_assert_eq!(whole.evaluate(&limits, now, &seen), killed.evaluate(&limits, now, &seen));
            killed = saved(&killed);
            prop_assert_eq!(&whole, &killed);
        }
    }

    #[test]
    fn minutes_missed_while_dead_are_wanted_and_judged(seed in any::<u64>(), dead in 0_usize..30, length in 1_usize..10) {
        let limits = Limits::default();
        let minutes = traffic(seed, 40);
        let now = settled(minutes.len());
        let mut whole = fed(step(25), &minutes);
        let mut gate = fed(step(25), &minutes[..dead]);
        gate = saved(&gate);
        // It was dead for a while, then read what was wanted, again and again.
        let mut at = dead + length;
        while at <= 40 {
            for minute in gate.wanted(&limits, (FIRST + at as i64) * 60) {
                gate.observe(minute, minutes[(minute - FIRST) as usize]);
            }
            at += length;
        }
        for minute in gate.wanted(&limits, (FIRST + 40) * 60) {
            gate.observe(minute, minutes[(minute - FIRST) as usize]);
        }
        prop_assert_eq!(whole.evaluate(&limits, now, &good(now)), gate.evaluate(&limits, now, &good(now)));
    }
}

#[test]
fn a_new_step_begins_with_nothing_and_blues_past_grows() {
    let minutes = [pair((100, 9, 5), (900, 2, 40)); 10];
    let gate = fed(step(10), &minutes);
    let next = gate
        .next(Step {
            start: settled(10),
            ..step(25)
        })
        .unwrap();
    let past = Totals {
        requests: 9000,
        hits: 20,
    };
    assert_eq!(next.step().past, past);
    let mut later = next
        .next(Step {
            start: settled(20),
            ..step(50)
        })
        .unwrap();
    assert_eq!(later.step().past, past, "kept over a step without minutes");
    let now = settled(20);
    let decision = later.evaluate(&Limits::default(), now, &good(now));
    assert_eq!(
        decision.of(Rule::Requests).unwrap().numbers.value,
        Some(0.0)
    );

    let again = gate.restart(settled(10));
    assert_eq!(again.step().weight, 10);
    assert_eq!(again.blue(settled(30)), Totals::default());
}

#[test]
fn a_minute_that_began_before_the_weight_is_not_of_the_step() {
    let late = Step {
        start: FIRST * 60 + 1,
        ..step(10)
    };
    let mut gate = Gate::begin(late).unwrap();
    assert_eq!(gate.step().first_minute(), FIRST + 1);
    gate.observe(FIRST, pair((9, 9, 9), (9, 0, 0)));
    assert_eq!(
        gate.wanted(&Limits::default(), (FIRST + 3) * 60),
        FIRST + 1..=FIRST + 2
    );
    let now = settled(2);
    let decision = gate.evaluate(&Limits::default(), now, &good(now));
    assert_eq!(decision.verdict, Verdict::Holding);
}
