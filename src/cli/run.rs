//! What `apply` and `destroy` share: asking, running a plan under signals, and the end of it.

use super::Context;
use super::args::Scope;
use super::connection::store;
use super::error::Failure;
use super::exit::Exit;
use super::session::{Session, configuration};
use super::signals;
use crate::blueprint::{begin_both, is_begun, set_begun};
use crate::engine::exec::{self, Outcome, Recorder, Report};
use crate::engine::plan::{self, Plan};
use crate::engine::{Context as EngineContext, Error};
use crate::report::{self, Timings, Totals};
use crate::state::{self, Entry, Holder, Journal, Part, Record, State, StateError, What, Writer};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the user asked for.
pub struct Asked<'a> {
    /// Which part.
    pub scope: &'a Scope,
    /// Do not ask.
    pub yes: bool,
    /// Do it although a migration is going on.
    pub ignore_migration: bool,
    /// Where the page with the timings goes.
    pub timings: Option<&'a Path>,
}

/// Without a terminal and without `--yes` there is nobody to ask: refused before anything is called.
pub fn can_ask(yes: bool) -> Result<(), Failure> {
    if yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(
        Failure::usage("not a terminal, cannot ask for confirmation; no AWS call was made")
            .hint("pass --yes to go on without asking"),
    )
}

/// The page that the run fills. Its file is opened before the first call: a folder that is not there is no discovery for
/// the end of a run.
pub fn timings<'a>(
    asked: &Asked<'a>,
    command: &str,
) -> Result<Option<(Timings, &'a Path)>, Failure> {
    let Some(path) = asked.timings else {
        return Ok(None);
    };
    let open = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path);
    open.map_err(|e| Failure::unwritable("--timings", path, &e))?;
    Ok(Some((Timings::new(command), path)))
}

/// Asks whether to go on, and says where: `yes` will do, or the suffix in full when data would be lost. Another answer
/// ends the command.
pub async fn confirm(
    cx: &Context<'_>,
    yes: bool,
    session: &Session,
    question: &str,
    lossy: bool,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let (wanted, how) = if lossy {
        let suffix = session.config.suffix.as_str();
        (
            suffix,
            format!("Data is deleted. Type the suffix `{suffix}` in full to go on:"),
        )
    } else {
        ("yes", "Only 'yes' will be accepted:".to_owned())
    };
    cx.console
        .note(&format!("{question} ({})? {how}", session.place()))?;
    if answer().await? == wanted {
        return Ok(());
    }
    Err(cancelled())
}

/// One line from the terminal, without blanks at its ends. A signal is an answer too: nothing has been done yet.
pub async fn answer() -> Result<String, Failure> {
    let (send, line) = oneshot::channel();
    // A thread of its own: whoever leaves does not wait for a line that never comes.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = send.send(read.map(|_| line));
    });
    tokio::select! {
        line = line => match line {
            Ok(line) => Ok(line?.trim().to_owned()),
            Err(_) => Err(cancelled()),
        },
        () = signals::caught() => Err(cancelled()),
    }
}

/// The answer was no.
pub fn cancelled() -> Failure {
    Failure::new(Exit::Interrupted, "Cancelled; nothing was changed")
}

