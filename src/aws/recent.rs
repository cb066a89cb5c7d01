//! Tags that were read a moment ago. The search for marked but unrecorded things runs beside the reads of recorded ones
//! and needs the same tags; asking twice would double the calls of a drift.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tokio::time::Instant;

/// How long what was read counts as fresh enough for a search.
const FRESH: Duration = Duration::from_secs(60);

type Tags = BTreeMap<String, String>;

/// Tags by ARN, with the instant they were read at.
#[derive(Default)]
pub struct RecentTags {
    known: Mutex<HashMap<String, (Instant, Tags)>>,
    refresh: Arc<RwLock<()>>,
}

/// A refresh that is under way; whoever looks for recent tags waits until it is dropped.
pub struct Refreshing(#[expect(dead_code, reason = "held for its drop")] OwnedRwLockReadGuard<()>);

impl RecentTags {
    /// Remembers what a resource type just read.
    pub fn note(&self, arn: &str, tags: &Tags) {
        let entry = (Instant::now(), tags.clone());
        self.lock().insert(arn.to_owned(), entry);
    }

    /// Says that a refresh begins, which will note the tags of everything recorded.
    pub async fn refreshing(&self) -> Refreshing {
        Refreshing(self.refresh.clone().read_owned().await)
    }

    /// What was read in the last minute, or is being read by a refresh that is under way.
    pub async fn get(&self, arn: &str) -> Option<Tags> {
        drop(self.refresh.write().await);
        let known = self.lock();
        let (at, tags) = known.get(arn)?;
        (at.elapsed() < FRESH).then(|| tags.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Tags)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tags_are_remembered_for_a_minute() {
        let recent = RecentTags::default();
        assert_eq!(recent.get("a").await, None);
        recent.note("a", &Tags::new());
        assert_eq!(recent.get("a").await, Some(Tags::new()));
        tokio::time::advance(FRESH).await;
        assert_eq!(recent.get("a").await, None);
    }
}
