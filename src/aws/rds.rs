//! Batched RDS reads. RDS names its things itself, so a listing answers everything: clusters and instances can be
//! filtered by many names at once (`db-cluster-id`, `db-instance-id`), the group listings take no filter ("Filters:
//! This parameter isn't currently supported") and are read whole, 100 a page. None of it grows with what we own.

use super::call::{Caller, read};
use super::reader::Reader;
use crate::engine::Fault;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{self as t, Filter, Tag};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Names in one filter.
const NAMES: usize = 100;

/// A thing of RDS with the name that identifies it in account and region.
pub trait Named: Clone + Send + Sync + 'static {
    /// Its identifier; RDS stores it in lower case.
    fn name(&self) -> Option<&str>;
}

/// What is asked of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wanted {
    All,
    Name(String),
}

/// A batched reader of one Describe call.
pub struct Listing<V>(Reader<Wanted, Vec<V>>);

impl<V: Named> Listing<V> {
    /// A reader over a function that lists the things with these names, or all; all pages. It may answer more than was
    /// asked for.
    pub fn new(
        fetch: impl Fn(Option<Vec<String>>) -> BoxFuture<'static, Result<Vec<V>, Fault>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let fetch = Arc::new(fetch);
        Self(Reader::new(move |keys| {
            let fetch = fetch.clone();
            async move {
                let names: Vec<String> = keys
                    .iter()
                    .filter_map(|key| match key {
                        Wanted::Name(name) => Some(name.clone()),
                        Wanted::All => None,
                    })
                    .collect();
                let mut out: HashMap<Wanted, Vec<V>> = HashMap::new();
                if names.len() < keys.len() {
                    let all = fetch(None).await?;
                    keep(&mut out, &all, &names);
                    out.insert(Wanted::All, all);
                } else {
                    for chunk in names.chunks(NAMES) {
                        let some = fetch(Some(chunk.to_vec())).await?;
                        keep(&mut out, &some, chunk);
                    }
                }
                Ok(out)
            }
            .boxed()
        }))
    }

    /// The thing with this name.
    pub async fn named(&self, name: &str) -> Result<Option<V>, Fault> {
        let found = self.0.get(Wanted::Name(name.to_owned())).await?;
        Ok(found.and_then(|mut hits| hits.pop()))
    }

    /// Everything of this kind in account and region.
    pub async fn all(&self) -> Result<Vec<V>, Fault> {
        Ok(self.0.get(Wanted::All).await?.unwrap_or_default())
    }
}

fn keep<V: Named>(out: &mut HashMap<Wanted, Vec<V>>, found: &[V], names: &[String]) {
    for name in names {
        let hit = found
            .iter()
            .find(|v| v.name().is_some_and(|n| n.eq_ignore_ascii_case(name)));
        if let Some(hit) = hit {
            out.insert(Wanted::Name(name.clone()), vec![hit.clone()]);
        }
    }
}

/// Tags as a map.
pub fn rds_tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    let pair = |t: &Tag| {
        Some((
            t.key()?.to_owned(),
            t.value().unwrap_or_default().to_owned(),
        ))
    };
    tags.iter().filter_map(pair).collect()
}

/// A filter for a listing that knows one.
fn by_name(filter: &str, names: Option<Vec<String>>) -> Option<Vec<Filter>> {
    let filter = Filter::builder().name(filter).set_values(Some(names?));
    Some(vec![filter.build()])
}

