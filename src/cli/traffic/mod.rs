//! `deployer traffic`.

pub mod args;
mod beside;
mod checks;
mod minimum;
mod notes;
mod open;
mod resume;
mod rollback;
mod shared;
mod shift;
mod status;

use super::Context;
use super::args::Scope;
use super::connection::state_folder;
use super::error::Failure;
use super::exit::Exit;
use super::notify;
use super::session::configuration;
use crate::report::{Traffic, TrafficGateDocument, TrafficHistoryDocument};
use crate::traffic::gate::{Limits, self_test, simulate};
use crate::traffic::history::Log;
use args::{GateArgs, TrafficCommand};
pub use checks::{healthy, refused_by};
pub use minimum::{give_back, give_back_when_due, hold};
pub use open::{account, edge, me, pinned};
pub use rollback::rollback;
pub use shared::{carried, recorded};
pub use shift::lock;

/// The random numbers of a simulation begin here.
const SEED: u64 = 1;

/// Moves the traffic, or shows where it is.
pub async fn run(cx: &Context<'_>, command: &TrafficCommand) -> Result<Exit, Failure> {
    let everything = Scope { env: None };
    match command {
        TrafficCommand::Status { watch } => status::status(cx, *watch).await,
        TrafficCommand::Shift(asked) if asked.dry_run => shift::forecast(cx, asked).await,
        TrafficCommand::Shift(asked) => {
            let shift = async |notice: &mut _| shift::shift(cx, asked, notice).await;
            notify::notified(cx, "traffic shift", &everything, shift).await
        }
        TrafficCommand::Resume {
            on_interrupt,
            take_over,
        } => {
            let resumed = (*on_interrupt, *take_over);
            let shift = async |notice: &mut _| resume::resume(cx, resumed, notice).await;
            notify::notified(cx, "traffic resume", &everything, shift).await
        }
        TrafficCommand::Pause => notes::pause(cx).await,
        TrafficCommand::Approve { weight, hours } => notes::approve(cx, *weight, *hours).await,
        TrafficCommand::Rollback {
            print_aws: true, ..
        } => rollback::print_aws(cx).await,
        TrafficCommand::Rollback {
            reason, until_over, ..
        } => {
            let back =
                async |notice: &mut _| rollback::rollback(cx, reason, *until_over, notice).await;
            notify::notified(cx, "traffic rollback", &everything, back).await
        }
        TrafficCommand::Release { now } => {
            let release = async |notice: &mut _| minimum::release(cx, *now, notice).await;
            notify::notified(cx, "traffic release", &everything, release).await
        }
        TrafficCommand::History => history(cx).await,
        TrafficCommand::Gate(asked) => gate(cx, asked),
    }
}

async fn history(cx: &Context<'_>) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    let log = Log::new(&state_folder(cx.common), &config.suffix);
    let history = shared::history(cx, &config, &log).await?;
    if history.torn {
        let text = "the last line of the history of the traffic is incomplete, and left out";
        cx.console.warning(text)?;
    }
    let lines = history.lines;
    let text = Traffic::history(&lines);
    cx.console.answer(
        &text,
        &TrafficHistoryDocument {
            suffix: config.suffix,
            lines,
        },
    )?;
    Ok(Exit::Done)
}

fn gate(cx: &Context<'_>, asked: &GateArgs) -> Result<Exit, Failure> {
    let limits = Limits::default();
    let document = match asked.simulate {
        None => {
            let outcome = self_test(&limits);
            TrafficGateDocument {
                holds: outcome.holds,
                text: outcome.to_string(),
                self_test: Some(outcome),
                simulation: None,
            }
        }
        Some(shifts) => {
            let outcome = simulate::run(&simulate::figures(), shifts, SEED, &limits);
            TrafficGateDocument {
                holds: true,
                text: outcome.to_string(),
                self_test: None,
                simulation: Some(outcome),
            }
        }
    };
    let text = format!("{}\n", document.text.trim_end());
    cx.console.answer(&text, &document)?;
    Ok(if document.holds {
        Exit::Done
    } else {
        Exit::Failed
    })
}
