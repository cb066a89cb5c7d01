//! The commands on a shared state: the bucket, two hosts, push and pull, and what the bucket refuses.

use super::hosts::{Host, PLACE, ended, keys, share};
use crate::support::lab::{Lab, finish};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];

/// How often an operation of S3 was called.
fn s3(lab: &Lab, since: u64, operation: &str) -> usize {
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
fn the_bucket_is_made_once_and_one_of_somebody_else_is_checked() {
    let lab = Lab::start();
    let missing = Host::new(&lab, "alpha", "").run(&["status"]).expect(1);
    assert!(missing.err.contains("state init"), "{}", missing.err);
    share(&lab);
    let settings = lab.python(
        r#"
s3 = c("s3")
b = {"Bucket": "states-of-a-team"}
print(json.dumps({
  "versions": s3.get_bucket_versioning(**b).get("Status"),
  "encrypted": s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
  "closed": sorted(set(s3.get_public_access_block(**b)["PublicAccessBlockConfiguration"].values())),
  "policy": [s["Sid"] for s in json.loads(s3.get_bucket_policy(**b)["Policy"])["Statement"]],
  "tags": sorted(t["Key"] for t in s3.get_bucket_tagging(**b)["TagSet"]),
}))
"#,
    );
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let expected = json!({
        "versions": "Enabled", "encrypted": "AES256", "closed": [true],
        "policy": ["DenyOldTls", "DenyPlainHttp"],
        "tags": ["CostCenter", "ManagedBy", "Purpose", "Service"],
    });
    assert_eq!(settings, expected);
    let init = ["state", "init", "--yes", "--json"];
    let since = lab.mark();
    assert_eq!(lab.run(&init).expect(0).json()["created"], false);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    // Somebody changed it: it is completed.
    lab.python(r#"c("s3").put_bucket_versioning(Bucket="states-of-a-team", VersioningConfiguration={"Status": "Suspended"})"#);
    assert_eq!(
        lab.run(&init).expect(0).json()["changed"],
        json!(["versioning"])
    );
    // What somebody made stronger, or added, stays as it is.
    lab.python(
        r#"
s3 = c("s3")
b = {"Bucket": "states-of-a-team"}
key = c("kms").create_key()["KeyMetadata"]["Arn"]
s3.put_bucket_encryption(**b, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]})
policy = json.loads(s3.get_bucket_policy(**b)["Policy"])
policy["Statement"].append({"Sid": "Others", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::states-of-a-team"})
s3.put_bucket_policy(**b, Policy=json.dumps(policy))
"#,
    );
    let since = lab.mark();
    assert_eq!(lab.run(&init).expect(0).json()["changed"], json!([]));
    assert_eq!(lab.writes(since), Vec::<String>::new());
    // A bucket of somebody else is never changed.
    lab.python(
        r#"
s3 = c("s3")
for name in ("theirs-open", "theirs-fit"):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
s3.delete_public_access_block(Bucket="theirs-open")
s3.put_bucket_versioning(Bucket="theirs-fit", VersioningConfiguration={"Status": "Enabled"})
both = ["arn:aws:s3:::theirs-fit", "arn:aws:s3:::theirs-fit/*"]
deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
s3.put_bucket_policy(Bucket="theirs-fit", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
"#,
    );
    let since = lab.mark();
    let open = lab
        .run(&["state", "init", "--yes", "--state", "s3://theirs-open"])
        .expect(1);
    for word in [
        "no versioning",
        "public access block",
        "aws:SecureTransport",
    ] {
        assert!(open.err.contains(word), "{word}: {}", open.err);
    }
    lab.run(&["state", "init", "--yes", "--state", "s3://theirs-fit/x"])
        .expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    let local = lab.run(&["state", "init", "--state", "local"]).expect(3);
    assert!(local.err.contains("s3://BUCKET"), "{}", local.err);
    lab.run(&["status", "--state", "s3://Bad_Name"]).expect(3);
}

#[test]
fn a_bucket_in_another_region_serves_as_well() {
    let lab = Lab::start();
    lab.python(
        r#"
s3 = boto3.client("s3", endpoint_url=c("s3").meta.endpoint_url, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
s3.create_bucket(Bucket="states-of-a-team", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
"#,
    );
    let alpha = Host::new(&lab, "alpha", "");
    alpha.run(&["apply", "--env", "green", "--yes"]).expect(0);
    let calls = lab.calls(0).into_iter();
    let regions = calls
        .filter(|c| c["operation"] == "PutObject")
        .map(|c| c["region"].clone());
    let mut regions: Vec<Value> = regions.collect();
    regions.dedup();
    assert_eq!(regions, ["eu-west-1"]);
}

#[test]
fn the_lock_of_another_host_is_believed_until_it_is_removed_and_then_it_is_fenced() {
    let lab = Lab::start();
    share(&lab);
    let (alpha, bravo) = (Host::new(&lab, "alpha", ""), Host::new(&lab, "bravo", ""));
    lab.faults(&json!({"hang_after": 1, "hang_seconds": 600, "only": ["ec2:CreateVpc"]}));
    let since = lab.mark();
    let first = alpha.spawn(GREEN);
    let began = Instant::now();
    while !lab.calls(since).iter().any(|c| c["lost"] == "hang_after") {
        assert!(began.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(20));
    }
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
    let recorded = bravo.run(&["state", "list", "--json"]).expect(0).json();
    let inventory = lab.inventory();
    // The first one times out, wants to record, and finds out.
    let done = ended(first);
    assert!(done.code == 1 || done.code == 4, "{done:?}");
    assert!(
        done.err.contains("the lock of") && done.err.contains("was taken"),
        "{}",
        done.err
    );
    assert_eq!(
        bravo.run(&["state", "list", "--json"]).expect(0).json(),
        recorded
    );
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
fn what_the_bucket_refuses_has_a_hint_and_nothing_is_called() {
    let lab = Lab::start();
    share(&lab);
    let denied = |action: &str| json!({"deny": [action]});
    let error = |code: &str, status: u16| json!({"errors": {"s3:GetObject": {"code": code, "message": "it is so", "status": status}}});
    for (faults, word) in [
        (denied("s3:GetObject"), "allow `s3:GetObject`"),
        (denied("s3:PutObject"), "allow `s3:PutObject`"),
        (error("ExpiredToken", 403), "log in again"),
        (error("RequestTimeTooSkewed", 403), "clock"),
    ] {
        let since = lab.mark();
        lab.faults(&faults);
        let done = lab.run(GREEN).expect(1);
        assert!(
            done.err.contains(word) && done.err.contains("hint:"),
            "{word}: {}",
            done.err
        );
        let writes = lab.writes(since);
        assert!(writes.iter().all(|w| w == "s3:PutObject"), "{writes:?}");
        lab.faults(&json!({}));
    }
    // Without permission for the bucket, the tags alone tell.
    lab.faults(&json!({"deny": ["s3:GetObject", "s3:HeadBucket"]}));
    let since = lab.mark();
    lab.run(&["drift", "--env", "green", "--no-state"])
        .expect(2);
    assert_eq!(s3(&lab, since, "GetObject"), 0);
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

#[test]
fn a_damaged_state_in_the_bucket_is_named_kept_and_rebuilt() {
    let lab = Lab::green();
    share(&lab);
    lab.run(&["state", "push"]).expect(0);
    let steps = |lab: &Lab| {
        let list = lab.run(&["state", "list", "--json"]).expect(0).json();
        list["steps"].as_array().unwrap().len()
    };
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    let before = steps(&lab);
    for part in ["state/", "current.json"] {
        let key = keys(&lab)
            .into_iter()
            .find(|k| k.contains(&format!("dev/{part}")))
            .unwrap();
        lab.python(&format!(
            r#"c("s3").put_object(Bucket="states-of-a-team", Key="{key}", Body=b"{{ torn")"#
        ));
        let since = lab.mark();
        for command in [GREEN, &["plan"], &["drift"], &["status"]] {
            let done = lab.run(command).expect(1);
            assert!(done.err.contains("states-of-a-team"), "{}", done.err);
            assert!(done.err.contains("state rebuild"), "{}", done.err);
        }
        let platform = lab
            .writes(since)
            .into_iter()
            .filter(|w| w != "s3:PutObject");
        assert_eq!(platform.collect::<Vec<_>>(), Vec::<String>::new());
        let rebuilt = lab.run(&["state", "rebuild", "--yes"]).expect(0);
        assert!(rebuilt.err.contains("damaged/"), "{}", rebuilt.err);
        assert_eq!(steps(&lab), before);
        lab.run(&["plan", "--env", "green"]).expect(0);
    }
    let kept = keys(&lab).into_iter().filter(|k| k.contains("/damaged/"));
    assert_eq!(kept.count(), 2);
    // Something that is named was deleted.
    let key = keys(&lab)
        .into_iter()
        .find(|k| k.contains("dev/state/"))
        .unwrap();
    lab.python(&format!(
        r#"c("s3").delete_object(Bucket="states-of-a-team", Key="{key}")"#
    ));
    let done = lab.run(&["plan"]).expect(1);
    assert!(done.err.contains("was deleted"), "{}", done.err);
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    assert_eq!(steps(&lab), before);
}
