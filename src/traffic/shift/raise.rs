//! Raising green's weight: known again when its answer was lost, and refused while something speaks against it.

use super::super::gate;
use super::super::history::Event;
use super::super::note::{Act, Note};
use super::super::rollback::IN_SYNC_SECONDS;
use super::super::weights::{Live, Weights};
use super::super::world::World;
use super::{ATTEMPTS, End, Look, Shift};
use crate::engine::{Class, Error};

impl<W: World> Shift<'_, W> {
    /// Raises green's weight; gives the time at which it was taken.
    pub(super) async fn raise(&mut self, weight: u8) -> Result<Result<i64, End>, Error> {
        let Some(to) = Weights::green(weight) else {
            return Ok(Err(End::Refused(format!("{weight} is no weight"))));
        };
        let mut sent: Option<(Note, Live)> = None;
        for _ in 0..ATTEMPTS {
            let standing = match self.before_raise(&mut sent).await {
                Ok(Look::Mine(standing)) => standing,
                Ok(Look::Ends(end)) => return Ok(Err(end)),
                Err(error) if error.is_denied() => return Err(error),
                Err(error) => {
                    self.unreadable(&error);
                    self.world.sleep(2).await;
                    continue;
                }
            };
            if self.note.green_writes {
                let text = "green takes the writes: a cutover has ended the shift";
                return Ok(Err(End::Refused(text.into())));
            }
            if self.has(&standing, weight) {
                let at = self.note.at.unwrap_or_else(|| self.world.now());
                return Ok(Ok(at.as_second()));
            }
            let share = standing.live.green_percent();
            if share > f64::from(weight) {
                let text = format!("green has {share:.0} % already: a shift never takes from it");
                return Ok(Err(End::Refused(text)));
            }
            // A pause, or the end of an approval, since the last look.
            if !self.may(weight) {
                match self.approval(weight).await? {
                    Some(end) => return Ok(Err(end)),
                    None => continue,
                }
            }
            if let Some(why) = self.not_ready(weight).await {
                return Ok(Err(End::Refused(why)));
            }
            if self.world.stopping() {
                return Ok(Err(End::Interrupted(standing.live)));
            }
            let now = self.world.now();
            let note = self.note.next(Act::Shift, to, &self.plan.run, self.by, now);
            let mut entry = self.entry(Event::WeightIntended, format!("weights: {to}"));
            (entry.before, entry.after) = (Some(standing.live), Some(to));
            if let Err(error) = self.world.record(entry) {
                return Ok(Err(self.unwritten(&error)));
            }
            sent = Some((note.clone(), standing.live));
            match self.world.write(&standing, Some(to), &note).await {
                Ok(change) => {
                    self.taken(note, standing.live, Some(&change));
                    return Ok(match self.until_known(&change).await {
                        Some(end) => Err(end),
                        None => Ok(self.note.at.unwrap_or(now).as_second()),
                    });
                }
                Err(error) if matches!(error.class, Class::Permanent) => return Err(error),
                Err(error) => {
                    self.unreadable(&error);
                    self.world.sleep(1).await;
                }
            }
        }
        let text = format!(
            "weight {weight} could not be set: other changes came in between, or Route 53 does not answer"
        );
        Err(Error::permanent("traffic shift", text)
            .hint("`deployer traffic status` shows where it is, `deployer traffic resume` goes on"))
    }

    /// Looks, and knows a change of its own again whose answer was lost.
    async fn before_raise(&mut self, sent: &mut Option<(Note, Live)>) -> Result<Look, Error> {
        if let Some((note, before)) = sent.clone() {
            let standing = self.world.standing().await?;
            if standing.readable() == Some(&note) {
                *sent = None;
                self.taken(note, before, None);
            }
        }
        self.read_records().await
    }

    /// Waits until all servers of Route 53 know the change. Customers come meanwhile: whoever takes the traffic away is seen at once, and
    /// a green whose probes fail is judged without waiting on.
    async fn until_known(&mut self, change: &str) -> Option<End> {
        for _ in 0..IN_SYNC_SECONDS {
            if let Some(end) = self.decided().await {
                return Some(end);
            }
            if self.world.in_sync(change).await.unwrap_or(false) {
                let text = "all servers of Route 53 answer with it";
                self.note_down(self.entry(Event::WeightInsync, text));
                break;
            }
            let failed = self.world.probes().map_or(0, |p| p.failed_in_a_row);
            if failed >= self.plan.limits.probes_in_a_row {
                break;
            }
            self.world.sleep(1).await;
        }
        None
    }

    /// The history cannot be written: a shift that was killed could not go on, so nothing more is raised.
    pub(super) fn unwritten(&self, error: &Error) -> End {
        End::Held(format!(
            "the history cannot be written, so green gets no more: {error}"
        ))
    }

    fn taken(&mut self, note: Note, before: Live, change: Option<&str>) {
        let to = note.weights;
        self.note = note;
        let text = to.map_or_else(String::new, |to| format!("weights: {to}"));
        let mut entry = self.entry(Event::WeightSent, text);
        entry.before = Some(before);
        entry.after = to;
        entry.change = change.map(str::to_owned);
        self.note_down(entry);
    }

    /// What speaks against giving green more.
    async fn not_ready(&self, weight: u8) -> Option<String> {
        let at = self.plan.steps.iter().position(|w| *w == weight)?;
        // Whoever was asked before may have thought about it for long.
        let seen = self.world.observe(true).await;
        let step = self.plan.step(at, self.seconds())?;
        let found = gate::before_raise(&step, &self.plan.limits, self.seconds(), &seen.instant);
        let all: Vec<String> = found.into_iter().map(|f| f.sentence).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
