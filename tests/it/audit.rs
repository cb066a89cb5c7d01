//! What an auditor says of the built account. The rules stand in `tests/audit/pci.py`, which knows nothing of the blueprint.

use crate::support::lab::Lab;

#[test]
fn an_audit_by_the_rules_of_pci_dss_finds_only_what_is_meant_so() {
    let lab = Lab::both();
    let done = lab.script("tests/audit/pci.py", &[]);
    // A bucket that logs its own accesses into itself never comes to rest: every delivery is an access.
    // The key of hashes must never change: the hashes on green would mean nothing any more.
    let meant = [
        "s3-bucket-logging-enabled access-logs-blue-dev\n",
        "s3-bucket-logging-enabled access-logs-green-dev\n",
        "secretsmanager-rotation-enabled-check hash-key-green-dev\n",
    ];
    let meant = meant.concat();
    assert_eq!(done.out, meant, "{}", done.err);
}
