//! The page: one document without a script, for a screen and for paper.

use super::differences::differences;
use super::drawing::drawing;
use super::values::{said, span, values, verdict};
use super::{EvidenceDocument, different};
use crate::blueprint::reachability::Path;
use crate::evidence::{DELETION, Requirement, Status, Verdict};
use crate::report::html::{document, escaped};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
/// Lines of a history on the page.
const LINES: usize = 60;

/// The whole page.
pub fn page(of: &EvidenceDocument) -> String {
    let home = &of.home;
    let scope = home.scope.as_deref().unwrap_or("blue and green");
    let title = format!(
        "Evidence · {} · {scope} · {} · {}",
        home.suffix, home.account, home.region
    );
    let mut body = format!("<header><h1>{}</h1>\n", escaped(&title));
    let _ = writeln!(
        body,
        "<p class=\"dim\">Read from {} to {} by deployer {}; configuration <code>{}</code>. These settings support requirements; they are no compliance.</p>",
        time(of.from),
        time(of.to),
        of.version,
        of.configuration.get(..16).unwrap_or(&of.configuration)
    );
    if let Some(endpoint) = &of.endpoint {
        let _ = writeln!(
            body,
            "<p class=\"banner contradicted\">All calls went to {}, not to AWS: nothing on this page is evidence of an account of AWS.</p>",
            escaped(endpoint)
        );
    }
    if let Some(run) = &of.run {
        let _ = writeln!(
            body,
            "<p class=\"banner contradicted\">{}: what was read was moving, and a difference may be a part of that run.</p>",
            escaped(run)
        );
    }
    deletions(&mut body, of);
    tiles(&mut body, of);
    body.push_str("</header>\n<main>\n");
    network(&mut body, of);
    differences(&mut body, &of.drift);
    requirements(&mut body, of);
    ages(&mut body, of);
    said(&mut body, "How AWS Config judges", &of.evidence.judged);
    said(&mut body, "Whether logs arrive", &of.evidence.delivered);
    rest(&mut body, of);
    histories(&mut body, of);
    body.push_str("<h2>What this report cannot show</h2>\n<ul>\n");
    for text in &of.evidence.cannot_show {
        let _ = writeln!(body, "<li>{}</li>", escaped(text));
    }
    body.push_str("</ul>\n</main>\n");
    document(&title, STYLE, &body)
}

/// Data that is about to be lost stands before everything else.
fn deletions(out: &mut String, of: &EvidenceDocument) {
    for age in &of.evidence.ages {
        let at = age.dates.iter().find(|d| d.what == DELETION);
        if let Some(at) = at.and_then(|d| d.at) {
            let _ = writeln!(
                out,
                "<p class=\"banner contradicted\">KMS deletes {} at {}, and what it encrypts cannot be read any more. Until then <code>aws kms cancel-key-deletion --key-id {}</code> keeps it.</p>",
                escaped(&age.step),
                time(at),
                escaped(&age.resource)
            );
        }
    }
}

fn tiles(out: &mut String, of: &EvidenceDocument) {
    let evidence = &of.evidence;
    let count = evidence.inventory;
    let tiles = [
        (
            of.count(Verdict::Shown),
            "requirements with live values as wanted",
            "shown",
        ),
        (
            of.count(Verdict::Contradicted),
            "contradicted",
            "contradicted",
        ),
        (of.count(Verdict::NotSeen), "not seen here", "not_seen"),
        (
            different(&of.drift),
            "differences from the configuration",
            "",
        ),
        (
            of.drift.summary.unchecked,
            "steps that could not be checked",
            "",
        ),
        (
            evidence.paths.extra.len(),
            "open paths that are not asked for",
            "",
        ),
        (count.read, "things read", ""),
        (count.recorded, "recorded", ""),
    ];
    out.push_str("<div class=\"tiles\">");
    for (n, text, class) in tiles {
        let _ = write!(
            out,
            "<div class=\"tile\"><b class=\"{class}\">{n}</b><span>{text}</span></div>"
        );
    }
    out.push_str("</div>\n");
}

