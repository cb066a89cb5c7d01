//! The emulator's Python environment in the cache folder: installed once, used offline afterwards.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Error;
use super::sources::REQUIREMENTS;
use crate::cache::{self, fingerprint, lock};

/// The oldest Python that the pinned packages are made for.
const OLDEST: (u32, u32) = (3, 11);
const OLDEST_TEXT: &str = "3.11";
/// Written last: an environment without it was interrupted and is made again.
const MARKER: &str = "installed";

/// The Python of the emulator's environment, which is installed when it isn't there.
///
/// # Errors
/// When there is no suitable `python3`, or the packages can't be installed (no network at the first time).
pub async fn python(progress: &(dyn Fn(&str) + Send + Sync)) -> Result<PathBuf, Error> {
    ensure(progress, whole).await
}

/// The same, installed again: a part of what is there is missing.
pub(super) async fn reinstalled(progress: &(dyn Fn(&str) + Send + Sync)) -> Result<PathBuf, Error> {
    ensure(progress, |_| false).await
}

/// Written to its end, and its Python (a link to the system's) is still there.
fn whole(folder: &Path) -> bool {
    folder.join(MARKER).is_file() && folder.join("bin/python").is_file()
}

async fn ensure(
    progress: &(dyn Fn(&str) + Send + Sync),
    good: fn(&Path) -> bool,
) -> Result<PathBuf, Error> {
    let cache = cache::folder()?;
    let version = system_python().await?;
    // An environment belongs to the Python that made it: another minor version gets its own.
    let folder = cache.join(format!(
        "venv-{}",
        fingerprint([REQUIREMENTS, version.as_str()])
    ));
    if !good(&folder) {
        let _lock = lock(
            cache.join("install.lock"),
            "another process installs the emulator; waiting for it",
            progress,
        )
        .await?;
        if !good(&folder) {
            install(&folder, progress).await?;
        }
    }
    Ok(folder.join("bin/python"))
}

/// `3.11` or the like; an error that says what is wrong with the `python3` found.
async fn system_python() -> Result<String, Error> {
    let problem = |problem: String| Error::Python {
        needed: OLDEST_TEXT,
        problem,
    };
    let output = Command::new("python3")
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| problem(format!("it can't be run ({error})")))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let parts = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parts {
        Some(found) if found >= OLDEST => Ok(version),
        Some(_) => Err(problem(format!("the one found is {version}"))),
        None => Err(problem(format!(
            "the one found fails: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}

async fn install(folder: &Path, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<(), Error> {
    progress("installing the AWS emulator (moto) into the cache folder; this is done once");
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(Error::file("remove", folder))?;
    }
    let path = folder.display().to_string();
    run(
        Command::new("python3").args(["-m", "venv", &path]),
        "python3 -m venv",
        progress,
    )
    .await?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS).map_err(Error::file("write", &requirements))?;
    // Every package is listed with its hash, so pip has no dependencies to look for.
    let pip = [
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        "-r",
    ];
    run(
        Command::new(folder.join("bin/python"))
            .args(pip)
            .arg(&requirements),
        "pip install",
        progress,
    )
    .await?;
    let marker = folder.join(MARKER);
    std::fs::write(&marker, "").map_err(Error::file("write", &marker))
}

/// Runs a command, hands its interesting lines to `progress` and keeps the end of its output for the error.
async fn run(
    command: &mut Command,
    step: &str,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), Error> {
    let failed = |output: String| Error::Install {
        step: step.to_owned(),
        output,
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let out = child.stdout.take().map(BufReader::new);
    let err = child.stderr.take().map(BufReader::new);
    let (mut lines, complaints) = tokio::join!(
        async {
            let mut kept = Vec::new();
            if let Some(out) = out {
                let mut lines = out.lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Some(package) = line.strip_prefix("Collecting ") {
                        progress(&format!(
                            "fetching {}",
                            package.split(' ').next().unwrap_or(package)
                        ));
                    } else if line.starts_with("Installing ") {
                        progress("unpacking the packages");
                    }
                    kept.push(line);
                }
            }
            kept
        },
        async {
            let mut kept = Vec::new();
            if let Some(err) = err {
                let mut lines = err.lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    kept.push(line);
                }
            }
            kept
        }
    );
    let status = child
        .wait()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    lines.extend(complaints);
    let start = lines.len().saturating_sub(15);
    Err(failed(lines.split_off(start).join("\n")))
}
