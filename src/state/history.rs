//! The history of runs: one JSON line per event, each with the hash of the line before it, so that a line that was
//! changed or taken out shows.

use super::StateError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A run was confirmed and begins.
    Started,
    /// A run ended; a start without an end was killed.
    Finished,
}

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub what: What,
    /// The command line.
    pub command: String,
    /// Who ran it, and where: `user@host`.
    pub who: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The serial of the state at that time.
    pub serial: u64,
    /// How it ended: `complete`, `failed` or `interrupted`; empty at the start.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub result: String,
    /// Steps by what was planned (at the start) or done (at the end).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, usize>,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Counted from 1.
    pub n: u64,
    /// When (RFC 3339, UTC).
    pub at: Timestamp,
    /// SHA-256 of the line before, without its line break; zeros for the first.
    pub previous: String,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

/// The history as far as it was read and found whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Its lines.
    pub lines: Vec<HistoryLine>,
    last: Option<String>,
}

impl History {
    /// Reads a history and checks the chain. A torn last line is ignored, as in the journal.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, StateError> {
        let damaged = |line: usize, why: String| StateError::Damaged {
            path: path.to_owned(),
            line: Some(line),
            why,
            hint: "Restore it from a backup, or move it away to begin a new one; the state does not depend on it",
        };
        let whole = text
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let mut out = Self::default();
        let lines = text[..whole].split(|b| *b == b'\n');
        for (at, raw) in lines.filter(|l| !l.is_empty()).enumerate() {
            let line: HistoryLine = serde_json::from_slice(raw)
                .map_err(|e| damaged(at + 1, format!("not a line of the history ({e})")))?;
            if line.n != at as u64 + 1 || line.previous != out.previous() {
                let why = "it does not continue the line before: a line was changed or removed";
                return Err(damaged(at + 1, why.into()));
            }
            out.last = Some(hash(raw));
            out.lines.push(line);
        }
        Ok(out)
    }

    fn previous(&self) -> String {
        self.last.clone().unwrap_or_else(|| "0".repeat(64))
    }

    /// The next line, with its line break.
    pub(super) fn line(&mut self, entry: Entry) -> Vec<u8> {
        let line = HistoryLine {
            n: self.lines.len() as u64 + 1,
            at: Timestamp::now(),
            previous: self.previous(),
            entry,
        };
        // Plain strings and numbers always serialize.
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        self.last = Some(hash(&text));
        self.lines.push(line);
        text.push(b'\n');
        text
    }
}

fn hash(line: &[u8]) -> String {
    Sha256::digest(line)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(what: What) -> Entry {
        Entry {
            what,
            command: "deployer apply".into(),
            who: "me@here".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            serial: 1,
            result: String::new(),
            steps: BTreeMap::from([("create".into(), 2)]),
        }
    }

    #[test]
    fn a_changed_or_removed_line_shows_and_a_torn_one_is_ignored() {
        let path = Path::new("dev.history.jsonl");
        let mut history = History::default();
        let mut text = Vec::new();
        for what in [What::Started, What::Finished, What::Started] {
            text.extend(history.line(entry(what)));
        }
        assert_eq!(History::parse(path, &text).unwrap(), history);
        let torn = [&text[..], b"{\"n\": 4, \"at"].concat();
        assert_eq!(History::parse(path, &torn).unwrap(), history);
        let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().lines().collect();
        let removed = format!("{}\n{}\n", lines[0], lines[2]);
        let changed = String::from_utf8(text.clone())
            .unwrap()
            .replacen("me@here", "you@here", 1);
        for (bad, line) in [(removed, 2), (changed, 2)] {
            let error = History::parse(path, bad.as_bytes()).unwrap_err();
            assert!(
                error.to_string().contains(&format!("line {line}")),
                "{error}"
            );
        }
    }
}
