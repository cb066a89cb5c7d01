//! `deployer destroy`.

use super::Context;
use super::args::Scope;
use super::connection::store;
use super::cost;
use super::error::Failure;
use super::exit::Exit;
use super::plan::{complain, show, show_with, stopped, verdict};
use super::run::{self, Asked};
use super::session::{Listed, Mode, Session, check_credentials, configuration};
use super::under_way;
use crate::aws::Aws;
use crate::blueprint::raised;
use crate::engine::drift::Unlisted;
use crate::engine::exec::{Outcome, Report};
use crate::engine::former::set_apart;
use crate::engine::observe::Observations;
use crate::engine::ownership::TAG_OF_SCOPE;
use crate::engine::plan::{self, Choice, DataRules, Node, Op, Plan, Users, teardown};
use crate::engine::rebuild::add_unread;
use crate::engine::remnant::{is_there, was_deleted};
use crate::engine::{Kind, Owned};
use crate::report::{DestroyRemains, Detail, Marked, Notice, PlanDocument, RunDocument};
use crate::resources;
use crate::resources::logs::{LogGroup, events, still_gone};
use crate::state::{self, Stage, State};
use futures::future::join_all;

/// Shows what `destroy` would do. The state it holds has no way to write.
pub async fn plan(
    cx: &Context<'_>,
    scope: &Scope,
    choice: Option<Choice>,
) -> Result<Exit, Failure> {
    let events = cx.console.events(None);
    let session = Session::open(cx, scope, &events, Mode::Look).await?;
    let mut state = session.state().await?;
    session.check_home(&state)?;
    let seen = survey(&session, &mut state).await?;
    let plan = make_plan(&session, &state, &seen, choice).await;
    let cost = cost::difference(&session, &plan)?;
    show_with(cx, &session, &plan, &cost, &Detail::Short)?;
    under_way::warn(cx, "destroy", &plan, &seen)?;
    cx.console
        .document(&PlanDocument::new(session.home(), &plan).cost(cost))?;
    complain(cx, &plan)?;
    Ok(verdict(&plan))
}

/// Deletes an environment and its dependents, or everything; then looks again for what is left.
pub async fn destroy(
    cx: &Context<'_>,
    asked: &Asked<'_>,
    mut choice: Option<Choice>,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    run::can_ask(asked.yes)?;
    if asked.yes && choice.is_none() {
        refuse_recorded_data(cx, asked.scope).await?;
    }
    let timings = run::timings(asked, "destroy")?;
    let events = cx.console.events(timings.as_ref().map(|t| &t.0));
    let locked = run::lock(cx).await?;
    let session = Session::open(cx, asked.scope, &events, Mode::Destroy).await?;
    run::entitle(timings.as_ref(), "destroy", &session);
    notice.home = session.home();
    let (writer, mut state) = run::open(&session, locked).await?;
    let seen = survey(&session, &mut state).await?;
    let mut plan = make_plan(&session, &state, &seen, choice).await;
    show(cx, &session, &plan)?;
    if plan.problems.is_empty() && choice.is_none() && plan.needs_choice().next().is_some() {
        choice = Some(choose(cx, asked.yes, &plan).await?);
        plan = make_plan(&session, &state, &seen, choice).await;
        show(cx, &session, &plan)?;
    }
    if !plan.problems.is_empty() {
        let report = Default::default();
        notice.ran(&plan, &report);
        document(cx, &session, &plan, &report, DestroyRemains::default())?;
        complain(cx, &plan)?;
        return Ok(stopped(&plan));
    }
    if !asked.ignore_migration {
        under_way::check(&plan, &seen)?;
    }
    if !plan.nodes.is_empty() {
        let lossy = plan.needs_choice().next().is_some();
        run::confirm(cx, asked.yes, &session, "Destroy all of this", lossy).await?;
        if !asked.ignore_migration && !asked.yes {
            under_way::again(&session, &state, &plan, &seen).await?;
        }
    }
    let report = run::run(&session, writer, &mut state, &plan).await?;
    notice.ran(&plan, &report);
    let mut remains = remains(cx, &session, &state, &plan, &report, choice).await;
    let groups = deleted_groups(&plan, &report);
    came_back(session.aws(), groups, &mut remains).await;
    notice.left(&remains);
    for line in remains.lines() {
        cx.console.text(&format!("{line}\n"))?;
    }
    let clean = remains.is_clean();
    document(cx, &session, &plan, &report, remains)?;
    let exit = run::close(cx, &plan, &report, timings.as_ref().map(|(t, p)| (t, *p)))?;
    Ok(if exit == Exit::Done && !clean {
        Exit::Differs
    } else {
        exit
    })
}

