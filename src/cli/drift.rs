//! `deployer drift`.

use super::Context;
use super::args::Scope;
use super::authors::{QUICK, authors};
use super::error::Failure;
use super::exit::Exit;
use super::plan::one_form;
use super::session::{Mode, Session, check_credentials, meant};
use crate::config::Config;
use crate::engine::drift::{Drift, Input, Rule, drift as compare};
use crate::engine::observe::Observations;
use crate::engine::plan;
use crate::engine::rebuild::{add_unread, rebuild, recover};
use crate::engine::remnant::confirmed;
use crate::report::{self, DriftDocument, Notice};
use crate::resources::severity::severity;
use crate::resources::traffic_tags::and_of_others;
use crate::state::{self, State};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How drift looks and what it shows.
#[derive(Debug, Clone, Copy, Args)]
pub struct DriftArgs {
    /// Trust the tags of existing resources alone, and read no state.
    #[arg(long)]
    pub no_state: bool,
    /// Print the result as Markdown, for a pull request or the summary of a CI job.
    #[arg(long)]
    pub markdown: bool,
}

/// Compares the account with the blueprint and the state. Writes nothing.
pub async fn drift(
    cx: &Context<'_>,
    scope: &Scope,
    asked: DriftArgs,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let DriftArgs { no_state, markdown } = asked;
    one_form(cx, markdown)?;
    let scope = meant(cx, scope)?;
    let events = cx.console.events(None);
    let mode = if no_state {
        Mode::Unrecorded
    } else {
        Mode::Look
    };
    let session = Session::open(cx, &scope, &events, mode).await?;
    notice.home = session.home();
    let config = &session.config;
    let before = if no_state {
        Ok(None)
    } else {
        running(&session).await
    };
    // A damaged state is reported before its lock.
    let (state, _, mut drift) = compared(&session, no_state).await?;
    let before = before?;
    notice.compared(&drift);
    let run = match no_state {
        true => None,
        false => moving(&session, before, &state).await?,
    };
    if drift.differs() && run.is_none() {
        authors(&session, &state, &mut drift, QUICK).await;
    }
    let exit = verdict(&drift, run.is_some());
    let calls = cx.console.calls().totals();
    let refusals = session.preflight.errors();
    let refusals = refusals.map(|c| format!("`apply` is refused now: {}: {}", c.name, c.text));
    let refusals: Vec<String> = refusals.collect();
    for refusal in &refusals {
        cx.console.warning(refusal)?;
    }
    let document = DriftDocument::new(session.home(), drift, calls);
    let document = document.noting(refusals).locked_by(run.clone());
    if markdown {
        let text = report::drift_markdown(&document, &session.place());
        cx.console.result(&text)?;
        return Ok(exit);
    }
    if exit == Exit::Locked {
        let who = run.unwrap_or_default();
        let text = format!("{who}: what was read was moving, and is not reported as drift");
        cx.console.warning(&text)?;
    }
    if cx.console.quiet() && exit != Exit::Done {
        let next = cx.command_line("plan", session.scope.as_deref(), config);
        let place = session.place();
        let text = report::drift_short(&document.drift, &place, &next, cx.console.paint());
        cx.console.say(&text)?;
    } else {
        let text = report::drift(&document.drift, cx.console.paint());
        cx.console.text(&text)?;
    }
    cx.console.document(&document)?;
    Ok(exit)
}

/// The run that works on the deployment, in words.
pub async fn running(session: &Session) -> Result<Option<String>, Failure> {
    let holder = session.store.holder().await?;
    Ok(holder.map(|h| h.to_string()))
}

/// A run that works on it, or that ended since `before` was asked and `state` was read: what was read is neither before nor after.
pub async fn moving(
    session: &Session,
    before: Option<String>,
    state: &State,
) -> Result<Option<String>, Failure> {
    if let Some(holder) = before {
        return Ok(Some(holder));
    }
    if let Some(holder) = running(session).await? {
        return Ok(Some(holder));
    }
    let now = state::read(session.store.as_ref(), &session.config.region).await?;
    let moved = now.serial != state.serial;
    Ok(moved.then(|| "a run that has just ended".to_owned()))
}

/// Reads everything and compares it. Gives the state, what was read, and the comparison.
pub async fn compared(
    session: &Session,
    no_state: bool,
) -> Result<(State, Observations, Drift), Failure> {
    let config = &session.config;
    let mut state = if no_state {
        State::empty(&config.suffix, &config.region)
    } else {
        session.state().await?
    };
    session.check_home(&state)?;
    let requests = session.requests(&state, |_, record| session.in_scope(record));
    let (mut seen, mut listed) = session.sweep(&requests).await;
    check_credentials(&seen, &listed.unlisted)?;
    if no_state {
        let (registry, clock) = (&session.context.registry, &session.context.clock);
        rebuild(&session.graph, &seen, registry, &mut state, clock);
        let unread = recover(&session.graph, &listed.owned, registry, &mut state, clock).await;
        add_unread(&mut seen, unread);
    }
    session.beneath(&mut state, &mut seen).await;
    let registry = &session.context.registry;
    listed.owned = confirmed(&session.graph, &state, listed.owned, registry).await;
    let needed = plan::left_for_others(&session.graph, &state, &seen, registry).await;
    let mut drift = compare(Input {
        graph: &session.graph,
        chosen: &session.chosen,
        scope: session.scope.as_deref(),
        state: &state,
        seen: &seen,
        owned: &listed.owned,
        undecided: &listed.undecided,
        unlisted: listed.unlisted,
        registry,
        ignore_tags: &and_of_others(&config.tags.ignore),
        needed: &needed,
    });
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    drift.accept(&rules(config), today);
    drift.rate(&|kind, difference| {
        let holds_data = registry.get(kind).is_ok_and(|d| d.meta().holds_data);
        severity(kind, holds_data, difference)
    });
    Ok((state, seen, drift))
}

/// What was found and what was not seen, as an exit code; a difference during a run is none.
pub fn verdict(drift: &Drift, moving: bool) -> Exit {
    match (drift.differs(), drift.complete()) {
        (true, _) if moving => Exit::Locked,
        (true, _) => Exit::Differs,
        (false, true) => Exit::Done,
        // What was not checked is not in sync.
        (false, false) => Exit::Failed,
    }
}

/// The rules of the configuration.
fn rules(config: &Config) -> Vec<Rule> {
    let each = config.drift.accept.iter().map(|rule| Rule {
        step: rule.step.clone(),
        path: rule.path.clone(),
        reason: rule.reason.clone(),
        until: rule.until,
    });
    each.collect()
}
