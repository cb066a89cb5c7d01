//! What an auditor says of the built account. The rules stand in `tests/audit/pci.py`, which knows nothing of the blueprint.

use crate::support::lab::{Lab, python};
use std::process::Command;

#[test]
fn an_audit_by_the_rules_of_pci_dss_finds_only_what_is_meant_so() {
    let lab = Lab::start();
    lab.run(&["apply", "--yes"]).expect(0);
    let audit = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/audit/pci.py");
    let done = Command::new(python())
        .args([audit, &lab.endpoint])
        .output()
        .unwrap();
    let findings = String::from_utf8_lossy(&done.stdout).into_owned();
    // A bucket that logs its own accesses into itself never comes to rest: every delivery is an access.
    let meant = "s3-bucket-logging-enabled access-logs-blue-dev\ns3-bucket-logging-enabled access-logs-green-dev\n";
    assert_eq!(findings, meant, "{}", String::from_utf8_lossy(&done.stderr));
}
