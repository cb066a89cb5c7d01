//! Batched reads of log groups. DescribeLogGroups takes fifty names; what it answers when one of them does not exist is not
//! documented, so what that call does not show is looked for by prefix, and names that begin alike share one listing.

use super::api::{ANY, Answer, Api, Bucket, Grant, Service, actions, bucket, named};
use super::call::Caller;
use super::reader::Reader;
use crate::engine::{Class, Error};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogGroup;
use futures::FutureExt;
use futures::future::{join_all, try_join_all};
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// CloudWatch Logs as a service. "CloudWatch Logs quotas": 10 calls a second that make, list or delete groups, 5 of most others.
pub static SERVICE: Service = Service {
    name: "logs",
    classify,
    bucket: limits,
    actions: || ACTIONS,
};

fn limits(api: Api) -> Bucket {
    let rate = match api.operation {
        "CreateLogGroup" | "DeleteLogGroup" | "DescribeLogGroups" | "GetLogEvents" => 10.0,
        "DescribeLogStreams" => 25.0,
        _ => 5.0,
    };
    bucket(api.operation, rate, rate)
}

/// A group of ours, by its name: `flow-logs-green-dev`, `/aws/rds/cluster/aurora-green-dev/postgresql`; and its streams.
const OURS: [Grant; 3] = [
    named("arn:aws:logs:{region}:{account}:log-group:*-{suffix}"),
    named("arn:aws:logs:{region}:{account}:log-group:*-{suffix}:*"),
    named("arn:aws:logs:{region}:{account}:log-group:*-{suffix}/*"),
];
/// What firewalls write.
const FIREWALL: [Grant; 2] = [
    named("arn:aws:logs:{region}:{account}:log-group:aws-waf-logs-*-{suffix}"),
    named("arn:aws:logs:{region}:{account}:log-group:aws-waf-logs-*-{suffix}:*"),
];
const ALL: Grant = named("arn:aws:logs:{region}:{account}:log-group:*");

actions! { SERVICE;
    Read DESCRIBE_LOG_GROUPS = "DescribeLogGroups", [ANY];
    Read LIST_TAGS_FOR_RESOURCE = "ListTagsForResource", [ALL];
    Read DESCRIBE_SUBSCRIPTION_FILTERS = "DescribeSubscriptionFilters", [ALL];
    Read DESCRIBE_METRIC_FILTERS = "DescribeMetricFilters", [ALL];
    Read DESCRIBE_LOG_STREAMS = "DescribeLogStreams", OURS;
    Read GET_LOG_EVENTS = "GetLogEvents", OURS;
    Read FILTER_LOG_EVENTS = "FilterLogEvents", FIREWALL;
    Repeatable DELETE_SUBSCRIPTION_FILTER = "DeleteSubscriptionFilter", OURS;
    Repeatable DELETE_METRIC_FILTER = "DeleteMetricFilter", OURS;
    Once CREATE_LOG_GROUP = "CreateLogGroup", [OURS[0], OURS[1], OURS[2], OURS[0].of("logs:TagResource"), OURS[1].of("logs:TagResource"), OURS[2].of("logs:TagResource")];
    Repeatable PUT_RETENTION_POLICY = "PutRetentionPolicy", OURS;
    Repeatable DELETE_RETENTION_POLICY = "DeleteRetentionPolicy", OURS;
    Repeatable ASSOCIATE_KMS_KEY = "AssociateKmsKey", OURS;
    Repeatable DISASSOCIATE_KMS_KEY = "DisassociateKmsKey", OURS;
    Repeatable TAG_RESOURCE = "TagResource", OURS;
    Repeatable UNTAG_RESOURCE = "UntagResource", OURS;
    Repeatable DELETE_LOG_GROUP = "DeleteLogGroup", OURS;
}

fn classify(_: Api, answer: Answer<'_>) -> Option<Class> {
    Some(match answer.code {
        // A key that was made a moment ago, or its policy, is not visible to the service yet.
        "InvalidParameterException" if answer.message.to_lowercase().contains("kms key") => {
            Class::Propagating
        }
        _ => return None,
    })
}

/// Pages of events that are read at most.
const PAGES: usize = 20;

/// DescribeLogGroups takes fifty identifiers.
const AT_ONCE: usize = 50;

/// Names that agree in so many characters are asked for by their common prefix: `/aws/rds/` apart from `/aws/lambda/`.
const ALIKE: usize = 9;

/// CloudWatch Logs: its client and the reader of log groups.
pub struct Logs {
    pub client: Client,
    /// DescribeLogGroups, by name.
    pub groups: Reader<String, LogGroup>,
    caller: Arc<Caller>,
}