/// What the state alone tells: a recorded database always holds data. Nothing is called to refuse it.
async fn refuse_recorded_data(cx: &Context<'_>, scope: &Scope) -> Result<(), Failure> {
    let config = configuration(cx)?;
    let store = store(cx, &config).await?;
    let state = state::read(store.as_ref(), &config.region).await?;
    let scope = scope.env.map(super::args::EnvName::name);
    let held: Vec<String> = state
        .steps
        .iter()
        .filter(|(_, r)| {
            resources::ALWAYS_HOLDS_DATA.contains(&r.kind.as_str())
                && r.stage != Stage::Creating
                && scope.is_none_or(|s| s == r.scope)
        })
        .map(|(step, r)| format!("{step} ({} {})", r.kind, r.name))
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    Err(undecided(&format!(
        "{}; no AWS call was made",
        held.join(", ")
    )))
}

/// `--yes` does not answer what becomes of data.
fn undecided(what: &str) -> Failure {
    Failure::usage(format!("this would delete data: {what}")).hint(
        "pass --keep-snapshot (databases leave a final snapshot and its key) or --destroy-data (nothing remains)",
    )
}

/// Asks what is to become of the data.
async fn choose(cx: &Context<'_>, yes: bool, plan: &Plan) -> Result<Choice, Failure> {
    let mut lines = Vec::new();
    for node in plan.needs_choice() {
        lines.push(format!("{}: {}", node.step, node.loss.words()));
    }
    if yes {
        return Err(undecided(&format!(
            "{}; nothing was changed",
            lines.join(", ")
        )));
    }
    cx.console.note(&format!(
        "This would delete data:\n  {}\nType `keep-snapshot` (databases leave a final snapshot and its key; everything else is deleted) or `destroy-data` (nothing remains):",
        lines.join("\n  ")
    ))?;
    match run::answer().await?.as_str() {
        "keep-snapshot" => Ok(Choice::KeepSnapshot),
        "destroy-data" => Ok(Choice::DestroyData),
        _ => Err(run::cancelled()),
    }
}

/// Everything recorded is read, whatever its scope: what depends on the destroyed must be known. What is marked is listed beside it.
async fn survey(session: &Session, state: &mut State) -> Result<Observations, Failure> {
    set_apart(&session.graph, state, &session.context.registry);
    let requests = session.requests(state, |_, _| true);
    let (seen, listed) = session.survey(&requests).await;
    check_credentials(&seen, &listed.unlisted)?;
    let unread = session.recover(state, &listed).await;
    let mut seen = session.refresh(state, seen, |_, _| true).await;
    add_unread(&mut seen, unread);
    Ok(seen)
}

async fn make_plan(
    session: &Session,
    state: &State,
    seen: &Observations,
    choice: Option<Choice>,
) -> Plan {
    let scope = session.scope.as_deref();
    let registry = &session.context.registry;
    let plan =
        |users: &Users| teardown(&session.graph, state, seen, registry, scope, choice, users);
    let first = plan(&Users::new());
    let users = plan::users(&first, registry).await;
    let mut plan = if users.is_empty() {
        first
    } else {
        plan(&users)
    };
    let counts = plan::count(&plan, registry).await;
    let rules = DataRules {
        choice,
        protect: session.config.protect,
    };
    plan::guard(&mut plan, &counts, registry, rules, jiff::Timestamp::now());
    plan.notes.extend(raised(&plan.nodes, seen));
    let groups: Vec<String> = groups(&plan).map(|node| node.name.clone()).collect();
    let held = events(session.aws(), groups).await;
    plan.notes.extend(held);
    plan
}

