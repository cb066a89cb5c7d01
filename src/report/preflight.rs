//! The findings of the first look, for people.

use super::paint::Paint;
use crate::engine::{Check, Level};
use std::fmt::Write;

/// One line per finding; hints below what is not as it should be.
pub fn preflight(checks: &[Check], paint: Paint) -> String {
    let mut out = String::new();
    let width = checks.iter().map(|c| c.name.len()).max().unwrap_or(0);
    for check in checks {
        let sign = match check.level {
            Level::Ok => paint.green("ok"),
            Level::Warning => paint.yellow("!!"),
            Level::Error => paint.red("no"),
        };
        let _ = writeln!(out, "  {sign} {:<width$}  {}", check.name, check.text);
        if let (Some(hint), true) = (&check.hint, check.level != Level::Ok) {
            let _ = writeln!(out, "     {:<width$}  hint: {hint}", "");
        }
    }
    out
}
