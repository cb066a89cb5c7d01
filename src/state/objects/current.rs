//! The object that says who holds the lock and which objects are current.

use super::process::{Owner, random};
use crate::state::{REBUILD, StateError};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of its format.
const FORMAT: u32 = 1;

pub(super) const KEY: &str = "current.json";
/// The folder of damaged objects.
pub(super) const DAMAGED: &str = "damaged/";

/// What is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    format: u32,
    /// Counts how often the lock was taken.
    pub epoch: u64,
    /// A random number for each write, so that no two versions have the same content.
    id: String,
    /// Who holds the lock.
    pub lock: Option<Owner>,
    /// The key of the state.
    pub state: Option<String>,
    /// The folder of the journal.
    pub journal: Option<String>,
    /// The key of the history.
    pub history: Option<String>,
}

impl Current {
    /// Nothing yet.
    pub fn empty() -> Self {
        Self {
            format: FORMAT,
            epoch: 0,
            id: String::new(),
            lock: None,
            state: None,
            journal: None,
            history: None,
        }
    }

    /// As it was read.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, StateError> {
        let damaged = |why: String| StateError::Damaged {
            path: path.to_owned(),
            line: None,
            why,
            hint: REBUILD,
        };
        let raw: serde_json::Value = serde_json::from_slice(text)
            .map_err(|e| damaged(format!("not what a deployer writes ({e})")))?;
        match raw.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => Err(StateError::Newer {
                path: path.to_owned(),
                found: format,
                reads: FORMAT,
            }),
            _ => serde_json::from_value(raw)
                .map_err(|e| damaged(format!("not what a deployer writes ({e})"))),
        }
    }

    /// As it is written next, under a new id.
    pub fn next(&mut self) -> Vec<u8> {
        self.id = random();
        // Plain strings and numbers always serialize.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// The keys that it names; a folder ends with a slash.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let keys = [&self.state, &self.journal, &self.history];
        keys.into_iter().filter_map(|k| k.as_deref())
    }
}

/// The epoch in a key that a run wrote.
pub(super) fn epoch_of(key: &str) -> Option<u64> {
    let (_, file) = key.split_once('/')?;
    file.split('-').next()?.parse().ok()
}

/// The folder of the journal that a batch belongs to.
pub(super) fn journal_of(key: &str) -> Option<&str> {
    let (folder, _) = key.rsplit_once('/')?;
    folder.starts_with("journal/").then_some(folder)
}

/// The key of one batch of a journal.
pub(super) fn batch(folder: &str, n: u64) -> String {
    format!("{folder}{n:010}.jsonl")
}
