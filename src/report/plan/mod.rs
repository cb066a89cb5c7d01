//! The plan for people.

mod detail;
mod equal;

pub(super) use self::detail::fields;
use self::equal::Grouped;
use super::doubled;
use super::error::{Hints, error};
use super::paint::Paint;
use super::value::{LONGEST, both, clean, known, many, value, whole};
use crate::engine::diff::Change;
use crate::engine::event::Verb;
use crate::engine::graph::SHARED;
use crate::engine::matches;
use crate::engine::plan::{DataLoss, Node, Plan};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Changed paths of one step that are listed; the rest is counted.
const MOST_CHANGES: usize = 40;

/// How much of each step is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Detail {
    /// What differs, with long values cut and equal changes of many steps shown once.
    #[default]
    Short,
    /// Every value of every planned step.
    All,
    /// Every value of these steps, and no other step.
    Steps(Vec<String>),
}

impl Detail {
    fn shows(&self, node: &Node) -> bool {
        match self {
            Self::Short | Self::All => true,
            Self::Steps(steps) => steps.iter().any(|s| matches(s, &node.step)),
        }
    }

    fn is_whole(&self) -> bool {
        *self != Self::Short
    }
}

/// Grouped by environment and service, with what changes, why something is replaced, what is left to its owner, what is in the way.
pub fn plan(plan: &Plan, detail: &Detail, paint: Paint) -> String {
    let mut out = doubled::first(doubled::of_plan(plan), paint);
    let nodes: Vec<&Node> = shown(plan).filter(|n| detail.shows(n)).collect();
    let grouped = if detail.is_whole() {
        Grouped::default()
    } else {
        Grouped::of(&nodes)
    };
    let single =
        |at: usize, node: &Node| !grouped.says_all(at, node) || !loss(plan, node).is_empty();
    let lines: Vec<(usize, &Node)> = nodes
        .iter()
        .copied()
        .enumerate()
        .filter(|(at, node)| single(*at, node))
        .collect();
    let mut hints = Hints::default();
    for scope in scopes(lines.iter().map(|(_, n)| n.scope.as_str())) {
        let nodes = lines.iter().filter(|(_, n)| n.scope == scope);
        let _ = writeln!(out, "{}", paint.bold(scope));
        let mut services: BTreeMap<&str, Vec<&(usize, &Node)>> = BTreeMap::new();
        for line in nodes {
            services
                .entry(service(&line.1.kind))
                .or_default()
                .push(line);
        }
        for (service, nodes) in services {
            let _ = writeln!(out, "  {}", paint.dim(service));
            let width = |of: fn(&Node) -> &str| {
                let widths = nodes.iter().map(|(_, n)| of(n).chars().count());
                widths.max().unwrap_or(0)
            };
            let widths = (width(|n| &n.step), width(|n| &n.kind));
            for (at, node) in nodes {
                let changes = grouped.own(*at, node);
                step(
                    &mut out,
                    node,
                    &changes,
                    loss(plan, node),
                    widths,
                    detail,
                    paint,
                );
                if let Some(refused) = &node.refused {
                    let text = error(None, &hints.once(refused), paint);
                    for line in text.lines() {
                        let _ = writeln!(out, "        {line}");
                    }
                }
            }
        }
        out.push('\n');
    }
    groups(&mut out, &grouped, paint);
    delegated(&mut out, plan, paint);
    for kept in &plan.kept {
        let _ = writeln!(
            out,
            "kept: {} {} {}: {}",
            kept.step,
            kept.kind,
            kept.name,
            clean(&kept.reason)
        );
    }
    let mut scopes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for waiting in &plan.waiting {
        let steps = scopes.entry(&waiting.scope).or_default();
        steps.push(&waiting.step);
    }
    for (scope, steps) in scopes {
        let _ = writeln!(out, "note: waiting for {scope}: {}", steps.join(", "));
    }
    for step in &plan.forget {
        let _ = writeln!(out, "note: {step} no longer exists: removed from the state");
    }
    for note in &plan.notes {
        let _ = writeln!(out, "note: {}", clean(note));
    }
    for problem in &plan.problems {
        let why = hints.once(&problem.error);
        let _ = writeln!(out, "{}", error(Some(&problem.step), &why, paint));
    }
    if !plan.problems.is_empty() {
        let what = match plan.problems.len() {
            1 => "problem".to_owned(),
            n => many(n as u64, "problem"),
        };
        let _ = writeln!(out, "Cannot continue: resolve the {what} above first.");
    }
    let _ = writeln!(out, "{}", headline(plan, paint));
    out
}

