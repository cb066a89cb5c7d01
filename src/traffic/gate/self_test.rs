//! Proof that the gate can say no: bad numbers of every kind must fail, missing ones must be unknown, few ones must hold,
//! healthy ones must pass, all with the limits that are in force. A limit that can never be reached shows here.

mod cases;

use super::instant::{Guard, Instant, Parity, Probes, Stream, Targets, Verify};
use super::judge::Gate;
use super::limits::Limits;
use super::minute::{Counts, Minute, Pair, Totals};
use super::plan::needed;
use super::step::{DEFAULT_BAKE_MINUTES, DataMode, Step};
use super::verdict::{Action, Decision, Rule, Verdict};
use serde::{Deserialize, Serialize};

/// One case of the self-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What was fed.
    pub name: String,
    /// The rule that must say so; `None` = the gate as a whole.
    pub rule: Option<Rule>,
    /// What must come out.
    pub expected: Verdict,
    /// What came out, of the rule and of the gate.
    pub got: Verdict,
    /// What the caller must do, where the case is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Whether all is as it must be.
    pub holds: bool,
    /// The gate's sentence.
    pub sentence: String,
}

/// The outcome of all cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Whether every case holds.
    pub holds: bool,
    /// What makes the limits themselves unusable.
    pub limits: Vec<String>,
    pub cases: Vec<Case>,
}

/// Feeds the gate numbers of every kind.
pub fn self_test(limits: &Limits) -> SelfTest {
    let problems = limits.problems();
    // Limits that are no numbers at all can't be fed.
    let cases = if problems.is_empty() {
        run(limits)
    } else {
        Vec::new()
    };
    SelfTest {
        holds: problems.is_empty() && !cases.is_empty() && cases.iter().all(|c| c.holds),
        limits: problems,
        cases,
    }
}

/// A table for people.
impl std::fmt::Display for SelfTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for problem in &self.limits {
            writeln!(f, "  wrong   {problem}")?;
        }
        for case in &self.cases {
            let mark = if case.holds { "ok" } else { "WRONG" };
            let (expected, got) = (case.expected.word(), case.got.word());
            writeln!(f, "  {mark:<7} {expected:<8} {:<44} {got}", case.name)?;
        }
        let wrong = self.cases.iter().filter(|c| !c.holds).count();
        write!(f, "{} cases, {wrong} wrong", self.cases.len())
    }
}

/// A step with its minutes and one look, healthy until a case changes it.
#[derive(Debug, Clone)]
struct Scene {
    step: Step,
    minutes: Vec<Pair>,
    seen: Instant,
    now: i64,
    /// Requests of one side in one minute.
    requests: u64,
}

/// The first minute of every scene.
const FIRST: Minute = 29_000_000;

impl Scene {
    fn healthy(limits: &Limits) -> Self {
        let most = limits.least_requests.max(needed(0, limits).unwrap_or(0));
        // Not more for the other limits: one that a busy platform does not reach in its window is one that never fails.
        let requests = most.max(1000);
        let good = Counts::of(requests, 0, requests / 20);
        let count = i64::from(limits.window_minutes.max(DEFAULT_BAKE_MINUTES)) + 120;
        // The newest minute has settled and is published in full.
        let age = limits.settle_seconds.max(limits.published_seconds);
        let now = (FIRST + count) * 60 + i64::from(age);
        Self {
            step: Step {
                weight: 50,
                start: FIRST * 60,
                bake_minutes: DEFAULT_BAKE_MINUTES,
                steps: 5,
                metrics: 2,
                mode: DataMode::TwoWay,
                slow_over_seconds: Some(0.8),
                past: Totals {
                    requests: 100_000,
                    hits: 100,
                },
                probes: true,
            },
            minutes: vec![
                Pair {
                    green: good,
                    blue: good
                };
                count as usize
            ],
            seen: Self::healthy_look(limits, now),
            now,
            requests,
        }
    }

