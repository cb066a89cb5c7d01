//! How an alarm is said: one metric with its threshold, or an expression over several.

use crate::engine::Handle;
use crate::resources::Exposed;
use crate::resources::cloudwatch::{Alarm, Metric, Query};
use crate::resources::sns::Topic;
use std::collections::BTreeMap;

/// An alarm on one metric: it goes off above a threshold; periods without data say nothing.
pub(super) struct Watch {
    pub(super) what: &'static str,
    pub(super) description: String,
    pub(super) metric: Metric,
    pub(super) threshold: f64,
    /// Periods in a row.
    pub(super) periods: i32,
    /// Goes off below the threshold, and without data.
    pub(super) least: bool,
}

pub(super) fn watch(
    what: &'static str,
    description: impl Into<String>,
    metric: Metric,
    threshold: f64,
    periods: i32,
) -> Watch {
    Watch {
        what,
        description: description.into(),
        metric,
        threshold,
        periods,
        least: false,
    }
}

impl Watch {
    pub(super) fn alarm(self, topic: &Handle<Topic>) -> Alarm {
        let none = BTreeMap::new();
        let spec = alarm(self.description, none, self.threshold, self.periods, topic);
        let (comparison, missing) = if self.least {
            ("LessThanThreshold", "breaching")
        } else {
            ("GreaterThanThreshold", "notBreaching")
        };
        Alarm {
            metric: Some(self.metric),
            comparison: comparison.into(),
            missing: missing.into(),
            ..spec
        }
    }
}

pub(super) fn alarm(
    description: String,
    queries: BTreeMap<String, Query>,
    threshold: f64,
    periods: i32,
    topic: &Handle<Topic>,
) -> Alarm {
    Alarm {
        description,
        metric: None,
        queries,
        comparison: "GreaterThanThreshold".into(),
        threshold,
        periods,
        datapoints: periods,
        missing: "notBreaching".into(),
        actions: true,
        // Its policy lets CloudWatch publish.
        notify: vec![topic.arn.ready()],
        exposed: Exposed::new(),
        others: Exposed::new(),
        after: Vec::new(),
    }
}

/// A metric: namespace and name, what of it, the seconds of a period, and whose it is.
pub(super) fn metric(
    (namespace, name): (&str, &str),
    statistic: &str,
    period: i32,
    dimensions: &[(&str, String)],
) -> Metric {
    let dimensions = dimensions.iter();
    Metric {
        namespace: namespace.into(),
        name: name.into(),
        dimensions: dimensions
            .map(|(k, v)| ((*k).to_owned(), v.clone()))
            .collect(),
        statistic: statistic.into(),
        period,
    }
}

/// A line of an expression that is a metric.
pub(super) fn line(metric: Metric) -> Query {
    Query {
        metric: Some(metric),
        expression: None,
        returned: false,
        others: Exposed::new(),
    }
}

/// The line of an expression that the alarm compares.
pub(super) fn result(expression: String) -> Query {
    Query {
        metric: None,
        expression: Some(expression),
        returned: true,
        others: Exposed::new(),
    }
}
