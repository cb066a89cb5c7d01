//! The zips, built once for the sources of this binary and kept in the cache folder.

use super::error::Error;
use super::sources;
use crate::cache::{self, Progress};
use aws_smithy_types::base64;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// SHA-256 of the zips in base64, as Lambda gives it, by name (`sync`). Built unless they are in the cache folder.
///
/// # Errors
/// When there is no Node.js, or npm can't fetch what it needs.
pub async fn built(progress: Progress<'_>) -> Result<BTreeMap<String, String>, Error> {
    let folder = ensure(progress).await?;
    let read = |path: &Path| std::fs::read(path).map_err(cache::Error::file("read", path));
    let entries = std::fs::read_dir(&folder).map_err(cache::Error::file("read", &folder))?;
    let mut all = BTreeMap::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if let (Some(name), Some("zip")) = (
            path.file_stem().map(|n| n.to_string_lossy().into_owned()),
            path.extension().and_then(|e| e.to_str()),
        ) {
            all.insert(name, sha256(&read(&path)?));
        }
    }
    Ok(all)
}

/// The zip of a handler, `sync.handler`, which must have this SHA-256.
///
/// # Errors
/// As [`built`]; and when another zip is built here.
pub async fn zip(handler: &str, wanted: &str, progress: Progress<'_>) -> Result<Vec<u8>, Error> {
    let name = handler.split('.').next().unwrap_or_default().to_owned();
    let path = ensure(progress).await?.join(format!("{name}.zip"));
    let bytes = std::fs::read(&path).map_err(cache::Error::file("read", &path))?;
    let built = sha256(&bytes);
    if built == wanted {
        return Ok(bytes);
    }
    let wanted = wanted.to_owned();
    Err(Error::Other {
        name,
        built,
        wanted,
    })
}

fn sha256(bytes: &[u8]) -> String {
    base64::encode(Sha256::digest(bytes))
}

/// The folder with the zips. They are built beside it and renamed into place, so that nobody sees half of them.
async fn ensure(progress: Progress<'_>) -> Result<PathBuf, Error> {
    let cache = cache::folder()?;
    let folder = cache.join(format!("functions-{}", sources::digest()));
    if folder.is_dir() {
        return Ok(folder);
    }
    let waiting = "another process builds the migration functions; waiting for it";
    let _lock = cache::lock(cache.join("functions.lock"), waiting, progress).await?;
    if folder.is_dir() {
        return Ok(folder);
    }
    progress("building the migration functions with Node.js; this is done once for a version");
    let staging = tempfile::Builder::new()
        .prefix("functions-build-")
        .tempdir_in(&cache)
        .map_err(cache::Error::file("create", &cache))?;
    sources::write(staging.path())?;
    // No package runs a script of its own: nothing but what the lock file names is fetched, and nothing of it is run but
    // the bundler.
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    run("npm", &install, staging.path()).await?;
    run("node", &["scripts/build.mjs"], staging.path()).await?;
    let dist = staging.path().join("dist");
    std::fs::rename(&dist, &folder).map_err(cache::Error::file("move", &dist))?;
    Ok(folder)
}

async fn run(program: &'static str, arguments: &[&str], folder: &Path) -> Result<(), Error> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::NoNode {
            command: program,
            problem: error.to_string(),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let both = text(&output.stdout) + &text(&output.stderr);
    let lines: Vec<&str> = both.lines().collect();
    Err(Error::Failed {
        command: format!("{program} {}", arguments.join(" ")),
        output: lines[lines.len().saturating_sub(15)..].join("\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_all_sources() {
        assert_eq!(sources::digest().len(), 16);
        let folder = tempfile::tempdir().unwrap();
        sources::write(folder.path()).unwrap();
        for file in [
            "package-lock.json",
            "scripts/build.mjs",
            "src/sync.mjs",
            "src/pg/slot.mjs",
            "mappings/default.json",
        ] {
            assert!(folder.path().join(file).is_file(), "{file}");
        }
    }
}
