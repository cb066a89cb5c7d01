//! Tags that were read a moment ago. The search for marked but unrecorded things runs beside the reads of recorded ones
//! and needs the same tags; asking twice would double the calls of a drift.

use super::call::Caller;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tokio::time::Instant;

/// How long what was read counts as fresh enough for a search.
const FRESH: Duration = Duration::from_secs(60);

type Tags = BTreeMap<String, String>;

/// A thing as it was read: at this instant, with this ARN and these tags.
type Seen = (Instant, String, Tags);

/// Tags by ARN, or by what a listing shows of a thing.
#[derive(Default)]
pub struct RecentTags {
    known: Mutex<HashMap<String, Seen>>,
    handed_over: Mutex<HashMap<String, (Instant, Tags)>>,
    refresh: Arc<RwLock<()>>,
}

/// A refresh that is under way; whoever looks for recent tags waits until it is dropped.
pub struct Refreshing(#[expect(dead_code, reason = "held for its drop")] OwnedRwLockReadGuard<()>);

impl RecentTags {
    /// Remembers what a resource type just read.
    pub fn note(&self, arn: &str, tags: &Tags) {
        self.note_as(arn, arn, tags);
    }

    /// Remembers it by what a listing shows of it, where that is not the ARN.
    pub fn note_as(&self, listed: &str, arn: &str, tags: &Tags) {
        let seen = (Instant::now(), arn.to_owned(), tags.clone());
        self.lock().insert(listed.to_owned(), seen);
    }

    /// Hands tags that were read for the facts over to the read of the refresh that follows.
    pub fn hand_over(&self, arn: &str, tags: &Tags) {
        let seen = (Instant::now(), tags.clone());
        let all = self.handed_over.lock();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        all.insert(arn.to_owned(), seen);
    }

    /// What was handed over, once: a later read follows a change, perhaps.
    pub fn take(&self, arn: &str) -> Option<Tags> {
        let all = self.handed_over.lock();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        let (at, tags) = all.remove(arn)?;
        (at.elapsed() < FRESH).then_some(tags)
    }

    /// Says that a refresh begins, which will note the tags of everything recorded.
    pub async fn refreshing(&self) -> Refreshing {
        Refreshing(self.refresh.clone().read_owned().await)
    }

    /// Waits until a refresh that is under way is over.
    pub async fn refreshed(&self) {
        drop(self.refresh.write().await);
    }

    /// What was read in the last minute, or is being read by a refresh that is under way.
    pub async fn get(&self, arn: &str) -> Option<Tags> {
        Some(self.get_as(arn).await?.1)
    }

    /// The same with the ARN, by what a listing shows of it.
    pub async fn get_as(&self, listed: &str) -> Option<(String, Tags)> {
        self.refreshed().await;
        let known = self.lock();
        let (at, arn, tags) = known.get(listed)?;
        (at.elapsed() < FRESH).then(|| (arn.clone(), tags.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Seen>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was read a moment ago, for whoever needs the same beside it: once, within a minute, and only while this process has changed
/// nothing since the read began.
pub struct HandedOver<T>(Arc<Mutex<Option<Kept<T>>>>);

/// When it was read, what [`Caller::changes`] was then, and what was read.
type Kept<T> = (Instant, u64, T);

impl<T> Default for HandedOver<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for HandedOver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> HandedOver<T> {
    /// Reads, and keeps what was read.
    pub async fn keep<E>(
        &self,
        caller: &Caller,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (at, changes) = (Instant::now(), caller.changes());
        let read = read.await?;
        *self.lock() = Some((at, changes, read.clone()));
        Ok(read)
    }

    /// Takes what is kept.
    pub fn take(&self, caller: &Caller) -> Option<T> {
        let (at, changes, read) = self.lock().take()?;
        (at.elapsed() < FRESH && changes == caller.changes()).then_some(read)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Kept<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::aws;
    use super::*;
    use crate::aws::sns;

    #[tokio::test(start_paused = true)]
    async fn tags_are_remembered_for_a_minute() {
        let recent = RecentTags::default();
        assert_eq!(recent.get("a").await, None);
        recent.note("a", &Tags::new());
        assert_eq!(recent.get("a").await, Some(Tags::new()));
        tokio::time::advance(FRESH).await;
        assert_eq!(recent.get("a").await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_handed_over_is_taken_once_and_in_time() {
        let recent = RecentTags::default();
        let tags = Tags::from([("K".to_owned(), "v".to_owned())]);
        recent.hand_over("a", &tags);
        assert_eq!(recent.take("b"), None);
        assert_eq!(recent.take("a"), Some(tags.clone()));
        assert_eq!(recent.take("a"), None);
        recent.hand_over("a", &tags);
        tokio::time::advance(FRESH).await;
        assert_eq!(recent.take("a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_handed_over_once_in_time_and_unless_something_changed() {
        let aws = aws(200, "{}");
        let caller = &*aws.caller;
        let kept = HandedOver::default();
        let read = async || kept.keep(caller, async { Ok::<_, ()>(1) }).await;
        assert_eq!(kept.take(caller), None);
        assert_eq!(read().await, Ok(1));
        assert_eq!((kept.take(caller), kept.take(caller)), (Some(1), None));
        read().await.unwrap();
        tokio::time::advance(FRESH).await;
        assert_eq!(kept.take(caller), None);
        let call = async |api| {
            drop(aws.call(api, || aws.sns.client.list_topics().send()).await);
        };
        read().await.unwrap();
        call(sns::LIST_TOPICS).await;
        assert_eq!(kept.take(caller), Some(1), "a read changes nothing");
        read().await.unwrap();
        call(sns::DELETE_TOPIC).await;
        assert_eq!(kept.take(caller), None);
        let during = async {
            call(sns::DELETE_TOPIC).await;
            Ok::<_, ()>(1)
        };
        kept.keep(caller, during).await.unwrap();
        assert_eq!(kept.take(caller), None);
    }
}
