//! What is seen in one look beside the metrics: each value is known, or `None` for unknown.

use serde::{Deserialize, Serialize};

/// The observations of one look. A value that could not be read is `None`; a value that the mode of the step does not have
/// may be `None` as well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instant {
    /// Rows that differ between the sides and are not in motion.
    pub parity_mismatches: Option<u64>,
    /// Rows that both sides changed.
    pub conflicts: Option<u64>,
    /// Further counters that must be zero (echoed changes, payments made twice, ...).
    pub counters: Vec<Counter>,
    /// The stream from green to blue.
    pub reverse_stream: Option<Stream>,
    /// Green's services. An empty list is unknown.
    pub targets: Option<Vec<Targets>>,
    /// Probes of green's addresses.
    pub probes: Option<Probes>,
    /// The guard in AWS.
    pub guard: Option<Guard>,
    /// How far green's data is behind, in seconds.
    pub lag_forward: Option<f64>,
    /// How far blue's data is behind, in seconds.
    pub lag_reverse: Option<f64>,
    /// The last `verify`.
    pub verify: Option<Verify>,
}

/// A counter that must be zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// What it counts, as people read it.
    pub name: String,
    pub value: Option<u64>,
}

/// A stream of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// It applies changes, or waits for some.
    Running,
    /// It does not run.
    Stopped,
    /// Its replication slot is gone: changes are missing.
    SlotLost,
}

/// Targets of one service in green's own target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    pub service: String,
    /// Healthy targets.
    pub healthy: u32,
    /// Tasks that the service wants.
    pub desired: u32,
}

/// The newest probes of green.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probes {
    /// Probes whose result is known; at least `probes_in_a_row` or it is unknown.
    pub done: u32,
    /// How many failed without a break up to the newest, of the worst address.
    pub failed_in_a_row: u32,
}

/// The health check of Route 53 that takes green out while no process of ours runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// The deployment has none.
    NotInstalled,
    /// It sees nothing.
    Quiet,
    /// It has taken green out.
    Raised,
}

/// The last comparison of the data of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verify {
    /// What it found.
    pub result: Parity,
    /// When it ended (Unix time, seconds).
    pub at: i64,
}

/// What `verify` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No difference.
    Equal,
    /// Differences that both streams have passed.
    Different,
    /// Differences that a stream may still carry.
    Moving,
}
