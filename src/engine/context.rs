//! What looking at the account and changing it share.

use super::clock::Clock;
use super::driver::Registry;
use super::event::Events;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Everything that the engine works with, besides the plan and the state.
#[derive(Clone)]
pub struct Context {
    /// The resource types.
    pub registry: Registry,
    /// Where events go.
    pub events: Events,
    /// How long things are waited for.
    pub limits: Limits,
    /// The time.
    pub clock: Clock,
    /// Becomes true when a stop is asked for.
    pub stop: watch::Receiver<bool>,
    /// When each step was last read.
    pub reads: Reads,
}

/// When each step was last read, for who has to show it.
#[derive(Debug, Clone, Default)]
pub struct Reads(Arc<Mutex<BTreeMap<String, Timestamp>>>);

impl Reads {
    /// Notes that a step was read just now.
    pub(crate) fn note(&self, step: &str, at: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(step.to_owned(), at);
    }

    /// When a step was read; `None` when it was not.
    pub fn at(&self, step: &str) -> Option<Timestamp> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(step).copied()
    }
}

impl Context {
    /// A context that nobody can stop, whose clock starts now.
    pub fn new(registry: Registry, events: Events, limits: Limits) -> Self {
        Self {
            registry,
            events,
            limits,
            clock: Clock::start(),
            stop: watch::channel(false).1,
            reads: Reads::default(),
        }
    }
}

/// How a plan is run.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls in flight at most.
    pub parallelism: usize,
    /// How long a thing that must be there is looked for before it counts as absent.
    pub consistency_timeout: Duration,
    /// How long a held deletion is tried again.
    pub in_use_timeout: Duration,
    /// How long something may settle: this many times its typical seconds, but not under `settle_floor`.
    pub settle_factor: f64,
    /// The least time that something may settle.
    pub settle_floor: Duration,
}

impl Limits {
    /// How long after the first read that did not show a recorded thing the second one leaves, whose answer counts.
    pub(super) fn confirm_absence(&self) -> Duration {
        self.consistency_timeout.min(Duration::from_secs(5))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parallelism: 32,
            consistency_timeout: Duration::from_secs(15),
            in_use_timeout: Duration::from_secs(45 * 60),
            settle_factor: 10.0,
            settle_floor: Duration::from_secs(15 * 60),
        }
    }
}
