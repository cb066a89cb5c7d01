//! From decisions to nodes: one Ensure per step that is to be made or changed, and the Remove of what it replaces.

use super::decide::Decision;
use super::expiry::expired;
use super::interruption::{interruptions, replacement};
use super::path::KNOWN_SECONDS;
use super::{DataLoss, Inputs, Node, Op, Plan, durations};
use crate::engine::diff::Change;
use crate::engine::driver::{Live, Meta, Replace};
use crate::engine::event::Verb;
use crate::engine::graph::Step;
use crate::engine::reference::{Strength, resolve};
use crate::engine::replaced::replaced;
use crate::state::{Record, Stage};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The Ensure node of every step that has one.
pub(super) type Ensures = HashMap<String, usize>;

/// Makes Ensure nodes, and Remove nodes for what is replaced.
pub(super) fn nodes(
    inputs: &Inputs<'_>,
    decisions: Vec<Option<Decision>>,
    plan: &mut Plan,
) -> Ensures {
    let graph = inputs.graph;
    let mut ensure = Ensures::new();
    let mut old: BTreeMap<usize, usize> = BTreeMap::new();
    let mut in_place_of: Vec<(usize, usize)> = Vec::new();
    // Replaced steps that depend on something that goes before its successor comes: nothing of theirs can stand beside its successor.
    // What is changed in place lets go of it.
    let mut uprooted: HashSet<usize> = HashSet::new();
    for (at, decision) in decisions.into_iter().enumerate() {
        let step = &graph.steps[at];
        let Some((verb, decision)) = decision.and_then(|d| Some((d.verb?, d))) else {
            continue;
        };
        let Ok(driver) = inputs.registry.get(&step.kind) else {
            continue;
        };
        if verb == Verb::Replace && step.needs.iter().any(|(to, _)| uprooted.contains(to)) {
            uprooted.insert(at);
        }
        let (create, delete) = durations(driver.meta(), inputs.state, inputs.registry);
        let needs = step.needs.iter();
        let needs = needs
            .filter_map(|(to, strength)| Some((*ensure.get(&graph.steps[*to].id)?, *strength)));
        let mut node = Node {
            needs: needs.collect(),
            record_needs: step.needs(graph),
            seconds: match verb {
                Verb::Create | Verb::Replace => create,
                _ => create.min(KNOWN_SECONDS),
            },
            interrupts: interruptions(driver.meta(), verb, &decision.changes),
            loss: DataLoss {
                expires: match verb {
                    Verb::Update | Verb::Adopt => expired(driver.meta(), &decision.changes),
                    _ => None,
                },
                ..DataLoss::default()
            },
            holds_data: driver.meta().holds_data,
            changes: decision.changes,
            reasons: decision.reasons,
            live: decision.live,
            refused: decision.refused,
            upgrade: decision.upgrade,
            ..Node::of(inputs, step, Op::Ensure, verb)
        };
        let Some(found) = (verb == Verb::Replace).then(|| node.live.take()).flatten() else {
            ensure.insert(step.id.clone(), plan.nodes.len());
            plan.nodes.push(node);
            continue;
        };
        keep_delegated(driver.meta(), &found, &mut node.spec);
        let removal = Node {
            spec: found.spec.clone(),
            changes: Vec::new(),
            needs: Vec::new(),
            seconds: delete,
            op: Op::Remove,
            live: Some(found.clone()),
            ..node.clone()
        };
        if beside(driver.meta(), &node.changes) && !uprooted.contains(&at) {
            let id = replaced(&step.id, |id| inputs.state.steps.contains_key(id));
            node.replaces = Some((id.clone(), Box::new(record_of(inputs, step, &found))));
            ensure.insert(step.id.clone(), plan.nodes.len());
            plan.nodes.push(node);
            in_place_of.push((plan.nodes.len(), at));
            plan.nodes.push(Node {
                step: id,
                ..removal
            });
        } else {
            uprooted.insert(at);
            plan.nodes.push(removal);
            node.interrupts = replacement(driver.meta(), (create, delete));
            node.needs.push((plan.nodes.len() - 1, Strength::Ready));
            ensure.insert(step.id.clone(), plan.nodes.len());
            plan.nodes.push(node);
            old.insert(at, plan.nodes.len() - 2);
        }
    }
    // What a successor took the place of goes after everything that used it has changed to the successor.
    for (removal, of) in &in_place_of {
        let mut users = BTreeSet::from([*of]);
        for (at, step) in graph.steps.iter().enumerate() {
            if step.needs.iter().any(|(to, _)| users.contains(to)) {
                users.insert(at);
            }
        }
        let nodes = users
            .iter()
            .filter_map(|at| ensure.get(&graph.steps[*at].id));
        let needs = nodes.map(|node| (*node, Strength::Ready)).collect();
        plan.nodes[*removal].needs = needs;
    }
    // A replaced step goes only after the replaced steps that depend on it are gone.
    old.extend(in_place_of.iter().map(|(removal, at)| (*at, *removal)));
    for (at, node) in &old {
        for (to, _) in &graph.steps[*at].needs {
            if let Some(below) = old.get(to) {
                plan.nodes[*below].needs.push((*node, Strength::Ready));
            }
        }
    }
    ensure
}

