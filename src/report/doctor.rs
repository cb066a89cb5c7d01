//! What `doctor` found, for people and as a document.

use super::json::Document;
use super::paint::Paint;
use super::value::{clean, many};
use crate::config::Origin;
use crate::engine::{Check, Level};
use serde::Serialize;
use std::fmt::Write;

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It stops a command.
    Error,
    /// It could not be looked at.
    Unknown,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub about: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What ends it: a command to type, or a setting to change; null when nothing is to be done.
    pub end: Option<String>,
}

impl Finding {
    /// A finding.
    pub fn new(about: &str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            verdict,
            text: text.into(),
            end: None,
        }
    }

    /// The same with what ends it.
    #[must_use]
    pub fn end(self, end: impl Into<String>) -> Self {
        Self {
            end: Some(end.into()),
            ..self
        }
    }
}

impl From<Check> for Finding {
    fn from(check: Check) -> Self {
        let verdict = match check.level {
            Level::Ok => Verdict::Ok,
            Level::Error => Verdict::Error,
            Level::Warning if check.text.starts_with("not checked") => Verdict::Unknown,
            Level::Warning => Verdict::Warning,
        };
        Self {
            about: check.name,
            verdict,
            text: check.text,
            end: check.hint.filter(|_| verdict != Verdict::Ok),
        }
    }
}

/// `deployer doctor --json`.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorDocument {
    /// The environment suffix; empty when the configuration cannot be read.
    pub suffix: String,
    /// True when no call was made.
    pub offline: bool,
    pub exit_code: u8,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Every key with its value and where it comes from.
    pub configuration: Vec<Origin>,
}

impl Document for DoctorDocument {
    const SCHEMA: &'static str = "deployer.doctor/1";
}

/// The findings; of the configuration what is not a default, or with `values` all of it.
pub fn doctor(of: &DoctorDocument, values: bool, paint: Paint) -> String {
    let mut out = String::new();
    let width = of.findings.iter().map(|f| f.about.len()).max().unwrap_or(0);
    for finding in &of.findings {
        let sign = match finding.verdict {
            Verdict::Ok => paint.green("ok"),
            Verdict::Warning => paint.yellow("!!"),
            Verdict::Error => paint.red("no"),
            Verdict::Unknown => paint.yellow("??"),
        };
        let _ = writeln!(
            out,
            "  {sign} {:<width$}  {}",
            finding.about,
            clean(&finding.text)
        );
        if let Some(end) = &finding.end {
            let _ = writeln!(out, "     {:<width$}  -> {}", "", clean(end));
        }
    }
    let shown = of.configuration.iter();
    let shown: Vec<&Origin> = shown.filter(|o| values || o.source != "default").collect();
    if !shown.is_empty() {
        let _ = writeln!(out, "{}", paint.bold("Configuration"));
        for origin in &shown {
            let value = clean(&origin.value);
            let _ = writeln!(out, "  {} = {value}  ({})", origin.key, origin.source);
        }
    }
    if !of.configuration.is_empty() && !values {
        let rest = of.configuration.len() - shown.len();
        let _ = writeln!(
            out,
            "  {rest} keys have their defaults (--values shows them)"
        );
    }
    let count = |verdict| of.findings.iter().filter(|f| f.verdict == verdict).count();
    let text = format!(
        "Doctor: {}, {}, {} not known, {} as they should be{}",
        many(count(Verdict::Error) as u64, "error"),
        many(count(Verdict::Warning) as u64, "warning"),
        count(Verdict::Unknown),
        count(Verdict::Ok),
        if of.offline { "; no call was made" } else { "" }
    );
    let _ = writeln!(out, "{}", paint.bold(&text));
    out
}
