//! What an auditor says of the built account. The rules stand in `tests/audit/pci.py`, which knows nothing of the blueprint.

use crate::support::lab::Lab;
use serde_json::{Value, json};

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
        meant.push(format!(
            "rds-cluster-auto-minor-version-upgrade-enable aurora-{env}-dev\n"
        ));
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

/// AWS's own words: how Config judges, whether logs arrive, when keys and secrets are rotated next; each with the time it was read.
fn what_aws_says_is_shown_with_its_time(lab: &Lab, report: &Value) {
    let (from, to) = (
        report["from"].as_str().unwrap(),
        report["to"].as_str().unwrap(),
    );
    let requirements = report["requirements"].as_array().unwrap().iter();
    let values = requirements.flat_map(|r| r["values"].as_array().unwrap());
    let said = ["judged", "delivered"].map(|list| report[list].as_array().unwrap());
    let mut timed = 0;
    for value in values
        .chain(said.into_iter().flatten())
        .filter(|v| v["step"] != "")
    {
        let read = value["read"].as_str().unwrap_or_default();
        assert!(from <= read && read <= to, "{value}");
        timed += 1;
    }
    assert!(timed > 100, "{timed}");
    let of = |list: &Value, step: &str, field: &str| {
        let mut all = list.as_array().unwrap().iter();
        let found = all.find(|v| v["step"] == step && v["field"] == field);
        found
            .unwrap_or_else(|| panic!("{step} {field}: {list:#}"))
            .clone()
    };
    let rule = "rule-s3-bucket-versioning-enabled-shared";
    let versions = of(&report["judged"], rule, "ComplianceType");
    assert_eq!(
        (&versions["value"], &versions["verdict"]),
        (&json!("COMPLIANT"), &json!("shown"))
    );
    let unknown = report["judged"].as_array().unwrap().iter();
    assert!(
        unknown.clone().any(|v| v["verdict"] == "not_seen"),
        "not judged yet is not shown"
    );
    let flow = report["delivered"].as_array().unwrap().iter();
    let flow: Vec<&Value> = flow.filter(|v| v["field"] == "DeliverLogsStatus").collect();
    assert!(
        flow.len() == 2 && flow.iter().all(|v| v["verdict"] == "shown"),
        "{flow:?}"
    );
    let history = "configHistoryDeliveryInfo.lastStatus";
    let channel = of(&report["delivered"], "channel-shared", history);
    assert_eq!(channel["verdict"], "shown", "{channel}");
    let ages = report["ages"].as_array().unwrap().iter();
    let next = ages.filter(|a| {
        a["dates"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["what"] == "next rotation" && d["at"].is_string())
    });
    assert!(next.count() >= 4, "keys and secrets");

    lab.python("c('s3').put_bucket_versioning(Bucket='compliance-docs-green-dev', VersioningConfiguration={'Status': 'Suspended'})");
    let page = lab.dir.path().join("again.html");
    let again = lab
        .run(&["report", "--json", "--out", page.to_str().unwrap()])
        .expect(2)
        .json();
    let versions = of(&again["judged"], rule, "ComplianceType");
    assert_eq!(
        (&versions["value"], &versions["verdict"]),
        (&json!("NON_COMPLIANT: 1"), &json!("contradicted"))
    );
    lab.python("c('s3').put_bucket_versioning(Bucket='compliance-docs-green-dev', VersioningConfiguration={'Status': 'Enabled'})");
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
    assert_eq!(report["paths"]["extra"], json!([]));
    assert_eq!(report["paths"]["closed"], json!([]));
    assert_eq!(report["paths"]["unknown"], json!([]));
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
    // What somebody has to do for a topic is recorded, and read now: it is said once.
    let (recorded, now) = (about("by hand"), about("subscriptions"));
    assert!(now.iter().any(|f| f["verdict"] == "warning"), "{now:?}");
    let again = |f: &&&Value| now.iter().any(|n| n["text"] == f["text"]);
    assert_eq!(recorded.iter().find(again), None, "{now:?}");
    assert_eq!(about("clock")[0]["verdict"], "ok");
    assert_eq!(about("permissions")[0]["verdict"], "unknown");
    let buckets = about("name");
    assert!(
        buckets.len() >= 6 && buckets.iter().all(|f| f["verdict"] == "ok"),
        "{buckets:?}"
    );
    what_aws_says_is_shown_with_its_time(lab, &report);
}