impl Logs {
    pub(super) fn new(config: &aws_config::SdkConfig, caller: &Arc<Caller>) -> Self {
        let client = Client::new(config);
        Self {
            groups: groups(&client, caller),
            client,
            caller: caller.clone(),
        }
    }
}

impl Logs {
    /// The events of a group between two moments (milliseconds of Unix time), and whether these are all: no more than `PAGES`
    /// pages are read. "FilterLogEvents": a page has up to 10,000 events or 1 MB, and may be empty although others follow.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn between(
        &self,
        group: &str,
        milliseconds: RangeInclusive<i64>,
    ) -> Result<(Vec<String>, bool), Error> {
        let call = self.client.filter_log_events().log_group_name(group);
        let call = call
            .start_time(*milliseconds.start())
            .end_time(*milliseconds.end());
        let send = |token| call.clone().set_next_token(token).send();
        let (mut read, mut more) = (0, false);
        let all = self.caller.pages(FILTER_LOG_EVENTS, send, |page| {
            read += 1;
            let next = page.next_token.filter(|token| !token.is_empty());
            more = next.is_some();
            let events = page.events.unwrap_or_default().into_iter();
            let messages = events.filter_map(|event| event.message);
            (messages, next.filter(|_| read < PAGES))
        });
        Ok((all.await?, !more))
    }
}

/// Where Enhanced Monitoring of every database in an account writes. AWS makes it, and keeps it for 30 days ("Overview of Enhanced
/// Monitoring" in the Amazon RDS User Guide); it is nobody's but the account's.
pub const OS_METRICS: &str = "RDSOSMetrics";

/// A reader of log groups by name.
fn groups(client: &Client, caller: &Arc<Caller>) -> Reader<String, LogGroup> {
    let (client, caller) = (client.clone(), caller.clone());
    Reader::new(move |names: Vec<String>| {
        let (client, caller) = (client.clone(), caller.clone());
        async move {
            let mut out = HashMap::new();
            let named = |groups: Vec<LogGroup>| {
                let all = groups.into_iter();
                all.filter_map(|g| Some((g.log_group_name.clone()?, g)))
            };
            if names.len() > 1 {
                let asks = names.chunks(AT_ONCE).map(async |some| {
                    let call = client.describe_log_groups();
                    let call = call.set_log_group_identifiers(Some(some.to_vec()));
                    let shown = caller.call(DESCRIBE_LOG_GROUPS, || call.clone().send());
                    shown.await.map(|s| s.log_groups.unwrap_or_default())
                });
                // Also when one is missing and the call fails: the listing below decides.
                for shown in join_all(asks).await.into_iter().flatten() {
                    out.extend(named(shown));
                }
            }
            let left: Vec<String> = names
                .into_iter()
                .filter(|name| !out.contains_key(name))
                .collect();
            let prefixes = prefixes(&left);
            let lists = prefixes.iter().map(|p| listed(&client, &caller, p));
            for list in try_join_all(lists).await? {
                out.extend(named(list));
            }
            Ok(out)
        }
        .boxed()
    })
}

async fn listed(client: &Client, caller: &Caller, prefix: &str) -> Result<Vec<LogGroup>, Error> {
    let call = client.describe_log_groups().log_group_name_prefix(prefix);
    let call = call.limit(50);
    let send = |token| call.clone().set_next_token(token).send();
    let all = caller.pages(DESCRIBE_LOG_GROUPS, send, |page| {
        (page.log_groups.unwrap_or_default(), page.next_token)
    });
    all.await
}

fn prefixes(names: &[String]) -> Vec<String> {
    let mut common: BTreeMap<String, String> = BTreeMap::new();
    for name in names {
        let head: String = name.chars().take(ALIKE).collect();
        common
            .entry(head)
            .and_modify(|prefix| {
                let same = prefix
                    .chars()
                    .zip(name.chars())
                    .take_while(|(a, b)| a == b)
                    .count();
                *prefix = name.chars().take(same).collect();
            })
            .or_insert_with(|| name.clone());
    }
    common.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_alike_share_a_listing() {
        let names = [
            "flow-logs-blue-dev",
            "flow-logs-green-dev",
            "/aws/rds/cluster/aurora-blue-dev/postgresql",
            "/aws/rds/cluster/aurora-green-dev/postgresql",
        ];
        let names: Vec<String> = names.map(str::to_owned).into();
        assert_eq!(prefixes(&names), ["/aws/rds/cluster/aurora-", "flow-logs-"]);
        assert_eq!(prefixes(&names[..1]), ["flow-logs-blue-dev"]);
    }
}
