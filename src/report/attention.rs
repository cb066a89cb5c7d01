//! What somebody has to do although every step is done: confirm a subscription, push an image. A type says it in its output
//! `attention`; runs, plans and `status` end with it.

use super::paint::Paint;
use super::value::clean;
use crate::state::State;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// One thing that somebody has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attention {
    /// The step that says so.
    pub step: String,
    /// What to do, in words.
    pub text: String,
}

/// All of a scope, as recorded.
pub fn attention(state: &State, scope: Option<&str>) -> Vec<Attention> {
    let steps = state.steps.iter();
    let steps = steps.filter(|(_, r)| scope.is_none_or(|s| s == r.scope));
    let each = steps.filter_map(|(step, record)| {
        let text = record.outputs.get("attention").and_then(Value::as_str)?;
        Some(Attention {
            step: step.clone(),
            text: text.to_owned(),
        })
    });
    each.collect()
}

/// The same as a block of lines; empty for nothing.
pub fn attention_text(all: &[Attention], paint: Paint) -> String {
    let mut out = String::new();
    if !all.is_empty() {
        let _ = writeln!(out, "{}", paint.bold("To do by hand"));
    }
    for one in all {
        let _ = writeln!(
            out,
            "  {} {}: {}",
            paint.yellow("!"),
            one.step,
            clean(&one.text)
        );
    }
    out
}
