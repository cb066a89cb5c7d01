//! The order of steps, in which every step comes after what it needs.

use super::graph::{GraphError, Step};
use std::collections::BTreeSet;

/// Kahn's algorithm; stable: steps keep the order of declaration where edges allow.
pub(super) fn topological(steps: &[Step]) -> Result<Vec<usize>, GraphError> {
    let mut missing: Vec<usize> = steps.iter().map(|s| s.needs.len()).collect();
    let mut dependents = vec![Vec::new(); steps.len()];
    for (at, step) in steps.iter().enumerate() {
        step.needs
            .iter()
            .for_each(|(to, _)| dependents[*to].push(at));
    }
    let mut free: BTreeSet<usize> = (0..steps.len()).filter(|i| missing[*i] == 0).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(at) = free.pop_first() {
        order.push(at);
        for d in &dependents[at] {
            missing[*d] -= 1;
            if missing[*d] == 0 {
                free.insert(*d);
            }
        }
    }
    if order.len() == steps.len() {
        Ok(order)
    } else {
        Err(GraphError::Cycle(cycle(steps, &missing)))
    }
}

/// Walks from a step that was never freed along needs that were never freed until one repeats.
fn cycle(steps: &[Step], missing: &[usize]) -> Vec<String> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = missing.iter().position(|m| *m > 0).unwrap_or(0);
    loop {
        if let Some(start) = path.iter().position(|p| *p == at) {
            path.push(at);
            return path[start..].iter().map(|i| steps[*i].id.clone()).collect();
        }
        path.push(at);
        match steps[at].needs.iter().find(|(to, _)| missing[*to] > 0) {
            Some((to, _)) => at = *to,
            None => return path.iter().map(|i| steps[*i].id.clone()).collect(),
        }
    }
}
