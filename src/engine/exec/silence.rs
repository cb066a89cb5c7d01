//! How long a step that waits puts up with reads that are not answered. Whoever sends the calls has repeated each of them; this
//! is no second layer of that, but the next question of somebody who asks every few seconds for minutes.

use crate::engine::error::{Class, Error};
use std::time::Duration;
use tokio::time::Instant;

/// Since when no read was answered, and what was said instead the last time.
#[derive(Default)]
pub(super) struct Silence(Option<(Instant, String)>);

impl Silence {
    /// Takes note of an answer. Gives the error of a read after which it is no use to ask once more: one that does not pass by
    /// itself, throttling, which the caller has bridged for minutes, and an unclear one when there was no answer for too long.
    pub(super) fn heard<T>(&mut self, answer: Result<T, Error>) -> Result<Result<T, Error>, Error> {
        let error = match answer {
            Ok(answer) => {
                self.0 = None;
                return Ok(Ok(answer));
            }
            Err(error) => error,
        };
        match error.class {
            Class::Propagating | Class::NotReady => {
                self.0 = None;
                Ok(Err(error))
            }
            Class::Unclear => {
                let since = self.0.take().map_or_else(Instant::now, |it| it.0);
                self.0 = Some((since, unanswered(&error)));
                if since.elapsed() < LONGEST {
                    Ok(Err(error))
                } else {
                    Err(error)
                }
            }
            _ => Err(error),
        }
    }

    /// What a step waits for, as it is said, since when and for how long at most: for an answer while there is none.
    pub(super) fn reason<'a>(
        &'a self,
        what: &'a str,
        since: Instant,
        limit: Duration,
    ) -> (&'a str, Instant, Duration) {
        match &self.0 {
            Some((since, why)) => (why, *since, LONGEST),
            None => (what, since, limit),
        }
    }
}

/// The error of a read in a line.
pub(super) fn unanswered(error: &Error) -> String {
    let silent = if error.class == Class::Unclear {
        "no answer: "
    } else {
        ""
    };
    format!("{silent}{}", error.in_short())
}

/// How long there may be no answer: as long as throttling is bridged. A connection that breaks for minutes ends no wait of a quarter of
/// an hour; one that does not come back does.
pub(super) const LONGEST: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_the_line_says_so_with_the_time_and_the_limit_of_that() {
        let began = Instant::now();
        let limit = Duration::from_mins(15);
        let mut silence = Silence::default();
        let second = Duration::from_secs(1);
        tokio::time::sleep(second * 600).await;
        let unclear = || {
            Err::<(), _>(Error::of(
                Class::Unclear,
                "rds:DescribeDBClusters",
                "closed\n",
            ))
        };
        assert!(silence.heard(unclear()).is_ok());
        tokio::time::sleep(second * 200).await;
        assert!(silence.heard(unclear()).is_ok());
        let (what, since, most) = silence.reason("settling", began, limit);
        assert_eq!(what, "no answer: rds:DescribeDBClusters: closed");
        assert_eq!((since.elapsed(), most), (second * 200, LONGEST));
        // It is there, and not ready.
        let busy = Error::of(Class::NotReady, "x", "busy");
        assert!(silence.heard(Err::<(), _>(busy)).is_ok());
        assert_eq!(
            silence.reason("settling", began, limit),
            ("settling", began, limit)
        );
        assert!(silence.heard(unclear()).is_ok());
        tokio::time::sleep(LONGEST).await;
        assert!(silence.heard(unclear()).is_err());
    }
}
