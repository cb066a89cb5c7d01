//! Commands of a shift on the sandbox, and what they leave there.

use super::load::{Load, weights};
use crate::support::again;
use crate::support::lab::{Done, Lab};
use crate::support::running::Running;
use serde_json::{Value, json};
use std::process::Command;

/// Minutes are a second: what a busy machine does in one is done in its minute.
pub const RATE: f64 = 60.0;

/// Both sides, and functions that say the data is safe in a split.
pub fn lab() -> Lab {
    let lab = Lab::both();
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/lambda/mappings/default.json");
    let mut mapping: Value =
        serde_json::from_str(&std::fs::read_to_string(mapping).unwrap()).unwrap();
    mapping["mode"] = json!("two-way");
    std::fs::write(lab.dir.path().join("mapping.json"), mapping.to_string()).unwrap();
    let config = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, text + "[migration]\nmapping = \"mapping.json\"\n").unwrap();
    answer(&lab, "both", true);
    lab
}

/// What the functions answer.
pub fn answer(lab: &Lab, writer: &str, equal: bool) {
    let stream = json!({"slot": "active", "lagSeconds": 0.4, "quarantined": 0});
    let verdict = if equal { "equal" } else { "different" };
    let body = json!({
        "function-control-green-dev": {"status": "ok", "writer": writer, "forward": stream, "reverse": stream},
        "function-verify-green-dev": {"ok": equal, "verdict": verdict, "problems": ["2 rows differ"], "mismatches": if equal { 0 } else { 2 }},
    });
    lab.control("POST", "answers", &body);
}

pub fn command(lab: &Lab, load: &Load<'_>, arguments: &[&str]) -> Command {
    let mut command = lab.command(arguments);
    command.env("DEPLOYER_CLOCK_RATE", load.clock());
    command
}

pub fn run(lab: &Lab, load: &Load<'_>, arguments: &[&str]) -> Done {
    crate::support::lab::finish(&mut command(lab, load, arguments))
}

pub fn start(lab: &Lab, load: &Load<'_>, arguments: &[&str]) -> Running {
    Running::start(&mut command(lab, load, arguments))
}

pub fn ended(running: Running) -> (i32, String) {
    let done = running.ended();
    (done.code, done.out + &done.err)
}

/// Waits until the weights are these.
pub fn until(lab: &Lab, wanted: [u64; 2]) {
    again::until(|| weights(lab), || weights(lab) == wanted);
}

pub fn events(lab: &Lab) -> Vec<String> {
    let done = lab.run(&["traffic", "history", "--json"]).expect(0).json();
    let lines = done["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|l| l["event"].as_str().unwrap().to_owned())
        .collect()
}

/// Somebody sets the weight of green's record without a command of ours.
pub fn green_by_hand(lab: &Lab, weight: u64) {
    let script = r#"
r = c("route53")
z = r.list_hosted_zones()["HostedZones"][0]["Id"]
for s in r.list_resource_record_sets(HostedZoneId=z)["ResourceRecordSets"]:
    if s.get("SetIdentifier", "").startswith("record-green-"):
        change = {"Action": "UPSERT", "ResourceRecordSet": s | {"Weight": WEIGHT}}
        r.change_resource_record_sets(HostedZoneId=z, ChangeBatch={"Changes": [change]})
"#;
    lab.python(&script.replace("WEIGHT", &weight.to_string()));
}

/// The nightly check names the weight of green's record, with its reason, and no other range.
pub fn drift_names_green(lab: &Lab, reason: &str) {
    let drift = lab.run(&["drift", "--json"]).expect(2).json();
    let steps = drift["steps"].as_array().unwrap().iter();
    let named: Vec<&Value> = steps.filter(|s| s["status"] == "out_of_range").collect();
    let ids: Vec<&Value> = named.iter().map(|s| &s["step"]).collect();
    assert_eq!(ids, ["record-green"], "{named:?}");
    assert!(named[0].to_string().contains(reason), "{named:?}");
}

/// More tasks of payment-api run on blue.
pub const BUSY: &str = r#"
e = c("ecs")
for arn in e.list_services(cluster="cluster-blue-dev")["serviceArns"]:
    if "payment-api" in arn: e.update_service(cluster="cluster-blue-dev", service=arn, desiredCount=5)
"#;

/// The fewest tasks of payment-api and the least capacity of the databases, of blue and green.
pub fn least(lab: &Lab) -> Value {
    let text = lab.python(
        r#"
s, r = c("application-autoscaling"), c("rds")
tasks = {x["ResourceId"].split("/")[1]: str(x["MinCapacity"]) for x in s.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] if "payment-api" in x["ResourceId"]}
acu = {x["DBClusterIdentifier"]: x["ServerlessV2ScalingConfiguration"]["MinCapacity"] for x in r.describe_db_clusters()["DBClusters"]}
sides = ["blue", "green"]
print(json.dumps([[tasks[f"cluster-{x}-dev"] for x in sides], [acu[f"aurora-{x}-dev"] for x in sides]]))
"#,
    );
    serde_json::from_str(&text).unwrap()
}

/// The name of green's target group of payment-api.
pub fn group(lab: &Lab) -> String {
    let text = std::fs::read_to_string(lab.dir.path().join("state/dev.json")).unwrap();
    let state: Value = serde_json::from_str(&text).unwrap();
    state["steps"]["tg-payment-api-green"]["name"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub fn events_there(lab: &Lab, event: &str) -> bool {
    let path = lab.dir.path().join("state/dev.traffic.jsonl");
    std::fs::read_to_string(path).is_ok_and(|text| text.contains(event))
}