/// What is still there and tagged as ours: kept on purpose, or left behind because it is not recorded; and what could not be listed
/// or read. A listing alone does not show that something is there.
async fn remains(
    cx: &Context<'_>,
    session: &Session,
    state: &State,
    plan: &Plan,
    report: &Report,
    choice: Option<Choice>,
) -> DestroyRemains {
    let Listed {
        owned,
        mut unlisted,
        ..
    } = session.owned().await;
    let scope = session.scope.as_ref();
    let in_scope = |o: &Owned| scope.is_none_or(|s| o.tags.get(TAG_OF_SCOPE) == Some(s));
    let snapshot = |o: &Owned| {
        let driver = session.context.registry.get(&o.kind);
        driver.is_ok_and(|d| d.meta().retention.is_snapshot)
    };
    let (mut kept, mut doubted) = (Vec::new(), Vec::new());
    for one in owned.iter().filter(|o| in_scope(o)) {
        let marked = Marked {
            kind: one.kind.clone(),
            id: one.id.clone(),
            step: one.step.clone(),
        };
        let planned = plan.kept.iter().any(|k| k.step == one.step);
        if planned || (snapshot(one) && choice != Some(Choice::DestroyData)) {
            kept.push(marked);
        } else if !state.steps.contains_key(&one.step) && !was_deleted(plan, report, one) {
            doubted.push((marked, one));
        }
    }
    let looks = doubted.into_iter().map(|(marked, one)| async move {
        let registry = &session.context.registry;
        (marked, is_there(&session.graph, one, registry).await)
    });
    let mut leftovers = Vec::new();
    for (marked, there) in join_all(looks).await {
        match there {
            Ok(true) => leftovers.push(marked),
            Ok(false) => {}
            Err(error) => {
                let unread = Unlisted {
                    kind: marked.kind,
                    error,
                };
                if !unlisted.contains(&unread) {
                    unlisted.push(unread);
                }
            }
        }
    }
    // A key whose alias is gone is not in the listings of keys; its record is.
    for step in plan.kept.iter().map(|k| &k.step) {
        let listed = kept.iter().any(|k: &Marked| k.step == *step);
        if let (false, Some(record)) = (listed, state.steps.get(step)) {
            let mut id = ["arn", "id", "name"].iter();
            let id = id.find_map(|k| record.outputs.get(*k)?.as_str());
            kept.push(Marked {
                kind: record.kind.clone(),
                id: id.unwrap_or(&record.name).to_owned(),
                step: step.clone(),
            });
        }
    }
    kept.sort_by(|a, b| (&a.kind, &a.step).cmp(&(&b.kind, &b.step)));
    let (needed, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(|one| {
        let mut kept = plan.kept.iter();
        kept.any(|k| k.step == one.step && k.for_others)
    });
    DestroyRemains {
        needed,
        remove_with: (!kept.is_empty()).then(|| {
            let scope = session.scope.as_deref();
            let again = cx.command_line("destroy", scope, &session.config);
            format!("{again} --destroy-data")
        }),
        kept,
        leftovers,
        unlisted,
    }
}

/// The log groups that a plan deletes.
fn groups(plan: &Plan) -> impl Iterator<Item = &Node> {
    let nodes = plan.nodes.iter();
    nodes.filter(|n| n.kind == LogGroup::TYPE && n.op == Op::Remove)
}

/// Those that a run has deleted.
fn deleted_groups(plan: &Plan, report: &Report) -> Vec<Marked> {
    let done = |step: &str| {
        let mut all = report.outcomes.iter();
        all.any(|(s, _, outcome)| s == step && *outcome == Outcome::Done)
    };
    let marked = groups(plan).filter(|n| done(&n.step)).map(|node| Marked {
        kind: node.kind.clone(),
        id: node.name.clone(),
        step: node.step.clone(),
    });
    marked.collect()
}

/// A service may have made a log group again since this run deleted it, without tags: it is deleted once more, and named when it is
/// there even then.
async fn came_back(aws: &Aws, groups: Vec<Marked>, remains: &mut DestroyRemains) {
    let looks = groups.into_iter().map(|group| async move {
        let gone = still_gone(aws, &group.id).await;
        (group, gone)
    });
    for (group, gone) in join_all(looks).await {
        match gone {
            Ok(true) => {}
            Ok(false) => remains.leftovers.push(group),
            Err(error) => remains.unlisted.push(Unlisted {
                kind: group.kind,
                error,
            }),
        }
    }
}

fn document(
    cx: &Context<'_>,
    session: &Session,
    plan: &Plan,
    report: &Report,
    remains: DestroyRemains,
) -> Result<(), Failure> {
    let calls = cx.console.calls().totals();
    let document = RunDocument::new(session.home(), plan, report, calls).destroy(remains);
    Ok(cx.console.document(&document)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::wire::aws;

    /// What a destroy says of a log group that it has deleted, with this answer of AWS to every look.
    async fn said(answer: &str) -> Vec<String> {
        let group = Marked {
            kind: LogGroup::TYPE.into(),
            id: "logs-green-dev".into(),
            step: "logs-green".into(),
        };
        let mut remains = DestroyRemains::default();
        came_back(&aws(200, answer), vec![group], &mut remains).await;
        remains.lines()
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_group_that_a_service_makes_again_is_named() {
        assert_eq!(said(r#"{"logGroups": []}"#).await, Vec::<String>::new());
        let there = said(r#"{"logGroups": [{"logGroupName": "logs-green-dev"}]}"#).await;
        assert_eq!(there.len(), 1, "{there:?}");
        assert!(there[0].starts_with("left behind: logs/log_group logs-green-dev (logs-green)"));
    }
}
