//! Drift for people.

use super::doubled;
use super::error::{Hints, error};
use super::paint::Paint;
use super::plan::scopes;
use super::value::{LONGEST, both, clean, known, optional, value};
use crate::engine::diff::Change;
use crate::engine::drift::{Author, Counts, Drift, Finding, Found, Row, Severity, Status, Use};
use std::fmt::Write;

/// Every step that is not in sync with what differs, grouped by environment, and the counts.
pub fn drift(drift: &Drift, paint: Paint) -> String {
    let mut out = doubled::first(doubled::of_drift(drift), paint);
    let rows: Vec<&Row> = drift
        .steps
        .iter()
        .filter(|r| r.status != Status::InSync || r.reason.is_some())
        .collect();
    let mut hints = Hints::default();
    for scope in scopes(rows.iter().map(|r| r.scope.as_str())) {
        if let Some(text) = not_there(drift, scope) {
            let _ = writeln!(out, "{}\n  {text}\n", paint.bold(scope));
            continue;
        }
        let _ = writeln!(out, "{}", paint.bold(scope));
        let rows = rows.iter().filter(|r| r.scope == scope);
        let width = rows
            .clone()
            .map(|r| r.step.chars().count())
            .max()
            .unwrap_or(0);
        for row in rows {
            one(&mut out, row, width, &mut hints, paint);
            author(&mut out, drift, &row.step, paint);
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
            author(&mut out, drift, &thing.step, paint);
        }
        out.push('\n');
    }
    for list in &drift.unlisted {
        let _ = writeln!(
            out,
            "{}",
            error(
                Some(&format!("list of {}", list.kind)),
                &hints.once(&list.error),
                paint
            )
        );
    }
    accepted(&mut out, drift, paint);
    findings(
        &mut out,
        drift,
        usize::MAX,
        |f| f.severity == Severity::High,
        paint,
    );
    if let Some(why) = &drift.event_history {
        let _ = writeln!(out, "  who changed it: {}", clean(why));
    }
    let _ = writeln!(out, "{}", paint.bold(&headline(&drift.summary)));
    out
}

/// Who changed it, where that was asked.
fn author(out: &mut String, drift: &Drift, step: &str, paint: Paint) {
    for author in drift.authors.iter().filter(|a| a.step == step) {
        let _ = writeln!(out, "      {}", paint.dim(&clean(&in_words(author))));
    }
}

/// Who changed a thing, or why that is not known.
pub(super) fn in_words(author: &Author) -> String {
    match &author.found {
        Found::Known { by, at, event } => format!("changed by {by} at {at:.0} ({event})"),
        Found::Unknown { why } => format!("who changed it: {why}"),
    }
}

/// A mail's worth: where, how much, and what matters most.
pub fn short(drift: &Drift, place: &str, next: &str, paint: Paint) -> String {
    let mut out = format!(
        "{}\n{}\n",
        paint.bold(&headline(&drift.summary)),
        clean(place)
    );
    let all = scopes(drift.steps.iter().map(|r| r.scope.as_str()));
    let absent: Vec<(&str, String)> = all
        .into_iter()
        .filter_map(|scope| Some((scope, not_there(drift, scope)?)))
        .collect();
    for (scope, text) in &absent {
        let _ = writeln!(out, "  {scope} is {text}");
    }
    let left: Vec<&str> = drift
        .steps
        .iter()
        .filter(|r| absent.iter().any(|(scope, _)| *scope == r.scope))
        .map(|r| r.step.as_str())
        .collect();
    findings(
        &mut out,
        drift,
        SHORT,
        |f| !left.contains(&f.step.as_str()),
        paint,
    );
    for list in &drift.unlisted {
        let _ = writeln!(
            out,
            "  not listed: {}: {}",
            list.kind,
            clean(&list.error.to_string())
        );
    }
    accepted(&mut out, drift, paint);
    let _ = writeln!(out, "next: {next}");
    out
}

/// Findings that are listed in a mail.
const SHORT: usize = 20;

