//! `deployer state mark`.

use super::Context;
use super::apply::document;
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::plan::{show, verdict};
use super::run;
use super::session::{Mode, Session, check_credentials};
use super::suggest::nearest;
use crate::engine::mark::{is_marked, mark};
use crate::engine::observe::requests;
use crate::engine::plan::Plan;
use crate::report::PlanDocument;
use crate::state::State;

/// Puts lost tags back on what is recorded.
pub async fn run(
    cx: &Context<'_>,
    steps: &[String],
    yes: bool,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if !dry_run {
        run::can_ask(yes)?;
    }
    let events = cx.console.events(None);
    let locked = if dry_run {
        None
    } else {
        Some(run::lock(cx).await?)
    };
    let mode = if dry_run { Mode::Look } else { Mode::Mark };
    let session = Session::open(cx, &Scope { env: None }, &events, mode).await?;
    let Some(locked) = locked else {
        let state = session.state().await?;
        session.check_home(&state)?;
        let plan = make_plan(&session, &state, steps).await?;
        show(cx, &session, &plan)?;
        cx.console
            .document(&PlanDocument::new(session.home(), &plan))?;
        return Ok(verdict(&plan));
    };
    let (writer, mut state) = run::open(&session, locked).await?;
    let plan = make_plan(&session, &state, steps).await?;
    show(cx, &session, &plan)?;
    if !plan.nodes.is_empty() {
        run::confirm(cx, yes, &session, "Set these tags", false).await?;
    }
    let report = run::run(&session, writer, &mut state, &plan).await?;
    document(cx, &session, &plan, &report, &state)?;
    run::close(cx, &plan, &report, None)
}

async fn make_plan(session: &Session, state: &State, steps: &[String]) -> Result<Plan, Failure> {
    if let Some(unknown) = steps.iter().find(|s| !state.steps.contains_key(*s)) {
        let known = state.steps.keys().map(String::as_str);
        return Err(
            Failure::usage(format!("no step `{unknown}` is recorded")).hint(nearest(
                unknown,
                known,
                "`deployer state list` shows all",
            )),
        );
    }
    // As recorded, whatever the blueprint has become.
    let none = vec![false; session.graph.steps.len()];
    let chosen = |step: &str| steps.is_empty() || steps.iter().any(|s| s == step);
    let asked = requests(&session.graph, &none, state, |step, record| {
        chosen(step) && is_marked(record.stage)
    });
    let seen = session.observe(&asked).await;
    check_credentials(&seen, &[])?;
    let registry = &session.context.registry;
    Ok(mark(&session.graph, &asked, &seen, registry))
}
