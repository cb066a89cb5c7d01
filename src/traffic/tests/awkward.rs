//! Awkward moments: a pause just before a weight is sent, a history that cannot be written, a Route 53 that says nothing, changes that
//! take long to be known everywhere.

use super::*;
use crate::traffic::bridge::Bridge;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

fn place(history: &History, event: Event) -> Option<usize> {
    events(history).iter().position(|e| *e == event)
}

#[tokio::test]
async fn no_weight_is_raised_after_a_pause_and_an_approval_does_not_end_it() {
    for approved in [false, true] {
        for at in 1..=12 {
            let world = Numbers::new();
            *world.hand.borrow_mut() = Some((
                at,
                Box::new(move |w| {
                    w.write_note(Act::Pause, |n| n.run = "a1".into());
                    if approved {
                        let until = Timestamp::from_second(w.now.get()).unwrap();
                        let until = until + SignedDuration::from_hours(2);
                        w.write_note(Act::Approve, |n| n.approved = Some((50, until)));
                    }
                    // A step that has its weight is watched until somebody lets it go on.
                    let calls = w.calls.get();
                    *w.hand.borrow_mut() = Some((
                        calls + 8000,
                        Box::new(|w| w.write_note(Act::Resume, |_| {})),
                    ));
                }),
            ));
            let end = run(&world, &plan(&[50])).await.unwrap();
            let history = world.history();
            let raised = place(&history, Event::WeightSent);
            let paused = place(&history, Event::Paused).or(place(&history, Event::Approved));
            assert!(paused.is_some(), "at {at}: {:?}", events(&history));
            match raised {
                None => assert!(
                    matches!(end, End::Held(_)) && world.live.borrow().all_blue(),
                    "at {at}: {end:?}"
                ),
                Some(_) => assert!(raised < paused, "at {at}: {:?}", events(&history)),
            }
            assert!(world.note().paused || end == End::Done, "at {at}");
        }
    }
}

#[tokio::test]
async fn a_history_that_cannot_be_written_keeps_no_gate_from_sending_everybody_back() {
    let world = Numbers::new();
    world.bad_one_in.set(10);
    world.unwritable_since.set(world.now.get() + 60);
    let end = run(&world, &plan(&[50, 100])).await.unwrap();
    assert!(matches!(end, End::RolledBack(_)), "{end:?}");
    assert!(world.live.borrow().all_blue());
    // A good green gets no more: a shift that is killed could not go on.
    let world = Numbers::new();
    world.unwritable_since.set(world.now.get() + 60);
    let end = run(&world, &plan(&[50, 100])).await.unwrap();
    assert!(
        matches!(&end, End::Held(why) if why.contains("no space is left")),
        "{end:?}"
    );
    assert!(world.live.borrow().are(Weights::green(50).unwrap()));
}

#[tokio::test(start_paused = true)]
async fn the_levers_do_not_wait_for_a_route_53_that_says_nothing() {
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| n.weights = Weights::green(50));
    world.bridge.set(false);
    world.route53.set(Route53::Silent);
    let start = tokio::time::Instant::now();
    let turned = turn_back(&world, "me@here", "by hand");
    let pulled = async {
        let mut bridged = None;
        while world.is_ready.get() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let seconds = start.elapsed().as_secs();
            bridged = bridged.or(world.bridge.get().then_some(seconds));
        }
        (bridged, start.elapsed().as_secs())
    };
    let (bridged, unready) = tokio::select! {
        _ = turned => panic!("Route 53 does not answer"),
        seconds = pulled => seconds,
    };
    assert!(
        bridged.is_some_and(|s| s <= 3) && unready <= 10,
        "{bridged:?} {unready}"
    );
}

#[tokio::test]
async fn a_bridge_that_may_not_be_switched_is_named_and_the_next_rollback_switches_it() {
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| n.weights = Weights::green(50));
    world.bridge.set(false);
    world.bridges_denied.set(true);
    let outcome = turn_back(&world, "me@here", "by hand").await.unwrap();
    let failed = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Done {
                bridge: Bridge::Failed,
                ..
            } | Outcome::Nothing {
                bridge: Bridge::Failed,
                switched: false,
                ..
            }
        )
    };
    assert!(failed(&outcome), "{outcome:?}");
    let outcome = turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(failed(&outcome), "{outcome:?}");
    world.bridges_denied.set(false);
    let outcome = turn_back(&world, "me@here", "by hand").await.unwrap();
    let switched = matches!(
        outcome,
        Outcome::Nothing {
            bridge: Bridge::On,
            switched: true,
            ..
        }
    );
    assert!(switched && world.bridge.get(), "{outcome:?}");
}

#[tokio::test]
async fn a_rollback_that_fails_is_in_the_history_with_what_was_done() {
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| n.weights = Weights::green(50));
    world.route53.set(Route53::Fails);
    turn_back(&world, "me@here", "by hand").await.unwrap_err();
    let history = world.history();
    let last = &history.lines.last().unwrap().entry;
    assert_eq!(last.event, Event::RollbackFailed);
    assert!(last.text.contains("sends on to blue"), "{}", last.text);
}

#[tokio::test]
async fn a_shift_takes_nothing_from_green_and_ends_after_a_cutover() {
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| {
        n.run = "a1".into();
        n.weights = Some(Weights::GREEN);
    });
    let end = run(&world, &plan(&[50])).await.unwrap();
    assert!(
        matches!(&end, End::Refused(why) if why.contains("100 % already")),
        "{end:?}"
    );
    assert!(world.live.borrow().are(Weights::GREEN));
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| {
        n.run = "a1".into();
        n.green_writes = true;
    });
    let end = run(&world, &plan(&[50])).await.unwrap();
    assert!(
        matches!(&end, End::Refused(why) if why.contains("green takes the writes")),
        "{end:?}"
    );
}

#[tokio::test]
async fn whoever_takes_the_traffic_is_seen_before_all_servers_know_the_weight() {
    let world = Numbers::new();
    world.known_after.set(100);
    let began = world.now.get();
    *world.hand.borrow_mut() = Some((
        14,
        Box::new(|w| {
            assert_eq!(w.live.borrow().green, Some(50), "it was raised before");
            w.write_note(Act::Rollback, |n| n.weights = Some(Weights::BLUE));
        }),
    ));
    let end = run(&world, &plan(&[50])).await.unwrap();
    assert!(matches!(end, End::Preempted(_)), "{end:?}");
    assert!(world.now.get() - began < 20, "{}", world.now.get() - began);
    assert_eq!(place(&world.history(), Event::WeightInsync), None);
}
