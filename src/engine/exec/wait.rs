//! A step that waits: until something is ready, until it is gone, until a call is let through.

use super::Message;
use super::settle::{limit, pause, tick};
use super::silence::Silence;
use super::step::{Stop, Work};
use crate::engine::driver::{Driver, Key, Live, Phase};
use crate::engine::error::{Class, Error, Leftover};
use crate::engine::event::Event;
use crate::engine::progress::stopped;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How long something may look as if its deletion had never been asked for: longer than any read lags.
const IGNORED: Duration = Duration::from_secs(60);

/// How long a restore or a major upgrade may take: several hours, with much data or many objects.
const LONG: Duration = Duration::from_secs(24 * 3600);

impl Work {
    /// Polls until it no longer exists. A deletion that AWS took and of which nothing shows after a while is sent again:
    /// deleting twice does no harm, and waiting for what was never begun has no end.
    ///
    /// A read may not show yet what was `made` a moment ago, so that it is not there counts only when it is older than that.
    pub(super) async fn gone(
        &mut self,
        driver: &dyn Driver,
        was: &Live,
        made: Option<Timestamp>,
    ) -> Result<(), Stop> {
        let cx = &self.shared.cx;
        let shows = cx.limits.confirm_absence();
        let age = made.map_or(Duration::ZERO, |at| cx.clock.age(at));
        let began = Instant::now();
        let limit = self.settle_limit(driver.meta().delete_seconds);
        let identity = self.identity();
        let mut parked = false;
        let mut heartbeat = Heartbeat::start();
        let mut sent = Instant::now();
        let mut silence = Silence::default();
        loop {
            let read = driver.read(Key {
                spec: &self.node.spec,
                outputs: Some(&was.outputs),
                identity: &identity,
            });
            match silence.heard(read.await)? {
                Ok(None) if age + began.elapsed() >= shows => return Ok(()),
                Ok(None) => {}
                Ok(Some(live)) => match live.phase {
                    // What had failed before may show so for a moment longer.
                    Phase::Failed(why) if was.phase != Phase::Failed(why.clone()) => {
                        let why = format!("its deletion failed: {why}");
                        return Err(Error::permanent("delete", why).into());
                    }
                    Phase::Ready | Phase::Failed(_) if sent.elapsed() > IGNORED => {
                        self.retry(|| {
                            driver.delete(&self.node.spec, &live.outputs, &self.node.loss.options)
                        })
                        .await?;
                        sent = Instant::now();
                    }
                    _ => {}
                },
                Err(_) => {}
            }
            self.park(&mut parked);
            self.wait(began, limit, "its deletion", &silence, &mut heartbeat)
                .await?;
        }
    }

    /// Polls until `enough` says so.
    pub(super) async fn until(
        &mut self,
        driver: &dyn Driver,
        outputs: Option<&Value>,
        enough: fn(&Live) -> bool,
    ) -> Result<Live, Stop> {
        let began = Instant::now();
        let limit = if self.node.restore.is_some() || self.node.upgrade {
            LONG
        } else {
            self.settle_limit(driver.meta().create_seconds)
        };
        let identity = self.identity();
        let mut parked = false;
        let mut heartbeat = Heartbeat::start();
        let mut silence = Silence::default();
        loop {
            let read = driver.read(Key {
                spec: &self.node.spec,
                outputs,
                identity: &identity,
            });
            match silence.heard(read.await)? {
                Ok(Some(Live {
                    phase: Phase::Failed(why),
                    ..
                })) => {
                    let error =
                        Error::permanent("settle", format!("AWS reports that it failed: {why}"))
                            .leftover(Leftover::Known(vec![self.node.name.clone()]))
                            .hint("run `deployer apply` again: it replaces what has failed");
                    return Err(error.into());
                }
                Ok(Some(live)) if enough(&live) => return Ok(live),
                Ok(Some(_)) => {}
                // Just created and not visible yet.
                Ok(None) if began.elapsed() < self.shared.cx.limits.consistency_timeout * 4 => {}
                Ok(None) => {
                    return Err(
                        Error::permanent("read", "it vanished while it was being set up")
                            .hint("somebody deleted it; run `deployer apply` again")
                            .into(),
                    );
                }
                Err(_) => {}
            }
            self.park(&mut parked);
            self.wait(began, limit, "settling", &silence, &mut heartbeat)
                .await?;
        }
    }

