//! Waiting: until something is ready, until it is gone, and between attempts.
//!
//! Polls of all steps fall on a common grid of instants, so that reads of one type that are due at the same moment
//! leave as one Describe.

use crate::engine::error::{Class, Error};
use std::time::Duration;
use tokio::time::Instant;

/// Sleeps until the next common instant. The interval is about a 32nd of the time waited so far, between a quarter of a
/// second and four seconds, always a power of two: the end of a wait is seen with at most 3 % delay.
pub(super) async fn tick(run_start: Instant, waited: Duration) {
    let mut interval = Duration::from_millis(250);
    while interval * 2 <= waited / 32 && interval < Duration::from_secs(4) {
        interval *= 2;
    }
    let since = run_start.elapsed();
    let next = since.as_nanos() / interval.as_nanos() + 1;
    let target = interval.as_nanos().saturating_mul(next);
    tokio::time::sleep(Duration::from_nanos(
        u64::try_from(target - since.as_nanos()).unwrap_or(0),
    ))
    .await;
}

/// When to try again after an error of this class, counted from the first attempt; `None` when trying again is no use.
pub(super) fn pause(
    error: &Error,
    attempt: u32,
    since_first: Duration,
    in_use_timeout: Duration,
    settle: Duration,
) -> Option<Duration> {
    let grow =
        |first_ms: u64, cap: Duration| Duration::from_millis(first_ms << attempt.min(16)).min(cap);
    let (pause, limit) = match error.class {
        // IAM takes 2 to 10 seconds: dense early attempts.
        Class::Propagating => (grow(200, Duration::from_secs(4)), Duration::from_secs(120)),
        Class::NotReady => (grow(500, Duration::from_secs(8)), settle),
        Class::InUse => (grow(500, Duration::from_secs(10)), in_use_timeout),
        Class::Throttled => (
            grow(1000, Duration::from_secs(20)),
            Duration::from_secs(300),
        ),
        Class::Permanent | Class::Conflict | Class::Gone | Class::Unclear => return None,
    };
    (since_first < limit).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_classes_that_pass_by_themselves_are_tried_again() {
        let (in_use_timeout, settle) = (Duration::from_secs(60), Duration::from_secs(60));
        let after = |class, attempt, since| {
            pause(
                &Error::of(class, "x", "y"),
                attempt,
                Duration::from_secs(since),
                in_use_timeout,
                settle,
            )
        };
        assert_eq!(after(Class::Permanent, 0, 0), None);
        assert_eq!(after(Class::Conflict, 0, 0), None);
        assert_eq!(
            after(Class::Propagating, 0, 0),
            Some(Duration::from_millis(200))
        );
        assert_eq!(after(Class::InUse, 30, 59), Some(Duration::from_secs(10)));
        assert_eq!(after(Class::InUse, 30, 61), None);
    }

    #[tokio::test(start_paused = true)]
    async fn polls_of_different_steps_fall_on_common_instants() {
        let start = Instant::now();
        tokio::time::advance(Duration::from_millis(30)).await;
        tick(start, Duration::ZERO).await;
        let first = start.elapsed().as_millis();
        assert!((250..=252).contains(&first), "{first}");
        tick(start, Duration::from_secs(400)).await;
        let second = start.elapsed().as_millis();
        assert!((4000..=4002).contains(&second), "{second}");
    }
}
