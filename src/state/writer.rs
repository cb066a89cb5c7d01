//! Reading a state from its [`Store`], and the one way to change it.

use super::history::{Entry, History};
use super::store::{Found, Held, Store};
use super::{Journal, REBUILD, State, StateError, VERSION, journal};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Reads the state with its journal replayed. Gives an empty state when there is none.
pub async fn read(store: &dyn Store, region: &str) -> Result<State, StateError> {
    let found = store.find().await?;
    load(store, &found, region).map(|(state, _)| state)
}

/// The history of runs, each line checked against the one before.
pub async fn history(store: &dyn Store) -> Result<History, StateError> {
    history_of(store, &store.find().await?)
}

fn history_of(store: &dyn Store, found: &Found) -> Result<History, StateError> {
    if found.history_gone {
        return Err(super::history::gone(store.history_name()));
    }
    let text = found.history.as_deref().unwrap_or_default();
    super::history::parse(store.history_name(), text)
}

fn load(store: &dyn Store, found: &Found, region: &str) -> Result<(State, bool), StateError> {
    let state = found
        .state
        .as_ref()
        .map(|text| parse(store.state_name(), text, store.suffix()))
        .transpose()?;
    let exists = state.is_some();
    let mut state = state.unwrap_or_else(|| State::empty(store.suffix(), region));
    let replayed = match &found.journal {
        Some(text) => journal::replay(store.journal_name(), text, &mut state, exists)?,
        None => false,
    };
    Ok((state, replayed))
}

/// What every version of the format says of itself.
#[derive(Deserialize)]
struct Head {
    version: Option<serde_json::Value>,
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
    let head: Head = serde_json::from_slice(text).map_err(torn)?;
    match head.version.as_ref().and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            return Err(StateError::Newer {
                path: path.to_owned(),
                found: version,
                reads: VERSION,
            });
        }
        Some(1..) => {}
        Some(0) => return Err(damaged("no deployer wrote version 0".into(), None)),
        None => return Err(damaged("it has no version".into(), None)),
    }
    let mut state: State = serde_json::from_slice(text).map_err(torn)?;
    if state.suffix != suffix {
        return Err(StateError::OtherSuffix {
            path: path.to_owned(),
            found: state.suffix,
            wanted: suffix.to_owned(),
        });
    }
    // What an older version did not write has its default by now.
    state.version = VERSION;
    Ok(state)
}

/// The only way to change a state. Holds the lock.
pub struct Writer {
    held: Arc<Mutex<Box<dyn Held>>>,
    journal: Journal,
    history: History,
    /// The steps of the state that the journal continues.
    steps: BTreeSet<String>,
}

impl Writer {
    /// Takes the lock, reads the state, folds an earlier run's journal into it and starts a fresh journal.
    pub async fn open(
        store: &dyn Store,
        region: &str,
        command: &str,
    ) -> Result<(Self, State), StateError> {
        let mut held = store.lock(command).await?;
        let found = store.find().await?;
        let (mut state, replayed) = load(store, &found, region)?;
        let history = history_of(store, &found)?;
        if replayed {
            save(held.as_mut(), &mut state).await?;
        }
        held.begin(journal::header(&state)).await?;
        let held = Arc::new(Mutex::new(held));
        let journal = Journal::start(held.clone(), &state);
        let writer = Self {
            held,
            journal,
            history,
            steps: state.steps.keys().cloned().collect(),
        };
        Ok((writer, state))
    }

    /// The journal to append to.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Starts the journal again for a state whose head (account) became known before anything was appended.
    pub async fn restart(&mut self, state: &State) -> Result<(), StateError> {
        let header = journal::header(state);
        self.held.lock().await.begin(header).await?;
        self.journal = Journal::start(self.held.clone(), state);
        self.steps = state.steps.keys().cloned().collect();
        Ok(())
    }

    /// Makes records durable that are in no line of the journal: what was found again by its mark after a loss. Were they
    /// known to this process alone, a later one would not look for them, since its state would not be empty. So with other `news`
    /// that no line of the journal holds.
    pub async fn keep(&mut self, state: &mut State, news: bool) -> Result<(), StateError> {
        if !news && state.steps.keys().eq(&self.steps) {
            return Ok(());
        }
        self.save(state).await?;
        self.restart(state).await
    }

    /// Adds an entry to the history of runs.
    pub async fn note(&mut self, entry: Entry) -> Result<(), StateError> {
        let line = self.history.line(entry, Timestamp::now());
        self.held.lock().await.note(line).await
    }

    /// The history of runs.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Takes over state and history of another store as they are.
    pub(super) async fn replace(
        &mut self,
        state: &State,
        history: Vec<u8>,
    ) -> Result<(), StateError> {
        let text = text(state)?;
        self.held.lock().await.replace(text, history).await
    }

    /// Writes the state whole; the journal that it now contains goes.
    pub async fn save(&mut self, state: &mut State) -> Result<(), StateError> {
        save(self.held.lock().await.as_mut(), state).await
    }
}

/// A crash between the two effects of a save leaves a journal with an old base, which a reader knows to ignore.
async fn save(held: &mut dyn Held, state: &mut State) -> Result<(), StateError> {
    state.serial += 1;
    held.save(text(state)?).await
}

/// The state as it is written.
fn text(state: &State) -> Result<Vec<u8>, StateError> {
    let mut text = serde_json::to_vec_pretty(state).map_err(|e| StateError::Io {
        doing: "writing",
        path: "state".into(),
        source: e.into(),
    })?;
    text.push(b'\n');
    Ok(text)
}
