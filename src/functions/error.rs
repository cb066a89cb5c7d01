//! Why there are no zips.

use crate::cache;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cache folder could not be used.
    #[error("{0}")]
    Cache(#[from] cache::Error),
    /// There is no Node.js.
    #[error(
        "the migration functions are built with Node.js, and `{command}` can't be run: {problem}"
    )]
    NoNode {
        /// What was to be run.
        command: &'static str,
        /// What the system said.
        problem: String,
    },
    /// Building failed.
    #[error("building the migration functions failed at `{command}`:\n{output}")]
    Failed {
        /// What was run.
        command: String,
        /// The end of its output.
        output: String,
    },
    /// Another zip than the plan names.
    #[error(
        "the zip `{name}` that is built here is not the one that is wanted: its SHA-256 is {built}, not {wanted}"
    )]
    Other {
        /// Its name.
        name: String,
        /// What was built.
        built: String,
        /// What the plan names.
        wanted: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Cache(_) => "set XDG_CACHE_HOME to a folder that can be written",
            Self::NoNode { .. } => {
                "install Node.js 18 or later with npm, or make blue alone (--env blue)"
            }
            Self::Failed { .. } => {
                "the first build needs the npm registry: look at the output, and run the command again"
            }
            Self::Other { .. } => {
                "the recorded plan was made by another version of deployer: run `deployer plan` and `deployer apply` with this one"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_to_do() {
        let errors = [
            Error::Cache(cache::Error::NoFolder),
            Error::NoNode {
                command: "npm",
                problem: "not found".into(),
            },
        ];
        for error in errors {
            assert!(!error.hint().is_empty(), "{error}");
        }
    }
}
