//! The graph of steps as DOT, Mermaid and JSON. Edges point from a step to what it needs first; a strong edge (it must be
//! ready, not only known) is drawn bold.

use super::plan::{scopes, service};
use crate::engine::Graph;
use crate::engine::reference::Strength;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

fn chosen_steps(graph: &Graph, chosen: &[bool]) -> Vec<usize> {
    (0..graph.steps.len())
        .filter(|at| chosen.get(*at).copied().unwrap_or(false))
        .collect()
}

/// Edges among the chosen steps: from, to, strength.
fn edges(graph: &Graph, chosen: &[usize]) -> Vec<(usize, usize, Strength)> {
    chosen
        .iter()
        .flat_map(|at| {
            graph.steps[*at]
                .needs
                .iter()
                .map(move |(to, s)| (*at, *to, *s))
        })
        .filter(|(_, to, _)| chosen.binary_search(to).is_ok())
        .collect()
}

/// Fills of nodes, light enough for black text; services take them in turn.
const COLOURS: [&str; 12] = [
    "#cfe2f3", "#d9ead3", "#fff2cc", "#f4cccc", "#d9d2e9", "#fce5cd", "#d0e0e3", "#ead1dc",
    "#e2f0cb", "#ffe0b2", "#e0e0e0", "#c9daf8",
];

/// Graphviz.
pub fn dot(graph: &Graph, chosen: &[bool]) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let steps = chosen_steps(graph, chosen);
    let mut out = String::from(
        "digraph deployer {\n  rankdir=RL;\n  label=\"bold: must be ready; thin: must be known; one colour for each service\";\n  \
         node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n",
    );
    let all = steps.iter().map(|at| service(&graph.steps[*at].kind));
    let services: Vec<_> = all.collect::<BTreeSet<_>>().into_iter().collect();
    for scope in scopes(steps.iter().map(|at| graph.steps[*at].scope.as_str())) {
        let _ = writeln!(
            out,
            "  subgraph {} {{\n    label={};",
            quote(&format!("cluster_{scope}")),
            quote(scope)
        );
        for step in steps
            .iter()
            .map(|at| &graph.steps[*at])
            .filter(|s| s.scope == scope)
        {
            let label = format!("{}\\n{}", step.id.replace('"', ""), step.kind);
            let at = services.binary_search(&service(&step.kind)).unwrap_or(0);
            let _ = writeln!(
                out,
                "    {} [label=\"{label}\", fillcolor=\"{}\"];",
                quote(&step.id),
                COLOURS[at % COLOURS.len()]
            );
        }
        out.push_str("  }\n");
    }
    for (from, to, strength) in edges(graph, &steps) {
        let style = if strength == Strength::Ready {
            " [style=bold]"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  {} -> {}{style};",
            quote(&graph.steps[from].id),
            quote(&graph.steps[to].id)
        );
    }
    out.push_str("}\n");
    out
}

pub fn mermaid(graph: &Graph, chosen: &[bool]) -> String {
    let steps = chosen_steps(graph, chosen);
    let text = |t: &str| t.replace('"', "#quot;");
    let mut out = String::from("flowchart RL\n");
    for scope in scopes(steps.iter().map(|at| graph.steps[*at].scope.as_str())) {
        let _ = writeln!(out, "  subgraph {scope}");
        for at in steps.iter().filter(|at| graph.steps[**at].scope == scope) {
            let step = &graph.steps[*at];
            let _ = writeln!(
                out,
                "    s{at}[\"{}<br/>{}\"]",
                text(&step.id),
                text(&step.kind)
            );
        }
        out.push_str("  end\n");
    }
    for (from, to, strength) in edges(graph, &steps) {
        let arrow = if strength == Strength::Ready {
            "==>"
        } else {
            "-->"
        };
        let _ = writeln!(out, "  s{from} {arrow} s{to}");
    }
    out
}

/// The document `deployer.graph/1`.
pub fn graph_json(graph: &Graph, chosen: &[bool]) -> Value {
    let steps = chosen_steps(graph, chosen);
    let mut needs: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
    for (from, to, strength) in edges(graph, &steps) {
        needs
            .entry(from)
            .or_default()
            .push(json!({"step": graph.steps[to].id, "strength": strength}));
    }
    let steps: Vec<Value> = steps
        .iter()
        .map(|at| {
            let step = &graph.steps[*at];
            json!({
                "step": step.id, "kind": step.kind, "service": service(&step.kind), "scope": step.scope,
                "name": step.name, "needs": needs.remove(at).unwrap_or_default(),
            })
        })
        .collect();
    json!({"schema": "deployer.graph/1", "steps": steps})
}
