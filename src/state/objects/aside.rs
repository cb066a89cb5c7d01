//! Damaged objects are kept under another name, before something else takes their place.

use super::current::{self, Current, DAMAGED, epoch_of};
use super::store::ObjectStore;
use super::{Condition, Wrote, get, list, name, put};
use crate::state::StateError;
use crate::state::store::Part;

impl ObjectStore {
    /// Keeps what is damaged, and names it no longer.
    pub(super) async fn aside(&self, part: Part) -> Result<Vec<String>, StateError> {
        let objects = self.objects.as_ref();
        let found = get(objects, current::KEY).await?;
        let parsed = found.as_ref().map(|object| {
            let path = name(objects, current::KEY);
            Current::parse(&path, &object.bytes)
        });
        let mut keys = Vec::new();
        let mut next = match parsed {
            Some(Ok(current)) => {
                self.check(&current)?;
                let mut next = current.clone();
                match part {
                    Part::State => {
                        let folder = current.journal.as_deref();
                        if let Some(folder) = folder {
                            keys.extend(list(objects, folder).await?);
                        }
                        keys.extend(current.state);
                        (next.lock, next.state, next.journal) = (None, None, None);
                    }
                    Part::History => keys.extend(next.history.take()),
                }
                next
            }
            // Which of what is there was current is not known: all of it is kept, and later runs have later epochs.
            _ => {
                keys = self.unnamed().await?;
                keys.extend(found.as_ref().map(|_| current::KEY.to_owned()));
                let epochs = keys.iter().filter_map(|key| epoch_of(key));
                let mut next = Current::empty();
                next.epoch = epochs.max().unwrap_or_default();
                next
            }
        };
        let at = jiff::Timestamp::now().as_second().to_string();
        let mut kept = Vec::new();
        for key in keys {
            if let Some(object) = get(objects, &key).await? {
                kept.push(self.keep(&at, &key, &object.bytes).await?);
            }
        }
        let condition = match found {
            Some(object) => Condition::Version(object.etag),
            None => Condition::New,
        };
        match self.write(&mut next, &condition).await? {
            Wrote::Done(_) => Ok(kept),
            Wrote::Not => {
                self.check(&self.current().await?.current)?;
                Err(StateError::Remote {
                    doing: "writing",
                    path: name(objects, current::KEY),
                    text: "another run wrote it meanwhile".into(),
                    hint: Some("run the same command again".into()),
                })
            }
        }
    }

    /// The content of an object under a name that no run writes or deletes.
    async fn keep(&self, at: &str, key: &str, bytes: &[u8]) -> Result<String, StateError> {
        let objects = self.objects.as_ref();
        let kept = format!("{DAMAGED}{at}/{key}");
        match put(objects, &kept, bytes, &Condition::New).await? {
            Wrote::Done(_) => Ok(name(objects, &kept).display().to_string()),
            Wrote::Not => Err(StateError::Remote {
                doing: "writing",
                path: name(objects, &kept),
                text: "there is another object of this name".into(),
                hint: None,
            }),
        }
    }
}
