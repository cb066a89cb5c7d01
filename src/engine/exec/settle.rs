//! Waiting: until something is ready, until it is gone, and between attempts.
//!
//! Polls of all steps fall on a common grid of instants, so that reads of one type that are due at the same moment
//! leave as one Describe.

use crate::engine::context::Limits;
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

/// How long a deletion is tried again although what stands in its way does not go by itself: it may have been asked for a moment
/// ago, and AWS may show it still.
const BLOCKED: Duration = Duration::from_secs(30);

/// How long a call is tried again after an error of this class, and the first and the longest pause; `None` when trying again
/// is no use. Throttling and unclear answers are no business of the engine: whoever sends the calls has repeated them.
fn pauses(class: Class, limits: &Limits) -> Option<(Duration, u64, u64)> {
    Some(match class {
        // IAM takes 2 to 10 seconds: dense early attempts.
        // A part that an earlier attempt took away is gone: a type that does not take that for success reads again.
        Class::Propagating | Class::Gone => (Duration::from_secs(120), 200, 4_000),
        Class::NotReady => (limits.settle_floor, 500, 8_000),
        Class::InUse => (limits.in_use_timeout, 500, 10_000),
        Class::Blocked => (limits.in_use_timeout.min(BLOCKED), 500, 5_000),
        Class::Permanent
        | Class::Conflict
        | Class::Throttled
        | Class::Unclear
        | Class::Interrupted => return None,
    })
}

/// How long a call is tried again after an error of this class.
pub(super) fn limit(class: Class, limits: &Limits) -> Duration {
    pauses(class, limits).map_or(Duration::ZERO, |p| p.0)
}

/// When to try again after an error, counted from the first attempt; `None` when trying again is no use.
pub(super) fn pause(
    error: &Error,
    attempt: u32,
    since_first: Duration,
    limits: &Limits,
) -> Option<Duration> {
    let (limit, first, longest) = pauses(error.class, limits)?;
    let pause = (first << attempt.min(16)).min(longest);
    (since_first < limit).then(|| Duration::from_millis(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_classes_that_pass_by_themselves_are_tried_again() {
        let limits = Limits {
            in_use_timeout: Duration::from_secs(60),
            ..Limits::default()
        };
        let after = |class, attempt, since| {
            let error = Error::of(class, "x", "y");
            pause(&error, attempt, Duration::from_secs(since), &limits)
        };
        assert_eq!(after(Class::Permanent, 0, 0), None);
        assert_eq!(after(Class::Conflict, 0, 0), None);
        assert_eq!(
            after(Class::Propagating, 0, 0),
            Some(Duration::from_millis(200))
        );
        assert_eq!(after(Class::InUse, 30, 59), Some(Duration::from_secs(10)));
        assert_eq!(after(Class::InUse, 30, 61), None);
        assert_eq!(after(Class::Blocked, 30, 29), Some(Duration::from_secs(5)));
        assert_eq!(after(Class::Blocked, 30, 31), None);
        assert_eq!(after(Class::Throttled, 0, 0), None);
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
