//! What an alarm watches: one metric, or an expression over several.

use crate::resources::prelude::*;
use crate::resources::rest::rest;
use aws_sdk_cloudwatch::types as t;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// `AWS/ECS`
    pub namespace: String,
    pub name: String,
    /// May refer to other steps. Load balancers and target groups stand by their ARN.
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `Average`, `p99`, ...: a part of what a metric means.
    pub statistic: String,
    /// Seconds.
    pub period: i32,
}

/// One line of an expression: a metric, or a formula over other lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// True for the one line that the alarm compares.
    pub returned: bool,
    /// What else is set: another unit, another account. The desired set is always empty.
    #[serde(default, skip_serializing_if = "Exposed::is_empty")]
    pub others: Exposed,
}

/// What stands before the value of a dimension in the ARN that we name it by ("CloudWatch metrics for your Application Load
/// Balancer": `app/NAME/ID`, `targetgroup/NAME/ID`).
fn prefix(cx: &Aws, dimension: &str) -> Option<String> {
    let of = |resource| Some(cx.arn("elasticloadbalancing", resource));
    match dimension {
        "LoadBalancer" => of("loadbalancer/"),
        "TargetGroup" => of(""),
        _ => None,
    }
}

/// The value of a dimension in CloudWatch's form.
pub(super) fn shortened(cx: &Aws, name: &str, value: &str) -> String {
    let prefix = prefix(cx, name);
    let tail = prefix.and_then(|prefix| value.strip_prefix(&prefix));
    tail.unwrap_or(value).to_owned()
}

/// Dimensions in CloudWatch's form.
pub(super) fn dimensions(cx: &Aws, of: &BTreeMap<String, String>) -> Vec<t::Dimension> {
    let one = |(name, value): (&String, &String)| {
        let value = shortened(cx, name, value);
        t::Dimension::builder().name(name).value(value).build()
    };
    of.iter().map(one).collect()
}

/// The value of a dimension as we write it.
pub fn dimension(cx: &Aws, name: &str, value: &str) -> String {
    prefix(cx, name).unwrap_or_default() + value
}

/// Dimensions as a map.
pub(super) fn dimensions_of(cx: &Aws, all: &[t::Dimension]) -> BTreeMap<String, String> {
    let one = |d: &t::Dimension| {
        let name = d.name().unwrap_or_default();
        let value = dimension(cx, name, d.value().unwrap_or_default());
        (name.to_owned(), value)
    };
    all.iter().map(one).collect()
}

impl Query {
    /// In CloudWatch's form.
    pub(super) fn form(&self, cx: &Aws, id: &str) -> t::MetricDataQuery {
        let stat = self.metric.as_ref().map(|metric| {
            let of = t::Metric::builder()
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(dimensions(cx, &metric.dimensions)));
            t::MetricStat::builder()
                .metric(of.build())
                .period(metric.period)
                .stat(&metric.statistic)
                .build()
        });
        t::MetricDataQuery::builder()
            .id(id)
            .set_metric_stat(stat)
            .set_expression(self.expression.clone())
            .return_data(self.returned)
            .build()
    }

    /// From CloudWatch's form.
    pub(super) fn of(cx: &Aws, query: &t::MetricDataQuery) -> (String, Self) {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let metric = query.metric_stat().map(|stat| {
            let metric = stat.metric();
            Metric {
                namespace: text(metric.and_then(t::Metric::namespace)),
                name: text(metric.and_then(t::Metric::metric_name)),
                dimensions: metric
                    .map_or_else(BTreeMap::new, |m| dimensions_of(cx, m.dimensions())),
                statistic: text(stat.stat()),
                period: stat.period().unwrap_or_default(),
            }
        });
        let mut others = rest!(query; id, metric_stat, expression, return_data);
        // Its own account may be named.
        others.retain(|name, value| name != "account id" || *value != cx.account);
        if let Some(stat) = query.metric_stat() {
            others.extend(rest!(stat; metric, period, stat));
        }
        let read = Self {
            metric,
            expression: query.expression().map(str::to_owned),
            returned: query.return_data().unwrap_or(true),
            others,
        };
        (text(query.id()), read)
    }
}
