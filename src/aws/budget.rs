//! Call budgets: one token bucket for each of AWS's own, as the service files name them, seeded from documented limits,
//! shrinking on throttling.

use super::api::Api;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Calls a second that throttling leaves at least: the caller's own pauses after a throttled call come on top.
const SLOWEST: f64 = 0.5;

struct Level {
    tokens: f64,
    burst: f64,
    rate: f64,
    full_rate: f64,
    at: Instant,
}

/// All buckets.
#[derive(Default)]
pub(super) struct Budgets {
    buckets: Mutex<HashMap<(&'static str, &'static str), Level>>,
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

    /// Learns from an answer: throttling halves the rate (not under a tenth, and not under a call in two seconds where AWS
    /// documents no slower rate), success brings it back slowly.
    pub(super) fn record_answer(&self, api: Api, throttled: bool) {
        self.with(api, |b| {
            if throttled {
                let least = (b.full_rate / 10.0).max(b.full_rate.min(SLOWEST));
                b.rate = (b.rate / 2.0).max(least);
                b.tokens = b.tokens.min(1.0);
            } else {
                b.rate = (b.rate + b.full_rate / 20.0).min(b.full_rate);
            }
            0.0
        });
    }

    fn with(&self, api: Api, act: impl FnOnce(&mut Level) -> f64) -> f64 {
        // A poisoned lock means that a thread died inside three lines of arithmetic; the numbers are still good.
        let mut buckets = self
            .buckets
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let limit = (api.service.bucket)(api);
        let bucket = buckets
            .entry((api.service.name, limit.name))
            .or_insert_with(|| Level {
                tokens: limit.burst,
                burst: limit.burst,
                rate: limit.rate,
                full_rate: limit.rate,
                at: now,
            });
        let gained = now.duration_since(bucket.at).as_secs_f64() * bucket.rate;
        bucket.tokens = (bucket.tokens + gained).min(bucket.burst);
        bucket.at = now;
        act(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{ec2, secretsmanager};

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_comes_at_the_documented_rate() {
        let budgets = Budgets::default();
        let start = Instant::now();
        for _ in 0..50 {
            budgets.take(ec2::CREATE_VPC).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            budgets.take(ec2::CREATE_VPC).await;
        }
        assert!(
            (1.9..2.3).contains(&start.elapsed().as_secs_f64()),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_shrinks_the_rate_of_that_bucket_only() {
        let budgets = Budgets::default();
        for _ in 0..8 {
            budgets.record_answer(ec2::DESCRIBE_VPCS, true);
        }
        let start = Instant::now();
        for _ in 0..3 {
            budgets.take(ec2::DESCRIBE_VPCS).await;
        }
        assert!(
            start.elapsed() > Duration::from_millis(500),
            "{:?}",
            start.elapsed()
        );
        let start = Instant::now();
        budgets.take(ec2::DESCRIBE_SUBNETS).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_bucket_is_not_slowed_to_a_standstill() {
        use crate::aws::route53::CREATE_HEALTH_CHECK;
        let budgets = Budgets::default();
        for _ in 0..8 {
            budgets.record_answer(CREATE_HEALTH_CHECK, true);
        }
        let start = Instant::now();
        for _ in 0..5 {
            budgets.take(CREATE_HEALTH_CHECK).await;
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((7.0..9.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_aws_counts_together_is_counted_together() {
        let shared = |a: Api, b: Api| (a.service.bucket)(a).name == (b.service.bucket)(b).name;
        use crate::aws::{iam, kms};
        assert!(shared(iam::GET_ROLE, iam::GET_ROLE_POLICY));
        assert!(!shared(iam::GET_ROLE, iam::CREATE_ROLE));
        assert!(!shared(kms::CREATE_KEY, kms::CREATE_ALIAS));
        let budgets = Budgets::default();
        for _ in 0..8 {
            budgets.record_answer(iam::GET_ROLE, true);
        }
        let start = Instant::now();
        for _ in 0..3 {
            budgets.take(iam::GET_ROLE_POLICY).await;
        }
        assert!(start.elapsed() > Duration::from_millis(500));
        budgets.take(secretsmanager::DESCRIBE_SECRET).await;
    }
}
