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
        for at in 1..=6 {
            let world = Numbers::new();
            world.bridge.set(false);
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
                w.bridge.set(true);
                w.bridged_at.set(w.now.get());
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
            assert!(world.bridge.get(), "at {at}");
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

#[tokio::test(start_paused = true)]
async fn a_route_53_that_does_not_answer_is_gone_round_by_greens_health_check() {
    let began = tokio::time::Instant::now;
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| n.weights = Weights::green(50));
    world.bridge.set(false);
    world.route53.set(Route53::Hangs);
    let start = began();
    let turned = turn_back(&world, "me@here", "by hand");
    let unready = async {
        while world.is_ready.get() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        start.elapsed().as_secs()
    };
    let seconds = tokio::select! {
        _ = turned => panic!("Route 53 does not answer"),
        seconds = unready => seconds,
    };
    assert_eq!(seconds, 10);
    assert!(world.bridge.get());
    // It says no: at once.
    world.is_ready.set(true);
    world.route53.set(Route53::Fails);
    let error = turn_back(&world, "me@here", "by hand").await.unwrap_err();
    assert!(!world.is_ready.get());
    let text = "green says 503 to Route 53's health checks";
    assert!(error.message.contains(text), "{error}");
    // It takes changes again: the health check says what green's service says.
    world.route53.set(Route53::Takes);
    turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(world.is_ready.get() && world.live.borrow().all_blue());
}

#[tokio::test]
async fn a_bridge_that_somebody_switches_on_ends_the_shift_when_route_53_says_nothing() {
    let world = Numbers::new();
    *world.hand.borrow_mut() = Some((
        200,
        Box::new(|w| {
            w.bridge.set(true);
            w.bridged_at.set(w.now.get());
        }),
    ));
    let end = run(&world, &plan(&[50, 100])).await.unwrap();
    assert!(
        matches!(&end, End::Preempted(what) if what.starts_with("other@there at ") && what.contains("bridge was switched on")),
        "{end:?}"
    );
    assert!(world.bridge.get());
    // Whoever goes on without looking does not undo it.
    let resumed = run(&world, &plan(&[50, 100])).await.unwrap();
    assert!(matches!(resumed, End::Preempted(_)), "{resumed:?}");
    assert!(world.bridge.get());
}

#[tokio::test]
async fn a_green_that_a_rollback_left_unready_is_ready_before_it_gets_anything() {
    let world = Numbers::new();
    world.is_ready.set(false);
    assert_eq!(run(&world, &plan(&[100])).await.unwrap(), End::Done);
    assert!(world.is_ready.get());
}
