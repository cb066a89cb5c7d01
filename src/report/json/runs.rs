//! Documents about a run: what was done, and what it leaves.

use super::super::attention::Attention;
use super::super::calls::CallTotals;
use super::super::summary::Totals;
use super::{DeploymentRef, Document, Marked};
use crate::engine::drift::Unlisted;
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::exec::{Outcome, Report};
use crate::engine::plan::{Kept, Plan, Problem};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One step of a run. A replacement has two: its deletion, then its creation.
#[derive(Debug, Clone, Serialize)]
pub struct RunStep {
    pub step: String,
    /// What was to be done.
    pub action: Verb,
    /// `done`, `failed`, `blocked` or `interrupted`.
    pub outcome: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// The failed step that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<String>,
}

/// What `apply` and `destroy` have in common.
#[derive(Debug, Clone, Serialize)]
pub struct RunDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// True when everything was done.
    pub complete: bool,
    /// Counts.
    pub summary: Totals,
    /// Seconds of the run.
    pub seconds: f64,
    /// The steps, in order of the plan.
    pub steps: Vec<RunStep>,
    /// What forbade the run; then nothing was done.
    pub problems: Vec<Problem>,
    /// Sentences of the plan.
    pub notes: Vec<String>,
    /// API calls.
    pub calls: CallTotals,
}

impl RunDocument {
    /// Of a run; with an empty report of a plan that was not run.
    pub fn new(home: DeploymentRef, plan: &Plan, report: &Report, calls: CallTotals) -> Self {
        let steps = report.outcomes.iter().map(|(step, verb, outcome)| {
            let (word, error, blocked_by) = match outcome {
                Outcome::Done => ("done", None, None),
                Outcome::Failed(error) => ("failed", Some(error.clone()), None),
                Outcome::Blocked(by) => ("blocked", None, Some(by.clone())),
                Outcome::Interrupted => ("interrupted", None, None),
            };
            RunStep {
                step: step.clone(),
                action: *verb,
                outcome: word,
                error,
                blocked_by,
            }
        });
        Self {
            home,
            complete: plan.problems.is_empty() && report.complete(),
            summary: Totals::of(plan, report),
            seconds: report.seconds,
            steps: steps.collect(),
            problems: plan.problems.clone(),
            notes: super::notes(plan),
            calls,
        }
    }

    /// The document of `apply`. Outputs are reported only when everything was done: half of them would be taken for all.
    pub fn apply(
        self,
        outputs: BTreeMap<String, Value>,
        attention: Vec<Attention>,
        kept: Vec<Kept>,
    ) -> ApplyDocument {
        ApplyDocument {
            attention,
            kept,
            outputs: self.complete.then_some(outputs),
            run: self,
        }
    }

    /// The document of `destroy`.
    pub fn destroy(self, remains: DestroyRemains) -> DestroyDocument {
        DestroyDocument { run: self, remains }
    }
}

/// `deployer apply --json`.
#[derive(Debug, Clone, Serialize)]
pub struct ApplyDocument {
    #[serde(flatten)]
    pub run: RunDocument,
    /// Outputs after the run; null unless it is complete.
    pub outputs: Option<BTreeMap<String, Value>>,
    /// What somebody has to do by hand.
    pub attention: Vec<Attention>,
    /// What is no longer in the blueprint, and stays because others need it.
    pub kept: Vec<Kept>,
}
impl Document for ApplyDocument {
    const SCHEMA: &'static str = "deployer.apply/3";
}

/// What is in the account after `destroy`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DestroyRemains {
    /// Final snapshots and the keys that encrypt them: they stay on purpose.
    pub kept: Vec<Marked>,
    /// What others need, with what that needs: it stays until nobody needs it, whatever is chosen.
    pub needed: Vec<Marked>,
    /// The command that deletes what was kept.
    pub remove_with: Option<String>,
    /// What is tagged as ours, is not recorded, and should be gone: exit code 2.
    pub leftovers: Vec<Marked>,
    /// Types that could not be listed, or of which something that was listed could not be read, so that nothing is known of their
    /// leftovers: exit code 2.
    pub unlisted: Vec<Unlisted>,
}

impl DestroyRemains {
    /// True when nothing is left but what was kept on purpose.
    pub fn is_clean(&self) -> bool {
        self.leftovers.is_empty() && self.unlisted.is_empty()
    }

    /// For people, one line each.
    pub fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        for one in &self.kept {
            out.push(format!("kept: {} {} ({})", one.kind, one.id, one.step));
        }
        for one in &self.needed {
            out.push(format!(
                "kept, because others need it: {} {} ({}); `deployer destroy` deletes it when nobody does",
                one.kind, one.id, one.step
            ));
        }
        if let Some(command) = &self.remove_with {
            out.push(format!("remove what was kept with: {command}"));
        }
        for one in &self.leftovers {
            out.push(format!(
                "left behind: {} {} ({}): delete it by hand, or run `deployer destroy` again",
                one.kind, one.id, one.step
            ));
        }
        for one in &self.unlisted {
            out.push(format!(
                "not checked for leftovers: {}: {}",
                one.kind, one.error
            ));
        }
        out
    }
}

/// `deployer destroy --json`.
#[derive(Debug, Clone, Serialize)]
pub struct DestroyDocument {
    #[serde(flatten)]
    pub run: RunDocument,
    /// What is left in the account.
    #[serde(flatten)]
    pub remains: DestroyRemains,
}
impl Document for DestroyDocument {
    const SCHEMA: &'static str = "deployer.destroy/3";
}
