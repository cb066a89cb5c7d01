//! Batched reads: keys that are asked for within one tick leave as one call, and the answers are handed back.

use crate::engine::Error;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Keys are collected until none has come for two of these. Short against an AWS call, long against the scheduling of
/// tasks; on a busy machine a refresh takes more than one tick to ask for everything, and must not leave as two calls.
const TICK: Duration = Duration::from_millis(20);
/// Ticks without a new key before the keys leave.
const QUIET: u32 = 2;

/// Keys that leave without waiting for more.
const FULL: usize = 1000;

type Answers<K, V> = Result<HashMap<K, V>, Error>;
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Answers<K, V>> + Send + Sync;
type Waiting<K, V> = Vec<(K, oneshot::Sender<Result<Option<V>, Error>>)>;

/// A reader of many keys at once. Cheap to clone.
pub struct Reader<K, V> {
    fetch: Arc<Fetch<K, V>>,
    waiting: Arc<Mutex<Waiting<K, V>>>,
}

impl<K, V> Clone for Reader<K, V> {
    fn clone(&self) -> Self {
        Self {
            fetch: self.fetch.clone(),
            waiting: self.waiting.clone(),
        }
    }
}

impl<K, V> Reader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A reader over a function that fetches many keys at once. Keys without an entry in its answer do not exist.
    pub fn new(
        fetch: impl Fn(Vec<K>) -> BoxFuture<'static, Answers<K, V>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            fetch: Arc::new(fetch),
            waiting: Arc::default(),
        }
    }

    /// Reads one key together with all others of the same tick.
    pub async fn get(&self, key: K) -> Result<Option<V>, Error> {
        let (answer, result) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((key, answer));
            waiting.len() == 1
        };
        if first {
            let reader = self.clone();
            tokio::spawn(async move { reader.flush().await });
        }
        result
            .await
            .unwrap_or_else(|_| Err(Error::permanent("read", "the batched reader has ended")))
    }

    async fn flush(self) {
        let lock = || self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut seen, mut quiet) = (0, 0);
        let group = loop {
            tokio::time::sleep(TICK).await;
            let mut waiting = lock();
            quiet = if waiting.len() == seen { quiet + 1 } else { 0 };
            if quiet >= QUIET || seen >= FULL {
                break std::mem::take(&mut *waiting);
            }
            seen = waiting.len();
        };
        let mut keys: Vec<K> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (key, _) in &group {
            if seen.insert(key.clone()) {
                keys.push(key.clone());
            }
        }
        let answers = (self.fetch)(keys).await;
        for (key, answer) in group {
            let one = match &answers {
                Ok(found) => Ok(found.get(&key).cloned()),
                Err(error) => Err(error.clone()),
            };
            let _ = answer.send(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn keys_that_keep_coming_leave_together() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let reader: Reader<u64, u64> = Reader::new(move |keys| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move { Ok(keys.into_iter().map(|k| (k, k)).collect()) }.boxed()
        });
        let late = |k: u64| {
            let reader = &reader;
            async move {
                tokio::time::sleep(Duration::from_millis(k * 3)).await;
                reader.get(k).await
            }
        };
        let all = futures::future::join_all((0..10).map(late)).await;
        assert!(all.iter().all(|a| matches!(a, Ok(Some(_)))));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_one_tick_leave_as_one_call_and_absent_keys_read_as_none() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let reader: Reader<u32, u32> = Reader::new(move |keys| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                Ok(keys
                    .into_iter()
                    .filter(|k| *k < 10)
                    .map(|k| (k, k * 2))
                    .collect())
            }
            .boxed()
        });
        let all = futures::future::join_all([1, 2, 2, 99].map(|k| reader.get(k))).await;
        assert_eq!(all, [Ok(Some(2)), Ok(Some(4)), Ok(Some(4)), Ok(None)]);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(reader.get(3).await, Ok(Some(6)));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }
}
