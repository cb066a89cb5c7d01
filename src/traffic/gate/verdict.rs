//! What the gate says: findings with their numbers, the worst of them, and what the caller does now.

use super::minute::Totals;
use serde::{Deserialize, Serialize};

/// From good to bad: the worst of all inputs is the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Known and good.
    Pass,
    /// Nothing bad, but not enough seen yet.
    Holding,
    /// Something could not be read. Never good, never bad by itself.
    Unknown,
    /// Green is worse than it may be.
    Fail,
}

impl Verdict {
    /// The word in JSON and in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Holding => "holding",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// What the caller does with a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The step has passed.
    Advance,
    /// Look again; the weight stays.
    Wait,
    /// The weight stays, and a person is called.
    PageAndHold,
    /// All traffic to blue, at once.
    RollBack,
}

/// The rules, each of which gives one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Rows that differ on the two sides.
    Parity,
    /// Rows that both sides changed.
    Conflicts,
    /// Any other counter of the migration that must be zero.
    Counter,
    /// The stream of changes from green to blue.
    ReverseStream,
    /// Healthy targets of green.
    Targets,
    /// Probes of green.
    Probes,
    /// The guard in AWS that acts while no process runs.
    Guard,
    /// Green's metrics arrive.
    GreenMetrics,
    /// Blue's metrics arrive.
    BlueMetrics,
    /// Absolute limit of bad requests.
    BadShare,
    /// Absolute limit of slow requests.
    SlowShare,
    /// Green's bad requests against blue's.
    BadComparison,
    /// Green's slow requests against blue's.
    SlowComparison,
    /// Enough requests on green.
    Requests,
    /// Upper bound of green's bad share.
    BadBound,
    /// Minutes observed.
    Bake,
    /// Observed share of requests against the weight.
    ObservedShare,
    /// Lag of the stream to green.
    LagForward,
    /// Lag of the stream to blue.
    LagReverse,
    /// The last `verify`.
    Verify,
}

impl Rule {
    /// Every rule, in the order in which findings are listed.
    pub const ALL: [Self; 20] = [
        Self::Parity,
        Self::Conflicts,
        Self::Counter,
        Self::ReverseStream,
        Self::Targets,
        Self::Probes,
        Self::Guard,
        Self::GreenMetrics,
        Self::BlueMetrics,
        Self::BadShare,
        Self::SlowShare,
        Self::BadComparison,
        Self::SlowComparison,
        Self::Requests,
        Self::BadBound,
        Self::Bake,
        Self::ObservedShare,
        Self::LagForward,
        Self::LagReverse,
        Self::Verify,
    ];

    /// The word for it in tables; in JSON it has underscores.
    pub fn word(self) -> &'static str {
        match self {
            Self::Parity => "parity",
            Self::Conflicts => "conflicts",
            Self::Counter => "counter",
            Self::ReverseStream => "reverse stream",
            Self::Targets => "targets",
            Self::Probes => "probes",
            Self::Guard => "guard",
            Self::GreenMetrics => "green metrics",
            Self::BlueMetrics => "blue metrics",
            Self::BadShare => "bad share",
            Self::SlowShare => "slow share",
            Self::BadComparison => "bad comparison",
            Self::SlowComparison => "slow comparison",
            Self::Requests => "requests",
            Self::BadBound => "bad bound",
            Self::Bake => "bake",
            Self::ObservedShare => "observed share",
            Self::LagForward => "lag forward",
            Self::LagReverse => "lag reverse",
            Self::Verify => "verify",
        }
    }
}

/// The numbers behind a finding. What a rule does not use is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Numbers {
    /// Green's requests and hits in the period judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub green: Option<Totals>,
    /// Blue's in the same minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blue: Option<Totals>,
    /// Blue's before this step, where green is compared with blue's past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past: Option<Totals>,
    /// The first second (Unix time) of the period and the first one after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<(i64, i64)>,
    /// What was measured: a share in percent, a count, seconds or minutes, as `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit it is held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The one-sided bound of the share, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// Requests slower than this are slow, in seconds (T).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_over_seconds: Option<f64>,
    /// Risk that this comparison fails a healthy green.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Evidence that green is worse (E); at most 1e300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<f64>,
    /// The comparison fails from this evidence on: 1 / alpha.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_limit: Option<f64>,
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: Rule,
    /// What it says.
    pub verdict: Verdict,
    /// The same for people, with the numbers.
    pub sentence: String,
    pub numbers: Numbers,
}

impl Finding {
    /// A finding without numbers.
    pub fn new(rule: Rule, verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self {
            rule,
            verdict,
            sentence: sentence.into(),
            numbers: Numbers::default(),
        }
    }

    /// The same with its numbers.
    #[must_use]
    pub fn with(mut self, numbers: Numbers) -> Self {
        self.numbers = numbers;
        self
    }
}

/// A rule that does not apply to this step, and why: it is neither good nor bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    pub rule: Rule,
    /// Why it is not used.
    pub reason: String,
}

/// One evaluation of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What to do now.
    pub action: Action,
    /// Why, in one sentence.
    pub sentence: String,
    /// When it was made (Unix time).
    pub at: i64,
    /// Green's weight in percent.
    pub weight: u8,
    /// Since when (Unix time) something has been unknown without a break.
    pub unknown_since: Option<i64>,
    /// What each rule says, in the order of [`Rule::ALL`].
    pub findings: Vec<Finding>,
    /// The rules that were not used.
    pub not_checked: Vec<NotChecked>,
}

impl Decision {
    /// What a rule says, the worst if it says several things.
    pub fn of(&self, rule: Rule) -> Option<&Finding> {
        self.findings
            .iter()
            .filter(|f| f.rule == rule)
            .max_by_key(|f| f.verdict)
    }

    /// The findings that decide: those as bad as the verdict.
    pub fn deciding(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.verdict == self.verdict)
    }
}

/// A table for people: the sentence, then one line a rule.
impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "gate at weight {}: {}", self.weight, self.sentence)?;
        for finding in &self.findings {
            let (verdict, rule) = (finding.verdict.word(), finding.rule.word());
            writeln!(f, "  {verdict:<12} {rule:<16} {}", finding.sentence)?;
        }
        for rule in &self.not_checked {
            let word = rule.rule.word();
            writeln!(f, "  {:<12} {word:<16} {}", "not checked", rule.reason)?;
        }
        Ok(())
    }
}
