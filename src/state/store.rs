//! Where a deployment's state lives. Local files (`local.rs`) and objects of a bucket (`objects/`) implement [`Store`].

use super::{Holder, StateError};
use async_trait::async_trait;
use std::path::Path;

/// The state and the journal as they were found, as bytes.
#[derive(Debug, Default)]
pub struct Found {
    /// The state, whole.
    pub state: Option<Vec<u8>>,
    /// The journal since, its batches in order.
    pub journal: Option<Vec<u8>>,
    /// The history of runs.
    pub history: Option<Vec<u8>>,
    /// True when there was a history and somebody has deleted it.
    pub history_gone: bool,
}

/// What can be damaged by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The state with its journal.
    State,
    /// The history of runs: the state does not depend on it.
    History,
}

/// A place for the state of one deployment. Reading takes no lock and changes nothing.
#[async_trait]
pub trait Store: Send + Sync {
    /// The suffix of the deployment.
    fn suffix(&self) -> &str;
    /// The name of the state, for people and errors.
    fn state_name(&self) -> &Path;
    /// The name of the journal, for errors.
    fn journal_name(&self) -> &Path;
    /// The name of the history, for errors.
    fn history_name(&self) -> &Path;
    /// Everything that is there.
    async fn find(&self) -> Result<Found, StateError>;
    /// Takes the lock or says who has it. The lock of a process of this machine that has ended is free.
    async fn lock(&self, command: &str) -> Result<Box<dyn Held>, StateError>;
    /// Gives the lock back, where that takes more than dropping the writer. Comes last.
    async fn release(&self) -> Result<(), StateError> {
        Ok(())
    }
    /// Who holds the lock now.
    async fn holder(&self) -> Result<Option<Holder>, StateError>;
    /// Removes a lock that a dead process left; refuses while it is certainly alive.
    async fn break_lock(&self) -> Result<Option<Holder>, StateError>;
    /// Moves what is damaged away, so that it can be looked at; gives its new names. Refuses while somebody holds the lock.
    async fn set_aside(&self, part: Part) -> Result<Vec<String>, StateError>;
}

/// What only the holder of the lock can do. Every write is durable when it returns, and fails
/// when the lock was lost.
#[async_trait]
pub trait Held: Send {
    /// Begins a fresh journal with this first line in place of the one before.
    async fn begin(&mut self, header: Vec<u8>) -> Result<(), StateError>;
    /// Adds lines to the journal.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError>;
    /// Replaces the state; the journal that it now contains goes.
    async fn save(&mut self, state: Vec<u8>) -> Result<(), StateError>;
    /// Adds a line to the history, behind its last whole line.
    async fn note(&mut self, line: Vec<u8>) -> Result<(), StateError>;
    /// Replaces history and state by those of another store; the journal goes.
    async fn replace(&mut self, state: Vec<u8>, history: Vec<u8>) -> Result<(), StateError>;
}
