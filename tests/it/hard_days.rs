//! Hard days: calls that are refused, throttled or lost, reads that lag, runs that are stopped. Each ends with what a
//! clean run makes, without a duplicate, or with an error that says what is missing.

use crate::support::again::until;
use crate::support::lab::{Clean, Lab, same};
use crate::support::places::{Place, in_both_places};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const APPLY: &[&str] = &["apply", "--yes"];
const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// Waits until this many writes have come.
fn until_writes(lab: &Lab, since: u64, count: usize) {
    until(|| lab.writes(since), || lab.writes(since).len() >= count);
}

/// How often an operation was called, as `service:Operation`.
fn counts(lab: &Lab, since: u64) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for call in lab.writes(since) {
        *all.entry(call).or_default() += 1;
    }
    all
}

/// The state without what differs between two runs that made the same.
fn recorded(lab: &Lab) -> Value {
    let text = std::fs::read_to_string(lab.dir.path().join("state/dev.json")).unwrap();
    // The URL of a queue names the port of the sandbox that was asked: forks of one account have ports of their own.
    let mut places = text.split("http://127.0.0.1:");
    let mut same = places.next().unwrap_or_default().to_owned();
    for rest in places {
        same += "http://sandbox";
        same += rest.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let mut state: Value = serde_json::from_str(&same).unwrap();
    state["serial"].take();
    state["timings"].take();
    for record in state["steps"].as_object_mut().unwrap().values_mut() {
        let record = record.as_object_mut().unwrap();
        record.remove("token");
        record.remove("at");
    }
    state
}

#[test]
fn access_denied_fails_its_step_at_once_and_names_the_permission_while_others_finish() {
    let lab = Lab::start();
    let Clean {
        empty,
        inventory: clean,
    } = Lab::clean_green();
    let denied = [
        ("ec2:CreateFlowLogs", "flow-log-green", 1),
        ("kms:CreateAlias", "alias-data-green", 2),
        ("s3:PutBucketPolicy", "access-logs-green", 3),
    ];
    let mut deny = denied.map(|d| d.0).to_vec();
    // A fact that only some steps need, and they can do without it.
    deny.push("lambda:GetAccountSettings");
    lab.faults(&json!({ "deny": deny }));
    let since = lab.mark();
    let done = lab
        .run(&["apply", "--env", "green", "--yes", "--json"])
        .expect(1);
    let report = done.json();
    let steps = report["steps"].as_array().unwrap();
    let calls = counts(&lab, since);
    for (action, step, most) in denied {
        let row = steps.iter().find(|s| s["step"] == step).unwrap();
        assert_eq!(row["outcome"], "failed", "{row}");
        assert_eq!(row["error"]["action"], action, "{row}");
        let reported = row["error"].to_string();
        assert!(
            reported.contains("AccessDenied") || reported.contains("Unauthorized"),
            "{reported}"
        );
        let hint = row["error"]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(action), "the permission is named: {row}");
        // One attempt for each step that needs it, none again.
        assert!(
            (1..=most).contains(&calls[action]),
            "{action}: {}",
            calls[action]
        );
        assert!(done.err.contains(action), "{}", done.err);
    }
    let finished = |step: &str| {
        steps
            .iter()
            .any(|s| s["step"] == step && s["outcome"] == "done")
    };
    assert!(finished("aurora-3-green") && finished("sessions-green"));
    lab.faults(&json!({}));
    lab.run(GREEN).expect(0);
    same(&lab.inventory(), clean);
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}

#[test]
fn throttling_and_errors_of_the_servers_end_as_a_clean_run_does() {
    let lab = Lab::start();
    let Clean {
        empty,
        inventory: clean,
    } = Lab::clean_green();
    for faults in [
        json!({"throttle_rate": 0.3, "seed": 7}),
        json!({"error_rate": 0.1, "error_after_rate": 0.05, "seed": 7}),
    ] {
        let unclear = faults.get("error_after_rate").is_some();
        for command in [GREEN, DESTROY] {
            lab.faults(&faults);
            let first = lab.run(command);
            lab.faults(&json!({}));
            if unclear && first.code != 0 {
                lab.run(command).expect(0);
            } else {
                first.expect(0);
            }
            if command == GREEN {
                same(&lab.inventory(), clean);
            }
        }
        assert_eq!(&lab.ids(), empty, "{faults}");
    }
}

