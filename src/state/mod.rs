//! The state of a deployment: model, append-only journal, history of runs, lock, behind one
//! [`Store`].
//!
//! A reader gets a plain [`State`] value, which has no way to write; only a [`Writer`], which holds the lock, can.

mod error;
mod file;
mod history;
mod journal;
mod local;
mod lock;
mod model;
mod objects;
mod stage;
mod store;
#[cfg(test)]
mod tests;
mod transfer;
mod writer;

pub(crate) use error::REBUILD;
pub use error::StateError;
pub use file::{end_of_links, is_special, write_into, write_output};
pub use history::{Entry, History, HistoryLine, What};
pub use journal::{Counters, Journal};
pub use local::LocalStore;
pub use lock::{Holder, Lock, break_lock, holder};
pub use model::{Record, State, Timing, VERSION};
pub use objects::{
    Condition, Fate, Object, ObjectStore, Objects, OwnProcess, Owner, Process, Processes, PutError,
    Trouble,
};
pub use stage::{IllegalTransition, Stage};
pub use store::{Found, Held, Part, Store};
pub use transfer::{Transferred, transfer};
pub use writer::{Writer, history, read};
