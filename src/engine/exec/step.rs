//! One step: the sequence of durable records and calls that makes something exist with every setting, or not exist.
//!
//! Every effect is recorded before it leaves and after it is known. A worker is never cancelled while a mutating call is
//! under way: a stop is only looked at between calls.

use super::{Message, Shared};
use crate::engine::compare::{self, Wanted};
use crate::engine::diff::{Change, TAGS};
use crate::engine::driver::{Delta, Driver, Identity, Live, Nature, Phase};
use crate::engine::error::{Class, Error, Leftover};
use crate::engine::event::Verb;
use crate::engine::plan::{Node, Op};
use crate::engine::reference::has_placeholder;
use crate::engine::replaced::is_replaced;
use crate::state::{Record, Stage};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Why a step ended before it was done.
pub(super) enum Stop {
    Failed(Box<Error>),
    Interrupted,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error.class {
            Class::Interrupted => Self::Interrupted,
            _ => Self::Failed(Box::new(error)),
        }
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
    pub(super) async fn run(mut self) -> Result<Option<f64>, Stop> {
        if let Some(error) = self.node.refused.take() {
            return Err(error.into());
        }
        let driver = self.shared.cx.registry.get(&self.node.kind)?.clone();
        match self.node.op {
            Op::Ensure => self.ensure(driver.as_ref()).await,
            Op::Remove => self.remove(driver.as_ref()).await,
        }
    }

