//! What others need stays when an `apply` would take it away: the engine's rules, on an account in memory.

use crate::support::run::{Quick, Run, graph, head, writes};
use crate::support::world::World;
use deployer::engine::Graph;
use deployer::engine::event::Verb;
use deployer::engine::observe::{observe, requests};
use deployer::engine::plan::{Plan, left_for_others};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role, a recorder that needs it, a rule that needs the recorder, and something else.
fn recorder(fixed: u32) -> Graph {
    graph(|b| {
        let role = b.add(head("role", "shared"), Quick(json!({})));
        let spec = json!({"role": role.id, "fixed": fixed});
        let recorder = b.add(head("recorder", "shared"), Quick(spec));
        b.add(
            head("rule", "shared"),
            Quick(json!({"recorder": recorder.id})),
        );
        b.add(head("else", "shared"), Quick(json!({})));
    })
}

/// The same without all that.
fn without() -> Graph {
    graph(|b| drop(b.add(head("else", "shared"), Quick(json!({})))))
}

async fn made() -> (Arc<World>, Run) {
    let world = World::new(0.5);
    let mut run = Run::on(&world);
    run.apply(&recorder(1)).await;
    let id = run.state.outputs("recorder").unwrap()["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    world.users.lock().unwrap().insert(id, "rule theirs".into());
    (world, run)
}

fn kept(plan: &Plan) -> Vec<(&str, &str)> {
    let all = plan.kept.iter();
    all.map(|k| (k.step.as_str(), k.reason.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn what_left_the_blueprint_stays_with_what_it_needs_until_nobody_needs_it() {
    let (world, mut run) = made().await;
    let plan = run.plan(&without()).await;
    let why = [
        ("recorder", "needed by others: rule theirs"),
        ("role", "`recorder` needs it"),
    ];
    assert_eq!(kept(&plan), why);
    assert!(plan.kept.iter().all(|k| k.for_others));
    assert!(run.execute(&plan).await.complete());
    assert_eq!(writes(&world).last().unwrap(), "delete rule");
    let left: Vec<&String> = run.state.steps.keys().collect();
    assert_eq!(left, ["else", "recorder", "role"]);

    let again = run.plan(&without()).await;
    assert_eq!((again.nodes.len(), kept(&again)), (0, why.to_vec()));
    let graph = without();
    let seen = observe(&run.cx, &requests(&graph, &[true], &run.state, |_, _| true)).await;
    let needed = left_for_others(&graph, &run.state, &seen, &run.cx.registry).await;
    let why = why.map(|(step, why)| (step.to_owned(), why.to_owned()));
    assert_eq!(needed, BTreeMap::from(why));

    world.users.lock().unwrap().clear();
    assert!(run.apply(&without()).await.complete());
    assert_eq!(run.state.steps.keys().collect::<Vec<_>>(), ["else"]);
    assert_eq!(world.live().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_others_need_is_not_replaced() {
    let (world, mut run) = made().await;
    let plan = run.plan(&recorder(2)).await;
    let problems: Vec<String> = plan.problems.iter().map(|p| p.error.to_string()).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let text = "test/quick `recorder` is needed by others: rule theirs, and would be replaced";
    assert!(problems[0].contains(text), "{problems:?}");
    world.users.lock().unwrap().clear();
    let plan = run.plan(&recorder(2)).await;
    assert_eq!(plan.problems, []);
    assert!(plan.nodes.iter().any(|n| n.verb == Verb::Replace));
}
