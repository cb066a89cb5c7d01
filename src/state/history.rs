//! The history of runs: one JSON line per event, each with the hash of the line before it, so that a line that was
//! changed or taken out shows.

use super::StateError;
use crate::chain::{Chain, Line};
use serde::{Deserialize, Serialize};
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
    pub account: String,
    pub region: String,
    /// The serial of the state at that time.
    pub serial: u64,
    /// The digest of the configuration; empty in lines of before there was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub configuration: String,
    /// How it ended: `complete`, `failed` or `interrupted`; empty at the start.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub result: String,
    /// Steps by what was planned (at the start) or done (at the end).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, usize>,
}

pub type HistoryLine = Line<Entry>;

/// The history as far as it was read and found whole.
pub type History = Chain<Entry>;

/// Reads a history and checks the chain. A torn last line is left out, as in the journal, and the history says so.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<History, StateError> {
    History::parse(text).map_err(|broken| StateError::Damaged {
        path: path.to_owned(),
        line: Some(broken.line),
        why: broken.why,
        hint: ANEW,
    })
}

/// What to do about a damaged history.
const ANEW: &str = "Restore it from a backup (in a bucket from its last version), or run `deployer state rebuild`, which keeps it aside and begins a new one; the state does not depend on it";

/// There was one, and somebody has deleted it.
pub(super) fn gone(path: &Path) -> StateError {
    StateError::Damaged {
        path: path.to_owned(),
        line: None,
        why: "it was deleted".into(),
        hint: ANEW,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn entry(what: What) -> Entry {
        Entry {
            what,
            command: "deployer apply".into(),
            who: "me@here".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            serial: 1,
            configuration: "ab12".into(),
            result: String::new(),
            steps: BTreeMap::from([("create".into(), 2)]),
        }
    }

    #[test]
    fn a_changed_or_removed_line_shows_and_a_torn_one_is_left_out() {
        let path = Path::new("dev.history.jsonl");
        let mut history = History::default();
        let mut text = Vec::new();
        for what in [What::Started, What::Finished, What::Started] {
            text.extend(history.line(entry(what), Timestamp::now()));
        }
        assert_eq!(parse(path, &text).unwrap(), history);
        let torn = [&text[..], b"{\"n\": 4, \"at"].concat();
        let cut = parse(path, &torn).unwrap();
        assert!(cut.torn && !history.torn);
        assert_eq!(cut.lines, history.lines);
        let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().lines().collect();
        let removed = format!("{}\n{}\n", lines[0], lines[2]);
        let changed = String::from_utf8(text.clone())
            .unwrap()
            .replacen("me@here", "you@here", 1);
        for (bad, line) in [(removed, 2), (changed, 2)] {
            let error = parse(path, bad.as_bytes()).unwrap_err();
            assert!(
                error.to_string().contains(&format!("line {line}")),
                "{error}"
            );
        }
    }
}
