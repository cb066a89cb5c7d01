//! What seems absent, clocks that are wrong, and steps that panic: the engine alone, in virtual time.

use crate::support::run::{Quick, Run, graph, head, verbs, writes};
use crate::support::world::World;
use deployer::engine::event::Verb;
use deployer::engine::exec::Outcome;
use deployer::engine::plan::Plan;
use deployer::engine::{Clock, Graph};
use deployer::state::Stage;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

fn two() -> Graph {
    graph(|b| {
        let a = b.add(head("a", "green"), Quick(json!({"x": 1})));
        b.add(head("b", "green"), Quick(json!({"on": a.id.ready()})));
    })
}

/// A finished run, and its account an hour later.
async fn made(world: &Arc<World>) -> (Graph, Run) {
    let (g, mut run) = (two(), Run::on(world));
    assert!(run.apply(&g).await.complete());
    tokio::time::advance(Duration::from_secs(3600)).await;
    (g, run)
}

fn hide(world: &World, run: &Run, step: &str, seconds: u64) {
    let id = run.state.steps[step].outputs["id"].as_str().unwrap();
    let until = Instant::now() + Duration::from_secs(seconds);
    world.hidden.lock().unwrap().insert(id.into(), until);
}

async fn timed(run: &mut Run, g: &Graph) -> (Plan, Duration) {
    let began = Instant::now();
    (run.plan(g).await, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn one_read_that_does_not_show_an_old_thing_plans_nothing() {
    let world = World::new(0.0);
    let (g, mut run) = made(&world).await;
    hide(&world, &run, "a", 4);
    hide(&world, &run, "b", 4);
    let (plan, took) = timed(&mut run, &g).await;
    assert!(plan.is_empty(), "{:?}", verbs(&plan));
    // One wait for both.
    assert_eq!(took, Duration::from_secs(5));
    let (plan, took) = timed(&mut run, &g).await;
    assert!(
        plan.is_empty() && took.is_zero(),
        "what is seen is not waited for"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_absent_twice_is_made_again_and_what_destroy_does_not_see_twice_is_forgotten() {
    let world = World::new(0.0);
    let (g, mut run) = made(&world).await;
    hide(&world, &run, "a", 600);
    let (plan, took) = timed(&mut run, &g).await;
    assert_eq!(verbs(&plan)[0], ("a".to_owned(), Verb::Create));
    assert_eq!(took, Duration::from_secs(5));
    hide(&world, &run, "a", 4);
    assert!(run.destroy(&g, None).await.complete());
    assert!(world.live().is_empty(), "{:?}", world.live());
}

#[tokio::test(start_paused = true)]
async fn a_record_from_the_future_is_waited_for_no_longer_than_a_new_one() {
    let world = World::new(0.0);
    let (g, mut run) = made(&world).await;
    world.things.lock().unwrap().clear();
    for ahead in [
        SignedDuration::from_hours(1),
        SignedDuration::from_hours(24 * 200),
    ] {
        run.cx.clock = Clock::start();
        let at = Timestamp::now().checked_add(ahead).unwrap();
        run.state.steps.values_mut().for_each(|r| r.at = at);
        let (plan, took) = timed(&mut run, &g).await;
        assert_eq!(plan.nodes.len(), 2);
        let most = run.cx.limits.consistency_timeout + Duration::from_secs(5);
        assert!(took <= most, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_step_after_which_nothing_starts_and_the_next_run_goes_on() {
    let world = World::new(0.5);
    let g = graph(|b| {
        b.add(head("a", "green"), Quick(json!({})));
        for step in ["b", "c"] {
            b.add(head(step, "green"), Quick(json!({})));
        }
        let a = b.add(head("d", "green"), Quick(json!({})));
        b.add(head("e", "green"), Quick(json!({"on": a.id.ready()})));
    });
    let mut run = Run::on(&world);
    run.cx.limits.parallelism = 4;
    *world.panics.lock().unwrap() = Some("a".into());
    let plan = run.plan(&g).await;
    let report = run.execute(&plan).await;
    let outcome = |step: &str| {
        let found = report.outcomes.iter().find(|o| o.0 == step).unwrap();
        found.2.clone()
    };
    let Outcome::Failed(error) = outcome("a") else {
        panic!("{report:?}");
    };
    assert_eq!(error.action, "defect");
    assert!(
        error.message.contains("the panic that was asked for"),
        "{error}"
    );
    assert_eq!(outcome("b"), Outcome::Done, "what runs is finished");
    assert_eq!(outcome("e"), Outcome::Interrupted, "nothing new starts");
    assert!(run.apply(&g).await.complete());
    assert_eq!(world.live().len(), 5);
}

/// A create call is repeated for minutes while AWS asks to slow down, and may leave just before the process ends.
#[tokio::test(start_paused = true)]
async fn what_an_old_intent_made_a_moment_ago_is_looked_for_as_long_as_reads_lag() {
    let world = World::new(0.0);
    let (g, mut run) = made(&world).await;
    let record = run.state.steps.get_mut("a").unwrap();
    (record.stage, record.outputs) = (Stage::Creating, Value::Null);
    record.at = run.cx.clock.now() - SignedDuration::from_secs(200);
    let id = world.live()[0].clone();
    let until = Instant::now() + Duration::from_secs(4);
    world.hidden.lock().unwrap().insert(id, until);
    let plan = run.plan(&g).await;
    assert_eq!(verbs(&plan)[0], ("a".to_owned(), Verb::Adopt));
}

/// AWS answers a deletion and forgets it, of a thing that was made so recently that a read does not show it yet.
#[tokio::test(start_paused = true)]
async fn what_reads_may_not_show_yet_is_not_taken_for_deleted() {
    let world = World::new(0.5);
    let (g, mut run) = (two(), Run::on(&world));
    assert!(run.apply(&g).await.complete());
    let seen = run.look(&g, &g.select(None)).await;
    let plan = run.teardown(&g, &seen, None).await;
    world.ignored_deletions.store(1, Relaxed);
    hide(&world, &run, "b", 4);
    let report = run.execute(&plan).await;
    assert!(report.complete(), "{report:?}");
    assert_eq!(writes(&world)[2..], ["delete b", "delete b", "delete a"]);
    assert_eq!(world.live(), Vec::<String>::new());
}
