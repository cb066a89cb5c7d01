//! `deployer plan` and `deployer apply`.

use super::Context;
use super::args::Scope;
use super::cost;
use super::error::Failure;
use super::exit::Exit;
use super::inspect;
use super::run::{self, Asked};
use super::session::{Mode, Session};
use crate::blueprint::{DELEGATION, with_first_weights};
use crate::engine::plan::{self, Choice, DataRules, Options, Plan};
use crate::engine::rebuild::set_apart;
use crate::report::{self, Notice, PlanDocument, RunDocument};
use crate::state::{self, State};

/// Shows what `apply` would do. The state it holds has no way to write.
pub async fn plan(
    cx: &Context<'_>,
    scope: &Scope,
    choice: Option<Choice>,
) -> Result<Exit, Failure> {
    let events = cx.console.events(None);
    let mut session = Session::open(cx, scope, &events, Mode::Plan).await?;
    let region = session.config.region.clone();
    let mut state = state::read(session.store.as_ref(), &region).await?;
    session.check_home(&state)?;
    let plan = make_plan(&session, &mut state, choice).await;
    session.check_demand(&plan).await?;
    show(cx, &session, &plan)?;
    plan::refresh(&plan, &mut state);
    let attention = report::attention(&state, session.scope.as_deref());
    let text = report::attention_text(&attention, cx.console.paint());
    cx.console.text(&text)?;
    let document = PlanDocument::new(session.home(), &plan)
        .attention(attention)
        .cost(cost::difference(&session, &plan)?);
    cx.console.document(&document)?;
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

/// Where it goes, preflight, plan, and where it goes once more: the first line may have scrolled away.
pub fn show(cx: &Context<'_>, session: &Session, plan: &Plan) -> Result<(), Failure> {
    let paint = cx.console.paint();
    let place = format!("{}\n", paint.bold(&session.place()));
    cx.console.text(&place)?;
    cx.console
        .text(&report::preflight(&session.preflight.checks, paint))?;
    cx.console.text(&report::plan(plan, paint))?;
    let cost = cost::difference(session, plan)?;
    cx.console.text(&report::difference(&cost, paint))?;
    cx.console.text(&place)?;
    Ok(())
}

/// Creates and updates resources to match the blueprint.
pub async fn apply(
    cx: &Context<'_>,
    asked: &Asked<'_>,
    choice: Option<Choice>,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    run::can_ask(asked.yes)?;
    let timings = run::timings(asked, "apply")?;
    let events = cx.console.events(timings.as_ref().map(|t| &t.0));
    let locked = run::lock(cx).await?;
    let mut session = Session::open(cx, asked.scope, &events, Mode::Apply).await?;
    notice.home = session.home();
    let (writer, mut state) = run::open(&session, locked).await?;
    let plan = make_plan(&session, &mut state, choice).await;
    session.check_demand(&plan).await?;
    show(cx, &session, &plan)?;
    if !plan.problems.is_empty() {
        let nothing = Default::default();
        notice.ran(&plan, &nothing);
        document(cx, &session, &plan, &nothing, &state)?;
        return Ok(Exit::Failed);
    }
    if !plan.nodes.is_empty() {
        let lossy = plan.needs_choice().next().is_some();
        run::confirm(cx, asked.yes, &session, "Apply this plan", lossy)?;
    }
    let report = run::run(&session, writer, &mut state, &plan).await?;
    notice.ran(&plan, &report);
    if report.complete() {
        let mut outputs = inspect::resolved(&session.graph, &state);
        if let Some(scope) = &session.scope {
            // The other environment is not what was asked for.
            outputs
                .retain(|name, _| name.starts_with(scope.as_str()) || name.starts_with("shared"));
        }
        cx.console.text(&report::outputs(&outputs))?;
    }
    let attention = report::attention(&state, session.scope.as_deref());
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
    let attention = report::attention(state, session.scope.as_deref());
    let document = RunDocument::new(session.home(), plan, report, calls).apply(outputs, attention);
    Ok(cx.console.document(&document)?)
}

async fn make_plan(session: &Session, state: &mut State, choice: Option<Choice>) -> Plan {
    // A first run, or a state that was lost: what an earlier blueprint made is not to be forgotten.
    if state.steps.is_empty() {
        session.recover(state).await;
    }
    set_apart(&session.graph, state);
    let seen = session
        .refresh(state, |_, record| session.in_scope(record))
        .await;
    let options = Options {
        ignore_tags: session.config.tags.ignore.clone(),
        scope: session.scope.clone(),
    };
    let graph = with_first_weights(&session.graph, &session.chosen, &seen, |step| {
        state.steps.contains_key(step)
    });
    let mut plan = plan::build(
        &graph,
        &session.chosen,
        state,
        &seen,
        &session.context.registry,
        &options,
    );
    let counts = plan::count(&plan, &session.context.registry).await;
    let rules = DataRules {
        choice,
        protect: session.config.protect,
    };
    let now = jiff::Timestamp::now();
    plan::guard(&mut plan, &counts, &session.context.registry, rules, now);
    plan
}
