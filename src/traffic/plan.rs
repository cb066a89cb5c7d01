//! What a shift is going to do, step by step. It is recorded when the shift begins and holds to its end, whoever goes on.

use super::gate::{DataMode, Limits, Step, TimeToPass, Totals, time_to_pass};
use super::weights::Live;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The steps when the command names none.
pub const DEFAULT_STEPS: &str = "10,25,50,75,100";

/// A shift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name: in the notes and in the history.
    pub run: String,
    /// Green's weight at each step, in percent, rising.
    pub steps: Vec<u8>,
    /// Minutes of each step that must be observed.
    pub bake_minutes: u32,
    /// Steps from this weight on wait for somebody's approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve_at: Option<u8>,
    /// How both sides share their data.
    pub mode: DataMode,
    /// Requests slower than this are slow, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_over_seconds: Option<f64>,
    /// Blue's requests and bad ones in the hour before.
    pub past: Totals,
    /// The limits of the gate.
    pub limits: Limits,
    /// The weights before.
    pub from: Live,
    /// Green's addresses are asked once a second.
    #[serde(default)]
    pub probes: bool,
}

/// Reads `10,25,50,75,100`.
///
/// # Errors
/// Says what is wrong with it.
pub fn steps(text: &str) -> Result<Vec<u8>, String> {
    let one = |word: &str| match word.trim().parse::<u8>() {
        Ok(weight @ 1..=100) => Ok(weight),
        _ => Err(format!(
            "`{word}` is no step: a step is green's weight in percent, 1 to 100"
        )),
    };
    let steps: Vec<u8> = text.split(',').map(one).collect::<Result<_, _>>()?;
    match steps.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(format!(
            "{} comes before {}: steps only rise (`deployer traffic rollback` is the way back)",
            pair[0], pair[1]
        )),
        None => Ok(steps),
    }
}

impl Plan {
    /// The step at this place, begun at `start` (Unix time, seconds).
    pub fn step(&self, at: usize, start: i64) -> Option<Step> {
        Some(Step {
            weight: *self.steps.get(at)?,
            start,
            bake_minutes: self.bake_minutes,
            steps: u32::try_from(self.steps.len()).unwrap_or(u32::MAX),
            metrics: 2,
            mode: self.mode,
            slow_over_seconds: self.slow_over_seconds,
            past: self.past,
            probes: self.probes,
        })
    }

    /// True when the step waits for approval.
    pub fn wants_approval(&self, weight: u8) -> bool {
        self.approve_at.is_some_and(|from| weight >= from)
    }

    /// How long each step needs to be able to pass, from blue's requests of the last hour; `None` where none came.
    pub fn forecast(&self) -> Vec<(u8, Option<TimeToPass>)> {
        let per_minute = self.past.requests as f64 / 60.0;
        let time = |weight| {
            let past = Some(self.past);
            time_to_pass(weight, per_minute, self.bake_minutes, past, &self.limits)
        };
        self.steps.iter().map(|w| (*w, time(*w))).collect()
    }
}

/// Steps and forecast, one line each.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    let per_minute = plan.past.requests as f64 / 60.0;
    let _ = writeln!(
        out,
        "Blue had {:.0} requests a minute in the last hour, {:.2} % of them bad.",
        per_minute,
        plan.past.percent()
    );
    let mut total = 0;
    for (weight, time) in plan.forecast() {
        let approval = if plan.wants_approval(weight) {
            "; waits for approval first"
        } else {
            ""
        };
        let _ = match time {
            Some(time) => {
                total += time.with_delay;
                writeln!(out, "  {time}{approval}")
            }
            None => writeln!(
                out,
                "  weight {weight}: unable to pass, nobody sends requests{approval}"
            ),
        };
    }
    let _ = writeln!(
        out,
        "All steps: at least {total} minutes, with the time that CloudWatch takes."
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_rise_and_are_percents() {
        assert_eq!(steps("10, 25,100"), Ok(vec![10, 25, 100]));
        for bad in ["", "0", "101", "10,10", "50,25", "ten", "10,,20", "-5"] {
            assert!(steps(bad).is_err(), "{bad}");
        }
    }
}