/// A deletion of a rule of AWS Config takes up to an hour; one of its results takes the rule nowhere.
#[test]
fn a_rule_that_is_being_deleted_is_waited_for_and_made_again_by_one_call() {
    let lab = Lab::both();
    lab.control("POST", "latency", &json!({"latency": "60"}));
    let act = |call: &str| {
        lab.python(&format!(
            "config = c('config')\nname = config.describe_config_rules()['ConfigRules'][0]['ConfigRuleName']\n{call}"
        ));
    };
    act("config.delete_evaluation_results(ConfigRuleName=name)");
    lab.run(&["drift"]).expect(0);
    lab.control("POST", "clock", &json!({"skip": 60}));
    act("config.delete_config_rule(ConfigRuleName=name)");
    let drift = lab.run(&["drift"]).expect(2).out;
    assert!(drift.contains("it is being deleted"), "{drift}");
    lab.control("POST", "clock", &json!({"skip": 50}));
    let since = lab.mark();
    lab.run(APPLY).expect(0);
    assert_eq!(lab.writes(since), ["config:PutConfigRule"]);
    lab.run(&["plan"]).expect(0);
}

in_both_places! {
    reads_that_lag, with_files_reads_that_lag_make_no_duplicate_even_after_a_kill, in_a_bucket_reads_that_lag_make_no_duplicate_even_after_a_kill;
    one_environment_goes, with_files_one_environment_goes_without_the_other_and_a_stopped_destroy_goes_on, in_a_bucket_one_environment_goes_without_the_other_and_a_stopped_destroy_goes_on;
}

fn reads_that_lag(place: Place) {
    let lab = place.of(Lab::start());
    let Clean {
        empty,
        inventory: clean,
    } = Lab::clean_green();
    lab.faults(&json!({"lag_reads_ms": 1500}));
    lab.run(GREEN).expect(0);
    lab.faults(&json!({}));
    same(&lab.inventory(), clean);
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
    let mut kills = 0;
    for only in [
        "iam:CreateRole",
        "ec2:CreateSubnet",
        "ec2:CreateSecurityGroup",
    ] {
        lab.faults(&json!({"lag_reads_ms": 1500, "hang_after": 1, "only": [only]}));
        match lab.killed_when("hang_after", GREEN) {
            None => kills += 1,
            // A run that was killed elsewhere had made all of this kind already.
            Some(done) => drop(done.expect(0)),
        }
    }
    assert!(kills > 0);
    lab.faults(&json!({"lag_reads_ms": 1500}));
    lab.run(GREEN).expect(0);
    lab.faults(&json!({}));
    same(&lab.inventory(), clean);
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}

#[test]
fn a_lost_state_is_adopted_without_a_write_and_rebuilt_as_it_was() {
    let lab = Lab::both();
    let (before, ids) = (recorded(&lab), lab.ids());
    for command in [APPLY, &["state", "rebuild", "--yes"]] {
        for entry in std::fs::read_dir(lab.dir.path().join("state")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::remove_file(path).unwrap();
            }
        }
        let since = lab.mark();
        lab.run(command).expect(0);
        assert_eq!(lab.writes(since), Vec::<String>::new(), "{command:?}");
        assert_eq!(lab.ids(), ids, "{command:?}");
        let after = recorded(&lab);
        for (step, record) in before["steps"].as_object().unwrap() {
            assert_eq!(&after["steps"][step], record, "{command:?} {step}");
        }
        assert_eq!(after, before, "{command:?}");
        lab.run(&["plan"]).expect(0);
    }
}

#[test]
fn what_an_older_deployer_recorded_without_a_field_is_read_and_removed() {
    let lab = Lab::green();
    let empty = &Lab::clean_green().empty;
    let path = lab.dir.path().join("state/dev.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut dropped = 0;
    for record in state["steps"].as_object_mut().unwrap().values_mut() {
        for part in ["inputs", "outputs"] {
            let fields = record[part].as_object_mut().unwrap();
            if let Some(last) = fields.keys().next_back().cloned() {
                dropped += usize::from(fields.remove(&last).is_some());
            }
        }
    }
    // Every step has at least one field of inputs or outputs to lose.
    let steps = state["steps"].as_object().unwrap().len();
    assert!(dropped >= steps, "{dropped} fields of {steps} steps");
    std::fs::write(&path, state.to_string()).unwrap();
    lab.run(&["plan", "--env", "green"]).expect(0);
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}

#[test]
fn what_left_the_blueprint_goes_even_when_the_state_is_lost() {
    let lab = Lab::green();
    let Clean {
        empty,
        inventory: clean,
    } = Lab::clean_green();
    let config = lab.dir.path().join("deployer.toml");
    let usual = std::fs::read_to_string(&config).unwrap();
    let more = format!("{usual}[database]\ninstances = 4\n");
    let lose_state = || std::fs::remove_file(lab.dir.path().join("state/dev.json")).unwrap();
    // With one more instance, and a subnet that an earlier blueprint had.
    let grow = || {
        std::fs::write(&config, &more).unwrap();
        lab.run(GREEN).expect(0);
        std::fs::write(&config, &usual).unwrap();
        lab.python(
            r#"
ec2 = c("ec2")
vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["vpc-green-dev"]}])["Vpcs"][0]["VpcId"]
tags = {"Name": "subnet-old-green-dev", "EnvironmentSuffix": "dev", "DeployerStep": "subnet-old-green", "Environment": "green"}
ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.240.0/24", TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}])
"#,
        );
    };
    grow();
    lose_state();
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    assert!(
        lab.run(&["state", "list"])
            .expect(0)
            .out
            .contains("subnet-old-green")
    );
    lose_state();
    let plan = lab.run(&["plan", "--env", "green"]).expect(2).out;
    assert!(
        plan.contains("aurora-4-green") && plan.contains("subnet-old-green"),
        "{plan}"
    );
    lab.run(GREEN).expect(0);
    same(&lab.inventory(), clean);
    grow();
    lose_state();
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}

