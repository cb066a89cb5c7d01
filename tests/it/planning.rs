//! What the planner decides and the executor makes of it, on an account in memory: outputs that change, things that
//! replace each other side by side, and updates that take something away.

use crate::support::run::{Quick, Run, Slow, graph, head, verbs, writes};
use crate::support::world::World;
use deployer::engine::Graph;
use deployer::engine::event::Verb;
use deployer::engine::graph::Kind;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A function: every update gives it a new version.
#[derive(Serialize)]
#[serde(transparent)]
struct Versioned(Value);
impl Kind for Versioned {
    const TYPE: &'static str = "test/versioned";
    type Outputs = ();
}

/// A target group: it cannot be deleted while something uses it, and its name can be there once only.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Target(pub Value);
impl Kind for Target {
    const TYPE: &'static str = "test/target";
    const NAMED_BY: &'static [&'static str] = &["fixed"];
    type Outputs = ();
}

pub fn run_on(world: &Arc<World>) -> Run {
    let mut run = Run::on(world);
    let versioned = world.kind(Versioned::TYPE, (1.0, 1.0));
    run.cx
        .registry
        .add(Arc::new(versioned.changing(&[("version", &[])])));
    let target = world.kind(Target::TYPE, (1.0, 1.0));
    run.cx.registry.add(Arc::new(target.create_first().named()));
    run
}

fn function_and_alias(code: u32) -> Graph {
    graph(|b| {
        b.add(head("function", "green"), Versioned(json!({"code": code})));
        let alias = json!({"of": "@{function.id}", "version": "@{function.version}"});
        b.add(head("alias", "green"), Quick(alias));
    })
}

#[tokio::test(start_paused = true)]
async fn what_refers_to_an_output_that_an_update_changes_follows_in_the_same_run() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    let only = graph(|b| {
        b.add(head("function", "green"), Versioned(json!({"code": 1})));
    });
    run.apply(&only).await;
    let only = graph(|b| {
        b.add(head("function", "green"), Versioned(json!({"code": 2})));
    });
    run.apply(&only).await;
    let g = function_and_alias(2);
    assert!(run.apply(&g).await.complete());
    let g = function_and_alias(3);
    let plan = run.plan(&g).await;
    let both = [
        ("function".into(), Verb::Update),
        ("alias".into(), Verb::Update),
    ];
    assert_eq!(verbs(&plan), both);
    let alias = plan.nodes.iter().find(|n| n.step == "alias").unwrap();
    let shown = alias.changes[0].want.as_ref().unwrap();
    assert_eq!(shown, "@{function.version}", "known after apply");
    assert!(run.execute(&plan).await.complete());
    assert_eq!(run.state.steps["alias"].inputs["version"], "v2");
    assert!(run.plan(&g).await.is_empty());
}

