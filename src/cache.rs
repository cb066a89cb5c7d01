//! The folder in which this program keeps what it installs and builds, and the lock that lets one process at a time do so.

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Reports what is being done, a line at a time.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Why something can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no home or cache folder.
    #[error("neither XDG_CACHE_HOME nor HOME is set, so there is no cache folder to install into")]
    NoFolder,
    /// A file or folder could not be read or written.
    #[error("can't {action} {path}: {source}")]
    File {
        /// What was tried, as in "can't write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err`: what was tried with which file.
    pub fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}

/// `$XDG_CACHE_HOME/deployer` or `~/.cache/deployer`, created when missing.
///
/// # Errors
/// When there is no home folder, or it can't be created.
pub fn folder() -> Result<PathBuf, Error> {
    let home = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = home("XDG_CACHE_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".cache")))
        .ok_or(Error::NoFolder)?;
    let folder = base.join("deployer");
    std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    Ok(folder)
}

/// An exclusive lock on a file, held until the value is dropped. Says so when it has to wait.
///
/// # Errors
/// When the file can't be opened or locked.
pub async fn lock(path: PathBuf, waiting: &str, progress: Progress<'_>) -> Result<File, Error> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::file("open", &path))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        return Ok(file);
    }
    progress(waiting);
    let locked = tokio::task::spawn_blocking(move || {
        flock(&file, FlockOperation::LockExclusive).map(|()| file)
    })
    .await;
    match locked {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(errno)) => Err(Error::file("lock", &path)(errno.into())),
        Err(lost) => Err(Error::file("lock", &path)(std::io::Error::other(lost))),
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of some texts.
pub fn fingerprint(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_ref().as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
