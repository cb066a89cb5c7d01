//! How long a step that waits puts up with reads that are not answered. Whoever sends the calls has repeated each of them; this
//! is no second layer of that, but the next question of somebody who asks every few seconds for minutes.

use crate::engine::error::{Class, Error};
use std::time::Duration;
use tokio::time::Instant;

/// Since when no read was answered.
#[derive(Default)]
pub(super) struct Silence {
    since: Option<Instant>,
}

impl Silence {
    /// Takes note of an answer. Gives the error of a read after which it is no use to ask once more: one that does not pass by
    /// itself, throttling, which the caller has bridged for minutes, and an unclear one when there was no answer for too long.
    pub(super) fn heard<T>(&mut self, answer: Result<T, Error>) -> Result<Result<T, Error>, Error> {
        let error = match answer {
            Ok(answer) => {
                self.since = None;
                return Ok(Ok(answer));
            }
            Err(error) => error,
        };
        match error.class {
            Class::Propagating | Class::NotReady => {
                self.since = None;
                Ok(Err(error))
            }
            Class::Unclear if self.lasts() < LONGEST => Ok(Err(error)),
            _ => Err(error),
        }
    }

    fn lasts(&mut self) -> Duration {
        self.since.get_or_insert_with(Instant::now).elapsed()
    }
}

/// How long there may be no answer: as long as throttling is bridged. A connection that breaks for minutes ends no wait of a quarter of
/// an hour; one that does not come back does.
pub(super) const LONGEST: Duration = Duration::from_mins(5);
