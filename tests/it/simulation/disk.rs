//! The store of a simulated process: its files in memory, and the end of every write when the process is killed.

use super::judge::{Judge, parse};
use super::switch::Switch;
use async_trait::async_trait;
use deployer::state::{Found, Held, Holder, Part, StateError, Store};
use fastrand::Rng;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Files {
    state: Option<Vec<u8>>,
    journal: Option<Vec<u8>>,
    history: Vec<u8>,
    /// The holder of the lock; what an earlier one still writes is lost.
    epoch: u64,
}

/// Files that survive the processes which write them.
#[derive(Clone)]
pub struct Memory {
    files: Arc<Mutex<Files>>,
    rng: Arc<Mutex<Rng>>,
}

fn dead() -> StateError {
    StateError::Io {
        doing: "writing",
        path: "t".into(),
        source: std::io::Error::other("the process was killed"),
    }
}

impl Memory {
    pub fn new(rng: Rng) -> Self {
        Self {
            files: Arc::default(),
            rng: Arc::new(Mutex::new(rng)),
        }
    }

    /// The state and the journal are lost.
    pub fn lose(&self) {
        let mut files = self.files.lock().unwrap();
        (files.state, files.journal) = (None, None);
    }

    async fn wait(&self) {
        let millis = self.rng.lock().unwrap().u64(0..20);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

#[async_trait]
impl Store for Memory {
    fn suffix(&self) -> &str {
        "t"
    }
    fn state_name(&self) -> &Path {
        Path::new("t.json")
    }
    fn journal_name(&self) -> &Path {
        Path::new("t.journal.jsonl")
    }
    fn history_name(&self) -> &Path {
        Path::new("t.history.jsonl")
    }
    async fn find(&self) -> Result<Found, StateError> {
        let files = self.files.lock().unwrap();
        Ok(Found {
            state: files.state.clone(),
            journal: files.journal.clone(),
            history: Some(files.history.clone()),
            history_gone: false,
        })
    }
    async fn lock(&self, _command: &str) -> Result<Box<dyn Held>, StateError> {
        let mut files = self.files.lock().unwrap();
        files.epoch += 1;
        Ok(Box::new(MemoryHeld {
            memory: self.clone(),
            epoch: files.epoch,
        }))
    }
    async fn holder(&self) -> Result<Option<Holder>, StateError> {
        Ok(None)
    }
    async fn break_lock(&self) -> Result<Option<Holder>, StateError> {
        Ok(None)
    }
    async fn set_aside(&self, _: Part) -> Result<Vec<String>, StateError> {
        Ok(Vec::new())
    }
}

struct MemoryHeld {
    memory: Memory,
    epoch: u64,
}

impl MemoryHeld {
    fn write(&self, write: impl FnOnce(&mut Files)) -> Result<(), StateError> {
        let mut files = self.memory.files.lock().unwrap();
        if files.epoch != self.epoch {
            return Err(dead());
        }
        write(&mut files);
        Ok(())
    }
}

#[async_trait]
impl Held for MemoryHeld {
    async fn begin(&mut self, header: Vec<u8>) -> Result<(), StateError> {
        self.memory.wait().await;
        self.write(|files| files.journal = Some(header))
    }

    /// In two pieces: a process that is killed between them leaves a torn line.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        let at = self.memory.rng.lock().unwrap().usize(0..=lines.len());
        let add = |files: &mut Files, piece: &[u8]| {
            files
                .journal
                .get_or_insert_default()
                .extend_from_slice(piece);
        };
        self.write(|files| add(files, &lines[..at]))?;
        self.memory.wait().await;
        self.write(|files| add(files, &lines[at..]))
    }

    /// The state comes before the journal goes: a process may be killed between the two.
    async fn save(&mut self, state: Vec<u8>) -> Result<(), StateError> {
        self.memory.wait().await;
        self.write(|files| files.state = Some(state))?;
        self.memory.wait().await;
        self.write(|files| files.journal = None)
    }

    async fn note(&mut self, line: Vec<u8>) -> Result<(), StateError> {
        self.memory.wait().await;
        self.write(|files| files.history.extend(line))
    }

    async fn replace(&mut self, state: Vec<u8>, history: Vec<u8>) -> Result<(), StateError> {
        self.write(|files| files.history = history)?;
        self.save(state).await
    }
}

/// Any store, used by a process that can be killed before and after each write, and watched by the judge.
pub struct Watched {
    pub store: Arc<dyn Store>,
    pub switch: Arc<Switch>,
    pub judge: Arc<Judge>,
}

#[async_trait]
impl Store for Watched {
    fn suffix(&self) -> &str {
        self.store.suffix()
    }
    fn state_name(&self) -> &Path {
        self.store.state_name()
    }
    fn journal_name(&self) -> &Path {
        self.store.journal_name()
    }
    fn history_name(&self) -> &Path {
        self.store.history_name()
    }
    async fn find(&self) -> Result<Found, StateError> {
        self.store.find().await
    }
    async fn lock(&self, command: &str) -> Result<Box<dyn Held>, StateError> {
        let held = self.store.lock(command).await?;
        Ok(Box::new(WatchedHeld {
            held,
            switch: self.switch.clone(),
            judge: self.judge.clone(),
        }))
    }
    async fn release(&self) -> Result<(), StateError> {
        self.store.release().await
    }
    async fn holder(&self) -> Result<Option<Holder>, StateError> {
        self.store.holder().await
    }
    async fn break_lock(&self) -> Result<Option<Holder>, StateError> {
        self.store.break_lock().await
    }
    async fn set_aside(&self, part: Part) -> Result<Vec<String>, StateError> {
        self.store.set_aside(part).await
    }
}

struct WatchedHeld {
    held: Box<dyn Held>,
    switch: Arc<Switch>,
    judge: Arc<Judge>,
}

impl WatchedHeld {
    /// The writer's task must end with its process, so that the lock is free: an error ends it.
    fn alive(&self) -> Result<(), StateError> {
        if self.switch.hit() {
            Err(dead())
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Held for WatchedHeld {
    async fn begin(&mut self, header: Vec<u8>) -> Result<(), StateError> {
        self.alive()?;
        self.held.begin(header).await?;
        self.alive()
    }

    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        self.alive()?;
        let parsed = parse(&lines);
        self.judge.writing(&parsed);
        self.held.append(lines).await?;
        self.judge.wrote(parsed);
        self.alive()
    }

    async fn save(&mut self, state: Vec<u8>) -> Result<(), StateError> {
        self.alive()?;
        self.judge.saving();
        self.held.save(state.clone()).await?;
        self.judge.saved(&state);
        self.alive()
    }

    async fn note(&mut self, line: Vec<u8>) -> Result<(), StateError> {
        self.alive()?;
        self.held.note(line).await?;
        self.alive()
    }

    /// No run replaces a history.
    async fn replace(&mut self, state: Vec<u8>, history: Vec<u8>) -> Result<(), StateError> {
        self.alive()?;
        self.held.replace(state, history).await
    }
}
