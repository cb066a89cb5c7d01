//! A shift: step by step, each judged by the gate, until green has the last weight, or something else decides.
//!
//! Every second the records are read: a note of somebody else (a rollback, a pause, another shift) is seen wherever it came
//! from. Every quarter of a minute the gate judges. What is decided is in the history before it is done, so a shift that was
//! killed goes on where it was.

mod bake;
mod open;
mod raise;

use super::gate::Gate;
use super::history::{Entry, Event};
use super::note::{Act, Note};
use super::plan::Plan;
use super::rollback::kept;
use super::weights::{Live, Weights};
use super::world::{Standing, World};
use crate::engine::{Class, Error};

/// How often a change is sent that somebody else's change, or an unclear answer, has undone.
const ATTEMPTS: u32 = 6;

/// How a shift ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Green has the last weight, and its step has passed.
    Done,
    /// The gate sent all traffic back to blue: why.
    RolledBack(String),
    /// Somebody else moved the traffic: who and what.
    Preempted(String),
    /// Nothing is decided, and the weights stay: why.
    Held(String),
    /// It may not begin or go on: why.
    Refused(String),
    /// The records are not as a shift needs them any more: why. The weights stay, and nobody judges green.
    Unjudged(String),
    /// This process was asked to end; the weights stay.
    Interrupted(Live),
}

/// Where a shift is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The step.
    pub at: usize,
    /// What its gate has seen.
    pub gate: Option<Gate>,
}

pub struct Shift<'a, W: World> {
    world: &'a W,
    plan: &'a Plan,
    by: &'a str,
    /// The last note that this shift has written or accepted.
    note: Note,
    /// Seconds that a step may wait for approval.
    approval_timeout: i64,
}

/// What a look at the records says.
enum Look {
    Mine(Box<Standing>),
    Ends(End),
}

impl<'a, W: World> Shift<'a, W> {
    /// A shift that begins or goes on behind this note.
    pub fn new(
        world: &'a W,
        plan: &'a Plan,
        by: &'a str,
        note: Note,
        approval_timeout: i64,
    ) -> Self {
        Self {
            world,
            plan,
            by,
            note,
            approval_timeout,
        }
    }

    /// Says in the zone that this shift is going on, before anything else of it is done: a rollback, a pause and an approval find it.
    ///
    /// # Errors
    /// When the records cannot be read or written.
    pub async fn begin(&mut self) -> Result<Option<End>, Error> {
        self.announce().await
    }

    /// The last note that it has written or accepted.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Runs to its end.
    ///
    /// # Errors
    /// When the records or the history cannot be written. The weights stay as they are.
    pub async fn run(mut self, from: Progress) -> Result<End, Error> {
        if let Some(end) = self.announce().await? {
            return Ok(end);
        }
        if let Some(end) = self.pulled().await? {
            return Ok(end);
        }
        // A rollback may have left green not ready: its health check would keep customers away.
        self.world.ready(true).await?;
        let mut gate = from.gate;
        for at in from.at..self.plan.steps.len() {
            let Some(weight) = self.plan.steps.get(at).copied() else {
                break;
            };
            if let Some(end) = self.approval(weight).await? {
                return Ok(end);
            }
            let start = match self.raise(weight).await? {
                Ok(start) => start,
                Err(end) => return Ok(end),
            };
            if let Some(end) = self.open().await? {
                return Ok(end);
            }
            let Some(step) = self.plan.step(at, start) else {
                break;
            };
            let kept = gate.take();
            let begun = match kept {
                Some(known) if known.step().weight == weight => Ok(known),
                Some(former) => former.next(step),
                None => Gate::begin(step),
            };
            let begun = begun.map_err(|why| Error::permanent("traffic shift", why))?;
            match self.bake(begun).await? {
                Ok(passed) => gate = Some(passed),
                Err(end) => return Ok(end),
            }
        }
        self.finish().await
    }

    fn seconds(&self) -> i64 {
        self.world.now().as_second()
    }

    fn entry(&self, event: Event, text: impl Into<String>) -> Entry {
        let mut entry = Entry::new(event, &self.note, self.by, text);
        entry.run.clone_from(&self.plan.run);
        entry
    }

