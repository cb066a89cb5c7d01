//! Reading and writing the state of one deployment.

use super::file::sync_folder;
use super::{Journal, Lock, REBUILD, State, StateError, VERSION, journal, write_atomic};
use std::path::{Path, PathBuf};

/// The files of one deployment.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The state, whole.
    pub state: PathBuf,
    /// The journal since.
    pub journal: PathBuf,
    /// The lock.
    pub lock: PathBuf,
}

impl Paths {
    /// The files of `suffix` in `folder`.
    pub fn of(folder: &Path, suffix: &str) -> Self {
        Self {
            state: folder.join(format!("{suffix}.json")),
            journal: folder.join(format!("{suffix}.journal.jsonl")),
            lock: folder.join(format!("{suffix}.lock")),
        }
    }
}

/// Reads the state with its journal replayed, without a lock and without changing any file.
/// Gives an empty state when there is none.
pub fn read(folder: &Path, suffix: &str, region: &str) -> Result<State, StateError> {
    load(&Paths::of(folder, suffix), suffix, region).map(|(state, _)| state)
}

/// The suffixes that have a state in this folder.
pub fn list(folder: &Path) -> Vec<String> {
    let mut out: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| {
            let stem = name
                .strip_suffix(".journal.jsonl")
                .or_else(|| name.strip_suffix(".json"))?;
            (!stem.starts_with('.')).then(|| stem.to_owned())
        })
        .collect();
    out.sort();
    out.dedup();
    out
}

/// Moves damaged files of a deployment away, so that they can be looked at; gives their new names.
pub fn set_aside(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>, StateError> {
    let paths = Paths::of(folder, suffix);
    let mut out = Vec::new();
    for path in [paths.state, paths.journal] {
        if path.exists() {
            let mut name = path.clone().into_os_string();
            name.push(format!(".damaged-{}", jiff::Timestamp::now().as_second()));
            let to = PathBuf::from(name);
            std::fs::rename(&path, &to).map_err(|source| StateError::Io {
                doing: "moving away",
                path: path.clone(),
                source,
            })?;
            out.push(to);
        }
    }
    sync_folder(folder)?;
    Ok(out)
}

fn load(paths: &Paths, suffix: &str, region: &str) -> Result<(State, bool), StateError> {
    let mut state = State::empty(suffix, region);
    let exists = match std::fs::read(&paths.state) {
        Ok(text) => {
            state = parse(&paths.state, &text, suffix)?;
            true
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(source) => {
            return Err(StateError::Io {
                doing: "reading",
                path: paths.state.clone(),
                source,
            });
        }
    };
    let replayed = journal::replay(&paths.journal, &mut state, exists)?;
    Ok((state, replayed))
}

fn parse(path: &Path, text: &[u8], suffix: &str) -> Result<State, StateError> {
    let damaged = |why: String, line| StateError::Damaged {
        path: path.to_owned(),
        line,
        why,
        hint: REBUILD,
    };
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(damaged("the file is empty".into(), None));
    }
    let torn = |e: serde_json::Error| damaged(format!("not a state file ({e})"), Some(e.line()));
    // The version first: a newer format need not parse as ours.
    let raw: serde_json::Value = serde_json::from_slice(text).map_err(torn)?;
    match raw.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            return Err(StateError::Newer {
                path: path.to_owned(),
                found: version,
            });
        }
        Some(1..) => {}
        Some(0) => return Err(damaged("no deployer wrote version 0".into(), None)),
        None => return Err(damaged("it has no version".into(), None)),
    }
    let state: State = serde_json::from_slice(text).map_err(torn)?;
    if state.suffix != suffix {
        return Err(StateError::OtherSuffix {
            path: path.to_owned(),
            found: state.suffix,
            wanted: suffix.to_owned(),
        });
    }
    Ok(state)
}

/// The only way to change a state on disk. Holds the lock.
pub struct Writer {
    paths: Paths,
    journal: Journal,
    lock: Lock,
}

impl Writer {
    /// Takes the lock, reads the state, folds an earlier run's journal into it and starts a fresh journal.
    pub fn open(
        folder: &Path,
        suffix: &str,
        region: &str,
        command: &str,
    ) -> Result<(Self, State), StateError> {
        let paths = Paths::of(folder, suffix);
        let lock = Lock::take(&paths.lock, command)?;
        let (mut state, replayed) = load(&paths, suffix, region)?;
        if replayed {
            save(&paths, &mut state)?;
        }
        let journal = Journal::start(&paths.journal, &state)?;
        Ok((
            Self {
                paths,
                journal,
                lock,
            },
            state,
        ))
    }

    /// The journal to append to.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Starts the journal anew for a state whose head (account) became known before anything was appended.
    pub fn restart(&mut self, state: &State) -> Result<(), StateError> {
        self.journal = Journal::start(&self.paths.journal, state)?;
        Ok(())
    }

    /// Writes the state whole, removes the journal that it now contains, and gives the lock back.
    pub fn finish(self, state: &mut State) -> Result<(), StateError> {
        save(&self.paths, state)?;
        drop(self.lock);
        Ok(())
    }
}

/// Whole write, then the journal goes: it is contained. A crash between the two leaves a journal with an old base,
/// which a reader knows to ignore.
fn save(paths: &Paths, state: &mut State) -> Result<(), StateError> {
    state.serial += 1;
    let mut text = serde_json::to_vec_pretty(state).map_err(|e| StateError::Io {
        doing: "writing",
        path: paths.state.clone(),
        source: e.into(),
    })?;
    text.push(b'\n');
    write_atomic(&paths.state, &text)?;
    match std::fs::remove_file(&paths.journal) {
        Ok(()) => sync_folder(paths.journal.parent().unwrap_or(Path::new("."))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StateError::Io {
            doing: "removing",
            path: paths.journal.clone(),
            source,
        }),
    }
}
