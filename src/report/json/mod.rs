//! The documents of `--json`. Every one begins with `"schema": "deployer.<name>/<version>"`; within a version keys are
//! only added, never renamed, retyped or removed. `SCHEMA.md` in the folder above says the same in prose.

mod records;
pub(super) mod runs;
mod share;

pub(crate) use records::{
    Marked, OutputsDocument, PermissionsDocument, RebuildDocument, RehearsalDocument,
    SandboxDocument, StateHistoryDocument, StateListDocument, StateRow, StateShowDocument,
    StatusDocument, TextDocument, UnlockDocument,
};
pub(crate) use runs::{DestroyRemains, RunDocument};
pub(crate) use share::{StateInitDocument, TransferDocument};

use super::attention::Attention;
use super::calls::CallTotals;
use super::doubled;
use super::plan::{service, shown};
use super::value::{readable, readable_change};
use crate::cost::Difference;
use crate::engine::backup::Backup;
use crate::engine::diff::Change;
use crate::engine::drift::Drift;
use crate::engine::error::Error;
use crate::engine::event::Verb;
use crate::engine::plan::{
    DataLoss, DelegatedField, Interruption, Kept, Plan, Problem, Vanished, Waiting,
};
use crate::engine::reference::walk;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A document of `--json`.
pub trait Document: Serialize {
    /// `deployer.<name>/<version>`.
    const SCHEMA: &'static str;
}

#[derive(Serialize)]
struct Whole<'a, D> {
    schema: &'static str,
    /// The version of the deployer that wrote it, and when.
    deployer: &'static str,
    written: jiff::Timestamp,
    /// The digest of the configuration that it was made from; null when none was read.
    configuration_digest: Option<&'a str>,
    #[serde(flatten)]
    document: &'a D,
}

/// The document as text, with a line break at its end.
pub(super) fn text<D: Document>(
    document: &D,
    configuration: Option<&str>,
) -> serde_json::Result<String> {
    let whole = Whole {
        schema: D::SCHEMA,
        deployer: env!("DEPLOYER_VERSION"),
        written: jiff::Timestamp::now(),
        configuration_digest: configuration,
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
    /// Steps that are not possible, each with its error.
    pub refused: usize,
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
            refused: plan.refusals(),
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanStep {
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
    /// Every value: what is wanted, or for a deletion what was found. Outputs of other steps read as `(known after apply: id of
    /// vpc-green)`.
    pub values: Value,
    /// Every tag.
    pub tags: BTreeMap<String, String>,
    /// The outputs of other steps in `values` that are known only after the apply.
    pub known_after_apply: Vec<After>,
    /// True when it holds data.
    pub holds_data: bool,
    /// What service it interrupts and for how long.
    pub interrupts: Vec<Interruption>,
    /// The backup that it is made from, or null when it is made anew.
    pub restore: Option<Backup>,
}

/// A value that another step gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct After {
    /// The step that it comes from.
    pub step: String,
    /// Which of its outputs.
    pub output: String,
}

/// What is known only after other steps are done, each once.
fn after(values: &Value) -> Vec<After> {
    let mut out = std::collections::BTreeSet::new();
    walk(values, &mut |p| {
        out.insert(After {
            step: p.step.to_owned(),
            output: p.output.to_owned(),
        });
    });
    out.into_iter().collect()
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
    /// What held data and vanished by hand, with what AWS still has of it.
    pub vanished: Vec<Vanished>,
    /// What somebody has to do by hand.
    pub attention: Vec<Attention>,
    /// What it changes in a month's bill, null where that is not estimated.
    pub cost: Option<Difference>,
    /// Who runs something on this deployment right now, in words, or null: what was read is moving.
    pub locked_by: Option<String>,
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
            changes: node.changes.iter().map(readable_change).collect(),
            seconds: node.seconds,
            refused: node.refused.clone(),
            loss: plan.loss(node).cloned(),
            values: readable(&node.spec),
            tags: node.tags.clone(),
            known_after_apply: after(&node.spec),
            holds_data: node.holds_data,
            interrupts: node.interrupts.clone(),
            restore: node.restore.clone(),
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
            vanished: plan.vanished.clone(),
            attention: Vec::new(),
            cost: None,
            locked_by: None,
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

    /// With who runs something right now.
    #[must_use]
    pub fn locked_by(self, locked_by: Option<String>) -> Self {
        Self { locked_by, ..self }
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
    /// Who runs something on this deployment right now, in words, or null: what was read is moving.
    pub locked_by: Option<String>,
}
impl Document for DriftDocument {
    const SCHEMA: &'static str = "deployer.drift/2";
}

impl DriftDocument {
    /// Of a comparison.
    pub fn new(home: DeploymentRef, mut drift: Drift, calls: CallTotals) -> Self {
        for row in &mut drift.steps {
            for change in row.changes.iter_mut().chain(&mut row.unmanaged) {
                *change = readable_change(change);
            }
        }
        Self {
            home,
            differs: drift.differs(),
            complete: drift.complete(),
            notes: doubled::of_drift(&drift).into_iter().collect(),
            drift,
            calls,
            locked_by: None,
        }
    }

    /// With more sentences.
    #[must_use]
    pub fn noting(mut self, sentences: Vec<String>) -> Self {
        self.notes.extend(sentences);
        self
    }

    /// With who runs something right now.
    #[must_use]
    pub fn locked_by(self, locked_by: Option<String>) -> Self {
        Self { locked_by, ..self }
    }
}

/// What any command with `--json` writes when it fails as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorDocument {
    pub exit_code: u8,
    /// What went wrong.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
}
impl Document for ErrorDocument {
    const SCHEMA: &'static str = "deployer.error/1";
}