/// `Plan: 12 to create, 3 to update, 1 to replace, 0 to delete, 140 unchanged`
fn headline(plan: &Plan, paint: Paint) -> String {
    if plan.nodes.is_empty() && plan.problems.is_empty() {
        let text = format!("Nothing to do: {} unchanged", plan.unchanged.len());
        return paint.bold(&text);
    }
    let count = |verb, text: &str| format!("{} to {text}", plan.count(verb));
    let mut parts = vec![count(Verb::Create, "create")];
    if plan.count(Verb::Adopt) > 0 {
        parts.push(count(Verb::Adopt, "adopt"));
    }
    parts.push(count(Verb::Update, "update"));
    parts.push(count(Verb::Replace, "replace"));
    parts.push(count(Verb::Delete, "delete"));
    parts.push(format!("{} unchanged", plan.unchanged.len()));
    let interrupting = shown(plan).filter(|n| !n.interrupts.is_empty()).count();
    if interrupting > 0 {
        parts.push(format!("{interrupting} interrupting service"));
    }
    if plan.refusals() > 0 {
        parts.push(format!("{} not possible", plan.refusals()));
    }
    paint.bold(&format!("Plan: {}", parts.join(", ")))
}

/// Every step once.
pub(super) fn shown(plan: &Plan) -> impl Iterator<Item = &Node> {
    plan.nodes.iter().filter(|n| !n.is_second_half())
}

/// `blue`, `green`, `shared`, and whatever else there is, once each and in this order.
pub(super) fn scopes<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for scope in all {
        if !out.contains(&scope) {
            out.push(scope);
        }
    }
    let place = |s: &str| {
        ["blue", "green", SHARED]
            .iter()
            .position(|k| *k == s)
            .unwrap_or(3)
    };
    out.sort_by_key(|s| (place(s), *s));
    out
}

/// What deleting, replacing or changing it loses, in words.
fn loss(plan: &Plan, node: &Node) -> String {
    plan.loss(node).map(DataLoss::words).unwrap_or_default()
}

/// `ec2` of `ec2/vpc`.
pub(super) fn service(kind: &str) -> &str {
    kind.split('/').next().unwrap_or(kind)
}

/// The sign of a verb, three columns wide.
pub(super) fn symbol(verb: Verb, paint: Paint) -> String {
    match verb {
        Verb::Create => paint.green("  +"),
        Verb::Adopt => paint.cyan("  >"),
        Verb::Update => paint.yellow("  ~"),
        Verb::Replace => paint.magenta("-/+"),
        Verb::Delete => paint.red("  -"),
    }
}

/// Changes that several steps get, each once.
fn groups(out: &mut String, grouped: &Grouped<'_>, paint: Paint) {
    for group in &grouped.groups {
        let n = many(group.steps.len() as u64, "step");
        let _ = writeln!(out, "{}", paint.bold(&format!("The same on {n}")));
        for change in &group.changes {
            let _ = writeln!(out, "    {}", changed(change, LONGEST, paint));
        }
        let names: Vec<&str> = group.steps.iter().map(|n| n.step.as_str()).collect();
        wrapped(out, &names, 4);
        out.push('\n');
    }
}

