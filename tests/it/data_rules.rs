//! What holds data is deleted or replaced only by the user's choice: the engine's rules, on an account in memory.

use crate::support::run::{Quick, Run, Slow, graph, head, writes};
use crate::support::world::World;
use deployer::engine::Graph;
use deployer::engine::observe::{observe, requests};
use deployer::engine::plan::{Choice, Plan};
use serde_json::{Value, json};
use std::sync::Arc;

/// A key, and a store encrypted with it.
fn store(settings: Value) -> Graph {
    graph(|b| {
        let key = b.add(head("key", "green"), Slow(json!({})));
        let mut spec = settings;
        spec["key"] = json!(key.id);
        b.add(head("store", "green"), Quick(spec));
    })
}

async fn made(settings: Value) -> (Arc<World>, Run, Graph) {
    let world = World::new(0.5);
    let mut run = Run::on(&world);
    run.cx
        .registry
        .add(Arc::new(world.kind("test/quick", (1.0, 1.0)).keeping()));
    run.cx
        .registry
        .add(Arc::new(world.kind("test/slow", (1.0, 1.0)).holding_data()));
    let graph = store(settings);
    run.apply(&graph).await;
    (world, run, graph)
}

async fn teardown(run: &Run, graph: &Graph) -> Plan {
    let chosen = graph.select(None);
    let requests = requests(graph, &chosen, &run.state, |_, _| true);
    let seen = observe(&run.cx, &requests).await;
    run.teardown(graph, &seen, None).await
}

fn steps(plan: &Plan) -> Vec<&str> {
    plan.nodes.iter().map(|n| n.step.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_loses_data_needs_the_choice_and_an_empty_one_does_not() {
    let (_, mut run, _) = made(json!({"fixed": 1, "rows": 7})).await;
    let other = store(json!({"fixed": 2, "rows": 7}));
    let problem = run.plan(&other).await.problems[0].error.clone();
    assert!(problem.message.contains("holds data"), "{problem}");
    let hint = problem.hint.unwrap();
    assert!(hint.contains("--destroy-data") && hint.contains("--keep-snapshot"));
    for choice in [Choice::DestroyData, Choice::KeepSnapshot] {
        run.data.choice = Some(choice);
        assert_eq!(run.plan(&other).await.problems, []);
    }
    let (_, mut run, _) = made(json!({"fixed": 1, "rows": 0})).await;
    let plan = run.plan(&store(json!({"fixed": 2, "rows": 0}))).await;
    assert_eq!(plan.problems, []);
}

#[tokio::test(start_paused = true)]
async fn what_left_the_blueprint_is_guarded_like_what_is_replaced() {
    let (_, mut run, _) = made(json!({"rows": 7})).await;
    let without = graph(|b| drop(b.add(head("key", "green"), Slow(json!({})))));
    let plan = run.plan(&without).await;
    assert_eq!(plan.problems.len(), 1, "{:?}", plan.problems);
    assert_eq!(plan.problems[0].step, "store");
}

#[tokio::test(start_paused = true)]
async fn destroy_counts_data_and_asks_for_it_alone() {
    let (_, run, graph) = made(json!({"rows": 7})).await;
    let plan = teardown(&run, &graph).await;
    let asked: Vec<(&str, String)> = plan
        .needs_choice()
        .map(|n| (n.step.as_str(), n.loss.words()))
        .collect();
    // The key goes with the data that it encrypts; it is no data of its own.
    assert_eq!(asked, [("store", "7 rows".to_owned())]);
    let (_, run, graph) = made(json!({"rows": 0})).await;
    assert_eq!(teardown(&run, &graph).await.needs_choice().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kept_snapshot_keeps_its_key_and_only_that() {
    let (world, mut run, graph) = made(json!({"rows": 7})).await;
    run.data.choice = Some(Choice::KeepSnapshot);
    let plan = teardown(&run, &graph).await;
    assert_eq!(steps(&plan), ["store"]);
    let kept: Vec<&str> = plan.kept.iter().map(|k| k.step.as_str()).collect();
    assert_eq!(kept, ["key"]);
    run.execute(&plan).await;
    let done = writes(&world);
    assert!(
        done.iter().any(|w| w == "snapshot snapshot-store-20261128"),
        "{done:?}"
    );
    assert_eq!(run.state.steps.keys().collect::<Vec<_>>(), ["key"]);
    run.data.choice = Some(Choice::DestroyData);
    let plan = teardown(&run, &graph).await;
    assert_eq!(steps(&plan), ["key"]);
    assert_eq!(plan.kept, []);
}

#[tokio::test(start_paused = true)]
async fn an_empty_store_leaves_no_snapshot_but_the_choice_is_taken() {
    let (world, mut run, graph) = made(json!({"rows": 0})).await;
    run.data.choice = Some(Choice::KeepSnapshot);
    let plan = teardown(&run, &graph).await;
    run.execute(&plan).await;
    assert!(!writes(&world).iter().any(|w| w.starts_with("snapshot")));
}

#[tokio::test(start_paused = true)]
async fn protection_is_told_and_lifted_only_with_a_choice_and_never_against_the_configuration() {
    let (world, mut run, graph) = made(json!({"rows": 0, "protected": true})).await;
    let plan = teardown(&run, &graph).await;
    let asked: Vec<String> = plan.needs_choice().map(|n| n.loss.words()).collect();
    assert_eq!(asked, ["deletion protection is on"]);
    // Without a choice the executor may not lift it either.
    let report = run.execute(&plan).await;
    assert_eq!(report.failed().count(), 1);
    run.data.choice = Some(Choice::DestroyData);
    run.data.protect = true;
    let plan = teardown(&run, &graph).await;
    assert!(!plan.problems.is_empty());
    assert!(
        plan.problems[0]
            .error
            .hint
            .as_ref()
            .unwrap()
            .contains("protect")
    );
    assert!(plan.nodes.iter().all(|n| !n.loss.options.lift_protection));
    run.data.protect = false;
    let plan = teardown(&run, &graph).await;
    assert_eq!(plan.problems, []);
    run.execute(&plan).await;
    assert!(world.live().is_empty(), "{:?}", world.live());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_not_asked_for_while_its_key_is_replaced() {
    let (_, mut run, _) = made(json!({"fixed": 1, "rows": 7})).await;
    run.data.choice = Some(Choice::KeepSnapshot);
    let both = graph(|b| {
        let key = b.add(head("key", "green"), Slow(json!({"fixed": 2})));
        let spec = json!({"fixed": 2, "rows": 7, "key": key.id});
        b.add(head("store", "green"), Quick(spec));
    });
    let plan = run.plan(&both).await;
    let refused: Vec<&str> = plan.problems.iter().map(|p| p.step.as_str()).collect();
    assert_eq!(refused, ["key"], "{:?}", plan.problems);
    run.data.choice = Some(Choice::DestroyData);
    assert_eq!(run.plan(&both).await.problems, []);
}
