//! The emulator's Python sources, embedded in the binary and written out by content.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Error;

/// The pinned packages with their hashes, as pip takes them.
pub const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Path below the package folder, and text.
macro_rules! sources {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("emulator/", $path)))),*]
    };
}

const SOURCES: &[(&str, &str)] = sources![
    "__init__.py",
    "__main__.py",
    "answer.py",
    "call.py",
    "cbor.py",
    "clock.py",
    "control.py",
    "describes.py",
    "errors.py",
    "faults.py",
    "filters.py",
    "gateway.py",
    "interfaces.py",
    "lag.py",
    "log.py",
    "patches/__init__.py",
    "patches/dynamodb.py",
    "patches/ec2_acls.py",
    "patches/ec2_describes.py",
    "patches/ec2_endpoints.py",
    "patches/ec2_flow_logs.py",
    "patches/ec2_interfaces.py",
    "patches/ec2_routes.py",
    "patches/ec2_security_groups.py",
    "patches/ec2_tags.py",
    "patches/ec2_vpcs.py",
    "patches/iam.py",
    "patches/kms.py",
    "patches/limits.py",
    "patches/logs.py",
    "patches/rds_catalog.py",
    "patches/rds_certificates.py",
    "patches/rds_clusters.py",
    "patches/rds_groups.py",
    "patches/rds_instances.py",
    "patches/rds_reboots.py",
    "patches/s3.py",
    "patches/s3_listings.py",
    "patches/s3_requests.py",
    "patches/s3_roots.py",
    "patches/secretsmanager.py",
    "patches/servicequotas.py",
    "patches/tgw_gateways.py",
    "patches/tgw_routing.py",
    "patches/validation.py",
    "policies.py",
    "refusals.py",
    "request.py",
    "server.py",
    "shapes.py",
    "store.py",
    "strange.py",
    "tags.py",
    "tgw.py",
    "writes.py",
];

/// The first 16 hexadecimal digits of the SHA-256 of some texts.
pub(super) fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes the sources below the cache folder unless they are there, and answers the folder for `PYTHONPATH`.
///
/// They are written beside it and renamed into place, so that two processes at once can't see half of them.
pub(super) fn unpack(cache: &Path) -> Result<PathBuf, Error> {
    let name = fingerprint(SOURCES.iter().flat_map(|(path, text)| [*path, *text]));
    let target = cache.join(format!("emulator-{name}"));
    if target.is_dir() {
        return Ok(target);
    }
    let staging = tempfile::Builder::new()
        .prefix("emulator-")
        .tempdir_in(cache)
        .map_err(Error::file("write", cache))?;
    for (path, text) in SOURCES {
        let file = staging.path().join("emulator").join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        std::fs::write(&file, text).map_err(Error::file("write", &file))?;
    }
    match std::fs::rename(staging.path(), &target) {
        Ok(()) => {
            // It has moved; there is nothing left to clean up.
            let _ = staging.keep();
            Ok(target)
        }
        // Another process was faster.
        Err(_) if target.is_dir() => Ok(target),
        Err(source) => Err(Error::file("create", &target)(source)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{SOURCES, unpack};

    fn python_files(folder: &Path, below: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                python_files(&path, below, found);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.extend(
                    path.strip_prefix(below)
                        .ok()
                        .map(|p| p.to_string_lossy().into_owned()),
                );
            }
        }
    }

    #[test]
    fn every_python_file_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/emulator");
        let mut there = BTreeSet::new();
        python_files(&folder, &folder, &mut there);
        let embedded: BTreeSet<String> =
            SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, there);
    }

    #[test]
    fn unpacking_twice_yields_the_same_folder() {
        let Ok(cache) = tempfile::tempdir() else {
            return;
        };
        let first = unpack(cache.path()).ok();
        assert!(
            first
                .as_ref()
                .is_some_and(|folder| folder.join("emulator/patches/s3.py").is_file())
        );
        assert_eq!(first, unpack(cache.path()).ok());
        assert_eq!(
            std::fs::read_dir(cache.path())
                .map(Iterator::count)
                .unwrap_or_default(),
            1
        );
    }
}
