//! Drift for people.

use super::doubled;
use super::error::error;
use super::paint::Paint;
use super::plan::scopes;
use super::value::{clean, optional, value};
use crate::engine::diff::Change;
use crate::engine::drift::{Counts, Drift, Row, Status};
use std::fmt::Write;

/// Every step that is not in sync with what differs, grouped by environment, and the counts.
pub fn drift(drift: &Drift, paint: Paint) -> String {
    let mut out = doubled::first(doubled::of_drift(drift), paint);
    let rows: Vec<&Row> = drift
        .steps
        .iter()
        .filter(|r| r.status != Status::InSync || r.reason.is_some())
        .collect();
    for scope in scopes(rows.iter().map(|r| r.scope.as_str())) {
        let _ = writeln!(out, "{}", paint.bold(scope));
        let rows = rows.iter().filter(|r| r.scope == scope);
        let width = rows
            .clone()
            .map(|r| r.step.chars().count())
            .max()
            .unwrap_or(0);
        for row in rows {
            one(&mut out, row, width, paint);
        }
        out.push('\n');
    }
    if !drift.unmanaged.is_empty() {
        let _ = writeln!(
            out,
            "{}",
            paint.bold("tagged as ours, but not in the state file")
        );
        for thing in &drift.unmanaged {
            let _ = writeln!(
                out,
                "  {} {}  {}  ({})",
                paint.cyan("?"),
                clean(&thing.id),
                paint.dim(&thing.kind),
                clean(&thing.reason)
            );
        }
        out.push('\n');
    }
    for list in &drift.unlisted {
        let _ = writeln!(
            out,
            "{}",
            error(Some(&format!("list of {}", list.kind)), &list.error, paint)
        );
    }
    let _ = writeln!(out, "{}", paint.bold(&headline(&drift.summary)));
    out
}

fn headline(c: &Counts) -> String {
    let mut text = format!(
        "Drift: {} in sync, {} changed, {} missing, {} unmanaged, {} unchecked",
        c.in_sync, c.changed, c.missing, c.unmanaged, c.unchecked
    );
    if c.out_of_range > 0 {
        let _ = write!(text, ", {} delegated out of range", c.out_of_range);
    }
    if c.waiting > 0 {
        let _ = write!(text, ", {} waiting for another scope", c.waiting);
    }
    text
}

fn one(out: &mut String, row: &Row, width: usize, paint: Paint) {
    let (sign, word) = match row.status {
        Status::InSync => (paint.dim("="), "in sync"),
        Status::Waiting => (paint.dim("."), "not planned"),
        Status::OutOfRange => (paint.yellow("!"), "out of range"),
        Status::Unmanaged => (paint.cyan("?"), "unmanaged"),
        Status::Unchecked => (paint.yellow("…"), "unchecked"),
        Status::Changed => (paint.yellow("~"), "changed"),
        Status::Missing => (paint.red("-"), "missing"),
    };
    let pad = " ".repeat(width - row.step.chars().count());
    let _ = write!(
        out,
        "  {sign} {}{pad}  {}  {word}",
        row.step,
        paint.dim(&row.kind)
    );
    if let Some(reason) = &row.reason {
        let _ = write!(out, ": {}", clean(reason));
    }
    out.push('\n');
    for change in &row.changes {
        let _ = writeln!(out, "      {}", differs(change, paint));
    }
    for extra in &row.unmanaged {
        let _ = writeln!(
            out,
            "      {} {}: {} (unmanaged)",
            paint.cyan("?"),
            clean(&extra.path.to_string()),
            optional(extra.have.as_ref())
        );
    }
    for field in &row.out_of_range {
        let why = field.illegal.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "      {} {}: {}, owned by {}: {}",
            paint.yellow("!"),
            field.field,
            value(&field.have),
            field.owner,
            clean(why)
        );
    }
    if let Some(why) = &row.error {
        for line in error(None, why, paint).lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
}

/// One difference as it is found.
fn differs(change: &Change, paint: Paint) -> String {
    format!(
        "{} {}: expected {}, actual {}",
        paint.yellow("~"),
        clean(&change.path.to_string()),
        optional(change.want.as_ref()),
        optional(change.have.as_ref())
    )
}
