//! What an auditor says of the built account. The rules stand in `tests/audit/pci.py`, which knows nothing of the blueprint.

use crate::support::lab::Lab;

#[test]
fn an_audit_by_the_rules_of_pci_dss_finds_only_what_is_meant_so() {
    let lab = Lab::both();
    let done = lab.script("tests/audit/pci.py", &[]);
    // A bucket that logs its own accesses into itself never comes to rest: every delivery is an access.
    // The buckets of access logs are the environments'; that of AWS Config outlives each of them.
    // The key of hashes must never change: the hashes on green would mean nothing any more.
    // The version that is asked for stays only without automatic upgrades.
    let mut meant = Vec::new();
    for env in ["blue", "green"] {
        for at in 1..=3 {
            meant.push(format!(
                "rds-automatic-minor-version-upgrade-enabled aurora-{at}-{env}-dev\n"
            ));
        }
    }
    let others = [
        "s3-bucket-logging-enabled access-logs-blue-dev\n",
        "s3-bucket-logging-enabled access-logs-green-dev\n",
        "s3-bucket-logging-enabled config-shared-dev\n",
        "secretsmanager-rotation-enabled-check hash-key-green-dev\n",
    ];
    meant.extend(others.map(str::to_owned));
    meant.sort();
    let meant = meant.concat();
    assert_eq!(done.out, meant, "{}", done.err);
    evidence_is_what_is_there(&lab);
}

/// The report of the same account: another client finds the values that it shows, and nothing differs.
fn evidence_is_what_is_there(lab: &Lab) {
    let page = lab.dir.path().join("evidence.html");
    let arguments = ["report", "--json", "--out", page.to_str().unwrap()];
    let since = lab.mark();
    let report = lab.run(&arguments).expect(0);
    assert_eq!(
        lab.writes(since),
        Vec::<String>::new(),
        "it changes nothing"
    );
    let file = lab.dir.path().join("evidence.json");
    std::fs::write(&file, &report.out).unwrap();
    let done = lab.script("tests/audit/evidence.py", &[file.to_str().unwrap()]);
    assert_eq!(done.out, "", "{}", done.err);
    let report = report.json();
    assert_eq!(report["paths"]["extra"], serde_json::json!([]));
    assert_eq!(report["paths"]["closed"], serde_json::json!([]));
    assert_eq!(report["paths"]["unknown"], serde_json::json!([]));
    assert_eq!(report["inventory"]["recorded"], report["inventory"]["read"]);
    // Doctor reads the same account, and writes nothing either.
    let doctor = lab.run(&["doctor", "--json"]);
    assert_ne!(doctor.code, 0, "permissions cannot be known here");
    assert_eq!(
        lab.writes(since),
        Vec::<String>::new(),
        "it changes nothing"
    );
    let doctor = doctor.json();
    let about = |what: &str| {
        let findings = doctor["findings"].as_array().unwrap().iter();
        findings.filter(|f| f["about"] == what).collect::<Vec<_>>()
    };
    assert_eq!(about("clock")[0]["verdict"], "ok");
    assert_eq!(about("permissions")[0]["verdict"], "unknown");
    let buckets = about("name");
    assert!(
        buckets.len() >= 6 && buckets.iter().all(|f| f["verdict"] == "ok"),
        "{buckets:?}"
    );
}
