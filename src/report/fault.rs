//! Errors: what was being done, what AWS said, what it leaves behind, and what to type next on a line of its own.

use super::paint::Paint;
use super::value::clean;
use crate::engine::fault::{Fault, Leaves};
use std::fmt::Write;

/// A fault of a step (or of none), without a line break at its end.
pub fn fault(step: Option<&str>, fault: &Fault, paint: Paint) -> String {
    let mut out = paint.red("error:");
    if let Some(step) = step {
        let _ = write!(out, " {}:", paint.bold(step));
    }
    let _ = write!(out, " {}:", fault.action);
    if !fault.code.is_empty() {
        let _ = write!(out, " {}:", fault.code);
    }
    let _ = write!(out, " {}", clean(fault.message.trim_end()));
    if let Some(id) = &fault.request_id {
        let _ = write!(out, "\n  request id: {id}");
    }
    match &fault.leaves {
        Leaves::Nothing => {}
        Leaves::Known(ids) => {
            let _ = write!(out, "\n  it leaves: {}", clean(&ids.join(", ")));
        }
        Leaves::Unknown => {
            out.push_str(
                "\n  it leaves: unknown; the next run looks for it before it creates again",
            );
        }
    }
    if let Some(text) = &fault.hint {
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
