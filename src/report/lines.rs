//! The event stream as plain lines (no terminal) and as JSON lines.

use super::error::error;
use super::paint::Paint;
use super::value::{clean, seconds};
use crate::engine::Event;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// Seconds after which a step that is still held is reported again.
const HELD_INTERVAL: f64 = 60.0;

/// Seconds after which a step says again how far it is.
const PROGRESS_INTERVAL: f64 = 5.0;

/// `12,000 of about 40,000 objects deleted`
pub(super) fn progress(done: u64, total: Option<u64>, what: &str) -> String {
    let of = total.map_or_else(String::new, |t| format!("of about {} ", grouped(t)));
    format!("{} {of}{what}", grouped(done))
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// One line per event that a reader of a log wants, with the seconds since the run began.
#[derive(Debug, Default)]
pub struct Plain {
    began: f64,
    held: HashMap<String, f64>,
    hints: HashSet<String>,
    progress: HashMap<String, f64>,
}

impl Plain {
    /// The line (or lines) of an event that came at `now`; `None` when it is of no interest.
    pub fn line(&mut self, event: &Event, now: f64, paint: Paint) -> Option<String> {
        let began = self.began;
        let at = |what: &str, step: &str, more: &str| aligned(now - began, what, step, more);
        // A hint that many steps share is reported once.
        let mut hints = std::mem::take(&mut self.hints);
        let mut below = |head: String, step: &str, why: &crate::engine::Error| {
            let mut why = why.clone();
            why.hint = why.hint.filter(|hint| hints.insert(hint.clone()));
            let text = error(Some(step), &why, paint);
            text.lines().fold(head, |mut out, line| {
                let _ = write!(out, "\n          {line}");
                out
            })
        };
        let line = match event {
            Event::StepFailed {
                step,
                error: why,
                seconds: took,
                ..
            } => Some(below(
                at("FAILED", step, &format!("after {}", seconds(*took))),
                step,
                why,
            )),
            _ => None,
        };
        self.hints = hints;
        if line.is_some() {
            return line;
        }
        Some(match event {
            Event::RunStarted {
                steps,
                critical_seconds,
            } => {
                self.began = now;
                let n = super::value::many(*steps as u64, "step");
                let path = seconds(*critical_seconds);
                return Some(format!("{n}, critical path about {path}"));
            }
            Event::StepStarted { step, verb, .. } => at(verb.gerund(), step, ""),
            Event::StepDone {
                step,
                verb,
                seconds: took,
            } => at(verb.participle(), step, &format!("in {}", seconds(*took))),
            Event::StepBlocked { step, by, .. } => at("blocked", step, &format!("by {by}")),
            Event::StepInUse { step, error: why } => {
                let last = self.held.get(step).copied();
                if last.is_some_and(|t| now - t < HELD_INTERVAL) {
                    return None;
                }
                let line = at("in use", step, &clean(&why.message));
                self.held.insert(step.clone(), now);
                line
            }
            Event::StepWaiting {
                step,
                what,
                seconds: waited,
                limit_seconds,
            } => {
                let (waited, limit) = (seconds(*waited), seconds(*limit_seconds));
                let more = format!("for {waited} of at most {limit}: {}", clean(what));
                at("waiting", step, &more)
            }
            Event::StepProgress {
                step,
                done,
                total,
                what,
            } => {
                let last = self.progress.get(step).copied();
                if last.is_some_and(|t| now - t < PROGRESS_INTERVAL) {
                    return None;
                }
                self.progress.insert(step.clone(), now);
                at("working", step, &progress(*done, *total, what))
            }
            Event::StepUnclear { step, error: why } => {
                let more = format!(
                    "no clear answer to {}: {}; looking for it",
                    why.action,
                    clean(&why.message)
                );
                at("unclear", step, &more)
            }
            Event::Interrupted => {
                "stopping: nothing new starts, what is in flight is finished and recorded".into()
            }
            Event::Note { text } => format!("note: {}", clean(text)),
            _ => return None,
        })
    }
}

/// A line of the log.
fn aligned(since: f64, what: &str, step: &str, more: &str) -> String {
    let line = format!("{:>8}  {what:<10} {step:<42} {more}", seconds(since));
    line.trim_end().to_owned()
}

/// One JSON object: the event, and when it came (RFC 3339).
pub(super) fn json_line(event: &Event) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        time: jiff::Timestamp,
        #[serde(flatten)]
        event: &'a Event,
    }
    let line = Line {
        time: jiff::Timestamp::now(),
        event,
    };
    serde_json::to_string(&line)
        .unwrap_or_else(|e| format!("{{\"event\":\"broken\",\"why\":\"{e}\"}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_number_of_a_number() {
        assert_eq!(
            progress(999, None, "objects deleted"),
            "999 objects deleted"
        );
        assert_eq!(
            progress(12_000, Some(1_040_000), "objects deleted"),
            "12,000 of about 1,040,000 objects deleted"
        );
    }
}
