//! What a shift sees and does: AWS and this machine, or in tests a world of numbers.

use super::bridge::{Bridge, Env};
use super::cutover::Cut;
use super::gate::instant::Probes;
use super::gate::{Instant, Minute, Pair};
use super::history::Entry;
use super::levers::Pulled;
use super::note::Note;
use super::weights::{Live, Weights};
use crate::engine::Error;
use async_trait::async_trait;
use aws_sdk_route53::types::ResourceRecordSet;
use jiff::Timestamp;
use std::ops::RangeInclusive;

/// The records of the domain as they are.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The weights.
    pub live: Live,
    /// The note; what is wrong with it, or `None` without one.
    pub note: Option<Result<Note, String>>,
    /// Records of others that answer for the same name, in words.
    pub foreign: Vec<String>,
    /// The sets as Route 53 has them, which a change must repeat: blue's, green's, the note's.
    pub sets: [Option<ResourceRecordSet>; 3],
}

impl Standing {
    /// The note, when it can be read.
    pub fn readable(&self) -> Option<&Note> {
        self.note.as_ref().and_then(|note| note.as_ref().ok())
    }
}

/// What is seen beside the metrics.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Inputs of the gate.
    pub instant: Instant,
    /// What both sides run; a change begins the step anew. `None` is unknown.
    pub fingerprint: Option<String>,
}

/// The world of a shift.
#[async_trait(?Send)]
pub trait World {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Waits for so many seconds.
    async fn sleep(&self, seconds: u32);
    /// True when somebody wants this process to end.
    fn stopping(&self) -> bool;
    /// Reads the records.
    async fn standing(&self) -> Result<Standing, Error>;
    /// Sets weights (`None` leaves them) and note in one change that is refused unless the records are as they were read.
    /// Gives the id of the change.
    async fn write(
        &self,
        from: &Standing,
        to: Option<Weights>,
        note: &Note,
    ) -> Result<String, Error>;
    /// Gives all traffic to blue and sets the note, whatever the records are now.
    async fn force(&self, from: &Standing, note: &Note) -> Result<String, Error>;
    /// Switches a side's bridge on, when the other side answers through it, or off; and whether it was the other way before.
    async fn bridge(&self, from: Env, on: bool) -> Result<(Bridge, bool), Error>;
    /// Who has switched green's bridge on, and when; `None` while it is off, or has no name on it.
    async fn bridged(&self) -> Result<Option<Pulled>, Error>;
    /// Lets green's load balancer say that green is not ready, whatever its service says; or no longer.
    async fn ready(&self, yes: bool) -> Result<(), Error>;
    /// Gives the writes to green, or back to blue. A call that was lost is repeated as it was.
    async fn cut(&self, to_green: bool) -> Result<Cut, Error>;
    /// True unless blue takes writes.
    async fn blue_is_closed(&self) -> Result<bool, Error>;
    /// True when all servers of Route 53 know the change.
    async fn in_sync(&self, change: &str) -> Result<bool, Error>;
    /// The minutes of both sides, as far as they can be read.
    async fn minutes(
        &self,
        wanted: RangeInclusive<Minute>,
        slow_over: Option<f64>,
    ) -> Vec<(Minute, Pair)>;
    /// What the probes of green say now, without a call; `None` when there are none.
    fn probes(&self) -> Option<Probes>;
    /// Why the newest probe of green failed, in words; `None` when none did.
    fn failed_probe(&self) -> Option<String>;
    /// Looks at everything else. `patient` waits for answers of the functions where the last ones are too old.
    async fn observe(&self, patient: bool) -> Seen;
    /// Writes to the history, durably, and shows it.
    fn record(&self, entry: Entry) -> Result<(), Error>;
    /// Shows how it goes, without a record.
    fn show(&self, text: &str);
}
