//! The sources of the functions, embedded, and their digest.

use super::error::Error;
use crate::cache::{self, fingerprint};
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};

/// Everything that the zips are made of: the folders, and the files beside them.
static FOLDERS: [(&str, Dir<'_>); 3] = [
    (
        "mappings",
        include_dir!("$CARGO_MANIFEST_DIR/lambda/mappings"),
    ),
    (
        "scripts",
        include_dir!("$CARGO_MANIFEST_DIR/lambda/scripts"),
    ),
    ("src", include_dir!("$CARGO_MANIFEST_DIR/lambda/src")),
];
const FILES: [(&str, &str); 2] = [
    (
        "package-lock.json",
        include_str!("../../lambda/package-lock.json"),
    ),
    ("package.json", include_str!("../../lambda/package.json")),
];

/// The mapping of the worked example: what the functions use unless the configuration names another.
pub const DEFAULT_MAPPING: &str = include_str!("../../lambda/mappings/default.json");

fn all() -> Vec<(PathBuf, &'static str)> {
    let mut found: Vec<(PathBuf, &str)> = Vec::new();
    for (name, folder) in &FOLDERS {
        gather(Path::new(name), folder, &mut found);
    }
    let files = FILES.iter();
    found.extend(files.map(|(name, text)| (PathBuf::from(name), *text)));
    found.sort_unstable();
    found
}

fn gather(at: &Path, folder: &Dir<'static>, found: &mut Vec<(PathBuf, &'static str)>) {
    for file in folder.files() {
        // All of them are texts.
        found.extend(
            file.contents_utf8()
                .map(|text| (at.join(file.path()), text)),
        );
    }
    for inner in folder.dirs() {
        gather(at, inner, found);
    }
}

/// What stands for the sources.
pub fn digest() -> String {
    let all = all();
    fingerprint(
        all.iter().flat_map(|(path, contents)| {
            [path.to_string_lossy().into_owned(), (*contents).to_owned()]
        }),
    )
}

/// Writes them below a folder.
pub(super) fn write(folder: &Path) -> Result<(), Error> {
    for (path, contents) in all() {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(cache::Error::file("create", parent))?;
        }
        std::fs::write(&file, contents).map_err(cache::Error::file("write", &file))?;
    }
    Ok(())
}