/// What differs, the most severe first.
fn findings(
    out: &mut String,
    drift: &Drift,
    most: usize,
    wanted: impl Fn(&Finding) -> bool,
    paint: Paint,
) {
    let all: Vec<&Finding> = drift.findings.iter().filter(|f| wanted(f)).collect();
    for one in all.iter().take(most) {
        let word = format!("{:<6}", one.severity.word());
        let word = match one.severity {
            Severity::High => paint.red(&word),
            Severity::Medium => paint.yellow(&word),
            Severity::Low => paint.dim(&word),
        };
        let what = clean(&known(&one.what));
        let _ = writeln!(
            out,
            "  {word} {}  {}: {what}",
            one.step,
            paint.dim(&one.kind)
        );
    }
    if all.len() > most {
        let _ = writeln!(
            out,
            "  and {} more: `deployer drift` shows all",
            all.len() - most
        );
    }
}

/// What rules of the configuration accept, and rules that do nothing any more.
fn accepted(out: &mut String, drift: &Drift, paint: Paint) {
    for one in &drift.accepted {
        let path = if one.path.is_empty() {
            String::new()
        } else {
            format!(" {}", one.path)
        };
        let _ = writeln!(
            out,
            "  {} {}{}: accepted until {}: {}",
            paint.dim("="),
            one.step,
            clean(&known(&path)),
            one.until,
            clean(&one.reason)
        );
    }
    for rule in drift.rules.iter().filter(|r| r.status != Use::Used) {
        let path = rule.path.iter().map(|p| format!(", path {p}"));
        let why = match rule.status {
            Use::Expired => format!("has expired on {} and accepts nothing", rule.until),
            _ => "accepts nothing: no difference is like that".to_owned(),
        };
        let _ = writeln!(
            out,
            "  {} the rule of drift.accept for step {}{} ({}) {why}",
            paint.yellow("!"),
            clean(&rule.step),
            clean(&path.collect::<String>()),
            clean(&rule.reason)
        );
    }
}

/// An environment of which nothing exists and nothing was recorded is one line. Parts of what others share (a route of the
/// Transit Gateway) are as they are without it.
fn not_there(drift: &Drift, scope: &str) -> Option<String> {
    let rows = || drift.steps.iter().filter(|r| r.scope == scope);
    let is_absent = |r: &Row| match r.status {
        Status::Waiting | Status::Missing => !r.recorded,
        Status::Changed => !r.recorded && r.reason.is_none(),
        _ => false,
    };
    let missing = rows().filter(|r| r.status == Status::Missing).count();
    if missing < 2 || !rows().all(is_absent) {
        return None;
    }
    let hint = if ["blue", "green"].contains(&scope) {
        ". If it is not part of this deployment, set `environments` in deployer.toml"
    } else {
        ""
    };
    Some(format!("not created yet: {missing} steps{hint}"))
}

fn headline(c: &Counts) -> String {
    let mut text = format!(
        "Drift: {} in sync, {} changed, {} missing, {} unmanaged, {} unchecked",
        c.in_sync, c.changed, c.missing, c.unmanaged, c.unchecked
    );
    if c.out_of_range > 0 {
        let _ = write!(text, ", {} delegated out of range", c.out_of_range);
    }
    if c.accepted > 0 {
        let _ = write!(text, ", {} accepted", c.accepted);
    }
    let s = c.severity;
    if s.high + s.medium + s.low > 0 {
        let _ = write!(
            text,
            "; severity: {} high, {} medium, {} low",
            s.high, s.medium, s.low
        );
    }
    if c.waiting > 0 {
        let _ = write!(text, ", {} waiting for another scope", c.waiting);
    }
    text
}

fn one(out: &mut String, row: &Row, width: usize, hints: &mut Hints, paint: Paint) {
    let (sign, word) = match row.status {
        Status::InSync => (paint.dim("="), "in sync"),
        Status::Waiting => (paint.dim("."), "not planned"),
        Status::OutOfRange => (paint.yellow("!"), "out of range"),
        Status::Unmanaged => (paint.cyan("?"), "unmanaged"),
        Status::Unchecked => (paint.yellow("…"), "unchecked"),
        Status::Changed => (paint.yellow("~"), "changed"),
        Status::Missing => (paint.red("x"), "missing"),
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
            clean(&known(&extra.path.to_string())),
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
        for line in error(None, &hints.once(why), paint).lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
}

/// One difference as it is found.
fn differs(change: &Change, paint: Paint) -> String {
    let [want, have] = both(change.want.as_ref(), change.have.as_ref(), LONGEST);
    format!(
        "{} {}: expected {want}, actual {have}",
        paint.yellow("~"),
        clean(&known(&change.path.to_string())),
    )
}
