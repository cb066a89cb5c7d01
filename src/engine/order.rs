//! The order of things in which every one comes after what it needs.

use std::collections::BTreeSet;

/// Kahn's algorithm over positions; stable: things keep their order where their needs allow. What needs itself in the end
/// is an error, which walks the cycle once: its first position is its last one too.
pub(super) fn topological(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut dependents = vec![Vec::new(); needs.len()];
    for (at, below) in needs.iter().enumerate() {
        below.iter().for_each(|to| dependents[*to].push(at));
    }
    let mut free: BTreeSet<usize> = (0..needs.len()).filter(|i| missing[*i] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(at) = free.pop_first() {
        order.push(at);
        for d in &dependents[at] {
            missing[*d] -= 1;
            if missing[*d] == 0 {
                free.insert(*d);
            }
        }
    }
    if order.len() == needs.len() {
        Ok(order)
    } else {
        Err(cycle(needs, &missing))
    }
}

/// Walks from something that was never freed along needs that were never freed until one repeats.
fn cycle(needs: &[Vec<usize>], missing: &[usize]) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = missing.iter().position(|m| *m > 0).unwrap_or(0);
    loop {
        if let Some(start) = path.iter().position(|p| *p == at) {
            path.push(at);
            return path.split_off(start);
        }
        path.push(at);
        match needs[at].iter().find(|to| missing[**to] > 0) {
            Some(to) => at = *to,
            None => return path,
        }
    }
}

/// True when `from` needs `to` in the end.
pub(super) fn reaches(needs: impl Fn(usize) -> Vec<usize>, from: usize, to: usize) -> bool {
    let mut met = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        open.extend(needs(at).into_iter().filter(|next| met.insert(*next)));
    }
    false
}
