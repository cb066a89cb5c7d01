//! What `apply` and `destroy` share: asking, running a plan under signals, and the end of it.

use super::Context;
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::session::{Session, configuration, state_folder};
use crate::engine::exec::{self, Recorder, Report};
use crate::engine::plan::{self, Plan};
use crate::engine::{Context as EngineContext, Error};
use crate::report::{self, Timings, Totals};
use crate::state::{Journal, Record, State, Writer};
use async_trait::async_trait;
use std::io::{BufRead, IsTerminal};
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

/// Without a terminal and without `--yes` there is nobody to ask: refused before anything is called.
pub fn can_ask(yes: bool) -> Result<(), Failure> {
    if yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(
        Failure::usage("there is no terminal to ask on; nothing was called")
            .hint("pass --yes to go on without asking, or --dry-run to see the plan"),
    )
}

/// Asks whether to go on; an answer other than `yes` ends the command.
pub fn confirm(cx: &Context<'_>, yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    cx.console
        .note(&format!("{question} Only `yes` goes on:"))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Interrupted,
        "the answer was not `yes`; nothing was changed",
    ))
}

/// The command line, as the lock names its holder.
pub fn command_line() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program)
        .file_name()
        .map_or(program.clone(), |n| n.to_string_lossy().into_owned());
    std::iter::once(program)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Takes the lock and reads the state. Comes before anything that asks AWS: who is locked out has sent no call.
pub fn lock(cx: &Context<'_>) -> Result<(Writer, State), Failure> {
    let config = configuration(cx.common)?;
    let folder = state_folder(cx.common);
    let command = command_line();
    Ok(Writer::open(
        &folder,
        &config.suffix,
        &config.region,
        &command,
    )?)
}

/// Refuses a state of another account or region; a new one becomes the session's.
pub fn open(
    session: &Session,
    (mut writer, mut state): (Writer, State),
) -> Result<(Writer, State), Failure> {
    session.check_home(&state)?;
    if state.account.is_empty() || state.steps.is_empty() {
        state.account.clone_from(&session.account);
        state.region.clone_from(&session.config.region);
        writer.restart(&state)?;
    }
    Ok((writer, state))
}

#[async_trait]
impl Recorder for Journal {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        self.append(step, record)
            .await
            .map_err(|e| Error::permanent("journal", e.to_string()))
    }
}

/// Runs a plan, saves the state whatever happens, and says how it ended.
pub async fn run(
    cx: &Context<'_>,
    session: &Session,
    writer: Writer,
    state: &mut State,
    plan: &Plan,
) -> Result<Report, Failure> {
    plan::refresh(plan, state);
    let context = EngineContext {
        stop: stop_on_signals(),
        ..session.context.clone()
    };
    let report = exec::run(&context, plan, state, Arc::new(writer.journal())).await;
    writer.finish(state)?;
    for (step, error) in report.failed() {
        cx.console
            .note(&report::error(Some(step), error, cx.console.paint()))?;
    }
    Ok(report)
}

/// The last line, and the page with the timings.
pub fn close(
    cx: &Context<'_>,
    plan: &Plan,
    report: &Report,
    timings: Option<(&Timings, &Path)>,
) -> Result<Exit, Failure> {
    let totals = Totals::of(plan, report);
    let calls = cx.console.calls().totals();
    let line = report::summary(&totals, &calls, report.seconds, cx.console.paint());
    cx.console.text(&format!("{}\n", line.trim_end()))?;
    if let Some((timings, path)) = timings {
        timings.write(path)?;
        cx.console.note(&format!("timings: {}", path.display()))?;
    }
    Ok(if report.failed().next().is_some() {
        Exit::Failed
    } else if report.interrupted() {
        Exit::Interrupted
    } else {
        Exit::Done
    })
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
