//! The differences on the page: what is not as the configuration and the state say, and who changed it.

use super::values::both;
use crate::engine::drift::{Drift, Status};
use crate::report::drift::in_words;
use crate::report::html::escaped;
use std::fmt::Write;

/// What differs, who changed it, and what a rule of the configuration accepts.
pub(super) fn differences(out: &mut String, drift: &Drift) {
    let count = &drift.summary;
    let _ = writeln!(
        out,
        "<h2>Differences from the configuration</h2>\n<p>{} in sync, {} changed, {} missing, {} unmanaged, {} not checked.</p>",
        count.in_sync, count.changed, count.missing, count.unmanaged, count.unchecked
    );
    let rows: Vec<_> = drift.steps.iter().filter(|r| r.differs()).collect();
    accepted(out, drift);
    if rows.is_empty() && drift.unmanaged.is_empty() && drift.unlisted.is_empty() {
        return;
    }
    out.push_str(
        "<table><tr><th class=\"v\">how</th><th>step</th><th>type</th><th>what</th></tr>\n",
    );
    for row in rows {
        let (class, word) = match row.status {
            Status::Unchecked => ("not_seen", "not checked"),
            Status::Missing => ("contradicted", "missing"),
            Status::Unmanaged => ("contradicted", "unmanaged"),
            Status::OutOfRange => ("contradicted", "out of range"),
            _ => ("contradicted", "changed"),
        };
        let mut what: Vec<String> = Vec::new();
        what.extend(row.reason.clone());
        let change = |c: &crate::engine::Change| {
            let [want, have] = both(c.want.as_ref(), c.have.as_ref());
            format!("{}: expected {want}, actual {have}", c.path)
        };
        what.extend(row.changes.iter().chain(&row.unmanaged).map(change));
        what.extend(row.out_of_range.iter().filter_map(|f| f.illegal.clone()));
        what.extend(row.error.as_ref().map(ToString::to_string));
        let mut what: Vec<String> = what.iter().map(|w| escaped(w)).collect();
        what.extend(by(drift, &row.step));
        line(out, (class, word), [&row.step, &row.kind], &what);
    }
    for thing in &drift.unmanaged {
        let mut what = vec![escaped(&thing.reason)];
        what.extend(by(drift, &thing.step));
        let how = ("contradicted", "unmanaged");
        line(out, how, [&thing.id, &thing.kind], &what);
    }
    for list in &drift.unlisted {
        let what = [escaped(&list.error.to_string())];
        line(out, ("not_seen", "not listed"), ["", &list.kind], &what);
    }
    out.push_str("</table>\n");
    if let Some(why) = &drift.event_history {
        let _ = writeln!(
            out,
            "<p class=\"not_seen\">Who changed it: {}</p>",
            escaped(why)
        );
    }
}

/// One line of the table: how something stands, with the class of that, and what is to be said of it, which is escaped already.
fn line(out: &mut String, (class, word): (&str, &str), [thing, kind]: [&str; 2], what: &[String]) {
    let _ = writeln!(
        out,
        "<tr><td class=\"v {class}\">{word}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escaped(thing),
        escaped(kind),
        what.join("<br>")
    );
}

/// Who changed the thing of a step, as far as that was asked.
fn by<'a>(drift: &'a Drift, step: &'a str) -> impl Iterator<Item = String> + 'a {
    let all = drift.authors.iter().filter(move |a| a.step == step);
    all.map(|a| format!("<span class=\"dim\">{}</span>", escaped(&in_words(a))))
}

/// Differences that are accepted until a day.
fn accepted(out: &mut String, drift: &Drift) {
    if drift.accepted.is_empty() {
        return;
    }
    out.push_str(
        "<p>Accepted by rules of the configuration, and counted nowhere else:</p>\n<ul>\n",
    );
    for one in &drift.accepted {
        let _ = writeln!(
            out,
            "<li>{} <code>{}</code> until {}: {}</li>",
            escaped(&one.step),
            escaped(&one.path),
            one.until,
            escaped(&one.reason)
        );
    }
    out.push_str("</ul>\n");
}
