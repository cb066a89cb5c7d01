//! Waits that close a circle. Records are of different times: what one step needed then and another one needs now can have
//! removals wait for each other.

use super::{Op, Plan, Problem};
use crate::engine::error::Error;
use crate::engine::order::topological;
use crate::engine::reference::mentions;

/// Leaves out the waits between removals that close a circle, first those of things that do not name each other today: AWS's
/// refusal is then waited for, where it refuses at all. A circle without such a wait is a defect, reported before anything is
/// done.
pub(super) fn untie(plan: &mut Plan) {
    while let Err(circle) = topological(&needs(plan)) {
        let waits = circle.windows(2).map(|pair| (pair[0], pair[1]));
        let removals = waits.filter(|(node, first)| {
            plan.nodes[*node].op == Op::Remove && plan.nodes[*first].op == Op::Remove
        });
        let Some((node, first)) = removals.min_by_key(|(node, first)| uses(plan, *first, *node))
        else {
            return report(plan, &circle);
        };
        plan.nodes[node].needs.retain(|(to, _)| *to != first);
    }
}

/// The nodes that each node waits for.
fn needs(plan: &Plan) -> Vec<Vec<usize>> {
    let needs = plan.nodes.iter();
    needs
        .map(|n| n.needs.iter().map(|(to, _)| *to).collect())
        .collect()
}

/// True when what one node removes names what the other one does.
pub(super) fn uses(plan: &Plan, user: usize, used: usize) -> bool {
    let live = |at: usize| plan.nodes[at].live.as_ref();
    live(user)
        .zip(live(used))
        .is_some_and(|(user, used)| mentions(&user.spec, &used.outputs))
}

fn report(plan: &mut Plan, circle: &[usize]) {
    let steps: Vec<&str> = circle
        .iter()
        .map(|at| plan.nodes[*at].step.as_str())
        .collect();
    let text = format!(
        "steps would wait for each other: {}; this is a defect of deployer",
        steps.join(" -> ")
    );
    let step = steps[0].to_owned();
    let error = Error::permanent("plan", text);
    plan.problems.push(Problem { step, error });
}
