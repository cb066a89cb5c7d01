//! What the gate knows of the step that it judges.

use super::minute::{Minute, Pair, Totals};
use super::verdict::Rule;
use serde::{Deserialize, Serialize};

/// The bake time of a step when the command names none, in observed minutes.
pub const DEFAULT_BAKE_MINUTES: u32 = 10;

/// How the two sides share their data while traffic is split. It decides which inputs are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataMode {
    /// Green sends every write to blue: no stream from green to blue.
    ReadOnly,
    /// Green's services use blue's database: no stream at all.
    OneWriter,
    /// Both sides write, both streams run.
    TwoWay,
}

impl DataMode {
    /// Why a rule has nothing to look at in this mode, if so.
    pub fn leaves_out(self, rule: Rule) -> Option<&'static str> {
        match (self, rule) {
            (Self::ReadOnly, Rule::ReverseStream | Rule::LagReverse | Rule::Conflicts) => {
                Some("green writes nothing in read-only mode")
            }
            (
                Self::OneWriter,
                Rule::ReverseStream
                | Rule::LagReverse
                | Rule::LagForward
                | Rule::Conflicts
                | Rule::Parity
                | Rule::Verify,
            ) => Some("both sides use one database"),
            _ => None,
        }
    }
}

/// One step of a shift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Green's weight, 1 to 100 percent.
    pub weight: u8,
    /// When Route 53 accepted the weight (Unix time, seconds). Minutes count from the first that begins at or after it.
    pub start: i64,
    /// Minutes of both sides that must be observed.
    pub bake_minutes: u32,
    /// Steps of the whole shift. The risk of a false rollback is divided among them.
    pub steps: u32,
    /// Metrics that are compared: 2, bad and slow.
    pub metrics: u32,
    /// How data is shared.
    pub mode: DataMode,
    /// Requests slower than this are slow (seconds): blue's 95th percentile of this hour over 7 days, fixed for the shift.
    /// `None` is unknown.
    pub slow_over_seconds: Option<f64>,
    /// Blue's requests and bad ones before this step: the hour before the shift, and what [`super::Gate::next`] adds of the
    /// steps before. Used above `past_above_weight`. Empty = nothing to compare with.
    #[serde(default)]
    pub past: Totals,
    /// Green's addresses are probed.
    #[serde(default)]
    pub probes: bool,
}

impl Step {
    /// The first minute that lies wholly in the step.
    pub fn first_minute(&self) -> Minute {
        self.start.div_euclid(60) + i64::from(self.start.rem_euclid(60) != 0)
    }

    /// Whether everything of a minute is known. At weight 100 blue reports nothing, because it gets nothing.
    pub fn knows(&self, pair: &Pair) -> bool {
        pair.green.complete() && (self.weight == 100 || pair.blue.complete())
    }

    /// Why a rule has nothing to look at in this step, if so.
    pub fn leaves_out(&self, rule: Rule) -> Option<&'static str> {
        let unprobed = rule == Rule::Probes && !self.probes;
        let no_probes = unprobed.then_some(
            "no probes are sent: CloudWatch alone says how green does, two to four minutes later",
        );
        self.mode.leaves_out(rule).or(no_probes)
    }

    /// What is wrong with the step, if anything.
    pub fn problem(&self) -> Option<String> {
        if !(1..=100).contains(&self.weight) {
            return Some(format!(
                "weight is {}; a step has a weight from 1 to 100",
                self.weight
            ));
        }
        if self.steps == 0 || self.metrics == 0 {
            return Some("a shift has at least one step and one metric".to_owned());
        }
        match self.slow_over_seconds {
            Some(t) if !(t.is_finite() && t > 0.0) => Some(format!(
                "the limit of slow requests is {t} s; it must be above 0"
            )),
            _ => None,
        }
    }
}
