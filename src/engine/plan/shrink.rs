//! An update that takes something away waits until what depends on it is gone: a subnet group gives a zone's subnet up only
//! after the instance in that zone is deleted.

use super::nodes::Ensures;
use super::{Op, Plan};
use crate::engine::diff::{Change, TAGS};
use crate::engine::order::reaches;
use crate::engine::reference::Strength;
use crate::engine::replaced::step_of;
use crate::state::State;
use std::collections::BTreeSet;

/// Lets every update that takes something away wait for the removals of the steps that depend on its step, directly or
/// through others. A wait that would close a circle is left out: AWS's refusal is then waited for.
pub(super) fn wait_for_removals(state: &State, ensure: &Ensures, plan: &mut Plan) {
    let removals = plan.nodes.iter().enumerate();
    let removals = removals.filter(|(_, n)| n.op == Op::Remove);
    let removals: Vec<(String, usize)> = removals
        .map(|(at, n)| (step_of(&n.step).to_owned(), at))
        .collect();
    for (step, node) in ensure {
        if !plan.nodes[*node].changes.iter().any(takes_away) {
            continue;
        }
        let dependents = dependents(state, step);
        for (gone, removal) in &removals {
            if !dependents.contains(gone.as_str()) {
                continue;
            }
            let needs = |at: usize| plan.nodes[at].needs.iter().map(|(to, _)| *to).collect();
            if !reaches(needs, *removal, *node) {
                plan.nodes[*node].needs.push((*removal, Strength::Ready));
            }
        }
    }
}

/// True for an entry that somebody is to lose. Nothing depends on a tag.
fn takes_away(change: &Change) -> bool {
    change.is_extra() && change.field() != TAGS
}

/// The recorded steps that need this one, directly or through others.
pub(super) fn dependents<'a>(state: &'a State, step: &'a str) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    let mut open = vec![step];
    while let Some(below) = open.pop() {
        let above = state
            .steps
            .iter()
            .filter(|(_, r)| r.needs.iter().any(|n| n == below));
        open.extend(
            above
                .filter(|(id, _)| out.insert(id.as_str()))
                .map(|(id, _)| id.as_str()),
        );
    }
    out
}
