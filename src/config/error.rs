//! What is wrong with a configuration: every problem, not only the first.

use std::fmt;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line in the file, counted from 1; `None` for a flag or a file as a whole.
    pub line: Option<usize>,
    /// The key (`network.zones`), the flag (`--suffix`), or empty.
    pub key: String,
    /// What is wrong, what it got and what it takes.
    pub text: String,
}

/// Why a configuration cannot be used. Nothing was called; the exit code is 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, as it was named; empty when the problems are of flags alone.
    pub file: String,
    /// All problems, in the order of the file.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|p| (p.line.is_none(), p.line));
        Self {
            file: file.to_owned(),
            problems,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            match problem.line {
                Some(line) => write!(f, "{}:{line}: {}", self.file, problem.text)?,
                None => write!(f, "{}", problem.text)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
