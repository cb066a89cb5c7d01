//! The plan: an explicit list of nodes, made by pure functions of graph, state and observations. `apply` and `destroy`
//! execute this very value.

mod between;
mod build;
mod chosen;
mod circles;
mod data;
mod decide;
mod expiry;
mod interruption;
mod nodes;
mod path;
mod removal;
mod shrink;
mod stays;
mod teardown;
mod upgrade;
mod users;
mod vanished;

pub use super::compare::DelegatedField;
pub use build::{build, build_asking, refresh};
pub use chosen::partial;
pub use data::{Choice, Counts, DataLoss, DataRules, count, guard};
pub use interruption::Interruption;
pub use path::critical;
pub use removal::is_replaced_of;
pub use stays::{Kept, Users};
pub use teardown::teardown;
pub use users::{left_for_others, users};
pub use vanished::{Allowed, Vanished, needless, restore, vanished};

use super::backup::Backup;
use super::diff::Change;
use super::driver::{Live, Meta, Registry};
use super::error::Error;
use super::event::Verb;
use super::graph::Graph;
use super::observe::Observations;
use super::reference::Strength;
use crate::state::{Record, State};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Make it exist with every setting in place.
    Ensure,
    /// Make it not exist.
    Remove,
}

/// One node of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    pub step: String,
    /// Its type.
    pub kind: String,
    /// A scope that the blueprint names, or [`SHARED`](super::graph::SHARED).
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// What the node does.
    pub op: Op,
    /// What the user sees it as. A replacement has two nodes, both with this verb.
    pub verb: Verb,
    /// The desired (or, for a removal, the found) struct, with placeholders.
    #[serde(skip)]
    pub spec: Value,
    /// Desired tags.
    #[serde(skip)]
    pub tags: BTreeMap<String, String>,
    /// What differs.
    pub changes: Vec<Change>,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// What was found.
    #[serde(skip)]
    pub live: Option<Live>,
    /// Nodes that must come first, and how much of them.
    #[serde(skip)]
    pub needs: Vec<(usize, Strength)>,
    /// The steps it needs by reference, for the record.
    #[serde(skip)]
    pub record_needs: Vec<String>,
    /// Set when it cannot be done: the node fails at once, what is independent goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Error>,
    /// What this node's thing takes the place of: the step id and the record under which that stays known until it is
    /// removed. Written before the new one is created.
    #[serde(skip)]
    pub replaces: Option<(String, Box<Record>)>,
    /// The backup that it is made from, with its data; `None` when it is made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore: Option<Backup>,
    /// True for a change in place that cannot be taken back: what depends on it waits until it is over.
    #[serde(skip)]
    pub upgrade: bool,
    /// Expected seconds.
    pub seconds: f64,
    /// True when it goes with its whole scope (`destroy`), false when the blueprint asks for something else.
    #[serde(skip)]
    pub destroyed: bool,
    /// For a removal: the data that it loses, and how it is done.
    #[serde(skip)]
    pub loss: DataLoss,
    /// True when its thing holds data.
    pub holds_data: bool,
    /// What service it interrupts and for how long.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interrupts: Vec<Interruption>,
    /// True for the second half of an update, which takes away what no dependent uses any more: the first one shows all of it.
    #[serde(skip)]
    pub follows: bool,
}

/// Something that forbids the run as a whole: nothing is written before it is solved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    pub step: String,
    /// What is wrong and what to do.
    pub error: Error,
}

/// A step that needs another scope, which is not there yet, or something that somebody has to do. No difference: it is planned
/// once that is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiting {
    pub step: String,
    /// The scope that it waits for, or what is to be done.
    pub scope: String,
}

/// What the user allows, what the configuration says, and who else needs what would go.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Tags of other actors (exact, or prefix with `*`) that are neither drift nor removed.
    pub ignore_tags: Vec<String>,
    /// Only this scope and what it needs.
    pub scope: Option<String>,
    /// Only these steps and what they need; every step of the scope when it is empty.
    pub only: Vec<String>,
    /// What others need: it stays, with what it needs itself. A first plan is made without, and asked about ([`users`]).
    pub users: Users,
    /// A change in place that cannot be taken back may be made.
    pub major_upgrade: bool,
    /// When the plan is made: the time of a record that has none.
    pub now: jiff::Timestamp,
}

