//! The lock of a deployment's state: a guard that cannot be ignored.
//!
//! The operating system holds it (an advisory file lock), so a dead process can never leave it locked. The file's
//! content names the holder. On a shared file system the system's lock may not reach other hosts; therefore content
//! that another host left is believed until somebody runs `deployer state unlock`.

use super::StateError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The user.
    pub who: String,
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The command line.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process.
    pub fn this(command: &str) -> Self {
        Self {
            who: std::env::var("USER")
                .or_else(|_| std::env::var("LOGNAME"))
                .unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw())),
            host: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            pid: std::process::id(),
            command: command.to_owned(),
            since: Timestamp::now(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` of {}@{}, process {}, since {}",
            self.command,
            self.who,
            self.host,
            self.pid,
            self.since.strftime("%Y-%m-%d %H:%M:%S UTC")
        )
    }
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock or says who has it.
    pub fn take(path: &Path, command: &str) -> Result<Self, StateError> {
        let io = |source| StateError::Io {
            doing: "locking",
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        let me = Holder::this(command);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = content(&mut file).unwrap_or_else(|| Holder {
                    command: "another run".into(),
                    pid: 0,
                    ..me
                });
                return Err(StateError::Locked(Box::new(holder)));
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        if let Some(other) = content(&mut file).filter(|h| h.host != me.host) {
            return Err(StateError::Locked(Box::new(other)));
        }
        let text = serde_json::to_vec(&me).map_err(|e| io(e.into()))?;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&text))
            .map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The system's lock goes with the file handle; the empty content says that the end was orderly.
        let _ = self.file.set_len(0);
    }
}

/// The live holder, if any: a process of this host that holds the system's lock, or another host's mark.
pub fn holder(path: &Path) -> Option<Holder> {
    let mut file = File::options().read(true).write(true).open(path).ok()?;
    let content = content(&mut file);
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => content.or_else(|| {
            Some(Holder {
                pid: 0,
                ..Holder::this("another run")
            })
        }),
        _ => content.filter(|h| h.host != Holder::this("").host),
    }
}

/// Removes what a dead process or another host left. Refuses while a process of this host holds the lock.
pub fn break_lock(path: &Path) -> Result<Option<Holder>, StateError> {
    let io = |source| StateError::Io {
        doing: "unlocking",
        path: path.to_owned(),
        source,
    };
    let mut file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io(e)),
    };
    let left = content(&mut file);
    match file.try_lock() {
        Ok(()) => file.set_len(0).map_err(io).map(|()| left),
        Err(TryLockError::WouldBlock) => {
            let holder = left.unwrap_or_else(|| Holder::this("another run"));
            Err(StateError::Locked(Box::new(holder)))
        }
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

fn content(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_is_told_who_holds_it_and_a_dead_holder_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dev.lock");
        let first = Lock::take(&path, "deployer apply").unwrap();
        match Lock::take(&path, "deployer destroy") {
            Err(StateError::Locked(holder)) => assert_eq!(
                (holder.command.as_str(), holder.pid),
                ("deployer apply", std::process::id())
            ),
            other => panic!("{other:?}"),
        }
        assert!(matches!(break_lock(&path), Err(StateError::Locked(_))));
        // A killed process leaves its content behind and the system's lock gone.
        let content = std::fs::read(&path).unwrap();
        drop(first);
        std::fs::write(&path, content).unwrap();
        assert!(holder(&path).is_none());
        assert!(Lock::take(&path, "deployer destroy").is_ok());
    }

    #[test]
    fn a_mark_of_another_host_is_believed_until_it_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dev.lock");
        let other = Holder {
            host: "elsewhere".into(),
            ..Holder::this("deployer apply")
        };
        std::fs::write(&path, serde_json::to_vec(&other).unwrap()).unwrap();
        assert!(matches!(Lock::take(&path, "x"), Err(StateError::Locked(_))));
        assert_eq!(break_lock(&path).unwrap(), Some(other));
        assert!(Lock::take(&path, "x").is_ok());
    }
}
