//! What held data and vanished by hand: the plan asks, and a restore survives whatever happens to its call. On an account in memory,
//! then with the real binary.

use crate::support::lab::Lab;
use crate::support::places::{Place, in_both_places};
use crate::support::run::{Quick, Run, Slow, graph, head, writes};
use crate::support::world::World;
use deployer::engine::plan::{Allowed, Plan, needless};
use deployer::engine::{Backup, Class, Error, Graph, Leftover};
use deployer::state::Stage;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A store that can be restored, and something that uses it.
fn store() -> Graph {
    graph(|b| {
        let store = b.add(head("store", "green"), Quick(json!({"size": 2})));
        b.add(head("user", "green"), Slow(json!({"on": store.id})));
    })
}

fn backup(name: &str, at: &str) -> Backup {
    Backup {
        name: name.into(),
        text: "snapshot".into(),
        at: at.parse().unwrap(),
        since: None,
        unfit: None,
        source: json!({"settings": {"size": 1}}),
    }
}

/// A finished run whose store somebody deleted a day later; two backups are left.
async fn vanished() -> (Arc<World>, Run, Graph) {
    let world = World::new(0.5);
    let mut run = Run::on(&world);
    let kind = world.kind("test/quick", (1.0, 1.0)).named().restorable();
    run.cx.registry.add(Arc::new(kind));
    let graph = store();
    assert!(run.apply(&graph).await.complete());
    tokio::time::advance(std::time::Duration::from_secs(86_400)).await;
    world
        .things
        .lock()
        .unwrap()
        .retain(|_, t| t.name != "store");
    let left = vec![
        backup("old", "2026-11-01T00:00:00Z"),
        backup("new", "2026-11-28T00:00:00Z"),
    ];
    world.backups.lock().unwrap().insert("store".into(), left);
    (world, run, graph)
}

fn restoring(what: &str) -> Allowed {
    Allowed {
        restore: vec![what.into()],
        ..Allowed::default()
    }
}

/// What was written after the first run, which made two things.
fn since(world: &World) -> Vec<String> {
    writes(world).split_off(2)
}

