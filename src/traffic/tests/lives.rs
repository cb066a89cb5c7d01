//! Whole shifts.

use super::*;
use jiff::{SignedDuration, Timestamp};

#[tokio::test]
async fn a_healthy_green_gets_everything_step_by_step() {
    let world = Numbers::new();
    let plan = plan(&[10, 50, 100]);
    assert_eq!(run(&world, &plan).await.unwrap(), End::Done);
    assert!(world.live.borrow().are(Weights::green(100).unwrap()));
    assert!(!world.bridge.get());
    assert_eq!(sent(&world.history()), [10, 50, 100]);
    assert_eq!(world.note().act, Act::Done);
    // Nobody can be fast here: 299 requests at 21 a minute.
    let minutes = (world.now.get() - 1_800_000_000) / 60;
    assert!((30..=70).contains(&minutes), "{minutes}");
}

#[tokio::test]
async fn a_bad_green_sends_everything_back_to_blue() {
    let world = Numbers::new();
    world.bad_one_in.set(10);
    let end = run(&world, &plan(&[10, 50, 100])).await.unwrap();
    assert!(
        matches!(&end, End::RolledBack(why) if why.contains("bad")),
        "{end:?}"
    );
    assert!(world.live.borrow().all_blue() && world.bridge.get());
    assert_eq!(world.note().act, Act::Rollback);
    let history = world.history();
    assert_eq!(sent(&history), [10]);
    assert_eq!(
        events(&history)[history.lines.len() - 2..],
        [Event::RollbackStarted, Event::RollbackDone]
    );
}

#[tokio::test]
async fn a_green_that_is_gone_is_left_within_five_seconds() {
    let world = Numbers::new();
    let gone = world.now.get() + 700;
    world.dead_since.set(gone);
    let end = run(&world, &plan(&[10, 50, 100])).await.unwrap();
    assert!(
        matches!(&end, End::RolledBack(why) if why.contains("probes of green failed")),
        "{end:?}"
    );
    let history = world.history();
    let lines = history.lines.iter();
    let back = lines.filter(|l| l.entry.event == Event::RollbackStarted);
    let at: Vec<_> = back.map(|l| l.at.as_second() - gone).collect();
    assert!(at.len() == 1 && at[0] <= 5, "{at:?}");
    let probe = history.lines.iter().find(|l| l.entry.event == Event::Probe);
    let text = "the last probe of green failed: 192.0.2.2 answers 503 to /ready";
    assert_eq!(probe.unwrap().entry.text, text);
}

#[tokio::test]
async fn green_without_healthy_targets_gets_nothing() {
    let world = Numbers::new();
    world.targets.set(0);
    let end = run(&world, &plan(&[10, 100])).await.unwrap();
    assert!(
        matches!(&end, End::Refused(why) if why.contains("0 of 3 targets")),
        "{end:?}"
    );
    assert!(world.live.borrow().all_blue() && sent(&world.history()).is_empty());
}

#[tokio::test]
async fn the_bridge_stays_until_green_has_a_weight() {
    let world = Numbers::new();
    let plan = Plan {
        approve_at: Some(10),
        ..plan(&[10])
    };
    // Nobody approves: who kept green's address is still answered by blue.
    assert!(matches!(run(&world, &plan).await.unwrap(), End::Held(_)));
    assert!(world.bridge.get() && world.live.borrow().all_blue());
}

#[tokio::test]
async fn approval_and_pause_are_heard_from_anywhere() {
    let world = Numbers::new();
    let plan = Plan {
        approve_at: Some(50),
        ..plan(&[10, 50])
    };
    // Nobody approves: the weight stays.
    let end = run(&world, &plan).await.unwrap();
    assert!(
        matches!(&end, End::Held(why) if why.contains("nobody approved weight 50")),
        "{end:?}"
    );
    assert!(world.live.borrow().are(Weights::green(10).unwrap()));
    // Approved while it waits, then paused during the step.
    let calls = world.calls.get();
    *world.hand.borrow_mut() = Some((
        calls + 5,
        Box::new(|w| {
            let until =
                Timestamp::from_second(w.now.get()).unwrap() + SignedDuration::from_hours(1);
            w.write_note(Act::Approve, |n| n.approved = Some((50, until)));
            let calls = w.calls.get();
            *w.hand.borrow_mut() = Some((
                calls + 30,
                Box::new(|w| {
                    w.write_note(Act::Pause, |_| {});
                    let calls = w.calls.get();
                    *w.hand.borrow_mut() = Some((
                        calls + 3600,
                        Box::new(|w| w.write_note(Act::Resume, |_| {})),
                    ));
                }),
            ));
        }),
    ));
    assert_eq!(run(&world, &plan).await.unwrap(), End::Done);
    let events = events(&world.history());
    for event in [
        Event::ApprovalAsked,
        Event::Approved,
        Event::Paused,
        Event::Resumed,
    ] {
        assert!(events.contains(&event), "{event:?}");
    }
    assert_eq!(sent(&world.history()), [10, 50]);
}

