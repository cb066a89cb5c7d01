//! [`Store`] over objects: reading, taking the lock, giving it back.

use super::current::{self, Current, DAMAGED, batch, epoch_of, journal_of};
use super::held::ObjectHeld;
use super::lease::Lease;
use super::{Condition, Fate, Objects, Processes, Wrote, get, list, name, put, remote};
use crate::state::error::VERSIONS;
use crate::state::store::{Found, Held, Part, Store};
use crate::state::{Holder, StateError};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Objects that are read at once.
const AT_ONCE: usize = 16;
/// How often a reader begins again because a writer was faster.
const READS: u32 = 20;

/// The state of one deployment under one prefix of a bucket.
pub struct ObjectStore {
    pub(super) objects: Arc<dyn Objects>,
    processes: Arc<dyn Processes>,
    suffix: String,
    state: PathBuf,
    journal: PathBuf,
    history: PathBuf,
    lease: Mutex<Option<Arc<Mutex<Lease>>>>,
}

/// `current.json` as it was read, and the condition for the next write of it.
pub(super) struct Seen {
    pub current: Current,
    condition: Condition,
}

impl ObjectStore {
    /// The state of `suffix` in objects that are all its own.
    pub fn new(objects: Arc<dyn Objects>, processes: Arc<dyn Processes>, suffix: &str) -> Self {
        let path = |key| name(objects.as_ref(), key);
        Self {
            state: PathBuf::from(objects.home()),
            journal: path("journal"),
            history: path("history"),
            processes,
            suffix: suffix.to_owned(),
            lease: Mutex::default(),
            objects,
        }
    }

    pub(super) async fn current(&self) -> Result<Seen, StateError> {
        let read = || get(self.objects.as_ref(), current::KEY);
        let mut object = read().await?;
        if object.is_none()
            && let Some(key) = self.unnamed().await?.first()
        {
            // Another run may have begun in between.
            object = read().await?;
            if object.is_none() {
                return Err(self.deleted(&format!("it was deleted, and {key} is there")));
            }
        }
        Ok(match object {
            Some(object) => Seen {
                current: Current::parse(&name(self.objects.as_ref(), current::KEY), &object.bytes)?,
                condition: Condition::Version(object.etag),
            },
            None => Seen {
                current: Current::empty(),
                condition: Condition::New,
            },
        })
    }

    /// What runs have written, where nothing says which of it is current.
    pub(super) async fn unnamed(&self) -> Result<Vec<String>, StateError> {
        let mut keys = list(self.objects.as_ref(), "").await?;
        keys.retain(|key| is_written_by_runs(key));
        Ok(keys)
    }

    /// What `current` names, and what of state and journal is not there.
    async fn named(&self, current: &Current) -> Result<(Found, Vec<String>), StateError> {
        let content = async |key: &Option<String>| match key {
            Some(key) => get(self.objects.as_ref(), key).await.map(Some),
            None => Ok(None),
        };
        let (state, history, journal) = futures::try_join!(
            content(&current.state),
            content(&current.history),
            self.batches(current.journal.as_deref()),
        )?;
        let missing = |found: &Option<Option<_>>| matches!(found, Some(None));
        let mut gone = Vec::new();
        if missing(&state) {
            gone.extend(current.state.clone());
        }
        if journal.is_none() {
            gone.extend(current.journal.clone());
        }
        let bytes = |found: Option<Option<super::Object>>| found.flatten().map(|o| o.bytes);
        let found = Found {
            history_gone: missing(&history),
            state: bytes(state),
            journal: journal.flatten(),
            history: bytes(history),
        };
        Ok((found, gone))
    }

