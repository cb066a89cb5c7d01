//! The gate of one step: what it has seen, and the verdict that follows.

use super::instant::Instant;
use super::limits::Limits;
use super::minute::{Kind, Minute, Pair};
use super::minutes::Minutes;
use super::step::Step;
use super::verdict::{Action, Decision, Verdict};
use super::{compare, enough, fresh, look, window};
use serde::{Deserialize, Serialize};

/// The statistics of one step. Written to the history after each look, it lets another process go on as if nothing had
/// happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    step: Step,
    minutes: Minutes,
    unknown_since: Option<i64>,
}

impl Gate {
    /// Begins a step with nothing seen.
    ///
    /// # Errors
    /// When the step can't be judged: a weight of 0, no steps, a limit that is no number.
    pub fn begin(step: Step) -> Result<Self, String> {
        match step.problem() {
            Some(problem) => Err(problem),
            None => Ok(Self {
                step,
                minutes: Minutes::default(),
                unknown_since: None,
            }),
        }
    }

    /// Begins the next step of the same shift: nothing of this one counts for it, but blue's requests join its past.
    ///
    /// # Errors
    /// As [`Gate::begin`].
    pub fn next(&self, mut step: Step) -> Result<Self, String> {
        step.past = self.step.past;
        step.past.add(self.minutes.blue(&self.step, step.start));
        Self::begin(step)
    }

    /// Begins the same step again: one side runs something else than before, so what was seen says nothing any more.
    #[must_use]
    pub fn restart(&self, start: i64) -> Self {
        let step = Step {
            start,
            ..self.step.clone()
        };
        Self {
            step,
            minutes: Minutes::default(),
            unknown_since: None,
        }
    }

    /// The step that is judged.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// What was read so far.
    #[cfg(test)]
    pub(super) fn minutes(&self) -> &Minutes {
        &self.minutes
    }

    /// Takes what was read of a minute. Minutes are given in any order and again as often as they are read: each look reads
    /// all of [`Gate::wanted`].
    pub fn observe(&mut self, minute: Minute, read: Pair) {
        if minute >= self.step.first_minute() {
            self.minutes.observe(minute, read);
        }
    }

    /// The minutes to read at this look, and then to give to [`Gate::observe`]: all after the newest one that is known in
    /// full, and those that CloudWatch may still add to. After a kill the minutes missed are among them (CloudWatch keeps
    /// them 15 days): read before the first look.
    pub fn wanted(&self, limits: &Limits, now: i64) -> std::ops::RangeInclusive<Minute> {
        let first = self.step.first_minute();
        let newest = now.div_euclid(60) - 1;
        // CloudWatch publishes within 180 s; twice the time after which a metric is overdue is on the safe side.
        let recent = newest - i64::from(limits.overdue_seconds) * 2 / 60;
        let mut known = self.minutes.closed(&self.step, now).rev();
        let next = known
            .find(|(_, pair)| self.step.knows(pair))
            .map_or(first, |(minute, _)| minute.saturating_add(1));
        first.max(recent.min(next))..=newest
    }

    /// Blue's requests and bad ones in this step so far.
    #[cfg(test)]
    pub fn blue(&self, now: i64) -> super::minute::Totals {
        self.minutes.blue(&self.step, now)
    }

    /// Judges the step at `now` (Unix time, seconds). Changes nothing but since when something has been unknown.
    pub fn evaluate(&mut self, limits: &Limits, now: i64, seen: &Instant) -> Decision {
        let (step, minutes) = (&self.step, &self.minutes);
        let mut findings = look::findings(step, limits, now, seen);
        let mut not_checked: Vec<_> = look::not_checked(step).collect();
        let (arrived, left_out) = fresh::findings(step, limits, now, minutes);
        findings.extend(arrived);
        not_checked.extend(left_out);
        for kind in [Kind::Bad, Kind::Slow] {
            findings.push(window::evaluate(step, limits, now, minutes, kind));
            match compare::evaluate(step, limits, now, minutes, kind) {
                Ok(finding) => findings.push(finding),
                Err(reason) => not_checked.push(reason),
            }
        }
        findings.extend(enough::findings(step, limits, now, minutes));
        findings.sort_by_key(|f| f.rule);
        not_checked.sort_by_key(|r| r.rule);

        let all = findings.iter();
        let verdict = all.map(|f| f.verdict).max().unwrap_or(Verdict::Unknown);
        let unknown = findings.iter().any(|f| f.verdict == Verdict::Unknown);
        self.unknown_since = unknown.then(|| self.unknown_since.unwrap_or(now).min(now));
        let action = self.action(limits, now, verdict);
        let mut decision = Decision {
            verdict,
            action,
            sentence: String::new(),
            at: now,
            weight: self.step.weight,
            unknown_since: self.unknown_since,
            findings,
            not_checked,
        };
        decision.sentence = sentence(&decision, limits);
        decision
    }

    fn action(&self, limits: &Limits, now: i64, verdict: Verdict) -> Action {
        let older = |since: i64, minutes: u32| {
            now.saturating_sub(since) >= i64::from(minutes).saturating_mul(60)
        };
        match verdict {
            Verdict::Fail => Action::RollBack,
            Verdict::Pass => Action::Advance,
            Verdict::Unknown => match self.unknown_since {
                Some(since) if older(since, limits.unknown_minutes) => {
                    if self.step.weight <= limits.unknown_rollback_weight {
                        Action::RollBack
                    } else {
                        Action::PageAndHold
                    }
                }
                _ => Action::Wait,
            },
            Verdict::Holding if older(self.step.start, limits.longest_step_minutes) => {
                Action::PageAndHold
            }
            Verdict::Holding => Action::Wait,
        }
    }
}

/// The first deciding finding, and how many more there are.
fn sentence(decision: &Decision, limits: &Limits) -> String {
    let word = decision.verdict.word();
    if decision.verdict == Verdict::Pass {
        return format!("{word}: all {} inputs are good", decision.findings.len());
    }
    let mut deciding = decision.deciding();
    let first = deciding.next().map_or("", |f| f.sentence.as_str());
    let more = match deciding.count() {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let minutes = match decision.verdict {
        Verdict::Unknown => limits.unknown_minutes,
        _ => limits.longest_step_minutes,
    };
    let then = match (decision.verdict, decision.action) {
        (Verdict::Unknown, Action::RollBack) => {
            format!("; unknown for {minutes} minutes, so traffic goes back to blue")
        }
        (_, Action::PageAndHold) => {
            format!("; so for {minutes} minutes, and the weight stays: a person must decide")
        }
        _ => String::new(),
    };
    format!("{word}: {first}{more}{then}")
}
