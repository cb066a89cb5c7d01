//! The cutover, and the rollback that is its way back.

use super::faults::killed;
use super::*;
use crate::engine::Class;
use crate::traffic::cutover::{Done, go};

/// A split that a shift has brought to its end, or to its middle.
fn split(green: u8) -> Numbers {
    let world = Numbers::new();
    world.bridge.set(false);
    world.write_note(Act::Done, |n| n.weights = Weights::green(green));
    world
}

async fn done(world: &Numbers) -> Done {
    go(world, "me@here").await.unwrap()
}

/// A split whose cutover was struck at one of its calls.
async fn struck(at: usize, strike: Strike) -> Numbers {
    let world = split(50);
    world.strike.set(Some((world.calls.get() + at, strike)));
    tokio::select! {
        biased;
        ended = go(&world, "me@here") => drop(ended),
        () = killed(&world) => {}
    }
    world.strike.set(None);
    world
}

/// Green takes the writes and gets all requests, also those that still reach blue.
fn all_green(world: &Numbers) -> bool {
    let note = world.note();
    let bridges = world.forth.get() && !world.bridge.get();
    world.green_writes.get()
        && world.live.borrow().are(Weights::GREEN)
        && note.green_writes
        && note.act == Act::Cutover
        && bridges
}

fn all_blue(world: &Numbers) -> bool {
    let note = world.note();
    let bridges = world.bridge.get() && !world.forth.get();
    !world.green_writes.get() && world.live.borrow().all_blue() && !note.green_writes && bridges
}

