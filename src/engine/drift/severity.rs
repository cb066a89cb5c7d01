//! How much a difference matters. What a field means is the resource types' knowledge ([`Rate`]); here every difference is
//! put before it once.

use super::{Drift, GONE, Row, Status};
use crate::engine::diff::Change;
use serde::Serialize;

/// How much a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Tags, descriptions.
    Low,
    /// It works otherwise than declared.
    Medium,
    /// Exposed to the internet, weaker encryption, a lost backup or log, more rights, data that is gone.
    High,
}

impl Severity {
    /// `high`, `medium` or `low`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What is to be rated of a type.
#[derive(Debug, Clone, Copy)]
pub enum Difference<'a> {
    /// One setting, or an element that nobody asked for.
    Setting(&'a Change),
    /// It does not exist.
    Missing,
    /// Something else about the thing as a whole.
    Whole,
}

/// Rates a difference of a type: how much it matters, and in a few words why.
pub type Rate<'a> = &'a dyn Fn(&str, Difference<'_>) -> (Severity, &'static str);

/// One difference with what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    pub step: String,
    /// Its type.
    pub kind: String,
    /// The setting; empty for the thing as a whole.
    pub path: String,
    /// What it means.
    pub what: String,
}

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Severities {
    /// Findings of high severity.
    pub high: usize,
    /// Of medium severity.
    pub medium: usize,
    /// Of low severity.
    pub low: usize,
}

impl Drift {
    /// Rates every difference that is not accepted, the most severe first.
    pub fn rate(&mut self, rate: Rate<'_>) {
        let mut findings: Vec<Finding> = Vec::new();
        for row in self.steps.iter().filter(|r| r.differs()) {
            findings.extend(of_row(row, rate));
        }
        for thing in &self.unmanaged {
            findings.push(Finding {
                severity: Severity::Medium,
                step: thing.step.clone(),
                kind: thing.kind.clone(),
                path: String::new(),
                what: format!("{} exists: {}", thing.id, thing.reason),
            });
        }
        findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
        let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
        self.summary.severity = Severities {
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
        };
        self.findings = findings;
    }
}

fn of_row(row: &Row, rate: Rate<'_>) -> Vec<Finding> {
    let finding = |severity, path: String, what: String| Finding {
        severity,
        step: row.step.clone(),
        kind: row.kind.clone(),
        path,
        what,
    };
    let settings = row.changes.iter().chain(&row.unmanaged);
    let mut out: Vec<Finding> = settings
        .map(|change| {
            let (severity, why) = rate(&row.kind, Difference::Setting(change));
            let path = change.path.to_string();
            finding(severity, path.clone(), format!("{why}: {path}"))
        })
        .collect();
    for field in &row.out_of_range {
        let why = field.illegal.as_deref().unwrap_or("out of range");
        let text = format!("{}: {why}", field.field);
        out.push(finding(Severity::Medium, field.field.clone(), text));
    }
    let reason = row.reason.clone().unwrap_or_default();
    match row.status {
        // What never was is no loss.
        Status::Missing => {
            let (severity, why) = match row.reason.as_deref() {
                Some(GONE) => rate(&row.kind, Difference::Missing),
                _ => (Severity::Medium, "missing"),
            };
            out.push(finding(severity, String::new(), format!("{why}: {reason}")));
        }
        Status::Unchecked => out.push(finding(Severity::Medium, String::new(), reason)),
        _ if out.is_empty() => {
            let (severity, _) = rate(&row.kind, Difference::Whole);
            out.push(finding(severity, String::new(), reason));
        }
        _ => {}
    }
    out
}
