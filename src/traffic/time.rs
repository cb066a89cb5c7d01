//! The time of a shift. `DEPLOYER_CLOCK_RATE=60@1800000000` lets it run sixty times as fast from that moment (Unix time,
//! seconds) on: for rehearsals on one machine, never for AWS.

use crate::engine::Clock;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

pub const VARIABLE: &str = "DEPLOYER_CLOCK_RATE";
/// The shortest wait: the records are not read more often than this, whatever the rate. Route 53 takes five requests a second
/// from an account ("Quotas", Amazon Route 53 Developer Guide).
const SHORTEST: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy)]
pub struct Time {
    clock: Clock,
    rate: f64,
    from: Timestamp,
}

impl Time {
    /// The time of the machine.
    pub fn real() -> Self {
        Self {
            clock: Clock::start(),
            rate: 1.0,
            from: Timestamp::UNIX_EPOCH,
        }
    }

    /// What the variable says.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "{VARIABLE} is {text:?}; it takes a rate from 1 to 10000 and the moment from which it runs, `60@1800000000`"
            )
        };
        let (rate, from) = text.split_once('@').ok_or_else(bad)?;
        let from: i64 = from.parse().map_err(|_| bad())?;
        Ok(Self {
            rate: self::rate(rate).map_err(|_| bad())?,
            from: Timestamp::from_second(from).map_err(|_| bad())?,
            ..Self::real()
        })
    }

    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        if now <= self.from || self.rate <= 1.0 {
            return now;
        }
        let since = now.duration_since(self.from).as_secs_f64() * self.rate;
        let since = SignedDuration::from_millis((since * 1000.0) as i64);
        self.from.checked_add(since).unwrap_or(now)
    }

    /// Waits for so many seconds of it.
    pub async fn sleep(&self, seconds: u32) {
        let real = Duration::from_secs(seconds.into()).div_f64(self.rate);
        tokio::time::sleep(real.max(SHORTEST)).await;
    }
}

/// Reads a rate.
///
/// # Errors
/// When it is none from 1 to 10000.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    rate.filter(|rate| (1.0..=10_000.0).contains(rate))
        .ok_or_else(|| "it takes a number from 1 to 10000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_runs_faster_from_its_moment_on() {
        let real = Time::real().now().as_second();
        let time = Time::parse(&format!("60@{real}")).unwrap();
        let before = time.now();
        time.sleep(600).await;
        let passed = time.now().duration_since(before).as_secs_f64();
        assert!((599.0..=605.0).contains(&passed), "{passed}");
        for bad in ["", "60", "0@1", "x@1", "60@x", "1e9@1"] {
            assert!(Time::parse(bad).is_err(), "{bad}");
        }
    }
}
