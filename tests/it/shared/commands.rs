//! The commands on a shared state: two hosts, push and pull, and drift without a state.

use super::hosts::{Host, PLACE, keys, share};
use crate::support::again::until;
use crate::support::lab::{Lab, finish};
use serde_json::{Value, json};
use std::time::Duration;

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];

/// How often an operation of S3 was called.
pub fn s3(lab: &Lab, since: u64, operation: &str) -> usize {
    let calls = lab.calls(since).into_iter();
    let called = |c: &Value| c["service"] == "s3" && c["operation"] == operation;
    calls.filter(called).count()
}

#[test]
fn a_second_host_goes_on_where_the_first_one_ended() {
    let lab = Lab::start();
    share(&lab);
    let (alpha, bravo) = (Host::new(&lab, "alpha", ""), Host::new(&lab, "bravo", ""));
    let since = lab.mark();
    let done = alpha.run(&[GREEN, &["--json"]].concat()).expect(0);
    let steps = done.json()["steps"].as_array().unwrap().len();
    let (puts, gets) = (s3(&lab, since, "PutObject"), s3(&lab, since, "GetObject"));
    println!("{steps} steps: {puts} writes and {gets} reads of the state");
    assert!(puts < 2 * steps, "{puts} writes for {steps} steps");
    // No file of a state is left on any host.
    assert!(!alpha.folder.join("state").exists());
    let since = lab.mark();
    bravo.run(&["plan", "--env", "green"]).expect(0);
    bravo.run(&["drift", "--env", "green"]).expect(0);
    let status = bravo.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["locked_by"], Value::Null, "{status}");
    bravo.run(&["outputs"]).expect(0);
    assert_eq!(
        lab.writes(since),
        Vec::<String>::new(),
        "reading writes nothing"
    );
    let again = bravo.run(&[GREEN, &["--json"]].concat()).expect(0).json();
    assert_eq!(again["summary"]["unchanged"], steps, "{}", again["summary"]);
    let history = alpha.run(&["state", "history", "--json"]).expect(0).json();
    let who: Vec<&str> = history["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["who"].as_str().unwrap())
        .collect();
    assert_eq!(
        who,
        [
            "user-of-alpha@alpha",
            "user-of-alpha@alpha",
            "user-of-bravo@bravo",
            "user-of-bravo@bravo"
        ]
    );
    // What a machine did to the traffic is in its own file first; the next command carries it over, once, and all see it.
    for host in [&alpha, &bravo] {
        let by = format!("me@{}", host.name);
        let line = json!({"n": 1, "at": "2026-01-02T03:04:05Z", "previous": "0".repeat(64), "event": "held", "by": by, "epoch": 1, "text": "nothing is decided"});
        std::fs::create_dir_all(host.folder.join("state")).unwrap();
        let path = host.folder.join("state/dev.traffic.jsonl");
        std::fs::write(path, format!("{line}\n")).unwrap();
    }
    let moves = |host: &Host| host.run(&["traffic", "history", "--json"]).expect(0).json();
    moves(&alpha);
    moves(&bravo);
    let all = moves(&alpha);
    let lines = all["lines"].as_array().unwrap();
    let by: Vec<&Value> = lines.iter().map(|line| &line["by"]).collect();
    assert_eq!(by, ["me@alpha", "me@bravo"], "{all}");
    // The bucket is no part of the deployment.
    let report = bravo.run(&["drift", "--json"]);
    assert!(!report.out.contains("states-of-a-team"), "{}", report.out);
    bravo.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    let left = keys(&lab);
    let kinds = |kind: &str| left.iter().filter(|k| k.contains(kind)).count();
    assert_eq!(
        (
            kinds("current.json"),
            kinds("/state/"),
            kinds("/history/"),
            kinds("/journal/")
        ),
        (1, 1, 1, 0),
        "{left:?}"
    );
}

#[test]
fn the_lock_of_another_host_is_believed_until_it_is_removed_and_then_it_is_fenced() {
    let lab = Lab::start();
    share(&lab);
    let (alpha, bravo) = (Host::new(&lab, "alpha", ""), Host::new(&lab, "bravo", ""));
    lab.faults(&json!({"hang_after": 1, "hang_seconds": 600, "only": ["ec2:CreateVpc"]}));
    let since = lab.mark();
    let first = alpha.spawn(GREEN);
    let lost = || lab.calls(since).iter().any(|c| c["lost"] == "hang_after");
    until(|| lab.calls(since), lost);
    // Everything else that can be made is made by now.
    std::thread::sleep(Duration::from_millis(1500));
    let locked = bravo.run(GREEN).expect(4);
    for word in [
        "user-of-alpha@alpha",
        "apply --env green",
        &first.id().to_string(),
        " UTC",
    ] {
        assert!(locked.err.contains(word), "{word}: {}", locked.err);
    }
    // On its own host it is known to be alive.
    let alive = alpha.run(&["state", "unlock"]).expect(4);
    assert!(alive.err.contains("user-of-alpha@alpha"), "{}", alive.err);
    let status = bravo.run(&["status"]).expect(0).out;
    assert!(status.contains("user-of-alpha@alpha"), "{status}");
    let removed = bravo.run(&["state", "unlock"]).expect(0).out;
    assert!(removed.contains("user-of-alpha@alpha"), "{removed}");
    lab.faults(&json!({}));
    bravo.run(GREEN).expect(0);
    let steps = || bravo.run(&["state", "list", "--json"]).expect(0).json()["steps"].clone();
    let recorded = steps();
    let inventory = lab.inventory();
    // The first one times out, wants to record, and finds out.
    let done = first.ended();
    assert!(done.code == 1 || done.code == 4, "{done:?}");
    assert!(
        done.err.contains("the lock of") && done.err.contains("was taken"),
        "{}",
        done.err
    );
    assert!(steps() == recorded);
    assert_eq!(lab.inventory(), inventory);
    bravo.run(&["plan", "--env", "green"]).expect(0);
}

