//! Whose it is: half a mark, the mark of another region, a mark that was lost.

use crate::support::lab::{Clean, Lab, same};
use serde_json::{Value, json};
use std::path::Path;

const GREEN: &[&str] = &["apply", "--env", "green", "--yes"];
const DESTROY: &[&str] = &["destroy", "--yes", "--destroy-data"];

/// One tag of our mark each, put by another tool on things with our names.
const HALF: &str = r#"
place = {"LocationConstraint": "eu-central-1"}
s3 = c("s3")
for bucket, tag in (("compliance-docs-green-dev", {"EnvironmentSuffix": "dev"}), ("transaction-logs-green-dev", {"DeployerStep": "transaction-logs-green"}), ("access-logs-green-dev", {"DeployerDeployment": "123456789012/eu-central-1/dev"})):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    s3.put_object(Bucket=bucket, Key="theirs", Body=b"1")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tag.items()]})
half = {"EnvironmentSuffix": "dev"}
pairs = lambda tags, k="Key", v="Value": [{k: a, v: b} for a, b in tags.items()]
named = lambda name: pairs({**half, "Name": name})
c("ec2").create_vpc(CidrBlock="10.99.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": named("vpc-green-dev")}])
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
c("iam").create_role(RoleName="role-flow-logs-green-dev", AssumeRolePolicyDocument=json.dumps(trust), Tags=pairs({**half, "DeployerStep": "role-flow-logs-green"}))
c("dynamodb").create_table(TableName="sessions-green-dev", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST", Tags=pairs(half))
c("logs").create_log_group(logGroupName="flow-logs-green-dev", tags=half)
key = c("kms").create_key(Tags=pairs(half, "TagKey", "TagValue"))["KeyMetadata"]["KeyId"]
c("kms").create_alias(AliasName="alias/data-green-dev", TargetKeyId=key)
"#;

const NAMES: [&str; 8] = [
    "compliance-docs-green-dev",
    "transaction-logs-green-dev",
    "access-logs-green-dev",
    "vpc-green-dev",
    "role-flow-logs-green-dev",
    "sessions-green-dev",
    "flow-logs-green-dev",
    "alias/data-green-dev",
];

#[test]
fn half_a_mark_without_a_record_is_foreign_named_and_left_alone() {
    let lab = Lab::start();
    lab.python(HALF);
    let (ids, inventory) = (lab.ids(), lab.inventory());
    let since = lab.mark();
    for command in [&["plan", "--env", "green"][..], GREEN] {
        let done = lab.run(command).expect(1);
        let reported = done.out + &done.err;
        for name in NAMES {
            assert!(
                reported.contains(&format!("`{name}`")),
                "{name}: {reported}"
            );
        }
    }
    let reported = lab.run(DESTROY).expect(0).out;
    for name in NAMES {
        assert!(
            reported.contains(&format!("`{name}`")),
            "{name}: {reported}"
        );
    }
    lab.run(&["state", "rebuild", "--yes"]).expect(0);
    let steps = lab.run(&["state", "list", "--json"]).expect(0).json();
    let kinds: Vec<_> = steps["steps"].as_array().unwrap().iter().collect();
    assert!(
        kinds
            .iter()
            .all(|s| s["kind"].as_str().unwrap().contains("default")),
        "{kinds:?}"
    );
    assert_eq!(lab.writes(since), Vec::<String>::new());
    assert_eq!(lab.ids(), ids);
    same(&lab.inventory(), &inventory);
}

/// Two networks and two keys, as two runs from two state folders make them.
const TWICE: &str = r#"
for _ in range(2):
    mark = lambda step: {"EnvironmentSuffix": "dev", "DeployerStep": step, "DeployerDeployment": "123456789012/eu-central-1/dev"}
    pairs = lambda tags, k, v: [{k: a, v: b} for a, b in tags.items()]
    vpc = pairs({**mark("vpc-green"), "Name": "vpc-green-dev"}, "Key", "Value")
    c("ec2").create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": vpc}])
    c("kms").create_key(Tags=pairs(mark("key-data-green"), "TagKey", "TagValue"))
"#;

#[test]
fn two_checkouts_of_one_deployment_are_the_first_thing_that_a_plan_says() {
    let lab = Lab::start();
    lab.python(TWICE);
    let since = lab.mark();
    let plan = lab.run(&["plan", "--env", "green"]).expect(1);
    let sentence = "more than one resource carries the ownership mark of 2 steps (key-data-green, vpc-green). ";
    let lines: Vec<&str> = plan.out.lines().collect();
    let at = lines.iter().position(|l| l.contains(sentence));
    let first = lines.iter().position(|l| *l == "green");
    assert!(at.unwrap() < first.unwrap(), "{}", plan.out);
    let plan = lab
        .run(&["plan", "--env", "green", "--json"])
        .expect(1)
        .json();
    assert!(
        plan["notes"][0].as_str().unwrap().starts_with(sentence),
        "{}",
        plan["notes"]
    );
    let drift = lab.run(&["drift", "--env", "green"]).expect(2);
    assert!(
        drift.out.starts_with(&format!("warning: {sentence}")),
        "{}",
        drift.out
    );
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

/// The same suffix in two regions of one account, each with a state of its own.
#[test]
fn a_deployment_of_another_region_is_foreign_also_where_names_are_global() {
    let lab = Lab::start();
    let empty = lab.ids();
    let at = |region: &'static str, state: &'static str, command: &[&'static str]| {
        let mut all = command.to_vec();
        all.extend(["--region", region, "--state-dir", state]);
        all
    };
    lab.run(GREEN).expect(0);
    let (ids, inventory) = (lab.ids(), lab.inventory());
    let since = lab.mark();
    let done = lab
        .run(&at(
            "us-east-1",
            "second",
            &["plan", "--env", "green", "--json"],
        ))
        .expect(1);
    let plan = done.json();
    assert_eq!(plan["summary"]["adopt"], 0, "{plan:#}");
    let problems = plan["problems"].to_string();
    for name in [
        "role-flow-logs-green-dev",
        "role-monitoring-green-dev",
        "access-logs-green-dev",
    ] {
        assert!(problems.contains(name), "{name}: {problems}");
    }
    lab.run(&at("us-east-1", "second", GREEN)).expect(1);
    lab.run(&at("us-east-1", "third", DESTROY)).expect(0);
    lab.run(&at("us-east-1", "fourth", &["state", "rebuild", "--yes"]))
        .expect(0);
    lab.run(&at("us-east-1", "fourth", DESTROY)).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
    assert_eq!(lab.ids(), ids);
    same(&lab.inventory(), &inventory);
    lab.run(&["drift", "--env", "green"]).expect(0);
    // Another suffix beside it shares nothing with it.
    let other = [GREEN, &["--suffix", "two"]].concat();
    lab.run(&other).expect(0);
    lab.run(&["plan", "--env", "green"]).expect(0);
    lab.run(&[DESTROY, &["--suffix", "two"]].concat()).expect(0);
    assert_eq!(lab.ids(), ids);
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.ids(), empty);
}

/// S3 answers a redirect for a bucket of another region.
#[test]
fn buckets_that_answer_from_another_region_are_named_and_left_alone() {
    let lab = Lab::start();
    let redirect = json!({"errors": {"s3:Get*": {
        "code": "PermanentRedirect",
        "message": "The bucket you are attempting to access must be addressed using the specified endpoint.",
        "status": 301,
    }}});
    lab.faults(&redirect);
    let since = lab.mark();
    let done = lab.run(GREEN).expect(1);
    let reported = done.out + &done.err;
    assert!(
        reported.contains(
            "the bucket name `compliance-docs-green-dev` is taken by a bucket in another region"
        ),
        "{reported}"
    );
    lab.run(DESTROY).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new());
}

