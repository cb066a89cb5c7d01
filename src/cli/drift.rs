//! `deployer drift`.

use super::Context;
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::session::{Mode, Session};
use crate::engine::drift::{Drift, Input, drift as compare};
use crate::engine::observe::Observations;
use crate::engine::rebuild::{rebuild, recover};
use crate::report::{self, DriftDocument, Notice};
use crate::state::{self, State};

/// Compares the account with the blueprint and the state. Writes nothing.
pub async fn drift(
    cx: &Context<'_>,
    scope: &Scope,
    no_state: bool,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let events = cx.console.events(None);
    let mode = if no_state {
        Mode::Unrecorded
    } else {
        Mode::Look
    };
    let session = Session::open(cx, scope, &events, mode).await?;
    notice.home = session.home();
    let (_, _, drift) = compared(&session, no_state).await?;
    notice.compared(&drift);
    cx.console
        .text(&report::drift(&drift, cx.console.paint()))?;
    let exit = match (drift.differs(), drift.complete()) {
        (true, _) => Exit::Differs,
        (false, true) => Exit::Done,
        // What was not checked is not in sync.
        (false, false) => Exit::Failed,
    };
    let calls = cx.console.calls().totals();
    cx.console
        .document(&DriftDocument::new(session.home(), drift, calls))?;
    Ok(exit)
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
        state::read(session.store.as_ref(), &config.region).await?
    };
    session.check_home(&state)?;
    let requests = session.requests(&state, |_, record| session.in_scope(record));
    let (mut seen, listed) = session.look(&requests).await;
    if no_state {
        let (registry, clock) = (&session.context.registry, &session.context.clock);
        rebuild(&session.graph, &seen, registry, &mut state, clock);
        recover(&session.graph, &listed.owned, registry, &mut state, clock).await;
    }
    session.beneath(&mut state, &mut seen).await;
    let drift = compare(Input {
        graph: &session.graph,
        chosen: &session.chosen,
        scope: session.scope.as_deref(),
        state: &state,
        seen: &seen,
        owned: &listed.owned,
        undecided: &listed.undecided,
        unlisted: listed.unlisted,
        registry: &session.context.registry,
        ignore_tags: &config.tags.ignore,
    });
    Ok((state, seen, drift))
}