/// The only problem of a plan that waits for a word, with its hint.
#[track_caller]
fn asked(plan: &Plan) -> String {
    assert_eq!(plan.problems.len(), 1, "{:?}", plan.problems);
    assert!(plan.is_refused());
    let error = &plan.problems[0].error;
    format!("{error} {}", error.hint.clone().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn the_plan_names_what_is_left_and_what_to_type_and_a_wrong_name_does_not_help() {
    let (_, mut run, graph) = vanished().await;
    let said = asked(&run.plan(&graph).await);
    for word in [
        "no longer exists",
        "new",
        "old",
        "2026-11-28",
        "--restore store=NAME",
        "--make-empty store",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    run.allowed = restoring("store=older");
    assert!(asked(&run.plan(&graph).await).contains("no backup `older`"));
    run.allowed = restoring("user");
    asked(&run.plan(&graph).await);
    // A name counts before a pattern.
    run.allowed = restoring("*");
    run.allowed.make_empty = vec!["store".into()];
    assert_eq!(run.plan(&graph).await.nodes[0].restore, None);
    run.allowed = restoring("store");
    run.allowed.make_empty = vec!["*".into()];
    assert!(run.plan(&graph).await.nodes[0].restore.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_made_empty_either() {
    let (world, mut run, graph) = vanished().await;
    world.fail(
        "remains",
        Error::of(Class::Permanent, "test:List", "denied"),
    );
    let said = asked(&run.plan(&graph).await);
    assert!(
        said.contains("could not be read") && !said.contains("--restore"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restore_brings_the_data_and_then_the_settings_and_the_tags() {
    let (world, mut run, graph) = vanished().await;
    run.allowed = restoring("sto*");
    let plan = run.plan(&graph).await;
    assert_eq!(plan.nodes[0].restore.as_ref().unwrap().name, "new");
    assert!(run.execute(&plan).await.complete());
    assert_eq!(
        since(&world),
        ["create store", "update store", "update user"]
    );
    let id = run.state.steps["store"].outputs["id"]
        .as_str()
        .unwrap()
        .to_owned();
    {
        let things = world.there();
        assert_eq!(things[&id].spec, json!({"size": 2}));
        assert_eq!(things[&id].tags["DeployerStep"], "store");
    }
    run.allowed = Allowed::default();
    assert!(run.plan(&graph).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_restore_makes_no_second_thing() {
    let (world, mut run, graph) = vanished().await;
    let lost = Error::of(Class::Unclear, "test:Restore", "lost").leftover(Leftover::Unknown);
    world.fail("store", lost);
    run.allowed = restoring("store=old");
    assert!(run.apply(&graph).await.complete());
    assert_eq!(
        since(&world),
        ["create store", "update store", "update user"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_fails_is_asked_for_again_and_nothing_is_made_empty() {
    let (world, mut run, graph) = vanished().await;
    world.fail("store", Error::permanent("test:Restore", "no"));
    run.allowed = restoring("store");
    assert_eq!(run.apply(&graph).await.failed().count(), 1);
    assert_eq!(run.state.steps["store"].stage, Stage::Created);
    run.allowed = Allowed::default();
    asked(&run.plan(&graph).await);
    assert_eq!(since(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_died_after_the_restore_call_left_finds_what_it_made_although_it_has_no_tags() {
    let (world, mut run, graph) = vanished().await;
    let quick = run.cx.registry.get("test/quick").unwrap().clone();
    let step = &graph.steps[0];
    let from = backup("new", "2026-11-28T00:00:00Z");
    let made = quick
        .restore(&step.spec, &step.identity(), &from)
        .await
        .unwrap();
    // What the run had recorded before its call: what vanished, under its own name.
    let record = run.state.steps.get_mut("store").unwrap();
    record.stage = Stage::Created;
    record.outputs = made;
    let plan = run.plan(&graph).await;
    assert_eq!(plan.problems, []);
    assert!(run.execute(&plan).await.complete());
    assert_eq!(
        since(&world)
            .iter()
            .filter(|w| w.starts_with("create"))
            .count(),
        1
    );
    let tagged = world
        .there()
        .values()
        .all(|t| t.tags.contains_key("DeployerStep"));
    assert!(tagged, "it got its tags");
}

#[tokio::test(start_paused = true)]
async fn empty_is_made_on_purpose_alone_and_what_destroy_took_is_made_again_without_a_question() {
    let (world, mut run, graph) = vanished().await;
    run.allowed.make_empty = vec!["store".into()];
    assert!(run.apply(&graph).await.complete());
    {
        let things = world.there();
        assert!(things.values().any(|t| t.spec == json!({"size": 2})));
    }
    run.allowed = Allowed::default();
    run.data.choice = Some(deployer::engine::plan::Choice::DestroyData);
    assert!(run.destroy(&graph, None).await.complete());
    assert!(run.apply(&graph).await.complete());
}

#[tokio::test(start_paused = true)]
async fn a_named_step_that_has_not_vanished_is_said_and_is_no_problem() {
    let (_, mut run, graph) = vanished().await;
    run.allowed = restoring("store");
    assert!(run.apply(&graph).await.complete());
    let plan = run.plan(&graph).await;
    assert!(plan.is_empty());
    let said = |allowed: &Allowed| needless(&plan, &graph, &run.cx.registry, allowed);
    assert_eq!(
        said(&restoring("store=old")),
        ["`store` exists with its data, so nothing is restored"]
    );
    assert_eq!(said(&restoring("*")), Vec::<String>::new());
    let emptied = Allowed {
        make_empty: vec!["store".into(), "user".into()],
        ..Allowed::default()
    };
    assert_eq!(
        said(&emptied),
        [
            "`store` has not vanished, so there is nothing to make empty",
            "`user` holds no data, so there is nothing to make empty",
        ]
    );
}

pub const HAND: &str = "dynamodb, rds, s3 = c('dynamodb'), c('rds'), c('s3')
dynamodb.put_item(TableName='sessions-green-dev', Item={'session_id': {'S': 'kept'}})
dynamodb.delete_table(TableName='sessions-green-dev')
for one in rds.describe_db_instances()['DBInstances']:
    rds.delete_db_instance(DBInstanceIdentifier=one['DBInstanceIdentifier'], SkipFinalSnapshot=True)
rds.delete_db_cluster(DBClusterIdentifier='aurora-green-dev', FinalDBSnapshotIdentifier='by-hand')
for one in s3.list_object_versions(Bucket='compliance-docs-green-dev').get('Versions', []):
    s3.delete_object(Bucket='compliance-docs-green-dev', Key=one['Key'], VersionId=one['VersionId'])
s3.delete_bucket(Bucket='compliance-docs-green-dev')
";

/// Everything of a bad day: named with what is left, nothing is called before the word, restored, and in sync afterwards.
#[test]
fn a_table_a_database_and_a_bucket_that_vanished_by_hand_are_asked_about_and_restored() {
    let lab = Lab::green();
    let before = lab.inventory();
    lab.python(HAND);
    let since = lab.mark();
    let plan = lab
        .run(&["plan", "--env", "green", "--json"])
        .expect(8)
        .json();
    let vanished = plan["vanished"].as_array().unwrap();
    let steps: BTreeSet<&str> = vanished
        .iter()
        .map(|v| v["step"].as_str().unwrap())
        .collect();
    let wanted = ["aurora-green", "compliance-docs-green", "sessions-green"];
    assert_eq!(steps, wanted.into(), "{vanished:#?}");
    let of = |step: &str| vanished.iter().find(|v| v["step"] == step).unwrap();
    assert_eq!(
        of("sessions-green")["backups"][0]["name"],
        "sessions-green-dev$DeletedTableBackup"
    );
    assert_eq!(of("aurora-green")["backups"][0]["name"], "by-hand");
    assert_eq!(of("compliance-docs-green")["backups"], json!([]));
    let apply = &["apply", "--env", "green", "--yes"];
    let done = lab.run(apply).expect(8);
    for word in [
        "--restore aurora-green",
        "--restore sessions-green",
        "--make-empty compliance-docs-green",
        "S3 keeps neither",
    ] {
        assert!(done.out.contains(word), "{word}: {}", done.out);
    }
    lab.run(&[apply, &["--make-empty", "no-such-step"][..]].concat())
        .expect(3);
    assert_eq!(lab.writes(since), Vec::<String>::new());

    let word = &[
        "--restore",
        "aurora-green=by-hand",
        "--restore",
        "sessions-*",
        "--make-empty",
        "compliance-docs-green",
    ];
    lab.run(&[apply, &word[..]].concat()).expect(0);
    let writes = lab.writes(since);
    for call in [
        "rds:RestoreDBClusterFromSnapshot",
        "dynamodb:RestoreTableFromBackup",
    ] {
        assert_eq!(writes.iter().filter(|w| *w == call).count(), 1, "{call}");
    }
    assert!(
        !writes
            .iter()
            .any(|w| w == "rds:CreateDBCluster" || w == "dynamodb:CreateTable")
    );
    let back = lab
        .python("print(json.dumps(c('dynamodb').scan(TableName='sessions-green-dev')['Items']))");
    let back: Value = serde_json::from_str(&back).unwrap();
    assert_eq!(back, json!([{"session_id": {"S": "kept"}}]));
    lab.run(&["plan", "--env", "green"]).expect(0);
    lab.run(&["drift", "--env", "green"]).expect(0);
    lab.python("c('rds').delete_db_cluster_snapshot(DBClusterSnapshotIdentifier='by-hand')");
    crate::support::lab::same(&lab.inventory(), &before);
}

in_both_places! {
    a_lost_restore, with_files_a_restore_whose_answer_is_lost_is_finished_by_the_same_run, in_a_bucket_a_restore_whose_answer_is_lost_is_finished_by_the_same_run;
}

/// The answer of each restore call is lost; the run ends well all the same, with one of each.
fn a_lost_restore(place: Place) {
    let lab = place.of(Lab::green());
    lab.python(HAND);
    let restores = [
        "rds:RestoreDBClusterFromSnapshot",
        "dynamodb:RestoreTableFromBackup",
    ];
    lab.faults(&json!({"close_after": "every_new", "only": restores}));
    let apply = &["apply", "--env", "green", "--yes", "--restore", "*"];
    let since = lab.mark();
    lab.run(apply).expect(8);
    // The state in a bucket is written for the lock.
    let mut writes = lab.writes(since);
    writes.retain(|w| !["s3:PutObject", "s3:DeleteObjects"].contains(&w.as_str()));
    assert_eq!(
        writes,
        Vec::<String>::new(),
        "a bucket has no backup to restore"
    );
    lab.run(&[apply, &["--make-empty", "compliance-docs-green"][..]].concat())
        .expect(0);
    let writes = lab.writes(since);
    for call in restores {
        assert_eq!(writes.iter().filter(|w| *w == call).count(), 1, "{call}");
    }
    lab.faults(&json!({}));
    lab.run(&["plan", "--env", "green"]).expect(0);
}

/// Backups that RDS retained: any second of their window, and `latest`.
#[test]
fn a_second_of_retained_backups_is_restored() {
    let lab = Lab::green();
    lab.python("import time
rds = c('rds')
for one in rds.describe_db_instances()['DBInstances']:
    rds.delete_db_instance(DBInstanceIdentifier=one['DBInstanceIdentifier'], SkipFinalSnapshot=True)
time.sleep(1.1)
rds.delete_db_cluster(DBClusterIdentifier='aurora-green-dev', SkipFinalSnapshot=True, DeleteAutomatedBackups=False)");
    let plan = lab
        .run(&["plan", "--env", "green", "--json"])
        .expect(8)
        .json();
    let latest = &plan["vanished"][0]["backups"][0];
    assert_eq!(latest["name"], "latest");
    let word = format!("aurora-green={}", latest["at"].as_str().unwrap());
    let since = lab.mark();
    lab.run(&["apply", "--env", "green", "--yes", "--restore", &word])
        .expect(0);
    assert!(
        lab.writes(since)
            .contains(&"rds:RestoreDBClusterToPointInTime".to_owned())
    );
    lab.run(&["plan", "--env", "green"]).expect(0);
}
