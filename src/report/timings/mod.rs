//! `--timings`: what a run did and when, as one self-contained HTML page.

mod model;
mod page;
#[cfg(test)]
mod tests;

use super::Sink;
use crate::engine::Event;
use model::{Call, Row, Run};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// A sink that keeps what the page needs. Cheap to clone; clones share what they keep.
#[derive(Debug, Clone)]
pub struct Timings {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    title: String,
    began: Instant,
    run: Run,
}

impl Timings {
    /// Keeps nothing yet. The title says what ran, e.g. `apply · suffix dev · eu-central-1`.
    pub fn new(title: impl Into<String>) -> Self {
        let kept = Kept {
            title: title.into(),
            began: Instant::now(),
            run: Run::default(),
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
        }
    }

    /// A title that says more, once more is known.
    pub fn entitle(&self, title: String) {
        self.lock().title = title;
    }

    pub fn sink(&self) -> Sink {
        let this = self.clone();
        Box::new(move |event| this.take(event))
    }

    /// Takes one event that happens now.
    pub fn take(&self, event: &Event) {
        let mut kept = self.lock();
        if let Event::RunStarted { .. } = event {
            // Calls before the run (preflight, refresh) keep their counts; on the page they stand before zero.
            let shift = kept.began.elapsed().as_secs_f64();
            kept.began = Instant::now();
            kept.run.calls.iter_mut().for_each(|c| c.end -= shift);
        }
        let now = kept.began.elapsed().as_secs_f64();
        kept.take(event, now);
    }

    pub fn page(&self) -> String {
        let kept = self.lock();
        page::page(&kept.title, &kept.run)
    }

    /// Writes the page to a file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, self.page())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What was kept is good even after a panic elsewhere.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, event: &Event, now: f64) {
        let run = &mut self.run;
        match event {
            Event::RunStarted {
                steps,
                critical_seconds,
            } => {
                run.steps = *steps;
                run.expected = *critical_seconds;
            }
            Event::StepStarted {
                step,
                kind,
                verb,
                expected_seconds,
                needs,
                ..
            } => run.start(Row {
                step: step.clone(),
                kind: kind.clone(),
                verb: *verb,
                start: now,
                known: None,
                settling: None,
                end: None,
                outcome: "interrupted",
                why: String::new(),
                expected: *expected_seconds,
                needs: needs.clone(),
                held: 0,
            }),
            Event::StepKnown { step } => run.with(step, |r| r.known = r.known.or(Some(now))),
            Event::StepSettling { step } => {
                run.with(step, |r| r.settling = r.settling.or(Some(now)));
            }
            Event::StepInUse { step, .. } => run.with(step, |r| r.held += 1),
            Event::StepDone { step, .. } => run.end(step, now, "done", String::new()),
            Event::StepFailed { step, error, .. } => {
                run.end(step, now, "failed", error.to_string())
            }
            Event::StepBlocked { step, by, .. } => run.blocked.push((step.clone(), by.clone())),
            Event::Call {
                service,
                operation,
                write,
                seconds,
                outcome,
                throttled,
            } => run.calls.push(Call {
                service,
                operation,
                write: *write,
                seconds: *seconds,
                failed: outcome != "ok",
                throttled: *throttled,
                end: now,
            }),
            Event::RunFinished { seconds } => run.seconds = *seconds,
            _ => {}
        }
    }
}
