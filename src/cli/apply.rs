//! `deployer plan` and `deployer apply`.

use super::Context;
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::inspect;
use super::run::{self, Asked};
use super::session::Session;
use crate::engine::plan::{self, Options, Plan};
use crate::report::{self, PlanDocument, RunDocument, Timings};
use crate::state::{self, State};

/// Shows what `apply` would do. The state it holds has no way to write.
pub async fn plan(cx: &Context<'_>, scope: &Scope, replace_data: bool) -> Result<Exit, Failure> {
    let events = cx.console.events(None);
    let session = Session::open(cx, scope, &events, true, true).await?;
    let config = &session.config;
    let mut state = state::read(&session.folder, &config.suffix, &config.region)?;
    session.check_home(&state)?;
    let plan = make(&session, &mut state, replace_data).await;
    show(cx, &session, &plan)?;
    cx.console
        .document(&PlanDocument::new(session.home(), &plan))?;
    Ok(verdict(&plan))
}

/// The exit code of a plan that is only shown.
pub fn verdict(plan: &Plan) -> Exit {
    if !plan.problems.is_empty() || plan.nodes.iter().any(|n| n.refused.is_some()) {
        Exit::Failed
    } else if plan.nodes.is_empty() && plan.forget.is_empty() {
        Exit::Done
    } else {
        Exit::Differs
    }
}

/// Preflight and plan, for people.
pub fn show(cx: &Context<'_>, session: &Session, plan: &Plan) -> Result<(), Failure> {
    let paint = cx.console.paint();
    cx.console
        .text(&report::preflight(&session.preflight, paint))?;
    cx.console.text(&report::plan(plan, paint))?;
    Ok(())
}

/// Makes the account like the blueprint.
pub async fn apply(
    cx: &Context<'_>,
    asked: &Asked<'_>,
    replace_data: bool,
) -> Result<Exit, Failure> {
    run::can_ask(asked.yes)?;
    let timings = asked.timings.map(|path| (Timings::new("apply"), path));
    let events = cx.console.events(timings.as_ref().map(|t| &t.0));
    let locked = run::lock(cx)?;
    let session = Session::open(cx, asked.scope, &events, false, true).await?;
    let (writer, mut state) = run::open(&session, locked)?;
    let plan = make(&session, &mut state, replace_data).await;
    show(cx, &session, &plan)?;
    if !plan.problems.is_empty() {
        let nothing = Default::default();
        document(cx, &session, &plan, &nothing, &state)?;
        return Ok(Exit::Failed);
    }
    if !plan.nodes.is_empty() {
        run::confirm(cx, asked.yes, "Apply this plan?")?;
    }
    let report = run::run(cx, &session, writer, &mut state, &plan).await?;
    let mut outputs = inspect::resolved(&session.graph, &state);
    if let Some(scope) = &session.scope {
        // The other environment is not what was asked for.
        outputs.retain(|name, _| name.starts_with(scope.as_str()) || name.starts_with("shared"));
    }
    cx.console.text(&report::outputs(&outputs))?;
    document(cx, &session, &plan, &report, &state)?;
    run::close(cx, &plan, &report, timings.as_ref().map(|(t, p)| (t, *p)))
}

pub fn document(
    cx: &Context<'_>,
    session: &Session,
    plan: &Plan,
    report: &crate::engine::exec::Report,
    state: &State,
) -> Result<(), Failure> {
    let outputs = inspect::resolved(&session.graph, state);
    let calls = cx.console.calls().totals();
    let document: RunDocument<false> =
        RunDocument::new(session.home(), plan, report, calls, outputs);
    Ok(cx.console.document(&document)?)
}

async fn make(session: &Session, state: &mut State, replace_data: bool) -> Plan {
    // A first run, or a state that was lost: what an earlier blueprint made is not to be forgotten.
    if state.steps.is_empty() {
        session.recover(state).await;
    }
    let requests = session.requests(state, |_, record| session.means(record));
    let seen = session.observe(&requests).await;
    let options = Options {
        replace_data,
        ignore_tags: session.config.tags.ignore.clone(),
        scope: session.scope.clone(),
    };
    plan::build(
        &session.graph,
        &session.chosen,
        state,
        &seen,
        &session.context.registry,
        &options,
    )
}