/// The command line, as the lock names its holder.
pub fn command_line() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program)
        .file_name()
        .map_or(program.clone(), |n| n.to_string_lossy().into_owned());
    let words = std::iter::once(program).chain(words);
    words
        .map(|word| super::quoted(&word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Says on the page of timings what ran where, and when it began.
pub fn entitle(timings: Option<&(Timings, &Path)>, command: &str, session: &Session) {
    if let Some((timings, _)) = timings {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
        timings.entitle(format!("{command}, {now}: {}", session.place()));
    }
}

/// Takes the lock and reads the state. Comes before anything that asks AWS: who is locked out has sent no call.
pub async fn lock(cx: &Context<'_>) -> Result<(Writer, State), Failure> {
    Ok(locked(cx).await??)
}

/// The same; or what is damaged: the lock could be had, and is given back.
pub async fn lock_unless_damaged(
    cx: &Context<'_>,
) -> Result<Result<(Writer, State), Part>, Failure> {
    match locked(cx).await? {
        Err(StateError::Damaged { .. }) => {
            let config = configuration(cx)?;
            let store = store(cx, &config).await?;
            // One in a bucket does not go with the writer.
            store.release().await?;
            match state::read(store.as_ref(), &config.region).await {
                Err(StateError::Damaged { .. }) => Ok(Err(Part::State)),
                Err(other) => Err(other.into()),
                Ok(_) => Ok(Err(Part::History)),
            }
        }
        other => Ok(Ok(other?)),
    }
}

async fn locked(cx: &Context<'_>) -> Result<Result<(Writer, State), StateError>, Failure> {
    let config = configuration(cx)?;
    let store = store(cx, &config).await?;
    signals::give_back_on_signals(store.clone());
    Ok(Writer::open(store.as_ref(), &config.region, &command_line()).await)
}

/// Refuses a state of another account or region; a new one becomes the session's.
pub async fn open(
    session: &Session,
    (mut writer, mut state): (Writer, State),
) -> Result<(Writer, State), Failure> {
    session.check_home(&state)?;
    if state.account.is_empty() || state.steps.is_empty() {
        state.account.clone_from(&session.account);
        state.region.clone_from(&session.config.region);
        writer.restart(&state).await?;
    }
    let begun = is_begun(&state.facts);
    state.facts.clone_from(&session.facts);
    set_begun(&mut state.facts, begun);
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

/// Runs a plan, saves the state whatever happens, and notes both ends in the history of runs.
pub async fn run(
    session: &Session,
    mut writer: Writer,
    state: &mut State,
    plan: &Plan,
) -> Result<Report, Failure> {
    plan::refresh(plan, state);
    // A run that is killed tells the next one.
    let news = set_begun(&mut state.facts, begin_both(&plan.nodes));
    writer.keep(state, news).await?;
    let planned = plan.nodes.iter().filter(|n| !n.is_second_half());
    let planned = planned.map(|n| n.verb.infinitive());
    writer
        .note(entry(What::Started, session, state, planned))
        .await?;
    let context = EngineContext {
        stop: signals::stop_on_signals(),
        ..session.context.clone()
    };
    let report = exec::run(&context, plan, state, Arc::new(writer.journal())).await;
    if verdict(&report) == Exit::Done {
        set_begun(&mut state.facts, false);
    }
    writer.save(state).await?;
    let done = plan.nodes.iter().zip(&report.outcomes);
    let done = done.filter_map(|(node, (_, verb, outcome))| match outcome {
        Outcome::Done if node.is_second_half() => None,
        Outcome::Done => Some(verb.participle()),
        Outcome::Failed(_) => Some("failed"),
        Outcome::Blocked(_) => Some("blocked"),
        Outcome::Interrupted => Some("interrupted"),
    });
    let mut last = entry(What::Finished, session, state, done);
    last.result = match verdict(&report) {
        Exit::Done => "complete",
        Exit::Interrupted => "interrupted",
        _ => "failed",
    }
    .to_owned();
    writer.note(last).await?;
    Ok(report)
}

/// A line of the history of runs.
fn entry<'a>(
    what: What,
    session: &Session,
    state: &State,
    words: impl Iterator<Item = &'a str>,
) -> Entry {
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    words.for_each(|w| *steps.entry(w.to_owned()).or_default() += 1);
    let me = Holder::this("");
    Entry {
        what,
        command: command_line(),
        who: format!("{}@{}", me.who, me.host),
        account: state.account.clone(),
        region: state.region.clone(),
        serial: state.serial,
        configuration: session.config.digest(),
        result: String::new(),
        steps,
    }
}

fn verdict(report: &Report) -> Exit {
    let failed = || report.failed().map(|(_, error)| error);
    if Error::are_refusals(failed()) {
        Exit::Refused
    } else if failed().next().is_some() {
        Exit::Failed
    } else if report.interrupted() {
        Exit::Interrupted
    } else {
        Exit::Done
    }
}

/// The last line, and the page with the timings.
pub fn close(
    cx: &Context<'_>,
    plan: &Plan,
    report: &Report,
    timings: Option<(&Timings, &Path)>,
) -> Result<Exit, Failure> {
    cx.console.say(&report::unfinished(
        report,
        &command_line(),
        cx.console.paint(),
    ))?;
    let totals = Totals::of(plan, report);
    let calls = cx.console.calls().totals();
    let line = report::summary(&totals, &calls, report.seconds, cx.console.paint());
    let line = format!("{}\n", line.trim_end());
    if verdict(report) == Exit::Done && plan.nodes.is_empty() {
        cx.console.text(&line)?;
    } else {
        cx.console.say(&line)?;
    }
    if let Some((timings, path)) = timings {
        timings.write(path)?;
        cx.console.note(&format!("timings: {}", path.display()))?;
    }
    Ok(verdict(report))
}
