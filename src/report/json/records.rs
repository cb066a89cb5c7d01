//! Documents about what is recorded on this machine.

use super::super::attention::{Attention, attention};
use super::{DeploymentRef, Document};
use crate::engine::drift::Unlisted;
use crate::state::{HistoryLine, Record, Stage, State};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `deployer outputs --json`.
#[derive(Debug, Clone, Serialize)]
pub struct OutputsDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// Values by name; null while they are not known.
    pub outputs: BTreeMap<String, Value>,
}
impl Document for OutputsDocument {
    const SCHEMA: &'static str = "deployer.outputs/1";
}

/// One recorded step, in short.
#[derive(Debug, Clone, Serialize)]
pub struct StateRow {
    pub step: String,
    /// Its type.
    pub kind: String,
    /// `blue`, `green` or `shared`.
    pub scope: String,
    /// The name in AWS.
    pub name: String,
    /// `creating`, `created`, `ready` or `deleting`.
    pub stage: Stage,
    /// Ids, ARNs, endpoints.
    pub outputs: Value,
    /// When it was last written (RFC 3339, UTC).
    pub at: jiff::Timestamp,
}

impl StateRow {
    /// All rows of a scope.
    pub fn all(state: &State, scope: Option<&str>) -> Vec<Self> {
        let rows = state
            .steps
            .iter()
            .filter(|(_, r)| scope.is_none_or(|s| s == r.scope));
        rows.map(|(step, r)| Self {
            step: step.clone(),
            kind: r.kind.clone(),
            scope: r.scope.clone(),
            name: r.name.clone(),
            stage: r.stage,
            outputs: r.outputs.clone(),
            at: r.at,
        })
        .collect()
    }
}

/// `deployer status --json`.
#[derive(Debug, Clone, Serialize)]
pub struct StatusDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// Grows with every whole write of the state.
    pub serial: u64,
    /// Recorded steps by scope, then by stage.
    pub counts: BTreeMap<String, BTreeMap<String, usize>>,
    /// Steps that are not ready.
    pub unfinished: Vec<StateRow>,
    /// Who holds the lock, in words.
    pub locked_by: Option<String>,
    /// What somebody has to do by hand.
    pub attention: Vec<Attention>,
    /// The last line of the history of runs, or null.
    pub last_run: Option<HistoryLine>,
}
impl Document for StatusDocument {
    const SCHEMA: &'static str = "deployer.status/1";
}

impl StatusDocument {
    /// Of a state.
    pub fn new(home: DeploymentRef, state: &State, locked_by: Option<String>) -> Self {
        let rows = StateRow::all(state, home.scope.as_deref());
        let attention = attention(state, home.scope.as_deref());
        let mut counts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for row in &rows {
            let stage = serde_json::to_value(row.stage).ok();
            let stage = stage.as_ref().and_then(Value::as_str).unwrap_or_default();
            let of_scope = counts.entry(row.scope.clone()).or_default();
            *of_scope.entry(stage.to_owned()).or_default() += 1;
        }
        let unfinished = rows.into_iter().filter(|r| r.stage != Stage::Ready);
        Self {
            home,
            serial: state.serial,
            counts,
            unfinished: unfinished.collect(),
            locked_by,
            attention,
            last_run: None,
        }
    }

    /// With more that somebody has to do by hand.
    #[must_use]
    pub fn also(mut self, more: impl IntoIterator<Item = Attention>) -> Self {
        self.attention.extend(more);
        self
    }

    /// With the last line of the history of runs.
    #[must_use]
    pub fn last_run(self, line: Option<&HistoryLine>) -> Self {
        Self {
            last_run: line.cloned(),
            ..self
        }
    }
}

/// `deployer state list --json`.
#[derive(Debug, Clone, Serialize)]
pub struct StateListDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// The recorded steps.
    pub steps: Vec<StateRow>,
}
impl Document for StateListDocument {
    const SCHEMA: &'static str = "deployer.state-list/1";
}

/// `deployer state show --json`.
#[derive(Debug, Clone, Serialize)]
pub struct StateShowDocument {
    pub step: String,
    /// Its record, as it stands in the state file.
    pub record: Record,
}
impl Document for StateShowDocument {
    const SCHEMA: &'static str = "deployer.state-show/1";
}

/// `deployer state history --json`.
#[derive(Debug, Clone, Serialize)]
pub struct StateHistoryDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// The lines of the history, the oldest first.
    pub runs: Vec<HistoryLine>,
}
impl Document for StateHistoryDocument {
    const SCHEMA: &'static str = "deployer.state-history/1";
}

/// Something that is tagged as ours and is not recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Marked {
    /// Its type.
    pub kind: String,
    /// Its id, ARN or name.
    pub id: String,
    /// The step in its mark.
    pub step: String,
}

/// `deployer state rebuild --json`.
#[derive(Debug, Clone, Serialize)]
pub struct RebuildDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// The steps that were found and recorded.
    pub recorded: Vec<String>,
    /// What is tagged as ours and is no step of the blueprint.
    pub unrecorded: Vec<Marked>,
    /// Types that could not be listed.
    pub unlisted: Vec<Unlisted>,
}
impl Document for RebuildDocument {
    const SCHEMA: &'static str = "deployer.state-rebuild/2";
}

/// `deployer state unlock --json`.
#[derive(Debug, Clone, Serialize)]
pub struct UnlockDocument {
    /// Whose lock was removed, in words; null when there was none.
    pub removed: Option<String>,
}
impl Document for UnlockDocument {
    const SCHEMA: &'static str = "deployer.state-unlock/1";
}

/// `deployer config --json` and `deployer completions --json`: the text that is the result itself.
#[derive(Debug, Clone, Serialize)]
pub struct TextDocument {
    pub text: String,
}
impl TextDocument {
    /// Of a text.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }
}
impl Document for TextDocument {
    const SCHEMA: &'static str = "deployer.text/1";
}

/// `deployer rehearse --json`.
#[derive(Debug, Serialize)]
pub struct RehearsalDocument {
    /// 1 when something that was promised was not seen.
    pub exit_code: u8,
    /// What was seen: `failures`, `figures` [{name, value, unit, limit}], `seconds`.
    #[serde(flatten)]
    pub played: serde_json::Value,
}
impl Document for RehearsalDocument {
    const SCHEMA: &'static str = "deployer.rehearsal/1";
}

/// `deployer permissions --json`.
#[derive(Debug, Clone, Serialize)]
pub struct PermissionsDocument {
    /// True for the policy of commands that change nothing.
    pub read_only: bool,
    /// How many managed policies the whole takes.
    pub parts: usize,
    /// The policy, or the part that was asked for.
    pub policy: serde_json::Value,
}
impl Document for PermissionsDocument {
    const SCHEMA: &'static str = "deployer.permissions/1";
}

/// `deployer sandbox up|down|status --json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SandboxDocument {
    /// True when it runs (after `down`: false).
    pub running: bool,
    /// `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    pub folder: Option<String>,
    pub log: Option<String>,
    /// How long things take to settle.
    pub latency: Option<String>,
    /// When it was started (RFC 3339, UTC).
    pub started: Option<String>,
    /// Its data plane, when it has one: {pid, control, clock, edge, certificates, log}.
    pub data_plane: Option<serde_json::Value>,
}
impl Document for SandboxDocument {
    const SCHEMA: &'static str = "deployer.sandbox/1";
}
