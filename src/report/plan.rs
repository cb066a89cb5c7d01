//! The plan for people.

use super::doubled;
use super::error::error;
use super::paint::Paint;
use super::value::{clean, many, optional, value};
use crate::engine::diff::Change;
use crate::engine::event::Verb;
use crate::engine::plan::{Node, Op, Plan};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Changed paths of one step that are listed; the rest is counted.
const MOST_CHANGES: usize = 40;

/// Grouped by environment and service, with what changes, why something is replaced, what is left to its owner, what is in the way.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let mut out = doubled::first(doubled::of_plan(plan), paint);
    for scope in scopes(plan.nodes.iter().map(|n| n.scope.as_str())) {
        let nodes: Vec<&Node> = shown(plan).filter(|n| n.scope == scope).collect();
        let _ = writeln!(out, "{}", paint.bold(scope));
        let mut services: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
        for node in nodes {
            services.entry(service(&node.kind)).or_default().push(node);
        }
        for (service, nodes) in services {
            let _ = writeln!(out, "  {}", paint.dim(service));
            let width = nodes
                .iter()
                .map(|n| n.step.chars().count())
                .max()
                .unwrap_or(0);
            for node in nodes {
                step(&mut out, node, loss(plan, node), width, paint);
            }
        }
        out.push('\n');
    }
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
        let _ = writeln!(out, "{}", error(Some(&problem.step), &problem.error, paint));
    }
    if !plan.problems.is_empty() {
        let n = many(plan.problems.len() as u64, "problem");
        let _ = writeln!(out, "Cannot go on: resolve the {n} above first.");
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
    paint.bold(&format!("Plan: {}", parts.join(", ")))
}

/// Every node but the removal that belongs to a replacement.
pub(super) fn shown(plan: &Plan) -> impl Iterator<Item = &Node> {
    plan.nodes
        .iter()
        .filter(|n| n.verb != Verb::Replace || n.op == Op::Ensure)
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
        ["blue", "green", "shared"]
            .iter()
            .position(|k| *k == s)
            .unwrap_or(3)
    };
    out.sort_by_key(|s| (place(s), *s));
    out
}

/// What deleting or replacing it loses, in words.
fn loss(plan: &Plan, node: &Node) -> String {
    let mut removals = plan.nodes.iter().filter(|n| n.op == Op::Remove);
    let removal = removals.find(|n| n.step == node.step);
    removal.map(|n| n.loss.words()).unwrap_or_default()
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

fn step(out: &mut String, node: &Node, loss: String, width: usize, paint: Paint) {
    let pad = " ".repeat(width - node.step.chars().count());
    let _ = write!(
        out,
        "    {} {}{pad}  {}",
        symbol(node.verb, paint),
        node.step,
        paint.dim(&node.kind)
    );
    // That a deletion deletes needs no reason; that something goes because it is no longer in the blueprint does.
    let reasons: Vec<&str> = node
        .reasons
        .iter()
        .map(String::as_str)
        .filter(|r| *r != "it is destroyed")
        .collect();
    if !reasons.is_empty() {
        let _ = write!(out, "  ({})", clean(&reasons.join("; ")));
    }
    out.push('\n');
    if !loss.is_empty() {
        let text = format!("DATA {}", clean(&loss));
        let _ = writeln!(out, "        {}", paint.red(&text));
    }
    for change in node.changes.iter().take(MOST_CHANGES) {
        let _ = writeln!(out, "        {}", changed(change, paint));
    }
    if node.changes.len() > MOST_CHANGES {
        let _ = writeln!(
            out,
            "        and {} more",
            node.changes.len() - MOST_CHANGES
        );
    }
    if let Some(refused) = &node.refused {
        let text = error(None, refused, paint);
        for line in text.lines() {
            let _ = writeln!(out, "        {line}");
        }
    }
}

/// One difference as what apply makes of it: have -> want.
pub(super) fn changed(change: &Change, paint: Paint) -> String {
    let path = clean(&change.path.to_string());
    match (&change.have, &change.want) {
        (None, Some(want)) => format!("{} {path}: {}", paint.green("+"), value(want)),
        (Some(have), None) => format!("{} {path}: {}", paint.red("-"), value(have)),
        (have, want) => format!(
            "{} {path}: {} -> {}",
            paint.yellow("~"),
            optional(have.as_ref()),
            optional(want.as_ref())
        ),
    }
}

fn delegated(out: &mut String, plan: &Plan, paint: Paint) {
    if plan.delegated.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", paint.bold("Not managed here (set by AWS)"));
    for field in &plan.delegated {
        let _ = write!(
            out,
            "    {}.{}: {}, owned by {}",
            field.step,
            field.field,
            value(&field.have),
            field.owner
        );
        if let Some(why) = &field.illegal {
            let _ = write!(out, " ({}: {})", paint.red("out of range"), clean(why));
        }
        out.push('\n');
    }
    out.push('\n');
}
