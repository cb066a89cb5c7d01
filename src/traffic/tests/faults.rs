//! A kill, a lost answer and a call that never arrives at every call; hands of others at every call.

use super::*;

/// Runs the shift, again after each kill, and gives how it ended.
async fn lives(world: &Numbers, plan: &Plan) -> End {
    for _ in 0..4 {
        let ended = tokio::select! {
            biased;
            ended = run(world, plan) => Some(ended),
            () = killed(world) => None,
        };
        match ended {
            Some(Ok(end)) => return end,
            // Its error says to go on; whoever does, does it once.
            Some(Err(_)) | None => world.strike.set(None),
        }
    }
    panic!("it does not end");
}

/// Ends when the strike has come: the other future waits for ever then.
pub async fn killed(world: &Numbers) {
    loop {
        let struck = world
            .strike
            .get()
            .is_some_and(|(at, _)| world.calls.get() >= at);
        if struck {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn clean_calls(plan: &Plan) -> usize {
    let world = Numbers::new();
    run(&world, plan).await.unwrap();
    world.calls.get()
}

/// Every call that changes something, and those beside it; the many quiet reads in between by samples.
fn places(calls: usize) -> impl Iterator<Item = usize> {
    (1..=calls).filter(move |n| *n <= 12 || *n > calls.saturating_sub(6) || n.is_multiple_of(97))
}

#[tokio::test]
async fn whatever_call_is_struck_the_shift_ends_as_a_clean_one() {
    let plan = plan(&[50, 100]);
    let calls = clean_calls(&plan).await;
    for strike in [
        Strike::Before,
        Strike::After,
        Strike::Lost,
        Strike::Vanished,
    ] {
        for at in places(calls) {
            let world = Numbers::new();
            world.strike.set(Some((at, strike)));
            assert_eq!(lives(&world, &plan).await, End::Done, "{strike:?} at {at}");
            assert!(
                world.live.borrow().are(Weights::green(100).unwrap()),
                "{strike:?} at {at}"
            );
            let history = world.history();
            let mut steps = sent(&history);
            steps.dedup();
            // A kill right after the effect leaves the line of the intention alone.
            assert!(
                steps.iter().all(|s| [50, 100].contains(s)) && steps.is_sorted(),
                "{strike:?} at {at}: {steps:?}"
            );
        }
    }
}

#[tokio::test]
async fn whatever_call_of_a_rollback_is_struck_blue_has_everything() {
    for strike in [
        Strike::Before,
        Strike::After,
        Strike::Lost,
        Strike::Vanished,
    ] {
        for at in 1..=3 {
            let world = Numbers::new();
            world.write_note(Act::Shift, |n| n.weights = Weights::green(50));
            world.strike.set(Some((world.calls.get() + at, strike)));
            let ended = tokio::select! {
                biased;
                ended = turn_back(&world, "me@here", "by hand") => Some(ended),
                () = killed(&world) => None,
            };
            if ended.is_none() {
                world.strike.set(None);
                turn_back(&world, "me@here", "by hand").await.unwrap();
            }
            assert!(world.live.borrow().all_blue(), "{strike:?} at {at}");
            assert_eq!(world.note().act, Act::Rollback);
        }
    }
}

#[tokio::test]
async fn a_rollback_from_elsewhere_stops_the_shift_at_any_moment_and_stands() {
    let plan = plan(&[50, 100]);
    let calls = clean_calls(&plan).await;
    for at in places(calls) {
        let world = Numbers::new();
        *world.hand.borrow_mut() = Some((
            at,
            Box::new(|w| {
                w.write_note(Act::Rollback, |n| n.weights = Some(Weights::BLUE));
            }),
        ));
        let end = run(&world, &plan).await.unwrap();
        let last = at > calls.saturating_sub(1);
        assert!(
            matches!(end, End::Preempted(_)) || (last && end == End::Done),
            "at {at}: {end:?}"
        );
        if matches!(end, End::Preempted(_)) {
            assert!(world.live.borrow().all_blue(), "at {at}");
            assert_eq!(world.note().by, "other@there");
        }
    }
}

#[tokio::test]
async fn weights_that_nobody_recorded_are_left_and_named() {
    let plan = plan(&[50, 100]);
    let calls = clean_calls(&plan).await;
    for at in places(calls).filter(|at| *at + 3 < calls) {
        let world = Numbers::new();
        *world.hand.borrow_mut() = Some((
            at,
            Box::new(|w| {
                let note = w.note();
                w.set(
                    Live {
                        blue: Some(7),
                        green: Some(3),
                    },
                    note,
                );
            }),
        ));
        let end = run(&world, &plan).await.unwrap();
        let named = matches!(&end, End::Preempted(what) if what.contains("blue 7, green 3"));
        // Before the first note of a shift any weights are those of `apply`: they are where it begins.
        assert!(named || at <= 3 && end == End::Done, "at {at}: {end:?}");
        if named {
            assert_eq!(
                *world.live.borrow(),
                Live {
                    blue: Some(7),
                    green: Some(3)
                }
            );
        }
    }
}

#[tokio::test]
async fn another_shift_ends_this_one() {
    let world = Numbers::new();
    *world.hand.borrow_mut() = Some((
        30,
        Box::new(|w| {
            w.write_note(Act::Shift, |n| n.run = "b2".into());
        }),
    ));
    let end = run(&world, &plan(&[50, 100])).await.unwrap();
    assert!(matches!(end, End::Preempted(_)), "{end:?}");
    assert!(world.live.borrow().are(Weights::green(50).unwrap()));
}

#[test]
fn a_resumed_shift_stands_where_the_history_says() {
    let history = History::default();
    let Progress { at, gate } = progress(&plan(&[10]), &history);
    assert!(at == 0 && gate.is_none());
}
