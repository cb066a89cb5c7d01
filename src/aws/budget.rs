//! Call budgets: one token bucket per service and operation, seeded from documented limits, shrinking on throttling.

use super::call::Api;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Burst and calls per second of an API class.
///
/// EC2: "Request throttling for the Amazon EC2 API": non-mutating 100 tokens, refilled 20/s; mutating 50 tokens,
/// refilled 5/s. The other services publish no table or higher ones; the figures here are what their control planes
/// sustain without throttling in practice.
fn limits(api: Api) -> (f64, f64) {
    match (api.service, api.writes()) {
        ("ec2", false) => (100.0, 20.0),
        ("ec2", true) => (50.0, 5.0),
        ("iam", _) => (30.0, 10.0),
        ("rds", _) => (40.0, 10.0),
        ("dynamodb", true) => (20.0, 5.0),
        ("s3", _) => (200.0, 100.0),
        _ => (50.0, 10.0),
    }
}

struct Bucket {
    tokens: f64,
    burst: f64,
    rate: f64,
    full_rate: f64,
    at: Instant,
}

/// All buckets.
#[derive(Default)]
pub(super) struct Budgets {
    buckets: Mutex<HashMap<(&'static str, &'static str), Bucket>>,
}

impl Budgets {
    /// Waits until this call fits the budget.
    pub(super) async fn take(&self, api: Api) {
        let wait = self.with(api, |b| {
            b.tokens -= 1.0;
            if b.tokens >= 0.0 {
                0.0
            } else {
                -b.tokens / b.rate
            }
        });
        if wait > 0.0 {
            crate::engine::progress::sleep(Duration::from_secs_f64(wait)).await;
        }
    }

    /// Learns from an answer: throttling halves the rate (not under a tenth), success brings it back slowly.
    pub(super) fn record_answer(&self, api: Api, throttled: bool) {
        self.with(api, |b| {
            if throttled {
                b.rate = (b.rate / 2.0).max(b.full_rate / 10.0);
                b.tokens = b.tokens.min(1.0);
            } else {
                b.rate = (b.rate + b.full_rate / 20.0).min(b.full_rate);
            }
            0.0
        });
    }

    fn with(&self, api: Api, act: impl FnOnce(&mut Bucket) -> f64) -> f64 {
        // A poisoned lock means that a thread died inside three lines of arithmetic; the numbers are still good.
        let mut buckets = self
            .buckets
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let bucket = buckets
            .entry((api.service, api.operation))
            .or_insert_with(|| {
                let (burst, rate) = limits(api);
                Bucket {
                    tokens: burst,
                    burst,
                    rate,
                    full_rate: rate,
                    at: now,
                }
            });
        let gained = now.duration_since(bucket.at).as_secs_f64() * bucket.rate;
        bucket.tokens = (bucket.tokens + gained).min(bucket.burst);
        bucket.at = now;
        act(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{once, read};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_comes_at_the_documented_rate() {
        let budgets = Budgets::default();
        let start = Instant::now();
        for _ in 0..50 {
            budgets.take(once("ec2", "CreateVpc")).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            budgets.take(once("ec2", "CreateVpc")).await;
        }
        assert!(
            (1.9..2.3).contains(&start.elapsed().as_secs_f64()),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_shrinks_the_rate_of_that_operation_only() {
        let budgets = Budgets::default();
        for _ in 0..8 {
            budgets.record_answer(read("ec2", "DescribeVpcs"), true);
        }
        let start = Instant::now();
        for _ in 0..3 {
            budgets.take(read("ec2", "DescribeVpcs")).await;
        }
        assert!(
            start.elapsed() > Duration::from_millis(500),
            "{:?}",
            start.elapsed()
        );
        let start = Instant::now();
        budgets.take(read("ec2", "DescribeSubnets")).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
