//! `deployer apply`.

use super::Context;
use super::args::Scope;
use super::error::Failure;
use super::exit::Exit;
use super::inspect;
use super::plan::saved::{self, Saved};
use super::plan::{Wanted, attention, complain, make_plan, show, stopped};
use super::run::{self, Asked};
use super::session::{Mode, Session, configuration, meant};
use super::split;
use super::under_way;
use crate::blueprint::DELEGATION;
use crate::engine::graph::SHARED;
use crate::engine::plan::Plan;
use crate::report::{self, Notice, RunDocument};
use crate::state::State;

/// Creates and updates resources to match the blueprint: as is asked for now, or was asked for when the plan was saved.
pub async fn apply(
    cx: &Context<'_>,
    asked: &Asked<'_>,
    wanted: &Wanted,
    saved: Option<&Saved>,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    // A saved plan needs no confirmation: exactly that plan is run, or nothing.
    let yes = asked.yes || saved.is_some();
    run::can_ask(yes)?;
    let timings = run::timings(asked, "apply")?;
    let events = cx.console.events(timings.as_ref().map(|t| &t.0));
    let locked = run::lock(cx).await?;
    if let Some(saved) = saved {
        let config = configuration(cx)?;
        saved.check(&saved::of(&config, &locked.1, locked.0.history()))?;
    }
    let scope = match saved {
        Some(saved) => Scope::named(saved.asked().scope.as_deref()),
        None => meant(cx, asked.scope)?,
    };
    let mut session = Session::open(cx, &scope, &events, Mode::Apply).await?;
    run::entitle(timings.as_ref(), "apply", &session);
    notice.home = session.home();
    if let Some(saved) = saved {
        saved.check_account(&session.home())?;
    }
    let (writer, mut state) = run::open(&session, locked).await?;
    let now = wanted.asked(&session);
    let made_from = saved.map_or(&now, Saved::asked);
    let (plan, seen) = make_plan(&mut session, &mut state, made_from).await?;
    if let Some(saved) = saved {
        saved.check_plan(&plan)?;
    }
    session.check_demand(&plan).await?;
    show(cx, &session, &plan)?;
    if !plan.problems.is_empty() {
        let nothing = Default::default();
        notice.ran(&plan, &nothing);
        document(cx, &session, &plan, &nothing, &state)?;
        complain(cx, &plan)?;
        return Ok(stopped(&plan));
    }
    if !asked.ignore_migration {
        under_way::check(&plan, &seen)?;
    }
    if !plan.nodes.is_empty() {
        let lossy = plan.nodes.iter().any(|n| n.loss.is_any());
        run::confirm(cx, yes, &session, "Apply this plan", lossy).await?;
        if !asked.ignore_migration && !yes {
            under_way::again(&session, &state, &plan, &seen).await?;
        }
    }
    let report = run::run(&session, writer, &mut state, &plan).await?;
    notice.ran(&plan, &report);
    split::note(cx, &session.config, &plan, &report).await;
    if report.complete() && !plan.nodes.is_empty() {
        let mut outputs = inspect::resolved(&session.graph, &state);
        if let Some(scope) = &session.scope {
            // The other environment is not what was asked for.
            outputs.retain(|name, _| name.starts_with(scope.as_str()) || name.starts_with(SHARED));
        }
        cx.console.text(&report::outputs(&outputs))?;
    }
    let attention = attention(&session, &plan, &state);
    let text = report::attention_text(&attention, cx.console.paint());
    cx.console.text(&text)?;
    document(cx, &session, &plan, &report, &state)?;
    let exit = run::close(cx, &plan, &report, timings.as_ref().map(|(t, p)| (t, *p)))?;
    let waits = plan.waiting.iter().any(|w| w.scope == DELEGATION);
    Ok(match exit {
        Exit::Done if waits => Exit::Held,
        exit => exit,
    })
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
    let attention = attention(session, plan, state);
    let document = RunDocument::new(session.home(), plan, report, calls);
    let document = document.apply(outputs, attention, plan.kept.clone());
    Ok(cx.console.document(&document)?)
}
