//! What a run leaves to others, on an account in memory: steps of another scope, and what the account has once.

use crate::planning::run_on;
use crate::support::run::{Quick, Run, graph, head, verbs, writes};
use crate::support::world::World;
use deployer::engine::event::Verb;
use deployer::engine::graph::Kind;
use deployer::engine::{Graph, Identity};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

fn two_scopes() -> Graph {
    graph(|b| {
        b.add(head("source", "blue"), Quick(json!({})));
        b.add(head("store", "green"), Quick(json!({})));
        let bridge = json!({"from": "@{source.id}", "to": "@{store.id}"});
        b.add(head("bridge", "green"), Quick(bridge));
        b.needs_scope("blue");
    })
}

#[tokio::test(start_paused = true)]
async fn what_refers_to_a_waiting_step_waits_with_it() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    let g = graph(|b| {
        b.add(head("source", "blue"), Quick(json!({})));
        b.add(
            head("bridge", "green"),
            Quick(json!({"from": "@{source.id}"})),
        );
        b.needs_scope("blue");
        b.add(head("guard", "green"), Quick(json!({"of": "@{bridge.id}"})));
    });
    run.options.scope = Some("green".into());
    let plan = run.plan(&g).await;
    let waiting: Vec<_> = plan.waiting.iter().map(|w| w.step.as_str()).collect();
    assert_eq!((verbs(&plan).len(), waiting), (0, vec!["bridge", "guard"]));
    assert!(run.execute(&plan).await.complete());
    run.options.scope = None;
    assert!(run.apply(&g).await.complete());
    assert!(run.plan(&g).await.is_empty());
    world.writes.lock().unwrap().clear();
    assert!(run.destroy(&g, Some("blue")).await.complete());
    let order = ["delete guard", "delete bridge", "delete source"];
    assert_eq!(writes(&world), order);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_needs_the_other_scope_waits_for_it_and_goes_before_it() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    let g = two_scopes();
    run.options.scope = Some("green".into());
    let plan = run.plan(&g).await;
    assert_eq!(verbs(&plan), [("store".to_owned(), Verb::Create)]);
    let waiting: Vec<_> = plan
        .waiting
        .iter()
        .map(|w| (w.step.as_str(), w.scope.as_str()))
        .collect();
    assert_eq!(waiting, [("bridge", "blue")]);
    assert!(run.execute(&plan).await.complete());
    let plan = run.plan(&g).await;
    assert!(
        plan.is_empty() && plan.waiting.len() == 1,
        "waiting is no difference"
    );

    run.options.scope = Some("blue".into());
    assert!(run.apply(&g).await.complete());
    run.options.scope = Some("green".into());
    let plan = run.plan(&g).await;
    assert_eq!(verbs(&plan), [("bridge".to_owned(), Verb::Create)]);
    assert!(run.execute(&plan).await.complete());
    assert!(run.plan(&g).await.is_empty());

    world.writes.lock().unwrap().clear();
    assert!(run.destroy(&g, Some("blue")).await.complete());
    assert_eq!(writes(&world), ["delete bridge", "delete source"]);
    let plan = run.plan(&g).await;
    assert!(plan.is_empty() && plan.waiting.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn the_other_scope_counts_as_there_when_it_is_found_by_its_mark() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    let g = two_scopes();
    assert!(run.apply(&g).await.complete());
    // Another machine's state knows green alone.
    run.state.steps.retain(|id, _| id == "store");
    run.options.scope = Some("green".into());
    let plan = run.plan(&g).await;
    assert_eq!(verbs(&plan), [("bridge".to_owned(), Verb::Adopt)]);
    assert_eq!(plan.waiting, []);
    assert!(run.execute(&plan).await.complete());
    assert!(
        !run.state.steps.contains_key("source"),
        "blue is not this run's business"
    );
}

/// What an account has once.
#[derive(Serialize)]
#[serde(transparent)]
struct Singleton(Value);
impl Kind for Singleton {
    const TYPE: &'static str = "test/singleton";
    type Outputs = ();
}

#[tokio::test(start_paused = true)]
async fn what_the_account_has_once_is_used_and_neither_changed_nor_deleted() {
    let world = World::new(0.5);
    let mut run = Run::on(&world);
    let once = world.kind(Singleton::TYPE, (1.0, 1.0)).once();
    run.cx.registry.add(Arc::new(once.clone()));
    let g = graph(|b| {
        b.add(
            head("recorder", "green"),
            Singleton(json!({"fixed": 1, "all": true})),
        );
        b.add(
            head("rule", "green"),
            Quick(json!({"by": "@{recorder.id}"})),
        );
    });
    let theirs = Identity {
        step: "default".into(),
        name: "default".into(),
        tags: Default::default(),
        token: String::new(),
    };
    once.make(&json!({"fixed": 2, "all": false}), &theirs)
        .unwrap();
    world.writes.lock().unwrap().clear();
    assert!(run.apply(&g).await.complete());
    assert_eq!(writes(&world), ["create rule"]);
    assert_eq!(run.state.steps["rule"].inputs["by"], "default-1");
    assert!(run.plan(&g).await.is_empty());
    run.lose_state(&g).await;
    assert!(run.apply(&g).await.complete());
    let without = graph(|b| drop(b.add(head("rule", "green"), Quick(json!({"by": "nothing"})))));
    let plan = run.plan(&without).await;
    assert_eq!((verbs(&plan).len(), plan.forget.len()), (1, 1));
    assert!(run.destroy(&g, None).await.complete());
    assert_eq!(writes(&world), ["create rule", "delete rule"]);
    assert_eq!(world.live(), ["default-1"]);
    assert!(run.state.steps.is_empty());

    // One that we made is like everything else.
    world.things.lock().unwrap().clear();
    assert!(run.apply(&g).await.complete());
    assert!(run.destroy(&g, None).await.complete());
    assert!(world.live().is_empty());
}
