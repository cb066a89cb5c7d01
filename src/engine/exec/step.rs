//! One step: the sequence of durable records and calls that makes something exist with every setting, or not exist.
//!
//! Every effect is recorded before it leaves and after it is known. A worker is never cancelled while a mutating call is
//! under way: a stop is only looked at between calls.

use super::settle::{pause, tick};
use super::{Message, Shared};
use crate::engine::diff::{diff, diff_tags};
use crate::engine::driver::{Delta, Driver, Identity, Key, Live, Nature, Ownership, Phase};
use crate::engine::event::{Event, Verb};
use crate::engine::fault::{Class, Fault, Leaves};
use crate::engine::plan::{Node, Op};
use crate::engine::reference::has_placeholder;
use crate::state::{Record, Stage};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Why a step ended before it was done.
pub(super) enum Stop {
    Failed(Box<Fault>),
    Interrupted,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(Box::new(fault))
    }
}

/// A step with all that it takes to run it.
pub(super) struct Work {
    pub at: usize,
    pub node: Node,
    pub record: Option<Record>,
    pub shared: Arc<Shared>,
}

/// How often settings are sent before a difference that stays is an error.
const SENDS: u32 = 3;

impl Work {
    pub(super) async fn run(mut self) {
        let result = self.go().await;
        // The dispatcher outlives its workers.
        let _ = self.shared.messages.send(Message::Over(self.at, result));
    }

    async fn go(&mut self) -> Result<Option<f64>, Stop> {
        if let Some(fault) = self.node.refused.take() {
            return Err(fault.into());
        }
        let driver = self.shared.registry.get(&self.node.kind)?.clone();
        match self.node.op {
            Op::Ensure => self.ensure(driver.as_ref()).await,
            Op::Remove => self.remove(driver.as_ref()).await,
        }
    }

    async fn ensure(&mut self, driver: &dyn Driver) -> Result<Option<f64>, Stop> {
        if has_placeholder(&self.node.spec) {
            let mut missing = String::new();
            crate::engine::reference::walk(&self.node.spec, &mut |p| {
                missing = format!("{}.{}", p.step, p.output)
            });
            return Err(Fault::permanent(
                "resolve",
                format!("the output `{missing}` it refers to is not known"),
            )
            .into());
        }
        let started = Instant::now();
        let mut first = None;
        let mut measured = false;
        let outputs = match self.node.live.take() {
            Some(live) => {
                let outputs = live.outputs.clone();
                first = Some(live);
                self.note(Stage::Created, &outputs).await?;
                outputs
            }
            None if driver.meta().nature == Nature::Aspect => {
                let live = self.until(driver, None, Self::settled).await?;
                let outputs = live.outputs.clone();
                first = Some(live);
                self.note(Stage::Created, &outputs).await?;
                outputs
            }
            None => {
                measured = true;
                self.create(driver).await?
            }
        };
        self.tell(Message::Known(self.at));
        self.settings(driver, first, outputs).await?;
        Ok(measured.then(|| started.elapsed().as_secs_f64()))
    }

    /// Waits until it is ready and brings every setting to the desired value; reads back what it sent.
    async fn settings(
        &mut self,
        driver: &dyn Driver,
        mut first: Option<Live>,
        mut outputs: Value,
    ) -> Result<(), Stop> {
        let mut sent = 0;
        let mut unseen = Duration::ZERO;
        loop {
            let live = match first.take().filter(|l| l.phase == Phase::Ready) {
                Some(live) => live,
                None => self.until(driver, Some(&outputs), Self::settled).await?,
            };
            outputs = live.outputs.clone();
            let delta = self.difference(driver, &live);
            if delta.is_empty() {
                self.note(Stage::Ready, &outputs).await?;
                return Ok(());
            }
            if sent > 0 && unseen < self.shared.limits.patience {
                // What was sent a moment ago may not be visible everywhere yet.
                let nap = Duration::from_millis(200) + unseen;
                unseen += nap;
                tokio::time::sleep(nap).await;
                if unseen < self.shared.limits.patience / 3 * sent {
                    continue;
                }
            }
            if sent >= SENDS {
                return Err(self.stubborn(&delta).into());
            }
            let (spec, known) = (self.node.spec.clone(), outputs.clone());
            self.retry(|| driver.update(&spec, &known, &delta)).await?;
            sent += 1;
        }
    }

