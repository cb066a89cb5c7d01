//! Runs a plan. One dispatcher owns the state and decides what starts; workers only run and speak by messages.
//!
//! Ready nodes start in the order of their longest remaining path. A step that settles holds no place: `parallelism`
//! bounds the calls in flight, not the things AWS is working on. What fails stops its dependents and nothing else.

mod create;
mod dispatch;
mod settle;
mod step;
mod wait;

use super::driver::Registry;
use super::error::Error;
use super::event::{Events, Verb};
use super::plan::Plan;
use crate::state::{Record, State};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

/// Makes a record durable before its effect is allowed. The journal is one.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Returns after the record of this step (`None`: it is gone) would survive a power cut.
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error>;
}

#[async_trait]
impl Recorder for crate::state::Journal {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        self.append(step, record)
            .await
            .map_err(|e| Error::permanent("journal", e.to_string()))
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

/// How one step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done.
    Done,
    /// It failed.
    Failed(Error),
    /// Something it needs failed (the step named).
    Blocked(String),
    /// It was not started, or its wait was cut short, because a stop was asked for.
    Interrupted,
}

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every node's step, verb and outcome, in the order of the plan.
    pub outcomes: Vec<(String, Verb, Outcome)>,
    /// Seconds of the run.
    pub seconds: f64,
}

impl Report {
    /// The failed steps with their errors.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.outcomes.iter().filter_map(|(step, _, o)| match o {
            Outcome::Failed(error) => Some((step.as_str(), error)),
            _ => None,
        })
    }

    /// True when everything was done.
    pub fn complete(&self) -> bool {
        self.outcomes.iter().all(|(_, _, o)| *o == Outcome::Done)
    }

    /// True when a stop cut the run short.
    pub fn interrupted(&self) -> bool {
        self.outcomes
            .iter()
            .any(|(_, _, o)| *o == Outcome::Interrupted)
    }
}

/// What workers tell the dispatcher.
enum Message {
    /// This record is durable.
    Recorded(usize, Option<Box<Record>>),
    /// The thing that a step replaces stays known under this id.
    Replaced(String, Box<Record>),
    /// The outputs are known.
    Known(usize),
    /// It settles and gives its place back.
    Parked(usize),
    /// It is over; seconds that the type took, if they are worth remembering.
    Over(usize, Result<Option<f64>, step::Stop>),
}

/// What all workers share.
struct Shared {
    registry: Registry,
    recorder: Arc<dyn Recorder>,
    events: Events,
    limits: Limits,
    calls: Semaphore,
    stop: watch::Receiver<bool>,
    messages: mpsc::UnboundedSender<Message>,
    start: Instant,
}

/// Executes a plan. The state is changed as records become durable; the caller writes it whole afterwards.
pub async fn run(
    plan: &Plan,
    state: &mut State,
    registry: &Registry,
    recorder: Arc<dyn Recorder>,
    events: &Events,
    limits: &Limits,
    stop: watch::Receiver<bool>,
) -> Report {
    let (messages, inbox) = mpsc::unbounded_channel();
    let shared = Shared {
        registry: registry.clone(),
        recorder,
        events: events.clone(),
        limits: limits.clone(),
        calls: Semaphore::new(limits.parallelism.max(1)),
        stop,
        messages,
        start: Instant::now(),
    };
    dispatch::Dispatcher::new(plan, state, Arc::new(shared))
        .run(inbox)
        .await
}

/// Keeps records in memory only; for tests of the engine alone.
#[derive(Default)]
pub struct MemoryRecorder {
    /// Every record in order.
    pub log: std::sync::Mutex<Vec<(String, Option<Record>)>>,
    /// The last record of every step.
    pub last: std::sync::Mutex<BTreeMap<String, Record>>,
}

#[async_trait]
impl Recorder for MemoryRecorder {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        let broken = |_| Error::permanent("record", "poisoned");
        let mut last = self.last.lock().map_err(|e| broken(e.to_string()))?;
        match &record {
            Some(record) => drop(last.insert(step.to_owned(), record.clone())),
            None => drop(last.remove(step)),
        }
        self.log
            .lock()
            .map_err(|e| broken(e.to_string()))?
            .push((step.to_owned(), record));
        Ok(())
    }
}
