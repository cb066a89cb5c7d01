//! Runs a plan. One dispatcher owns the state and decides what starts; workers only run and speak by messages.
//!
//! Ready nodes start in the order of their longest remaining path. A step that settles holds no place: `parallelism`
//! bounds the calls in flight, not the things AWS is working on. What fails stops its dependents and nothing else.

mod create;
mod dispatch;
mod settle;
mod silence;
mod step;
mod wait;

use super::context::Context;
use super::error::Error;
use super::event::Verb;
use super::plan::Plan;
use super::progress::stopped;
use crate::state::{Record, State};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Makes a record durable before its effect is allowed.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Returns after the record of this step (`None`: it is gone) would survive a power cut.
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error>;
}

/// How one step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Done,
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
}

/// What all workers share.
struct Shared {
    cx: Context,
    recorder: Arc<dyn Recorder>,
    messages: mpsc::UnboundedSender<Message>,
    start: Instant,
    /// Becomes true when somebody asks for a stop; the context's also when a record could not be made durable.
    asked: watch::Receiver<bool>,
}

/// Ends the run when a record could not be made durable: what is not recorded must not be made, and nothing is waited for.
struct Halting {
    recorder: Arc<dyn Recorder>,
    halt: watch::Sender<bool>,
}

#[async_trait]
impl Recorder for Halting {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        let recorded = self.recorder.record(step, record).await;
        if recorded.is_err() {
            self.halt.send_replace(true);
        }
        recorded
    }
}

/// Executes a plan. The state is changed as records become durable; the caller writes it whole afterwards.
pub async fn run(
    cx: &Context,
    plan: &Plan,
    state: &mut State,
    recorder: Arc<dyn Recorder>,
) -> Report {
    let (messages, inbox) = mpsc::unbounded_channel();
    let (halt, stop) = watch::channel(*cx.stop.borrow());
    let shared = Shared {
        cx: Context { stop, ..cx.clone() },
        recorder: Arc::new(Halting {
            recorder,
            halt: halt.clone(),
        }),
        messages,
        start: Instant::now(),
        asked: cx.stop.clone(),
    };
    let dispatcher = dispatch::Dispatcher::new(plan, state, Arc::new(shared));
    let forward = async {
        stopped(Some(cx.stop.clone())).await;
        halt.send_replace(true);
        std::future::pending().await
    };
    tokio::select! {
        report = dispatcher.run(inbox) => report,
        never = forward => never,
    }
}
