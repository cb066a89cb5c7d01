//! The way of every call to the account and of its answer: what gets lost, comes late, hangs or is refused.

use super::judge::Judge;
use super::process::Flaw;
use super::switch::Switch;
use crate::support::fake::Fake;
use async_trait::async_trait;
use deployer::engine::driver::{Key, Owned};
use deployer::engine::progress::go_on;
use deployer::engine::{
    Backup, Class, DeleteOptions, Delta, Driver, Error, Identity, Leftover, Live, Mark, Meta,
    Remains,
};
use deployer::state::Stage;
use fastrand::Rng;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// Seconds after which a call without an answer is given up.
const CALL_TIMEOUT: u64 = 10;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It takes effect and is answered.
    Answered,
    /// It is asked to slow down for a while first.
    Delayed,
    /// It has no effect, and says so.
    Refused(Class),
    /// It takes effect, and the answer is lost.
    Lost,
    /// The connection is closed before it takes effect.
    ClosedEarly,
    /// It takes effect, and an answer never comes.
    Hung,
    /// It never arrives, and an answer never comes.
    Vanished,
    /// What it creates ends as failed.
    Fails,
    /// A deletion that is answered and comes to nothing.
    Forgotten,
}

/// What a call does.
#[derive(Clone, Copy, PartialEq)]
enum Op {
    Create,
    Update,
    Delete,
}

/// What all calls of one life share.
pub struct Net {
    pub judge: Arc<Judge>,
    /// Of a hundred calls so many go wrong.
    pub trouble: AtomicU32,
    pub rng: Mutex<Rng>,
}

impl Net {
    fn fate(&self, op: Op) -> Fate {
        use Class::{Blocked, InUse, NotReady, Permanent, Propagating, Throttled};
        let mut rng = self.rng.lock().unwrap();
        if rng.u32(0..100) >= self.trouble.load(Relaxed) {
            return Fate::Answered;
        }
        let common = [
            Fate::Refused(Throttled),
            Fate::Refused(NotReady),
            Fate::Refused(Permanent),
            Fate::Delayed,
            Fate::Lost,
            Fate::Lost,
            Fate::ClosedEarly,
            Fate::Hung,
            Fate::Vanished,
        ];
        let own: &[Fate] = match op {
            Op::Create => &[Fate::Refused(Propagating), Fate::Fails],
            Op::Update => &[Fate::Refused(Propagating)],
            Op::Delete => &[
                Fate::Refused(InUse),
                Fate::Refused(Blocked),
                Fate::Forgotten,
            ],
        };
        let at = rng.usize(0..common.len() + own.len());
        common
            .get(at)
            .copied()
            .unwrap_or_else(|| own[at - common.len()])
    }

    /// How long something takes that takes at most so many milliseconds.
    async fn travel(&self, millis: u64) {
        let time = self.rng.lock().unwrap().u64(0..millis);
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
}

/// The driver of a kind, as one process has it.
pub struct Wire {
    pub fake: Fake,
    pub net: Arc<Net>,
    pub switch: Arc<Switch>,
    pub flaw: Option<Flaw>,
}

fn unclear(what: &str) -> Error {
    Error::of(Class::Unclear, what, "no clear answer").leftover(Leftover::Unknown)
}

impl Wire {
    async fn send<T: Send + 'static>(
        &self,
        op: Op,
        what: String,
        leaves: impl Fn(&Judge),
        effect: impl FnOnce(Fate) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (net, switch) = (&self.net, &self.switch);
        go_on(&what)?;
        switch.point().await;
        let fate = net.fate(op);
        if let Fate::Refused(class) = fate {
            net.travel(500).await;
            net.judge.log(format!("{what}: {class:?}"));
            switch.point().await;
            return Err(Error::of(class, what, "refused"));
        }
        if fate == Fate::Delayed {
            net.travel(300_000).await;
            switch.point().await;
        }
        leaves(&net.judge);
        // From here on it happens, whatever becomes of the process.
        let (answer, answered) = oneshot::channel();
        let (far, text) = (net.clone(), what.clone());
        tokio::spawn(async move {
            far.travel(1_000).await;
            let done = if fate == Fate::Vanished {
                Err(unclear(&text))
            } else {
                effect(fate)
            };
            let short = done
                .as_ref()
                .map_or_else(|e| format!("{:?}", e.class), |_| "done".into());
            far.judge.log(format!("{text}: {short}, {fate:?}"));
            let _ = answer.send(done);
        });
        switch.point().await;
        let done = match fate {
            Fate::ClosedEarly => Err(unclear(&what)),
            Fate::Hung | Fate::Vanished => {
                tokio::time::sleep(Duration::from_secs(CALL_TIMEOUT)).await;
                Err(unclear(&what))
            }
            _ => {
                let done = answered.await.unwrap_or_else(|_| Err(unclear(&what)));
                net.travel(500).await;
                if fate == Fate::Lost {
                    Err(unclear(&what))
                } else {
                    done
                }
            }
        };
        switch.point().await;
        done
    }
}

