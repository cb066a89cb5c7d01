//! The account as the world of a shift.

use super::super::bridge::{self, Bridge, Env};
use super::super::cutover::Cut;
use super::super::gate::instant::{Instant, Probes};
use super::super::gate::{Minute, Pair};
use super::super::history::Entry;
use super::super::levers::Pulled;
use super::super::note::Note;
use super::super::probes::Prober;
use super::super::weights::Weights;
use super::super::world::{Seen, Standing, World};
use super::super::{readiness, records};
use super::{Account, Shown};
use crate::engine::Error;
use crate::migration::answers::{action, ask_patiently, text};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use std::ops::RangeInclusive;

#[async_trait(?Send)]
impl World for Account {
    fn now(&self) -> Timestamp {
        self.time.now()
    }

    async fn sleep(&self, seconds: u32) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.time.sleep(seconds) => {}
            // Whoever waits looks up at once.
            _ = stop.changed(), if !self.stopping() => {}
        }
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    async fn standing(&self) -> Result<Standing, Error> {
        let standing = self.place().await?.read(&self.aws).await?;
        if let Some(graph) = &self.graph {
            graph.put(&self.aws, standing.live, self.now().as_second());
        }
        Ok(standing)
    }

    async fn write(
        &self,
        from: &Standing,
        to: Option<Weights>,
        note: &Note,
    ) -> Result<String, Error> {
        let place = self.place().await?;
        place.write(&self.aws, from, to, note).await
    }

    async fn force(&self, from: &Standing, note: &Note) -> Result<String, Error> {
        self.place().await?.force(&self.aws, from, note).await
    }

    async fn bridge(&self, from: Env, on: bool) -> Result<(Bridge, bool), Error> {
        let [blue, green] = &self.names.sides;
        let side = match from {
            Env::Blue => blue,
            Env::Green => green,
        };
        let (switched, ()) = tokio::join!(bridge::switch(&self.aws, side, on), async {
            if on && side.bridge.is_some() {
                self.fit_idle(from).await;
            }
        });
        let (bridge, changed) = switched?;
        let switched = changed.is_some();
        self.mark(changed, on).await;
        Ok((bridge, switched))
    }

    async fn bridged(&self) -> Result<Option<Pulled>, Error> {
        let [_, green] = &self.names.sides;
        Ok(bridge::pulled(&self.aws, green).await?.flatten())
    }

    async fn ready(&self, yes: bool) -> Result<(), Error> {
        let [_, green] = &self.names.sides;
        let changed = readiness::switch(&self.aws, green, yes).await?;
        self.mark(changed, !yes).await;
        Ok(())
    }

    async fn cut(&self, to_green: bool) -> Result<Cut, Error> {
        let event = if to_green {
            json!({"action": "cutover"})
        } else {
            json!({"action": "cutover", "reverse": true})
        };
        let answer = ask_patiently(&self.aws, &self.names.control, &event).await?;
        Ok(Cut::of(&answer))
    }

    async fn blue_is_closed(&self) -> Result<bool, Error> {
        let status = ask_patiently(&self.aws, &self.names.control, &action("status")).await?;
        match text(&status, "writer") {
            "" => Err(Error::permanent(
                "lambda:InvokeFunction",
                "`control` does not say who takes the writes",
            )),
            writer => Ok(!matches!(writer, "blue" | "both")),
        }
    }

    async fn in_sync(&self, change: &str) -> Result<bool, Error> {
        records::in_sync(&self.aws, change).await
    }

    async fn minutes(
        &self,
        wanted: RangeInclusive<Minute>,
        slow_over: Option<f64>,
    ) -> Vec<(Minute, Pair)> {
        let read = self.read_minutes(wanted, slow_over).await;
        self.warn(read).unwrap_or_default()
    }

    async fn observe(&self, patient: bool) -> Seen {
        let Some(sight) = &self.sight else {
            return Seen::default();
        };
        let now = self.time.now().as_second();
        let [_, green] = &sight.groups;
        let (targets, guard, fingerprint, ()) = tokio::join!(
            self.targets(green),
            self.guard(),
            self.fingerprint(),
            sight.functions.refresh(now, patient)
        );
        let mut instant = Instant {
            targets: self.warn(targets),
            guard: self.warn(guard).flatten(),
            probes: self.probes(),
            ..Instant::default()
        };
        let now = self.time.now().as_second();
        sight.functions.fill(&mut instant, now);
        Seen {
            instant,
            fingerprint: self.warn(fingerprint),
        }
    }

    fn probes(&self) -> Option<Probes> {
        self.prober.as_ref().map(Prober::seen)
    }

    fn failed_probe(&self) -> Option<String> {
        self.prober.as_ref().and_then(Prober::why)
    }

    fn record(&self, entry: Entry) -> Result<(), Error> {
        let at = self.now();
        (self.show)(Shown::Entry(&entry, at));
        self.log.add(entry, at)
    }

    fn show(&self, text: &str) {
        (self.show)(Shown::Text(text));
    }
}