/// Names with commas, in lines of at most 110 characters.
fn wrapped(out: &mut String, names: &[&str], indent: usize) {
    let mut line = " ".repeat(indent);
    for (at, name) in names.iter().enumerate() {
        let comma = if at + 1 < names.len() { "," } else { "" };
        if line.len() > indent && line.len() + name.len() + 2 > 110 {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(indent);
        }
        let _ = write!(line, "{name}{comma} ");
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

fn step(
    out: &mut String,
    node: &Node,
    changes: &[&Change],
    loss: String,
    widths: (usize, usize),
    detail: &Detail,
    paint: Paint,
) {
    let padded = |text: &str, width: usize| format!("{text:<width$}");
    let _ = write!(
        out,
        "    {} {}  {}  {}",
        symbol(node.verb, paint),
        padded(&node.step, widths.0),
        paint.dim(&padded(&node.kind, widths.1)),
        paint.dim(&clean(&node.name))
    );
    if node.holds_data {
        let _ = write!(out, "  holds data");
    }
    // That a deletion deletes needs no reason; that something goes because it is no longer in the blueprint does.
    let reasons: Vec<&str> = node
        .reasons
        .iter()
        .map(String::as_str)
        .filter(|r| *r != "it is destroyed")
        .collect();
    if !reasons.is_empty() {
        let _ = write!(out, "  ({})", clean(&known(&reasons.join("; "))));
    }
    out.push('\n');
    if !loss.is_empty() {
        let text = format!("DATA {}", clean(&loss));
        let _ = writeln!(out, "        {}", paint.red(&text));
    }
    for interruption in &node.interrupts {
        let field = interruption.field.iter().map(|f| format!("{f}: "));
        let text = format!(
            "INTERRUPTS {}{}",
            field.collect::<String>(),
            interruption.text
        );
        let _ = writeln!(out, "        {}", paint.yellow(&text));
    }
    let (most, longest) = if detail.is_whole() {
        (usize::MAX, usize::MAX)
    } else {
        (MOST_CHANGES, LONGEST)
    };
    for change in changes.iter().take(most) {
        let _ = writeln!(out, "        {}", changed(change, longest, paint));
    }
    if changes.len() > most {
        let _ = writeln!(out, "        and {} more", changes.len() - most);
    }
    if detail.is_whole() {
        if !changes.is_empty() {
            let _ = writeln!(out, "        {}", paint.dim("all values:"));
        }
        fields(out, &node.spec, 8);
        if !node.tags.is_empty() {
            let _ = writeln!(out, "        tags:");
            for (key, text) in &node.tags {
                let text = whole(&Value::from(text.as_str()));
                let _ = writeln!(out, "          {}: {text}", clean(key));
            }
        }
    }
}

/// One difference as what apply makes of it: have -> want.
pub(super) fn changed(change: &Change, longest: usize, paint: Paint) -> String {
    let path = clean(&known(&change.path.to_string()));
    let (have, want) = (change.have.as_ref(), change.want.as_ref());
    let [old, new] = both(have, want, longest);
    match (have, want) {
        (None, Some(_)) => format!("{} {path}: {new}", paint.green("+")),
        (Some(_), None) => format!("{} {path}: {old}", paint.red("-")),
        _ => format!("{} {path}: {old} -> {new}", paint.yellow("~")),
    }
}

fn delegated(out: &mut String, plan: &Plan, paint: Paint) {
    if plan.delegated.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", paint.bold("Not changed by apply: set by others"));
    for field in &plan.delegated {
        let _ = write!(
            out,
            "    {}.{}: {}, owned by {}",
            field.step,
            field.field,
            value(&field.have),
            field.owner
        );
        // What the plan itself changes is not in the way.
        let changed = plan.nodes.iter().any(|n| n.step == field.step);
        if let Some(why) = field.illegal.as_ref().filter(|_| !changed) {
            let _ = write!(out, " ({}: {})", paint.red("out of range"), clean(why));
        }
        out.push('\n');
    }
    out.push('\n');
}
