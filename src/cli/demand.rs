//! What a plan would really make, as far as AWS may refuse it: counts for quotas, and engine versions.

use crate::aws::{Count, Demand, Version};
use crate::engine::event::Verb;
use crate::engine::plan::{Node, Op, Plan};
use crate::engine::{Graph, Kind};
use crate::resources::rds::ENGINE;
use crate::resources::wafv2::WebAcl;
use serde_json::Value;
use std::collections::BTreeSet;

/// The demand of a plan: things that are created count as new, the other chosen steps as there.
pub fn demand(graph: &Graph, chosen: &[bool], plan: &Plan) -> Demand {
    let made: BTreeSet<&str> = plan
        .nodes
        .iter()
        .filter(|n| n.op == Op::Ensure && n.verb == Verb::Create && n.refused.is_none())
        .map(|n| n.step.as_str())
        .collect();
    let mut out = Demand::default();
    for (step, chosen) in graph.steps.iter().zip(chosen) {
        let is_new = made.contains(step.id.as_str());
        let scopes = out.kinds.entry(step.kind.clone()).or_default();
        let count: &mut Count = scopes.entry(step.scope.clone()).or_default();
        count.new += usize::from(is_new);
        count.there += usize::from(*chosen && !is_new);
    }
    let sent = plan.nodes.iter().filter_map(version);
    for version in sent {
        if !out.versions.contains(&version) {
            out.versions.push(version);
        }
    }
    out
}

/// The web ACLs whose rules are made or changed.
pub fn web_acls(plan: &Plan) -> impl Iterator<Item = &Node> {
    plan.nodes.iter().filter(|node| {
        let rules = node.verb != Verb::Update || node.changes.iter().any(|c| c.field() == "rules");
        node.kind == WebAcl::TYPE && node.op == Op::Ensure && node.refused.is_none() && rules
    })
}

/// The engine version that a node sends to AWS: with a new cluster, or to change one.
fn version(node: &Node) -> Option<Version> {
    if node.kind != "rds/cluster" || node.op != Op::Ensure || node.refused.is_some() {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (wanted, running) = match node.verb {
        Verb::Create | Verb::Replace => (text(node.spec.get("engine_version")?)?, None),
        _ => {
            let change = node
                .changes
                .iter()
                .find(|c| matches!(c.path.at(0), Some("engine_version" | "running_version")))?;
            (
                text(change.want.as_ref()?)?,
                change.have.as_ref().and_then(text),
            )
        }
    };
    Some(Version {
        engine: ENGINE.to_owned(),
        wanted,
        running,
    })
}
