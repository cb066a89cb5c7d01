//! A plan and a drift as Markdown, for a pull request or the summary of a CI job.

use super::drift::in_words;
use super::json::{DriftDocument, PlanDocument, PlanStep};
use super::plan::scopes;
use super::value::{both, clean, many, seconds, whole};
use crate::engine::diff::Change;
use crate::engine::drift::Row;
use crate::engine::event::Verb;
use crate::engine::{Check, Level};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Characters of a value in a summary; `detail` shows it whole.
const LONGEST: usize = 300;

/// The plan: what is done, what interrupts service, what holds data, what is in the way, and every step with its changes, or
/// with every value when `detail` is set. `place` says where it goes.
pub fn plan(document: &PlanDocument, place: &str, checks: &[Check], detail: bool) -> String {
    let s = &document.summary;
    let mut out = format!("## Plan: {}\n\n", text(place));
    let _ = writeln!(
        out,
        "| create | adopt | update | replace | delete | unchanged |\n|---|---|---|---|---|---|\n| {} | {} | {} | {} | {} | {} |\n",
        s.create, s.adopt, s.update, s.replace, s.delete, s.unchanged
    );
    if let Some(holder) = &document.locked_by {
        let _ = writeln!(out, "**Moving:** {} is running.\n", text(holder));
    }
    for note in &document.notes {
        let _ = writeln!(out, "> {}\n", text(note));
    }
    list(
        &mut out,
        "Cannot continue",
        document
            .problems
            .iter()
            .map(|p| format!("`{}`: {}", p.step, text(&p.error.to_string())))
            .collect(),
    );
    let checks = checks.iter().filter(|c| c.level != Level::Ok);
    list(
        &mut out,
        "Checks",
        checks
            .map(|c| format!("{}: {}", text(&c.name), text(&c.text)))
            .collect(),
    );
    let steps = &document.steps;
    list(
        &mut out,
        "Interrupts service",
        steps
            .iter()
            .flat_map(|s| s.interrupts.iter().map(move |i| (s, i)))
            .map(|(s, i)| {
                let field = i.field.iter().map(|f| format!(" ({f})"));
                format!(
                    "`{}`{}: {}",
                    s.step,
                    field.collect::<String>(),
                    text(&i.text)
                )
            })
            .collect(),
    );
    let data = |s: &PlanStep| {
        let loss = s.loss.as_ref()?;
        let what = match &loss.expires {
            Some(_) => "keeps less",
            None if loss.needs_choice() => "is deleted",
            None => return None,
        };
        Some(format!("`{}` {what}: {}", s.step, text(&loss.words())))
    };
    list(&mut out, "Data", steps.iter().filter_map(data).collect());
    for scope in scopes(steps.iter().map(|s| s.scope.as_str())) {
        let mut services: BTreeMap<&str, Vec<&PlanStep>> = BTreeMap::new();
        for step in steps.iter().filter(|s| s.scope == scope) {
            services.entry(&step.service).or_default().push(step);
        }
        let _ = writeln!(out, "### {}\n", text(scope));
        for (service, steps) in services {
            let n = many(steps.len() as u64, "step");
            let body: String = steps.iter().map(|s| one(s, detail)).collect();
            folded(&mut out, &format!("{service}: {n}"), &body);
        }
    }
    let waiting = document.waiting.iter();
    list(
        &mut out,
        "Waiting for the other environment",
        waiting
            .map(|w| format!("`{}` for {}", w.step, w.scope))
            .collect(),
    );
    let longest = steps.iter().map(|s| s.seconds).fold(0.0, f64::max);
    if !steps.is_empty() {
        let _ = writeln!(out, "The longest step takes about {}.", seconds(longest));
    }
    out
}

/// The lines of a step in a block of the language `diff`.
fn one(step: &PlanStep, detail: bool) -> String {
    let sign = match step.action {
        Verb::Create => '+',
        Verb::Delete => '-',
        Verb::Update | Verb::Replace | Verb::Adopt => '!',
    };
    let mut out = format!(
        "{sign} {} {}  {}  {}",
        step.action.infinitive(),
        step.step,
        step.kind,
        clean(&step.name)
    );
    if step.holds_data {
        out.push_str("  holds data");
    }
    if !step.reasons.is_empty() {
        let _ = write!(out, "  ({})", clean(&step.reasons.join("; ")));
    }
    out.push('\n');
    for change in &step.changes {
        changed(&mut out, change, if detail { usize::MAX } else { LONGEST });
    }
    if detail {
        super::plan::fields(&mut out, &step.values, 4);
        for (key, text) in &step.tags {
            let _ = writeln!(
                out,
                "    tags.{}: {}",
                clean(key),
                whole(&text.as_str().into())
            );
        }
    }
    if let Some(refused) = &step.refused {
        let _ = writeln!(out, "    cannot be done: {}", clean(&refused.to_string()));
    }
    out
}

