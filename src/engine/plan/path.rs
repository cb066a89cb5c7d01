//! Longest remaining paths: what orders the ready steps and what the makespan is measured against.

use super::Node;
use crate::engine::order::topological;
use crate::engine::reference::Strength;

/// Seconds after which the ID of something is known: one create call.
pub const KNOWN_SECONDS: f64 = 0.5;

/// For every node the longest remaining path in seconds, the node included.
/// A dependent that needs only the ID starts when the ID is known, not when the thing is ready.
pub fn critical(nodes: &[Node]) -> Vec<f64> {
    let needs: Vec<Vec<usize>> = nodes
        .iter()
        .map(|n| n.needs.iter().map(|(to, _)| *to).collect())
        .collect();
    let mut remaining: Vec<f64> = nodes.iter().map(|n| n.seconds).collect();
    // From the last node to the first: what follows a node is final before the node is looked at.
    for at in topological(&needs).unwrap_or_default().into_iter().rev() {
        for (to, strength) in &nodes[at].needs {
            let own = nodes[*to].seconds;
            let before = match strength {
                Strength::Known => own.min(KNOWN_SECONDS),
                Strength::Ready => own,
            };
            remaining[*to] = remaining[*to].max(before + remaining[at]);
        }
    }
    remaining
}
