//! What takes a right away comes after what used it has changed: tasks of the last revision go on, and start again, until the next one
//! runs, also when that one never does.

use crate::support::lab::Lab;
use serde_json::json;

/// The names of the statements of a service's role.
const STATEMENTS: &str = r#"
role = "role-task-payment-api-green-dev"
iam = c("iam")
for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
    for s in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]: print(s["Sid"])
"#;

#[test]
fn a_role_loses_a_right_when_the_service_no_longer_uses_it() {
    let lab = Lab::green();
    let statements = || lab.python(STATEMENTS);
    let (before, new) = ("ReadDatabaseSecret", "LogInToDatabase");
    let has = |now: &str| (now.contains(before), now.contains(new));
    assert_eq!(has(&statements()), (true, false));
    let config = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = format!("{text}\n[services]\ndatabase_auth = \"iam\"\n");
    std::fs::write(&config, text).unwrap();
    const APPLY: &[&str] = &["apply", "--env", "green", "--yes"];

    // The service cannot change: it keeps what it has.
    lab.faults(&json!({"deny": ["ecs:UpdateService"]}));
    lab.run(APPLY).expect(1);
    assert_eq!(has(&statements()), (true, true));

    lab.faults(&json!({}));
    let plan = lab
        .run(&["plan", "--env", "green", "--json"])
        .expect(2)
        .json();
    let since = lab.mark();
    let run = lab.run(APPLY).expect(0);
    assert_eq!(has(&statements()), (false, true));
    let writes = lab.writes(since);
    // Roles of other services may get their new right only now, when the run before ended before that.
    let last = |what: &str| writes.iter().rposition(|w| w == what);
    assert!(
        last("iam:PutRolePolicy") > last("ecs:UpdateService"),
        "{writes:?}"
    );
    // Both halves of an update are one step.
    let updates = &plan["summary"]["update"];
    assert!(
        run.out.contains(&format!("{updates} updated")),
        "{updates}: {}",
        run.out
    );
    let steps = plan["steps"].as_array().unwrap().iter();
    let roles = steps.filter(|s| s["step"] == "role-task-payment-api-green");
    assert_eq!(roles.count(), 1);
    lab.run(&["plan", "--env", "green"]).expect(0);
}
