//! The outcomes of many shifts, as numbers and as a table.

use super::run::Outcome;
use super::world::Scenario;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The outcomes of one scenario. Percentiles are `null` where there is nothing to rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The scenario.
    pub name: String,
    /// Shifts simulated.
    pub shifts: usize,
    /// Shifts in which every step passed.
    pub passed: usize,
    /// Shifts that ended with a call to a person.
    pub held: usize,
    /// Shifts that were rolled back.
    pub rolled_back: usize,
    /// Rollbacks by the first rule that failed.
    pub rules: BTreeMap<String, usize>,
    /// Rollbacks by weight.
    pub weights: BTreeMap<u8, usize>,
    /// Whole shift that passed, minutes: median and 90th percentile.
    pub shift_minutes: Option<(f64, f64)>,
    /// Closed minutes, as published, until the rollback: median and 90th percentile.
    pub closed_minutes: Option<(f64, f64)>,
    /// The same in minutes of the clock, with CloudWatch's delay: median and 90th percentile.
    pub clock_minutes: Option<(f64, f64)>,
    /// What the scenario must keep and did not.
    pub missed: Option<String>,
}

/// All scenarios.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub seed: u64,
    /// Shifts of each scenario.
    pub shifts: u32,
    /// CloudWatch's delay after the end of a minute, from and to, in seconds.
    pub delay_seconds: (i64, i64),
    /// One row for each scenario.
    pub rows: Vec<Row>,
}

/// The value that this part of them does not exceed (nearest rank).
fn percentile(values: &mut [f64], part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * part).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

fn ranks(mut values: Vec<f64>) -> Option<(f64, f64)> {
    Some((percentile(&mut values, 0.5)?, percentile(&mut values, 0.9)?))
}

impl Row {
    /// Counts the outcomes of a scenario.
    pub fn of(scenario: &Scenario, outcomes: &[Outcome]) -> Self {
        let (mut passed, mut held) = (Vec::new(), 0);
        let (mut minutes, mut clock) = (Vec::new(), Vec::new());
        let (mut rules, mut weights) = (BTreeMap::new(), BTreeMap::new());
        for outcome in outcomes {
            match *outcome {
                Outcome::Passed { seconds } => passed.push(seconds as f64 / 60.0),
                Outcome::Held { .. } => held += 1,
                Outcome::RolledBack {
                    weight,
                    rule,
                    seconds,
                    minutes: seen,
                } => {
                    let rule = rule.map_or("unknown", |r| r.word()).to_owned();
                    *rules.entry(rule).or_default() += 1;
                    *weights.entry(weight).or_default() += 1;
                    minutes.push(seen as f64);
                    clock.push(seconds as f64 / 60.0);
                }
            }
        }
        let mut row = Self {
            name: scenario.name.clone(),
            shifts: outcomes.len(),
            passed: passed.len(),
            held,
            rolled_back: minutes.len(),
            rules,
            weights,
            shift_minutes: ranks(passed),
            closed_minutes: ranks(minutes),
            clock_minutes: ranks(clock),
            missed: None,
        };
        row.missed = row.misses(scenario);
        row
    }

    /// Rollbacks in percent of the shifts.
    pub fn rolled_back_percent(&self) -> f64 {
        self.rolled_back as f64 / self.shifts.max(1) as f64 * 100.0
    }

    fn misses(&self, scenario: &Scenario) -> Option<String> {
        if self.shifts == 0 {
            return Some("nothing was simulated".to_owned());
        }
        if let Some(most) = scenario.most_rollbacks {
            let share = self.rolled_back_percent();
            if share > most {
                return Some(format!("{share:.1} % rolled back, at most {most} %"));
            }
            // A gate that never lets a healthy green through has no false rollbacks either.
            if self.passed + self.rolled_back < self.shifts {
                return Some(format!("{} shifts did not end", self.held));
            }
        }
        if let Some(most) = scenario.most_minutes {
            let p90 = self.closed_minutes.map_or(f64::INFINITY, |(_, p90)| p90);
            if self.rolled_back < self.shifts {
                return Some(format!("{} bad shifts passed", self.passed));
            }
            if p90 > most {
                return Some(format!("{p90} closed minutes, at most {most}"));
            }
        }
        None
    }
}

#[cfg(test)]
impl Report {
    /// The figures that were missed, as sentences.
    pub fn missed(&self) -> Vec<String> {
        let rows = self.rows.iter();
        rows.filter_map(|r| Some(format!("{}: {}", r.name, r.missed.as_ref()?)))
            .collect()
    }
}

/// A table for people.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = self.delay_seconds;
        writeln!(
            f,
            "{} shifts a row, seed {}; CloudWatch publishes {from} to {to} s after a minute has closed",
            self.shifts, self.seed
        )?;
        writeln!(
            f,
            "{:<36} {:>7} {:>6} {:>5} {:>13} {:>13} {:>13}  rules that rolled back",
            "minutes: median / 90th percentile",
            "back",
            "passed",
            "held",
            "whole shift",
            "closed",
            "clock"
        )?;
        let pair = |p: Option<(f64, f64)>| match p {
            Some((half, most)) => format!("{half:.1} / {most:.1}"),
            None => "-".to_owned(),
        };
        for row in &self.rows {
            let rules = row.rules.iter().map(|(rule, n)| format!("{rule} {n}"));
            let rules = rules.collect::<Vec<_>>().join(", ");
            writeln!(
                f,
                "{:<36} {:>5.1} % {:>6} {:>5} {:>13} {:>13} {:>13}  {rules}",
                row.name,
                row.rolled_back_percent(),
                row.passed,
                row.held,
                pair(row.shift_minutes),
                pair(row.closed_minutes),
                pair(row.clock_minutes)
            )?;
            if let Some(missed) = &row.missed {
                writeln!(f, "  MISSED: {missed}")?;
            }
        }
        Ok(())
    }
}
