//! The time of a run: wall-clock time for records, taken from the system once and carried on by the monotonic clock. A wall clock
//! that is set while a run goes on changes neither its waits nor the order of its records.

use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// One clock for everything in a run. In tests with virtual time it is virtual too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that starts with the system's time.
    pub fn start() -> Self {
        Self::starting(Timestamp::now())
    }

    /// A clock that starts with this time.
    pub fn starting(wall: Timestamp) -> Self {
        Self {
            wall,
            origin: Instant::now(),
        }
    }

    /// Wall-clock time.
    pub fn now(&self) -> Timestamp {
        self.wall
            .checked_add(self.origin.elapsed())
            .unwrap_or(Timestamp::MAX)
    }

    /// How long ago that was. What another machine's clock has put into the future counts as now.
    pub fn age(&self, at: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(at)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_by_itself_and_the_future_counts_as_now() {
        let clock = Clock::starting(Timestamp::UNIX_EPOCH);
        tokio::time::advance(Duration::from_secs(90)).await;
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(clock.now(), at(90));
        assert_eq!(clock.age(at(30)), Duration::from_secs(60));
        assert_eq!(clock.age(at(3600)), Duration::ZERO);
    }
}