    /// Reads the records. A note of another step of this shift is taken over; what belongs to somebody else ends the shift.
    async fn read_records(&mut self) -> Result<Look, Error> {
        let standing = self.world.standing().await?;
        let end = |end| Ok(Look::Ends(end));
        let unjudged = |why: String| {
            self.note_down(self.entry(Event::Held, &why));
            end(End::Unjudged(why))
        };
        if let Some(other) = standing.foreign.first() {
            return unjudged(format!(
                "{other} answers for the same name and is not this deployment's"
            ));
        }
        let found = match &standing.note {
            Some(Ok(note)) => note.clone(),
            Some(Err(why)) => {
                return unjudged(format!("the record of the traffic command: {why}"));
            }
            None => {
                return unjudged(
                    "the record of the traffic command is not there: `deployer apply` makes it"
                        .into(),
                );
            }
        };
        if found != self.note {
            let who = format!(
                "{} at {}",
                found.by,
                found
                    .at
                    .map_or_else(|| "an unknown time".to_owned(), |at| at.to_string())
            );
            let taken = match found.act {
                Act::Rollback => Some(format!("{who} gave all traffic back to blue")),
                _ if found.run != self.plan.run => {
                    Some(format!("{who} began another shift or ended this one"))
                }
                Act::None | Act::Done => Some(format!("{who} ended this shift")),
                // An older note of this shift than the last one: Route 53 answers from a server that is behind.
                _ if found.epoch < self.note.epoch => None,
                _ => {
                    self.accept(found.clone());
                    None
                }
            };
            if let Some(what) = taken {
                self.note_down(self.entry(Event::Preempted, &what));
                return end(End::Preempted(what));
            }
        }
        if found.epoch == self.note.epoch && !found.explains(standing.live) {
            let what = format!(
                "the weights are {}, which no traffic command has set",
                standing.live
            );
            self.note_down(self.entry(Event::Preempted, &what));
            return end(End::Preempted(what));
        }
        Ok(Look::Mine(Box::new(standing)))
    }

    /// Looks at the records while a weight stays as it is: what decides in place of the gate. It goes on when they cannot be read: green
    /// can still be judged, and a rollback can still be tried.
    async fn decided(&mut self) -> Option<End> {
        match self.read_records().await {
            Ok(Look::Ends(end)) => Some(end),
            Ok(Look::Mine(standing)) if self.world.stopping() => {
                Some(End::Interrupted(standing.live))
            }
            Ok(Look::Mine(_)) => None,
            Err(error) => {
                self.unreadable(&error);
                None
            }
        }
    }

    /// Takes over what somebody has written for this shift.
    fn accept(&mut self, found: Note) {
        let event = match found.act {
            Act::Pause => Some((Event::Paused, "paused")),
            Act::Resume => Some((Event::Resumed, "goes on")),
            Act::Approve => Some((Event::Approved, "approved")),
            _ => None,
        };
        let by = found.by.clone();
        self.note = found;
        if let Some((event, word)) = event {
            self.note_down(self.entry(event, format!("{word}, says {by}")));
        }
    }

    /// Writes into the history what is so already: whoever cannot write goes on to watch, and takes back what must be.
    fn note_down(&self, entry: Entry) {
        kept(self.world, entry);
    }

    fn is_paused(&self) -> bool {
        self.note.paused
    }

    /// True when nothing keeps green from this weight: no pause, and an approval where the step needs one.
    fn may(&self, weight: u8) -> bool {
        let now = self.world.now();
        let approved = self.note.approved;
        let approved = approved.is_some_and(|(upto, until)| weight <= upto && now < until);
        !self.is_paused() && (approved || !self.plan.wants_approval(weight))
    }

