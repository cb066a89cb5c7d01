//! Call budgets, counted by the sandbox, and that no secret is written anywhere.

use crate::support::lab::Lab;
use serde_json::Value;

/// Calls of the preflight of `plan` that no refresh makes.
const PREFLIGHT: [&str; 2] = ["DescribeDBEngineVersions", "DescribeAccountAttributes"];

/// The reads of EC2 and RDS since this call, and all reads, without those that only a preflight makes.
fn reads(lab: &Lab, since: u64) -> (usize, usize) {
    let calls = lab.calls(since);
    let reads = calls.iter().filter(|c| {
        c["write"] == false && !PREFLIGHT.contains(&c["operation"].as_str().unwrap_or_default())
    });
    let counted = reads
        .clone()
        .filter(|c| c["service"] == "ec2" || c["service"] == "rds");
    (counted.count(), reads.count())
}

/// The reads of one run.
fn counted(lab: &Lab, arguments: &[&str]) -> (usize, usize) {
    let since = lab.mark();
    lab.run(arguments).expect(0);
    reads(lab, since)
}

/// A region in which the sandbox has more than three zones.
const REGION: &str = "--region=us-east-1";

/// Reads of EC2 and RDS that `plan`'s preflight makes to compare with quotas.
const QUOTAS: usize = 5;

#[test]
fn a_look_at_everything_stays_in_its_budget_and_does_not_grow_with_the_platform() {
    let lab = Lab::start();
    lab.run(&["apply", "--yes", REGION]).expect(0);
    let since = lab.mark();
    lab.run(&["apply", "--yes", REGION]).expect(0);
    assert_eq!(lab.writes(since), Vec::<String>::new(), "second apply");
    let drift = counted(&lab, &["drift", "--json", REGION]);
    assert!(drift.1 <= 150 && drift.0 <= 40, "drift: {drift:?}");
    let plan = counted(&lab, &["plan", "--json", REGION]);
    // The refresh inside it; what the preflight reads of quotas (VPCs, gateways, endpoints, clusters, instances) is not.
    assert!(
        plan.1 <= 150 + QUOTAS && plan.0 <= 40 + QUOTAS,
        "plan: {plan:?}"
    );
    let more = "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\n[network]\nzones = 4\n[database]\ninstances = 6\n";
    std::fs::write(lab.dir.path().join("deployer.toml"), more).unwrap();
    lab.run(&["apply", "--yes", REGION]).expect(0);
    let grown = counted(&lab, &["drift", "--json", REGION]);
    assert!(
        grown.0 <= drift.0 && grown.1 <= 150,
        "drift: {drift:?}, then {grown:?}"
    );
    let grown = counted(&lab, &["plan", "--json", REGION]);
    assert!(
        grown.0 <= plan.0 && grown.1 <= 150 + QUOTAS,
        "plan: {plan:?}, then {grown:?}"
    );
}

#[test]
fn no_secret_is_in_any_file_or_output() {
    let lab = Lab::start();
    let log = &[
        "apply",
        "--env",
        "green",
        "--yes",
        "--json",
        "-v",
        "--timings",
        "page.html",
    ];
    let mut texts = vec![lab.run(log).expect(0)];
    for arguments in [
        &["plan", "--env", "green", "--json", "-v"][..],
        &["outputs"],
        &["drift", "--json", "-v"],
        &["state", "list", "--json"],
        &["apply", "--env", "green", "--yes", "--log-format", "json"],
    ] {
        texts.push(lab.run(arguments));
    }
    let mut all: Vec<String> = texts.into_iter().flat_map(|d| [d.out, d.err]).collect();
    for folder in ["", "state"] {
        for entry in std::fs::read_dir(lab.dir.path().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                all.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
            }
        }
    }
    let values = lab.python(
        "s = c('secretsmanager')\nprint(json.dumps([s.get_secret_value(SecretId=x['ARN'])['SecretString'] for x in s.list_secrets()['SecretList']]))",
    );
    let values: Vec<String> = serde_json::from_str(&values).unwrap();
    assert!(!values.is_empty());
    for value in values {
        let inner: Value = serde_json::from_str(&value).unwrap_or(Value::Null);
        let password = inner["password"].as_str().unwrap_or(&value);
        assert!(password.len() > 4, "{value}");
        assert!(all.iter().all(|text| !text.contains(password)));
    }
}
