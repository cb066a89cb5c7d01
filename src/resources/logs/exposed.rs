//! Who gets the events of a log group besides its readers: subscriptions that send them on, and filters that make metrics of what
//! they find in them. The desired set is always empty: every entry is drift.

use crate::resources::prelude::*;
use aws_sdk_cloudwatchlogs::types as t;

/// How the entries of `exposed` begin.
const SUBSCRIPTION: &str = "subscription/";
const METRIC_FILTER: &str = "metric_filter/";

/// Reads both kinds of filters.
pub(super) async fn of(cx: &Aws, name: &str, group: &t::LogGroup) -> Result<Exposed, Error> {
    let (mut all, metrics) =
        futures::try_join!(subscriptions(cx, name), metric_filters(cx, name, group))?;
    all.extend(metrics);
    Ok(all)
}

/// Takes away the one that `what` names.
pub(super) async fn close(cx: &Aws, name: &str, what: &str) -> Result<(), Error> {
    if let Some(filter) = what.strip_prefix(METRIC_FILTER) {
        const DELETE: Api = logs::DELETE_METRIC_FILTER;
        let call = cx.logs.client.delete_metric_filter();
        let call = call.log_group_name(name).filter_name(filter);
        return cx.delete(DELETE, || call.clone().send()).await;
    }
    const DELETE: Api = logs::DELETE_SUBSCRIPTION_FILTER;
    let filter = what.strip_prefix(SUBSCRIPTION).unwrap_or(what);
    let call = cx.logs.client.delete_subscription_filter();
    let call = call.log_group_name(name).filter_name(filter);
    cx.delete(DELETE, || call.clone().send()).await
}

/// A group has two subscriptions at most: one page.
async fn subscriptions(cx: &Aws, name: &str) -> Result<Exposed, Error> {
    const READ: Api = logs::DESCRIBE_SUBSCRIPTION_FILTERS;
    let call = cx.logs.client.describe_subscription_filters();
    let call = call.log_group_name(name);
    let answer = cx.call(READ, || call.clone().send()).await?;
    let all = answer.subscription_filters().iter().map(|s| {
        let name = s.filter_name().unwrap_or_default();
        let to = s.destination_arn().unwrap_or_default();
        (format!("{SUBSCRIPTION}{name}"), to.to_owned())
    });
    Ok(all.collect())
}

/// The description of a group tells how many there are ("LogGroup" in the API reference, metricFilterCount): only a group that has
/// some is asked for them.
async fn metric_filters(cx: &Aws, name: &str, group: &t::LogGroup) -> Result<Exposed, Error> {
    const READ: Api = logs::DESCRIBE_METRIC_FILTERS;
    if group.metric_filter_count().unwrap_or_default() == 0 {
        return Ok(Exposed::new());
    }
    let call = cx.logs.client.describe_metric_filters();
    let call = call.log_group_name(name);
    let send = |token| call.clone().set_next_token(token).send();
    let all = cx.pages(READ, send, |page| {
        (page.metric_filters.unwrap_or_default(), page.next_token)
    });
    let filters = all.await?.into_iter().map(|filter| {
        let metrics = filter.metric_transformations().iter();
        let metrics: Vec<String> = metrics
            .map(|m| format!("{}/{}", m.metric_namespace(), m.metric_name()))
            .collect();
        let name = filter.filter_name().unwrap_or_default();
        (format!("{METRIC_FILTER}{name}"), metrics.join(", "))
    });
    Ok(filters.collect())
}
