//! Call budgets: one token bucket for each of AWS's own, as the service files name them, seeded from documented limits (or the
//! part of them that the configuration wants), shrinking on throttling.

use super::api::Api;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
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

    /// Seconds until there is a whole token.
    fn missing(&self) -> f64 {
        (WHOLE_TOKEN - self.tokens).max(0.0) / self.rate
    }
}

/// What counts as one: many small parts may be short of it by a rounding error.
const WHOLE_TOKEN: f64 = 1.0 - 1e-6;

/// The name of the bucket that all calls of a service share; no action and no group is named so.
const WHOLE: &str = "";

/// By service and name.
type Buckets = HashMap<(&'static str, &'static str), Level>;

/// All buckets.
pub(super) struct Budgets {
    buckets: Mutex<Buckets>,
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

    /// Waits until this call fits the budget, or a stop is asked for. It has taken nothing then.
    pub(super) async fn ready(&self, api: Api) {
        let wait = self.missing(api);
        if wait > 0.0 {
            crate::engine::progress::sleep(Duration::from_secs_f64(wait)).await;
        }
    }

    /// Takes what a call needs that leaves now; `false` when it has to wait, and nothing is taken.
    pub(super) fn take(&self, api: Api) -> bool {
        let mut buckets = self.lock();
        let fits = self.levels(&mut buckets, api, |level| level.tokens >= WHOLE_TOKEN);
        let fits = fits.into_iter().all(|fits| fits);
        if fits {
            self.levels(&mut buckets, api, |level| level.tokens -= 1.0);
        }
        fits
    }

    /// Seconds until all buckets of a call have a token.
    fn missing(&self, api: Api) -> f64 {
        let waits = self.levels(&mut self.lock(), api, |level| level.missing());
        waits.into_iter().fold(0.0, f64::max)
    }

    /// Learns from an answer: throttling halves the rate (not under a tenth, and not under a call in two seconds where AWS
    /// documents no slower rate), success brings it back slowly.
    pub(super) fn record_answer(&self, api: Api, throttled: bool) {
        let limit = (api.service.bucket)(api);
        let mut buckets = self.lock();
        let level = self.level(&mut buckets, api, limit.name, (limit.burst, limit.rate));
        if throttled {
            let least = (level.full_rate / 10.0).max(level.full_rate.min(SLOWEST));
            level.rate = (level.rate / 2.0).max(least);
            level.tokens = level.tokens.min(1.0);
        } else {
            level.rate = (level.rate + level.full_rate / 20.0).min(level.full_rate);
        }
    }

    /// What `act` says of each bucket that a call takes from.
    fn levels<T>(&self, buckets: &mut Buckets, api: Api, act: impl Fn(&mut Level) -> T) -> Vec<T> {
        let limit = (api.service.bucket)(api);
        let own = (limit.name, (limit.burst, limit.rate));
        let whole = limit.whole.map(|limits| (WHOLE, limits));
        [Some(own), whole]
            .into_iter()
            .flatten()
            .map(|(name, limits)| act(self.level(buckets, api, name, limits)))
            .collect()
    }

    /// A bucket with what has come until now.
    fn level<'a>(
        &self,
        buckets: &'a mut Buckets,
        api: Api,
        name: &'static str,
        (burst, rate): (f64, f64),
    ) -> &'a mut Level {
        let now = Instant::now();
        let level = buckets.entry((api.service.name, name)).or_insert_with(|| {
            // Without a whole token no call would ever leave at once.
            let burst = (burst * self.part - 1.0).max(1.0);
            Level::full(burst, rate * self.part * STEADY, now)
        });
        level.fill(now);
        level
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        // A poisoned lock means that a thread died inside three lines of arithmetic; the numbers are still good.
        let buckets = self.buckets.lock();
        buckets.unwrap_or_else(std::sync::PoisonError::into_inner)
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
            leave(&budgets, ec2::DESCRIBE_VPCS).await;
        }
        assert!(
            start.elapsed() > Duration::from_millis(500),
            "{:?}",
            start.elapsed()
        );
        let start = Instant::now();
        leave(&budgets, ec2::DESCRIBE_SUBNETS).await;
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
            leave(&budgets, CREATE_HEALTH_CHECK).await;
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
            leave(&budgets, iam::GET_ROLE_POLICY).await;
        }
        assert!(start.elapsed() > Duration::from_millis(500));
        leave(&budgets, secretsmanager::DESCRIBE_SECRET).await;
    }

    /// Waits until a call has left.
    async fn leave(budgets: &Budgets, api: Api) {
        while !budgets.take(api) {
            budgets.ready(api).await;
        }
    }

    /// Seconds until so many calls have left.
    async fn seconds(budgets: &Budgets, api: Api, calls: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            leave(budgets, api).await;
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
