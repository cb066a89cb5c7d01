//! Graphs as people and programs draw them.

use super::*;
use crate::engine::graph::{Builder, Kind, StepMeta};

#[derive(serde::Serialize)]
#[serde(transparent)]
struct Any(Value);
impl Kind for Any {
    const TYPE: &'static str = "ec2/any";
    type Outputs = ();
}

#[test]
fn graphs_have_clusters_and_bold_edges_for_what_must_be_ready() {
    let mut b = Builder::new();
    let head = |id: &str, scope: &str| StepMeta {
        id: id.into(),
        scope: scope.into(),
        name: format!("{id}-dev"),
        tags: BTreeMap::new(),
    };
    b.add(head("tgw", "shared"), Any(json!({})));
    b.add(head("vpc", "green"), Any(json!({})));
    b.add(
        head("route", "green"),
        Any(json!({"vpc": "@{vpc.id}", "tgw": "@{tgw.id!}"})),
    );
    b.add(head("other", "blue"), Any(json!({})));
    let graph = b.build().unwrap();
    let chosen = graph.select(Some("green"));
    assert_eq!(
        dot(&graph, &chosen),
        "digraph deployer {\n  rankdir=RL;\n  label=\"bold: must be ready; thin: must be known; one colour for each service\";\n  node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n  subgraph \"cluster_green\" {\n    label=\"green\";\n    \"vpc\" [label=\"vpc\\nec2/any\", fillcolor=\"#cfe2f3\"];\n    \"route\" [label=\"route\\nec2/any\", fillcolor=\"#cfe2f3\"];\n  }\n  subgraph \"cluster_shared\" {\n    label=\"shared\";\n    \"tgw\" [label=\"tgw\\nec2/any\", fillcolor=\"#cfe2f3\"];\n  }\n  \"route\" -> \"tgw\" [style=bold];\n  \"route\" -> \"vpc\";\n}\n"
    );
    assert_eq!(
        mermaid(&graph, &chosen),
        "flowchart RL\n  subgraph green\n    s1[\"vpc<br/>ec2/any\"]\n    s2[\"route<br/>ec2/any\"]\n  end\n  subgraph shared\n    s0[\"tgw<br/>ec2/any\"]\n  end\n  s2 ==> s0\n  s2 --> s1\n"
    );
    let json = graph_json(&graph, &chosen);
    assert_eq!(
        json["steps"][2]["needs"],
        json!([{"step": "tgw", "strength": "ready"}, {"step": "vpc", "strength": "known"}])
    );
    assert_eq!(json["steps"].as_array().unwrap().len(), 3);
}
