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
