//! The migration's functions, called and switched by the command; what they answer is given, since no function runs here.

use crate::support::lab::{Lab, finish};
use crate::traffic::load::weights;
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
    let done = lab
        .run(&[
            "migrate",
            "cutover",
            "--prepare",
            "--yes",
            "--accept",
            "public.cards.pan",
        ])
        .expect(0);
    assert!(done.out.contains("both streams are proven"), "{}", done.out);
    assert_eq!(on(&lab), switched(true, true));

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

/// One-off tasks of green as another client sees them: command, tags, and how they stand.
fn tasks(lab: &Lab) -> Vec<Value> {
    let text = lab.python(
        r#"
e = c("ecs")
arns = [a for s in ("RUNNING", "STOPPED") for a in e.list_tasks(cluster="cluster-green-dev", desiredStatus=s)["taskArns"]]
out = e.describe_tasks(cluster="cluster-green-dev", tasks=arns, include=["TAGS"])["tasks"] if arns else []
print(json.dumps([[t["overrides"]["containerOverrides"][0]["command"], {x["key"]: x["value"] for x in t["tags"]}, t["lastStatus"]] for t in sorted(out, key=lambda t: t["createdAt"])]))
"#,
    );
    serde_json::from_str(&text).unwrap()
}

/// The application makes green's tables, in one task at a time.
pub fn schema(lab: &Lab) {
    let error = json!({"name": "PermanentError", "code": "NO_TABLES", "message": "green has not got 14 of the 14 mapped tables: public.payments"});
    let plan = json!({"plan": {"status": "failed", "error": error, "transient": false}});
    answer(lab, CONTROL, &plan);
    let done = lab.run(&["migrate", "plan"]).expect(8);
    assert!(
        done.err.contains("public.payments")
            && done
                .err
                .contains("migrate schema --service payment-api --command"),
        "{}",
        done.err
    );
    let asks = |command| {
        [
            "migrate",
            "schema",
            "--service",
            "payment-api",
            "--command",
            command,
            "--yes",
        ]
    };
    let told = |how: Value| lab.control("POST", "tasks", &json!({"payment-api": how}));
    lab.run(&asks("migrate 'up")).expect(3);
    // It fails, with its own words.
    told(json!({"exit": 3, "log": ["relation exists"]}));
    let done = lab.run(&asks("migrate up 'to 7'")).expect(1);
    assert!(
        done.out.contains("| relation exists") && done.out.contains("with exit code 3"),
        "{}",
        done.out
    );
    told(json!({"reason": "CannotPullContainerError: no such image"}));
    let done = lab.run(&asks("migrate up")).expect(1);
    assert!(done.out.contains("no such image"), "{}", done.out);
    // One runs on: a second run waits for the same one, and another command is refused.
    told(json!({"log": ["one"]}));
    let first = lab.spawn(&asks("migrate up"));
    let began = std::time::Instant::now();
    while tasks(lab).len() < 3 || tasks(lab)[2][2] != "RUNNING" {
        assert!(began.elapsed().as_secs() < 60, "{:?}", tasks(lab));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let done = lab.run(&asks("migrate down")).expect(4);
    assert!(done.err.contains("aws ecs stop-task"), "{}", done.err);
    // Ctrl-C ends the waiting alone.
    let ended = |child: std::process::Child| child.wait_with_output().unwrap();
    crate::traffic::interrupt(&first);
    let first = ended(first);
    let text = String::from_utf8_lossy(&first.stdout).into_owned();
    assert_eq!(first.status.code(), Some(130), "{text}");
    assert!(
        text.contains("| one\n") && text.contains("it goes on") && text.contains("migrate schema"),
        "{text}"
    );
    let mut second = lab.spawn(&asks("migrate up"));
    let said = std::io::BufReader::new(second.stderr.take().unwrap());
    let joined = std::io::BufRead::lines(said)
        .any(|line| line.unwrap().contains("a run before has started"));
    assert!(joined);
    told(json!({"exit": 0, "log": ["one", "two"]}));
    let second = ended(second);
    let text = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(
        second.status.success() && text.contains("| one\n") && text.contains("| two\n"),
        "{text}"
    );
    let all = tasks(lab);
    let tags = json!({"EnvironmentSuffix": "dev", "Name": "deployer-schema"});
    assert_eq!(
        all,
        [
            json!([["migrate", "up", "to 7"], tags, "STOPPED"]),
            json!([["migrate", "up"], tags, "STOPPED"]),
            json!([["migrate", "up"], tags, "STOPPED"]),
        ]
    );
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

/// Weights of blue and green, and whether their bridges are on, as another client sees them.
fn routed(lab: &Lab) -> ([u64; 2], Value) {
    let text = lab.python(
        r#"
lb = c("elbv2")
groups = {g["TargetGroupArn"]: g["TargetGroupName"] for g in lb.describe_target_groups()["TargetGroups"]}
on = {}
for b in lb.describe_load_balancers()["LoadBalancers"]:
    if b["Type"] != "application": continue
    for l in lb.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"]:
        for rule in lb.describe_rules(ListenerArn=l["ListenerArn"])["Rules"]:
            for a in rule["Actions"]:
                name = groups.get(a.get("TargetGroupArn"), "")
                if "bridge" in name:
                    on["blue" if "blue" in name else "green"] = any(k["Field"] == "path-pattern" for k in rule["Conditions"])
print(json.dumps(on))
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
    assert_eq!(routed(&lab).0, before.0);
    answer(
        &lab,
        CONTROL,
        &json!({"status": status("blue"), "finish": {"status": "finished", "slotDropped": true}}),
    );
    lab.run(&["migrate", "cutover", "--finish", "--yes"])
        .expect(0);
    assert_eq!(on(&lab), switched(false, false));
}