    /// Says in the zone that this shift is going on, so that everybody sees it before the first weight is raised.
    async fn announce(&mut self) -> Result<Option<End>, Error> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let standing = match self.read_records().await {
                Ok(Look::Ends(end)) => return Ok(Some(end)),
                Ok(Look::Mine(standing)) => standing,
                Err(error) => {
                    last = Some(error);
                    self.world.sleep(2).await;
                    continue;
                }
            };
            if self.note.in_progress() && self.note.run == self.plan.run {
                return Ok(None);
            }
            let now = self.world.now();
            let mut note = self
                .note
                .next(Act::Shift, Weights::BLUE, &self.plan.run, self.by, now);
            note.weights = standing.live.weights();
            match self.world.write(&standing, None, &note).await {
                Ok(_) => {
                    self.note = note;
                    return Ok(None);
                }
                // Whether it had its effect shows at the next look.
                Err(error) if error.class != Class::Permanent => {
                    last = Some(error);
                    self.world.sleep(1).await;
                }
                Err(error) => return Err(error),
            }
        }
        let error = last.unwrap_or_else(|| {
            Error::permanent("traffic shift", "the shift could not be announced")
        });
        Err(error.hint("nothing was raised; begin again with `deployer traffic shift`"))
    }

    /// Waits for approval where the step needs it, and while the shift is paused.
    async fn approval(&mut self, weight: u8) -> Result<Option<End>, Error> {
        let began = self.seconds();
        let mut asked = false;
        loop {
            match self.read_records().await {
                Ok(Look::Ends(end)) => return Ok(Some(end)),
                Ok(Look::Mine(standing)) if self.world.stopping() => {
                    return Ok(Some(End::Interrupted(standing.live)));
                }
                // It is there already: who approved it has done so.
                Ok(Look::Mine(standing)) if self.has(&standing, weight) => return Ok(None),
                Ok(Look::Mine(_)) => {}
                Err(error) => self.unreadable(&error),
            }
            if self.may(weight) {
                return Ok(None);
            }
            if !asked && !self.is_paused() {
                asked = true;
                let text = format!(
                    "weight {weight} waits for approval: `deployer traffic approve --weight {weight}`"
                );
                let mut entry = self.entry(Event::ApprovalAsked, text);
                entry.after = Weights::green(weight);
                self.note_down(entry);
            }
            if self.seconds() - began > self.approval_timeout {
                let text = format!("nobody approved weight {weight}");
                self.note_down(self.entry(Event::Held, &text));
                return Ok(Some(End::Held(text)));
            }
            self.world.sleep(1).await;
        }
    }

    fn has(&self, standing: &Standing, weight: u8) -> bool {
        let set = Weights::green(weight).is_some_and(|w| standing.live.are(w));
        set && standing
            .readable()
            .is_some_and(|note| note.run == self.plan.run && note.act != Act::None)
            && self.note.weights.is_some_and(|w| w.green == weight)
    }

    /// Notes that the shift has come to its end.
    async fn finish(&mut self) -> Result<End, Error> {
        for _ in 0..ATTEMPTS {
            let standing = match self.read_records().await {
                // Its own last note, whose answer was lost.
                Ok(Look::Ends(_)) if self.note.act == Act::Done => break,
                Ok(Look::Ends(end)) => return Ok(end),
                Ok(Look::Mine(standing)) => standing,
                Err(error) => {
                    self.unreadable(&error);
                    self.world.sleep(2).await;
                    continue;
                }
            };
            if self.note.act == Act::Done {
                break;
            }
            let weights = self.note.weights.unwrap_or(Weights::BLUE);
            let now = self.world.now();
            let last = self
                .note
                .next(Act::Done, weights, &self.plan.run, self.by, now);
            let written = self.world.write(&standing, None, &last).await;
            let is_there = async || {
                let found = self.world.standing().await.ok();
                found.is_some_and(|s| s.readable() == Some(&last))
            };
            if written.is_ok() || is_there().await {
                self.note = last;
                break;
            }
            self.world.sleep(1).await;
        }
        if self.note.act != Act::Done {
            return Err(Error::permanent(
                "traffic shift",
                "all steps have passed, but the end could not be noted",
            )
            .hint("`deployer traffic resume` notes it"));
        }
        self.note_down(self.entry(Event::ShiftDone, "all steps have passed"));
        Ok(End::Done)
    }

    fn unreadable(&self, error: &Error) {
        self.world.show(&format!("warning: {error}"));
    }
}

/// Where a shift of the history is: the step, and what its gate has seen.
pub fn progress(plan: &Plan, history: &super::history::History) -> Progress {
    let mut out = Progress::default();
    let mine = history
        .lines
        .iter()
        .filter(|line| line.entry.run == plan.run);
    for line in mine {
        let entry = &line.entry;
        match entry.event {
            Event::StepPassed => out.at += 1,
            Event::Gate => out.gate.clone_from(&entry.gate),
            Event::StepRestarted => out.gate = None,
            _ => {}
        }
    }
    out
}
