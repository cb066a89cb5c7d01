//! A list of everything of one kind in account and region: read once for all who ask for a name at the same time, and for the search of
//! marked things that runs beside them.

use super::reader::Reader;
use crate::engine::Error;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How old a listing may be for the search of marked things, which runs beside the reads of recorded ones.
const FRESH: Duration = Duration::from_secs(2);

/// A thing with the name that identifies it in account and region.
pub trait Named: Clone + Send + Sync + 'static {
    /// Its name or identifier.
    fn name(&self) -> Option<&str>;

    /// True for the one with this name; RDS stores identifiers in lower case.
    fn is(&self, name: &str) -> bool {
        self.name().is_some_and(|n| n.eq_ignore_ascii_case(name))
    }
}

/// What was last read, with the instant. Held while it is being read, so that a search waits for an answer on its way.
type Last<V> = Arc<Mutex<Option<(Instant, Arc<Vec<V>>)>>>;

/// A batched reader of one Describe call.
pub struct Listing<V> {
    reader: Reader<(), Arc<Vec<V>>>,
    last: Last<V>,
}

impl<V: Named> Listing<V> {
    /// A reader over a function that lists everything, all pages.
    pub fn new(
        fetch: impl Fn() -> BoxFuture<'static, Result<Vec<V>, Error>> + Send + Sync + 'static,
    ) -> Self {
        let last = Last::<V>::default();
        let (fetch, keep) = (Arc::new(fetch), last.clone());
        let reader = Reader::new(move |_| {
            let (fetch, keep) = (fetch.clone(), keep.clone());
            async move {
                let mut keep = keep.lock().await;
                let all = Arc::new(fetch().await?);
                *keep = Some((Instant::now(), all.clone()));
                Ok(HashMap::from([((), all)]))
            }
            .boxed()
        });
        Self { reader, last }
    }

    /// The thing with this name, as of now.
    pub async fn named(&self, name: &str) -> Result<Option<V>, Error> {
        let all = self.now().await?;
        Ok(all.iter().find(|v| v.is(name)).cloned())
    }

    /// Everything of this kind in account and region, as of now.
    pub async fn now(&self) -> Result<Arc<Vec<V>>, Error> {
        Ok(self.reader.get(()).await?.unwrap_or_default())
    }

    /// Everything of this kind in account and region, as of a moment ago.
    pub async fn all(&self) -> Result<Arc<Vec<V>>, Error> {
        if let Some((at, all)) = self.last.lock().await.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(all.clone());
        }
        self.now().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(&'static str);
    impl Named for Thing {
        fn name(&self) -> Option<&str> {
            Some(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_listing_answers_all_names_and_a_search_that_starts_a_little_later() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let listing = Listing::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Ok(vec![Thing("a"), Thing("b"), Thing("foreign")])
            }
            .boxed()
        });
        let search = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            listing.all().await.map(|all| all.len())
        };
        let found = tokio::join!(
            listing.named("a"),
            listing.named("B"),
            listing.named("gone"),
            search
        );
        let thing = |name| Ok(Some(Thing(name)));
        assert_eq!(found, (thing("a"), thing("b"), Ok(None), Ok(3)));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(listing.named("a").await, Ok(Some(Thing("a"))));
        assert_eq!(calls.load(Ordering::Relaxed), 2, "a look is always fresh");
    }
}
