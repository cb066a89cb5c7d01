//! The rehearsal, in its short form: losses, kills, verdicts and order must be as promised; times are printed. A binary of its own,
//! since its customers need the machine for themselves.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may")]

use std::process::Command;

#[test]
fn a_migration_loses_no_payment() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_deployer"))
        .args(["rehearse", "--short", "--json"])
        .current_dir(folder.path())
        .output()
        .expect("it starts");
    let story = String::from_utf8_lossy(&output.stderr);
    let seen: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}\n{story}"));
    assert_eq!(
        seen["failures"].as_array().map(Vec::len),
        Some(0),
        "{story}"
    );
    assert!(output.status.success(), "{story}");
    let figure = |name: &str| {
        let all = seen["figures"].as_array().into_iter().flatten();
        all.clone()
            .find(|one| one["name"] == name)
            .map(|one| one["value"].as_f64().unwrap_or(f64::NAN))
    };
    for side in ["blue", "green"] {
        let wrong = figure(&format!(
            "{side}: payments lost, doubled, changed, or that nobody sent"
        ));
        assert_eq!(wrong, Some(0.0), "{story}");
    }
    assert!(
        figure("payments that were acknowledged") > Some(1000.0),
        "{story}"
    );
}
