//! Who else needs what a plan would take away: asked of the account before it is planned.

use super::data::removals;
use super::stays::{Users, for_others};
use super::{Op, Plan, Problem};
use crate::engine::driver::{Live, Registry};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::graph::Graph;
use crate::engine::observe::Observations;
use crate::state::{Record, State};
use futures::future::join_all;
use std::collections::BTreeMap;

/// Asks what is to be removed who else needs it. What cannot be asked counts as needed: it is said, and nothing is lost.
pub async fn users(plan: &Plan, registry: &Registry) -> Users {
    let each = removals(plan).filter_map(|n| Some((n.step.as_str(), &*n.kind, n.live.as_ref()?)));
    asked(each, registry).await
}

/// What is recorded, no longer in the blueprint, and stays because others need it: why, by step.
pub async fn left_for_others(
    graph: &Graph,
    state: &State,
    seen: &Observations,
    registry: &Registry,
) -> Users {
    let left = state.steps.iter();
    let left = left.filter(|(id, _)| graph.position(id).is_none());
    let left: BTreeMap<&str, &Record> = left.map(|(id, r)| (id.as_str(), r)).collect();
    let there = left
        .iter()
        .filter_map(|(id, r)| Some((*id, &*r.kind, seen.get(*id)?.live()?)));
    let users = asked(there, registry).await;
    let left = left.into_keys().collect();
    let stays = for_others(&state.steps, &left, &users).into_iter();
    stays.map(|(id, stays)| (id, stays.reason)).collect()
}

async fn asked<'a>(
    things: impl Iterator<Item = (&'a str, &'a str, &'a Live)>,
    registry: &Registry,
) -> Users {
    let ask = |(step, kind, live): (&str, &str, &Live)| {
        let (step, outputs) = (step.to_owned(), live.outputs.clone());
        let driver = registry.get(kind).ok().cloned();
        async move {
            let why = match driver?.users(&outputs).await {
                Ok(users) if users.is_empty() => return None,
                Ok(users) => format!("needed by others: {}", users.join(", ")),
                Err(error) if error.is_not_found() => return None,
                Err(error) => format!("who needs it could not be read ({error})"),
            };
            Some((step, why))
        }
    };
    let all = join_all(things.map(ask)).await;
    all.into_iter().flatten().collect()
}

/// A replacement takes away what others need as a deletion does, and has no way to keep it: a problem of the plan.
pub(super) fn needed_and_replaced(plan: &mut Plan, users: &Users) {
    let replaced = plan.nodes.iter().filter(|n| n.verb == Verb::Replace);
    let needed = replaced.filter_map(|n| Some((n, users.get(&n.step)?)));
    let problems: Vec<Problem> = needed
        .filter(|(n, _)| n.op == Op::Remove)
        .map(|(node, why)| {
            let (kind, name, reasons) = (&node.kind, &node.name, node.reasons.join("; "));
            let text = format!("{kind} `{name}` is {why}, and would be replaced: {reasons}");
            let error = Error::permanent("plan", text)
                .hint("set the value back, or wait until nobody else needs it");
            let step = node.step.clone();
            Problem { step, error }
        })
        .collect();
    plan.problems.extend(problems);
}
