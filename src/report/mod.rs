//! Renderers: of the event stream (terminal, plain lines, JSON lines, the timings page) and of values (plan, run, drift,
//! state, graph) as text and as JSON. The only place that writes to standard output and standard error.
//!
//! Everything is built as a `String` by a pure function and written by `Console`; tests compare the strings.

mod attention;
mod calls;
mod console;
mod cost;
mod doctor;
mod doubled;
mod drift;
mod error;
mod evidence;
mod graph;
mod html;
mod json;
mod lines;
mod markdown;
mod migration;
mod notice;
mod overview;
mod paint;
mod plan;
mod preflight;
mod progress;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod timings;
mod traffic;
mod value;
mod wrap;

pub(crate) use attention::{Attention, attention, attention_text};
pub(crate) use console::{Console, Settings};
pub(crate) use cost::{CostDocument, cost, difference};
pub(crate) use doctor::{DoctorDocument, Finding, Verdict, doctor};
pub(crate) use drift::{drift, short as drift_short};
pub(crate) use error::error;
pub(crate) use evidence::{EvidenceDocument, page as evidence_page, summary as evidence_summary};
pub(crate) use graph::{dot, graph_json, mermaid};
pub(crate) use json::{
    DeploymentRef, DestroyRemains, DriftDocument, ErrorDocument, Marked, OutputsDocument,
    PermissionsDocument, PlanDocument, RebuildDocument, RehearsalDocument, RunDocument,
    SandboxDocument, StateHistoryDocument, StateInitDocument, StateListDocument, StateRow,
    StateShowDocument, StatusDocument, TextDocument, TransferDocument, UnlockDocument,
};
pub use lines::Plain;
pub(crate) use markdown::{drift as drift_markdown, plan as plan_markdown};
pub(crate) use migration::{Migration, MigrationDocument};
pub(crate) use notice::{First, Notice};
pub(crate) use overview::{DeploymentRow, OverviewDocument, overview};
pub(crate) use paint::ColorChoice;
pub use paint::Paint;
pub(crate) use plan::{Detail, plan};
pub(crate) use preflight::preflight;
pub(crate) use summary::{
    Totals, history, last_run, outputs, state_list, status, summary, unfinished,
};
pub(crate) use timings::Timings;
pub(crate) use traffic::{
    Traffic, TrafficForecastDocument, TrafficGateDocument, TrafficHistoryDocument,
    TrafficNoteDocument, TrafficReleaseDocument, TrafficRollbackDocument, TrafficShiftDocument,
    TrafficStatusDocument,
};

use crate::engine::Event;

/// Something that events are sent to; see [`crate::engine::Events::to`].
pub(crate) type Sink = Box<dyn Fn(&Event) + Send + Sync>;
