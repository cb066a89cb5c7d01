//! What a plan changes in a month's bill.

use super::{Estimate, Item, Loads, estimate};
use crate::config::Config;
use crate::engine::Graph;
use crate::engine::event::Verb;
use crate::engine::plan::{Op, Plan};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// The difference, with both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Always true: a bill is something else.
    pub estimate: bool,
    /// Always `USD`.
    pub currency: &'static str,
    /// When the shipped prices were collected.
    pub prices_of: Date,
    pub region: String,
    /// What is assumed of its use.
    pub payments_per_day: f64,
    /// US dollars a month, by environment: idle, on standby, with all payments, at most.
    pub scopes: BTreeMap<String, Loads>,
    /// US dollars a month: the sum of the environments.
    pub monthly: Loads,
    /// The same for everything that is there before.
    pub before: Loads,
    /// And after.
    pub after: Loads,
    /// What comes on a date that is known, of what is there after.
    pub later: Vec<super::Later>,
    /// What costs and is not in the sums.
    pub unknown: Vec<String>,
}

impl Difference {
    /// Of a plan.
    ///
    /// # Errors
    /// When the shipped prices cannot be read.
    pub fn of(config: &Config, graph: &Graph, plan: &Plan, today: Date) -> Result<Self, String> {
        let (before, after) = sides(graph, plan);
        let was = estimate(config, &before, today)?;
        let becomes = estimate(config, &after, today)?;
        let mut scopes: BTreeMap<String, Loads> = BTreeMap::new();
        for scope in &becomes.scopes {
            *scopes.entry(scope.scope.clone()).or_default() += scope.monthly;
        }
        for scope in &was.scopes {
            let entry = scopes.entry(scope.scope.clone()).or_default();
            *entry = *entry - scope.monthly;
        }
        let sum = |of: &Estimate| {
            let each = of.scopes.iter().map(|s| s.monthly);
            each.fold(Loads::default(), |sum, one| sum + one)
        };
        let (before, after) = (sum(&was), sum(&becomes));
        let mut unknown = becomes.unknown;
        unknown.extend(
            plan.kept
                .iter()
                .map(|k| format!("{}: {} is kept, and its size is not known", k.step, k.name)),
        );
        Ok(Self {
            estimate: true,
            currency: "USD",
            prices_of: becomes.prices_of,
            region: becomes.region,
            payments_per_day: becomes.payments_per_day,
            scopes,
            monthly: after - before,
            before,
            after,
            later: becomes.later,
            unknown,
        })
    }
}

/// What is there before, and what is there after.
fn sides<'a>(graph: &'a Graph, plan: &'a Plan) -> (Vec<Item<'a>>, Vec<Item<'a>>) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for step in plan.unchanged.iter().filter_map(|id| graph.get(id)) {
        let item = Item {
            step: &step.id,
            kind: &step.kind,
            scope: &step.scope,
            spec: &step.spec,
            needs: step.needs(graph),
        };
        before.push(item.clone());
        after.push(item);
    }
    for node in &plan.nodes {
        let needs = match graph.get(&node.step) {
            Some(step) => step.needs(graph),
            None => node.record_needs.clone(),
        };
        let item = |spec| Item {
            step: &node.step,
            kind: &node.kind,
            scope: &node.scope,
            spec,
            needs: needs.clone(),
        };
        match (node.op, node.verb) {
            _ if node.follows => {}
            (Op::Ensure, Verb::Create) => after.push(item(&node.spec)),
            (Op::Ensure, _) => {
                let there = node.live.as_ref().map_or(&node.spec, |live| &live.spec);
                before.push(item(there));
                after.push(item(&node.spec));
            }
            // Of a replacement the other node says what is there.
            (Op::Remove, Verb::Replace) => {}
            (Op::Remove, _) => before.push(item(&node.spec)),
        }
    }
    (before, after)
}
