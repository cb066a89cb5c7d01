//! Everything that happens, as events of one enum. The terminal view, plain lines, JSON lines and the timings page are
//! renderers of this stream.

use super::error::Error;
use serde::Serialize;
use std::sync::Arc;

/// What is done to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It does not exist: make it.
    Create,
    /// It exists, is tagged as ours, and is not in the state: record it.
    Adopt,
    /// It differs: change it in place.
    Update,
    /// It differs in a fixed field: delete and create it.
    Replace,
    /// It is no longer in the blueprint, or everything goes: delete it.
    Delete,
}

impl Verb {
    /// `create`: what is planned.
    pub fn infinitive(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }

    /// `creating`: what is going on.
    pub fn gerund(self) -> &'static str {
        match self {
            Self::Create => "creating",
            Self::Adopt => "adopting",
            Self::Update => "updating",
            Self::Replace => "replacing",
            Self::Delete => "deleting",
        }
    }

    /// `created`: what was done.
    pub fn participle(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Adopt => "adopted",
            Self::Update => "updated",
            Self::Replace => "replaced",
            Self::Delete => "deleted",
        }
    }
}

/// One event. Times are seconds since the start of the run.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run of a plan begins.
    RunStarted {
        /// How many steps it has.
        steps: usize,
        /// The length of the critical path in seconds, as far as durations are known.
        critical_seconds: f64,
    },
    /// A step begins.
    StepStarted {
        step: String,
        /// Its type.
        kind: String,
        /// What is done.
        verb: Verb,
        /// Typical seconds.
        expected_seconds: f64,
        /// Longest remaining path from here, in seconds, this step included.
        remaining_seconds: f64,
        /// The steps that it waited for.
        needs: Vec<String>,
    },
    /// Its ID is known; dependents that need no more may start.
    StepKnown { step: String },
    /// AWS is working on it; it holds no worker.
    StepSettling { step: String },
    StepDone {
        step: String,
        /// What was done.
        verb: Verb,
        /// Seconds from its start.
        seconds: f64,
    },
    StepFailed {
        step: String,
        /// What was done.
        verb: Verb,
        /// Why.
        error: Error,
        /// Seconds from its start.
        seconds: f64,
    },
    /// It was not started, because something it needs failed.
    StepBlocked {
        step: String,
        /// What would have been done.
        verb: Verb,
        /// The failed step.
        by: String,
    },
    /// How far a long piece of work is.
    StepProgress {
        step: String,
        /// How many are done.
        done: u64,
        /// How many there are, as far as that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
        /// What is counted, e.g. `objects deleted`.
        what: &'static str,
    },
    /// It is still waited for; sent once a minute.
    StepWaiting {
        step: String,
        /// What for, e.g. `its deletion`.
        what: String,
        /// Seconds that it has been waited for.
        seconds: f64,
        /// Seconds after which it is given up.
        limit_seconds: f64,
    },
    /// A delete is refused because something else holds the thing; it is tried again.
    StepInUse {
        step: String,
        /// Who holds it.
        error: Error,
    },
    /// A call whose outcome is unclear; the step looks before it creates again.
    StepUnclear {
        step: String,
        /// What happened.
        error: Error,
    },
    /// A request to AWS was answered (or not).
    Call {
        /// The service, e.g. `ec2`.
        service: &'static str,
        /// The operation, e.g. `CreateVpc`.
        operation: &'static str,
        /// True for a mutating call.
        write: bool,
        /// Seconds it took.
        seconds: f64,
        /// `ok`, or the error code.
        outcome: String,
        /// True when AWS asked to slow down.
        throttled: bool,
    },
    /// A stop was asked for; nothing new starts.
    Interrupted,
    /// A line for the user that belongs to no step.
    Note { text: String },
    /// The run is over.
    RunFinished { seconds: f64 },
}

type Sink = dyn Fn(&Event) + Send + Sync;

/// Where events go. Cheap to clone; sinks must not block.
#[derive(Clone, Default)]
pub struct Events {
    sinks: Arc<Vec<Box<Sink>>>,
}

impl Events {
    /// Events that go to these sinks, in order.
    pub fn to(sinks: Vec<Box<Sink>>) -> Self {
        Self {
            sinks: Arc::new(sinks),
        }
    }

    pub fn send(&self, event: Event) {
        self.sinks.iter().for_each(|sink| sink(&event));
    }
}
