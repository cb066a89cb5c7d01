//! Findings before a run: what was checked, how it stands, and what the user can do.

use super::error::Error;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// It may go wrong, or could not be checked.
    Warning,
    /// It will go wrong; nothing should be created.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked, `engine version`.
    pub name: String,
    /// How it stands.
    pub level: Level,
    /// What was found, in a sentence.
    pub text: String,
    /// What the user can do.
    pub hint: Option<String>,
}

impl Check {
    /// A finding.
    pub fn new(name: &str, level: Level, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            level,
            text: text.into(),
            hint: None,
        }
    }

    /// The same with what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What could not be checked.
    pub fn not_checked(name: &str, error: &Error) -> Self {
        let out = Self::new(name, Level::Warning, format!("not checked: {error}"));
        match &error.hint {
            Some(hint) if error.is_denied() => out.hint(hint),
            _ => out,
        }
    }
}
