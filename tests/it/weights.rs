//! The records of the domain always have a weight among them: no command leaves all of them at 0, where Route 53 would answer each
//! equally, an empty environment among them.

use crate::support::lab::{Done, Lab};

/// Sets weights as another hand does, and says them all: `record-blue 90`.
const WEIGHTS: &str = r#"
r = c("route53")
z = r.list_hosted_zones()["HostedZones"][0]["Id"]
wanted = WANTED
for s in r.list_resource_record_sets(HostedZoneId=z)["ResourceRecordSets"]:
    step = s.get("SetIdentifier", "").rsplit("-dev.", 1)[0]
    if step in wanted:
        action = {"Action": "DELETE", "ResourceRecordSet": s} if wanted[step] is None else {"Action": "UPSERT", "ResourceRecordSet": s | {"Weight": wanted[step]}}
        r.change_resource_record_sets(HostedZoneId=z, ChangeBatch={"Changes": [action]})
for s in r.list_resource_record_sets(HostedZoneId=z)["ResourceRecordSets"]:
    step = s.get("SetIdentifier", "").rsplit("-dev.", 1)[0]
    if step in ("record-blue", "record-green"): print(step, s["Weight"])
"#;

/// What the traffic command has noted, and the records of the name: `_traffic.NAME "epoch=..`, `NAME record-blue 100`.
const AT: &str = r#"
r = c("route53")
z = r.list_hosted_zones()["HostedZones"][0]["Id"]
found = []
for s in r.list_resource_record_sets(HostedZoneId=z)["ResourceRecordSets"]:
    step = s.get("SetIdentifier", "").rsplit("-dev.", 1)[0]
    if s["Type"] == "TXT" and s["Name"].startswith("_traffic"): found.append((s["Name"], s["ResourceRecords"][0]["Value"].split(" by=")[0]))
    elif step in ("record-blue", "record-green"): found.append((s["Name"], step, s["Weight"]))
for line in sorted(found): print(*line)
"#;

/// Customers stay where the traffic command has sent them, and are sent to the new name when it can answer.
#[test]
fn another_domain_keeps_the_weights_and_the_note_and_comes_before_the_old_one_goes() {
    let lab = Lab::both();
    lab.run(&["traffic", "rollback", "--reason", "test"])
        .expect(0);
    let before = lab.python(AT);
    assert!(before.contains("record-blue 100") && before.contains("record-green 0"));
    let text = std::fs::read_to_string(lab.dir.path().join("deployer.toml")).unwrap_or_default();
    let text = format!("{text}\n[routing]\ndomain = \"pay.sandbox.example\"\n");
    std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
    let since = lab.mark();
    lab.run(&["apply", "--yes"]).expect(0);
    let after = lab.python(AT);
    assert_eq!(after, before.replace("dev.sandbox", "pay.sandbox"));
    let writes = lab.writes(since);
    let listener = writes.iter().rposition(|w| w == "elbv2:ModifyListener");
    let deleted = writes.iter().position(|w| w == "acm:DeleteCertificate");
    let records = writes.iter().enumerate();
    let records =
        records.filter(|(at, w)| Some(*at) > listener && *w == "route53:ChangeResourceRecordSets");
    // Of each environment two records that come and two that go.
    assert!(records.count() >= 8, "{writes:?}");
    assert!(deleted > listener, "{writes:?}");
    lab.run(&["plan"]).expect(0);
}

#[test]
fn whoever_comes_with_no_weight_or_goes_leaves_the_other_one_a_weight() {
    let lab = Lab::both();
    let weights = |wanted: &str| {
        let said = lab.python(&WEIGHTS.replace("WANTED", wanted));
        said.trim().replace('\n', ", ")
    };
    // All at 0 is named by the nightly check.
    weights(r#"{"record-blue": 0, "record-green": 0}"#);
    let text = |done: Done| done.out + &done.err;
    let said = text(lab.run(&["drift"]).expect(2));
    assert!(said.contains("traffic rollback"), "{said}");
    // One that is made beside another at 0.
    weights(r#"{"record-blue": 0, "record-green": None}"#);
    let said = text(lab.run(&["apply", "--yes"]).expect(0));
    assert!(said.contains("record-blue gets the weight 100"), "{said}");
    assert_eq!(weights("{}"), "record-blue 100, record-green 0");
    // One that goes with all the customers.
    weights(r#"{"record-blue": 0, "record-green": 100}"#);
    let destroy = ["destroy", "--env", "green", "--yes", "--destroy-data"];
    let said = text(lab.run(&destroy).expect(0));
    assert!(said.contains("record-blue gets the weight 100"), "{said}");
    assert_eq!(weights("{}"), "record-blue 100");
    lab.run(&["drift", "--env", "blue"]).expect(0);
}

/// Who makes a zone need not have anything to do with the deployment.
#[test]
fn another_zone_of_the_account_moves_nothing() {
    let lab = Lab::both();
    lab.python(r#"c("route53").create_hosted_zone(Name="other.example", CallerReference="other")"#);
    for command in ["plan", "drift"] {
        lab.run(&[command]).expect(0);
    }
    let status = lab.run(&["traffic", "status"]);
    assert!(status.out.contains("blue 90, green 10"), "{}", status.out);
    let said = lab
        .run(&["traffic", "rollback", "--reason", "test"])
        .expect(0);
    assert!(lab.python(AT).contains("record-blue 100"), "{}", said.err);
    // A certificate of others is no reason to go without records.
    let arn = lab.python(
        r#"print(c("acm").list_certificates()["CertificateSummaryList"][0]["CertificateArn"])"#,
    );
    let given = format!("[routing]\ncertificate_arn = \"{}\"\n", arn.trim());
    let config = lab.dir.path().join("deployer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n{given}")).unwrap();
    let plan = lab.run(&["plan", "--json"]).expect(2).json();
    let steps = plan["steps"].as_array().unwrap().iter();
    let records: Vec<_> = steps.filter(|s| s["service"] == "route53").collect();
    assert!(records.is_empty(), "{records:?}");
    // Where the domain is in no zone, nothing is made, and what is there is still compared.
    std::fs::write(
        &config,
        format!("{text}\n[routing]\ndomain = \"pay.elsewhere.org\"\n"),
    )
    .unwrap();
    assert!(
        lab.run(&["plan"])
            .expect(1)
            .err
            .contains("pay.elsewhere.org")
    );
    let drift = lab.run(&["drift", "--json"]).expect(2);
    assert!(drift.err.contains("`apply` is refused"), "{}", drift.err);
    let steps = drift.json()["steps"].to_string();
    assert!(!steps.contains("no longer in the blueprint"), "{steps}");
}
