//! The documented example file, made from the table of keys.

use super::{Config, keys};
use std::fmt::Write;

/// A `deployer.toml` with every key at its default, each with its sentence and what it takes. It parses to
/// [`Config::default`].
pub fn documented() -> String {
    let mut out = String::from(
        "# deployer.toml: every key with its default. Keep what you change and leave out the rest.\n",
    );
    let defaults = Config::default();
    let mut section = "";
    for key in keys() {
        let own = if key.is_table() {
            key.path
        } else {
            key.section()
        };
        if own != section {
            let _ = write!(out, "\n[{own}]");
            section = own;
        }
        let _ = writeln!(out);
        comment(&mut out, key.doc);
        comment(&mut out, &format!("It takes {}.", key.takes()));
        let value = key.value(&defaults);
        if key.is_table() {
            out.push_str(&value);
        } else {
            let _ = writeln!(out, "{} = {value}", key.name());
        }
    }
    out
}

/// Comment lines of at most 120 characters.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > 120 {
            let _ = writeln!(out, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}
