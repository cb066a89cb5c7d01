//! `deployer plan` and `deployer apply`.

use super::args::{Common, Scope};
use super::error::Failure;
use super::exit::Exit;
use super::run::{self, Asked};
use super::session::Session;
use crate::engine::Events;
use crate::engine::plan::{self, Options, Plan};
use crate::state::{self, State, Writer};

/// Shows what `apply` would do. The state it holds has no way to write.
pub async fn plan(common: &Common, scope: &Scope, replace_data: bool) -> Result<Exit, Failure> {
    let session = Session::open(common, scope, &Events::default(), true, true).await?;
    let state = state::read(
        &session.folder,
        &session.config.suffix,
        &session.config.region,
    )?;
    session.check_home(&state)?;
    let plan = make(&session, &state, replace_data).await;
    show(&plan);
    Ok(match plan {
        _ if !plan.problems.is_empty() => Exit::Failed,
        _ if plan.nodes.is_empty() => Exit::Done,
        _ => Exit::Differs,
    })
}

/// Makes the account like the blueprint.
pub async fn apply(
    common: &Common,
    asked: &Asked<'_>,
    replace_data: bool,
) -> Result<Exit, Failure> {
    let events = run::quiet(common);
    let session = Session::open(common, asked.scope, &events, false, true).await?;
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
    let plan = make(&session, &state, replace_data).await;
    show(&plan);
    if !plan.problems.is_empty() {
        return Ok(Exit::Failed);
    }
    if !plan.nodes.is_empty() && !run::confirm(asked.yes, "Apply this plan?")? {
        return Ok(Exit::Interrupted);
    }
    let (report, _state) = run::run(&session, writer, state, &plan, &events).await?;
    for (step, fault) in report.failed() {
        tracing::error!("{step}: {fault}");
    }
    Ok(run::exit(&report))
}

async fn make(session: &Session, state: &State, replace_data: bool) -> Plan {
    let asks = session.asks(state, |_, record| session.means(record));
    let seen = session.observe(&asks).await;
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
        &session.registry,
        &options,
    )
}

#[expect(
    clippy::print_stdout,
    reason = "provisional until the report renders it"
)]
pub(super) fn show(plan: &Plan) {
    for node in &plan.nodes {
        println!(
            "{:?} {} {} {:?} {:?}",
            node.verb, node.step, node.kind, node.changes, node.reasons
        );
    }
    for problem in &plan.problems {
        println!("problem {}: {}", problem.step, problem.fault);
    }
    println!("{} unchanged", plan.unchanged.len());
}
