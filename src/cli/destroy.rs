//! `deployer destroy`.

use super::Context;
use super::apply::{show, verdict};
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::run::{self, Asked};
use super::session::{Listed, Session};
use crate::engine::plan::{Plan, teardown};
use crate::report::{PlanDocument, RunDocument, Timings};
use crate::state::{self, State};

/// Shows what `destroy` would do. The state it holds has no way to write.
pub async fn plan(cx: &Context<'_>, scope: &Scope) -> Result<Exit, Failure> {
    let events = cx.console.events(None);
    let session = Session::open(cx, scope, &events, true, false).await?;
    let config = &session.config;
    let mut state = state::read(&session.folder, &config.suffix, &config.region)?;
    session.check_home(&state)?;
    let plan = make(&session, &mut state).await;
    show(cx, &session, &plan)?;
    cx.console
        .document(&PlanDocument::new(session.home(), &plan))?;
    Ok(verdict(&plan))
}

/// Removes an environment and whatever rests on it, or everything; then looks again for what is left.
pub async fn destroy(cx: &Context<'_>, asked: &Asked<'_>) -> Result<Exit, Failure> {
    run::can_ask(asked.yes)?;
    let timings = asked.timings.map(|path| (Timings::new("destroy"), path));
    let events = cx.console.events(timings.as_ref().map(|t| &t.0));
    let locked = run::lock(cx)?;
    let session = Session::open(cx, asked.scope, &events, false, false).await?;
    let (writer, mut state) = run::open(&session, locked)?;
    let mut plan = make(&session, &mut state).await;
    show(cx, &session, &plan)?;
    if !plan.problems.is_empty() {
        let report = Default::default();
        document(cx, &session, &plan, &report)?;
        return Ok(Exit::Failed);
    }
    if !plan.nodes.is_empty() {
        run::confirm(cx, asked.yes, "Destroy all of this?")?;
    }
    let report = run::run(cx, &session, writer, &mut state, &plan).await?;
    let left = leftovers(&session, &state).await;
    for line in &left {
        cx.console.text(&format!("{line}\n"))?;
    }
    let clean = left.is_empty();
    plan.notes.extend(left);
    document(cx, &session, &plan, &report)?;
    let exit = run::close(cx, &plan, &report, timings.as_ref().map(|(t, p)| (t, *p)))?;
    Ok(if exit == Exit::Done && !clean {
        Exit::Differs
    } else {
        exit
    })
}

/// Everything recorded is read, whatever its scope: what rests on the doomed must be known.
async fn make(session: &Session, state: &mut State) -> Plan {
    session.recover(state).await;
    let requests = session.requests(state, |_, _| true);
    let seen = session.observe(&requests).await;
    teardown(
        &session.graph,
        state,
        &seen,
        &session.context.registry,
        session.scope.as_deref(),
    )
}

/// What still carries our mark and is not recorded, and what could not be listed. Nothing was checked that is not said.
async fn leftovers(session: &Session, state: &State) -> Vec<String> {
    let Listed {
        owned, unlisted, ..
    } = session.owned().await;
    let in_scope = |environment: Option<&String>| match &session.scope {
        Some(scope) => environment == Some(scope),
        None => true,
    };
    let left = owned
        .iter()
        .filter(|o| in_scope(o.tags.get("Environment")) && !state.steps.contains_key(&o.step))
        .map(|o| {
            format!(
                "left behind: {} {} ({}): remove it by hand, or run `deployer destroy` again",
                o.kind, o.id, o.step
            )
        });
    let unseen = unlisted
        .iter()
        .map(|u| format!("not checked for leftovers: {}: {}", u.kind, u.error));
    left.chain(unseen).collect()
}

fn document(
    cx: &Context<'_>,
    session: &Session,
    plan: &Plan,
    report: &crate::engine::exec::Report,
) -> Result<(), Failure> {
    let calls = cx.console.calls().totals();
    let document: RunDocument<true> =
        RunDocument::new(session.home(), plan, report, calls, Default::default());
    Ok(cx.console.document(&document)?)
}