fn network(out: &mut String, of: &EvidenceDocument) {
    let paths = &of.evidence.paths;
    out.push_str("<h2>What exists, and the paths that are open</h2>\n<p class=\"dim\">From the security groups, network ACLs, route tables and Transit Gateway tables that were read, packet by packet, for TCP. Red: open and not asked for. Dashed: not known.</p>\n");
    out.push_str(&drawing(paths));
    let groups = [
        ("Open and not asked for", &paths.extra, "contradicted"),
        ("Asked for and closed", &paths.closed, "contradicted"),
        (
            "Not known: something on the way was not read",
            &paths.unknown,
            "not_seen",
        ),
        ("Open, as asked for", &paths.open, "shown"),
    ];
    for (title, paths, class) in groups.into_iter().filter(|(_, p, _)| !p.is_empty()) {
        let _ = writeln!(
            out,
            "<details{}><summary class=\"{class}\">{title}: {}</summary>\n<table class=\"inner\"><tr><th>from</th><th>to</th><th>ports</th></tr>",
            if class == "contradicted" { " open" } else { "" },
            paths.len()
        );
        for ((from, to), ports) in by_pair(paths) {
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(from),
                escaped(to),
                ports.join(", ")
            );
        }
        out.push_str("</table></details>\n");
    }
}

fn by_pair(paths: &BTreeSet<Path>) -> BTreeMap<(&str, &str), Vec<String>> {
    let mut out: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for path in paths {
        let ports = out.entry((&path.from, &path.to)).or_default();
        ports.push(path.port.to_string());
    }
    out
}

fn requirements(out: &mut String, of: &EvidenceDocument) {
    out.push_str("<h2>PCI DSS 4.0.1, requirement by requirement</h2>\n<p class=\"dim\">In our own words; the standard's text counts. Shown: every live value is as wanted. Contradicted: one is not. Not seen: denied, absent, or answered by no setting.</p>\n<table><tr><th>requirement</th><th class=\"v\">verdict</th><th>asks, and what answers it</th></tr>\n");
    for requirement in &of.evidence.requirements {
        one(out, requirement);
    }
    out.push_str("</table>\n");
}

fn one(out: &mut String, of: &Requirement) {
    let (class, word) = verdict(of.verdict);
    let status = match of.status {
        Status::Met => "",
        Status::Supports => "supports it, and is no whole answer",
        Status::Brief => "deviation that the brief demands",
        Status::Gap => "known gap",
        Status::Yours => "your own duty",
        Status::Aws => "AWS's duty",
    };
    let _ = write!(
        out,
        "<tr><td class=\"id\">{}</td><td class=\"v {class}\">{word}</td><td>{} <b>{}</b>",
        escaped(&of.id),
        escaped(&of.asks),
        escaped(&of.answered_by)
    );
    if !status.is_empty() {
        let _ = write!(out, " <span class=\"dim\">({status})</span>");
    }
    if !of.tell.is_empty() {
        let _ = write!(out, "<br><span class=\"dim\">{}</span>", escaped(&of.tell));
    }
    if let Some(deviation) = &of.deviation {
        let _ = write!(
            out,
            "<br>Deviation: by {}; fails {}; {}. {}",
            escaped(&deviation.by),
            escaped(&deviation.fails),
            escaped(&deviation.compensates),
            match deviation.end.as_str() {
                "" => "No key of the configuration ends it.".to_owned(),
                end => format!("It ends with <code>{}</code>.", escaped(end)),
            }
        );
    }
    values(out, &of.values);
    out.push_str("</td></tr>\n");
}

