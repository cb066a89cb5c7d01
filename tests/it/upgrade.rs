//! An upgrade to another major version: refused without its word, done in place with it, and never backwards.

use crate::support::lab::Lab;
use crate::support::places::{Place, USUAL, in_both_places};
use serde_json::{Value, json};

const CLUSTER: &str = "k = c('rds').describe_db_clusters(DBClusterIdentifier='aurora-green-dev')['DBClusters'][0]
own = {g['DBParameterGroupName'] for i in c('rds').describe_db_instances()['DBInstances'] for g in i['DBParameterGroups']}
print(json.dumps([k['EngineVersion'], k['DBClusterParameterGroup'], sorted(own), k['DbClusterResourceId']]))";

fn cluster(lab: &Lab) -> Value {
    serde_json::from_str(&lab.python(CLUSTER)).unwrap()
}

fn with_version(version: &str) -> String {
    format!("{USUAL}[database]\nengine_version = \"{version}\"\n")
}

fn version(lab: &Lab, version: &str) {
    Place::Files.configure(lab, &with_version(version));
}

#[test]
fn a_major_upgrade_is_done_in_place_with_its_word_alone_and_there_is_no_way_back() {
    let lab = Lab::green();
    let apply = |more: &[&str]| lab.run(&[&["apply", "--env", "green", "--yes"], more].concat());
    let before = cluster(&lab);
    version(&lab, "15.8");
    let since = lab.mark();
    for more in [&[][..], &["--destroy-data"]] {
        let done = apply(more).expect(8);
        for word in [
            "--allow-major-upgrade",
            "14.6 -> 15.8",
            "test first",
            "aurora-postgresql15",
        ] {
            assert!(done.out.contains(word), "{word}: {}", done.out);
        }
    }
    assert_eq!(lab.writes(since), Vec::<String>::new());

    let plan = ["plan", "--env", "green", "--allow-major-upgrade", "--json"];
    let plan = lab.run(&plan).expect(2).json();
    let steps = plan["steps"].as_array().unwrap();
    let of = |step: &str| steps.iter().find(|s| s["step"] == step).unwrap();
    let upgrade = of("aurora-green");
    assert_eq!(upgrade["action"], "update");
    let fields: Vec<&Value> = upgrade["interrupts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["field"])
        .collect();
    assert_eq!(fields, ["major_version"], "{upgrade:#}");
    for (step, action) in [
        ("db-cluster-parameters-15-green", "create"),
        ("db-parameters-15-green", "create"),
        ("db-cluster-parameters-green", "delete"),
        ("db-parameters-green", "delete"),
    ] {
        assert_eq!(of(step)["action"], action, "{step}");
    }
    assert!(steps.iter().all(|s| s["action"] != "replace"));
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("aurora-green: ") && notes.contains("replication slots"),
        "{notes}"
    );

    // What depends on the cluster waits until it is upgraded: RDS refuses groups of the new family before.
    lab.control("POST", "latency", &json!({"latency": "0.6"}));
    apply(&["--allow-major-upgrade"]).expect(0);
    lab.control("POST", "latency", &json!({"latency": "none"}));
    let after = cluster(&lab);
    let groups = (
        &json!("db-cluster-parameters-15-green-dev"),
        &json!(["db-parameters-15-green-dev"]),
    );
    assert_eq!(
        (&after[0], &after[1], &after[2]),
        (&json!("15.8"), groups.0, groups.1)
    );
    assert_eq!(after[3], before[3], "the same cluster");
    lab.run(&["plan", "--env", "green"]).expect(0);
    lab.run(&["drift", "--env", "green"]).expect(0);

    version(&lab, "14.9");
    let since = lab.mark();
    for more in [&[][..], &["--allow-major-upgrade"], &["--destroy-data"]] {
        let done = apply(more).expect(8);
        assert!(done.out.contains("cannot go back to 14.9"), "{}", done.out);
    }
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

in_both_places! {
    an_upgrade_that_nobody_waited_for, with_files_an_upgrade_that_nobody_waited_for_is_finished_by_the_next_run, in_a_bucket_an_upgrade_that_nobody_waited_for_is_finished_by_the_next_run;
}

/// The answer to the upgrade is lost, then the process is killed while it goes on: the next run waits for it and asks for nothing anew.
fn an_upgrade_that_nobody_waited_for(place: Place) {
    let lab = place.of(Lab::green());
    place.configure(&lab, &with_version("16.6"));
    let apply = ["apply", "--env", "green", "--yes", "--allow-major-upgrade"];
    lab.control("POST", "latency", &json!({"latency": "2"}));
    lab.faults(&json!({"hang_after": "every_new", "only": ["rds:ModifyDBCluster"]}));
    let since = lab.mark();
    let ended = lab.killed_when("hang_after", &apply);
    assert!(ended.is_none(), "{ended:?}");
    lab.faults(&json!({}));
    lab.run(&apply).expect(0);
    assert_eq!(cluster(&lab)[0], "16.6");
    let sent = lab.writes(since);
    assert_eq!(
        sent.iter().filter(|w| *w == "rds:ModifyDBCluster").count(),
        1
    );
    lab.run(&["plan", "--env", "green"]).expect(0);
}
