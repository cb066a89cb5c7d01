//! An update in two: first what dependents are to be allowed, then they change, and what they used until now goes last. In the
//! meantime both are allowed, so that what runs on in its last form, or goes back to it, keeps its rights.

use super::nodes::Ensures;
use super::{DataLoss, Inputs, Node, Op, Plan};
use crate::engine::diff::diff;
use crate::engine::event::Verb;
use crate::engine::reference::Strength;
use std::collections::BTreeSet;

/// Splits every update that takes from what changes in the same plan.
pub(super) fn in_two(inputs: &Inputs<'_>, ensure: &mut Ensures, plan: &mut Plan) {
    let steps = &inputs.graph.steps;
    for (at, step) in steps.iter().enumerate() {
        let Some(first) = ensure.get(&step.id).copied() else {
            continue;
        };
        let driver = inputs.registry.get(&step.kind);
        let between = driver.ok().and_then(|d| d.meta().between);
        let node = &plan.nodes[first];
        let (Some(between), Verb::Update) = (between, node.verb) else {
            continue;
        };
        let (Some(live), Some(record)) = (&node.live, inputs.state.steps.get(&step.id)) else {
            continue;
        };
        let both = between(&record.inputs, &live.spec, &node.spec);
        let changes = diff(&node.spec, &both);
        let mut users = BTreeSet::from([at]);
        for (above, step) in steps.iter().enumerate() {
            if step.needs.iter().any(|(to, _)| users.contains(to)) {
                users.insert(above);
            }
        }
        users.remove(&at);
        let users: Vec<usize> = users
            .iter()
            .filter_map(|above| ensure.get(&steps[*above].id).copied())
            .collect();
        if changes.is_empty() || users.is_empty() || node.refused.is_some() {
            continue;
        }
        let needs = std::iter::once(first).chain(users);
        let last = Node {
            op: Op::Ensure,
            changes,
            live: None,
            needs: needs.map(|node| (node, Strength::Ready)).collect(),
            interrupts: Vec::new(),
            loss: DataLoss::default(),
            follows: true,
            ..node.clone()
        };
        let text = "what it no longer allows goes last, when what uses it has changed";
        let node = &mut plan.nodes[first];
        node.spec = both;
        node.reasons.push(text.to_owned());
        ensure.insert(step.id.clone(), plan.nodes.len());
        plan.nodes.push(last);
    }
}