fn steps_of(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap();
    let state: Value = serde_json::from_slice(&text).unwrap();
    state["steps"].clone()
}

#[test]
fn a_recorded_thing_that_lost_its_tags_stops_its_own_step_only_and_state_mark_puts_them_back() {
    let lab = Lab::green();
    let Clean {
        empty,
        inventory: clean,
    } = Lab::clean_green();
    const TAGS_GONE: &str = r#"
c("s3").delete_bucket_tagging(Bucket="compliance-docs-green-dev")
c("dynamodb").untag_resource(ResourceArn=c("dynamodb").describe_table(TableName="sessions-green-dev")["Table"]["TableArn"], TagKeys=["EnvironmentSuffix", "DeployerStep", "DeployerDeployment", "Environment", "Name"])
ec2 = c("ec2")
def id(call, key, name, id): return getattr(ec2, call)(Filters=[{"Name": "tag:Name", "Values": [name]}])[key][0][id]
def bare(thing): ec2.delete_tags(Resources=[thing], Tags=[{"Key": k} for k in ("EnvironmentSuffix", "DeployerStep", "DeployerDeployment")])
acl = id("describe_network_acls", "NetworkAcls", "acl-app-green-dev", "NetworkAclId")
bare(acl)
"#;
    const PORT_OPEN: &str = r#"
group = id("describe_security_groups", "SecurityGroups", "security-group-reporting-green-dev", "GroupId")
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
"#;
    lab.python(&(TAGS_GONE.to_owned() + PORT_OPEN));
    let done = lab
        .run(&["apply", "--env", "green", "--yes", "--json"])
        .expect(1);
    let report = done.json();
    let steps = report["steps"].as_array().unwrap();
    let outcome = |step: &str| {
        let row = steps.iter().find(|s| s["step"] == step);
        row.map_or(json!(null), |r| r["outcome"].clone())
    };
    let lost = ["acl-app-green", "compliance-docs-green", "sessions-green"];
    for step in lost {
        assert_eq!(outcome(step), "failed", "{step}: {report:#}");
        let mark = format!("DeployerStep={step}");
        assert!(done.err.contains(&mark), "{mark}: {}", done.err);
    }
    assert!(done.err.contains("`deployer state mark`"), "{}", done.err);
    assert_eq!(
        outcome("security-group-reporting-rules-green"),
        "done",
        "{report:#}"
    );

    // What stands in the way of its own removal only: the others go, and nothing is forgotten.
    let since = lab.mark();
    let plan = lab
        .run(&["state", "mark", "--dry-run", "--json"])
        .expect(2)
        .json();
    let marked: Vec<_> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["step"].clone())
        .collect();
    assert_eq!(json!(marked), json!(lost), "{plan:#}");
    assert_eq!(lab.writes(since), Vec::<String>::new());
    let state = lab.dir.path().join("state/dev.json");
    let recorded = steps_of(&state);
    lab.run(&["state", "mark", "compliance-docs-green", "--yes"])
        .expect(0);
    lab.run(&["state", "mark", "--yes", "--json"]).expect(0);
    same(&lab.inventory(), clean);
    let now = steps_of(&state);
    for (step, record) in recorded.as_object().unwrap() {
        assert_eq!(now[step]["outputs"], record["outputs"], "{step}");
        assert_eq!(now[step]["needs"], record["needs"], "{step}");
    }
    lab.run(&["drift", "--env", "green"]).expect(0);
    lab.run(&["state", "mark", "--dry-run"]).expect(0);
    lab.run(&["state", "mark", "nothing-green", "--yes"])
        .expect(3);

    // Destroy likewise.
    lab.python(TAGS_GONE);
    let done = lab.run(DESTROY).expect(1);
    for step in lost {
        let mark = format!("DeployerStep={step}");
        assert!(done.err.contains(&mark), "{mark}: {}", done.err);
    }
    let ids = lab.ids();
    assert!(
        !ids.contains("aurora-green-dev") && ids.contains("compliance-docs-green-dev"),
        "{ids}"
    );
    lab.run(&["state", "mark", "--yes"]).expect(0);
    lab.run(DESTROY).expect(0);
    assert_eq!(&lab.ids(), empty);
}

