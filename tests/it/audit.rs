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
    let meant = meant.concat();
    assert_eq!(done.out, meant, "{}", done.err);
}
