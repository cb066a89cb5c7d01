//! How a run ended, for those who did not watch it: a document for a program, and a subject and a text for a topic.

use super::json::{DeploymentRef, DestroyRemains, Document, Marked};
use super::summary::Totals;
use super::value::{clean, cut};
use crate::engine::drift::{Drift, Severity, Status};
use crate::engine::error::Error;
use crate::engine::exec::{Outcome, Report};
use crate::engine::plan::Plan;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Write;

/// Characters of a subject at most (SNS API, `Publish`: up to 100 ASCII characters).
const SUBJECT: usize = 100;

/// Findings of high severity in a text at most.
const HIGH: usize = 10;

/// What is said about a run. Names, numbers and errors; there is no place for a secret.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// `apply`, `destroy` or `drift`.
    pub command: &'static str,
    /// One of the outcomes that `notify.on` takes.
    pub outcome: &'static str,
    pub exit_code: u8,
    /// When it ended.
    pub at: jiff::Timestamp,
    /// The summary of the command's own document.
    pub counts: Map<String, Value>,
    /// What went wrong first, or the first difference.
    pub first: Option<First>,
    /// Differences of high severity, in words.
    pub high: Vec<String>,
    /// What to type next; null when all is well.
    pub next: Option<String>,
}

/// The first error or difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct First {
    /// The step, if it is one step's.
    pub step: Option<String>,
    /// What happened.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
}

impl Document for Notice {
    const SCHEMA: &'static str = "deployer.notice/1";
}

fn counts(of: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

impl First {
    fn of(step: &str, error: &Error) -> Self {
        Self {
            step: Some(step.to_owned()),
            message: error.to_string(),
            hint: error.hint.clone(),
        }
    }
}

impl Notice {
    /// Of a command that has not come to an end.
    pub fn new(command: &'static str, home: DeploymentRef) -> Self {
        Self {
            home,
            command,
            outcome: "unchanged",
            exit_code: 0,
            at: jiff::Timestamp::now(),
            counts: Map::new(),
            first: None,
            high: Vec::new(),
            next: None,
        }
    }

    /// Takes what a run did, or why there was none.
    pub fn ran(&mut self, plan: &Plan, report: &Report) {
        self.counts = counts(Totals::of(plan, report));
        let failed = report.outcomes.iter().find_map(|(step, _, outcome)| {
            let Outcome::Failed(error) = outcome else {
                return None;
            };
            Some(First::of(step, error))
        });
        let problem = plan.problems.first().map(|p| First::of(&p.step, &p.error));
        self.first = problem.or(failed);
        if !plan.nodes.is_empty() {
            self.outcome = "changed";
        }
    }

    /// Takes what is left after `destroy`.
    pub fn left(&mut self, remains: &DestroyRemains) {
        if self.first.is_none() && !remains.is_clean() {
            let first = |first: &Marked| First {
                step: Some(first.step.clone()),
                message: format!("{} {} is left behind", first.kind, first.id),
                hint: None,
            };
            let unlisted = remains.unlisted.first();
            let unlisted = unlisted.map(|list| First::of(&list.kind, &list.error));
            self.first = remains.leftovers.first().map(first).or(unlisted);
        }
    }

    /// Takes what a comparison found.
    pub fn compared(&mut self, drift: &Drift) {
        self.counts = counts(drift.summary);
        let high = drift.findings.iter();
        let high = high.filter(|f| f.severity == Severity::High);
        self.high = high.map(|f| format!("{}: {}", f.step, f.what)).collect();
        let rows = drift.steps.iter();
        // What matters most comes first, in the order of the graph.
        let worst = rows
            .filter(|r| !matches!(r.status, Status::InSync | Status::Waiting))
            .reduce(|worst, r| if r.status > worst.status { r } else { worst });
        let row = worst.map(|row| First {
            step: Some(row.step.clone()),
            message: match (&row.error, &row.reason) {
                (Some(error), _) => error.to_string(),
                (None, Some(reason)) => reason.clone(),
                (None, None) => {
                    let changes = row.changes.iter().chain(&row.unmanaged);
                    let paths: Vec<String> = changes.map(|c| c.path.to_string()).collect();
                    paths.join(", ")
                }
            },
            hint: row.error.as_ref().and_then(|e| e.hint.clone()),
        });
        let thing = drift.unmanaged.first().map(|thing| First {
            step: None,
            message: format!("{} {}: {}", thing.kind, thing.id, thing.reason),
            hint: None,
        });
        let unlisted = drift.unlisted.first();
        let unlisted = unlisted.map(|list| First::of(&list.kind, &list.error));
        self.first = row.or(thing).or(unlisted);
    }

    fn scope(&self) -> &str {
        self.home.scope.as_deref().unwrap_or("blue and green")
    }

    fn account(&self) -> String {
        match self.home.account.as_str() {
            "" => "unknown account".to_owned(),
            account => format!("account {account}"),
        }
    }

    /// The document, as a program gets it, with the digest of the configuration.
    pub fn document(&self, configuration: &str) -> String {
        // It has maps with text keys and numbers only: it can always be written.
        super::json::text(self, Some(configuration)).unwrap_or_default()
    }

    /// One line for the subject of a mail.
    pub fn subject(&self) -> String {
        let home = &self.home;
        let high = match self.high.len() {
            0 => String::new(),
            n => format!(" ({n} HIGH)"),
        };
        let text = format!(
            "deployer {} {}{high}: {} of {}, {}, {}",
            self.command,
            self.outcome,
            self.scope(),
            home.suffix,
            self.account(),
            home.region
        );
        text.chars().take(SUBJECT).collect()
    }

    /// The text of a mail.
    pub fn text(&self) -> String {
        let home = &self.home;
        let mut out = format!(
            "{} of {} with suffix {} in {}, region {}: {} (exit code {})\n",
            self.command,
            self.scope(),
            home.suffix,
            self.account(),
            home.region,
            self.outcome,
            self.exit_code
        );
        let some = self.counts.iter();
        let some = some.filter(|(_, n)| n.is_number() && **n != 0);
        let some: Vec<String> = some
            .map(|(what, n)| format!("{n} {}", what.replace('_', " ")))
            .collect();
        if !some.is_empty() {
            let _ = writeln!(out, "{}", some.join(", "));
        }
        for text in self.high.iter().take(HIGH) {
            let _ = writeln!(out, "HIGH {}", cut(&clean(text), 200));
        }
        if self.high.len() > HIGH {
            let _ = writeln!(out, "and {} more of high severity", self.high.len() - HIGH);
        }
        if let Some(first) = &self.first {
            let step = first.step.iter().map(|s| format!("{s}: "));
            let step: String = step.collect();
            let _ = writeln!(out, "\n{step}{}", cut(&clean(&first.message), 1000));
            if let Some(hint) = &first.hint {
                let _ = writeln!(out, "hint: {}", clean(hint));
            }
        }
        if let Some(next) = &self.next {
            let _ = writeln!(out, "\nnext: {next}");
        }
        out
    }
}
