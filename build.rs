//! Puts the version into the binary: a release build in a checkout has the commit with it. Git itself is not needed, and
//! outside a checkout the version stands alone. A debug build names no commit, so that a commit does not build it anew.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "cargo:rerun-if-changed=build.rs")?;
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let release = std::env::var("PROFILE").is_ok_and(|p| p == "release");
    let built = if !release {
        Some("debug build".to_owned())
    } else {
        let commit = commit(&mut out)?;
        commit.map(|c| c.chars().take(10).collect())
    };
    let built = built.map_or_else(String::new, |b| format!(" ({b})"));
    writeln!(out, "cargo:rustc-env=DEPLOYER_VERSION={version}{built}")
}

/// The commit that is checked out here, read from git's files.
fn commit(out: &mut impl Write) -> io::Result<Option<String>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let Some(folder) = git_folder(&here.join(".git")) else {
        return Ok(None);
    };
    let shared = fs::read_to_string(folder.join("commondir"));
    let shared = shared.map_or_else(|_| folder.clone(), |path| folder.join(path.trim()));
    let Ok(head) = fs::read_to_string(folder.join("HEAD")) else {
        return Ok(None);
    };
    writeln!(
        out,
        "cargo:rerun-if-changed={}",
        folder.join("HEAD").display()
    )?;
    let head = head.trim();
    let Some(name) = head.strip_prefix("ref: ") else {
        return Ok(is_hash(head).then(|| head.to_owned()));
    };
    let packed = shared.join("packed-refs");
    for path in [folder.join(name), shared.join(name), packed.clone()] {
        if path.exists() {
            writeln!(out, "cargo:rerun-if-changed={}", path.display())?;
        }
    }
    let loose =
        fs::read_to_string(folder.join(name)).or_else(|_| fs::read_to_string(shared.join(name)));
    if let Ok(hash) = loose {
        return Ok(Some(hash.trim().to_owned()).filter(|h| is_hash(h)));
    }
    let packed = fs::read_to_string(packed).unwrap_or_default();
    let line = packed.lines().find_map(|l| l.strip_suffix(name));
    Ok(line.map(|h| h.trim().to_owned()).filter(|h| is_hash(h)))
}

/// `.git`, or where it leads to in a linked work tree.
fn git_folder(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let text = fs::read_to_string(git).ok()?;
    let path = text.strip_prefix("gitdir:")?.trim();
    Some(git.parent()?.join(path))
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.chars().all(|c| c.is_ascii_hexdigit())
}
