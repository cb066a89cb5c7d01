//! The state of a deployment as objects of a bucket with conditional writes (S3), for a team and for CI.
//!
//! Under the deployment's prefix there is one object that changes, `current.json`: it says who holds the lock and which
//! objects are the state, the journal and the history. It is written only on the condition that it is still the version that
//! was read (`If-Match`). Everything else is written once, under a key of its own (`If-None-Match: *`):
//!
//! ```text
//! current.json
//! state/<epoch>-<number>-<run>.json              the state, whole
//! history/<epoch>-<number>-<run>.jsonl           the history of runs, whole
//! journal/<epoch>-<number>-<run>/<number>.jsonl  one object per batch of records
//! ```
//!
//! **Fencing.** Whoever takes the lock counts the epoch up in `current.json`; from then on the former holder's version of it is
//! an old one, so that it can save nothing, and it writes nothing else that anybody reads. Its journal is sealed: the new holder
//! puts an empty object behind the last batch, where the former one's next batch would go. That batch is refused then, and
//! with it the call that it would have announced. A batch that was faster than the seal is read by the new holder. A seal is never
//! deleted: nobody knows when a run whose lock was removed comes back (a machine that slept), and it costs nothing.
//!
//! **Lost answers.** A write that was refused, or whose outcome is unclear, is looked at: when the object has exactly what was
//! written (each version of `current.json` has a random id), the write was done. No clock decides anything.

mod aside;
mod current;
mod held;
mod lease;
mod process;
mod store;

pub use process::{Fate, OwnProcess, Owner, Process, Processes};
pub use store::ObjectStore;

use super::StateError;
use async_trait::async_trait;
use std::path::PathBuf;
use std::time::Duration;

/// The content of an object, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Changes with the content.
    pub etag: String,
}

/// When a write may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is no such object.
    New,
    /// The object has this version.
    Version(String),
}

/// What went wrong, in words, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What went wrong.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Why a write was not done, or perhaps not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutError {
    /// The condition does not hold.
    Refused,
    /// Another write or deletion of this object is under way.
    Busy,
    /// No clear answer: it may have been done.
    Unclear(Trouble),
    /// It was not done.
    Failed(Trouble),
}

/// Objects under one prefix of a bucket: strongly consistent, with conditional writes.
#[async_trait]
pub trait Objects: Send + Sync {
    /// The prefix for people, without a slash at its end: `s3://bucket/prefix/suffix`.
    fn home(&self) -> &str;
    /// An object; `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<Object>, Trouble>;
    /// Writes an object on a condition; gives its version.
    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, PutError>;
    /// The keys with this prefix, in their order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Trouble>;
    /// Deletes objects; what is not there is deleted.
    async fn delete(&self, keys: &[String]) -> Result<(), Trouble>;
}

/// Attempts at a write that another one gets in the way of, or that has no clear answer.
const ATTEMPTS: u32 = 10;

/// How a write ended.
enum Wrote {
    /// The object has what was written, and this version.
    Done(String),
    /// The condition does not hold: somebody else wrote.
    Not,
}

/// An object's name for people.
fn name(objects: &dyn Objects, key: &str) -> PathBuf {
    PathBuf::from(format!("{}/{key}", objects.home()))
}

fn remote(objects: &dyn Objects, doing: &'static str, key: &str, trouble: Trouble) -> StateError {
    StateError::Remote {
        doing,
        path: name(objects, key),
        text: trouble.text,
        hint: trouble.hint,
    }
}

async fn get(objects: &dyn Objects, key: &str) -> Result<Option<Object>, StateError> {
    let got = objects.get(key).await;
    got.map_err(|trouble| remote(objects, "reading", key, trouble))
}

async fn list(objects: &dyn Objects, prefix: &str) -> Result<Vec<String>, StateError> {
    let listed = objects.list(prefix).await;
    listed.map_err(|trouble| remote(objects, "listing", prefix, trouble))
}

/// Writes an object, and looks at it when it is not clear whether it was written.
async fn put(
    objects: &dyn Objects,
    key: &str,
    bytes: &[u8],
    condition: &Condition,
) -> Result<Wrote, StateError> {
    let failed = |trouble| remote(objects, "writing", key, trouble);
    let mut last = None;
    for attempt in 0..ATTEMPTS {
        match objects.put(key, bytes.to_vec(), condition).await {
            Ok(etag) => return Ok(Wrote::Done(etag)),
            Err(PutError::Failed(trouble)) => return Err(failed(trouble)),
            Err(PutError::Unclear(trouble)) => last = Some(trouble),
            Err(PutError::Refused | PutError::Busy) => {}
        }
        let found = get(objects, key).await?;
        let holds = match (&found, condition) {
            (Some(object), _) if object.bytes == bytes => {
                return Ok(Wrote::Done(object.etag.clone()));
            }
            (found, Condition::New) => found.is_none(),
            (Some(object), Condition::Version(etag)) => object.etag == *etag,
            (None, Condition::Version(_)) => false,
        };
        if !holds {
            return Ok(Wrote::Not);
        }
        tokio::time::sleep(Duration::from_millis(20 << attempt.min(6))).await;
    }
    Err(failed(last.unwrap_or_else(|| Trouble {
        text: "other writes of this object get in the way".into(),
        hint: Some("run the same command again".into()),
    })))
}
