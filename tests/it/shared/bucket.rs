//! The bucket of a shared state: made once, in any region, what it refuses, and what is damaged in it.

use super::commands::s3;
use super::hosts::{Host, keys, share};
use crate::support::lab::Lab;
use serde_json::{Value, json};

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];

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
        let key = current(&lab, part);
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
    // Which state was current is not known without `current.json`: all that is there is kept.
    for (part, least) in [("state/", 2), ("history/", 1), ("current.json", 1)] {
        let mut kept = keys(&lab);
        kept.retain(|k| k.contains("/damaged/") && k.contains(part));
        assert!(kept.len() >= least, "{kept:?}");
    }
    // Something was deleted: what is named, or what names.
    for part in ["state/", "current.json"] {
        let key = current(&lab, part);
        lab.python(&format!(
            r#"c("s3").delete_object(Bucket="states-of-a-team", Key="{key}")"#
        ));
        for command in [GREEN, &["plan"], &["status"]] {
            let done = lab.run(command).expect(1);
            assert!(done.err.contains("was deleted"), "{}", done.err);
            assert!(done.err.contains("list-object-versions"), "{}", done.err);
        }
        lab.run(&["state", "rebuild", "--yes"]).expect(0);
        assert_eq!(steps(&lab), before);
        lab.run(&["plan", "--env", "green"]).expect(0);
    }
}

/// The state does not depend on the history: what happens to that one stops no look, and a new one begins with the user's word.
#[test]
fn a_damaged_history_in_the_bucket_takes_no_state_with_it() {
    let lab = Lab::green();
    share(&lab);
    lab.run(&["state", "push"]).expect(0);
    let runs = || {
        let history = lab.run(&["state", "history", "--json"]).expect(0).json();
        history["runs"].as_array().unwrap().len()
    };
    lab.run(GREEN).expect(0);
    let before = runs();
    // A line that is not whole is written over, however it came about.
    let key = current(&lab, "history/");
    lab.python(&format!(
        r#"s3 = c("s3"); place = {{"Bucket": "states-of-a-team", "Key": "{key}"}}
s3.put_object(**place, Body=s3.get_object(**place)["Body"].read()[:-20])"#
    ));
    for _ in 0..2 {
        lab.run(GREEN).expect(0);
    }
    assert_eq!(runs(), before - 1 + 4);
    let key = current(&lab, "history/");
    lab.python(&format!(
        r#"c("s3").delete_object(Bucket="states-of-a-team", Key="{key}")"#
    ));
    for command in [&["plan"][..], &["drift", "--env", "green"], &["status"]] {
        let done = lab.run(command);
        assert!(done.code != 1, "{command:?}: {}", done.err);
    }
    let done = lab.run(GREEN).expect(1);
    assert!(done.err.contains("was deleted"), "{}", done.err);
    let state = current(&lab, "state/");
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    assert!(
        !keys(&lab)
            .iter()
            .any(|k| k.contains("/damaged/") && k.contains(&state))
    );
    lab.run(GREEN).expect(0);
    assert_eq!(runs(), 2);
}

/// The newest key of this part.
fn current(lab: &Lab, part: &str) -> String {
    let mut all = keys(lab);
    all.retain(|k| k.contains(&format!("dev/{part}")));
    all.into_iter().max().unwrap()
}