fn one_environment_goes(place: Place) {
    let lab = place.of(Lab::start());
    let empty = lab.ids();
    lab.run(&["apply", "--env", "blue", "--yes"]).expect(0);
    // What both share is neither's: it goes when everything goes.
    let but_shared = || {
        let shared = lab.python(
            r#"
kms = c("kms")
tags = lambda key: {t["TagKey"]: t["TagValue"] for t in kms.list_resource_tags(KeyId=key)["Tags"]}
print(*[k["KeyId"] for k in kms.list_keys()["Keys"] if tags(k["KeyId"]).get("Environment") == "shared"])
"#,
        );
        let shared: Vec<String> = shared
            .split_whitespace()
            .map(|id| format!("key {id}"))
            .collect();
        let ids = lab.ids();
        let own = ids
            .lines()
            .filter(|l| !shared.iter().any(|s| s == l) && !l.contains("-shared-dev"));
        own.collect::<Vec<_>>().join("\n")
    };
    let blue = but_shared();
    // Killed in the middle: half of green is there.
    let since = lab.mark();
    let mut child = lab.spawn(APPLY);
    until_writes(&lab, since, 40);
    child.kill();
    lab.run(&["destroy", "--env", "green", "--yes", "--destroy-data"])
        .expect(0);
    assert_eq!(but_shared(), blue, "blue is as it was");
    lab.run(&["plan", "--env", "blue"]).expect(0);
    lab.run(APPLY).expect(0);
    lab.run(&["destroy", "--env", "green", "--yes", "--destroy-data"])
        .expect(0);
    assert_eq!(but_shared(), blue, "blue is as it was");
    lab.run(&["plan", "--env", "blue"]).expect(0);
    for name in ["-INT", "-TERM"] {
        let since = lab.mark();
        lab.faults(&json!({"delay_ms": 150}));
        let child = lab.spawn(DESTROY);
        until_writes(&lab, since, 5);
        child.signal(name);
        let done = child.ended().expect(130);
        assert!(
            done.err.contains("nterrupted") || done.out.contains("nterrupted"),
            "{done:?}"
        );
        lab.faults(&json!({}));
        assert_ne!(lab.ids(), empty);
    }
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty);
}

#[test]
fn a_stop_does_not_wait_for_what_settles() {
    let lab = Lab::with_latency("aws/20");
    let empty = lab.ids();
    let since = lab.mark();
    let child = lab.spawn(GREEN);
    // The cluster and its instances take half a minute and more from here.
    let made = || lab.writes(since).iter().any(|w| w == "rds:CreateDBCluster");
    until(|| lab.writes(since), made);
    child.signal("-INT");
    child.ended().expect(130);
    lab.control("POST", "latency", &json!({"latency": "none"}));
    lab.run(GREEN).expect(0);
    lab.run(&["plan", "--env", "green"]).expect(0);
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty);
}

/// What a run of both environments begins, a later one finishes: the weights of the domain's records are those of one run.
#[test]
fn a_first_run_that_is_killed_at_its_records_ends_as_a_clean_one() {
    let lab = Lab::start();
    let records = ["route53:ChangeResourceRecordSets"];
    lab.faults(&json!({"hang_after": "every_new", "only": records}));
    let mut kills = 0;
    while lab
        .killed_when("hang_after", &[APPLY, &["--parallelism", "1"]].concat())
        .map(|done| done.expect(0))
        .is_none()
    {
        kills += 1;
    }
    assert!(kills > 4, "{kills}");
    same(&lab.inventory(), &Lab::both().inventory());
}
