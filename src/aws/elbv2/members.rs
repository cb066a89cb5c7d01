//! What is in a load balancer or a listener: one call for each of them, however many ask.

use super::super::call::Caller;
use super::super::reader::Reader;
use super::super::recent::HandedOver;
use crate::engine::Error;
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) type Fetched<V> = BoxFuture<'static, Result<Vec<V>, Error>>;

/// The last answer about a parent.
type Kept<V> = HandedOver<Option<Arc<Vec<V>>>>;

/// What is in a parent, by the parent's ARN; the last answer is kept for the search that runs beside a refresh.
pub(super) struct Members<V> {
    reader: Reader<String, Arc<Vec<V>>>,
    caller: Arc<Caller>,
    kept: Mutex<HashMap<String, Kept<V>>>,
}

impl<V: Send + Sync + 'static> Members<V> {
    pub(super) fn new(
        fetch: impl Fn(String) -> Fetched<V> + Send + Sync + 'static,
        caller: &Arc<Caller>,
    ) -> Self {
        Self {
            reader: each(fetch),
            caller: caller.clone(),
            kept: Mutex::default(),
        }
    }

    /// `None` when the parent does not exist.
    pub(super) async fn now(&self, parent: &str) -> Result<Option<Arc<Vec<V>>>, Error> {
        let read = self.reader.get(parent.to_owned());
        self.kept(parent).keep(&self.caller, read).await
    }

    /// The same as a refresh has just listed it; nothing when the parent does not exist.
    pub(super) async fn as_listed(&self, parent: &str) -> Result<Arc<Vec<V>>, Error> {
        let all = match self.kept(parent).take(&self.caller) {
            Some(all) => all,
            None => self.reader.get(parent.to_owned()).await?,
        };
        Ok(all.unwrap_or_default())
    }

    fn kept(&self, parent: &str) -> HandedOver<Option<Arc<Vec<V>>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(parent.to_owned()).or_default().clone()
    }
}

/// A reader that sends one call for each key, however many ask for it.
fn each<V: Send + Sync + 'static>(
    fetch: impl Fn(String) -> Fetched<V> + Send + Sync + 'static,
) -> Reader<String, Arc<Vec<V>>> {
    Reader::new(move |keys: Vec<String>| {
        let asks: Vec<_> = keys
            .into_iter()
            .map(|key| (fetch(key.clone()), key))
            .collect();
        async move {
            let one = async |(answer, key): (Fetched<V>, String)| match answer.await {
                Ok(found) => Ok(Some((key, Arc::new(found)))),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            };
            let all = try_join_all(asks.into_iter().map(one)).await?;
            Ok(all.into_iter().flatten().collect())
        }
        .boxed()
    })
}