/// What was made ends as failed when that is its fate.
fn fails(fake: &Fake, outputs: &Value, fate: Fate) {
    let id = outputs["id"].as_str().unwrap_or_default();
    let mut things = fake.world.things.lock().unwrap();
    if let Some(thing) = things.get_mut(id) {
        thing.fails |= fate == Fate::Fails;
    }
}

#[async_trait]
impl Driver for Wire {
    fn meta(&self) -> &Meta {
        &self.fake.meta
    }

    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        let what = format!("read {}", key.identity.step);
        go_on(&what)?;
        self.switch.point().await;
        let trouble = self.net.trouble.load(Relaxed);
        let (broken, class) = {
            let mut rng = self.net.rng.lock().unwrap();
            let classes = [Class::Unclear, Class::Throttled, Class::Permanent];
            (rng.u32(0..1_000) < trouble, classes[rng.usize(0..3)])
        };
        self.net.travel(50).await;
        if broken {
            self.net.judge.log(format!("{what}: {class:?}"));
            return Err(Error::of(class, what, "not read"));
        }
        let mut found = self.fake.show(key);
        match self.flaw {
            Some(Flaw::NoLook) if key.outputs.is_none() => found = None,
            Some(Flaw::AllOurs) => {
                if let Some(live) = found.as_mut() {
                    live.mark = Mark::Parent;
                }
            }
            _ => {}
        }
        Ok(found)
    }

    async fn create(&self, spec: &Value, identity: &Identity) -> Result<Value, Error> {
        let (fake, spec, me) = (self.fake.clone(), spec.clone(), identity.clone());
        let judge = self.net.judge.clone();
        let what = format!("create {} ({})", me.step, fake.meta.kind);
        let leaves = |judge: &Judge| judge.creating(self.fake.meta.kind, identity);
        let effect = move |fate| {
            let outputs = fake.make(&spec, &me)?;
            judge.created(&outputs, &me);
            fails(&fake, &outputs, fate);
            Ok(outputs)
        };
        self.send(Op::Create, what, leaves, effect).await
    }

    async fn update(&self, spec: &Value, outputs: &Value, delta: &Delta) -> Result<(), Error> {
        let (fake, spec, known, delta) = (
            self.fake.clone(),
            spec.clone(),
            outputs.clone(),
            delta.clone(),
        );
        let judge = self.net.judge.clone();
        let what = format!("update {outputs} ({})", fake.meta.kind);
        let stages = [Stage::Created, Stage::Ready];
        let leaves = |judge: &Judge| judge.changing(self.fake.meta.kind, outputs, &stages);
        let effect = move |_| {
            judge.touches(&known);
            fake.change(&spec, &known, &delta)
        };
        self.send(Op::Update, what, leaves, effect).await
    }

    async fn delete(
        &self,
        _spec: &Value,
        outputs: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        let (fake, known, options) = (self.fake.clone(), outputs.clone(), options.clone());
        let judge = self.net.judge.clone();
        let what = format!("delete {outputs} ({})", fake.meta.kind);
        let stages = [Stage::Deleting];
        let leaves = |judge: &Judge| judge.changing(self.fake.meta.kind, outputs, &stages);
        let effect = move |fate| {
            if fate == Fate::Forgotten && known.get("part").is_none() {
                return Ok(());
            }
            judge.touches(&known);
            fake.remove(&known, &options)
        };
        self.send(Op::Delete, what, leaves, effect).await
    }

    async fn remains(
        &self,
        spec: &Value,
        name: &str,
        outputs: &Value,
    ) -> Result<Option<Remains>, Error> {
        self.switch.point().await;
        self.fake.remains(spec, name, outputs).await
    }

    async fn restore(
        &self,
        spec: &Value,
        identity: &Identity,
        from: &Backup,
    ) -> Result<Value, Error> {
        let (fake, spec, me) = (self.fake.clone(), spec.clone(), identity.clone());
        let (judge, from) = (self.net.judge.clone(), from.clone());
        let what = format!("restore {} from {}", me.step, from.name);
        let leaves = |judge: &Judge| judge.restoring(self.fake.meta.kind, identity);
        let effect = move |fate| {
            let outputs = fake.restored(&spec, &me, &from)?;
            judge.stores.restored(&me.step, &from);
            fails(&fake, &outputs, fate);
            Ok(outputs)
        };
        self.send(Op::Create, what, leaves, effect).await
    }

    async fn owned(&self, suffix: &str) -> Result<Vec<Owned>, Error> {
        self.switch.point().await;
        Ok(self.fake.marked(suffix))
    }
}
