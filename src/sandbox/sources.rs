//! The emulator's Python sources, embedded in the binary and written out by content.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::Error;
use crate::cache::fingerprint;
use include_dir::{Dir, include_dir};

/// The pinned packages with their hashes, as pip takes them.
pub const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The packages: the emulator, what makes it more than an API, and the rehearsal that is played on both.
static PACKAGES: [(&str, Dir<'_>); 5] = [
    (
        "emulator",
        include_dir!("$CARGO_MANIFEST_DIR/src/sandbox/emulator"),
    ),
    (
        "dataplane",
        include_dir!("$CARGO_MANIFEST_DIR/src/sandbox/dataplane"),
    ),
    (
        "rehearsal",
        include_dir!("$CARGO_MANIFEST_DIR/src/sandbox/rehearsal"),
    ),
    (
        "rehearsal/ddl",
        include_dir!("$CARGO_MANIFEST_DIR/lambda/ddl"),
    ),
    (
        "rehearsal/mappings",
        include_dir!("$CARGO_MANIFEST_DIR/lambda/mappings"),
    ),
];

/// The guide, whose commands the rehearsal plays.
const GUIDE: (&str, &str) = ("rehearsal/guide.md", include_str!("../migration/GUIDE.md"));

/// Path below the folder of the packages, and text, in order.
fn sources() -> Vec<(PathBuf, &'static str)> {
    let mut found = vec![(PathBuf::from(GUIDE.0), GUIDE.1)];
    for (name, package) in &PACKAGES {
        gather(Path::new(name), package, &mut found);
    }
    found.sort_unstable();
    found
}

/// Sources only: whoever ran a package from the checkout left compiled ones there.
fn gather(below: &Path, folder: &Dir<'static>, found: &mut Vec<(PathBuf, &'static str)>) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8().filter(|_| is_source(file.path())) {
            found.push((below.join(file.path()), text));
        }
    }
    for inner in folder.dirs() {
        gather(below, inner, found);
    }
}

fn is_source(path: &Path) -> bool {
    const KINDS: [&str; 7] = ["py", "mjs", "cjs", "json", "html", "sql", "md"];
    let kind = path.extension().and_then(|kind| kind.to_str());
    kind.is_some_and(|kind| KINDS.contains(&kind))
}

/// Writes the sources below the cache folder unless they are there, and answers the folder for `PYTHONPATH`.
///
/// They are written beside it and renamed into place, so that two processes at once can't see half of them.
pub(super) fn unpack(cache: &Path) -> Result<PathBuf, Error> {
    let sources = sources();
    let paths = sources.iter().map(|(path, _)| path.to_string_lossy());
    let texts = sources.iter().map(|(_, text)| Cow::Borrowed(*text));
    let name = fingerprint(paths.chain(texts));
    let target = cache.join(format!("emulator-{name}"));
    if target.is_dir() {
        return Ok(target);
    }
    let staging = tempfile::Builder::new()
        .prefix("emulator-")
        .tempdir_in(cache)
        .map_err(Error::file("write", cache))?;
    for (path, text) in sources {
        let file = staging.path().join(path);
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
    use super::{sources, unpack};

    #[test]
    fn the_package_is_embedded_without_what_python_compiled() {
        let all = sources();
        let has = |path: &str| all.iter().any(|(at, _)| at.to_str() == Some(path));
        assert!(has("emulator/__main__.py") && has("emulator/patches/s3.py"));
        assert!(has("dataplane/node/host.cjs") && has("dataplane/node/package-lock.json"));
        assert!(has("rehearsal/guide.md") && has("rehearsal/ddl/blue.sql"));
        let compiled = |path: &std::path::Path| path.extension().is_some_and(|e| e == "pyc");
        assert!(all.iter().all(|(at, _)| !compiled(at)));
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
