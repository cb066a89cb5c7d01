//! The numbers behind the page: rows, the critical path as it was, concurrency over time, calls per operation.

use crate::engine::event::Verb;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Two instants that are one, in seconds.
const SAME: f64 = 1e-3;
/// Points of the concurrency chart.
const POINTS: usize = 300;

/// One node of the run. A replaced step has two.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub step: String,
    pub kind: String,
    pub verb: Verb,
    pub start: f64,
    pub known: Option<f64>,
    pub settling: Option<f64>,
    pub end: Option<f64>,
    pub outcome: &'static str,
    pub why: String,
    pub expected: f64,
    pub needs: Vec<String>,
    pub held: u32,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub service: &'static str,
    pub operation: &'static str,
    pub write: bool,
    pub seconds: f64,
    pub failed: bool,
    pub throttled: bool,
    pub end: f64,
}

/// Everything that was kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    pub steps: usize,
    pub expected: f64,
    pub seconds: f64,
    pub rows: Vec<Row>,
    pub calls: Vec<Call>,
    pub blocked: Vec<(String, String)>,
    open: HashMap<String, usize>,
}

/// One link of the critical path: from what released the step before, to what this step released.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Link {
    /// Position in the rows.
    pub row: usize,
    /// When the link before ended.
    pub from: f64,
    /// When the step started; later than `from` when it waited for a place.
    pub start: f64,
    /// When the next link could start.
    pub to: f64,
}

/// One operation's calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Operation {
    pub service: String,
    pub operation: String,
    pub write: bool,
    pub calls: u64,
    pub errors: u64,
    pub throttled: u64,
    pub seconds: f64,
    pub slowest: f64,
}

/// Means over small slices of the run.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Series {
    pub working: Vec<f64>,
    pub settling: Vec<f64>,
    pub calls: Vec<f64>,
}

impl Run {
    pub(super) fn start(&mut self, row: Row) {
        self.open.insert(row.step.clone(), self.rows.len());
        self.rows.push(row);
    }

    pub(super) fn with(&mut self, step: &str, act: impl FnOnce(&mut Row)) {
        if let Some(row) = self.open.get(step).and_then(|at| self.rows.get_mut(*at)) {
            act(row);
        }
    }

    pub(super) fn end(&mut self, step: &str, now: f64, outcome: &'static str, why: String) {
        self.with(step, |row| {
            row.end = Some(now);
            row.outcome = outcome;
            row.why = why;
        });
    }

    /// The length of the run: as reported, or as far as anything was seen.
    pub(super) fn length(&self) -> f64 {
        let seen = self
            .rows
            .iter()
            .map(|r| r.end.unwrap_or(r.start))
            .fold(0.0, f64::max);
        self.seconds.max(seen)
    }

    fn end_of(&self, row: &Row) -> f64 {
        row.end.unwrap_or_else(|| self.length())
    }

    /// The chain that made the run as long as it was, first link first. Whatever released a step last is the link before it.
    pub(super) fn path(&self) -> Vec<Link> {
        let mut by_step: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            by_step.entry(&row.step).or_default().push(at);
        }
        let last = (0..self.rows.len()).max_by(|a, b| {
            self.end_of(&self.rows[*a])
                .total_cmp(&self.end_of(&self.rows[*b]))
        });
        let mut out = Vec::new();
        let mut next = last.map(|at| (at, self.end_of(&self.rows[at])));
        while let Some((at, to)) = next {
            let row = &self.rows[at];
            let before = row
                .needs
                .iter()
                .filter_map(|step| by_step.get(step.as_str()))
                .flatten()
                .filter(|need| **need < at)
                .filter_map(|need| Some((*need, self.release(&self.rows[*need], row.start)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            out.push(Link {
                row: at,
                from: before.map_or(0.0, |(_, t)| t),
                start: row.start,
                to,
            });
            next = before;
        }
        out.reverse();
        out
    }

    /// When a needed step released one that started at `start`: its end if that came before, else the moment its id was known.
    fn release(&self, need: &Row, start: f64) -> Option<f64> {
        let times = [need.end, need.known];
        times.into_iter().flatten().find(|t| *t <= start + SAME)
    }

    /// Steps and calls under way, as means over equal slices of the run.
    pub(super) fn series(&self) -> Series {
        let length = self.length();
        let mut out = Series {
            working: vec![0.0; POINTS],
            settling: vec![0.0; POINTS],
            calls: vec![0.0; POINTS],
        };
        for row in &self.rows {
            let end = self.end_of(row);
            let turn = row.settling.unwrap_or(end).min(end);
            spread(&mut out.working, row.start, turn, length);
            spread(&mut out.settling, turn, end, length);
        }
        for call in &self.calls {
            spread(&mut out.calls, call.end - call.seconds, call.end, length);
        }
        out
    }

    /// Calls per operation, the busiest service first.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let mut all: BTreeMap<(&str, &str), Operation> = BTreeMap::new();
        let mut services: HashMap<&str, u64> = HashMap::new();
        for call in &self.calls {
            *services.entry(call.service).or_default() += 1;
            let entry = all
                .entry((call.service, call.operation))
                .or_insert_with(|| Operation {
                    service: call.service.into(),
                    operation: call.operation.into(),
                    write: call.write,
                    ..Operation::default()
                });
            entry.calls += 1;
            entry.errors += u64::from(call.failed);
            entry.throttled += u64::from(call.throttled);
            entry.seconds += call.seconds;
            entry.slowest = entry.slowest.max(call.seconds);
        }
        let mut out: Vec<Operation> = all.into_values().collect();
        out.sort_by(|a, b| {
            let busy = |o: &Operation| services.get(o.service.as_str()).copied();
            (busy(b), &a.service, b.calls).cmp(&(busy(a), &b.service, a.calls))
        });
        out
    }
}

/// Adds one interval to the slices it covers.
fn spread(slices: &mut [f64], from: f64, to: f64, length: f64) {
    let (from, to) = (from.max(0.0), to.min(length));
    if length <= 0.0 || to <= from {
        return;
    }
    let width = length / slices.len() as f64;
    let first = (from / width) as usize;
    let last = ((to / width) as usize).min(slices.len() - 1);
    for (at, slice) in slices.iter_mut().enumerate().take(last + 1).skip(first) {
        let (left, right) = (at as f64 * width, (at + 1) as f64 * width);
        *slice += (to.min(right) - from.max(left)).max(0.0) / width;
    }
}
