//! Counts API calls.

use super::Sink;
use crate::engine::Event;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OperationCalls {
    /// Requests that were answered, or not.
    pub calls: u64,
    /// True for a mutating operation.
    pub write: bool,
    /// Requests that ended in an error, throttling among them.
    pub errors: u64,
    /// Requests after which AWS asked to slow down.
    pub throttled: u64,
    /// Seconds they took in sum.
    pub seconds: f64,
}

/// All calls of a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CallTotals {
    /// Requests that read.
    pub reads: u64,
    /// Requests that write.
    pub writes: u64,
    /// Requests after which AWS asked to slow down.
    pub throttled: u64,
    /// Requests that ended in an error.
    pub errors: u64,
    /// By service, then by operation.
    pub services: BTreeMap<String, BTreeMap<String, OperationCalls>>,
}

impl CallTotals {
    /// All requests.
    pub fn all(&self) -> u64 {
        self.reads + self.writes
    }
}

/// A sink that counts. Cheap to clone; clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    totals: Arc<Mutex<CallTotals>>,
}

impl Calls {
    /// Counts nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub fn sink(&self) -> Sink {
        let this = self.clone();
        Box::new(move |event| this.take(event))
    }

    /// Counts one event.
    pub fn take(&self, event: &Event) {
        let Event::Call {
            service,
            operation,
            write,
            seconds,
            outcome,
            throttled,
        } = event
        else {
            return;
        };
        let mut totals = self.lock();
        let failed = u64::from(outcome != "ok");
        *(if *write {
            &mut totals.writes
        } else {
            &mut totals.reads
        }) += 1;
        totals.throttled += u64::from(*throttled);
        totals.errors += failed;
        let by_operation = totals.services.entry((*service).to_owned()).or_default();
        let entry = by_operation.entry((*operation).to_owned()).or_default();
        entry.calls += 1;
        entry.write = *write;
        entry.errors += failed;
        entry.throttled += u64::from(*throttled);
        entry.seconds += seconds;
    }

    /// The counts so far.
    pub fn totals(&self) -> CallTotals {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, CallTotals> {
        // Counts are good even after a panic elsewhere.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
