//! The bridge of green while a shift goes on: off, unless somebody else sends green's customers back to blue.

use super::super::bridge::Env;
use super::super::cutover::again;
use super::super::history::Event;
use super::super::levers::Pulled;
use super::super::note::Act;
use super::super::world::World;
use super::{End, Look, Shift};
use crate::engine::Error;

impl<W: World> Shift<'_, W> {
    /// Green answers by itself from here on: a rollback left its bridge on. Not before green has a weight, since who kept green's
    /// address comes at once, and a gate must watch it. A rollback that came in between has its bridge back.
    pub(super) async fn open(&mut self) -> Result<Option<End>, Error> {
        if let Some(end) = self.pulled().await? {
            return Ok(Some(end));
        }
        let off = again(
            async || self.world.bridge(Env::Green, false).await,
            self.world,
        )
        .await;
        off.map_err(|error| match error.hint {
            Some(_) => error,
            None => error.hint("green has its weight, and its load balancer still passes everything on to blue; `deployer traffic resume` goes on"),
        })?;
        let Ok(Look::Ends(end)) = self.read_records().await else {
            // What cannot be read is read again while the step is watched.
            return Ok(None);
        };
        let standing = self.world.standing().await?;
        if standing
            .readable()
            .is_some_and(|note| note.act == Act::Rollback)
        {
            self.world.bridge(Env::Green, true).await?;
        }
        Ok(Some(end))
    }

    /// Ends when green's bridge was switched on after the last note: a rollback whose change Route 53 has not taken.
    pub(super) async fn pulled(&self) -> Result<Option<End>, Error> {
        let bridged = again(async || self.world.bridged().await, self.world).await?;
        let later = bridged.filter(|p| self.note.at.is_some_and(|at| p.at > at));
        Ok(later.map(|pulled| self.bridged_by(&pulled)))
    }

    /// Somebody else sends green's requests back to blue.
    pub(super) fn bridged_by(&self, pulled: &Pulled) -> End {
        let what = format!("{pulled}, green's bridge was switched on: all its requests go to blue");
        self.note_down(self.entry(Event::Preempted, &what));
        End::Preempted(what)
    }
}
