//! The weights as a metric, so that the dashboard shows them beside the requests: one value a minute of each side, while a shift runs.

use super::weights::Live;
use crate::aws::cloudwatch::PUT_METRIC_DATA;
use crate::aws::{Aws, METRICS};
use crate::engine::Error;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use std::cell::Cell;
use std::sync::Arc;

/// The metric. Its dimensions are `Suffix` and `Side`.
pub const METRIC: &str = "TrafficWeight";

/// Publishes them.
pub struct Graph {
    suffix: String,
    /// The minute that was published last.
    last: Cell<i64>,
}

impl Graph {
    /// Of a deployment.
    pub fn new(suffix: &str) -> Self {
        Self {
            suffix: suffix.to_owned(),
            last: Cell::new(i64::MIN),
        }
    }

    /// Publishes weights that were read, once a minute. Nobody waits for it: a rollback may be the next call.
    pub fn put(&self, aws: &Arc<Aws>, live: Live, now: i64) {
        let minute = now.div_euclid(60);
        if self.last.replace(minute) == minute {
            return;
        }
        let (aws, suffix) = (aws.clone(), self.suffix.clone());
        tokio::spawn(async move {
            if let Err(error) = put(&aws, &suffix, live).await {
                tracing::warn!("the weights are not on the dashboard: {error}");
            }
        });
    }
}

async fn put(aws: &Aws, suffix: &str, live: Live) -> Result<(), Error> {
    let one = |side: &str, weight: Option<i64>| {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value);
        MetricDatum::builder()
            .metric_name(METRIC)
            .dimensions(dimension("Suffix", suffix).build())
            .dimensions(dimension("Side", side).build())
            .unit(StandardUnit::None)
            .value(weight.unwrap_or_default() as f64)
            .build()
    };
    let call = aws.cloudwatch.client.put_metric_data().namespace(METRICS);
    let call = call
        .metric_data(one("blue", live.blue))
        .metric_data(one("green", live.green));
    aws.call(PUT_METRIC_DATA, || call.clone().send())
        .await
        .map(drop)
}
