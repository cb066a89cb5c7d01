//! Shifts in a world of numbers: virtual time, kills, lost answers, and hands of others at any call.

mod awkward;
mod cutover;
mod faults;
mod lives;
mod numbers;

use super::gate::{DataMode, Limits, Totals};
use super::history::{Event, History};
use super::note::{Act, Note};
use super::plan::Plan;
use super::rollback::{Outcome, turn_back};
use super::shift::{End, Progress, Shift, progress};
use super::weights::{Live, Weights};
use crate::engine::Error;
use numbers::{Numbers, Route53, Strike};

/// Seconds that a step waits for approval.
const APPROVAL_TIMEOUT: i64 = 3600;

fn plan(steps: &[u8]) -> Plan {
    Plan {
        run: "a1".into(),
        steps: steps.to_vec(),
        bake_minutes: 10,
        approve_at: None,
        mode: DataMode::TwoWay,
        slow_over_seconds: Some(0.8),
        past: Totals {
            requests: 12_600,
            hits: 12,
        },
        limits: Limits::default(),
        from: Live::from(Weights::BLUE),
        probes: true,
    }
}

/// Runs a shift as the command does: from what the history says, behind the note that is there.
async fn run(world: &Numbers, plan: &Plan) -> Result<End, Error> {
    let history = world.history();
    let note = world.note();
    Shift::new(world, plan, "me@here", note, APPROVAL_TIMEOUT)
        .run(progress(plan, &history))
        .await
}

fn events(history: &History) -> Vec<Event> {
    history.lines.iter().map(|l| l.entry.event).collect()
}

fn sent(history: &History) -> Vec<u8> {
    let lines = history.lines.iter();
    let of = lines.filter(|l| l.entry.event == Event::WeightSent);
    of.filter_map(|l| l.entry.after).map(|w| w.green).collect()
}