#[tokio::test(start_paused = true)]
async fn a_cutover_gives_green_writes_and_traffic_and_a_rollback_takes_both_back() {
    for green in [0, 50, 100] {
        let world = split(green);
        assert_eq!(done(&world).await.cut.refused_ms, Some(300.0));
        assert!(all_green(&world));
        // Again: nothing is sent.
        let note = world.note();
        assert!(done(&world).await.cut.already);
        assert_eq!(world.note(), note);
        let back = turn_back(&world, "me@here", "by hand").await.unwrap();
        assert!(matches!(back, Outcome::Done { cut: Some(_), .. }));
        assert!(all_blue(&world));
        assert!(done(&world).await.in_sync);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_call_of_a_cutover_is_struck_it_goes_on_or_goes_back() {
    let world = split(50);
    let before = world.calls.get();
    done(&world).await;
    let calls = world.calls.get() - before;
    for strike in [
        Strike::Before,
        Strike::After,
        Strike::Lost,
        Strike::Vanished,
    ] {
        for at in 1..=calls {
            for back in [false, true] {
                let world = struck(at, strike).await;
                if back {
                    turn_back(&world, "me@here", "by hand").await.unwrap();
                    assert!(all_blue(&world), "{strike:?} at {at}");
                } else {
                    done(&world).await;
                    assert!(all_green(&world), "{strike:?} at {at}");
                }
            }
        }
    }
}

/// The writes are where the traffic is, also when somebody gives everything back to blue while a cutover is at work.
#[tokio::test(start_paused = true)]
async fn a_rollback_at_any_call_of_a_cutover_leaves_no_writes_behind() {
    let world = split(50);
    let before = world.calls.get();
    done(&world).await;
    let calls = world.calls.get() - before;
    let mut ended = 0;
    for at in 1..=calls {
        let world = split(50);
        let back = |world: &Numbers| {
            world.green_writes.set(false);
            world.bridge.set(true);
            world.forth.set(false);
            *world.live.borrow_mut() = Live::from(Weights::BLUE);
            world.write_note(Act::Rollback, |n| {
                n.weights = Some(Weights::BLUE);
                n.green_writes = false;
            });
        };
        *world.hand.borrow_mut() = Some((world.calls.get() + at, Box::new(back)));
        let over = go(&world, "me@here").await;
        ended += usize::from(over.is_err_and(|e| e.class == Class::Conflict));
        if world.live.borrow().all_blue() {
            assert!(!world.green_writes.get(), "at {at}");
        }
        turn_back(&world, "me@here", "by hand").await.unwrap();
        assert!(all_blue(&world), "at {at}");
    }
    assert!(ended > 0, "a cutover sees that it is over");
}

/// A cutover was killed after it had given green the writes, and somebody had given the traffic back before.
#[tokio::test(start_paused = true)]
async fn a_rollback_with_nothing_to_move_still_looks_for_the_writes() {
    let world = split(50);
    turn_back(&world, "me@here", "by hand").await.unwrap();
    world.green_writes.set(true);
    let back = turn_back(&world, "me@here", "again").await.unwrap();
    assert!(matches!(back, Outcome::Done { cut: Some(_), .. }));
    assert!(all_blue(&world));
    let back = turn_back(&world, "me@here", "once more").await.unwrap();
    assert!(matches!(back, Outcome::Nothing { .. }));
}

#[tokio::test(start_paused = true)]
async fn whatever_call_of_the_way_back_is_struck_blue_has_writes_and_traffic() {
    for strike in [
        Strike::Before,
        Strike::After,
        Strike::Lost,
        Strike::Vanished,
    ] {
        for at in 1..=6 {
            let world = split(50);
            done(&world).await;
            world.strike.set(Some((world.calls.get() + at, strike)));
            tokio::select! {
                biased;
                ended = turn_back(&world, "me@here", "by hand") => drop(ended),
                () = killed(&world) => {}
            }
            world.strike.set(None);
            turn_back(&world, "me@here", "by hand").await.unwrap();
            assert!(all_blue(&world), "{strike:?} at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_call_of_a_cutover_was_the_last_before_green_was_gone_blue_has_writes_and_traffic()
{
    let world = split(50);
    let before = world.calls.get();
    done(&world).await;
    let calls = world.calls.get() - before;
    for strike in [Strike::Before, Strike::After] {
        for at in 1..=calls {
            let world = struck(at, strike).await;
            world.green_gone.set(true);
            let (asked, began) = (world.note().green_writes, world.now.get());
            let back = turn_back(&world, "me@here", "green is gone").await.unwrap();
            assert!(world.now.get() - began <= 10, "{strike:?} at {at}");
            assert!(!world.green_writes.get() && world.live.borrow().all_blue());
            let Outcome::Done { cut, .. } = back else {
                panic!("{strike:?} at {at}: {back:?}");
            };
            let until = cut.and_then(|cut| cut.blue_has_until);
            assert_eq!(until.is_some(), asked, "{strike:?} at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_control_refuses_changes_nothing_and_leaves_no_word_behind() {
    let world = split(50);
    let no = Error::permanent("control", "verify has not answered equal").code("NOT_VERIFIED");
    *world.no.borrow_mut() = Some(no);
    let error = go(&world, "me@here").await.unwrap_err();
    assert!(error.message.contains("verify has not answered"), "{error}");
    assert!(world.live.borrow().are(Weights::green(50).unwrap()));
    assert!(!world.note().green_writes && !world.forth.get());
    // Nobody knows: the word stays, and a rollback brings the writes back.
    *world.no.borrow_mut() = Some(Error::of(
        crate::engine::Class::Unclear,
        "control",
        "no answer",
    ));
    world.green_writes.set(true);
    let error = go(&world, "me@here").await.unwrap_err();
    assert!(error.hint.unwrap().contains("deployer traffic rollback"));
    assert!(world.note().green_writes);
    // Blue refuses writes: traffic alone does not go there.
    assert!(turn_back(&world, "me@here", "by hand").await.is_err());
    assert!(world.live.borrow().are(Weights::green(50).unwrap()));
    *world.no.borrow_mut() = None;
    turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(all_blue(&world));
}

#[tokio::test(start_paused = true)]
async fn a_shift_that_goes_on_and_weights_of_others_keep_a_cutover_away() {
    let world = split(50);
    world.write_note(Act::Shift, |n| n.run = "a1".into());
    let error = go(&world, "me@here").await.unwrap_err();
    assert!(error.message.contains("a shift is going on"), "{error}");
    let world = split(50);
    let live = Live {
        blue: Some(7),
        green: Some(3),
    };
    world.set(live, world.note());
    let error = go(&world, "me@here").await.unwrap_err();
    assert!(error.message.contains("blue 7, green 3"), "{error}");
    assert_eq!(*world.live.borrow(), live);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_note_does_not_keep_the_traffic_from_blue() {
    let world = split(50);
    done(&world).await;
    *world.note.borrow_mut() = Some(Err("it has no `epoch`".into()));
    turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(all_blue(&world));
    let world = split(50);
    *world.note.borrow_mut() = Some(Err("it has no `epoch`".into()));
    *world.no.borrow_mut() = Some(Error::permanent("control", "no such function"));
    turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(world.live.borrow().all_blue());
}