#[tokio::test]
async fn an_approval_that_is_over_or_for_less_does_not_count() {
    for (weight, seconds) in [(49, 3600), (50, -1)] {
        let world = Numbers::new();
        let plan = Plan {
            approve_at: Some(50),
            ..plan(&[50])
        };
        *world.hand.borrow_mut() = Some((
            3,
            Box::new(move |w| {
                let until = Timestamp::from_second(w.now.get() + seconds).unwrap();
                w.write_note(Act::Approve, |n| {
                    n.run = "a1".into();
                    n.approved = Some((weight, until));
                });
            }),
        ));
        let end = run(&world, &plan).await.unwrap();
        assert!(matches!(end, End::Held(_)), "{weight} {seconds}: {end:?}");
        assert!(world.live.borrow().all_blue());
    }
}

#[tokio::test]
async fn a_bad_green_goes_back_also_while_the_shift_is_paused() {
    let world = Numbers::new();
    *world.hand.borrow_mut() = Some((
        40,
        Box::new(|w| {
            w.write_note(Act::Pause, |_| {});
            w.bad_one_in.set(5);
        }),
    ));
    let end = run(&world, &plan(&[50, 100])).await.unwrap();
    assert!(matches!(end, End::RolledBack(_)), "{end:?}");
    assert!(world.live.borrow().all_blue());
}

#[tokio::test]
async fn a_new_revision_begins_the_step_anew() {
    let world = Numbers::new();
    *world.hand.borrow_mut() = Some((600, Box::new(|w| *w.runs.borrow_mut() = "2".into())));
    assert_eq!(run(&world, &plan(&[50])).await.unwrap(), End::Done);
    assert!(events(&world.history()).contains(&Event::StepRestarted));
    let minutes = (world.now.get() - 1_800_000_000) / 60;
    assert!(minutes >= 20, "{minutes}");
}

#[tokio::test]
async fn rollback_wins_over_every_state_and_needs_no_note() {
    for note in [Some(Ok(Note::FIRST)), Some(Err("damaged".to_owned())), None] {
        let world = Numbers::new();
        for green in [10, 100] {
            *world.live.borrow_mut() = Live::from(Weights::green(green).unwrap());
            world.note.borrow_mut().clone_from(&note);
            let outcome = turn_back(&world, "me@here", "by hand").await.unwrap();
            assert!(
                matches!(outcome, Outcome::Done { in_sync: true, .. }),
                "{outcome:?}"
            );
            assert!(world.live.borrow().all_blue());
            assert_eq!(world.note().act, Act::Rollback);
        }
        // On blue already: nothing is sent.
        let epoch = world.note().epoch;
        let outcome = turn_back(&world, "me@here", "by hand").await.unwrap();
        assert!(matches!(outcome, Outcome::Nothing { .. }), "{outcome:?}");
        assert_eq!(world.note().epoch, epoch);
    }
    // A shift that has not raised yet is ended too.
    let world = Numbers::new();
    world.write_note(Act::Shift, |n| n.run = "a1".into());
    let outcome = turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    // Both weights 0 are shares of one half: that is not blue alone.
    let world = Numbers::new();
    *world.live.borrow_mut() = Live {
        blue: Some(0),
        green: Some(0),
    };
    turn_back(&world, "me@here", "by hand").await.unwrap();
    assert!(world.live.borrow().all_blue());
    // Without a record of blue there is no way back, and green keeps what it has.
    let world = Numbers::new();
    *world.live.borrow_mut() = Live {
        blue: None,
        green: Some(100),
    };
    let error = turn_back(&world, "me@here", "by hand").await.unwrap_err();
    assert!(error.hint.is_some_and(|h| h.contains("apply --env blue")));
    assert_eq!(world.live.borrow().green, Some(100));
}
