//! The state of a deployment as local files: `<suffix>.json`, `.journal.jsonl`, `.history.jsonl`, `.lock`.

use super::file::{sync_folder, write_atomic};
use super::store::{Found, Held, Part, Store};
use super::{Holder, Lock, StateError, break_lock, holder};
use crate::chain::whole;
use async_trait::async_trait;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The files of one deployment in one folder.
#[derive(Debug, Clone)]
pub struct LocalStore {
    folder: PathBuf,
    suffix: String,
    state: PathBuf,
    journal: PathBuf,
    history: PathBuf,
    lock: PathBuf,
}

impl LocalStore {
    /// The files of `suffix` in `folder`; they need not exist.
    pub fn new(folder: &Path, suffix: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            suffix: suffix.to_owned(),
            state: folder.join(format!("{suffix}.json")),
            journal: folder.join(format!("{suffix}.journal.jsonl")),
            history: folder.join(format!("{suffix}.history.jsonl")),
            lock: folder.join(format!("{suffix}.lock")),
        }
    }
}

/// The content of a file, `None` when there is none.
fn content(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match std::fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("reading", path)(source)),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io {
        doing,
        path,
        source,
    }
}

#[async_trait]
impl Store for LocalStore {
    fn suffix(&self) -> &str {
        &self.suffix
    }

    fn state_name(&self) -> &Path {
        &self.state
    }

    fn journal_name(&self) -> &Path {
        &self.journal
    }

    fn history_name(&self) -> &Path {
        &self.history
    }

    /// The journal first: a save that comes between the two reads leaves a journal that the state contains already.
    async fn find(&self) -> Result<Found, StateError> {
        let journal = content(&self.journal)?;
        Ok(Found {
            journal,
            state: content(&self.state)?,
            history: content(&self.history)?,
            history_gone: false,
        })
    }

    async fn lock(&self, command: &str) -> Result<Box<dyn Held>, StateError> {
        let lock = Lock::take(&self.lock, command)?;
        Ok(Box::new(LocalHeld {
            store: self.clone(),
            journal: None,
            _lock: lock,
        }))
    }

    async fn holder(&self) -> Result<Option<Holder>, StateError> {
        Ok(holder(&self.lock))
    }

    async fn break_lock(&self) -> Result<Option<Holder>, StateError> {
        break_lock(&self.lock)
    }

    async fn set_aside(&self, part: Part) -> Result<Vec<String>, StateError> {
        let _lock = Lock::take(&self.lock, "deployer state rebuild")?;
        let mut out = Vec::new();
        let paths = match part {
            Part::State => vec![&self.state, &self.journal],
            Part::History => vec![&self.history],
        };
        for path in paths {
            if path.exists() {
                let mut name = path.clone().into_os_string();
                name.push(format!(".damaged-{}", jiff::Timestamp::now().as_second()));
                let to = PathBuf::from(name);
                std::fs::rename(path, &to).map_err(failed("moving away", path))?;
                out.push(to.display().to_string());
            }
        }
        sync_folder(&self.folder)?;
        Ok(out)
    }
}

struct LocalHeld {
    store: LocalStore,
    journal: Option<File>,
    _lock: Lock,
}

#[async_trait]
impl Held for LocalHeld {
    async fn begin(&mut self, header: Vec<u8>) -> Result<(), StateError> {
        let path = &self.store.journal;
        write_atomic(path, &header)?;
        let file = File::options().append(true).open(path);
        self.journal = Some(file.map_err(failed("writing", path))?);
        Ok(())
    }

    /// On a thread of its own: a slow disk must not hold up the calls in flight.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        let path = self.store.journal.clone();
        let Some(mut file) = self.journal.take() else {
            let gone = std::io::Error::other("the journal was not begun");
            return Err(failed("writing", &path)(gone));
        };
        let wrote = tokio::task::spawn_blocking(move || {
            let result = file.write_all(&lines).and_then(|()| file.sync_data());
            (file, result)
        })
        .await;
        let (file, result) = wrote.map_err(|e| failed("writing", &path)(e.into()))?;
        self.journal = Some(file);
        result.map_err(failed("writing", &path))
    }

    async fn save(&mut self, state: Vec<u8>) -> Result<(), StateError> {
        write_atomic(&self.store.state, &state)?;
        self.journal = None;
        let path = &self.store.journal;
        match std::fs::remove_file(path) {
            Ok(()) => sync_folder(&self.store.folder),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(failed("removing", path)(source)),
        }
    }

    /// The history first: a state without its last runs would look older than it is.
    async fn replace(&mut self, state: Vec<u8>, history: Vec<u8>) -> Result<(), StateError> {
        write_atomic(&self.store.history, &history)?;
        self.save(state).await
    }

    async fn note(&mut self, line: Vec<u8>) -> Result<(), StateError> {
        let path = &self.store.history;
        add_line(path, &line).map_err(failed("writing", path))?;
        sync_folder(&self.store.folder)
    }
}

/// Adds a line behind the last whole one. What a crash left of a line is cut off.
fn add_line(path: &Path, line: &[u8]) -> std::io::Result<()> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    file.set_len(whole(&text) as u64)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(line)?;
    file.sync_all()
}
