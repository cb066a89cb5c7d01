//! How long a whole run takes against its critical path, with AWS's typical durations, in virtual time.

use crate::support::recorder::MemoryRecorder;
use crate::support::world::World;
use deployer::blueprint::{self, Facts};
use deployer::config::Config;
use deployer::engine::exec;
use deployer::engine::observe::{observe, requests};
use deployer::engine::plan::{self, Options, Plan, critical};
use deployer::engine::reference::walk;
use deployer::engine::{Context, Events, Graph, Limits};
use deployer::resources::typical;
use deployer::state::State;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Seconds of one call to AWS in this simulation.
const CALL: f64 = 0.3;

fn platform() -> Graph {
    let facts = Facts::assumed(&Config::default());
    blueprint::build(&Config::default(), &facts).unwrap()
}

async fn run(plan: &Plan, state: &mut State, cx: &Context) -> f64 {
    let recorder = Arc::new(MemoryRecorder::default());
    let report = exec::run(cx, plan, state, recorder).await;
    assert!(report.complete(), "{:?}", report.failed().next());
    let path = critical(&plan.nodes).into_iter().fold(0.0, f64::max);
    println!(
        "{} nodes: makespan {:.1} s, critical path {path:.1} s, ratio {:.3}",
        plan.nodes.len(),
        report.seconds,
        report.seconds / path
    );
    report.seconds / path
}

#[tokio::test(start_paused = true)]
async fn apply_takes_at_most_1_05_and_destroy_at_most_1_10_of_the_critical_path() {
    let graph = platform();
    let mut names = BTreeSet::new();
    for step in &graph.steps {
        walk(&step.spec, &mut |p| names.extend([p.output.to_owned()]));
    }
    let world = Arc::new(World {
        call_seconds: CALL,
        outputs: names.into_iter().collect(),
        ..World::default()
    });
    let kinds: BTreeSet<String> = graph.steps.iter().map(|s| s.kind.clone()).collect();
    let registry = world.registry(kinds.into_iter().map(|kind| {
        let kind: &'static str = kind.leak();
        (kind, typical(kind).expect(kind))
    }));
    let cx = Context::new(registry, Events::default(), Limits::default());
    let registry = &cx.registry;
    let mut state = State::empty("dev", "eu-central-1");
    let chosen = graph.select(None);
    let seen = observe(&cx, &requests(&graph, &chosen, &state, |_, _| true)).await;
    let plan = plan::build(
        &graph,
        &chosen,
        &state,
        &seen,
        registry,
        &Options::default(),
    );
    let apply = run(&plan, &mut state, &cx).await;
    let seen = observe(&cx, &requests(&graph, &chosen, &state, |_, _| true)).await;
    // Durations measured by the first run must not hide those that the simulation plays.
    state.timings.clear();
    let plan = plan::teardown(
        &graph,
        &state,
        &seen,
        registry,
        None,
        None,
        &plan::Users::new(),
    );
    let destroy = run(&plan, &mut state, &cx).await;
    assert!(world.live().is_empty());
    assert!(apply <= 1.05, "apply takes {apply:.3} of its critical path");
    assert!(
        destroy <= 1.10,
        "destroy takes {destroy:.3} of its critical path"
    );
}
