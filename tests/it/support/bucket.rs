//! A bucket as S3 is one: strongly consistent, with writes on conditions. What was sent is done even when its sender is dead by
//! then; answers get lost, and writes at the same time get in each other's way.

use async_trait::async_trait;
use deployer::state::{
    Condition, Fate, Holder, Object, Objects, Owner, Processes, PutError, Trouble,
};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

type Content = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

pub struct Bucket {
    content: Content,
    rng: Mutex<Rng>,
    /// Percent of the writes that something happens to.
    pub trouble: AtomicU8,
}

/// Like S3's for objects that S3's own keys encrypt: the same content has the same version.
fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn write(
    content: &Content,
    key: &str,
    bytes: &[u8],
    condition: &Condition,
) -> Result<String, PutError> {
    let mut content = content.lock().unwrap();
    let holds = match (content.get(key), condition) {
        (found, Condition::New) => found.is_none(),
        (Some(found), Condition::Version(version)) => etag(found) == *version,
        (None, Condition::Version(_)) => false,
    };
    if !holds {
        return Err(PutError::Refused);
    }
    content.insert(key.to_owned(), bytes.to_vec());
    Ok(etag(bytes))
}

fn lost() -> PutError {
    PutError::Unclear(Trouble {
        text: "the connection was closed".into(),
        hint: None,
    })
}

impl Bucket {
    pub fn new(rng: Rng) -> Self {
        Self {
            content: Content::default(),
            rng: Mutex::new(rng),
            trouble: 0.into(),
        }
    }

    /// Everything that is in it.
    pub fn keys(&self) -> Vec<String> {
        self.content.lock().unwrap().keys().cloned().collect()
    }

    fn millis(&self, most: u64) -> Duration {
        Duration::from_millis(self.rng.lock().unwrap().u64(0..=most))
    }

    /// Half the way of a call.
    async fn way(&self) {
        let time = self.millis(15);
        tokio::time::sleep(time).await;
    }
}

#[async_trait]
impl Objects for Bucket {
    fn home(&self) -> &str {
        "s3://bucket/t"
    }

    async fn get(&self, key: &str) -> Result<Option<Object>, Trouble> {
        self.way().await;
        let found = self.content.lock().unwrap().get(key).cloned();
        self.way().await;
        Ok(found.map(|bytes| Object {
            etag: etag(&bytes),
            bytes,
        }))
    }

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, PutError> {
        let trouble = {
            let mut rng = self.rng.lock().unwrap();
            let strikes = rng.u8(0..100) < self.trouble.load(Relaxed);
            strikes.then(|| rng.u8(0..4))
        };
        if trouble == Some(0) {
            self.way().await;
            return Err(PutError::Busy);
        }
        let late = trouble == Some(1);
        let there = self.millis(if late { 3_000 } else { 15 });
        let (done, answer) = oneshot::channel();
        let (content, key, when) = (self.content.clone(), key.to_owned(), condition.clone());
        let repeated = trouble == Some(2);
        tokio::spawn(async move {
            tokio::time::sleep(there).await;
            let mut written = write(&content, &key, &bytes, &when);
            if repeated {
                // The answer got lost, and the call was sent again.
                written = write(&content, &key, &bytes, &when);
            }
            let _ = done.send(written);
        });
        if late {
            self.way().await;
            return Err(lost());
        }
        let written = answer.await.unwrap();
        self.way().await;
        if trouble == Some(3) {
            return Err(lost());
        }
        written
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Trouble> {
        self.way().await;
        let mut keys = self.keys();
        keys.retain(|key| key.starts_with(prefix));
        self.way().await;
        Ok(keys)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), Trouble> {
        let time = self.millis(15);
        let (content, keys) = (self.content.clone(), keys.to_vec());
        let deleted = tokio::spawn(async move {
            for key in keys {
                tokio::time::sleep(time / 4).await;
                content.lock().unwrap().remove(&key);
            }
        });
        deleted.await.unwrap();
        Ok(())
    }
}

/// Processes that are numbers.
pub struct Runs {
    next: AtomicU64,
    others: Fate,
}

impl Runs {
    /// On one machine, where the one before is dead when the next one begins.
    pub fn one_at_a_time() -> Self {
        Self {
            next: 0.into(),
            others: Fate::Dead,
        }
    }

    /// On machines of their own.
    pub fn elsewhere() -> Self {
        Self {
            next: 0.into(),
            others: Fate::Unknown,
        }
    }
}

impl Processes for Runs {
    fn this(&self, command: &str) -> Owner {
        let n = self.next.fetch_add(1, Relaxed);
        Owner {
            holder: Holder {
                who: "seed".into(),
                host: format!("host-{n}"),
                pid: 1,
                command: command.to_owned(),
                since: jiff::Timestamp::UNIX_EPOCH,
            },
            run: format!("{n:016x}"),
            process: None,
        }
    }

    fn fate(&self, _: &Owner) -> Fate {
        self.others
    }
}
