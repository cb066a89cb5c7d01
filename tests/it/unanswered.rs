//! Reads that are not answered while a step waits or looks for what it may have made: the engine alone, in virtual time.

use crate::support::run::{Run, Slow, graph, head, writes};
use crate::support::world::World;
use deployer::engine::event::Event;
use deployer::engine::exec::{Outcome, Report};
use deployer::engine::{Class, Error, Events, Graph, Leftover};
use deployer::state::Stage;
use serde_json::json;
use std::sync::{Arc, Mutex};

fn one() -> Graph {
    graph(|b| drop(b.add(head("a", "green"), Slow(json!({})))))
}

fn failed(report: &Report) -> &Error {
    match &report.outcomes[0].2 {
        Outcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_is_not_sent_again_while_nobody_can_look() {
    let lost =
        Error::of(Class::Unclear, "x:Create", "connection closed").leftover(Leftover::Unknown);
    let g = one();
    // Longer than a new thing may stay out of sight.
    let world = World::new(1.5);
    world.fail("a", lost.clone());
    world.break_reads(1, 15, Class::Unclear);
    let mut run = Run::on(&world);
    assert!(run.apply(&g).await.complete());
    assert_eq!(writes(&world), ["create a"]);
    // For good: the intent stays, and the next run finds what was made.
    for class in [Class::Unclear, Class::Throttled] {
        let world = World::new(1.5);
        world.fail("a", lost.clone());
        world.break_reads(1, 900, class);
        let mut run = Run::on(&world);
        let report = run.apply(&g).await;
        let error = failed(&report);
        assert_eq!((error.class, &error.leftover), (class, &Leftover::Unknown));
        assert_eq!(run.state.steps["a"].stage, Stage::Creating);
        *world.outage.lock().unwrap() = None;
        assert!(run.apply(&g).await.complete());
        assert_eq!(writes(&world), ["create a"], "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_outlasts_a_short_outage_and_ends_with_a_long_one() {
    let g = one();
    for (seconds, class, complete) in [
        (200, Class::Unclear, true),
        (900, Class::Unclear, false),
        // It was bridged for minutes already.
        (15, Class::Throttled, false),
    ] {
        let world = World::new(0.5);
        let mut run = Run::on(&world);
        world.break_reads(20, seconds, class);
        let report = run.apply(&g).await;
        assert_eq!(report.complete(), complete, "{seconds} s of {class:?}");
        if !complete {
            assert_eq!(failed(&report).class, class);
            assert!(report.seconds < 400.0, "{}", report.seconds);
            // What was made is recorded, and the next run waits for it.
            *world.outage.lock().unwrap() = None;
            assert!(run.apply(&g).await.complete());
        }
        assert_eq!(writes(&world), ["create a"]);
        // The same for a deletion.
        world.break_reads(5, seconds, class);
        let report = run.destroy(&g, None).await;
        assert_eq!(report.complete(), complete, "{seconds} s of {class:?}");
        *world.outage.lock().unwrap() = None;
        assert!(run.destroy(&g, None).await.complete());
        assert_eq!(writes(&world), ["create a", "delete a"]);
        assert_eq!(world.live(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_an_answer_says_so_and_for_how_long_at_most() {
    let lost =
        Error::of(Class::Unclear, "x:Create", "connection closed").leftover(Leftover::Unknown);
    // While it settles, and while it is looked for.
    for (lost, after) in [(None, 20), (Some(lost), 1)] {
        let world = World::new(1.5);
        if let Some(lost) = lost {
            world.fail("a", lost);
        }
        world.break_reads(after, 200, Class::Unclear);
        let mut run = Run::on(&world);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        run.cx.events = Events::to(vec![Box::new(move |event| {
            if let Event::StepWaiting {
                what,
                seconds,
                limit_seconds,
                ..
            } = event
            {
                let line = (what.clone(), *seconds, *limit_seconds);
                sink.lock().unwrap().push(line);
            }
        })]);
        assert!(run.apply(&one()).await.complete());
        let lines = lines.lock().unwrap();
        assert!(lines.len() > 1, "{lines:?}");
        for (what, seconds, limit) in lines.iter() {
            assert_eq!(what, "no answer: test:Read: no answer");
            assert!(*seconds < 201.0 && *limit == 300.0, "{lines:?}");
        }
    }
}
