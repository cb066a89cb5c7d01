//! The one way to call AWS, and the only layer that repeats a call because of throttling or an unclear answer. The
//! executor waits for what is not ready, propagating or in use; it does not count on a second try of anything else.
//!
//! The SDK makes exactly one attempt per call (`connect` switches its retries off), so its retries and ours cannot
//! multiply. What may be sent again depends on the call's nature: a create without an idempotency token is never sent
//! twice by this layer, except when AWS says that it had no effect (throttling).

use super::api::{Api, Nature};
use super::budget::Budgets;
use super::error::error;
use crate::engine::{Class, Error, Event, Events, Leftover, progress};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How long throttling is bridged, counted from the first attempt.
const THROTTLED: Duration = Duration::from_secs(300);
/// Attempts after an unclear answer, for calls that may be repeated.
const UNCLEAR: u32 = 6;

/// Sends calls; counts them as events.
pub struct Caller {
    events: Events,
    budgets: Budgets,
    read_only: bool,
    in_flight: Semaphore,
    changes: AtomicU64,
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
            changes: AtomicU64::new(0),
        }
    }

    /// The same with this part of AWS's documented limits: 2 for an account that may call twice as often.
    #[must_use]
    pub fn with_limits(mut self, part: f64) -> Self {
        self.budgets = Budgets::of(part);
        self
    }

    /// A number that is another one as soon as a call that changes something leaves, and again when it is answered: what was read
    /// between two equal ones is not outdated by this process.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn changing(&self, api: Api) {
        if api.writes() {
            self.changes.fetch_add(1, Ordering::AcqRel);
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
        let first = Instant::now();
        let mut attempt = 0;
        loop {
            let place = self.place(api).await?;
            let began = Instant::now();
            self.changing(api);
            let answer = send().await;
            self.changing(api);
            drop(place);
            let answer = answer.map_err(|e| error(api, &e));
            let throttled = matches!(&answer, Err(f) if f.class == Class::Throttled);
            self.budgets.record_answer(api, throttled);
            self.events.send(Event::Call {
                service: api.service.name,
                operation: api.operation,
                write: api.writes(),
                seconds: began.elapsed().as_secs_f64(),
                outcome: answer.as_ref().err().map_or_else(|| "ok".into(), outcome),
                throttled,
            });
            let failed = match answer {
                Ok(value) => {
                    let ms = began.elapsed().as_millis();
                    tracing::trace!(action = %api.action(), ms, "call");
                    return Ok(value);
                }
                Err(failed) => failed,
            };
            tracing::debug!(action = %failed.action, code = %failed.code, class = ?failed.class, attempt, "call failed");
            attempt += 1;
            let again = match failed.class {
                Class::Throttled => first.elapsed() < THROTTLED,
                Class::Unclear => api.nature != Nature::Once && attempt < UNCLEAR,
                _ => false,
            };
            if !again {
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

impl Caller {
    /// A place among the calls in flight, for a call that fits the budget when it leaves: what had to wait for its place while
    /// answers were slow would otherwise leave together with all that waited beside it.
    async fn place(&self, api: Api) -> Result<Option<SemaphorePermit<'_>>, Error> {
        loop {
            self.budgets.ready(api).await;
            let place = self.in_flight.acquire().await;
            // After a stop no further call of a step leaves, however many its work still takes.
            progress::go_on(&api.action())?;
            if self.budgets.take(api) {
                // Nobody closes the semaphore.
                return Ok(place.ok());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ec2;
    use aws_sdk_ec2::operation::create_vpc::{CreateVpcError, CreateVpcOutput};
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    use std::sync::atomic::{AtomicU32, Ordering};

    type Answer = Result<CreateVpcOutput, SdkError<CreateVpcError, HttpResponse>>;

    fn refusal(code: &str, status: u16) -> SdkError<CreateVpcError, HttpResponse> {
        let meta = ErrorMetadata::builder().code(code).build();
        let status = StatusCode::try_from(status).unwrap();
        SdkError::service_error(
            CreateVpcError::generic(meta),
            HttpResponse::new(status, SdkBody::empty()),
        )
    }

    /// How often the call leaves, and how it ends.
    async fn tries(api: Api, answer: impl Fn(u32) -> Answer + Send + Sync) -> (u32, bool) {
        let caller = Caller::new(Events::to(Vec::new()), false, 4);
        let sent = AtomicU32::new(0);
        let result = caller
            .call(api, || {
                let n = sent.fetch_add(1, Ordering::Relaxed);
                let answer = answer(n);
                async move { answer }
            })
            .await;
        (sent.into_inner(), result.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_is_bridged_for_minutes_whatever_the_call() {
        let start = Instant::now();
        let busy = || Err(refusal("RequestLimitExceeded", 503));
        let (sent, done) = tries(ec2::CREATE_VPC, |n| {
            if n < 20 {
                busy()
            } else {
                Ok(CreateVpcOutput::builder().build())
            }
        })
        .await;
        assert_eq!((sent, done), (21, true));
        let start_of_storm = Instant::now();
        assert!(start.elapsed() < THROTTLED);
        let (_, done) = tries(ec2::CREATE_VPC, |_| busy()).await;
        assert!(!done);
        let waited = start_of_storm.elapsed();
        assert!(waited >= THROTTLED && waited < THROTTLED * 2, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_unclear_answer_is_repeated_only_where_that_is_harmless() {
        let lost = |_| Err(refusal("InternalError", 500));
        assert_eq!(tries(ec2::CREATE_VPC, lost).await, (1, false));
        assert_eq!(tries(ec2::DELETE_VPC, lost).await, (UNCLEAR, false));
        assert_eq!(tries(ec2::DESCRIBE_VPCS, lost).await, (UNCLEAR, false));
        let wrong = |_| Err(refusal("InvalidParameterValue", 400));
        assert_eq!(tries(ec2::DELETE_VPC, wrong).await, (1, false));
    }

    #[tokio::test(start_paused = true)]
    async fn what_waited_for_its_place_does_not_leave_all_at_once() {
        let caller = Caller::new(Events::to(Vec::new()), false, 4);
        let left = std::sync::Mutex::new(Vec::new());
        // The four that have a place are answered after a minute; the others wait so long with their tokens before them.
        let began = Instant::now();
        let call = || {
            caller.call(ec2::CREATE_VPC, || async {
                let count = {
                    let mut left = left.lock().unwrap();
                    left.push(began.elapsed());
                    left.len()
                };
                if count <= 4 {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
                Answer::Ok(CreateVpcOutput::builder().build())
            })
        };
        let answers = futures::future::join_all((0..200).map(|_| call())).await;
        assert!(answers.iter().all(Result::is_ok));
        let left = left.into_inner().unwrap();
        let limit = (ec2::CREATE_VPC.service.bucket)(ec2::CREATE_VPC);
        for (n, at) in left.iter().enumerate() {
            let window = Duration::from_secs(10);
            let within = left[n..].iter().filter(|later| **later - *at < window);
            let most = limit.burst + limit.rate * window.as_secs_f64();
            assert!(within.count() as f64 <= most, "{left:?}");
        }
    }

    #[tokio::test]
    async fn a_read_only_caller_sends_no_write() {
        let caller = Caller::new(Events::to(Vec::new()), true, 4);
        let sent = AtomicU32::new(0);
        let result: Result<CreateVpcOutput, Error> = caller
            .call(ec2::CREATE_VPC, || {
                sent.fetch_add(1, Ordering::Relaxed);
                async { Answer::Ok(CreateVpcOutput::builder().build()) }
            })
            .await;
        assert!(result.is_err());
        assert_eq!(sent.into_inner(), 0);
    }
}
