//! `migrate schema`: the application makes green's tables, in one task at a time.

use super::{CONTROL, answer};
use crate::support::again::until;
use crate::support::lab::Lab;
use serde_json::{Value, json};

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
        "{}{}",
        done.out,
        done.err
    );
    told(json!({"reason": "CannotPullContainerError: no such image"}));
    let done = lab.run(&asks("migrate up")).expect(1);
    assert!(done.out.contains("no such image"), "{}", done.out);
    // One runs on: a second run waits for the same one, and another command is refused.
    told(json!({"log": ["one"]}));
    let first = lab.spawn(&asks("migrate up"));
    let runs = || tasks(lab).get(2).is_some_and(|third| third[2] == "RUNNING");
    until(|| tasks(lab), runs);
    let done = lab.run(&asks("migrate down")).expect(4);
    assert!(done.err.contains("aws ecs stop-task"), "{}", done.err);
    // Ctrl-C ends the waiting alone.
    first.signal("-INT");
    let text = first.ended().expect(130).out;
    assert!(
        text.contains("| one\n") && text.contains("it goes on") && text.contains("migrate schema"),
        "{text}"
    );
    let second = lab.spawn(&asks("migrate up"));
    let waits = || second.said()[1].contains("a run before has started");
    until(|| second.said(), waits);
    told(json!({"exit": 0, "log": ["one", "two"]}));
    let text = second.ended().expect(0).out;
    assert!(
        text.contains("| one\n") && text.contains("| two\n"),
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
