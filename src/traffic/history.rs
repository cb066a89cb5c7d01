//! The history of the traffic on this machine, `state/<suffix>.traffic.jsonl`: every step with its reason, each line chained to
//! the one before. A shift goes on from it after a kill. Whose word counts for the traffic is Route 53's, not this file's: a
//! rollback needs no history.

use super::gate::{Decision, Gate};
use super::note::Note;
use super::plan::Plan;
use super::weights::{Live, Weights};
use crate::chain::{Chain, whole};
use crate::engine::Error;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A run has made both records of the domain, with these weights.
    Initial,
    /// A shift begins; its plan is recorded.
    ShiftStarted,
    /// A shift goes on after it was ended in the middle.
    Resumed,
    /// A step waits for somebody's approval.
    ApprovalAsked,
    /// It was given.
    Approved,
    /// Weights are about to be sent.
    WeightIntended,
    /// Route 53 has taken them.
    WeightSent,
    /// All servers of Route 53 answer with them.
    WeightInsync,
    /// The share of the requests that green gets is as its weight says, for the first time in a step.
    ShareObserved,
    /// A probe of green failed, or none fails any more.
    Probe,
    /// What the gate says of a step, when it says something else than before.
    Gate,
    /// A side runs something else than before, so its step begins anew.
    StepRestarted,
    /// A step has passed.
    StepPassed,
    /// Nothing is decided, and the weights stay.
    Held,
    /// Somebody wants the shift to wait.
    Paused,
    /// All traffic is about to go back to blue.
    RollbackStarted,
    /// All traffic has gone back to blue.
    RollbackDone,
    /// Route 53 has not taken it; what was done in its place.
    RollbackFailed,
    /// Every address of green's load balancer answers as blue.
    LeverAcked,
    /// How many clients still call green after a rollback.
    Stragglers,
    /// Somebody else moved the traffic.
    Preempted,
    /// A shift has come to its end.
    ShiftDone,
    /// The writes, and then all traffic, are about to be given to green.
    CutoverStarted,
    /// Nothing was given: a check said no.
    CutoverRefused,
    /// Green takes the writes, and has all traffic.
    CutoverDone,
    /// The fewest tasks and the least capacity of both sides were raised.
    MinimumHeld,
    /// They were given back.
    MinimumGivenBack,
    /// A guard in AWS has sent green's customers to blue while no process ran.
    GuardActed,
}

impl Event {
    /// The word in JSON.
    pub fn word(self) -> String {
        let word = serde_json::to_value(self).unwrap_or_default();
        word.as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// Which shift; empty for a rollback without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// Who, and where: `user@host`.
    pub by: String,
    /// The number of the note at that time.
    pub epoch: u64,
    /// What it means, for people.
    pub text: String,
    /// The command line, where one begins.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The weights before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Live>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Weights>,
    /// The id of the change in Route 53.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The plan of the shift that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The gate of the step with what it has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// What it says, with its numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

impl Entry {
    /// An entry that says only this.
    pub fn new(event: Event, note: &Note, by: &str, text: impl Into<String>) -> Self {
        Self {
            event,
            run: note.run.clone(),
            by: by.to_owned(),
            epoch: note.epoch,
            text: text.into(),
            command: String::new(),
            before: None,
            after: None,
            change: None,
            plan: None,
            gate: None,
            decision: None,
        }
    }
}

/// How often it is tried to hold the file, and the pause between two tries.
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The lines.
pub type History = Chain<Entry>;

/// The file.
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// Of a deployment, in the folder of its state.
    pub fn new(folder: &Path, suffix: &str) -> Self {
        Self {
            path: folder.join(format!("{suffix}.traffic.jsonl")),
        }
    }

    /// Reads it, with the chain checked.
    ///
    /// # Errors
    /// When it cannot be read, or a line was changed or removed.
    pub fn read(&self) -> Result<History, Error> {
        match std::fs::read(&self.path) {
            Ok(text) => self.parse(&text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(History::default()),
            Err(e) => Err(self.failed(&e)),
        }
    }

    fn parse(&self, text: &[u8]) -> Result<History, Error> {
        History::parse(text).map_err(|broken| {
            let text = format!(
                "{} line {}: {}",
                self.path.display(),
                broken.line,
                broken.why
            );
            Error::permanent("traffic history", text).hint(
                "restore it from a backup, or move it away to begin a new one; `deployer traffic rollback` works without it",
            )
        })
    }

    /// Adds an entry; it is on disk when this returns. Others may add at the same time.
    ///
    /// # Errors
    /// When it cannot be written, or the chain is broken.
    pub fn add(&self, entry: Entry, at: Timestamp) -> Result<(), Error> {
        let failed = |e: std::io::Error| self.failed(&e);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&self.path).map_err(failed)?;
        self.hold(&file)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let mut history = self.parse(&text)?;
        let line = history.line(entry, at);
        let end = whole(&text) as u64;
        file.set_len(end).map_err(failed)?;
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        file.write_all(&line).map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    /// Holds the file, which is released with it. A holder writes one line; whoever holds it for longer keeps no rollback waiting.
    fn hold(&self, file: &File) -> Result<(), Error> {
        for _ in 0..LOCK_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(e)) => return Err(self.failed(&e)),
            }
        }
        let text = format!("{}: another process holds it", self.path.display());
        Err(Error::permanent("traffic history", text)
            .hint("end that process; `deployer traffic rollback` works without the history"))
    }

    fn failed(&self, e: &std::io::Error) -> Error {
        Error::permanent("traffic history", format!("{}: {e}", self.path.display()))
            .hint("make room, or correct the rights of the folder; `deployer traffic rollback` works without it")
    }
}
