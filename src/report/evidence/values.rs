//! Values with their verdict, where they come from, and when they were read.

use crate::evidence::{Seen, Verdict};
use crate::report::html::escaped;
use crate::report::value::{apart, clean, cut};
use serde_json::Value;
use std::fmt::Write;

/// Characters of a value on the page; the document has all of it.
const LONGEST: usize = 160;

/// Values by what was asked.
pub(super) fn values(out: &mut String, all: &[Seen]) {
    if all.is_empty() {
        return;
    }
    let open = all.iter().any(|v| v.verdict == Verdict::Contradicted);
    let _ = writeln!(
        out,
        "<details{}><summary>{} {}</summary>",
        if open { " open" } else { "" },
        all.len(),
        if all.len() == 1 { "value" } else { "values" }
    );
    table(out, all);
    out.push_str("</details>");
}

/// Equal values are one line with their steps.
fn table(out: &mut String, all: &[Seen]) {
    out.push_str("<table class=\"inner values\"><tr><th class=\"v\">verdict</th><th>operation, field</th><th>value</th><th>wanted</th><th>of</th><th class=\"v\">read</th></tr>\n");
    let mut groups: Vec<(&Seen, Vec<String>, Vec<jiff::Timestamp>)> = Vec::new();
    for seen in all {
        let place = match (seen.step.as_str(), seen.resource.as_str()) {
            ("", _) => String::new(),
            (step, "") => escaped(step),
            (step, resource) => format!(
                "<span title=\"{}\">{}</span>",
                escaped(resource),
                escaped(step)
            ),
        };
        let same = groups.iter_mut().find(|(first, ..)| {
            (
                &first.operation,
                &first.field,
                &first.value,
                &first.wanted,
                &first.why,
            ) == (
                &seen.operation,
                &seen.field,
                &seen.value,
                &seen.wanted,
                &seen.why,
            )
        });
        match same {
            Some((_, places, read)) => {
                if !places.contains(&place) {
                    places.push(place);
                }
                read.extend(seen.read);
            }
            None => groups.push((seen, vec![place], seen.read.into_iter().collect())),
        }
    }
    groups.sort_by_key(|(seen, ..)| std::cmp::Reverse(seen.verdict));
    for (seen, places, read) in groups {
        let (class, word) = verdict(seen.verdict);
        let value = match &seen.why {
            Some(why) => escaped(why),
            None => format!("<code>{}</code>", escaped(&short(&seen.value))),
        };
        let _ = writeln!(
            out,
            "<tr><td class=\"v {class}\">{word}</td><td>{} <code>{}</code></td><td>{value}</td><td>{}</td><td>{}</td><td class=\"v\">{}</td></tr>",
            escaped(&seen.operation),
            escaped(&seen.field),
            escaped(&seen.wanted),
            of(&places),
            span(&read)
        );
    }
    out.push_str("</table>\n");
}

/// Steps that a line names without being opened.
const NAMED: usize = 6;

/// The steps of a line; many of them are folded.
fn of(places: &[String]) -> String {
    let all = places.join(", ");
    if places.len() <= NAMED {
        return all;
    }
    format!(
        "<details><summary>{} steps</summary>{all}</details>",
        places.len()
    )
}

/// When values were read: a time of the day, or two; the day stands at the head of the page.
pub(super) fn span(read: &[jiff::Timestamp]) -> String {
    let time = |at: &jiff::Timestamp| at.strftime("%H:%M:%S").to_string();
    match (read.iter().min(), read.iter().max()) {
        (Some(first), Some(last)) if time(first) != time(last) => {
            format!("{} to {}", time(first), time(last))
        }
        (Some(first), _) => time(first),
        _ => String::new(),
    }
}

/// Values that no requirement asks for alone.
pub(super) fn said(out: &mut String, title: &str, all: &[Seen]) {
    let _ = writeln!(out, "<h2>{title}</h2>");
    if all.is_empty() {
        out.push_str("<p class=\"not_seen\">Nothing of the kind was read.</p>\n");
    } else {
        table(out, all);
    }
}

pub(super) fn verdict(of: Verdict) -> (&'static str, &'static str) {
    match of {
        Verdict::Shown => ("shown", "shown"),
        Verdict::NotSeen => ("not_seen", "not seen"),
        Verdict::Contradicted => ("contradicted", "contradicted"),
    }
}

fn short(value: &Value) -> String {
    cut(&text(value), LONGEST)
}

/// Two values that differ.
pub(super) fn both(one: Option<&Value>, other: Option<&Value>) -> [String; 2] {
    let text = |of: Option<&Value>| of.map_or("nothing".to_owned(), text);
    apart([text(one), text(other)], LONGEST)
}

fn text(value: &Value) -> String {
    clean(&match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