/// What belongs to a thing of ours is judged by the record first: a tag tool is no reason to delete a listener.
#[test]
fn listeners_and_rules_that_lost_their_tags_are_no_strangers_of_what_they_belong_to() {
    const TAGS_GONE: &str = r#"
elb = c("elbv2")
balancers = elb.describe_load_balancers()["LoadBalancers"]
listeners = [l["ListenerArn"] for b in balancers for l in elb.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"]]
rules = [r["RuleArn"] for l in listeners if "/app/" in l for r in elb.describe_rules(ListenerArn=l)["Rules"] if not r["IsDefault"]]
for arn in [listeners[0], *rules]: elb.remove_tags(ResourceArns=[arn], TagKeys=["DeployerStep"])
for arn in [b["LoadBalancerArn"] for b in balancers] + listeners[1:]: elb.remove_tags(ResourceArns=[arn], TagKeys=["DeployerStep", "DeployerDeployment", "EnvironmentSuffix"])
"#;
    let lab = Lab::green();
    let deletions = |since| {
        let writes = lab.writes(since);
        let deletes = writes.into_iter().filter(|w| w.contains(":Delete"));
        deletes.collect::<Vec<_>>()
    };
    lab.python(TAGS_GONE);
    let since = lab.mark();
    lab.run(&["apply", "--env", "green", "--yes"]).expect(1);
    assert_eq!(deletions(since), Vec::<String>::new(), "apply");
    lab.run(&["state", "mark", "--yes"]).expect(0);
    assert_eq!(deletions(since), Vec::<String>::new(), "state mark");
    lab.run(&["drift", "--env", "green"]).expect(0);
    same(&lab.inventory(), &Lab::clean_green().inventory);
}

/// What a deployer made that set two tags: recorded it is ours, unrecorded only where the region is known.
#[test]
fn the_two_tags_of_an_older_deployer_count_where_the_region_is_known() {
    let lab = Lab::green();
    let clean = &Lab::clean_green().inventory;
    let changed = lab.python(
        r#"
def without(tags, key): return [t for t in tags if t[key] != "DeployerDeployment"]
ec2 = c("ec2")
changed = set()
for page in ec2.get_paginator("describe_tags").paginate(Filters=[{"Name": "key", "Values": ["DeployerDeployment"]}]):
    for tag in page["Tags"]:
        ec2.delete_tags(Resources=[tag["ResourceId"]], Tags=[{"Key": "DeployerDeployment"}])
        changed.add(tag["ResourceId"])
iam, s3 = c("iam"), c("s3")
for role in ("role-flow-logs-green-dev", "role-monitoring-green-dev"):
    iam.untag_role(RoleName=role, TagKeys=["DeployerDeployment"])
    changed.add(role)
for bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
    tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": without(tags, "Key")})
    changed.add(bucket)
print(len(changed))
"#,
    );
    let changed: usize = changed.trim().parse().unwrap();
    // The older state knows nothing of the third tag either.
    let state = lab.dir.path().join("state/dev.json");
    let mut whole: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    for record in whole["steps"].as_object_mut().unwrap().values_mut() {
        record["tags"]
            .as_object_mut()
            .unwrap()
            .remove("DeployerDeployment");
    }
    std::fs::write(&state, whole.to_string()).unwrap();
    let plan = lab
        .run(&["plan", "--env", "green", "--json"])
        .expect(2)
        .json();
    let (change, replace) = (&plan["summary"]["update"], &plan["summary"]["replace"]);
    assert_eq!((change, replace), (&json!(changed), &json!(0)));

    // Without the record the network is found again; roles and buckets are named and left alone.
    let kept = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();
    let since = lab.mark();
    let plan = lab
        .run(&["plan", "--env", "green", "--json"])
        .expect(1)
        .json();
    assert!(
        plan["summary"]["adopt"].as_u64().unwrap() >= 40,
        "{}",
        plan["summary"]
    );
    let problems = plan["problems"].to_string();
    for name in [
        "role-flow-logs-green-dev",
        "role-monitoring-green-dev",
        "access-logs-green-dev",
    ] {
        assert!(problems.contains(name), "{name}: {problems}");
    }
    assert_eq!(lab.writes(since), Vec::<String>::new());

    std::fs::write(&state, kept).unwrap();
    lab.run(&["state", "mark", "--yes"]).expect(0);
    same(&lab.inventory(), clean);
    lab.run(&["plan", "--env", "green"]).expect(0);
}
