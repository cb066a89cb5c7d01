//! `deployer state`.

use super::Context;
use super::args::{Scope, StateCommand};
use super::connection::store;
use super::error::Failure;
use super::exit::Exit;
use super::mark;
use super::run;
use super::session::{Mode, Session, configuration, home};
use super::share;
use super::suggest::nearest;
use crate::engine::observe::{Observed, requests};
use crate::engine::rebuild::{add_unread, rebuild, recover};
use crate::report::{
    self, Marked, RebuildDocument, StateHistoryDocument, StateListDocument, StateRow,
    StateShowDocument, UnlockDocument,
};
use crate::state::{self, Part, State, Writer};

/// Looks at the state, rebuilds it, unlocks it.
pub async fn run(cx: &Context<'_>, command: &StateCommand) -> Result<Exit, Failure> {
    match command {
        StateCommand::List { scope } => list(cx, scope).await,
        StateCommand::History => history(cx).await,
        StateCommand::Show { step } => show(cx, step).await,
        StateCommand::Rebuild { yes } => rebuild_state(cx, *yes).await,
        StateCommand::Mark {
            steps,
            yes,
            dry_run,
        } => mark::run(cx, steps, *yes, *dry_run).await,
        StateCommand::Unlock => unlock(cx).await,
        StateCommand::Init { yes } => share::init(cx, *yes).await,
        StateCommand::Push => share::push(cx).await,
        StateCommand::Pull => share::pull(cx).await,
    }
}

async fn local(cx: &Context<'_>) -> Result<State, Failure> {
    let config = configuration(cx)?;
    let store = store(cx, &config).await?;
    Ok(state::read(store.as_ref(), &config.region).await?)
}

/// The runs so far. A line that was changed or removed is an error that names it; one that was cut off is a warning.
async fn history(cx: &Context<'_>) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    let store = store(cx, &config).await?;
    let state = state::read(store.as_ref(), &config.region).await?;
    let history = state::history(store.as_ref()).await?;
    if history.torn {
        let file = store.history_name().display();
        let text =
            "the last line is incomplete: a run was killed while it wrote it; it is left out";
        cx.console.warning(&format!("{file}: {text}"))?;
    }
    let document = StateHistoryDocument {
        home: home(&state, None),
        runs: history.lines,
    };
    cx.console
        .answer(&report::history(&document.runs), &document)?;
    Ok(Exit::Done)
}

async fn list(cx: &Context<'_>, scope: &Scope) -> Result<Exit, Failure> {
    let mut state = local(cx).await?;
    let scope = scope.env.map(super::args::EnvName::name);
    state
        .steps
        .retain(|_, record| scope.is_none_or(|s| s == record.scope));
    let document = StateListDocument {
        home: home(&state, scope),
        steps: StateRow::all(&state, scope),
    };
    cx.console.answer(&report::state_list(&state), &document)?;
    if state.steps.is_empty() && !cx.console.json() {
        cx.console.note("nothing is recorded")?;
    }
    Ok(Exit::Done)
}

async fn show(cx: &Context<'_>, step: &str) -> Result<Exit, Failure> {
    let state = local(cx).await?;
    let Some(record) = state.steps.get(step) else {
        let known = state.steps.keys().map(String::as_str);
        return Err(
            Failure::usage(format!("no step `{step}` is recorded")).hint(nearest(
                step,
                known,
                "`deployer state list` shows all",
            )),
        );
    };
    let document = StateShowDocument {
        step: step.to_owned(),
        record: record.clone(),
    };
    let text = serde_json::to_string_pretty(&document.record).map_err(std::io::Error::from)?;
    cx.console.file(&format!("{step}\n{text}\n"), &document)?;
    Ok(Exit::Done)
}

/// Sets aside what is damaged, and takes the lock.
async fn without_damage(
    cx: &Context<'_>,
    session: &Session,
    part: Part,
) -> Result<(Writer, State), Failure> {
    let aside = async |part| {
        for path in session.store.set_aside(part).await? {
            cx.console
                .note(&format!("the damaged file is kept as {path}"))?;
        }
        Ok::<_, Failure>(())
    };
    aside(part).await?;
    match run::lock_unless_damaged(cx).await? {
        Ok(opened) => Ok(opened),
        // Both are.
        Err(other) if other != part => {
            aside(other).await?;
            run::lock(cx).await
        }
        Err(_) => run::lock(cx).await,
    }
}

/// Finds everything by its marks and writes the state again. A damaged file is kept beside it, never overwritten.
async fn rebuild_state(cx: &Context<'_>, yes: bool) -> Result<Exit, Failure> {
    run::can_ask(yes)?;
    let events = cx.console.events(None);
    let opened = run::lock_unless_damaged(cx).await?;
    let session = Session::open(cx, &Scope { env: None }, &events, Mode::Look).await?;
    let config = &session.config;
    if let Ok((_, state)) = &opened {
        session.check_home(state)?;
    }
    let question = "Rebuild the state file from the tags of existing resources";
    run::confirm(cx, yes, &session, question, false).await?;
    let opened = match opened {
        Ok(opened) => opened,
        Err(part) => without_damage(cx, &session, part).await?,
    };
    let (mut writer, mut state) = run::open(&session, opened).await?;
    let nothing = State::empty(&config.suffix, &config.region);
    let all = requests(&session.graph, &session.chosen, &nothing, |_, _| false);
    let mut seen = session.observe(&all).await;
    let (registry, clock) = (&session.context.registry, &session.context.clock);
    rebuild(&session.graph, &seen, registry, &mut state, clock);
    let listed = session.owned().await;
    let unread = recover(&session.graph, &listed.owned, registry, &mut state, clock).await;
    add_unread(&mut seen, unread);
    let unreadable: Vec<String> = seen
        .iter()
        .filter_map(|(step, observed)| match observed {
            Observed::Unreadable(error) => {
                Some(report::error(Some(step), error, cx.console.paint()))
            }
            _ => None,
        })
        .collect();
    if !unreadable.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "not everything could be read, so nothing was written:\n{}",
                unreadable.join("\n")
            ),
        ));
    }
    session.beneath(&mut state, &mut seen).await;
    writer.save(&mut state).await?;
    let mut text = format!(
        "{} steps recorded in {}\n",
        state.steps.len(),
        session.store.state_name().display()
    );
    let found = listed.owned.into_iter().chain(listed.undecided);
    let unrecorded: Vec<Marked> = found
        .filter(|o| !state.steps.contains_key(&o.step))
        .map(|o| Marked {
            kind: o.kind,
            id: o.id,
            step: o.step,
        })
        .collect();
    for thing in &unrecorded {
        text.push_str(&format!(
            "not in the blueprint, not recorded: {} {} ({})\n",
            thing.kind, thing.id, thing.step
        ));
    }
    for kind in &listed.unlisted {
        text.push_str(&format!("not listed: {}: {}\n", kind.kind, kind.error));
    }
    let document = RebuildDocument {
        home: session.home(),
        recorded: state.steps.keys().cloned().collect(),
        unrecorded,
        unlisted: listed.unlisted,
    };
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}

async fn unlock(cx: &Context<'_>) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    let removed = store(cx, &config).await?.break_lock().await?;
    let removed = removed.map(|holder| holder.to_string());
    let text = match &removed {
        Some(holder) => format!("removed the lock of {holder}\n"),
        None => "there was no lock\n".to_owned(),
    };
    cx.console.answer(&text, &UnlockDocument { removed })?;
    Ok(Exit::Done)
}
