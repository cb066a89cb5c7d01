//! A cutover and its way back, by the commands.

use super::{CONTROL, VERIFY, answer, lab, on, switched};
use crate::support::lab::{Lab, finish};
use crate::traffic::load::weights;
use serde_json::{Value, json};

/// Weights of blue and green, whether their bridges are on, and how long their balancers keep an idle connection, as another
/// client sees them.
fn routed(lab: &Lab) -> ([u64; 2], Value) {
    let text = lab.python(
        r#"
lb = c("elbv2")
groups = {g["TargetGroupArn"]: g["TargetGroupName"] for g in lb.describe_target_groups()["TargetGroups"]}
on, idle = {}, {}
for b in lb.describe_load_balancers()["LoadBalancers"]:
    if b["Type"] != "application": continue
    side = "blue" if "blue" in b["LoadBalancerName"] else "green"
    kept = lb.describe_load_balancer_attributes(LoadBalancerArn=b["LoadBalancerArn"])["Attributes"]
    idle[side] = next(a["Value"] for a in kept if a["Key"].startswith("idle"))
    for l in lb.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"]:
        for rule in lb.describe_rules(ListenerArn=l["ListenerArn"])["Rules"]:
            for a in rule["Actions"]:
                name = groups.get(a.get("TargetGroupArn"), "")
                if "bridge" in name:
                    on["blue" if "blue" in name else "green"] = any(k["Field"] == "path-pattern" for k in rule["Conditions"])
print(json.dumps(on | {"idle": idle}))
"#,
    );
    (weights(lab), serde_json::from_str(&text).unwrap())
}

#[test]
fn a_cutover_gives_green_writes_and_traffic_and_a_rollback_takes_both_back() {
    let lab = lab();
    lab.run(&["traffic", "rollback"]).expect(0);
    let equal = json!({"ok": true, "verdict": "equal", "tables": [{}], "problems": [], "mismatches": 0, "quarantined": 0});
    let unequal = json!({"ok": false, "verdict": "different", "tables": [{}], "problems": ["public.payments: 1 row differs"]});
    answer(&lab, VERIFY, &json!({"": unequal}));
    let done = lab.run(&["migrate", "cutover", "--go", "--yes"]).expect(8);
    assert!(done.err.contains("1 row differs"), "{}", done.err);
    answer(&lab, VERIFY, &json!({"": equal}));
    let no = json!({"name": "PermanentError", "code": "HELD_ROWS", "message": "3 rows of blue are in quarantine on green", "hint": "correct the rows"});
    let status = |writer: &str| json!({"status": "ok", "writer": writer});
    answer(
        &lab,
        CONTROL,
        &json!({"cutover": {"status": "failed", "error": no, "transient": false}, "status": status("blue")}),
    );
    let done = lab.run(&["migrate", "cutover", "--go", "--yes"]).expect(8);
    assert!(
        done.err.contains("3 rows of blue are in quarantine")
            && done.err.contains("correct the rows"),
        "{}",
        done.err
    );
    let before = routed(&lab);
    assert_eq!(before.0, [100, 0]);
    assert_eq!(before.1["idle"], json!({"blue": "120", "green": "60"}));

    let cut = json!({"status": "done", "writer": "green", "already": false, "refusedMs": 310, "unreversed": 0});
    answer(
        &lab,
        CONTROL,
        &json!({"cutover": cut, "status": status("green")}),
    );
    let done = lab
        .run(&["migrate", "cutover", "--go", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(done["cutover"]["cut"]["refused_ms"], json!(310.0));
    assert_eq!(done["cutover"]["note"]["green_writes"], json!(true));
    assert_eq!(on(&lab), switched(true, true));
    let after = routed(&lab);
    assert_eq!(after.0, [0, 100]);
    assert_eq!(after.1["green"], json!(false));
    // Who is called keeps connections longer; nobody takes that for drift.
    assert_eq!(after.1["idle"], json!({"blue": "120", "green": "180"}));
    lab.run(&["drift"]).expect(0);
    let shown = lab.run(&["traffic", "status"]);
    assert!(
        shown.out.contains(
            "writes     green alone takes them; blue refuses them until `deployer traffic rollback`"
        ),
        "{}",
        shown.out
    );
    // It can be repeated; a shift and the end of the migration are refused.
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut again = lab.command(&["migrate", "cutover", "--go", "--yes"]);
    // The change of the first run is waited for, at sixty times the speed.
    again.env(
        "DEPLOYER_CLOCK_RATE",
        format!("60@{}", unix.unwrap().as_secs()),
    );
    finish(&mut again).expect(0);
    lab.run(&["migrate", "stop", "--yes"]).expect(8);
    let done = lab.run(&["traffic", "rollback", "--print-aws"]).expect(0);
    assert!(
        done.out.contains("aws lambda invoke") && done.out.contains(CONTROL),
        "{}",
        done.out
    );
    // Blue is closed: without the writes the traffic stays where it is.
    let no = json!({"name": "PermanentError", "code": "FENCE_NOT_RAISED", "message": "the fence was not raised"});
    answer(
        &lab,
        CONTROL,
        &json!({"cutover": {"status": "failed", "error": no, "transient": true}, "status": status("green")}),
    );
    let done = lab.run(&["traffic", "rollback"]).expect(1);
    assert!(
        done.err.contains("the traffic stays on green") && done.err.contains("FENCE_NOT_RAISED"),
        "{}",
        done.err
    );
    assert_eq!(routed(&lab), after);
    let gone = json!({"status": "forced", "writer": "blue", "blueHas": {"until": "2026-01-02 03:04:05+00", "lsn": "16/B3"}});
    answer(
        &lab,
        CONTROL,
        &json!({"cutover": gone, "status": status("blue")}),
    );
    let done = lab.run(&["migrate", "cutover", "--reverse"]).expect(0);
    assert!(
        done.out.contains("Blue takes the writes") && done.out.contains("2026-01-02 03:04:05+00"),
        "{}",
        done.out
    );
    let back = routed(&lab);
    assert_eq!((back.0, &back.1["idle"]), (before.0, &before.1["idle"]));
    answer(
        &lab,
        CONTROL,
        &json!({"status": status("blue"), "finish": {"status": "finished", "slotDropped": true}}),
    );
    lab.run(&["migrate", "cutover", "--finish", "--yes"])
        .expect(0);
    assert_eq!(on(&lab), switched(false, false));
}
