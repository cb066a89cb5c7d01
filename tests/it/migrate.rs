//! The migration's functions, called and switched by the command; what they answer is given, since no function runs here.

mod cutover;
mod schema;

use crate::support::lab::Lab;
pub use schema::schema;
use serde_json::{Value, json};

const SYNC: &str = "function-sync-green-dev";
const CONTROL: &str = "function-control-green-dev";
const VERIFY: &str = "function-verify-green-dev";

fn answer(lab: &Lab, function: &str, actions: &Value) {
    lab.control("POST", "answers", &json!({function: {"actions": actions}}));
}

/// Functions as they are before a migration.
pub fn lab() -> Lab {
    let lab = Lab::both();
    let none =
        json!({"status": "ok", "slot": "none", "lagBytes": 0, "retainedBytes": 0, "phase": "none"});
    answer(
        &lab,
        SYNC,
        &json!({"status": none, "stop": {"status": "stopped", "slotDropped": true, "publicationDropped": true, "targetReached": true}}),
    );
    let fence = json!({"state": "none", "complete": false});
    answer(
        &lab,
        CONTROL,
        &json!({
            "status": {"status": "ok", "writer": "blue", "fences": {"blue": fence, "green": fence}, "forward": none, "reverse": none},
            "hash-key": {"status": "made", "bytes": 32},
            "plan": {"status": "ok", "reversible": false, "exact": ["public.payments.amount"], "guarded": [], "kept": [], "irreversible": ["public.cards.pan"]},
            "prepare": {"status": "prepared", "writer": "blue", "forwardMs": 120, "reverseMs": 95},
            "finish": {"status": "finished", "slotDropped": true},
        }),
    );
    lab
}

/// What calls the functions, as another client sees it.
fn on(lab: &Lab) -> Value {
    let text = lab.python(
        r#"
s, l = c("scheduler"), c("lambda")
out = {x["Name"]: s.get_schedule(GroupName=x["GroupName"], Name=x["Name"])["State"] == "ENABLED" for x in s.list_schedules()["Schedules"]}
out |= {m["FunctionArn"].split(":")[-1]: m["State"] == "Enabled" for m in l.list_event_source_mappings()["EventSourceMappings"]}
print(json.dumps(out))
"#,
    );
    serde_json::from_str(&text).unwrap()
}

const PREPARE: &[&str] = &[
    "migrate",
    "cutover",
    "--prepare",
    "--yes",
    "--accept",
    "public.cards.pan",
];

