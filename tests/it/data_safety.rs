//! What holds data is repaired in place, and replaced only when the user says that its data may be lost.

use crate::support::lab::Lab;
use serde_json::{Value, json};

const APPLY: &[&str] = &["apply", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

#[test]
fn a_database_that_was_stopped_or_protected_by_hand_is_brought_back_and_goes() {
    let lab = Lab::start();
    let empty = lab.ids();
    lab.run(APPLY).expect(0);
    let by_hand = "rds, dynamodb = c('rds'), c('dynamodb')
rds.stop_db_cluster(DBClusterIdentifier='aurora-blue-dev')
rds.modify_db_cluster(DBClusterIdentifier='aurora-green-dev', DeletionProtection=True, ApplyImmediately=True)
dynamodb.update_table(TableName='sessions-green-dev', DeletionProtectionEnabled=True)
";
    lab.python(by_hand);
    let drift = lab
        .run(&["drift", "--env", "blue", "--json"])
        .expect(2)
        .json();
    let steps = drift["steps"].as_array().unwrap();
    let cluster = steps.iter().find(|s| s["step"] == "aurora-blue").unwrap();
    assert_eq!(cluster["changes"][0]["path"], "running", "{cluster}");
    lab.run(APPLY).expect(0);
    lab.run(&["plan"]).expect(0);
    lab.python(by_hand);
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty);
}

/// Changes of the configuration that would make another database are refused as a whole: the network under it is not
/// torn down first. Changes that AWS makes in place are made in place.
#[test]
fn a_change_that_would_replace_the_database_is_refused_before_anything_is_called() {
    let lab = Lab::start();
    let config = |more: &str| {
        let text =
            format!("[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\n{more}");
        std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
    };
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let ids = lab.ids();
    for (change, why) in [
        ("[network]\ngreen_cidr = \"10.30.0.0/16\"", "vpc"),
        ("[database]\nname = \"other\"", "database"),
        ("[database]\nmaster_user = \"other\"", "master_user"),
        ("[database]\nengine_version = \"15.8\"", "major_version"),
    ] {
        config(change);
        let since = lab.mark();
        let done = lab.run(&["apply", "--env", "green", "--yes"]).expect(1);
        let said = format!("{}{}", done.out, done.err);
        assert!(
            said.contains("--destroy-data") && said.contains(why),
            "{said}"
        );
        assert_eq!(lab.writes(since), Vec::<String>::new(), "{why}");
    }
    config(
        "[database]\nengine_version = \"14.9\"\nbackup_days = 7\nmax_capacity = 32\nrotation_days = 60\nmonitoring_seconds = 15\n",
    );
    let since = lab.mark();
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let deleted = lab.writes(since);
    let deleted: Vec<_> = deleted.iter().filter(|w| w.contains(":Delete")).collect();
    assert!(deleted.is_empty(), "{deleted:?}");
    let cluster = lab.python(
        "k = c('rds').describe_db_clusters(DBClusterIdentifier='aurora-green-dev')['DBClusters'][0]
print(json.dumps([k['EngineVersion'], k['BackupRetentionPeriod'], k['ServerlessV2ScalingConfiguration']['MaxCapacity']]))",
    );
    let cluster: Value = serde_json::from_str(&cluster).unwrap();
    assert_eq!(cluster, json!(["14.9", 7, 32.0]));
    assert_eq!(lab.ids(), ids);
    lab.run(&["plan", "--env", "green"]).expect(0);
}
