//! What `apply` and `destroy` share: asking, running a plan under signals, and the end of it.

use super::args::{Common, Scope};
use super::error::Failure;
use super::exit::Exit;
use super::session::Session;
use crate::engine::Events;
use crate::engine::exec::{self, Limits, Report};
use crate::engine::plan::{self, Plan};
use crate::state::{State, Writer};
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// What the user asked for.
pub struct Asked<'a> {
    /// Which part.
    pub scope: &'a Scope,
    /// Do not ask.
    pub yes: bool,
    /// Where the page with the timings goes.
    pub timings: Option<&'a Path>,
}

/// Asks whether to go on. Without a terminal and without `--yes` it refuses.
pub fn confirm(yes: bool, question: &str) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask on")
            .hint("pass --yes to go on without asking"));
    }
    let mut err = std::io::stderr();
    write!(err, "{question} Only `yes` goes on: ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Runs a plan, saves the state whatever happens, and says how it ended.
pub async fn run(
    session: &Session,
    writer: Writer,
    mut state: State,
    plan: &Plan,
    events: &Events,
) -> Result<(Report, State), Failure> {
    let limits = Limits {
        parallelism: session.config.run.parallelism,
        patience: session.config.run.patience,
        held: session.config.run.held,
        ..Limits::default()
    };
    plan::refresh(plan, &mut state);
    let journal = Arc::new(writer.journal());
    let report = exec::run(
        plan,
        &mut state,
        &session.registry,
        journal,
        events,
        &limits,
        stop_on_signals(),
    )
    .await;
    writer.finish(&mut state)?;
    Ok((report, state))
}

/// Becomes true with the first Ctrl-C or SIGTERM. The second leaves at once: every record is already on disk, so the
/// next run goes on from there.
fn stop_on_signals() -> watch::Receiver<bool> {
    use tokio::signal::unix::{SignalKind, signal};
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stop.send_replace(true) {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        }
    });
    stopped
}

/// The exit code of a run.
pub fn exit(report: &Report) -> Exit {
    if report.failed().next().is_some() {
        Exit::Failed
    } else if report.interrupted() {
        Exit::Interrupted
    } else {
        Exit::Done
    }
}

/// Events for a command that only reads.
pub fn quiet(_common: &Common) -> Events {
    Events::default()
}
