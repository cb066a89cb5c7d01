//! What a command fails with, and how it is shown.

use super::exit::Exit;
use crate::engine::Error;
use crate::engine::graph::GraphError;
use crate::report::Console;
use crate::state::StateError;
use std::path::Path;

/// A failure with its exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of the given kind.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    /// Bad usage or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A file, named by this option, that cannot be written.
    pub fn unwritable(option: &str, path: &Path, error: &std::io::Error) -> Self {
        let shown = path.display();
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        match folder.filter(|folder| !folder.is_dir()) {
            Some(folder) => Self::usage(format!(
                "{option} {shown}: there is no folder {}",
                folder.display()
            ))
            .hint("make the folder, or name a file in another one"),
            None if path.is_dir() => {
                Self::usage(format!("{option} {shown}: it is a folder")).hint("name a file in it")
            }
            None => Self::usage(format!("{option} {shown}: {error}")),
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it and gives the exit code.
    pub fn show(&self, console: &Console) -> Exit {
        console.error(&self.message, self.hint.as_deref(), self.exit.code());
        self.exit
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            exit: Exit::Failed,
            message: error.to_string(),
            hint: error.hint,
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Locked(_) => Self::new(Exit::Locked, format!("the state is {error}"))
                .hint("wait for it; if that process is on another host and dead, run `deployer state unlock`"),
            StateError::Lost { .. } => Self::new(Exit::Locked, error.to_string())
                .hint("what it was doing is in the journal: wait for the other run, then run the same command again"),
            StateError::Remote { ref hint, .. } => Self {
                hint: hint.clone(),
                ..Self::new(Exit::Failed, error.to_string())
            },
            StateError::Apart { .. } => Self::new(Exit::Failed, error.to_string())
                .hint("`deployer state history` shows the runs of each (`--state local` those of the local files)"),
            other => Self::new(Exit::Failed, other.to_string()),
        }
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

impl From<crate::sandbox::Error> for Failure {
    fn from(error: crate::sandbox::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_says_why_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| {
            let error = std::fs::write(path, "").unwrap_err();
            let failure = Failure::unwritable("--out", path, &error);
            assert_eq!(failure.exit, Exit::Usage);
            (failure.message, failure.hint.is_some())
        };
        let nowhere = folder.path().join("nowhere");
        let (text, hint) = said(&nowhere.join("plan.json"));
        let end = format!("there is no folder {}", nowhere.display());
        assert!(text.ends_with(&end) && hint, "{text}");
        let (text, hint) = said(folder.path());
        assert!(text.ends_with("it is a folder") && hint, "{text}");
        let (text, hint) = said(&folder.path().join("x".repeat(300)));
        assert!(text.starts_with("--out /") && !hint, "{text}");
    }
}
