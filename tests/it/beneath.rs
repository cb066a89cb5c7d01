//! What is found through its parent only is not lost with the state, also under a parent that is replaced.

use crate::planning::{Target, run_on};
use crate::support::run::{Quick, Run, graph, head, verbs};
use crate::support::world::World;
use deployer::engine::event::Verb;
use deployer::engine::graph::Kind;
use deployer::engine::rebuild::rebuild;
use deployer::engine::{Error, Graph, Nature};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Found by what it belongs to.
#[derive(Serialize)]
#[serde(transparent)]
struct Member(Value);
impl Kind for Member {
    const TYPE: &'static str = "test/member";
    type Outputs = ();
}

/// Exists with what it belongs to.
#[derive(Serialize)]
#[serde(transparent)]
struct Rules(Value);
impl Kind for Rules {
    const TYPE: &'static str = "test/rules";
    type Outputs = ();
}

fn on(world: &Arc<World>) -> Run {
    let mut run = run_on(world);
    for (kind, nature) in [
        (Member::TYPE, Nature::ByParent),
        (Rules::TYPE, Nature::SubResource),
    ] {
        let kind = world.kind(kind, (1.0, 1.0)).fixed(&["of"]).nature(nature);
        run.cx.registry.add(Arc::new(kind));
    }
    run
}

/// A target with a part, with something in it, and with what is found by that; the target is used by a listener.
fn target_with_contents(port: u32, inside: u32) -> Graph {
    graph(|b| {
        b.add(head("target", "green"), Target(json!({"fixed": port})));
        let of = "@{target.id}";
        b.add(
            head("rules", "green"),
            Rules(json!({"of": of, "free": inside})),
        );
        b.add(
            head("member", "green"),
            Member(json!({"of": of, "free": inside})),
        );
        b.add(
            head("share", "green"),
            Member(json!({"of": "@{member.id}"})),
        );
        b.add(head("listener", "green"), Quick(json!({"to": of})));
    })
}

#[tokio::test(start_paused = true)]
async fn what_stands_under_a_replaced_thing_goes_with_it_also_when_the_state_was_lost() {
    for stop in ["target", "rules", "member", "share", "update listener"] {
        for destroyed in [false, true] {
            let world = World::new(0.5);
            let mut run = on(&world);
            let (old, new) = (target_with_contents(80, 1), target_with_contents(81, 2));
            assert!(run.apply(&old).await.complete());
            let denied = Error::permanent("x:Call", "no").code("AccessDenied");
            world.fail(stop, denied);
            run.apply(&new).await;
            run.lose_state(&new).await;
            if destroyed {
                let report = run.destroy(&new, None).await;
                assert!(report.complete(), "{stop}: {report:?}");
                assert_eq!(world.live(), Vec::<String>::new(), "{stop}");
                continue;
            }
            let report = run.apply(&new).await;
            assert!(report.complete(), "{stop}: {report:?}");
            assert_eq!(world.live().len(), 4, "{stop}: {:?}", world.live());
            assert_eq!(run.state.steps.len(), 5, "{stop}");
            assert!(run.plan(&new).await.is_empty(), "{stop}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_under_a_replaced_thing_is_not_forgotten() {
    let world = World::new(0.5);
    let mut run = on(&world);
    assert!(run.apply(&target_with_contents(80, 1)).await.complete());
    let new = target_with_contents(81, 1);
    run.lose_state(&new).await;
    world.unread.lock().unwrap().insert(Member::TYPE.into());
    let report = run.apply(&new).await;
    assert!(!report.complete(), "{report:?}");
    world.unread.lock().unwrap().clear();
    assert!(run.apply(&new).await.complete());
    assert_eq!(world.live().len(), 4, "{:?}", world.live());
    assert!(run.plan(&new).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_beside_what_may_stand_under_a_replaced_thing_that_was_not_read() {
    let world = World::new(0.5);
    let mut run = on(&world);
    assert!(run.apply(&target_with_contents(80, 1)).await.complete());
    let new = target_with_contents(81, 1);
    world.unread.lock().unwrap().insert(Target::TYPE.into());
    run.lose_state(&new).await;
    assert!(!run.apply(&new).await.complete());
    assert_eq!(world.live().len(), 4, "{:?}", world.live());
    world.unread.lock().unwrap().clear();
    let report = run.apply(&new).await;
    assert!(report.complete(), "{report:?}");
    assert_eq!(world.live().len(), 4, "{:?}", world.live());
    assert!(run.plan(&new).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_part_of_what_outlives_its_scope_is_gone_when_nothing_of_it_is_there() {
    let world = World::new(0.5);
    let mut run = on(&world);
    let g = graph(|b| {
        b.add(head("target", "shared"), Target(json!({"fixed": 80})));
        let rules = json!({"of": "@{target.id}", "free": 1});
        b.add(head("rules", "green"), Rules(rules));
    });
    assert!(run.apply(&g).await.complete());
    assert!(run.destroy(&g, Some("green")).await.complete());
    let seen = run.look(&g, &g.select(Some("green"))).await;
    let plan = run.teardown(&g, &seen, Some("green")).await;
    assert!(plan.is_empty() && plan.forget.is_empty(), "{plan:?}");
    let Run { cx, state, .. } = &mut run;
    rebuild(&g, &seen, &cx.registry, state, &cx.clock);
    assert_eq!(state.steps.keys().collect::<Vec<_>>(), ["target"]);
    let plan = run.plan(&g).await;
    assert_eq!(verbs(&plan), [("rules".to_owned(), Verb::Create)]);
    assert!(run.execute(&plan).await.complete());
    assert!(run.plan(&g).await.is_empty());
    // What is set is found again.
    run.state.steps.remove("rules");
    let plan = run.plan(&g).await;
    assert_eq!(verbs(&plan), [("rules".to_owned(), Verb::Adopt)]);
}
