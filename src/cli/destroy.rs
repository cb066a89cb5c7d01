//! `deployer destroy`.

use super::apply::show;
use super::args::Common;
use super::error::Failure;
use super::exit::Exit;
use super::run::{self, Asked};
use super::session::Session;
use crate::engine::plan::{Plan, teardown};
use crate::state::{self, State, Writer};

/// Removes an environment and whatever rests on it, or everything.
pub async fn destroy(common: &Common, asked: &Asked<'_>, dry_run: bool) -> Result<Exit, Failure> {
    let events = run::quiet(common);
    let session = Session::open(common, asked.scope, &events, dry_run, false).await?;
    if dry_run {
        let state = state::read(
            &session.folder,
            &session.config.suffix,
            &session.config.region,
        )?;
        session.check_home(&state)?;
        show(&make(&session, &state).await);
        return Ok(Exit::Done);
    }
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let (mut writer, mut state) = Writer::open(
        &session.folder,
        &session.config.suffix,
        &session.config.region,
        &command,
    )?;
    session.check_home(&state)?;
    if state.account.is_empty() {
        state.account.clone_from(&session.account);
        writer.restart(&state)?;
    }
    let plan = make(&session, &state).await;
    show(&plan);
    if !plan.problems.is_empty() {
        return Ok(Exit::Failed);
    }
    if !plan.nodes.is_empty() && !run::confirm(asked.yes, "Destroy all of this?")? {
        return Ok(Exit::Interrupted);
    }
    let (report, _state) = run::run(&session, writer, state, &plan, &events).await?;
    for (step, fault) in report.failed() {
        tracing::error!("{step}: {fault}");
    }
    Ok(run::exit(&report))
}

/// Everything recorded is read, whatever its scope: what rests on the doomed must be known.
async fn make(session: &Session, state: &State) -> Plan {
    let asks = session.asks(state, |_, _| true);
    let seen = session.observe(&asks).await;
    teardown(
        &session.graph,
        state,
        &seen,
        &session.registry,
        session.scope.as_deref(),
    )
}
