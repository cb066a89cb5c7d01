//! Changes that are the same on many steps (one tag more, say) are shown once, with the steps that get them.

use crate::engine::diff::Change;
use crate::engine::event::Verb;
use crate::engine::plan::Node;
use std::collections::{BTreeMap, HashMap, HashSet};

/// From so many steps on a change is shown once.
const FROM: usize = 3;

/// Changes that the same steps get.
pub struct Equal<'a> {
    /// The steps, in the order of the plan.
    pub steps: Vec<&'a Node>,
    /// What changes on each.
    pub changes: Vec<&'a Change>,
}

/// What a plan changes in the same way on several steps.
#[derive(Default)]
pub struct Grouped<'a> {
    /// The groups, the largest first.
    pub groups: Vec<Equal<'a>>,
    /// The changes that are in a group: position of the node among the given ones, position of the change.
    met: HashSet<(usize, usize)>,
}

impl<'a> Grouped<'a> {
    /// Finds them.
    pub fn of(nodes: &[&'a Node]) -> Self {
        let mut by_change: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (at, node) in nodes.iter().enumerate() {
            for (place, change) in node.changes.iter().enumerate() {
                let text = serde_json::to_string(change).unwrap_or_default();
                by_change.entry(text).or_default().push((at, place));
            }
        }
        let mut by_steps: BTreeMap<Vec<usize>, Vec<(usize, usize)>> = BTreeMap::new();
        let mut out = Self::default();
        for places in by_change.into_values().filter(|p| p.len() >= FROM) {
            let steps = places.iter().map(|(at, _)| *at).collect();
            by_steps.entry(steps).or_default().push(places[0]);
            out.met.extend(places);
        }
        for (steps, mut changes) in by_steps {
            changes.sort_unstable();
            out.groups.push(Equal {
                steps: steps.iter().map(|at| nodes[*at]).collect(),
                changes: changes
                    .iter()
                    .map(|(at, place)| &nodes[*at].changes[*place])
                    .collect(),
            });
        }
        out.groups.sort_by_key(|g| std::cmp::Reverse(g.steps.len()));
        out
    }

    /// The changes of a node that are in no group.
    pub fn own(&self, at: usize, node: &'a Node) -> Vec<&'a Change> {
        let changes = node.changes.iter().enumerate();
        changes
            .filter(|(place, _)| !self.met.contains(&(at, *place)))
            .map(|(_, change)| change)
            .collect()
    }

    /// True for a node about which the groups say everything.
    pub fn says_all(&self, at: usize, node: &Node) -> bool {
        node.verb == Verb::Update
            && !node.changes.is_empty()
            && node.refused.is_none()
            && node.reasons.is_empty()
            && node.interrupts.is_empty()
            && self.own(at, node).is_empty()
    }
}