    /// The batches of a journal, one behind the other; `None` when one of them is not there.
    async fn batches(&self, folder: Option<&str>) -> Result<Option<Option<Vec<u8>>>, StateError> {
        let Some(folder) = folder else {
            return Ok(Some(None));
        };
        let objects = self.objects.as_ref();
        let keys = list(objects, folder).await?;
        let whole = (1..).zip(&keys).all(|(n, key)| *key == batch(folder, n));
        if keys.is_empty() || !whole {
            return Ok(None);
        }
        let parts: Vec<_> = stream::iter(keys)
            .map(|key| async move { get(objects, &key).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let parts: Option<Vec<Vec<u8>>> = parts.into_iter().map(|p| p.map(|o| o.bytes)).collect();
        Ok(parts.map(|parts| Some(parts.concat())))
    }

    /// Locked by this holder, unless it is certainly dead.
    pub(super) fn check(&self, current: &Current) -> Result<(), StateError> {
        match &current.lock {
            Some(owner) if self.processes.fate(owner) != Fate::Dead => {
                Err(StateError::Locked(Box::new(owner.holder.clone())))
            }
            _ => Ok(()),
        }
    }

    /// Writes `current.json`, unless somebody else has written it meanwhile.
    pub(super) async fn write(
        &self,
        next: &mut Current,
        condition: &Condition,
    ) -> Result<Wrote, StateError> {
        let text = next.next();
        put(self.objects.as_ref(), current::KEY, &text, condition).await
    }

    /// Ends a journal: nobody can add to it any more.
    async fn seal(&self, folder: &str) -> Result<(), StateError> {
        let objects = self.objects.as_ref();
        loop {
            let keys = list(objects, folder).await?;
            // A journal that was deleted is an error of whoever reads it.
            let Some(last) = keys.last() else {
                return Ok(());
            };
            if get(objects, last)
                .await?
                .is_some_and(|o| o.bytes.is_empty())
            {
                return Ok(());
            }
            let key = batch(folder, keys.len() as u64 + 1);
            // When a batch of the former holder was faster, the seal goes behind that one.
            if let Wrote::Done(_) = put(objects, &key, b"", &Condition::New).await? {
                return Ok(());
            }
        }
    }

    /// Deletes what runs of earlier epochs left behind and nothing names, but for seals. A run whose lock was taken over cannot name
    /// any of it again, and what later runs write has a later epoch.
    async fn sweep(&self, current: &Current) -> Result<(), StateError> {
        let objects = self.objects.as_ref();
        let mut keys = list(objects, "").await?;
        keys.retain(|key| {
            let old = epoch_of(key).is_some_and(|epoch| epoch < current.epoch);
            old && !key.starts_with(DAMAGED) && !current.named().any(|n| key.starts_with(n))
        });
        let seals = self.seals(&keys).await?;
        keys.retain(|key| !seals.contains(key));
        if keys.is_empty() {
            return Ok(());
        }
        let deleted = objects.delete(&keys).await;
        deleted.map_err(|trouble| remote(objects, "deleting", "", trouble))
    }

    /// Those of these keys that are the seal of a journal: its last object, when it is empty.
    async fn seals(&self, keys: &[String]) -> Result<HashSet<String>, StateError> {
        let batches = keys.iter().filter_map(|key| journal_of(key).zip(Some(key)));
        let last: BTreeMap<&str, &String> = batches.collect();
        let mut seals = HashSet::new();
        for key in last.into_values() {
            let object = get(self.objects.as_ref(), key).await?;
            if object.is_some_and(|object| object.bytes.is_empty()) {
                seals.insert(key.clone());
            }
        }
        Ok(seals)
    }

    /// Takes the lock of nobody or of a dead process.
    async fn take(&self, command: &str) -> Result<Lease, StateError> {
        loop {
            let Seen {
                mut current,
                condition,
            } = self.current().await?;
            self.check(&current)?;
            let orderly = current.lock.is_none();
            let me = self.processes.this(command);
            current.epoch += 1;
            current.lock = Some(me);
            if let Wrote::Done(etag) = self.write(&mut current, &condition).await? {
                let mut lease = Lease::new(self.objects.clone(), current, etag);
                if let Err(error) = self.own(&lease.current, orderly).await {
                    // What cannot be finished is not kept; the error is the one that counts.
                    let _ = lease.release().await;
                    return Err(error);
                }
                return Ok(lease);
            }
        }
    }

    /// What comes first with a lock that was just taken.
    async fn own(&self, current: &Current, orderly: bool) -> Result<(), StateError> {
        if let Some(folder) = &current.journal {
            self.seal(folder).await?;
        }
        if orderly {
            return Ok(());
        }
        self.sweep(current).await
    }
}

#[async_trait]
impl Store for ObjectStore {
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

    /// What `current.json` names is never changed, and deleted only after `current.json` names something else: when it is still
    /// the same after everything was read, all of that belongs together.
    async fn find(&self) -> Result<Found, StateError> {
        let mut seen = self.current().await?;
        for _ in 0..READS {
            let (found, gone) = self.named(&seen.current).await?;
            let whole = gone.is_empty() && !found.history_gone;
            let steady = whole && seen.current.journal.is_none();
            let now = if steady {
                None
            } else {
                Some(self.current().await?)
            };
            match now {
                None => return Ok(found),
                Some(now) if now.condition != seen.condition => seen = now,
                Some(_) if gone.is_empty() => return Ok(found),
                Some(_) => {
                    let text = format!("of what it names, {} was deleted", gone.join(", "));
                    return Err(self.deleted(&text));
                }
            }
        }
        Err(StateError::Remote {
            doing: "reading",
            path: name(self.objects.as_ref(), current::KEY),
            text: "it was written again and again while it was read".into(),
            hint: Some("run the same command again".into()),
        })
    }

    async fn lock(&self, command: &str) -> Result<Box<dyn Held>, StateError> {
        let mut slot = self.lease.lock().await;
        if let Some(former) = slot.take() {
            // An earlier writer of this process has ended.
            former.lock().await.release().await?;
        }
        let lease = Arc::new(Mutex::new(self.take(command).await?));
        *slot = Some(lease.clone());
        Ok(Box::new(ObjectHeld::new(lease)))
    }

    async fn release(&self) -> Result<(), StateError> {
        match self.lease.lock().await.take() {
            Some(lease) => lease.lock().await.release().await,
            None => Ok(()),
        }
    }

    async fn holder(&self) -> Result<Option<Holder>, StateError> {
        let owner = self.current().await?.current.lock;
        let owner = owner.filter(|o| self.processes.fate(o) != Fate::Dead);
        Ok(owner.map(|o| o.holder))
    }

    /// Refuses while the holder is certainly alive, that is when it runs on this machine.
    async fn break_lock(&self) -> Result<Option<Holder>, StateError> {
        loop {
            let Seen {
                mut current,
                condition,
            } = self.current().await?;
            let Some(owner) = current.lock.take() else {
                return Ok(None);
            };
            if self.processes.fate(&owner) == Fate::Alive {
                return Err(StateError::Locked(Box::new(owner.holder)));
            }
            if let Wrote::Done(_) = self.write(&mut current, &condition).await? {
                if let Some(folder) = &current.journal {
                    self.seal(folder).await?;
                }
                return Ok(Some(owner.holder));
            }
        }
    }

    async fn set_aside(&self, part: Part) -> Result<Vec<String>, StateError> {
        self.aside(part).await
    }
}

/// True for the key of a state, a history or a batch of a journal.
fn is_written_by_runs(key: &str) -> bool {
    let folders = ["state/", "history/", "journal/"];
    folders.iter().any(|folder| key.starts_with(folder))
}

impl ObjectStore {
    /// Something that must be there is not, and no run has to do with that.
    fn deleted(&self, why: &str) -> StateError {
        StateError::Damaged {
            path: name(self.objects.as_ref(), current::KEY),
            line: None,
            why: why.to_owned(),
            hint: VERSIONS,
        }
    }
}