/// A reader over a paginated Describe call; `filter` names the one that takes identifiers, or is empty.
macro_rules! listing {
    ($client:expr, $caller:expr, $operation:literal, $method:ident, $items:ident, $filter:literal) => {{
        let (client, caller): (Client, Arc<Caller>) = ($client.clone(), $caller.clone());
        Listing::new(move |names: Option<Vec<String>>| {
            let (client, caller) = (client.clone(), caller.clone());
            let filters = by_name($filter, names).filter(|_| !$filter.is_empty());
            async move {
                let mut all = Vec::new();
                let mut marker: Option<String> = None;
                loop {
                    let page = caller
                        .call(read("rds", $operation), || {
                            client
                                .$method()
                                .set_filters(filters.clone())
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
    ($($(#[$doc:meta])* $field:ident: $type:ty = $operation:literal, $method:ident, $items:ident, $filter:literal, $name:ident;)*) => {
        /// One batched reader per Describe call.
        pub struct RdsReaders {
            $($(#[$doc])* pub $field: Listing<$type>,)*
            /// Held by whoever reboots an instance: one at a time, so that a cluster keeps instances that serve.
            pub reboots: tokio::sync::Mutex<()>,
            tags: Reader<String, BTreeMap<String, String>>,
        }

        impl RdsReaders {
            pub(super) fn new(client: &Client, caller: &Arc<Caller>) -> Self {
                Self {
                    $($field: listing!(client, caller, $operation, $method, $items, $filter),)*
                    reboots: tokio::sync::Mutex::default(),
                    tags: tags(client, caller),
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
    clusters: t::DbCluster = "DescribeDBClusters", describe_db_clusters, db_clusters, "db-cluster-id", db_cluster_identifier;
    /// DescribeDBInstances.
    instances: t::DbInstance = "DescribeDBInstances", describe_db_instances, db_instances, "db-instance-id", db_instance_identifier;
    /// DescribeDBSubnetGroups.
    subnet_groups: t::DbSubnetGroup = "DescribeDBSubnetGroups", describe_db_subnet_groups, db_subnet_groups, "", db_subnet_group_name;
    /// DescribeDBClusterParameterGroups.
    cluster_parameter_groups: t::DbClusterParameterGroup = "DescribeDBClusterParameterGroups", describe_db_cluster_parameter_groups, db_cluster_parameter_groups, "", db_cluster_parameter_group_name;
    /// DescribeDBParameterGroups.
    parameter_groups: t::DbParameterGroup = "DescribeDBParameterGroups", describe_db_parameter_groups, db_parameter_groups, "", db_parameter_group_name;
}

impl RdsReaders {
    /// Tags of a group (its Describe call does not tell them): one call per ARN and tick. `None` when it is gone.
    pub async fn tags(&self, arn: &str) -> Result<Option<BTreeMap<String, String>>, Fault> {
        self.tags.get(arn.to_owned()).await
    }
}

fn tags(client: &Client, caller: &Arc<Caller>) -> Reader<String, BTreeMap<String, String>> {
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
                    Err(fault) if fault.is_not_found() => Ok(None),
                    Err(fault) => Err(fault),
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
    use std::sync::Mutex;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(&'static str);
    impl Named for Thing {
        fn name(&self) -> Option<&str> {
            Some(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn names_of_one_tick_leave_as_one_filter_and_a_wish_for_all_serves_them_too() {
        let asked: Arc<Mutex<Vec<Option<Vec<String>>>>> = Arc::default();
        let log = asked.clone();
        let listing = Listing::new(move |names| {
            log.lock().unwrap().push(names);
            async { Ok(vec![Thing("a"), Thing("b"), Thing("foreign")]) }.boxed()
        });
        let (a, b, none) = tokio::join!(
            listing.named("a"),
            listing.named("B"),
            listing.named("gone")
        );
        assert_eq!(
            (a, b, none),
            (Ok(Some(Thing("a"))), Ok(Some(Thing("b"))), Ok(None))
        );
        let (a, all) = tokio::join!(listing.named("a"), listing.all());
        assert_eq!((a, all.unwrap().len()), (Ok(Some(Thing("a"))), 3));
        let calls = asked.lock().unwrap().clone();
        let names = ["a", "B", "gone"].map(str::to_owned).to_vec();
        assert_eq!(calls, [Some(names), None]);
    }
}