/// Everything that a plan is made from.
struct Inputs<'a> {
    graph: &'a Graph,
    chosen: &'a [bool],
    state: &'a State,
    seen: &'a Observations,
    registry: &'a Registry,
    options: &'a Options,
}

/// Seconds to create and to delete: measured by earlier runs, else typical.
fn durations(meta: &Meta, state: &State, registry: &Registry) -> (f64, f64) {
    let measured = state.timings.get(meta.kind).copied().unwrap_or_default();
    (
        measured
            .create
            .unwrap_or_else(|| registry.usually(meta.create_seconds)),
        measured
            .delete
            .unwrap_or_else(|| registry.usually(meta.delete_seconds)),
    )
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// What is done.
    pub nodes: Vec<Node>,
    /// Steps that are as they should be.
    pub unchanged: Vec<String>,
    /// What forbids the run.
    pub problems: Vec<Problem>,
    /// Fields that are left to their owners.
    pub delegated: Vec<DelegatedField>,
    /// Steps that wait for another scope, or for somebody.
    pub waiting: Vec<Waiting>,
    /// Recorded steps that no longer exist and are not wanted: their records go.
    pub forget: Vec<String>,
    /// Records of unchanged steps, refreshed from what was read, and those of what a lost state no longer tells.
    #[serde(skip)]
    pub refreshed: BTreeMap<String, Record>,
    /// Sentences for the user.
    pub notes: Vec<String>,
    /// What stays although it would go: final snapshots and the keys that encrypt them, and what others need.
    pub kept: Vec<Kept>,
    /// What held data and vanished by hand, with what AWS still has of it.
    pub vanished: Vec<Vanished>,
}

impl Node {
    /// True for what belongs to another node of its step, which shows both: the removal of what is replaced, and what an update takes
    /// away at last.
    pub fn is_second_half(&self) -> bool {
        self.follows || (self.verb == Verb::Replace && self.op == Op::Remove)
    }
}

impl Plan {
    /// True when nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.problems.is_empty()
    }

    /// A singleton of the account is never deleted: only its record is removed from the state.
    fn stays(&mut self, step: &str, state: &State) {
        if state.steps.contains_key(step) {
            self.notes
                .push(format!("{step}: it is the account's own, so it stays"));
            self.forget.push(step.to_owned());
        }
    }

    /// What a step of this plan loses: by its removal, or by a change after which less is kept.
    pub fn loss<'a>(&'a self, node: &'a Node) -> Option<&'a DataLoss> {
        let mut removals = self.nodes.iter().filter(|n| n.op == Op::Remove);
        let removal = removals.find(|n| n.step == node.step);
        let own = || node.loss.expires.is_some().then_some(node);
        removal.or_else(own).map(|n| &n.loss)
    }

    /// The removals that lose data or are protected: they take the user's choice.
    pub fn needs_choice(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|n| n.loss.needs_choice())
    }

    /// How many steps have this verb. What is refused is not done.
    pub fn count(&self, verb: Verb) -> usize {
        let done = self.nodes.iter().filter(|n| n.refused.is_none());
        done.filter(|n| n.verb == verb && !n.is_second_half())
            .count()
    }

    /// What keeps it, or a step of it, from being run: each with its step.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &Error)> {
        let problems = self.problems.iter().map(|p| (p.step.as_str(), &p.error));
        let steps = self.nodes.iter();
        let refused = steps.filter_map(|n| Some((n.step.as_str(), n.refused.as_ref()?)));
        problems.chain(refused)
    }

    /// How many steps are refused.
    pub fn refusals(&self) -> usize {
        self.nodes.iter().filter(|n| n.refused.is_some()).count()
    }
}