    fn stubborn(&self, delta: &Delta) -> Fault {
        let text = |v: &Option<Value>| v.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let mut parts: Vec<String> = delta
            .changes
            .iter()
            .map(|c| format!("`{}` is {}, not {}", c.path, text(&c.have), text(&c.want)))
            .collect();
        parts.extend(
            delta
                .set_tags
                .keys()
                .chain(&delta.remove_tags)
                .map(|k| format!("tag `{k}`")),
        );
        Fault::permanent("verify", format!("AWS accepted the settings but reads back otherwise: {}", parts.join("; ")))
            .leaves(Leaves::Known(vec![self.node.name.clone()]))
            .hint("another actor may be changing it; see what `deployer drift` says, then run `deployer apply` again")
    }

    fn difference(&self, driver: &dyn Driver, live: &Live) -> Delta {
        let meta = driver.meta();
        let mut changes = diff(&self.node.spec, &live.spec);
        changes.retain(|c| !meta.delegated.iter().any(|d| d.field == c.field()));
        if let (Some(have), true) = (&live.tags, meta.nature != Nature::Aspect) {
            // Extra tags go only when the plan said so; others may have been put there since, by their owners.
            let planned: Vec<&str> = self
                .node
                .changes
                .iter()
                .filter(|c| c.is_extra())
                .map(|c| c.path.as_str())
                .collect();
            let tags = diff_tags(&self.node.tags, have, &[]);
            changes.extend(
                tags.into_iter()
                    .filter(|c| !c.is_extra() || planned.contains(&c.path.as_str())),
            );
        }
        Delta::of(changes)
    }

