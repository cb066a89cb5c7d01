//! What holds data is repaired in place, and replaced or deleted only when the user says what becomes of its data.

use crate::support::lab::Lab;
use serde_json::{Value, json};

const APPLY: &[&str] = &["apply", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

#[test]
fn a_database_that_was_stopped_or_protected_by_hand_is_brought_back_and_goes() {
    let lab = Lab::both();
    let empty = &Lab::clean_green().empty;
    let by_hand = "rds, dynamodb, dns = c('rds'), c('dynamodb'), c('route53')
[dns.update_health_check(HealthCheckId=h['Id'], Disabled=True) for h in dns.list_health_checks()['HealthChecks'] if 'health-endpoint-blue' in h['CallerReference']]
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
    who_did_it(&lab, &drift);
    lab.run(APPLY).expect(0);
    lab.run(&["plan"]).expect(0);
    without_rules_the_recorder_stays_for_others(&lab);
    lab.python(by_hand);
    // AWS goes on listing the tags of gateways, attachments and endpoints that are deleted: nothing of that is left behind.
    lab.faults(&json!({"stale_tags": true}));
    what_others_need_stays(&lab);
    for _ in 0..2 {
        let done = lab.run(&[DESTROY, &["--json"]].concat()).expect(0);
        assert_eq!(done.json()["leftovers"], json!([]));
    }
    assert_eq!(&lab.ids(), empty);
}

/// Drift names the caller and the call, or says that it could not ask.
fn who_did_it(lab: &Lab, drift: &Value) {
    let mut authors = drift["authors"].as_array().unwrap().iter();
    let author = authors.find(|a| a["step"] == "aurora-blue").unwrap();
    let told = ["step", "thing", "event", "by"].map(|key| author[key].as_str().unwrap());
    let by = "arn:aws:iam::123456789012:user/test";
    assert_eq!(
        told,
        ["aurora-blue", "aurora-blue-dev", "StopDBCluster", by]
    );
    assert!(author["at"].as_str().unwrap().ends_with('Z'), "{author}");
    // Events of Route 53 name no resource: the call is found among those of the service.
    let mut authors = drift["authors"].as_array().unwrap().iter();
    let author = authors.find(|a| a["step"] == "health-endpoint-blue");
    let event = author.map(|a| (&a["event"], &a["by"]));
    assert_eq!(
        event,
        Some((&json!("UpdateHealthCheck"), &json!(by))),
        "{drift:#}"
    );
    assert_eq!(drift["event_history"], Value::Null);
    lab.faults(&json!({"deny": ["cloudtrail:LookupEvents"]}));
    let done = lab.run(&["drift", "--env", "blue"]).expect(2);
    assert!(
        done.out.contains("who changed it: not readable"),
        "{}",
        done.out
    );
    lab.faults(&json!({}));
}

/// `compliance.rules = false` takes the rules, the recorder and what it needs away; as long as others have rules the recorder goes on,
/// which is neither a failure nor a difference.
fn without_rules_the_recorder_stays_for_others(lab: &Lab) {
    let rule = "config.put_config_rule(ConfigRule={'ConfigRuleName': 'theirs', 'Source': {'Owner': 'AWS', 'SourceIdentifier': 'S3_BUCKET_SSL_REQUESTS_ONLY'}})";
    lab.python(&format!("config = c('config')\n{rule}"));
    let file = lab.dir.path().join("deployer.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("\n[compliance]\nrules = false\n");
    std::fs::write(&file, text).unwrap();
    let done = lab.run(&[APPLY, &["--json"]].concat()).expect(0);
    assert!(
        done.err.contains("needed by others: rule theirs"),
        "{}",
        done.err
    );
    let document = done.json();
    let kept = document["kept"].as_array().unwrap().iter();
    let kept: Vec<&str> = kept.map(|k| k["step"].as_str().unwrap()).collect();
    let stays = ["channel", "config", "recorder", "recording", "role-config"];
    assert_eq!(kept, stays.map(|step| format!("{step}-shared")));
    let left = "config = c('config')
states = config.describe_configuration_recorder_status()['ConfigurationRecordersStatus']
print(json.dumps([[s['recording'] for s in states], [r['ConfigRuleName'] for r in config.describe_config_rules()['ConfigRules']]]))";
    let left: Value = serde_json::from_str(&lab.python(left)).unwrap();
    assert_eq!(left, json!([[true], ["theirs"]]));
    for command in ["plan", "apply", "drift"] {
        let since = lab.mark();
        let yes: &[&str] = if command == "apply" { &["--yes"] } else { &[] };
        lab.run(&[&[command], yes].concat()).expect(0);
        assert_eq!(lab.writes(since), Vec::<String>::new(), "{command}");
    }
}

/// The region has one recorder: as long as a rule of others is evaluated by what ours records, it stays with what it needs, also when
/// their rule has a name like ours. The plan says so before anything is deleted, and the run ends well.
fn what_others_need_stays(lab: &Lab) {
    let rule = "config.delete_config_rule(ConfigRuleName='theirs')\nconfig.put_config_rule(ConfigRule={'ConfigRuleName': 's3-versioning-dev', 'Source': {'Owner': 'AWS', 'SourceIdentifier': 'S3_BUCKET_VERSIONING_ENABLED'}}, Tags=[{'Key': 'Owner', 'Value': 'them'}])";
    lab.python(&format!("config = c('config')\n{rule}"));
    let plan = [DESTROY, &["--dry-run", "--json"]].concat();
    let plan: Vec<&str> = plan.into_iter().filter(|word| *word != "--yes").collect();
    let plan = lab.run(&plan).expect(2).json();
    let kept = plan["kept"].as_array().unwrap();
    let recording = kept.iter().find(|k| k["step"] == "recording-shared");
    assert_eq!(
        recording.unwrap()["reason"],
        "needed by others: rule s3-versioning-dev"
    );
    assert!(kept.iter().all(|k| k["for_others"] == true), "{kept:?}");
    let done = lab.run(&[DESTROY, &["--json"]].concat()).expect(0).json();
    let kinds = |list: &str| -> Vec<String> {
        let all = done[list].as_array().unwrap().iter();
        all.map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        kinds("needed").contains(&"config/recorder".to_owned()),
        "{done:#}"
    );
    assert_eq!(
        (
            kinds("kept").len(),
            &done["remove_with"],
            kinds("leftovers").len()
        ),
        (0, &Value::Null, 0)
    );
    let left = "config = c('config')
states = config.describe_configuration_recorder_status()['ConfigurationRecordersStatus']
channels = config.describe_delivery_channels()['DeliveryChannels']
print(json.dumps([[s['recording'] for s in states], len(channels), [b['Name'] for b in c('s3').list_buckets()['Buckets']]]))
config.delete_config_rule(ConfigRuleName='s3-versioning-dev')";
    let left: Value = serde_json::from_str(&lab.python(left)).unwrap();
    assert_eq!(left, json!([[true], 1, ["config-shared-dev"]]));
}

/// What runs in the network goes with it and comes again: AWS deletes no subnet with an interface in it, and no load balancer of an
/// endpoint service.
#[test]
fn a_whole_network_is_replaced_with_what_stands_in_it() {
    let lab = Lab::both();
    let config = "[network]\ngreen_cidr = \"10.30.0.0/16\"\n[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\nin_use_timeout_seconds = 120\napi_limits = 1000\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), config).unwrap();
    lab.run(&["apply", "--yes", "--destroy-data"]).expect(0);
    let since = lab.mark();
    lab.run(&["apply", "--yes"]).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    lab.run(&["drift"]).expect(0);
}

/// Changes of the configuration that would make another database are refused as a whole: the network under it is not
/// torn down first. Changes that AWS makes in place are made in place.
#[test]
fn a_change_that_would_replace_the_database_is_refused_before_anything_is_called() {
    let lab = Lab::start();
    let config = |more: &str| {
        let text = format!(
            "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\n{more}"
        );
        std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
    };
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let ids = lab.ids();
    for (change, why) in [
        ("[network]\ngreen_cidr = \"10.30.0.0/16\"", "vpc"),
        ("[database]\nname = \"other\"", "database"),
        ("[database]\nmaster_user = \"other\"", "master_user"),
    ] {
        config(change);
        let since = lab.mark();
        let done = lab.run(&["apply", "--env", "green", "--yes"]).expect(3);
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

/// Everything of one life: refused without a choice, named what is lost, a snapshot with its key stays, later runs leave
/// both alone, and one command deletes them.
#[test]
fn destroy_asks_what_becomes_of_data_and_a_kept_snapshot_stays_with_its_key() {
    let lab = Lab::start();
    let empty = lab.ids();
    let green = &["--env", "green"];
    let run = |words: &[&str]| lab.run(&[words, green].concat());
    run(&["destroy", "--yes"]).expect(0);
    run(&["apply", "--yes"]).expect(0);
    lab.python(
        "c('s3').put_object(Bucket='transaction-logs-green-dev', Key='a', Body=b'x')
c('dynamodb').put_item(TableName='sessions-green-dev', Item={'session_id': {'S': 's'}})
c('rds').modify_db_cluster(DBClusterIdentifier='aurora-green-dev', DeletionProtection=True, ApplyImmediately=True)
",
    );
    let since = lab.mark();
    let refused = run(&["destroy", "--yes"]).expect(3);
    assert!(refused.err.contains("aurora-green"), "{}", refused.err);
    assert_eq!(lab.calls(since).len(), 0, "nothing was called");
    // Without a record of the database the data is found by reading; still nothing is written.
    let state = lab.dir.path().join("state/dev.json");
    let record = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();
    run(&["destroy", "--yes"]).expect(3);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    std::fs::write(&state, record).unwrap();

    let plan = run(&["destroy", "--dry-run", "--keep-snapshot", "--json"]).expect(2);
    let losses: Vec<(String, Value)> = plan.json()["steps"]
        .as_array()
        .unwrap()
        .iter()
        // Logs of the requests that this very test makes arrive in their bucket when S3 likes.
        .filter(|s| s["step"] != "access-logs-green")
        .filter(|s| s["loss"]["data"].is_string() || s["loss"]["protected"] == true)
        .map(|s| (s["step"].as_str().unwrap().to_owned(), s["loss"].clone()))
        .collect();
    let of = |step: &str| &losses.iter().find(|l| l.0 == step).unwrap().1;
    assert_eq!(losses.len(), 3, "{losses:?}");
    assert_eq!(of("transaction-logs-green")["data"], "1 object version");
    assert!(
        of("sessions-green")["data"]
            .as_str()
            .unwrap()
            .contains("item")
    );
    assert_eq!(of("aurora-green")["protected"], true);
    for word in ["DATA", "protection", "of suffix dev, account 123456789012"] {
        assert!(plan.err.contains(word), "{word}: {}", plan.err);
    }

    let done = run(&["destroy", "--yes", "--keep-snapshot", "--json"]).expect(0);
    let document = done.json();
    assert_eq!(document["leftovers"], json!([]));
    let kept: Vec<&str> = document["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| k["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kept, ["kms/key", "rds/cluster_snapshot"], "{document:#}");
    let remove = document["remove_with"].as_str().unwrap().to_owned();
    let left = lab.python(
        "s = c('rds').describe_db_cluster_snapshots(SnapshotType='manual')['DBClusterSnapshots']
k = c('kms').describe_key(KeyId=s[0]['KmsKeyId'])['KeyMetadata']
print(json.dumps([s[0]['DBClusterSnapshotIdentifier'], len(s), k['KeyState']]))",
    );
    let left: Value = serde_json::from_str(&left).unwrap();
    let name = left[0].as_str().unwrap();
    assert!(name.starts_with("snapshot-aurora-green-dev-20"), "{name}");
    assert_eq!((&left[1], &left[2]), (&json!(1), &json!("Enabled")));

    // Later runs leave both alone, also when the state is lost.
    let kept = lab.ids();
    run(&["destroy", "--yes"]).expect(0);
    std::fs::remove_file(&state).unwrap();
    run(&["destroy", "--yes"]).expect(0);
    assert_eq!(lab.ids(), kept);
    run(&["apply", "--yes"]).expect(0);
    run(&["plan"]).expect(0);
    run(&["drift"]).expect(0);
    // The snapshot of the first life keeps nothing of the second one but the key.
    let again = run(&["destroy", "--dry-run", "--keep-snapshot", "--json"]).expect(2);
    let again = again.json();
    let kinds = again["kept"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|k| k["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["kms/key", "rds/cluster_snapshot"], "{again:#}");
    let words: Vec<&str> = remove.split(' ').skip(1).chain(["--yes"]).collect();
    lab.run(&words).expect(0);
    // The other scope's share is not that command's business.
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    assert_eq!(lab.ids(), empty);
}

#[test]
fn protect_switches_protection_on_and_refuses_to_destroy_or_replace() {
    let lab = Lab::start();
    let config = |more: &str| {
        let text = format!(
            "{more}\n[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\n"
        );
        std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
    };
    config("protect = true");
    lab.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let on = lab.python(
        "print(json.dumps([c('rds').describe_db_clusters()['DBClusters'][0]['DeletionProtection'],
 *[c('dynamodb').describe_table(TableName=t)['Table']['DeletionProtectionEnabled'] for t in ('sessions-green-dev', 'rate-limits-green-dev')]]))",
    );
    assert_eq!(on.trim(), "[true, true, true]");
    let since = lab.mark();
    for words in [
        &["destroy", "--yes", "--destroy-data"][..],
        &["destroy", "--yes", "--keep-snapshot"],
    ] {
        let done = lab.run(words).expect(8);
        assert!(done.err.contains("protect = true") || done.out.contains("protect = true"));
    }
    config("protect = true\naccount = \"210987654321\"");
    let done = lab.run(&["plan", "--env", "green"]).expect(1);
    assert!(
        done.err.contains("pins account 210987654321"),
        "{}",
        done.err
    );
    config("protect = true\n[database]\nname = \"other\"");
    let done = lab.run(&["apply", "--env", "green", "--yes", "--destroy-data"]);
    let done = done.expect(8);
    assert!(done.out.contains("is protected"), "{}", done.out);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    config("");
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
}
