//! The functions' own suite, as `lambda/README.md` says it: `npm ci && npm test`.

use crate::support::lab::python;
use std::path::Path;
use std::process::Command;

#[test]
fn the_functions_pass_their_own_suite() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda");
    for arguments in [&["ci", "--no-audit", "--no-fund"][..], &["test"]] {
        let output = Command::new("npm")
            .args(arguments)
            .current_dir(&folder)
            // The emulator that the sandbox has installed serves here too.
            .env("MOTO_PYTHON", python())
            .output()
            .expect("npm runs");
        assert!(
            output.status.success(),
            "npm {arguments:?} in lambda/ failed:\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