fn target_and_listener(port: u32) -> Graph {
    graph(|b| {
        b.add(head("target", "green"), Target(json!({"fixed": port})));
        b.add(
            head("listener", "green"),
            Quick(json!({"to": "@{target.id}"})),
        );
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_replaced_by_one_that_stands_beside_it_first() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    run.apply(&target_and_listener(80)).await;
    let before = writes(&world).len();
    let g = target_and_listener(81);
    let name = |g: &Graph| g.get("target").unwrap().name.clone();
    assert_ne!(name(&g), name(&target_and_listener(80)));
    let plan = run.plan(&g).await;
    assert_eq!(plan.count(Verb::Replace), 1);
    let report = run.execute(&plan).await;
    assert!(report.complete(), "{report:?}");
    assert_eq!(
        writes(&world)[before..],
        ["create target", "update listener", "delete target"]
    );
    assert_eq!(world.live().len(), 2);
    assert!(run.plan(&g).await.is_empty());
    assert!(run.destroy(&g, None).await.complete());
    assert_eq!(world.live(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_is_removed_by_a_later_run_when_this_one_ends_too_soon() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    run.apply(&target_and_listener(80)).await;
    let g = target_and_listener(81);
    let denied = deployer::engine::Error::permanent("x:Update", "no").code("AccessDenied");
    world.fail("update listener", denied);
    let plan = run.plan(&g).await;
    assert!(!run.execute(&plan).await.complete());
    assert_eq!(world.live().len(), 3, "both targets and the listener");
    assert_eq!(run.state.steps.len(), 3, "and all three are known");
    assert!(run.apply(&g).await.complete());
    assert_eq!(world.live().len(), 2);
    assert_eq!(run.state.steps.len(), 2);
    assert!(run.plan(&g).await.is_empty());
}

/// The run that finds everything again may be stopped before it has recorded all of it; then the state is no longer empty.
#[tokio::test(start_paused = true)]
async fn what_has_another_name_is_found_when_the_run_after_a_lost_state_was_stopped() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    run.apply(&target_and_listener(80)).await;
    let before = writes(&world).len();
    run.state.steps.remove("target");
    let g = target_and_listener(81);
    assert!(run.apply(&g).await.complete());
    assert_eq!(
        writes(&world)[before..],
        ["create target", "update listener", "delete target"]
    );
    assert_eq!((world.live().len(), run.state.steps.len()), (2, 2));
    assert!(run.plan(&g).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_while_it_is_not_known_whether_an_earlier_one_stands_there() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    run.apply(&target_and_listener(80)).await;
    let before = writes(&world).len();
    let g = target_and_listener(81);
    world.unread.lock().unwrap().insert(Target::TYPE.into());
    run.lose_state(&g).await;
    world.unread.lock().unwrap().clear();
    let plan = run.plan(&g).await;
    let target = plan.nodes.iter().find(|n| n.step == "target").unwrap();
    assert!(target.refused.is_some(), "{target:?}");
    assert!(!run.execute(&plan).await.complete());
    assert_eq!(writes(&world)[before..], Vec::<String>::new());
    assert!(run.apply(&g).await.complete());
    assert_eq!((world.live().len(), run.state.steps.len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_and_is_gone_is_never_taken_for_its_successor() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    run.apply(&target_and_listener(80)).await;
    let old = run.state.steps["target"].outputs["id"].clone();
    let g = target_and_listener(81);
    let denied = deployer::engine::Error::permanent("x:Update", "no").code("AccessDenied");
    world.fail("update listener", denied);
    assert!(!run.apply(&g).await.complete());
    let successor = run.state.steps["target"].outputs["id"].clone();
    // Its deletion had its effect, and the answer was lost.
    world.there().remove(old.as_str().unwrap()).unwrap();
    for graph in [target_and_listener(82), g] {
        assert!(run.apply(&graph).await.complete());
        assert_eq!(world.live().len(), 2);
        assert!(run.plan(&graph).await.is_empty());
    }
    assert_ne!(run.state.steps["target"].outputs["id"], successor);
    assert_eq!(run.state.steps.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_replaced_is_removed_also_when_the_state_was_lost() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    run.apply(&target_and_listener(80)).await;
    let g = target_and_listener(81);
    run.lose_state(&g).await;
    assert!(run.apply(&g).await.complete());
    assert_eq!(world.live().len(), 2);
    assert!(run.plan(&g).await.is_empty());
    run.lose_state(&target_and_listener(82)).await;
    assert!(run.destroy(&target_and_listener(82), None).await.complete());
    assert_eq!(world.live(), Vec::<String>::new());
}

/// Zones with a subnet each, a group over the subnets, a cluster in the group and an instance per zone.
fn zones(n: usize, instances: usize) -> Graph {
    graph(|b| {
        let zone = |i: usize| format!("subnet-{i}");
        for i in 0..n {
            b.add(head(&zone(i), "green"), Quick(json!({"zone": i})));
        }
        let subnets: Vec<String> = (0..n).map(|i| format!("@{{{}.id}}", zone(i))).collect();
        b.add(head("group", "green"), Quick(json!({"subnets": subnets})));
        b.add(
            head("cluster", "green"),
            Quick(json!({"in": "@{group.id}"})),
        );
        for i in 0..instances {
            let spec = json!({"of": "@{cluster.id}", "fixed": i % n});
            b.add(head(&format!("instance-{i}"), "green"), Slow(spec));
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_update_that_takes_something_away_waits_until_what_rests_on_it_is_gone() {
    for left in [4, 3] {
        let world = World::new(0.5);
        let mut run = run_on(&world);
        assert!(run.apply(&zones(4, 4)).await.complete());
        world.writes.lock().unwrap().clear();
        // With four instances one moves to another zone; with three it goes for good. It takes 50 s either way.
        let g = zones(3, left);
        let plan = run.plan(&g).await;
        let place = |step: &str, verb: Verb| {
            let is_it = |n: &&deployer::engine::plan::Node| n.step == step && n.verb == verb;
            plan.nodes.iter().find(is_it).unwrap().clone()
        };
        let group = place("group", Verb::Update);
        let waits: Vec<&str> = group
            .needs
            .iter()
            .map(|(at, _)| plan.nodes[*at].step.as_str())
            .collect();
        assert!(waits.contains(&"instance-3"), "{left}: {waits:?}");
        assert!(run.execute(&plan).await.complete());
        let order = writes(&world);
        let at = |write: &str| order.iter().position(|w| w == write).unwrap();
        assert!(at("delete instance-3") < at("update group"), "{order:?}");
        assert!(at("update group") < at("delete subnet-3"), "{order:?}");
    }
}

/// A setting, a revision that names it, and a service that runs the revision and the one before it until it is done.
fn settings(with: bool) -> Graph {
    graph(|b| {
        let mut on = Vec::new();
        if with {
            let setting = b.add(head("setting", "green"), Quick(json!({})));
            on.push(json!(setting.id));
        }
        b.add(head("revision", "green"), Versioned(json!({"on": on})));
        let runs = json!({"version": "@{revision.version}"});
        b.add(head("service", "green"), Slow(runs));
    })
}

#[tokio::test(start_paused = true)]
async fn what_the_last_revision_needs_stays_until_the_next_one_runs() {
    let world = World::new(0.5);
    let mut run = run_on(&world);
    assert!(run.apply(&settings(true)).await.complete());
    let plan = run.plan(&settings(false)).await;
    let node = |step: &str| plan.nodes.iter().find(|n| n.step == step).unwrap();
    let waits = node("setting").needs.iter();
    let waits: Vec<&str> = waits.map(|(at, _)| plan.nodes[*at].step.as_str()).collect();
    assert!(waits.contains(&"service"), "{waits:?}");
    assert!(run.execute(&plan).await.complete());
    let done = writes(&world);
    let order = ["update revision", "update service", "delete setting"];
    assert_eq!(done[done.len() - order.len()..], order);
}

/// Something that stands in a host, as an interface does in a subnet.
#[derive(Serialize)]
#[serde(transparent)]
struct Standing(Value);
impl Kind for Standing {
    const TYPE: &'static str = "test/standing";
    type Outputs = ();
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_something_that_is_replaced_is_replaced_too() {
    let world = Arc::new(World {
        strict: true,
        ..World::default()
    });
    let mut run = Run::on(&world);
    let standing = world.kind(Standing::TYPE, (1.0, 1.0));
    run.cx.registry.add(Arc::new(standing.standing_in(&["at"])));
    let of = |fixed: u32, hosts: usize| {
        graph(|b| {
            let host = |n: usize| ["host", "other"][n];
            for n in 0..hosts {
                let spec = json!({"fixed": if n == 0 { fixed } else { 1 }});
                b.add(head(host(n), "green"), Quick(spec));
            }
            let at: Vec<String> = (0..hosts).map(|n| format!("@{{{}.id}}", host(n))).collect();
            b.add(head("guest", "green"), Standing(json!({"at": at})));
        })
    };
    assert!(run.apply(&of(1, 1)).await.complete());
    // A further host is no reason.
    assert!(run.apply(&of(1, 2)).await.complete());
    assert_eq!(writes(&world).last().unwrap(), "update guest");
    let report = run.apply(&of(2, 2)).await;
    assert!(report.complete(), "{:?}", report.failed().next());
    let done = writes(&world);
    let order = ["delete guest", "delete host", "create host", "create guest"];
    assert_eq!(done[done.len() - order.len()..], order);
    assert!(run.plan(&of(2, 2)).await.nodes.is_empty());
}

/// A host, a guest that is in it, and something that names both.
fn host_and_guest(fixed: u32, guest: bool) -> Graph {
    graph(|b| {
        let host = b.add(head("host", "green"), Quick(json!({"fixed": fixed})));
        let mut on = vec![json!(host.id)];
        if guest {
            let guest = b.add(head("guest", "green"), Quick(json!({"at": [host.id]})));
            on.push(json!(guest.id));
        }
        b.add(head("user", "green"), Quick(json!({"on": on})));
    })
}

/// The user takes the new host, which comes after the old one is gone, which the guest is in: it cannot stop naming the guest first.
#[tokio::test(start_paused = true)]
async fn what_is_in_something_that_is_replaced_goes_before_a_user_of_both_changes() {
    let world = Arc::new(World {
        strict: true,
        ..World::default()
    });
    let mut run = Run::on(&world);
    assert!(run.apply(&host_and_guest(1, true)).await.complete());
    let began = tokio::time::Instant::now();
    let report = run.apply(&host_and_guest(2, false)).await;
    assert!(report.complete(), "{:?}", report.failed().next());
    let seconds = began.elapsed().as_secs();
    assert!(
        seconds < 60,
        "nothing is refused and waited for: {seconds} s"
    );
    let done = writes(&world);
    let order = ["delete guest", "delete host", "create host", "update user"];
    assert_eq!(done[done.len() - order.len()..], order);
    assert!(run.plan(&host_and_guest(2, false)).await.nodes.is_empty());
}

/// The same when no record says that the guest is in the host: its settings do.
#[tokio::test(start_paused = true)]
async fn what_is_in_something_that_is_replaced_goes_first_also_when_the_state_was_lost() {
    let world = Arc::new(World {
        strict: true,
        ..World::default()
    });
    let mut run = Run::on(&world);
    assert!(run.apply(&host_and_guest(1, true)).await.complete());
    let g = host_and_guest(2, false);
    run.lose_state(&g).await;
    let report = run.apply(&g).await;
    assert!(report.complete(), "{:?}", report.failed().next());
    assert_eq!(world.live().len(), 2);
    assert!(run.plan(&g).await.nodes.is_empty());
}

/// Records of different times: each of two needs the other one, and only one of them is so.
#[tokio::test(start_paused = true)]
async fn records_that_need_each_other_end_no_removal() {
    let pair = || {
        graph(|b| {
            let host = b.add(head("host", "green"), Quick(json!({})));
            b.add(head("guest", "green"), Quick(json!({"at": [host.id]})));
        })
    };
    for destroyed in [false, true] {
        let world = Arc::new(World {
            strict: true,
            ..World::default()
        });
        let mut run = Run::on(&world);
        assert!(run.apply(&pair()).await.complete());
        let host = run.state.steps.get_mut("host").unwrap();
        host.needs = vec!["guest".into()];
        let report = if destroyed {
            run.destroy(&pair(), None).await
        } else {
            run.apply(&graph(|_| ())).await
        };
        assert!(report.complete(), "{:?}", report.failed().next());
        let done = writes(&world);
        assert_eq!(done[2..], ["delete guest", "delete host"]);
    }
}
