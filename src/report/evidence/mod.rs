//! `deployer report`: the evidence of one run as a page and as a document.

mod differences;
mod drawing;
mod page;
#[cfg(test)]
mod tests;
mod values;

pub use page::page;

use super::calls::CallTotals;
use super::json::{DeploymentRef, Document};
use crate::engine::drift::Drift;
use crate::evidence::{Evidence, Verdict};
use jiff::Timestamp;
use serde::Serialize;

/// `deployer report --json`, and what the page shows.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceDocument {
    /// Which deployment.
    #[serde(flatten)]
    pub home: DeploymentRef,
    /// When the first value was read.
    pub from: Timestamp,
    /// When the last one was read.
    pub to: Timestamp,
    /// The version of this program.
    pub version: &'static str,
    /// SHA-256 of the configuration: every key with its value.
    pub configuration: String,
    /// Where calls went when that is not AWS; null for AWS.
    pub endpoint: Option<String>,
    /// True when something differs from the configuration.
    pub differs: bool,
    /// True when everything was looked at.
    pub complete: bool,
    /// The run that worked on the deployment while it was read, in words; null without one.
    pub run: Option<String>,
    /// The comparison.
    pub drift: Drift,
    #[serde(flatten)]
    pub evidence: Evidence,
    /// The API calls.
    pub calls: CallTotals,
}

impl Document for EvidenceDocument {
    const SCHEMA: &'static str = "deployer.report/1";
}

impl EvidenceDocument {
    /// How many requirements have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let all = self.evidence.requirements.iter();
        all.filter(|r| r.verdict == verdict).count()
    }
}

/// What the command says on the terminal.
pub fn summary(of: &EvidenceDocument, file: &str) -> String {
    let unchecked = match of.drift.summary.unchecked {
        0 => String::new(),
        n => format!(", {n} not looked at"),
    };
    format!(
        "{file}: {} requirements with live values as wanted, {} contradicted, {} not seen; {} differences{unchecked}, {} open paths that are not asked for\n",
        of.count(Verdict::Shown),
        of.count(Verdict::Contradicted),
        of.count(Verdict::NotSeen),
        different(&of.drift),
        of.evidence.paths.extra.len()
    )
}

/// Rows and marked things that are not as the configuration and the state say.
fn different(of: &Drift) -> usize {
    let count = &of.summary;
    count.changed + count.missing + count.unmanaged + count.out_of_range
}