/// What the blueprint gives a thing to begin with and somebody else has set since: a successor has what they have set.
fn keep_delegated(meta: &Meta, found: &Live, spec: &mut Value) {
    for delegated in meta.delegated {
        let set = &found.spec[delegated.field];
        if !set.is_null() && !spec[delegated.field].is_null() {
            spec[delegated.field] = set.clone();
        }
    }
}

/// True when the new one can stand beside the old one: it takes another name, which only a changed field gives it. What has
/// failed or is on its way out has the name of its successor, and goes first.
pub(super) fn beside(meta: &Meta, changes: &[Change]) -> bool {
    let fixed = |c: &Change| meta.fixed.contains(&c.field());
    meta.replace == Replace::CreateFirst && changes.iter().any(fixed)
}

/// The record under which a thing stays known until it is removed, while its step's record is of the successor.
fn record_of(inputs: &Inputs<'_>, step: &Step, found: &Live) -> Record {
    let earlier = inputs.state.steps.get(&step.id);
    Record {
        kind: step.kind.clone(),
        scope: step.scope.clone(),
        name: earlier.map_or_else(|| step.name.clone(), |r| r.name.clone()),
        stage: Stage::Created,
        token: earlier.map(|r| r.token.clone()).unwrap_or_default(),
        tags: earlier.map_or_else(|| step.tags.clone(), |r| r.tags.clone()),
        inputs: found.spec.clone(),
        outputs: found.outputs.clone(),
        needs: earlier.map_or_else(|| step.needs(inputs.graph), |r| r.needs.clone()),
        at: earlier.map_or(inputs.options.now, |r| r.at),
    }
}

impl Node {
    /// A node of a step that does nothing yet. References to steps of another scope, which no run of this one records,
    /// are resolved here.
    fn of(inputs: &Inputs<'_>, step: &Step, op: Op, verb: Verb) -> Self {
        let other_scope = |id: &str| {
            let at = inputs.graph.position(id)?;
            if inputs.chosen[at] {
                return None;
            }
            let live = inputs.seen.get(id).and_then(|o| o.live());
            live.map(|l| &l.outputs)
                .or_else(|| inputs.state.outputs(id))
        };
        Self::bare(step, resolve(&step.spec, &other_scope), op, verb)
    }

    /// The same with this spec.
    pub(crate) fn bare(step: &Step, spec: Value, op: Op, verb: Verb) -> Self {
        Self {
            step: step.id.clone(),
            kind: step.kind.clone(),
            scope: step.scope.clone(),
            name: step.name.clone(),
            op,
            verb,
            spec,
            tags: step.tags.clone(),
            changes: Vec::new(),
            reasons: Vec::new(),
            live: None,
            needs: Vec::new(),
            record_needs: Vec::new(),
            refused: None,
            replaces: None,
            restore: None,
            upgrade: false,
            seconds: 0.0,
            destroyed: false,
            loss: DataLoss::default(),
            holds_data: false,
            interrupts: Vec::new(),
            follows: false,
        }
    }
}
