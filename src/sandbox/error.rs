//! Why the sandbox could not be started, asked or stopped.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the sandbox could not be read or written.
    #[error("sandbox: can't {action} {path}: {source}")]
    File {
        /// What was tried, as in "can't write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The cache folder could not be used.
    #[error("sandbox: {0}")]
    Cache(#[from] crate::cache::Error),
    /// There is no Python.
    #[error("sandbox: it needs python3 ({needed} or later) on the PATH: {problem}")]
    Python {
        /// The oldest version that works.
        needed: &'static str,
        /// What is wrong with the one found.
        problem: String,
    },
    /// Installing the emulator failed.
    #[error(
        "sandbox: installing the emulator failed at `{step}` (the first installation needs the network):\n{output}"
    )]
    Install {
        /// The command that failed.
        step: String,
        /// The end of its output.
        output: String,
    },
    /// The process did not come up.
    #[error("sandbox: it did not start: {problem}; the end of {log}:\n{tail}")]
    Start {
        /// What happened.
        problem: String,
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// It runs already, without a data plane.
    #[error(
        "sandbox: it already runs at {endpoint} without a data plane; `deployer sandbox down` first to have it with one"
    )]
    NoDataPlane {
        /// Where it runs.
        endpoint: String,
    },
    /// It runs already, on another port than the one asked for.
    #[error(
        "sandbox: it already runs at {endpoint}; `deployer sandbox down` first to have it on port {asked}"
    )]
    OtherPort {
        /// Where it runs.
        endpoint: String,
        /// The port asked for.
        asked: u16,
    },
    /// The sandbox refused something on its control path.
    #[error("sandbox: {0}")]
    Refused(String),
}

impl Error {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
