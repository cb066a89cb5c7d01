//! The engine alone, on an account in memory and in virtual time.

use crate::support::recorder::MemoryRecorder;
use crate::support::run::{Quick, Run, Slow, graph, head, verbs, writes};
use crate::support::world::World;
use async_trait::async_trait;
use deployer::engine::driver::Delegated;
use deployer::engine::event::Verb;
use deployer::engine::exec::{self, Outcome, Recorder};
use deployer::engine::{Class, Context, Error, Leftover};
use deployer::state::{Record, Stage, State};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::watch;

#[tokio::test(start_paused = true)]
async fn a_second_apply_plans_nothing_and_destroy_leaves_nothing() {
    let world = World::new(0.5);
    let g = graph(|b| {
        let a = b.add(head("a", "green"), Slow(json!({"x": 1})));
        b.add(head("b", "green"), Quick(json!({"on": a.id.ready()})));
    });
    let mut run = Run::on(&world);
    assert!(run.apply(&g).await.complete());
    assert!(run.plan(&g).await.is_empty());
    assert_eq!(world.live().len(), 2);
    let report = run.destroy(&g, None).await;
    assert!(report.complete(), "{report:?}");
    assert_eq!(world.live(), Vec::<String>::new());
    assert!(run.state.steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_known_edge_starts_before_the_thing_it_needs_is_ready() {
    let world = World::new(0.5);
    let g = graph(|b| {
        let a = b.add(head("a", "green"), Slow(json!({})));
        b.add(head("weak", "green"), Slow(json!({"on": a.id})));
    });
    let mut run = Run::on(&world);
    let seconds = run.apply(&g).await.seconds;
    assert!(seconds < 110.0, "both settle at the same time: {seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_stops_its_dependents_and_nothing_else() {
    let world = World::new(0.5);
    let g = graph(|b| {
        let a = b.add(head("a", "green"), Quick(json!({})));
        let c = b.add(head("b", "green"), Quick(json!({"on": a.id})));
        b.add(head("c", "green"), Quick(json!({"on": c.id})));
        b.add(head("free", "green"), Quick(json!({})));
    });
    let denied = Error::permanent("x:Create", "no").code("AccessDenied");
    world.fail("b", denied.clone());
    let mut run = Run::on(&world);
    let report = run.apply(&g).await;
    let of = |step: &str| {
        report
            .outcomes
            .iter()
            .find(|o| o.0 == step)
            .unwrap()
            .2
            .clone()
    };
    assert_eq!(of("b"), Outcome::Failed(denied));
    assert_eq!(of("c"), Outcome::Blocked("b".into()));
    assert_eq!((of("a"), of("free")), (Outcome::Done, Outcome::Done));
    assert!(
        !run.state.steps.contains_key("b"),
        "an intent without effect is taken back"
    );
    assert!(
        run.apply(&g).await.complete(),
        "the re-run resumes from there"
    );
    assert_eq!(world.live().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_adopted_and_not_created_twice() {
    let world = World::new(0.5);
    let g = graph(|b| {
        b.add(head("a", "green"), Slow(json!({})));
    });
    world.fail(
        "a",
        Error::of(Class::Unclear, "x:Create", "connection closed").leftover(Leftover::Unknown),
    );
    let mut run = Run::on(&world);
    assert!(run.apply(&g).await.complete());
    assert_eq!(world.live().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn lost_state_is_adopted_by_marks_without_a_write() {
    let world = World::new(0.5);
    let g = graph(|b| {
        let a = b.add(head("a", "green"), Quick(json!({})));
        b.add(head("b", "green"), Quick(json!({"on": a.id})));
    });
    let mut run = Run::on(&world);
    run.apply(&g).await;
    let before = world.writes.lock().unwrap().len();
    run.state = State::empty("t", "eu-central-1");
    let plan = run.plan(&g).await;
    assert!(
        plan.nodes.iter().all(|n| n.verb == Verb::Adopt),
        "{:?}",
        verbs(&plan)
    );
    assert!(run.execute(&plan).await.complete());
    assert_eq!(world.writes.lock().unwrap().len(), before);
    assert!(run.state.steps.values().all(|r| r.stage == Stage::Ready));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_field_replaces_and_cascades_in_order() {
    let world = World::new(0.5);
    let make = |fixed: u32| {
        graph(|b| {
            let a = b.add(head("a", "green"), Quick(json!({"fixed": fixed})));
            b.add(head("b", "green"), Quick(json!({"fixed": a.id})));
            b.add(head("c", "green"), Quick(json!({"soft": a.id})));
        })
    };
    let mut run = Run::on(&world);
    run.apply(&make(1)).await;
    world.writes.lock().unwrap().clear();
    let plan = run.plan(&make(2)).await;
    assert_eq!(
        (plan.count(Verb::Replace), plan.count(Verb::Update)),
        (2, 1),
        "{:?}",
        verbs(&plan)
    );
    assert!(run.execute(&plan).await.complete());
    let writes: Vec<String> = world
        .writes
        .lock()
        .unwrap()
        .iter()
        .map(|w| w.rsplit_once('-').map_or(w.as_str(), |p| p.0).to_owned())
        .collect();
    assert_eq!(&writes[..2], ["delete b", "delete a"], "{writes:?}");
    assert!(run.plan(&make(2)).await.is_empty());
    assert_eq!(world.live().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn steps_that_left_the_blueprint_go_in_recorded_order_after_who_used_them_stops() {
    let world = World::new(0.5);
    let old = graph(|b| {
        let a = b.add(head("a", "green"), Quick(json!({})));
        let c = b.add(head("b", "green"), Quick(json!({"on": a.id})));
        b.add(head("user", "green"), Quick(json!({"uses": c.id})));
    });
    let new = graph(|b| drop(b.add(head("user", "green"), Quick(json!({"uses": "nothing"})))));
    for lost in [false, true] {
        let mut run = Run::on(&world);
        run.apply(&old).await;
        if lost {
            run.lose_state(&new).await;
        }
        world.writes.lock().unwrap().clear();
        assert!(run.apply(&new).await.complete());
        assert_eq!(
            writes(&world),
            ["update user", "delete b", "delete a"],
            "state lost: {lost}"
        );
        assert_eq!(run.state.steps.len(), 1);
        assert!(run.destroy(&new, None).await.complete());
        run.apply(&old).await;
        if lost {
            run.lose_state(&new).await;
        }
        world.writes.lock().unwrap().clear();
        assert!(run.destroy(&new, None).await.complete());
        assert_eq!(
            writes(&world),
            ["delete user", "delete b", "delete a"],
            "state lost: {lost}"
        );
        assert_eq!(world.live(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_was_answered_and_ignored_is_sent_again() {
    let world = World::new(0.5);
    let g = graph(|b| drop(b.add(head("a", "green"), Quick(json!({})))));
    let mut run = Run::on(&world);
    run.apply(&g).await;
    world.ignored_deletions.store(1, Relaxed);
    let report = run.destroy(&g, None).await;
    assert!(report.complete());
    assert_eq!(writes(&world), ["create a", "delete a", "delete a"]);
    assert!((60.0..90.0).contains(&report.seconds), "{}", report.seconds);
    assert_eq!(world.live(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn destroying_one_scope_spares_the_other_and_what_it_uses() {
    let world = World::new(0.5);
    let g = graph(|b| {
        let hub = b.add(head("hub", "shared"), Quick(json!({})));
        for scope in ["blue", "green"] {
            let vpc = b.add(head(&format!("vpc-{scope}"), scope), Quick(json!({})));
            let spec = json!({"hub": hub.id, "vpc": vpc.id});
            b.add(head(&format!("attach-{scope}"), scope), Slow(spec));
        }
    });
    let mut run = Run::on(&world);
    run.apply(&g).await;
    assert!(run.destroy(&g, Some("green")).await.complete());
    let left: Vec<String> = run.state.steps.keys().cloned().collect();
    assert_eq!(left, ["attach-blue", "hub", "vpc-blue"]);
}

static WEIGHT: &[Delegated] = &[Delegated {
    record: None,
    field: "weight",
    owner: "deployer shift",
    legal: |owner| {
        let weight = owner.found.as_u64().unwrap_or(u64::MAX);
        if weight <= 100 {
            Ok(())
        } else {
            Err(format!("{weight} is not within 0 to 100"))
        }
    },
}];

/// Its disk is full after so many records.
struct Full {
    memory: MemoryRecorder,
    left: AtomicUsize,
}

#[async_trait]
impl Recorder for Full {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        if self.left.load(Relaxed) == 0 {
            return Err(Error::permanent("record", "no space left"));
        }
        self.left.fetch_sub(1, Relaxed);
        self.memory.record(step, record).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_written_ends_the_run_and_nothing_is_waited_for() {
    let g = graph(|b| {
        b.add(head("slow", "green"), Slow(json!({})));
        let a = b.add(head("a", "green"), Quick(json!({})));
        let c = b.add(head("b", "green"), Quick(json!({"on": a.id.ready()})));
        b.add(head("c", "green"), Quick(json!({"on": c.id.ready()})));
    });
    for left in 0..9 {
        let world = World::new(0.5);
        let mut run = Run::on(&world);
        let plan = run.plan(&g).await;
        let recorder = Arc::new(Full {
            memory: MemoryRecorder::default(),
            left: left.into(),
        });
        let report = exec::run(&run.cx, &plan, &mut run.state, recorder).await;
        assert!(report.failed().next().is_some(), "{left}: {report:?}");
        assert!(report.seconds < 20.0, "{left}: {report:?}");
        assert!(run.apply(&g).await.complete());
        assert_eq!(world.live().len(), 4, "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delegated_field_is_left_to_its_owner_and_its_range_is_watched() {
    let world = World::new(0.5);
    let g = graph(|b| drop(b.add(head("record", "green"), Quick(json!({"weight": 0})))));
    let mut run = Run::on(&world);
    run.cx.registry.add(Arc::new(
        world.kind("test/quick", (1.0, 1.0)).delegating(WEIGHT),
    ));
    run.apply(&g).await;
    let set = |weight: u64| {
        for thing in world.things.lock().unwrap().values_mut() {
            thing.spec["weight"] = weight.into();
        }
    };
    set(40);
    let plan = run.plan(&g).await;
    assert!(plan.is_empty());
    assert_eq!(
        (plan.delegated[0].owner.as_str(), &plan.delegated[0].illegal),
        ("deployer shift", &None)
    );
    set(101);
    assert_eq!(
        run.plan(&g).await.delegated[0].illegal.as_deref(),
        Some("101 is not within 0 to 100")
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_in_flight_and_the_next_run_goes_on() {
    let world = World::new(0.5);
    let g = graph(|b| {
        let a = b.add(head("a", "green"), Slow(json!({})));
        b.add(head("b", "green"), Quick(json!({"on": a.id.ready()})));
    });
    let mut run = Run::on(&world);
    let plan = run.plan(&g).await;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stop.send_replace(true);
        tokio::time::sleep(Duration::from_secs(3600)).await;
    });
    let recorder = Arc::new(MemoryRecorder::default());
    let cx = Context {
        stop: stopped,
        ..run.cx.clone()
    };
    let report = exec::run(&cx, &plan, &mut run.state, recorder).await;
    assert!(report.interrupted() && report.seconds < 10.0, "{report:?}");
    assert_eq!(run.state.steps["a"].stage, Stage::Created);
    assert!(run.apply(&g).await.complete());
    assert_eq!(world.live().len(), 2);
}
