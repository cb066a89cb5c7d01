//! Batched RDS reads. RDS names its things itself, so one whole listing answers everybody: who looks for a name, and the
//! search for marked things. Groups could not be filtered anyway ("Filters: This parameter isn't currently supported"),
//! and clusters and instances are few (40 of each by default): a page of 100 is one call, whatever we own.

use super::call::{Caller, read};
use super::reader::Reader;
use crate::engine::Error;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{self as t, Tag};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How old a listing may be for the search of marked things, which runs beside the reads of recorded ones.
const FRESH: Duration = Duration::from_secs(2);

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// A thing of RDS with the name that identifies it in account and region.
pub trait Named: Clone + Send + Sync + 'static {
    /// Its identifier; RDS stores it in lower case.
    fn name(&self) -> Option<&str>;
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
        let all = self.reader.get(()).await?.unwrap_or_default();
        let is_it = |v: &&V| v.name().is_some_and(|n| n.eq_ignore_ascii_case(name));
        Ok(all.iter().find(is_it).cloned())
    }

    /// Everything of this kind in account and region, as of a moment ago.
    pub async fn all(&self) -> Result<Arc<Vec<V>>, Error> {
        if let Some((at, all)) = self.last.lock().await.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(all.clone());
        }
        Ok(self.reader.get(()).await?.unwrap_or_default())
    }
}

/// Tags as a map.
pub fn rds_tags_of(tags: &[Tag]) -> Tags {
    let pair = |t: &Tag| {
        Some((
            t.key()?.to_owned(),
            t.value().unwrap_or_default().to_owned(),
        ))
    };
    tags.iter().filter_map(pair).collect()
}

/// A reader over a paginated Describe call.
macro_rules! listing {
    ($client:expr, $caller:expr, $operation:literal, $method:ident, $items:ident) => {{
        let (client, caller): (Client, Arc<Caller>) = ($client.clone(), $caller.clone());
        Listing::new(move || {
            let (client, caller) = (client.clone(), caller.clone());
            async move {
                let mut all = Vec::new();
                let mut marker: Option<String> = None;
                loop {
                    let page = caller
                        .call(read("rds", $operation), || {
                            client
                                .$method()
                                .max_records(100)
                                .set_marker(marker.clone())
                                .send()
                        })
                        .await?;
                    marker = page.marker().filter(|m| !m.is_empty()).map(str::to_owned);
                    all.extend(page.$items.unwrap_or_default());
                    if marker.is_none() {
                        return Ok(all);
                    }
                }
            }
            .boxed()
        })
    }};
}

macro_rules! readers {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $operation:literal, $method:ident, $items:ident, $name:ident;)*) => {
        /// RDS: its client and one batched reader per Describe call.
        pub struct Rds {
            /// The client.
            pub client: Client,
            $($(#[$doc])* pub $field: Listing<$type>,)*
            /// Held by whoever reboots an instance: one at a time, so that a cluster keeps instances that serve.
            pub reboots: Mutex<()>,
            tags: Reader<String, Tags>,
        }

        impl Rds {
            pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
                let client = Client::new(config);
                Self {
                    $($field: listing!(client, caller, $operation, $method, $items),)*
                    reboots: Mutex::default(),
                    tags: tags(&client, caller),
                    client,
                }
            }
        }

        $(impl Named for $type {
            fn name(&self) -> Option<&str> {
                self.$name()
            }
        })*
    };
}

readers! {
    /// DescribeDBClusters.
    clusters: t::DbCluster = "DescribeDBClusters", describe_db_clusters, db_clusters, db_cluster_identifier;
    /// DescribeDBInstances.
    instances: t::DbInstance = "DescribeDBInstances", describe_db_instances, db_instances, db_instance_identifier;
    /// DescribeDBSubnetGroups.
    subnet_groups: t::DbSubnetGroup = "DescribeDBSubnetGroups", describe_db_subnet_groups, db_subnet_groups, db_subnet_group_name;
    /// DescribeDBClusterParameterGroups.
    cluster_parameter_groups: t::DbClusterParameterGroup = "DescribeDBClusterParameterGroups", describe_db_cluster_parameter_groups, db_cluster_parameter_groups, db_cluster_parameter_group_name;
    /// DescribeDBParameterGroups.
    parameter_groups: t::DbParameterGroup = "DescribeDBParameterGroups", describe_db_parameter_groups, db_parameter_groups, db_parameter_group_name;
}

impl Rds {
    /// Tags of a group (its Describe call does not tell them): one call per ARN and tick. `None` when it is gone.
    pub async fn tags(&self, arn: &str) -> Result<Option<Tags>, Error> {
        self.tags.get(arn.to_owned()).await
    }
}

fn tags(client: &Client, caller: &Arc<Caller>) -> Reader<String, Tags> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |arns: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let one = async |arn: String| {
                let answer = caller.call(read("rds", "ListTagsForResource"), || {
                    client.list_tags_for_resource().resource_name(&arn).send()
                });
                match answer.await {
                    Ok(found) => Ok(Some((arn, rds_tags_of(found.tag_list())))),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
            };
            let all = try_join_all(arns.into_iter().map(one)).await?;
            Ok(all.into_iter().flatten().collect())
        }
        .boxed()
    })
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
