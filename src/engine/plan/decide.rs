//! What is to happen to one step of the graph: a pure function of what is wanted, recorded and found.

use super::{Options, upgrade};
use crate::engine::compare::{self, DelegatedField, Wanted};
use crate::engine::diff::Change;
use crate::engine::driver::{Live, Meta, Nature, Phase};
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::graph::Step;
use crate::engine::observe::Observed;
use crate::state::{Stage, State};
use serde_json::Value;

/// What is to happen to one step of the graph, before nodes are made.
#[derive(Default)]
pub(super) struct Decision {
    /// What is done; `None` when the step is as it should be.
    pub(super) verb: Option<Verb>,
    pub(super) changes: Vec<Change>,
    pub(super) reasons: Vec<String>,
    pub(super) live: Option<Live>,
    /// Set when this step cannot be done.
    pub(super) refused: Option<Error>,
    /// Set when nothing may be written before this is solved.
    pub(super) problem: Option<Error>,
    pub(super) delegated: Vec<DelegatedField>,
    /// True for a change in place that cannot be taken back.
    pub(super) upgrade: bool,
    /// Sentences for the user.
    pub(super) notes: Vec<String>,
}

impl Decision {
    /// What the account has once is taken as it is.
    fn used(live: &Live, recorded: bool) -> Self {
        let why = "the account has one, which is used as it is";
        Self {
            verb: (!recorded).then_some(Verb::Adopt),
            reasons: vec![why.to_owned()],
            live: Some(live.clone()),
            ..Self::default()
        }
    }

    /// True when the thing is made anew.
    pub(super) fn is_replacement(&self) -> bool {
        self.verb == Some(Verb::Replace)
    }

    /// Makes a change in place a replacement where what the thing stands in `goes` before its successor comes: AWS deletes no subnet
    /// with an interface in it, and nothing can stand in the new one before the old one is gone.
    pub(super) fn give_way(&mut self, meta: &Meta, goes: bool) {
        let stands = |c: &Change| meta.stands_in.contains(&c.field());
        if goes && self.verb == Some(Verb::Update) && self.changes.iter().any(stands) {
            self.verb = Some(Verb::Replace);
            self.reasons.push("what it stands in is replaced".into());
        }
    }

    fn refused(why: &str, error: &Error) -> Self {
        Self {
            verb: Some(Verb::Update),
            reasons: vec![why.to_owned()],
            refused: Some(error.clone()),
            ..Self::default()
        }
    }
}

/// `want` is the desired struct with the outputs that are known and stay.
pub(super) fn decide(
    step: &Step,
    want: &Value,
    meta: &Meta,
    observed: &Observed,
    state: &State,
    options: &Options,
) -> Decision {
    let record = state.steps.get(&step.id);
    let made = record.filter(|r| r.stage != Stage::Creating);
    let live = match observed {
        Observed::Absent => {
            let gone = made.map(|_| "it is recorded but no longer exists".to_owned());
            return Decision {
                verb: Some(Verb::Create),
                reasons: gone.into_iter().collect(),
                ..Decision::default()
            };
        }
        Observed::Unreadable(error) => return Decision::refused("it could not be read", error),
        // Ours once: its own step stops, what is independent goes on.
        Observed::Foreign(_, error) if made.is_some() => {
            return Decision::refused("it lost its mark", error);
        }
        Observed::Foreign(_, error) => {
            return Decision {
                problem: Some(error.clone()),
                ..Decision::default()
            };
        }
        Observed::Found(live) => live,
    };
    if live.is_the_accounts() {
        return Decision::used(live, record.is_some_and(|r| r.stage == Stage::Ready));
    }
    let wanted = Wanted {
        step: &step.id,
        spec: want,
        tags: &step.tags,
    };
    let changes = compare::changes(meta, wanted, live, &options.ignore_tags);
    let mut decision = Decision {
        live: Some(live.clone()),
        delegated: compare::delegated(meta, wanted, live, state),
        reasons: reasons_to_replace(meta, &changes, live),
        ..Decision::default()
    };
    if !decision.reasons.is_empty() {
        decision.verb = Some(Verb::Replace);
    } else if record.is_none() && compare::is_unset(meta, wanted, live) {
        // Its parent is there, which others may share, and nothing of its own.
        decision.verb = Some(Verb::Create);
    } else if record.is_none_or(|r| r.stage == Stage::Creating) {
        decision.verb = Some(Verb::Adopt);
        if meta.nature != Nature::SubResource {
            let why = "tagged as ours, not in the state file";
            decision.reasons.push(why.into());
        }
    } else if !changes.is_empty() {
        decision.verb = Some(Verb::Update);
    } else if live.phase == Phase::Settling || record.is_some_and(|r| r.stage != Stage::Ready) {
        decision.verb = Some(Verb::Update);
        let why = "an earlier run stopped before it was ready";
        decision.reasons.push(why.into());
    }
    // A replacement has no way to be upgraded.
    if !decision.is_replacement() {
        match upgrade::classify(&changes, meta, live, want, options) {
            Some(Ok(notes)) => {
                decision.upgrade = true;
                decision.reasons.push("major upgrade in place".into());
                decision.notes = notes;
            }
            Some(Err(error)) => decision.problem = Some(error),
            None => {}
        }
    }
    decision.changes = changes;
    decision
}

fn reasons_to_replace(meta: &Meta, changes: &[Change], live: &Live) -> Vec<String> {
    let fixed = changes.iter().filter(|c| meta.fixed.contains(&c.field()));
    let mut reasons: Vec<String> = fixed
        .map(|c| format!("`{}` cannot be changed in place", c.path))
        .collect();
    match &live.phase {
        Phase::Failed(why) => reasons.push(format!("it has failed: {why}")),
        Phase::Deleting => reasons.push("it is being deleted".into()),
        Phase::Settling | Phase::Ready => {}
    }
    reasons
}
