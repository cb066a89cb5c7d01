//! Call budgets: one token bucket for each of AWS's own, as the service files name them, seeded from documented limits (or the
//! part of them that the configuration wants), shrinking on throttling.

use super::api::Api;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Calls a second that throttling leaves at least: the caller's own pauses after a throttled call come on top.
const SLOWEST: f64 = 0.5;

/// The part of a rate that is used. Calls are on their way for longer and shorter times: what left at exactly AWS's rate, and
/// with the last token of a burst, would now and then arrive before its token has.
const STEADY: f64 = 0.9;

struct Level {
    tokens: f64,
    burst: f64,
    rate: f64,
    full_rate: f64,
    at: Instant,
}

impl Level {
    fn full(burst: f64, rate: f64, at: Instant) -> Self {
        Self {
            tokens: burst,
            burst,
            rate,
            full_rate: rate,
            at,
        }
    }

    /// What has come since the last look.
    fn fill(&mut self, now: Instant) {
        let gained = now.duration_since(self.at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.at = now;
    }

    /// Takes a token, and says how many seconds later it will have come.
    fn take(&mut self) -> f64 {
        self.tokens -= 1.0;
        if self.tokens >= 0.0 {
            0.0
        } else {
            -self.tokens / self.rate
        }
    }
}

/// The name of the bucket that all calls of a service share; no action and no group is named so.
const WHOLE: &str = "";

/// All buckets.
pub(super) struct Budgets {
    buckets: Mutex<HashMap<(&'static str, &'static str), Level>>,
    /// The part of AWS's documented limits that is used.
    part: f64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self::of(1.0)
    }
}

impl Budgets {
    /// Buckets of this part of AWS's documented limits: 2 for twice as much, 0.5 for a half.
    pub(super) fn of(part: f64) -> Self {
        Self {
            buckets: Mutex::default(),
            part,
        }
    }

    /// Waits until this call fits the budget.
    pub(super) async fn take(&self, api: Api) {
        let limit = (api.service.bucket)(api);
        let mut wait = self.with(api, limit.name, (limit.burst, limit.rate), Level::take);
        if let Some(whole) = limit.whole {
            wait = wait.max(self.with(api, WHOLE, whole, Level::take));
        }
        if wait > 0.0 {
            crate::engine::progress::sleep(Duration::from_secs_f64(wait)).await;
        }
    }

    /// Learns from an answer: throttling halves the rate (not under a tenth, and not under a call in two seconds where AWS
    /// documents no slower rate), success brings it back slowly.
    pub(super) fn record_answer(&self, api: Api, throttled: bool) {
        let limit = (api.service.bucket)(api);
        self.with(api, limit.name, (limit.burst, limit.rate), |b| {
            if throttled {
                let least = (b.full_rate / 10.0).max(b.full_rate.min(SLOWEST));
                b.rate = (b.rate / 2.0).max(least);
                b.tokens = b.tokens.min(1.0);
            } else {
                b.rate = (b.rate + b.full_rate / 20.0).min(b.full_rate);
            }
        });
    }

    fn with<T>(
        &self,
        api: Api,
        name: &'static str,
        (burst, rate): (f64, f64),
        act: impl FnOnce(&mut Level) -> T,
    ) -> T {
        // A poisoned lock means that a thread died inside three lines of arithmetic; the numbers are still good.
        let mut buckets = self
            .buckets
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let bucket = buckets.entry((api.service.name, name)).or_insert_with(|| {
            // Without a whole token no call would ever leave at once.
            let burst = (burst * self.part - 1.0).max(1.0);
            Level::full(burst, rate * self.part * STEADY, now)
        });
        bucket.fill(now);
        act(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{ec2, secretsmanager};

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_comes_below_the_documented_rate() {
        let limit = (ec2::CREATE_VPC.service.bucket)(ec2::CREATE_VPC);
        let budgets = Budgets::default();
        let burst = limit.burst as usize - 1;
        assert_eq!(seconds(&budgets, ec2::CREATE_VPC, burst).await, 0.0);
        let took = seconds(&budgets, ec2::CREATE_VPC, 10).await;
        let least = 10.0 / limit.rate;
        assert!((least..1.2 * least).contains(&took), "{took}");
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
        let took = start.elapsed().as_secs_f64();
        assert!((8.0..10.0).contains(&took), "{took}");
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

    /// Seconds until so many calls have left.
    async fn seconds(budgets: &Budgets, api: Api, calls: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            budgets.take(api).await;
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_service_counts_over_all_actions_is_counted_so() {
        use crate::aws::elbv2::{CREATE_RULE, DESCRIBE_RULES};
        let limit = |api: Api| (api.service.bucket)(api);
        let (burst, rate) = limit(DESCRIBE_RULES).whole.unwrap();
        assert_eq!(limit(CREATE_RULE).whole, Some((burst, rate)));
        let budgets = Budgets::default();
        let writes = limit(CREATE_RULE).burst - 1.0;
        assert_eq!(seconds(&budgets, CREATE_RULE, writes as usize).await, 0.0);
        // The reads' own bucket is full; the one of the whole service is not.
        let reads = burst - 1.0 - writes + rate * STEADY;
        assert!(limit(DESCRIBE_RULES).burst > reads);
        let took = seconds(&budgets, DESCRIBE_RULES, reads as usize).await;
        assert!((0.9..1.1).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_configuration_says_which_part_of_the_limits_is_used() {
        let limit = (ec2::CREATE_VPC.service.bucket)(ec2::CREATE_VPC);
        let calls = limit.burst as usize;
        let half = Budgets::of(0.5);
        let took = seconds(&half, ec2::CREATE_VPC, calls).await;
        let wanted = (limit.burst / 2.0 + 1.0) / (limit.rate / 2.0 * STEADY);
        assert!((took - wanted).abs() < 0.2, "{took} {wanted}");
        let twice = Budgets::of(2.0);
        assert_eq!(seconds(&twice, ec2::CREATE_VPC, 2 * calls - 1).await, 0.0);
        let little = Budgets::of(0.01);
        assert_eq!(seconds(&little, ec2::CREATE_VPC, 1).await, 0.0);
    }
}