#[test]
fn a_state_is_pushed_and_pulled_and_nothing_newer_is_overwritten() {
    let lab = Lab::green();
    share(&lab);
    let local = lab.dir.path().join("state/dev.json");
    let text = std::fs::read_to_string(&local).unwrap();
    let pushed = lab.run(&["state", "push", "--json"]).expect(0).json();
    assert_eq!(pushed["written"], true, "{pushed}");
    lab.run(&["plan", "--env", "green"]).expect(0);
    assert_eq!(
        lab.run(&["state", "push", "--json"]).expect(0).json()["written"],
        false
    );
    // A colleague takes it home: the same bytes.
    let bravo = Host::new(&lab, "bravo", "");
    bravo.run(&["state", "pull"]).expect(0);
    assert_eq!(
        std::fs::read_to_string(bravo.folder.join("state/dev.json")).unwrap(),
        text
    );
    bravo
        .run(&["plan", "--env", "green", "--state", "local"])
        .expect(0);
    // The shared one goes on: the local one is older and is not pushed over it.
    bravo.run(GREEN).expect(0);
    let older = lab.run(&["state", "push"]).expect(1);
    assert!(older.err.contains("is newer"), "{}", older.err);
    lab.run(&["state", "pull"]).expect(0);
    assert_eq!(
        lab.run(&["state", "pull", "--json"]).expect(0).json()["written"],
        false
    );
    // Both go on: neither continues the other.
    lab.run(&[GREEN, &["--state", "local"]].concat()).expect(0);
    bravo.run(GREEN).expect(0);
    for way in ["push", "pull"] {
        let apart = lab.run(&["state", way]).expect(1);
        assert!(apart.err.contains("neither continues"), "{}", apart.err);
    }
    // Of another account.
    let other = text.replace("123456789012", "999999999999");
    std::fs::write(&local, other).unwrap();
    std::fs::remove_file(local.with_file_name("dev.journal.jsonl")).unwrap();
    for way in ["push", "pull"] {
        let apart = lab.run(&["state", way]).expect(1);
        assert!(apart.err.contains("999999999999"), "{}", apart.err);
    }
    bravo.run(&["plan", "--env", "green"]).expect(0);
    let nowhere = lab.run(&["state", "push", "--state", "local"]).expect(3);
    assert!(nowhere.err.contains("local files"), "{}", nowhere.err);
}

#[test]
fn drift_without_a_state_trusts_the_tags_alone() {
    let lab = Lab::both();
    std::fs::remove_file(lab.dir.path().join("state/dev.json")).unwrap();
    let since = lab.mark();
    lab.run(&["drift"]).expect(2);
    let report = lab.run(&["drift", "--no-state", "--json"]).expect(0).json();
    let states = |status: &str| {
        let steps = report["steps"].as_array().unwrap().iter();
        steps.filter(|s| s["status"] == status).count()
    };
    assert!(
        states("in_sync") > 300 && states("unmanaged") == 0,
        "{report}"
    );
    lab.python(
        r#"
ec2 = c("ec2")
group = ec2.describe_security_groups(Filters=[{"Name": "tag:EnvironmentSuffix", "Values": ["dev"]}])["SecurityGroups"][0]["GroupId"]
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
"#,
    );
    let found = lab.run(&["drift", "--no-state"]).expect(2).out;
    assert!(found.contains("tcp/22"), "{found}");
    let own = ["ec2:AuthorizeSecurityGroupIngress"];
    assert_eq!(lab.writes(since), own);
    // A state that was damaged, or that belongs to another account, does not matter.
    std::fs::write(lab.dir.path().join("state/dev.json"), "{").unwrap();
    let mut command = lab.command(&["drift", "--no-state"]);
    finish(&mut command).expect(2);
}

#[test]
fn the_policy_allows_a_shared_state_to_its_deployment_alone() {
    let lab = Lab::start();
    let allowed = |arguments: &[&str]| {
        let policy = lab
            .run(&[&["permissions"], arguments].concat())
            .expect(0)
            .json();
        let statements = policy["Statement"].as_array().unwrap().clone().into_iter();
        let ours = statements.filter(|s| s["Resource"].to_string().contains("states-of-a-team"));
        ours.map(|s| format!("{} {}", s["Action"], s["Resource"]))
            .collect::<Vec<_>>()
    };
    let all = allowed(&["--state", PLACE]);
    assert_eq!(
        all,
        [
            r#"["s3:DeleteObject","s3:GetObject","s3:PutObject"] ["arn:aws:s3:::states-of-a-team/platform/dev/*"]"#,
            r#"["s3:ListBucket"] ["arn:aws:s3:::states-of-a-team"]"#,
        ]
    );
    let reads = allowed(&["--state", PLACE, "--read-only"]);
    assert_eq!(
        reads,
        [
            r#"["s3:GetObject"] ["arn:aws:s3:::states-of-a-team/platform/dev/*"]"#,
            r#"["s3:ListBucket"] ["arn:aws:s3:::states-of-a-team"]"#,
        ]
    );
    assert_eq!(allowed(&[]), Vec::<String>::new());
    // What makes the bucket is asked for by a person, once, and is a policy of its own.
    let init = allowed(&["--state", PLACE, "--for", "state-init"]);
    assert!(
        init.len() == 1 && init[0].contains("s3:PutBucketPolicy"),
        "{init:?}"
    );
    lab.run(&["permissions", "--for", "state-init"]).expect(3);
}
