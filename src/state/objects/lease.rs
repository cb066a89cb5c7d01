//! What the holder of the lock knows and writes.

use super::current::{self, Current, batch};
use super::{Condition, Objects, Wrote, get, list, name, put};
use crate::chain::whole;
use crate::state::StateError;
use crate::state::history::gone;
use std::sync::Arc;

/// The lock, and what is written with it.
pub(super) struct Lease {
    objects: Arc<dyn Objects>,
    pub current: Current,
    etag: String,
    /// The first line of a journal that nothing was added to yet: it is written with the first batch.
    header: Option<Vec<u8>>,
    /// The journal that is written, and the number of its next batch.
    journal: Option<(String, u64)>,
    /// Counts the keys of this run.
    keys: u64,
    /// What nothing names any more.
    garbage: Vec<String>,
    released: bool,
}

impl Lease {
    /// A lock that was just taken by writing this.
    pub fn new(objects: Arc<dyn Objects>, current: Current, etag: String) -> Self {
        Self {
            objects,
            current,
            etag,
            header: None,
            journal: None,
            keys: 0,
            garbage: Vec::new(),
            released: false,
        }
    }

    /// A key that nobody else ever writes.
    fn key(&mut self, folder: &str, end: &str) -> String {
        self.keys += 1;
        let run = self.current.lock.as_ref().map_or("", |owner| &owner.run);
        let (epoch, n) = (self.current.epoch, self.keys);
        format!("{folder}/{epoch:010}-{n:06}-{run}{end}")
    }

    /// Refuses what a writer does after its lock was given back.
    fn check(&self) -> Result<(), StateError> {
        if !self.released {
            return Ok(());
        }
        Err(StateError::Io {
            doing: "writing",
            path: name(self.objects.as_ref(), ""),
            source: std::io::Error::other("the lock was given back"),
        })
    }

    /// Writes an object that is there once.
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StateError> {
        self.check()?;
        match put(self.objects.as_ref(), key, bytes, &Condition::New).await? {
            Wrote::Done(_) => Ok(()),
            Wrote::Not => Err(self.lost().await),
        }
    }

    /// The error of whoever has lost the lock.
    async fn lost(&self) -> StateError {
        let owner = self.now().await.and_then(|current| current.lock);
        StateError::Lost {
            by: owner.map(|owner| Box::new(owner.holder)),
            path: name(self.objects.as_ref(), current::KEY),
        }
    }

    /// What is current, as far as it can be read.
    async fn now(&self) -> Option<Current> {
        let path = name(self.objects.as_ref(), current::KEY);
        let object = self.objects.get(current::KEY).await.ok()??;
        Current::parse(&path, &object.bytes).ok()
    }

    /// Makes a change of `current.json` that names objects which were just written. Without the lock they go again, unless
    /// the change was made and its answer lost, and the next holder goes on from it.
    async fn publish(
        &mut self,
        keys: &[String],
        change: impl FnOnce(&mut Current),
    ) -> Result<(), StateError> {
        let done = self.commit(change).await;
        if let Err(StateError::Lost { .. }) = &done
            && let Some(now) = self.now().await
            && !keys
                .iter()
                .any(|key| now.named().any(|n| key.starts_with(n)))
        {
            // Read by nobody, also where they cannot be deleted.
            let _ = self.objects.delete(keys).await;
        }
        done
    }

    /// Makes a change of `current.json`.
    async fn commit(&mut self, change: impl FnOnce(&mut Current)) -> Result<(), StateError> {
        self.check()?;
        let mut next = self.current.clone();
        change(&mut next);
        let text = next.next();
        let condition = Condition::Version(self.etag.clone());
        match put(self.objects.as_ref(), current::KEY, &text, &condition).await? {
            Wrote::Done(etag) => {
                self.current = next;
                self.etag = etag;
                Ok(())
            }
            Wrote::Not => Err(self.lost().await),
        }
    }

    /// Begins a journal in place of the one before. Nothing is written before there is something to say.
    pub fn begin(&mut self, header: Vec<u8>) {
        self.header = Some(header);
        self.journal = None;
    }