    pub(super) fn settled(live: &Live) -> bool {
        live.phase == Phase::Ready
    }

    async fn wait(
        &self,
        began: Instant,
        limit: Duration,
        what: &str,
        silence: &Silence,
        heartbeat: &mut Heartbeat,
    ) -> Result<(), Stop> {
        if self.stopping() {
            return Err(Stop::Interrupted);
        }
        if began.elapsed() > limit {
            let error = Error::permanent("wait", format!("{what} took longer than {} s", limit.as_secs()))
                .leftover(Leftover::Known(vec![self.node.name.clone()]))
                .hint("look at it in the AWS console, then run the same command again: it resumes from here");
            return Err(error.into());
        }
        heartbeat.beat(self, silence.reason(what, began, limit));
        let stop = self.shared.cx.stop.clone();
        tokio::select! {
            biased;
            () = tick(self.shared.start, began.elapsed()) => {}
            () = stopped(Some(stop)) => {}
        }
        Ok(())
    }

    fn park(&self, parked: &mut bool) {
        if !std::mem::replace(parked, true) && !self.shared.cx.limits.settle_floor.is_zero() {
            self.shared.cx.events.send(Event::StepSettling {
                step: self.node.step.clone(),
            });
            self.tell(Message::Parked(self.at));
        }
    }

    fn settle_limit(&self, typical: f64) -> Duration {
        Duration::from_secs_f64(typical * self.shared.cx.limits.settle_factor)
            .max(self.shared.cx.limits.settle_floor)
    }

    /// Repeats a call that may be repeated, as its error's class says.
    pub(super) async fn retry<F>(&self, mut call: impl FnMut() -> F) -> Result<(), Stop>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let began = Instant::now();
        let mut heartbeat = Heartbeat::start();
        let mut reported = false;
        let mut attempt = 0;
        loop {
            let Err(error) = call().await else {
                return Ok(());
            };
            let limits = &self.shared.cx.limits;
            let Some(delay) = pause(&error, attempt, began.elapsed(), limits) else {
                return Err(error.into());
            };
            // What passes by itself is mostly gone before the third attempt; what does not is named at once.
            let tell = match error.class {
                Class::InUse => attempt >= 2,
                class => class == Class::Blocked,
            };
            heartbeat.beat(self, (&error.message, began, self.limit_of(&error)));
            if tell && !std::mem::replace(&mut reported, true) {
                self.shared.cx.events.send(Event::StepInUse {
                    step: self.node.step.clone(),
                    error,
                });
            }
            attempt += 1;
            // What it waits for may be a step that has no place yet.
            self.tell(Message::Parked(self.at));
            self.sleep(delay).await?;
        }
    }

    /// How long a call is tried again after this error.
    pub(super) fn limit_of(&self, error: &Error) -> Duration {
        limit(error.class, &self.shared.cx.limits)
    }

    /// Sleeps; a stop ends it, and the step.
    pub(super) async fn sleep(&self, time: Duration) -> Result<(), Stop> {
        let stop = self.shared.cx.stop.clone();
        tokio::select! {
            biased;
            () = tokio::time::sleep(time) => {}
            () = stopped(Some(stop)) => {}
        }
        if self.stopping() {
            return Err(Stop::Interrupted);
        }
        Ok(())
    }

    pub(super) fn stopping(&self) -> bool {
        *self.shared.cx.stop.borrow()
    }
}

/// Says once a minute that a step still waits, so that a long wait is not taken for a hang.
pub(super) struct Heartbeat {
    last: Instant,
}

impl Heartbeat {
    const EVERY: Duration = Duration::from_secs(60);

    pub(super) fn start() -> Self {
        let last = Instant::now();
        Self { last }
    }

    /// To be called again and again while the step waits: what for, since when, and for how long at most.
    pub(super) fn beat(&mut self, work: &Work, (what, since, limit): (&str, Instant, Duration)) {
        if self.last.elapsed() < Self::EVERY {
            return;
        }
        self.last = Instant::now();
        work.shared.cx.events.send(Event::StepWaiting {
            step: work.node.step.clone(),
            what: what.trim_end().to_owned(),
            seconds: since.elapsed().as_secs_f64(),
            limit_seconds: limit.as_secs_f64(),
        });
    }
}