/// Green's bridge is switched off.
const GREEN_CALLS_NO_LONGER: &str = r#"
lb = c("elbv2")
green = lb.describe_load_balancers(Names=["alb-green-dev"])["LoadBalancers"][0]["LoadBalancerArn"]
bridge = [g["TargetGroupArn"] for g in lb.describe_target_groups()["TargetGroups"] if g["TargetGroupName"].startswith("bridge-green-dev")]
for listener in lb.describe_listeners(LoadBalancerArn=green)["Listeners"]:
    for rule in lb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
        if any(action.get("TargetGroupArn") in bridge for action in rule["Actions"]):
            nobody = {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/32"]}}
            lb.modify_rule(RuleArn=rule["RuleArn"], Conditions=[nobody])
"#;

fn switched(forward: bool, back: bool) -> Value {
    json!({
        "schedule-sync-green-dev": forward,
        "function-sessions-green-dev": forward,
        "schedule-sync-reverse-green-dev": back,
        "function-sessions-reverse-green-dev": back,
    })
}

#[test]
fn a_migration_is_started_paused_prepared_and_ended() {
    let lab = lab();
    // Customers on green: a copy would overwrite what they write.
    let done = lab.run(&["migrate", "start", "--yes"]).expect(8);
    assert!(
        done.err
            .contains("green gets customers (blue 90, green 10)"),
        "{}",
        done.err
    );
    lab.run(&["traffic", "rollback"]).expect(0);

    let done = lab
        .run(&["migrate", "start", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(done["changed"], json!(["sync", "sessions"]));
    let next = done["next"].as_str().unwrap();
    assert!(
        next.starts_with("deployer migrate status --watch --suffix dev"),
        "{next}"
    );
    assert_eq!(on(&lab), switched(true, false));
    // Again: nothing is switched, and the schedules are as the blueprint says but for that.
    let mark = lab.mark();
    let done = lab
        .run(&["migrate", "start", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(done["changed"], json!([]));
    let writes = lab.writes(mark);
    assert!(writes.iter().all(|w| w == "lambda:Invoke"), "{writes:?}");
    lab.run(&["drift"]).expect(0);

    // What can't come back is accepted by name.
    let done = lab
        .run(&["migrate", "cutover", "--prepare", "--yes"])
        .expect(8);
    assert!(
        done.err.contains("--accept public.cards.pan"),
        "{}",
        done.err
    );
    assert_eq!(on(&lab), switched(true, false));
    let mark = lab.mark();
    let done = lab.run(PREPARE).expect(0);
    assert!(done.out.contains("both streams are proven"), "{}", done.out);
    assert_eq!(on(&lab), switched(true, true));
    // Blue may call green soon, which keeps connections longer from now on, but not while it calls blue, as after that rollback.
    let idle = "elbv2:ModifyLoadBalancerAttributes".to_owned();
    assert!(!lab.writes(mark).contains(&idle));
    lab.python(GREEN_CALLS_NO_LONGER);
    let mark = lab.mark();
    lab.run(PREPARE).expect(0);
    let writes = lab.writes(mark);
    assert!(writes.contains(&idle), "{writes:?}");

    let done = lab.run(&["migrate", "pause"]).expect(0);
    assert!(done.out.contains("keep the log"), "{}", done.out);
    assert_eq!(on(&lab), switched(false, false));
    lab.run(&["migrate", "start", "--yes"]).expect(0);
    let done = lab.run(&["migrate", "stop", "--yes"]).expect(0);
    assert!(
        done.out
            .contains("the slot is gone, the publication is gone"),
        "{}",
        done.out
    );
    assert_eq!(on(&lab), switched(false, false));
}

#[test]
fn a_check_of_the_functions_refuses_with_its_own_hint() {
    let lab = lab();
    schema(&lab);
    lab.run(&["traffic", "rollback"]).expect(0);
    let error = json!({"name": "PermanentError", "code": "SCHEMA", "message": "green has no table public.payments", "hint": "make the tables on green"});
    answer(
        &lab,
        CONTROL,
        &json!({"status": {"status": "failed", "error": error, "transient": false}}),
    );
    let done = lab.run(&["migrate", "start", "--yes"]).expect(8);
    assert!(
        done.err.contains("green has no table") && done.err.contains("make the tables on green"),
        "{}",
        done.err
    );
    assert_eq!(on(&lab), switched(false, false));
    let none = json!({"status": "ok", "slot": "none", "phase": "none"});
    let error = json!({"name": "PermanentError", "code": "NO_TABLES", "message": "green has not got 1 of the 2 mapped tables: public.payments"});
    answer(
        &lab,
        CONTROL,
        &json!({
            "status": {"status": "ok", "writer": "both", "forward": none},
            "plan": {"status": "failed", "error": error, "transient": false},
        }),
    );
    let done = lab.run(&["migrate", "start", "--yes"]).expect(8);
    assert!(
        done.err.contains("public.payments") && done.err.contains("migrate schema"),
        "{}",
        done.err
    );
    assert_eq!(on(&lab), switched(false, false));
    let lost = json!({"status": "ok", "slot": "lost", "phase": "following"});
    answer(
        &lab,
        CONTROL,
        &json!({"status": {"status": "ok", "writer": "blue", "forward": lost}}),
    );
    let done = lab.run(&["migrate", "start", "--yes"]).expect(8);
    assert!(done.err.contains("the slot is lost"), "{}", done.err);
    // Green takes the writes: without the stream blue would not get them.
    answer(
        &lab,
        CONTROL,
        &json!({"status": {"status": "ok", "writer": "green"}}),
    );
    let done = lab.run(&["migrate", "stop", "--yes"]).expect(8);
    assert!(done.err.contains("green takes the writes"), "{}", done.err);
    // After `cutover --finish` nothing is left to be ended, and nothing may begin.
    let none = json!({"slot": "none"});
    answer(
        &lab,
        CONTROL,
        &json!({"status": {"status": "ok", "writer": "green", "forward": none, "reverse": none}}),
    );
    let done = lab.run(&["migrate", "stop", "--yes"]).expect(0);
    assert!(done.err.contains("has ended already"), "{}", done.err);
    let done = lab.run(&["migrate", "start", "--yes"]).expect(8);
    assert!(done.err.contains("the migration has ended"), "{}", done.err);
}

#[test]
fn status_and_verify_say_what_the_functions_say() {
    let lab = lab();
    let following = json!({"status": "ok", "slot": "active", "phase": "following", "rowsCopied": 5, "lagSeconds": 0.4, "quarantined": 0, "retainedBytes": 1024});
    // `sync` itself takes no second call while a run of it is at work.
    answer(&lab, SYNC, &json!({}));
    answer(
        &lab,
        CONTROL,
        &json!({"status": {"status": "ok", "writer": "blue", "forward": following}}),
    );
    // A slot that nobody reads fills a disk.
    let done = lab.run(&["migrate", "status"]).expect(2);
    assert!(
        done.out.contains("following, slot active") && done.out.contains("migrate stop"),
        "{}",
        done.out
    );
    for (verdict, ok, code) in [
        ("equal", true, 0),
        ("different", false, 2),
        ("held-back", false, 2),
        ("incomplete", false, 7),
        ("not-following", false, 7),
    ] {
        let body = json!({"ok": ok, "verdict": verdict, "tables": [{}], "problems": if ok { json!([]) } else { json!(["a problem"]) }, "mismatches": 0, "quarantined": 0});
        answer(&lab, VERIFY, &json!({"": body}));
        let done = lab.run(&["migrate", "verify"]).expect(code);
        assert!(done.out.contains(verdict), "{}", done.out);
    }
    // Nothing runs, and it says so.
    let bare = Lab::both();
    let done = bare.run(&["migrate", "verify"]).expect(1);
    assert!(done.err.contains("runs no function"), "{}", done.err);
}