    /// Intent, create call, and the way out of an unclear answer.
    async fn create(&mut self, driver: &dyn Driver) -> Result<Value, Stop> {
        let token = new_token(&self.node.step);
        let earlier = self
            .record
            .take()
            .filter(|r| r.stage == Stage::Creating && !r.token.is_empty());
        // A token whose call may have left is sent again: where AWS honours it, it answers the same resource.
        let token = earlier.map_or(token, |r| r.token);
        let identity = Identity {
            step: self.node.step.clone(),
            name: self.node.name.clone(),
            tags: self.node.tags.clone(),
            token,
        };
        self.note_with(Stage::Creating, &Value::Null, &identity.token)
            .await?;
        let mut unclear = false;
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            let answer = {
                let _place = self.shared.calls.acquire().await;
                driver.create(&self.node.spec, &identity).await
            };
            let fault = match answer {
                Ok(outputs) => {
                    self.note_with(Stage::Created, &outputs, &identity.token)
                        .await?;
                    return Ok(outputs);
                }
                Err(fault) => fault,
            };
            let lost = fault.leaves == Leaves::Unknown;
            if lost {
                unclear = true;
                self.shared.events.send(Event::StepUnclear {
                    step: self.node.step.clone(),
                    fault: fault.clone(),
                });
            }
            let found = if lost || fault.class == Class::Conflict {
                self.find(driver, &identity, unclear, &fault).await
            } else {
                Ok(None)
            };
            if found.is_err() {
                // Refused because of what somebody else has there: this call made nothing.
                self.give_up(unclear).await?;
            }
            if let Some(live) = found? {
                self.note_with(Stage::Created, &live.outputs, &identity.token)
                    .await?;
                return Ok(live.outputs);
            }
            let again = if lost && attempt < 4 {
                Some(Duration::from_millis(200))
            } else {
                pause(
                    &fault,
                    attempt,
                    began.elapsed(),
                    self.shared.limits.held,
                    Duration::from_secs(300),
                )
            };
            attempt += 1;
            match again {
                Some(nap) if !self.stopping() => tokio::time::sleep(nap).await,
                Some(_) => {
                    self.give_up(unclear).await?;
                    return Err(Stop::Interrupted);
                }
                None => {
                    self.give_up(unclear).await?;
                    return Err(fault.into());
                }
            }
        }
    }

    /// An intent whose call certainly had no effect is taken back; an unclear one stays for the next run to resolve.
    async fn give_up(&self, unclear: bool) -> Result<(), Stop> {
        if !unclear {
            self.shared.recorder.record(&self.node.step, None).await?;
            self.tell(Message::Recorded(self.at, None));
        }
        Ok(())
    }

    /// Looks by identity, patiently, for what an unclear create call may have made.
    async fn find(
        &self,
        driver: &dyn Driver,
        identity: &Identity,
        unclear: bool,
        fault: &Fault,
    ) -> Result<Option<Live>, Stop> {
        let began = Instant::now();
        let mut nap = Duration::from_millis(250);
        loop {
            let key = Key {
                spec: &self.node.spec,
                outputs: None,
                identity,
            };
            match driver.read(key).await {
                Ok(Some(live)) => {
                    // The create call carries the mark, so what has none is somebody else's, whoever it is named after.
                    let tags = live.tags.as_ref();
                    if tags.is_none_or(|t| identity.ownership(t) == Ownership::Ours) {
                        return Ok(Some(live));
                    }
                    // Ours may still come to sight beside it.
                    if !unclear || began.elapsed() >= self.shared.limits.patience {
                        let what = format!("{} `{}`", self.node.kind, self.node.name);
                        return Err(Fault::foreign(fault.action.clone(), &what)
                            .code(fault.code.clone())
                            .into());
                    }
                }
                Ok(None) => {}
                Err(f)
                    if matches!(
                        f.class,
                        Class::Network | Class::Throttled | Class::Propagating
                    ) => {}
                Err(f) => return Err(f.leaves(fault.leaves.clone()).into()),
            }
            if began.elapsed() >= self.shared.limits.patience {
                return Ok(None);
            }
            tokio::time::sleep(nap).await;
            nap = (nap * 2).min(Duration::from_secs(4));
        }
    }

    async fn remove(&mut self, driver: &dyn Driver) -> Result<Option<f64>, Stop> {
        let Some(live) = self.node.live.take() else {
            return self.forget().await;
        };
        let outputs = live.outputs;
        self.note(Stage::Deleting, &outputs).await?;
        let started = Instant::now();
        let spec = self.node.spec.clone();
        if live.phase != Phase::Deleting {
            self.retry(|| driver.delete(&spec, &outputs)).await?;
        }
        if driver.meta().nature != Nature::Aspect {
            self.gone(driver, &outputs).await?;
        }
        self.forget().await?;
        Ok(Some(started.elapsed().as_secs_f64()))
    }

    async fn forget(&self) -> Result<Option<f64>, Stop> {
        if self.node.verb == Verb::Delete {
            self.shared.recorder.record(&self.node.step, None).await?;
            self.tell(Message::Recorded(self.at, None));
        }
        Ok(None)
    }

    /// Polls until it no longer exists.
    async fn gone(&mut self, driver: &dyn Driver, outputs: &Value) -> Result<(), Stop> {
        let began = Instant::now();
        let limit = self.settle_limit(driver.meta().delete_seconds);
        let identity = self.identity();
        let mut parked = false;
        loop {
            match driver
                .read(Key {
                    spec: &self.node.spec,
                    outputs: Some(outputs),
                    identity: &identity,
                })
                .await
            {
                Ok(None) => return Ok(()),
                Ok(Some(Live {
                    phase: Phase::Failed(why),
                    ..
                })) => {
                    return Err(
                        Fault::permanent("delete", format!("its deletion failed: {why}")).into(),
                    );
                }
                Ok(Some(_)) => {}
                Err(f) if passing(&f) => {}
                Err(f) => return Err(f.into()),
            }
            self.park(&mut parked);
            self.wait(began, limit, "its deletion").await?;
        }
    }

    /// Polls until `enough` says so.
    async fn until(
        &mut self,
        driver: &dyn Driver,
        outputs: Option<&Value>,
        enough: fn(&Live) -> bool,
    ) -> Result<Live, Stop> {
        let began = Instant::now();
        let limit = self.settle_limit(driver.meta().create_seconds);
        let identity = self.identity();
        let mut parked = false;
        loop {
            match driver
                .read(Key {
                    spec: &self.node.spec,
                    outputs,
                    identity: &identity,
                })
                .await
            {
                Ok(Some(Live {
                    phase: Phase::Failed(why),
                    ..
                })) => {
                    let fault =
                        Fault::permanent("settle", format!("AWS reports that it failed: {why}"))
                            .leaves(Leaves::Known(vec![self.node.name.clone()]))
                            .hint("run `deployer apply` again: it replaces what has failed");
                    return Err(fault.into());
                }
                Ok(Some(live)) if enough(&live) => return Ok(live),
                Ok(Some(_)) => {}
                // Just created and not visible yet.
                Ok(None) if began.elapsed() < self.shared.limits.patience * 4 => {}
                Ok(None) => {
                    return Err(
                        Fault::permanent("read", "it vanished while it was being set up")
                            .hint("somebody deleted it; run `deployer apply` again")
                            .into(),
                    );
                }
                Err(f) if passing(&f) => {}
                Err(f) => return Err(f.into()),
            }
            self.park(&mut parked);
            self.wait(began, limit, "settling").await?;
        }
    }

    fn settled(live: &Live) -> bool {
        live.phase == Phase::Ready
    }

    async fn wait(&self, began: Instant, limit: Duration, what: &str) -> Result<(), Stop> {
        if self.stopping() {
            return Err(Stop::Interrupted);
        }
        if began.elapsed() > limit {
            let fault = Fault::permanent("wait", format!("{what} took longer than {} s", limit.as_secs()))
                .leaves(Leaves::Known(vec![self.node.name.clone()]))
                .hint("look at it in the AWS console, then run the same command again: it goes on from here");
            return Err(fault.into());
        }
        let mut stop = self.shared.stop.clone();
        tokio::select! {
            () = tick(self.shared.start, began.elapsed()) => {}
            // Without anybody who could ask for a stop, this never ends and the tick decides.
            () = async { if stop.wait_for(|s| *s).await.is_err() { std::future::pending::<()>().await } } => {}
        }
        Ok(())
    }

    fn park(&self, parked: &mut bool) {
        if !std::mem::replace(parked, true) && !self.shared.limits.settle_floor.is_zero() {
            self.shared.events.send(Event::StepSettling {
                step: self.node.step.clone(),
            });
            self.tell(Message::Parked(self.at));
        }
    }

    fn settle_limit(&self, typical: f64) -> Duration {
        Duration::from_secs_f64(typical * self.shared.limits.settle_factor)
            .max(self.shared.limits.settle_floor)
    }

    /// Repeats a call that may be repeated, as its fault's class says.
    async fn retry<F>(&self, mut call: impl FnMut() -> F) -> Result<(), Stop>
    where
        F: Future<Output = Result<(), Fault>>,
    {
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            let answer = {
                let _place = self.shared.calls.acquire().await;
                call().await
            };
            let Err(fault) = answer else { return Ok(()) };
            let settle = self.shared.limits.settle_floor;
            let Some(nap) = pause(
                &fault,
                attempt,
                began.elapsed(),
                self.shared.limits.held,
                settle,
            ) else {
                return Err(fault.into());
            };
            if self.stopping() {
                return Err(Stop::Interrupted);
            }
            if fault.class == Class::Held && attempt == 2 {
                self.shared.events.send(Event::StepHeld {
                    step: self.node.step.clone(),
                    fault,
                });
            }
            attempt += 1;
            tokio::time::sleep(nap).await;
        }
    }

    fn stopping(&self) -> bool {
        *self.shared.stop.borrow()
    }

    fn identity(&self) -> Identity {
        Identity {
            step: self.node.step.clone(),
            name: self.node.name.clone(),
            tags: self.node.tags.clone(),
            token: String::new(),
        }
    }

    async fn note(&mut self, stage: Stage, outputs: &Value) -> Result<(), Stop> {
        let token = self
            .record
            .as_ref()
            .map(|r| r.token.clone())
            .unwrap_or_default();
        self.note_with(stage, outputs, &token).await
    }

    /// Makes a record durable, then tells the dispatcher.
    async fn note_with(&mut self, stage: Stage, outputs: &Value, token: &str) -> Result<(), Stop> {
        let record = Record {
            kind: self.node.kind.clone(),
            scope: self.node.scope.clone(),
            name: self.node.name.clone(),
            stage,
            token: token.to_owned(),
            tags: self.node.tags.clone(),
            inputs: self.node.spec.clone(),
            outputs: outputs.clone(),
            needs: self.node.record_needs.clone(),
            at: jiff::Timestamp::now(),
        };
        self.shared
            .recorder
            .record(&self.node.step, Some(record.clone()))
            .await?;
        self.record = Some(record.clone());
        self.tell(Message::Recorded(self.at, Some(Box::new(record))));
        Ok(())
    }

    fn tell(&self, message: Message) {
        let _ = self.shared.messages.send(message);
    }
}

/// Faults of a read that a later read may not have.
fn passing(fault: &Fault) -> bool {
    matches!(
        fault.class,
        Class::Network | Class::Throttled | Class::Propagating | Class::NotYet
    )
}

/// A token that no other generation of this step has: 32 hex digits, legal everywhere AWS takes one.
fn new_token(step: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(step.as_bytes());
    hash.update(jiff::Timestamp::now().as_nanosecond().to_le_bytes());
    hash.update(std::process::id().to_le_bytes());
    hash.finalize()
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect()
}