fn changed(out: &mut String, change: &Change, longest: usize) {
    let path = clean(&change.path.to_string());
    let [have, want] = both(change.have.as_ref(), change.want.as_ref(), longest);
    if change.have.is_some() {
        let _ = writeln!(out, "-   {path}: {have}");
    }
    if change.want.is_some() {
        let _ = writeln!(out, "+   {path}: {want}");
    }
}

/// The drift: counts, findings by severity, and each step that differs.
pub fn drift(document: &DriftDocument, place: &str) -> String {
    let c = &document.drift.summary;
    let mut out = format!("## Drift: {}\n\n", text(place));
    let _ = writeln!(
        out,
        "| in sync | changed | missing | unmanaged | unchecked | accepted |\n|---|---|---|---|---|---|\n| {} | {} | {} | {} | {} | {} |\n",
        c.in_sync, c.changed, c.missing, c.unmanaged, c.unchecked, c.accepted
    );
    if let Some(holder) = &document.locked_by {
        let _ = writeln!(out, "**Moving:** {} is running.\n", text(holder));
    }
    for note in &document.notes {
        let _ = writeln!(out, "> {}\n", text(note));
    }
    let findings = document.drift.findings.iter();
    list(
        &mut out,
        "Findings",
        findings
            .map(|f| format!("**{}** `{}`: {}", f.severity.word(), f.step, text(&f.what)))
            .collect(),
    );
    let authors = document.drift.authors.iter();
    let authors = authors.map(|a| format!("`{}` {}", a.step, text(&in_words(a))));
    let unread = document.drift.event_history.iter();
    let unread = unread.map(|why| format!("who changed it: {}", text(why)));
    list(&mut out, "Authors", authors.chain(unread).collect());
    let rows: Vec<&Row> = document
        .drift
        .steps
        .iter()
        .filter(|r| r.differs())
        .collect();
    if !rows.is_empty() {
        let body: String = rows.iter().map(|r| row(r)).collect();
        folded(&mut out, &many(rows.len() as u64, "step"), &body);
    }
    let accepted = document.drift.accepted.iter();
    list(
        &mut out,
        "Accepted",
        accepted
            .map(|a| {
                format!(
                    "`{}` {}: {} (until {})",
                    a.step,
                    text(&a.path),
                    text(&a.reason),
                    a.until
                )
            })
            .collect(),
    );
    out
}

fn row(row: &Row) -> String {
    let mut out = format!("! {}  {}", row.step, row.kind);
    if let Some(reason) = &row.reason {
        let _ = write!(out, "  {}", clean(reason));
    }
    out.push('\n');
    for change in row.changes.iter().chain(&row.unmanaged) {
        // What is wanted is what is missing in the account.
        let path = clean(&change.path.to_string());
        if let Some(want) = &change.want {
            let _ = writeln!(out, "-   {path}: {}", whole(want));
        }
        if let Some(have) = &change.have {
            let _ = writeln!(out, "+   {path}: {}", whole(have));
        }
    }
    out
}

fn list(out: &mut String, title: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "**{title}**\n");
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
    out.push('\n');
}

/// A block that is closed at first. No text in it can end it: the fence is longer than any run of backticks.
fn folded(out: &mut String, title: &str, body: &str) {
    let mut longest = 0;
    let mut run = 0;
    for c in body.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(
        out,
        "<details><summary>{}</summary>\n\n{fence}diff\n{body}{fence}\n\n</details>\n",
        text(title)
    );
}

/// Text between the marks of Markdown: nothing in it is a mark, an element or the end of a cell.
fn text(of: &str) -> String {
    let mut out = String::new();
    for c in clean(of).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_block_or_becomes_an_element() {
        let mut out = String::new();
        folded(&mut out, "<b>", "+ a: \"```` x\"\n");
        assert!(
            out.contains("&lt;b&gt;") && out.contains("`````diff\n"),
            "{out}"
        );
        assert_eq!(text("a|b<script>\n`x`"), "a\\|b&lt;script&gt; \\`x\\`");
    }
}