    /// Adds a batch to the journal.
    pub async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        if let Some((folder, n)) = &self.journal {
            let key = batch(folder, *n);
            self.put(&key, &lines).await?;
            if let Some((_, n)) = &mut self.journal {
                *n += 1;
            }
            return Ok(());
        }
        let Some(header) = self.header.clone() else {
            return Err(StateError::Io {
                doing: "writing",
                path: name(self.objects.as_ref(), "journal"),
                source: std::io::Error::other("the journal was not begun"),
            });
        };
        let folder = self.key("journal", "/");
        let first = batch(&folder, 1);
        self.put(&first, &[header, lines].concat()).await?;
        let former = self.current.journal.clone();
        self.publish(&[first], |current| current.journal = Some(folder.clone()))
            .await?;
        self.drop_journal(former).await;
        self.header = None;
        self.journal = Some((folder, 2));
        Ok(())
    }

    /// Replaces the state; the journal that it contains goes.
    pub async fn save(&mut self, state: &[u8]) -> Result<(), StateError> {
        let key = self.key("state", ".json");
        self.put(&key, state).await?;
        let former = (self.current.state.clone(), self.current.journal.clone());
        let named = Some(key.clone());
        self.publish(&[key], |current| {
            (current.state, current.journal) = (named, None);
        })
        .await?;
        self.journal = None;
        self.garbage.extend(former.0);
        self.drop_journal(former.1).await;
        Ok(())
    }

    /// Adds a line to the history.
    pub async fn note(&mut self, line: &[u8]) -> Result<(), StateError> {
        let mut text = match &self.current.history {
            Some(key) => match get(self.objects.as_ref(), key).await? {
                Some(object) => object.bytes,
                None => return Err(gone(&name(self.objects.as_ref(), key))),
            },
            None => Vec::new(),
        };
        // The line that follows a torn one takes its place.
        text.truncate(whole(&text));
        text.extend_from_slice(line);
        let key = self.key("history", ".jsonl");
        self.put(&key, &text).await?;
        let former = self.current.history.clone();
        let named = Some(key.clone());
        self.publish(&[key], |current| current.history = named)
            .await?;
        self.garbage.extend(former);
        Ok(())
    }

    /// Replaces state and history at once.
    pub async fn replace(&mut self, state: &[u8], history: &[u8]) -> Result<(), StateError> {
        let (a, b) = (self.key("state", ".json"), self.key("history", ".jsonl"));
        self.put(&a, state).await?;
        self.put(&b, history).await?;
        let former = self.current.clone();
        self.publish(&[a.clone(), b.clone()], |current| {
            (current.state, current.journal, current.history) = (Some(a), None, Some(b));
        })
        .await?;
        self.journal = None;
        self.garbage.extend(former.state);
        self.garbage.extend(former.history);
        self.drop_journal(former.journal).await;
        Ok(())
    }

    /// The batches of a journal that nothing names any more, but for the seal of another run's: that run may come back at any
    /// time, and must find it. What cannot be listed stays where it is and is read by nobody.
    async fn drop_journal(&mut self, folder: Option<String>) {
        let Some(folder) = folder else {
            return;
        };
        let listed = list(self.objects.as_ref(), &folder).await;
        let mut batches = listed.unwrap_or_default();
        let owner = self.current.lock.as_ref();
        let is_own = owner.is_some_and(|owner| folder.ends_with(&format!("-{}/", owner.run)));
        if !is_own {
            batches.pop();
        }
        self.garbage.extend(batches);
    }

    /// Gives the lock back. A lock that was taken over is not ours to give back.
    pub async fn release(&mut self) -> Result<(), StateError> {
        if !self.garbage.is_empty() {
            // Read by nobody; it costs next to nothing where it cannot be deleted.
            let _ = self.objects.delete(&self.garbage).await;
            self.garbage.clear();
        }
        let given_back = self.commit(|current| current.lock = None).await;
        self.released = true;
        match given_back {
            Err(StateError::Lost { .. }) => Ok(()),
            other => other,
        }
    }
}
