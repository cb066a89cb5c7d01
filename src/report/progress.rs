//! Where a run stands: what is done, what is running and how long it will still take. Knows no terminal.

use super::lines::progress;
use super::paint::Paint;
use super::value::{clean, cut, seconds};
use super::wrap::fit;
use crate::engine::Event;
use crate::engine::event::Verb;

/// Running steps that are shown at most.
const MOST: usize = 8;
/// Cells of the bar.
const CELLS: usize = 30;
/// Columns below which a step has one line without what it does, and the bar is short.
const NARROW: usize = 60;

/// Seconds from which on it is said how long a step usually takes.
const NOTABLE: f64 = 5.0;

/// A step under way.
#[derive(Debug, Clone)]
struct Running {
    step: String,
    verb: Verb,
    started: f64,
    expected: f64,
    remaining: f64,
    settling: bool,
    held: bool,
    /// How far it is, or what it waits for.
    detail: Option<String>,
}

/// The model of a run, fed by events. All times are seconds of one clock.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    total: usize,
    done: usize,
    failed: usize,
    blocked: usize,
    began: f64,
    critical: f64,
    running: Vec<Running>,
    stopping: bool,
}

impl Progress {
    /// Takes one event that came at `now`.
    pub fn take(&mut self, event: &Event, now: f64) {
        match event {
            Event::RunStarted {
                steps,
                critical_seconds,
            } => {
                *self = Self {
                    total: *steps,
                    began: now,
                    critical: *critical_seconds,
                    ..Self::default()
                }
            }
            Event::StepStarted {
                step,
                verb,
                expected_seconds,
                remaining_seconds,
                ..
            } => self.running.push(Running {
                step: step.clone(),
                verb: *verb,
                started: now,
                expected: *expected_seconds,
                remaining: *remaining_seconds,
                settling: false,
                held: false,
                detail: None,
            }),
            Event::StepSettling { step } => self.with(step, |r| r.settling = true),
            Event::StepInUse { step, .. } => self.with(step, |r| r.held = true),
            Event::StepProgress {
                step,
                done,
                total,
                what,
            } => self.with(step, |r| {
                // It goes on again.
                r.held = false;
                r.detail = Some(progress(*done, *total, what));
            }),
            Event::StepWaiting {
                step,
                what,
                limit_seconds,
                ..
            } => self.with(step, |r| {
                let limit = seconds(*limit_seconds);
                r.detail = Some(format!("at most {limit}: {}", clean(what)));
            }),
            Event::StepDone { step, .. } => {
                self.done += 1;
                self.over(step);
            }
            Event::StepFailed { step, .. } => {
                self.failed += 1;
                self.over(step);
            }
            Event::StepBlocked { .. } => self.blocked += 1,
            Event::Interrupted => self.stopping = true,
            Event::RunFinished { .. } => self.running.clear(),
            _ => {}
        }
    }

    fn with(&mut self, step: &str, act: impl FnOnce(&mut Running)) {
        if let Some(running) = self.running.iter_mut().find(|r| r.step == step) {
            act(running);
        }
    }

    fn over(&mut self, step: &str) {
        self.running.retain(|r| r.step != step);
    }

    /// Seconds until the end as far as durations are known: the longest path that is left. A step that takes longer than
    /// it should has at least the path after it still before it.
    pub fn eta(&self, now: f64) -> Option<f64> {
        if self.total == 0 || self.done + self.failed + self.blocked >= self.total {
            return None;
        }
        let left = |r: &Running| (r.remaining - (now - r.started)).max(r.remaining - r.expected);
        let longest = self.running.iter().map(left).fold(0.0_f64, f64::max);
        if self.running.is_empty() {
            return Some((self.critical - (now - self.began)).max(0.0));
        }
        Some(longest.max(0.0))
    }

    /// True for a step on the longest path that takes longer than it usually does.
    fn delays(&self, r: &Running, now: f64, eta: f64) -> bool {
        let since = now - r.started;
        since > NOTABLE && since > r.expected * 1.2 && r.remaining - r.expected >= eta - 0.5
    }

    /// The lines of the live view: a bar, then the steps with the longest path before them.
    pub fn frame(&self, now: f64, width: usize, paint: Paint) -> Vec<String> {
        let ended = self.done + self.failed + self.blocked;
        let narrow = width < NARROW;
        let cells = if narrow { CELLS / 5 } else { CELLS };
        let filled = (cells * ended.min(self.total))
            .checked_div(self.total)
            .unwrap_or(0);
        let mut head = format!(
            "{}{} {ended}/{}  {}",
            paint.green(&"━".repeat(filled)),
            paint.dim(&"─".repeat(cells - filled)),
            self.total,
            seconds(now - self.began),
        );
        if let (Some(eta), false) = (self.eta(now), self.stopping) {
            let late = self.running.iter().any(|r| self.delays(r, now, eta));
            head.push_str(&match eta.ceil() {
                e if late && e < 1.0 => "  ETA longer than usual".to_owned(),
                e if late => format!("  ETA {}, longer than usual", seconds(e)),
                e => format!("  ETA {}", seconds(e)),
            });
        }
        if self.failed > 0 {
            head.push_str(&format!(
                "  {}",
                paint.red(&format!("{} failed", self.failed))
            ));
        }
        if self.blocked > 0 {
            head.push_str(&format!("  {} blocked", self.blocked));
        }
        let mut running: Vec<&Running> = self.running.iter().collect();
        running.sort_by(|a, b| {
            b.remaining
                .total_cmp(&a.remaining)
                .then(a.step.cmp(&b.step))
        });
        let mut out = vec![fit(&head, width)];
        if self.stopping {
            let text = "  stopping: what is in flight is finished and recorded";
            out.push(cut(text, width));
        }
        for r in running.iter().take(MOST) {
            let what = match r {
                r if r.held => "blocked, in use",
                r if r.settling && r.verb == Verb::Delete => "waiting for its end",
                r if r.settling => "waiting for AWS",
                r => r.verb.gerund(),
            };
            let since = match r.expected {
                usual if !narrow && usual >= NOTABLE => {
                    format!("{} of ~{}", seconds(now - r.started), seconds(usual))
                }
                _ => seconds(now - r.started),
            };
            let line = if narrow {
                let room = width.saturating_sub(since.chars().count() + 3);
                format!("  {:<room$} {since}", cut(&r.step, room))
            } else {
                format!("  {:<40} {what:<18} {since}", cut(&r.step, 40))
            };
            out.push(cut(&line, width));
            let detail = r.detail.iter();
            out.extend(detail.map(|text| cut(&format!("    {text}"), width)));
        }
        if running.len() > MOST {
            out.push(format!("  +{} more", running.len() - MOST));
        }
        out
    }
}
