//! Lines of JSON, each with the hash of the line before it, so that a line that was changed or taken out shows.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line<E> {
    /// Its number, from 1.
    pub n: u64,
    /// When it was written.
    pub at: Timestamp,
    /// SHA-256 of the line before, in hex; zeros for the first.
    pub previous: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: E,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The number of the line.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// The lines, and the hash of the last one.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain<E> {
    pub lines: Vec<Line<E>>,
    /// True when the last line was cut off by a crash, and is left out.
    pub torn: bool,
    first: Option<String>,
    last: Option<String>,
}

impl<E> Default for Chain<E> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            torn: false,
            first: None,
            last: None,
        }
    }
}

impl<E: Serialize + DeserializeOwned> Chain<E> {
    /// Reads lines and checks the chain. A torn last line is left out: nobody was told that it was written.
    ///
    /// # Errors
    /// With the first line that does not continue the one before.
    pub fn parse(text: &[u8]) -> Result<Self, Broken> {
        let end = whole(text);
        let mut out = Self {
            torn: end < text.len(),
            ..Self::default()
        };
        let lines = text[..end].split(|b| *b == b'\n');
        for (at, raw) in lines.filter(|l| !l.is_empty()).enumerate() {
            let broken = |why: String| Broken { line: at + 1, why };
            let line: Line<E> = serde_json::from_slice(raw)
                .map_err(|e| broken(format!("not a line of the history ({e})")))?;
            if line.n != at as u64 + 1 || line.previous != out.previous() {
                let why = "it does not continue the line before: a line was changed or removed";
                return Err(broken(why.into()));
            }
            out.note(hash(raw));
            out.lines.push(line);
        }
        Ok(out)
    }

    /// The lines of another chain, with what `of` makes of each. It can be read, not continued.
    pub fn of<F>(chain: Chain<F>, of: impl Fn(F) -> E) -> Self {
        let (torn, first, last) = (chain.torn, chain.first, chain.last);
        let lines = chain.lines.into_iter().map(|line| Line {
            n: line.n,
            at: line.at,
            previous: line.previous,
            entry: of(line.entry),
        });
        Self {
            lines: lines.collect(),
            torn,
            first,
            last,
        }
    }

    /// The hash of the first line, which no other chain has.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    fn note(&mut self, hash: String) {
        self.first.get_or_insert_with(|| hash.clone());
        self.last = Some(hash);
    }

    fn previous(&self) -> String {
        self.last.clone().unwrap_or_else(|| "0".repeat(64))
    }

    /// The next line, with its line break. Whoever writes it cuts off a torn one.
    pub fn line(&mut self, entry: E, at: Timestamp) -> Vec<u8> {
        let line = Line {
            n: self.lines.len() as u64 + 1,
            at,
            previous: self.previous(),
            entry,
        };
        // Plain strings and numbers always serialize.
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        self.note(hash(&text));
        self.lines.push(line);
        self.torn = false;
        text.push(b'\n');
        text
    }
}

/// The length of the whole lines: what comes behind was cut off by a crash.
pub fn whole(text: &[u8]) -> usize {
    let last = text.iter().rposition(|b| *b == b'\n');
    last.map_or(0, |at| at + 1)
}

fn hash(line: &[u8]) -> String {
    let digest = Sha256::digest(line);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}
