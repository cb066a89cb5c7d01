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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Facts, build};
    use crate::config::Config;
    use crate::engine::Error;
    use crate::engine::diff::{Change, Path};
    use serde_json::json;

    const CLUSTER: &str = "rds/cluster";

    /// What happens to one step, as the planner says it.
    fn node(graph: &Graph, step: &str, op: Op, verb: Verb) -> Node {
        let step = graph.get(step).unwrap();
        Node::bare(step, step.spec.clone(), op, verb)
    }

    fn changed(node: Node, field: &str, have: &str, want: &str) -> Node {
        let change = Change {
            path: Path::of([field]),
            want: Some(json!(want)),
            have: Some(json!(have)),
        };
        Node {
            changes: vec![change],
            ..node
        }
    }

    #[test]
    fn only_what_a_plan_sends_is_asked_of_aws() {
        let config = Config::default();
        let graph = build(&config, &Facts::sample()).unwrap();
        let chosen = graph.select(Some("green"));
        let clusters = graph.steps.iter().filter(|s| s.kind == CLUSTER);
        let ids: Vec<&str> = clusters.map(|s| s.id.as_str()).collect();
        let green = *ids.iter().find(|id| id.ends_with("-green")).unwrap();
        let blue = *ids.iter().find(|id| id.ends_with("-blue")).unwrap();
        let of = |nodes: Vec<Node>| {
            let plan = Plan {
                nodes,
                ..Plan::default()
            };
            let demand = demand(&graph, &chosen, &plan);
            let count = |scope| {
                let count = demand.kinds[CLUSTER][scope];
                (count.new, count.there)
            };
            let sent = demand.versions.iter();
            let sent: Vec<(String, Option<String>)> = sent
                .map(|v| (v.wanted.clone(), v.running.clone()))
                .collect();
            (sent, count("green"), count("blue"))
        };
        let wanted = config.database.engine_version.clone();
        let new = || node(&graph, green, Op::Ensure, Verb::Create);
        let update = || node(&graph, green, Op::Ensure, Verb::Update);
        // A healthy green, whether AWS still offers its version for new clusters or not. Blue is not meant, and is not made.
        let nothing = (vec![], (0, 1), (0, 0));
        assert_eq!(of(vec![]), nothing);
        // A change that has nothing to do with the version, an adoption, and a removal send none.
        let other = changed(update(), "backup_days", "7", "14");
        assert_eq!(of(vec![other]), nothing);
        let adopted = node(&graph, green, Op::Ensure, Verb::Adopt);
        assert_eq!(of(vec![adopted]), nothing);
        let removed = node(&graph, green, Op::Remove, Verb::Delete);
        assert_eq!(of(vec![removed]), nothing);
        // What cannot be done sends nothing either.
        let refused = Node {
            refused: Some(Error::permanent("read", "no")),
            ..new()
        };
        assert_eq!(of(vec![refused]), nothing);
        // A new cluster, or one in another's place, sends the version; two of the same are asked about once.
        let made = (vec![(wanted.clone(), None)], (1, 0), (0, 0));
        assert_eq!(of(vec![new()]), made);
        let replaced = node(&graph, green, Op::Ensure, Verb::Replace);
        assert_eq!(of(vec![replaced]).0, made.0);
        let both = vec![new(), node(&graph, blue, Op::Ensure, Verb::Create)];
        assert_eq!(of(both), (made.0, (1, 0), (1, 0)));
        // An upgrade sends the version, and says what runs.
        let upgraded = changed(update(), "engine_version", "16.4", "16.6");
        let sent = vec![("16.6".into(), Some("16.4".into()))];
        assert_eq!(of(vec![upgraded]), (sent, (0, 1), (0, 0)));
    }
}
