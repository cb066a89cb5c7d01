//! The documents of `--json`. Every one begins with `"schema": "deployer.<name>/<version>"`; within a version keys are
//! only added, never renamed, retyped or removed. `SCHEMA.md` in the folder above says the same in prose.

mod records;
pub(super) mod runs;
mod share;

pub(crate) use records::{
    Marked, OutputsDocument, PermissionsDocument, RebuildDocument, SandboxDocument,
    StateHistoryDocument, StateListDocument, StateRow, StateShowDocument, StatusDocument,
    TextDocument, UnlockDocument,
};
pub(crate) use runs::{DestroyRemains, RunDocument};
pub(crate) use share::{StateInitDocument, TransferDocument};

use super::attention::Attention;
use super::calls::CallTotals;
use super::doubled;
use super::plan::{service, shown};
use crate::cost::Difference;
use crate::engine::diff::Change;
use crate::engine::drift::Drift;
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::plan::{DataLoss, DelegatedField, Kept, Op, Plan, Problem, Waiting};
use serde::Serialize;

/// A document of `--json`.
pub trait Document: Serialize {
    /// `deployer.<name>/<version>`.
    const SCHEMA: &'static str;
}

#[derive(Serialize)]
struct Whole<'a, D> {
    schema: &'static str,
    #[serde(flatten)]
    document: &'a D,
}

/// The document as text, with a line break at its end.
pub(super) fn text<D: Document>(document: &D) -> serde_json::Result<String> {
    let whole = Whole {
        schema: D::SCHEMA,
        document,
    };
    serde_json::to_string_pretty(&whole).map(|mut text| {
        text.push('\n');
        text
    })
}

/// Which deployment a document is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeploymentRef {
    /// The environment suffix.
    pub suffix: String,
    /// The AWS account id; empty when no run has met AWS yet.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// `blue` or `green` when `--env` was given, else null.
    pub scope: Option<String>,
}

/// How many steps a plan has of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PlanSummary {
    /// Steps to create.
    pub create: usize,
    /// Steps that exist with our mark and are to be recorded.
    pub adopt: usize,
    /// Steps to change in place.
    pub update: usize,
    /// Steps to delete and create.
    pub replace: usize,
    /// Steps to delete.
    pub delete: usize,
    /// Steps that are as they should be.
    pub unchanged: usize,
}

impl PlanSummary {
    /// Counts a plan.
    pub fn of(plan: &Plan) -> Self {
        Self {
            create: plan.count(Verb::Create),
            adopt: plan.count(Verb::Adopt),
            update: plan.count(Verb::Update),
            replace: plan.count(Verb::Replace),
            delete: plan.count(Verb::Delete),
            unchanged: plan.unchanged.len(),
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanStep {
    /// The step.
    pub step: String,
    /// Its type.
    pub kind: String,
    /// The service, the first part of the type.
    pub service: String,
    /// `blue`, `green` or `shared`.
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// `create`, `adopt`, `update`, `replace` or `delete`.
    pub action: Verb,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// What differs: `path`, `want` (absent for an extra element), `have` (absent for a missing one).
    pub changes: Vec<Change>,
    /// Expected seconds.
    pub seconds: f64,
    /// Set when it cannot be done.
    pub refused: Option<Error>,
    /// For a deletion and a replacement: `data` (what is lost, in words, or null), `protected` (deletion protection is
    /// on), `final_snapshot` (its name, or null) and `lift_protection`; else null.
    pub loss: Option<DataLoss>,
}

/// `deployer plan --json`, and `apply`/`destroy` with `--dry-run`.
#[derive(Debug, Clone, Serialize)]
pub struct PlanDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// Counts.
    pub summary: PlanSummary,
    /// What is done, in order of the graph; a replacement is one step.
    pub steps: Vec<PlanStep>,
    /// Steps that are as they should be.
    pub unchanged: Vec<String>,
    /// What forbids the run.
    pub problems: Vec<Problem>,
    /// Fields that are left to their owners.
    pub delegated: Vec<DelegatedField>,
    /// Steps that need another scope, which is not there yet.
    pub waiting: Vec<Waiting>,
    /// Recorded steps that no longer exist and are not wanted.
    pub forget: Vec<String>,
    /// Sentences.
    pub notes: Vec<String>,
    /// What stays although its scope is destroyed.
    pub kept: Vec<Kept>,
    /// What somebody has to do by hand.
    pub attention: Vec<Attention>,
    /// What it changes in a month's bill, null where that is not estimated.
    pub cost: Option<Difference>,
}
impl Document for PlanDocument {
    const SCHEMA: &'static str = "deployer.plan/3";
}

impl PlanDocument {
    /// Of a plan.
    pub fn new(home: DeploymentRef, plan: &Plan) -> Self {
        let step = |node: &crate::engine::plan::Node| PlanStep {
            step: node.step.clone(),
            kind: node.kind.clone(),
            service: service(&node.kind).to_owned(),
            scope: node.scope.clone(),
            name: node.name.clone(),
            action: node.verb,
            reasons: node.reasons.clone(),
            changes: node.changes.clone(),
            seconds: node.seconds,
            refused: node.refused.clone(),
            loss: plan
                .nodes
                .iter()
                .find(|n| n.op == Op::Remove && n.step == node.step)
                .map(|n| n.loss.clone()),
        };
        Self {
            home,
            summary: PlanSummary::of(plan),
            steps: shown(plan).map(step).collect(),
            unchanged: plan.unchanged.clone(),
            problems: plan.problems.clone(),
            delegated: plan.delegated.clone(),
            waiting: plan.waiting.clone(),
            forget: plan.forget.clone(),
            notes: notes(plan),
            kept: plan.kept.clone(),
            attention: Vec::new(),
            cost: None,
        }
    }

    /// With what it changes in a month's bill.
    #[must_use]
    pub fn cost(self, cost: Difference) -> Self {
        Self {
            cost: Some(cost),
            ..self
        }
    }

    /// With what somebody has to do by hand.
    #[must_use]
    pub fn attention(self, attention: Vec<Attention>) -> Self {
        Self { attention, ..self }
    }
}

/// The sentences of a plan, the most important one first.
fn notes(plan: &Plan) -> Vec<String> {
    let first = doubled::of_plan(plan).into_iter();
    first.chain(plan.notes.iter().cloned()).collect()
}

/// `deployer drift --json`.
#[derive(Debug, Clone, Serialize)]
pub struct DriftDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// True when something differs.
    pub differs: bool,
    /// True when everything was looked at.
    pub complete: bool,
    /// The comparison: `summary`, `steps`, `unmanaged`, `unlisted`.
    #[serde(flatten)]
    pub drift: Drift,
    /// Sentences.
    pub notes: Vec<String>,
    /// API calls.
    pub calls: CallTotals,
}
impl Document for DriftDocument {
    const SCHEMA: &'static str = "deployer.drift/2";
}

impl DriftDocument {
    /// Of a comparison.
    pub fn new(home: DeploymentRef, drift: Drift, calls: CallTotals) -> Self {
        Self {
            home,
            differs: drift.differs(),
            complete: drift.complete(),
            notes: doubled::of_drift(&drift).into_iter().collect(),
            drift,
            calls,
        }
    }
}

/// What any command with `--json` writes when it fails as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorDocument {
    /// The exit code.
    pub exit_code: u8,
    /// What went wrong.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
}
impl Document for ErrorDocument {
    const SCHEMA: &'static str = "deployer.error/1";
}