    fn healthy_look(limits: &Limits, now: i64) -> Instant {
        let done = limits.probes_in_a_row;
        Instant {
            parity_mismatches: Some(0),
            conflicts: Some(0),
            counters: Vec::new(),
            reverse_stream: Some(Stream::Running),
            targets: Some(vec![Targets {
                service: "payment-api".to_owned(),
                healthy: 2,
                desired: 2,
            }]),
            probes: Some(Probes {
                done,
                failed_in_a_row: 0,
            }),
            guard: Some(Guard::Quiet),
            lag_forward: Some(0.0),
            lag_reverse: Some(0.0),
            verify: Some(Verify {
                result: Parity::Equal,
                at: now,
            }),
        }
    }

    /// All traffic on green: blue reports nothing.
    fn at_100(&mut self) {
        self.step.weight = 100;
        for pair in &mut self.minutes {
            pair.blue = Counts::default();
        }
    }

    /// The gate after all minutes.
    fn gate(&self) -> Option<Gate> {
        let mut gate = Gate::begin(self.step.clone()).ok()?;
        for (minute, pair) in (FIRST..).zip(&self.minutes) {
            gate.observe(minute, *pair);
        }
        Some(gate)
    }

    fn evaluate(&self, limits: &Limits) -> Option<Decision> {
        Some(self.gate()?.evaluate(limits, self.now, &self.seen))
    }
}

fn run(limits: &Limits) -> Vec<Case> {
    let mut cases = Vec::new();
    let healthy = Scene::healthy(limits);
    let mut full = healthy.clone();
    full.at_100();
    for (name, scene) in [("healthy", &healthy), ("healthy at weight 100", &full)] {
        let decision = scene.evaluate(limits);
        cases.push(case(name, None, Verdict::Pass, decision.as_ref()));
    }
    for (word, expected, table) in [
        ("", Verdict::Fail, &cases::BAD[..]),
        ("without ", Verdict::Unknown, &cases::MISSING[..]),
        ("", Verdict::Holding, &cases::FEW[..]),
    ] {
        for (name, rule, change) in table {
            let mut scene = healthy.clone();
            change(&mut scene, limits);
            let decision = scene.evaluate(limits);
            let name = format!("{word}{name}");
            cases.push(case(&name, Some(*rule), expected, decision.as_ref()));
        }
    }
    cases.extend(blind(limits, &healthy));
    cases
}

/// What is unknown for too long: back to blue at a low weight, a page above it.
fn blind(limits: &Limits, healthy: &Scene) -> Vec<Case> {
    let weight = limits.unknown_rollback_weight;
    let low = (weight > 0).then_some((weight, Action::RollBack));
    let high = (weight < 100).then(|| (weight + 1, Action::PageAndHold));
    let one = |(weight, action): (u8, Action)| {
        let mut scene = healthy.clone();
        scene.step.weight = weight;
        scene.seen.parity_mismatches = None;
        let mut gate = scene.gate()?;
        let first = gate.evaluate(limits, scene.now, &scene.seen);
        let later = scene.now + i64::from(limits.unknown_minutes) * 60;
        let last = gate.evaluate(limits, later, &scene.seen);
        let name = format!("unknown for too long at weight {weight}");
        let mut case = case(&name, None, Verdict::Unknown, Some(&last));
        case.holds &= first.action == Action::Wait && last.action == action;
        case.action = Some(action);
        Some(case)
    };
    low.into_iter().chain(high).filter_map(one).collect()
}

/// A rule must say it, and the gate must say it or something worse; nothing healthy may be called bad.
fn case(name: &str, rule: Option<Rule>, expected: Verdict, decision: Option<&Decision>) -> Case {
    let overall = decision.map_or(Verdict::Unknown, |d| d.verdict);
    let of = |rule| decision.and_then(|d| d.of(rule)).map(|f| f.verdict);
    let holds = match rule {
        Some(rule) => of(rule) == Some(expected) && overall >= expected,
        None => overall == expected,
    };
    Case {
        name: name.to_owned(),
        rule,
        expected,
        got: rule.and_then(of).unwrap_or(overall),
        action: None,
        holds,
        sentence: decision.map_or_else(String::new, |d| d.sentence.clone()),
    }
}
