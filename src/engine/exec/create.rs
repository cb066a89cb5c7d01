//! Bringing something into existence, new or from a backup: intent, create call, and the way out of an unclear answer.

use super::Message;
use super::settle::pause;
use super::silence::{LONGEST, unanswered};
use super::step::{Stop, Work};
use super::wait::Heartbeat;
use crate::engine::driver::{Driver, Identity, Key, Live, Phase};
use crate::engine::error::{Class, Error, Leftover};
use crate::engine::event::Event;
use crate::engine::ownership::Ownership;
use crate::state::Stage;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// An intent that is older than this is recorded anew before the call is sent again: its age tells how long it is looked for.
const INTENT: Duration = Duration::from_secs(60);

impl Work {
    /// Intent, create call, and the way out of an unclear answer.
    pub(super) async fn create(&mut self, driver: &dyn Driver) -> Result<Value, Stop> {
        let token = new_token(&self.node.step, self.shared.cx.clock.now());
        let record = self.record.take();
        // What vanished stays recorded until it is restored: a run that ends before that asks again, and makes nothing empty.
        let intent = match (&self.node.restore, &record) {
            (Some(_), Some(record)) => (Stage::Created, record.outputs.clone()),
            _ => (Stage::Creating, Value::Null),
        };
        let earlier = record.filter(|r| r.stage == Stage::Creating && !r.token.is_empty());
        // A token whose call may have left is sent again: where AWS honours it, it answers the same resource.
        let token = earlier.map_or(token, |r| r.token);
        let identity = Identity {
            step: self.node.step.clone(),
            name: self.node.name.clone(),
            tags: self.node.tags.clone(),
            token,
        };
        self.note_with(intent.0, &intent.1, &identity.token).await?;
        let mut unclear = false;
        let began = Instant::now();
        let mut recorded = began;
        let mut heartbeat = Heartbeat::start();
        let mut attempt = 0;
        loop {
            let answer = match &self.node.restore {
                Some(backup) => driver.restore(&self.node.spec, &identity, backup).await,
                None => driver.create(&self.node.spec, &identity).await,
            };
            let error = match answer {
                Ok(outputs) => {
                    self.note_with(Stage::Created, &outputs, &identity.token)
                        .await?;
                    return Ok(outputs);
                }
                Err(error) => error,
            };
            let lost = error.leftover == Leftover::Unknown;
            if lost {
                unclear = true;
                self.shared.cx.events.send(Event::StepUnclear {
                    step: self.node.step.clone(),
                    error: error.clone(),
                });
            }
            let found = if lost || error.class == Class::Conflict {
                self.find(driver, &identity, unclear, &error, &mut heartbeat)
                    .await
            } else {
                Ok(None)
            };
            if matches!(found, Err(Stop::Failed(_))) {
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
                pause(&error, attempt, began.elapsed(), &self.shared.cx.limits)
            };
            attempt += 1;
            let Some(delay) = again else {
                // A stop in the middle of a type's work does not say which of its calls had left.
                self.give_up(unclear || error.class == Class::Interrupted)
                    .await?;
                return Err(error.into());
            };
            self.tell(Message::Parked(self.at));
            // Without an answer the call is sent again at once: what takes its time is the look before that.
            if !lost {
                heartbeat.beat(self, (&error.message, began, self.limit_of(&error)));
            }
            if let Err(stop) = self.sleep(delay).await {
                self.give_up(unclear).await?;
                return Err(stop);
            }
            if recorded.elapsed() > INTENT {
                self.note_with(intent.0, &intent.1, &identity.token).await?;
                recorded = Instant::now();
            }
        }
    }

    /// An intent whose call certainly had no effect is taken back; an unclear one stays for the next run to resolve, and so does the
    /// record of what was to be restored.
    async fn give_up(&self, unclear: bool) -> Result<(), Stop> {
        if !unclear && self.node.restore.is_none() {
            self.shared.recorder.record(&self.node.step, None).await?;
            self.tell(Message::Recorded(self.at, None));
        }
        Ok(())
    }

    /// Looks by identity, patiently, for what an unclear create call may have made. `None` when a read has shown, late enough, that
    /// there is nothing. While no read is answered nobody knows, and the call is not sent again.
    async fn find(
        &self,
        driver: &dyn Driver,
        identity: &Identity,
        unclear: bool,
        error: &Error,
        heartbeat: &mut Heartbeat,
    ) -> Result<Option<Live>, Stop> {
        let began = Instant::now();
        let global = driver.meta().global;
        let mut delay = Duration::from_millis(250);
        loop {
            let key = Key {
                spec: &self.node.spec,
                outputs: None,
                identity,
            };
            let answer = driver.read(key).await;
            let answered = answer.is_ok();
            match answer {
                // The predecessor, which is still on its way out under the same name, is not what this call made.
                Ok(Some(live)) if live.phase == Phase::Deleting => {}
                Ok(Some(live)) => {
                    // The create call carries the mark, so what has none is somebody else's, whoever it is named after.
                    let restored = self.node.restore.is_some();
                    let owner = identity.owner(&live.mark, restored, global);
                    if matches!(owner, Ownership::Ours | Ownership::Account) {
                        return Ok(Some(live));
                    }
                    // Ours may still come to sight beside it.
                    if !unclear || began.elapsed() >= self.shared.cx.limits.consistency_timeout {
                        let what = format!("{} `{}`", self.node.kind, self.node.name);
                        return Err(Error::foreign(error.action.clone(), &what)
                            .code(error.code.clone())
                            .into());
                    }
                }
                Ok(None) => {}
                Err(f)
                    if matches!(f.class, Class::Unclear | Class::Propagating)
                        && began.elapsed() < LONGEST =>
                {
                    heartbeat.beat(self, (&unanswered(&f), began, LONGEST));
                }
                Err(f) => return Err(f.leftover(error.leftover.clone()).into()),
            }
            if answered && began.elapsed() >= self.shared.cx.limits.consistency_timeout {
                return Ok(None);
            }
            self.sleep(delay).await?;
            delay = (delay * 2).min(Duration::from_secs(4));
        }
    }
}

/// A token that no other generation of this step has: 32 hex digits, legal everywhere AWS takes one.
fn new_token(step: &str, now: jiff::Timestamp) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(step.as_bytes());
    hash.update(now.as_nanosecond().to_le_bytes());
    hash.update(std::process::id().to_le_bytes());
    hash.finalize()
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect()
}
