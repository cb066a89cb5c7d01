//! Renderers: of the event stream (terminal, plain lines, JSON lines, the timings page) and of values (plan, run, drift,
//! state, graph) as text and as JSON. The only place that writes to standard output and standard error.
//!
//! Everything is built as a `String` by a pure function and written by [`Console`]; tests compare the strings.

mod calls;
mod console;
mod doubled;
mod drift;
mod error;
mod graph;
mod json;
mod lines;
mod notice;
mod paint;
mod plan;
mod preflight;
mod progress;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod timings;
mod value;

pub use calls::{CallTotals, Calls, OperationCalls};
pub use console::{Console, Settings, View};
pub use drift::drift;
pub use error::{error, failure};
pub use graph::{dot, graph_json, mermaid};
pub use json::{
    ApplyDocument, DeploymentRef, DestroyDocument, DestroyRemains, Document, DriftDocument,
    ErrorDocument, Marked, OutputsDocument, PermissionsDocument, PlanDocument, PlanSummary,
    RebuildDocument, RunDocument, RunStep, RunSummary, SandboxDocument, StateHistoryDocument,
    StateListDocument, StateRow, StateShowDocument, StatusDocument, TextDocument, UnlockDocument,
};
pub use lines::Plain;
pub use notice::{First, Notice};
pub use paint::{ColorChoice, Paint};
pub use plan::plan;
pub use preflight::preflight;
pub use progress::Progress;
pub use summary::{Totals, history, outputs, state_list, status, summary, unfinished};
pub use terminal::Terminal;
pub use timings::Timings;

use crate::engine::Event;

/// Something that events are sent to; see [`crate::engine::Events::to`].
pub type Sink = Box<dyn Fn(&Event) + Send + Sync>;
