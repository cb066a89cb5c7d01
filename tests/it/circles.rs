//! Top-level modules import one way: a circle between two of them would mean that neither can be read without the other.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which module names which others as `crate::other`.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let tests = path.file_stem().is_some_and(|name| name == "tests");
        if tests {
            // Tests may look at anything.
        } else if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The first name of each path that starts with `crate::`, also of those in braces.
fn named(text: &str) -> BTreeSet<&str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.extend(rest.split(|c| !word(c)).next());
            continue;
        };
        // A name counts where it begins an entry of the outermost list.
        let (mut depth, mut begins) = (0, true);
        for (at, c) in list.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && word(c) => {
                    names.extend(list[at..].split(|c| !word(c)).next());
                    begins = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn imports() -> Imports {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let module = |path: &Path| -> String {
        let first = path.strip_prefix(&source).unwrap().iter().next().unwrap();
        first.to_string_lossy().trim_end_matches(".rs").to_owned()
    };
    let modules: BTreeSet<String> = files.iter().map(|f| module(f)).collect();
    let mut all = Imports::new();
    for file in &files {
        let own = module(file);
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let others = named(code)
            .into_iter()
            .filter(|n| *n != own && modules.contains(*n));
        all.entry(own.clone())
            .or_default()
            .extend(others.map(str::to_owned));
    }
    all
}

/// A way from a module back to itself, when there is one.
fn circle(imports: &Imports, from: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in imports.get(way.last()?).into_iter().flatten() {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == from {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

#[test]
fn no_top_level_module_imports_itself_by_way_of_others() {
    let imports = imports();
    let all: Vec<&str> = imports.keys().map(String::as_str).collect();
    assert!(
        ["aws", "cli", "engine"].iter().all(|m| all.contains(m)),
        "{all:?}"
    );
    let circles: Vec<_> = all.iter().filter_map(|m| circle(&imports, m)).collect();
    assert!(circles.is_empty(), "{circles:?}");
    // What must not know of the rest, DESIGN's layers from the bottom up.
    for (module, may) in [
        ("chain", &[][..]),
        ("state", &["chain"]),
        ("cache", &[]),
        ("sandbox", &["cache"]),
        ("functions", &["cache"]),
        ("engine", &["state"]),
        ("prices", &[]),
        ("support", &[]),
        ("config", &["engine", "prices", "support"]),
        ("aws", &["engine", "state", "support"]),
        ("resources", &["engine", "aws", "state"]),
        (
            "blueprint",
            &["engine", "resources", "config", "aws", "functions"],
        ),
        (
            "traffic",
            &[
                "aws",
                "blueprint",
                "chain",
                "config",
                "edge",
                "engine",
                "migration",
                "resources",
                "state",
            ],
        ),
        ("edge", &["aws"]),
        (
            "cost",
            &["config", "engine", "prices", "resources", "state"],
        ),
        (
            "evidence",
            &["blueprint", "config", "engine", "state", "support"],
        ),
        ("migration", &["aws", "blueprint", "config", "engine"]),
        (
            "report",
            &[
                "blueprint",
                "chain",
                "config",
                "cost",
                "evidence",
                "engine",
                "migration",
                "prices",
                "state",
                "traffic",
            ],
        ),
    ] {
        let beyond: Vec<_> = imports[module]
            .iter()
            .filter(|m| !may.contains(&m.as_str()))
            .collect();
        assert!(beyond.is_empty(), "{module} imports {beyond:?}");
    }
}

#[test]
fn a_circle_is_found_and_names_are_read_from_braces_too() {
    assert_eq!(
        named("use crate::{a::{b, c}, d}; use crate::e::f; let x = crate::g::h();"),
        BTreeSet::from(["a", "d", "e", "g"])
    );
    let all = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")];
    let imports: Imports = all
        .map(|(from, to)| (from.into(), BTreeSet::from([to.into()])))
        .into();
    assert_eq!(circle(&imports, "a").unwrap(), ["a", "b", "c", "a"]);
    assert_eq!(circle(&imports, "d"), None);
}
