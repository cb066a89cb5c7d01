//! The one way to call AWS.
//!
//! The SDK makes exactly one attempt per call (`connect` switches its retries off), so its retries and ours cannot
//! multiply. What may be sent again depends on the call's nature: a create without an idempotency token is never sent
//! twice by this layer, except when AWS says that it had no effect (throttling).

use super::budget::Budgets;
use super::class::error;
use crate::engine::{Class, Error, Event, Events, Leftover, progress};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// May a call be sent again when its outcome is unclear?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Read,
    Repeatable,
    Once,
}

/// An API action and its nature.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    nature: Nature,
}

/// A read: `read("ec2", "DescribeVpcs")`.
pub const fn read(service: &'static str, operation: &'static str) -> Api {
    Api {
        service,
        operation,
        nature: Nature::Read,
    }
}

/// A mutating call that has the same effect when it is sent twice: puts, deletes, changes to a given value, and creates
/// with an idempotency token.
pub const fn repeatable(service: &'static str, operation: &'static str) -> Api {
    Api {
        service,
        operation,
        nature: Nature::Repeatable,
    }
}

/// A mutating call that may make a second thing when it is sent twice.
pub const fn once(service: &'static str, operation: &'static str) -> Api {
    Api {
        service,
        operation,
        nature: Nature::Once,
    }
}

impl Api {
    /// `ec2:CreateVpc`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// A field that this call's answer always has. Its absence is an error, and nothing empty is ever recorded.
    pub fn field<T: for<'a> From<&'a str>>(
        &self,
        value: Option<&str>,
        name: &str,
    ) -> Result<T, Error> {
        match value {
            Some(text) if !text.is_empty() => Ok(text.into()),
            _ => Err(self.missing(name)),
        }
    }

    /// The error of an answer that lacks a field it always has.
    pub fn missing(&self, name: &str) -> Error {
        let leftover = if self.writes() {
            Leftover::Unknown
        } else {
            Leftover::Nothing
        };
        Error::permanent(self.action(), format!("the answer has no `{name}`")).leftover(leftover)
    }

    /// True for a mutating call.
    pub fn writes(&self) -> bool {
        self.nature != Nature::Read
    }
}

/// Attempts after throttling; with full jitter up to 20 s each this bridges a few minutes.
const THROTTLED: u32 = 14;
/// Attempts after an unclear answer, for calls that may be repeated.
const UNCLEAR: u32 = 6;

/// Sends calls; counts them as events.
pub struct Caller {
    events: Events,
    budgets: Budgets,
    read_only: bool,
    in_flight: Semaphore,
}

impl Caller {
    /// A caller that reports to `events`. With `read_only`, mutating calls are refused before they leave.
    ///
    /// At most `parallelism` calls are in flight; a call's time counts from when it leaves.
    pub fn new(events: Events, read_only: bool, parallelism: usize) -> Self {
        Self {
            events,
            budgets: Budgets::default(),
            read_only,
            in_flight: Semaphore::new(parallelism.max(1)),
        }
    }

    /// Sends one call, again as far as its nature and the class of the error allow.
    pub async fn call<T, E, F>(
        &self,
        api: Api,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        if self.read_only && api.writes() {
            return Err(Error::permanent(
                api.action(),
                "a read-only command tried to write; this is a defect of deployer",
            ));
        }
        // Building and signing a request takes the processor for a millisecond. Those who wait to be polled beside us first
        // say what they want to read, so that batched readers get all keys of a refresh at once.
        tokio::task::yield_now().await;
        let mut attempt = 0;
        loop {
            self.budgets.take(api).await;
            let place = self.in_flight.acquire().await;
            // After a stop no further call of a step leaves, however many its work still takes.
            progress::go_on(&api.action())?;
            let began = Instant::now();
            let answer = send().await;
            drop(place);
            let answer = answer.map_err(|e| error(api, &e));
            let throttled = matches!(&answer, Err(f) if f.class == Class::Throttled);
            self.budgets.record_answer(api, throttled);
            self.events.send(Event::Call {
                service: api.service,
                operation: api.operation,
                write: api.writes(),
                seconds: began.elapsed().as_secs_f64(),
                outcome: answer.as_ref().err().map_or_else(|| "ok".into(), outcome),
                throttled,
            });
            let failed = match answer {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            tracing::debug!(action = %failed.action, code = %failed.code, class = ?failed.class, attempt, "call failed");
            let tries = match failed.class {
                Class::Throttled => THROTTLED,
                Class::Unclear if api.nature != Nature::Once => UNCLEAR,
                _ => 1,
            };
            attempt += 1;
            if attempt >= tries {
                return Err(failed);
            }
            progress::sleep(backoff(attempt)).await;
            if progress::stopping() {
                return match failed.leftover {
                    Leftover::Nothing => Err(Error::interrupted(failed.action)),
                    _ => Err(failed),
                };
            }
        }
    }
}

fn outcome(error: &Error) -> String {
    if error.code.is_empty() {
        format!("{:?}", error.class)
    } else {
        error.code.clone()
    }
}

/// Exponential backoff with full jitter: 0 to 0.2 s first, doubling, at most 20 s.
fn backoff(attempt: u32) -> Duration {
    let ceiling = (100_u64 << attempt.min(10)).min(20_000);
    Duration::from_millis(fastrand::u64(0..=ceiling))
}