    async fn ensure(&mut self, driver: &dyn Driver) -> Result<Option<f64>, Stop> {
        if let Some((step, record)) = self.node.replaces.take() {
            // From here on two things of this step exist, and both must be known whenever the process ends.
            let recorded = Some((*record).clone());
            self.shared.recorder.record(&step, recorded).await?;
            self.tell(Message::Replaced(step, record));
            self.record = None;
        }
        if has_placeholder(&self.node.spec) {
            let mut missing = String::new();
            crate::engine::reference::walk(&self.node.spec, &mut |p| {
                missing = format!("{}.{}", p.step, p.output)
            });
            return Err(Error::permanent(
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
            None if self.node.follows || driver.meta().nature == Nature::SubResource => {
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
        // An update that changes outputs makes them known only when it is done, also one that an earlier run began and whose changes are no
        // longer seen; what depends on an upgrade fits it only then. So does what is converged after a restore: what a backup
        // does not hold (a table's stream, the secret of a master password) is made then.
        let (meta, changes) = (driver.meta(), &self.node.changes);
        let renews = match changes.is_empty() {
            true => !meta.changing.is_empty(),
            false => meta.renews_any(changes),
        };
        let settled_later =
            self.node.restore.is_some() || self.node.upgrade || (renews && first.is_some());
        if !settled_later {
            self.tell(Message::Known(self.at));
        }
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
        // How many of them changed outputs.
        let mut renewed = 0;
        let mut last = Instant::now();
        let mut unseen = Duration::ZERO;
        loop {
            let live = match first.take().filter(|l| l.phase == Phase::Ready) {
                Some(live) => live,
                None => self.until(driver, Some(&outputs), Self::settled).await?,
            };
            outputs = live.outputs.clone();
            let delta = self.difference(driver, &live);
            if delta.is_empty() {
                // What was sent again gives its outputs anew: those of the first time may still be shown.
                let consistency = self.shared.cx.limits.consistency_timeout;
                let left = consistency.saturating_sub(last.elapsed());
                if renewed > 1 && !left.is_zero() {
                    self.sleep(left).await?;
                    continue;
                }
                self.note(Stage::Ready, &outputs).await?;
                return Ok(());
            }
            if sent > 0 && unseen < self.shared.cx.limits.consistency_timeout {
                // What was sent a moment ago may not be visible everywhere yet.
                let delay = Duration::from_millis(200) + unseen;
                unseen += delay;
                self.sleep(delay).await?;
                if unseen < self.shared.cx.limits.consistency_timeout / 3 * sent {
                    continue;
                }
            }
            if sent >= SENDS {
                return Err(self.stubborn(&delta).into());
            }
            let (spec, known) = (self.node.spec.clone(), outputs.clone());
            self.retry(|| driver.update(&spec, &known, &delta)).await?;
            sent += 1;
            renewed += u32::from(driver.meta().renews_any(&delta.changes));
            last = Instant::now();
        }
    }

    fn stubborn(&self, delta: &Delta) -> Error {
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
        Error::permanent(
            "verify",
            format!(
                "AWS returned different values than were set: {}",
                parts.join("; ")
            ),
        )
        .leftover(Leftover::Known(vec![self.node.name.clone()]))
        .hint(format!(
            "{}; see what `deployer drift` says, then run `deployer apply` again",
            why_it_stays(delta)
        ))
    }

    fn difference(&self, driver: &dyn Driver, live: &Live) -> Delta {
        if live.is_the_accounts() {
            return Delta::default();
        }
        let wanted = Wanted {
            step: &self.node.step,
            spec: &self.node.spec,
            tags: &self.node.tags,
        };
        let mut changes = compare::changes(driver.meta(), wanted, live, &[]);
        let planned = &self.node.changes;
        let is_update = self.node.verb == Verb::Update && !planned.is_empty();
        if is_update && planned.iter().all(|c| c.field() == TAGS) {
            // Tags alone were planned. What somebody has changed since is for the next plan.
            changes.retain(|c| c.field() == TAGS);
        }
        // What is too much goes only when the plan said so; others may have put it there since.
        let is_planned = |c: &Change| planned.iter().any(|p| p.path == c.path);
        changes.retain(|c| !c.is_extra() || is_planned(c) || !(is_update || c.field() == TAGS));
        Delta::of(changes)
    }

    async fn remove(&mut self, driver: &dyn Driver) -> Result<Option<f64>, Stop> {
        let Some(live) = self.node.live.take() else {
            return self.forget().await;
        };
        let made = self.record.as_ref().map(|record| record.at);
        self.note(Stage::Deleting, &live.outputs).await?;
        let started = Instant::now();
        if live.phase != Phase::Deleting {
            self.retry(|| driver.delete(&self.node.spec, &live.outputs, &self.node.loss.options))
                .await?;
        }
        if driver.meta().nature != Nature::SubResource {
            self.gone(driver, &live, made).await?;
        }
        self.forget().await?;
        Ok(Some(started.elapsed().as_secs_f64()))
    }

    async fn forget(&self) -> Result<Option<f64>, Stop> {
        if self.node.verb == Verb::Delete || is_replaced(&self.node.step) {
            self.shared.recorder.record(&self.node.step, None).await?;
            self.tell(Message::Recorded(self.at, None));
        }
        Ok(None)
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            step: self.node.step.clone(),
            name: self.node.name.clone(),
            tags: self.node.tags.clone(),
            token: String::new(),
        }
    }

    pub(super) async fn note(&mut self, stage: Stage, outputs: &Value) -> Result<(), Stop> {
        let token = self
            .record
            .as_ref()
            .map(|r| r.token.clone())
            .unwrap_or_default();
        self.note_with(stage, outputs, &token).await
    }

    /// Makes a record durable, then tells the dispatcher.
    pub(super) async fn note_with(
        &mut self,
        stage: Stage,
        outputs: &Value,
        token: &str,
    ) -> Result<(), Stop> {
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
            at: self.shared.cx.clock.now(),
        };
        self.shared
            .recorder
            .record(&self.node.step, Some(record.clone()))
            .await?;
        self.record = Some(record.clone());
        self.tell(Message::Recorded(self.at, Some(Box::new(record))));
        Ok(())
    }

    pub(super) fn tell(&self, message: Message) {
        let _ = self.shared.messages.send(message);
    }
}

/// What may be behind a difference that stays whatever is sent. Somebody else's value would be there.
fn why_it_stays(delta: &Delta) -> &'static str {
    let tags = !delta.set_tags.is_empty() || !delta.remove_tags.is_empty();
    if tags || delta.changes.iter().any(|c| c.have.is_some()) {
        "another actor may be changing it"
    } else {
        "AWS accepted it and does not show it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::diff::diff;
    use serde_json::json;

    #[test]
    fn a_missing_value_is_not_explained_by_another_actor() {
        let why = |have: Value| why_it_stays(&Delta::of(diff(&json!({"a": 1, "b": 2}), &have)));
        let unseen = "AWS accepted it and does not show it";
        assert_eq!(why(json!({"b": 2})), unseen);
        assert_eq!(why(json!({"a": null, "b": 2})), unseen);
        assert_eq!(why(json!({})), unseen);
        let other = "another actor may be changing it";
        assert_eq!(why(json!({"a": 3})), other);
        assert_eq!(why(json!({"a": 1, "b": 2, "c": 3})), other);
    }
}
