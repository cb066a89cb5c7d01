//! Errors: what was being done, what AWS said, what it leaves behind, and what to type next on a line of its own.

use super::paint::Paint;
use super::value::clean;
use crate::engine::error::{Error, Leftover};
use std::collections::HashSet;
use std::fmt::Write;

/// The hints that were printed already: what several steps share is printed with the first of them.
#[derive(Default)]
pub(super) struct Hints(HashSet<String>);

impl Hints {
    /// The error without its hint when that was printed already.
    pub(super) fn once(&mut self, error: &Error) -> Error {
        let mut error = error.clone();
        error.hint = error.hint.filter(|hint| self.0.insert(hint.clone()));
        error
    }
}

/// An error of a step (or of none), without a line break at its end.
pub fn error(step: Option<&str>, error: &Error, paint: Paint) -> String {
    let mut out = paint.red("error:");
    if let Some(step) = step {
        let _ = write!(out, " {}:", paint.bold(step));
    }
    let _ = write!(out, " {}:", error.action);
    if !error.code.is_empty() {
        let _ = write!(out, " {}:", error.code);
    }
    let _ = write!(out, " {}", clean(error.message.trim_end()));
    if let Some(id) = &error.request_id {
        let _ = write!(out, "\n  request id: {id}");
    }
    match &error.leftover {
        Leftover::Nothing => {}
        Leftover::Known(ids) => {
            let _ = write!(out, "\n  it leaves: {}", clean(&ids.join(", ")));
        }
        Leftover::Unknown => {
            out.push_str(
                "\n  it leaves: unknown; the next run looks before it does anything again",
            );
        }
    }
    if let Some(text) = &error.hint {
        let _ = write!(out, "\n{}", hint(text, paint));
    }
    out
}

/// A failure of a command as a whole, without a line break at its end.
pub fn failure(message: &str, advice: Option<&str>, paint: Paint) -> String {
    let mut out = String::new();
    for (at, line) in message.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let _ = write!(out, "{} {}", paint.red("error:"), clean(line));
    }
    if let Some(text) = advice {
        let _ = write!(out, "\n{}", hint(text, paint));
    }
    out
}

pub(super) fn hint(text: &str, paint: Paint) -> String {
    format!("{} {}", paint.cyan("hint:"), clean(text))
}
