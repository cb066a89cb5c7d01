//! The map of the source (`src/README.md`) leads to files that are there.

use std::path::Path;

/// What stands between backticks and has a `/` is a path below `src` or of the repository; with `<` it is a pattern.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split('`').skip(1).step_by(2);
    let legal = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    code.filter(move |c| c.contains('/') && c.chars().all(legal))
}

#[test]
fn every_file_that_the_map_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("src/README.md")).unwrap();
    // Blocks of code have three backticks at each end.
    let text = text.replace("```", "");
    let named: Vec<&str> = paths(&text).collect();
    assert!(named.len() > 50, "{named:?}");
    let is_there = |path: &&str| root.join("src").join(path).exists() || root.join(path).exists();
    let missing: Vec<_> = named.into_iter().filter(|path| !is_there(path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