fn ages(out: &mut String, of: &EvidenceDocument) {
    out.push_str("<h2>Ages, rotations, restore windows, certificates</h2>\n<table><tr><th>step</th><th>operation</th><th>what</th><th class=\"v\">read</th></tr>\n");
    for age in &of.evidence.ages {
        let dates = age.dates.iter().map(|d| {
            let at = d.at.map_or("AWS shows none".to_owned(), |at| match d.what {
                "created" | "last rotated" | "issued" => {
                    format!("{} ({})", time(at), days(at, age.read))
                }
                _ => time(at),
            });
            format!("{}: {at}", d.what)
        });
        let mut what: Vec<String> = dates.collect();
        if let Some(why) = &age.why {
            what.push(format!(
                "<span class=\"not_seen\">not seen: {}</span>",
                escaped(why)
            ));
        }
        let _ = writeln!(
            out,
            "<tr><td title=\"{}\">{}</td><td>{}</td><td>{}</td><td class=\"v\">{}</td></tr>",
            escaped(&age.resource),
            escaped(&age.step),
            escaped(&age.operation),
            what.join("; "),
            span(&[age.read])
        );
    }
    out.push_str("</table>\n");
    if of.evidence.ages.is_empty() {
        out.push_str("<p class=\"not_seen\">Nothing of the kind was read.</p>\n");
    }
}

fn rest(out: &mut String, of: &EvidenceDocument) {
    let evidence = &of.evidence;
    out.push_str("<h2>Alarms that reach nobody</h2>\n<ul>\n");
    for text in &evidence.silent {
        let _ = writeln!(out, "<li class=\"contradicted\">{}</li>", escaped(text));
    }
    if evidence.silent.is_empty() {
        out.push_str("<li>None among the topics and alarms that were read.</li>\n");
    }
    out.push_str("</ul>\n<h2>Log groups that are not kept for 90 days</h2>\n<ul>\n");
    for (step, days) in &evidence.log_groups {
        let days = days.map_or("without an end".to_owned(), |d| format!("{d} days"));
        let _ = writeln!(out, "<li>{}: {days}</li>", escaped(step));
    }
    if evidence.log_groups.is_empty() {
        out.push_str("<li>None among those that were read.</li>\n");
    }
    out.push_str("</ul>\n<h2>Ends of support</h2>\n<table><tr><th>key</th><th>version</th><th>run by</th><th>last day</th><th>then</th></tr>\n");
    for end in &evidence.support {
        let (class, _) = verdict(end.verdict);
        let last = end.last.map_or("not known".to_owned(), |d| d.to_string());
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td class=\"{class}\">{last}</td><td>{}</td></tr>",
            end.key,
            escaped(&end.version),
            escaped(&run_by(&end.steps)),
            escaped(end.then)
        );
    }
    out.push_str("</table>\n");
}

fn run_by(steps: &[String]) -> String {
    if steps.is_empty() {
        "configured; nothing that runs it was read".to_owned()
    } else {
        steps.join(", ")
    }
}

fn histories(out: &mut String, of: &EvidenceDocument) {
    for chain in &of.evidence.histories {
        let (class, _) = verdict(chain.verdict);
        let _ = writeln!(
            out,
            "<h2>History of {}</h2>\n<p class=\"{class}\">{}</p>",
            chain.what,
            escaped(&chain.text)
        );
        if chain.lines.is_empty() {
            continue;
        }
        out.push_str("<table><tr><th>when</th><th>who</th><th>what</th></tr>\n");
        for line in chain.lines.iter().take(LINES) {
            let _ = writeln!(
                out,
                "<tr><td class=\"v\">{}</td><td>{}</td><td>{}</td></tr>",
                time(line.at),
                escaped(&line.by),
                escaped(&line.text)
            );
        }
        out.push_str("</table>\n");
        if chain.lines.len() > LINES {
            let _ = writeln!(
                out,
                "<p class=\"dim\">and {} lines before these</p>",
                chain.lines.len() - LINES
            );
        }
    }
}

/// How old something was when it was read.
fn days(since: jiff::Timestamp, read: jiff::Timestamp) -> String {
    match read.duration_since(since).as_hours() / 24 {
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

pub(super) fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
