//! Longest remaining paths: what orders the ready steps and what the makespan is measured against.

use super::Node;
use crate::engine::reference::Strength;

/// Seconds after which the ID of something is known: one create call.
pub const KNOWN_SECONDS: f64 = 0.5;

/// For every node the longest remaining path in seconds, the node included.
/// A dependent that needs only the ID starts when the ID is known, not when the thing is ready.
pub fn critical(nodes: &[Node]) -> Vec<f64> {
    let mut dependents: Vec<Vec<(usize, Strength)>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        node.needs
            .iter()
            .for_each(|(to, strength)| dependents[*to].push((at, *strength)));
    }
    let mut missing: Vec<usize> = dependents.iter().map(Vec::len).collect();
    let mut remaining = vec![0.0_f64; nodes.len()];
    let mut free: Vec<usize> = (0..nodes.len()).filter(|at| missing[*at] == 0).collect();
    while let Some(at) = free.pop() {
        let own = nodes[at].seconds;
        remaining[at] = dependents[at]
            .iter()
            .fold(own, |longest, (next, strength)| {
                let before = if *strength == Strength::Known {
                    own.min(KNOWN_SECONDS)
                } else {
                    own
                };
                longest.max(before + remaining[*next])
            });
        for (to, _) in &nodes[at].needs {
            missing[*to] -= 1;
            if missing[*to] == 0 {
                free.push(*to);
            }
        }
    }
    remaining
}
