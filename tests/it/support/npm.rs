//! The functions' own suite, as `lambda/README.md` says it: `npm ci && npm test`.

use std::path::Path;
use std::process::Command;

/// Installs what `lambda/package-lock.json` lists, unless it is installed: npm writes its own list when an installation is complete.
pub fn install() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda");
    let changed = |name: &str| {
        std::fs::metadata(folder.join(name))
            .and_then(|file| file.modified())
            .ok()
    };
    let installed = changed("node_modules/.package-lock.json");
    if installed < changed("package-lock.json") || installed < changed("package.json") {
        run(&["ci", "--no-audit", "--no-fund"]);
    }
}

/// Runs `npm` in `lambda/`.
pub fn run(arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // The emulator that the sandbox has installed serves here too.
    let python = runtime
        .expect("a runtime")
        .block_on(deployer::sandbox::installed_python(&|_| ()))
        .expect("the sandbox is installed");
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(&folder)
        .env("MOTO_PYTHON", &python)
        .output()
        .expect("npm runs");
    assert!(
        output.status.success(),
        "npm {arguments:?} in lambda/ failed:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
