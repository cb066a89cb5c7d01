//! Why the state cannot be read or written.

use super::lock::Holder;
use std::path::PathBuf;

/// Every message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused.
    #[error("{doing} {}: {source}{}", path.display(), advice(source))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is there but cannot be what we wrote.
    #[error("{}{}: {why}; nothing was changed. {hint}", path.display(), line.map(|l| format!(" line {l}")).unwrap_or_default())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// Written by a newer deployer.
    #[error("{} has format version {found}, this deployer reads up to {reads}; nothing was changed. Use the newer deployer that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest version that this program reads.
        reads: u32,
    },
    /// A file of another deployment.
    #[error("{} belongs to suffix `{found}`, not `{wanted}`; nothing was changed. Put the right file back, or move this one away and run `deployer state rebuild`", path.display())]
    OtherSuffix {
        /// The file.
        path: PathBuf,
        /// The suffix in it.
        found: String,
        /// The suffix asked for.
        wanted: String,
    },
    /// A record that cannot follow the one before it: a defect of this program, reported before anything is written.
    #[error("{why}; nothing was recorded. This is a defect of deployer")]
    Illegal {
        /// What was wrong.
        why: String,
    },
    /// A bucket gave no answer, or refused.
    #[error("{doing} {}: {text}", path.display())]
    Remote {
        /// What was being done.
        doing: &'static str,
        /// The object.
        path: PathBuf,
        /// What went wrong.
        text: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Somebody else has taken the lock: this run may write nothing more.
    #[error("the lock of {} was taken {}; this run recorded nothing more", path.display(), taker(by.as_deref()))]
    Lost {
        /// The object.
        path: PathBuf,
        /// Who holds it now.
        by: Option<Box<Holder>>,
    },
    /// Two states of which neither continues the other, or the wrong one.
    #[error("{why}; nothing was changed")]
    Apart {
        /// What differs.
        why: String,
    },
    /// Another run holds the lock.
    #[error("locked by {0}")]
    Locked(Box<Holder>),
}

/// What to do about a damaged state file.
pub(crate) const REBUILD: &str = "Restore it from a backup, or move it away and run `deployer state rebuild`, which finds everything again by its tags";

/// What to do when objects of a state in a bucket are gone.
pub(super) const VERSIONS: &str = "Bring back its last version (the bucket keeps them: `aws s3api list-object-versions` shows the delete marker to remove), or run `deployer state rebuild`, which finds everything again by its tags";

fn taker(by: Option<&Holder>) -> String {
    by.map_or_else(
        || "away (`deployer state unlock`)".into(),
        |h| format!("over by {h}"),
    )
}

fn advice(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => {
            ". Free some space and run the same command again: what AWS was asked for is in the journal"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            ". Make the folder writable, or choose another with --state-dir"
        }
        _ => "",
    }
}
