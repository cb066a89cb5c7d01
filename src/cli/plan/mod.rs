//! `deployer plan`, and the making of a plan for `apply`.

pub mod args;
pub mod saved;

use self::args::{Allow, Chosen, PlanView};
use self::saved::{Asked, Output};
use super::Context;
use super::args::Scope;
use super::cost;
use super::error::Failure;
use super::exit::Exit;
use super::session::{Mode, Session, check_credentials, meant};
use super::split;
use super::suggest::nearest;
use super::under_way;
use crate::blueprint::{
    DELEGATION, is_begun, moves_too_early, raised, record_steps, with_first_weights,
};
use crate::cost::Difference;
use crate::engine::former::{set_apart, take_back};
use crate::engine::observe::Observations;
use crate::engine::plan::{self, Allowed, Choice, DataRules, Options, Plan, Problem, Users};
use crate::engine::rebuild::add_unread;
use crate::engine::{Error, Graph, Kind, Step};
use crate::report::{self, Attention, Detail, PlanDocument};
use crate::resources::ecs::TaskDefinition;
use crate::resources::traffic_tags::and_of_others;
use crate::state::{Record, State};
use jiff::Timestamp;

/// What is asked for on the command line of `plan` and `apply`.
pub struct Wanted {
    /// The chosen steps.
    steps: Vec<String>,
    /// What becomes of data that would be deleted.
    choice: Option<Choice>,
    /// What is allowed beyond a plain run.
    allowed: Allowed,
}

impl Wanted {
    /// Of the arguments.
    pub fn of(chosen: &Chosen, allow: &Allow, choice: Option<Choice>) -> Self {
        Self {
            steps: chosen.steps.clone(),
            choice,
            allowed: allow.allowed(),
        }
    }

    /// The same, asked now in this session.
    pub fn asked(&self, session: &Session) -> Asked {
        Asked {
            scope: session.scope.clone(),
            steps: self.steps.clone(),
            choice: self.choice,
            allowed: self.allowed.clone(),
            at: Timestamp::now(),
        }
    }
}

/// Shows what `apply` would do. The state it holds has no way to write.
pub async fn plan(
    cx: &Context<'_>,
    scope: &Scope,
    wanted: Wanted,
    view: &PlanView,
) -> Result<Exit, Failure> {
    one_form(cx, view.markdown)?;
    let out = view.out.as_deref().map(Output::at).transpose()?;
    let scope = meant(cx, scope)?;
    let events = cx.console.events(None);
    let mut session = Session::open(cx, &scope, &events, Mode::Plan).await?;
    let mut state = session.state().await?;
    let holder = session.store.holder().await?.map(|h| h.to_string());
    session.check_home(&state)?;
    let before = match out {
        Some(_) => Some(saved::seal(&session, &state).await?),
        None => None,
    };
    let asked = wanted.asked(&session);
    let aws = session.shared_aws();
    let sweeping = aws.tagging.sweeping(&session.config.suffix);
    let (plan, seen) = make_plan(&mut session, &mut state, &asked).await?;
    drop(sweeping);
    session.check_demand(&plan).await?;
    plan::refresh(&plan, &mut state);
    let attention = attention(&session, &plan, &state);
    let cost = cost::difference(&session, &plan)?;
    let document = PlanDocument::new(session.home(), &plan)
        .attention(attention.clone())
        .cost(cost.clone())
        .locked_by(holder.clone());
    if view.markdown {
        let checks = &session.preflight.checks;
        let text = report::plan_markdown(&document, &session.place(), checks, view.detail);
        cx.console.result(&text)?;
    } else {
        if let Some(holder) = &holder {
            let text = format!("{holder} is running: what follows is moving\n");
            cx.console.text(&cx.console.paint().yellow(&text))?;
        }
        for step in &view.shown {
            unplanned(cx, step, &plan)?;
        }
        show_with(cx, &session, &plan, &cost, &detail(view))?;
        let text = report::attention_text(&attention, cx.console.paint());
        cx.console.text(&text)?;
    }
    under_way::warn(cx, "apply", &plan, &seen)?;
    cx.console.document(&document)?;
    complain(cx, &plan)?;
    let verdict = verdict(&plan);
    match out.zip(before) {
        Some(_) if matches!(verdict, Exit::Failed | Exit::Refused) => {
            cx.console
                .warning("the plan is not saved, because it cannot be run as it is")?;
        }
        Some((out, before)) => {
            let path = out.write(before, asked, &plan, &document)?;
            let again = format!("saved: `deployer apply {path}` runs this plan and no other");
            cx.console.note(&again)?;
        }
        None => {}
    }
    Ok(verdict)
}

/// What somebody has to do by hand: as the types say, and whoever owns the domain of a zone that was made.
pub fn attention(session: &Session, plan: &Plan, state: &State) -> Vec<Attention> {
    let mut all = report::attention(state, session.scope.as_deref());
    all.extend(unpushed(session, plan, state));
    all.extend(unwatched(session, state));
    all.extend(split::attention(&session.config, state, Some(plan)));
    let waits = plan.waiting.iter().any(|w| w.scope == DELEGATION);
    let zone = state.steps.iter().find(|(_, r)| r.kind == "route53/zone");
    if let (true, Some((step, zone))) = (waits, zone) {
        let servers = zone.outputs["name_servers"].as_str().unwrap_or_default();
        all.push(Attention {
            step: step.clone(),
            text: format!(
                "{0} is not delegated yet: in the zone above it, make an NS record {0} with {servers}; then run `deployer apply` again",
                zone.name
            ),
        });
    }
    all
}

/// The images that are missing for what a run makes first: what is recorded says so itself.
fn unpushed(session: &Session, plan: &Plan, state: &State) -> Vec<Attention> {
    let planned = |step: &&Step| plan.nodes.iter().any(|node| node.step == step.id);
    let steps = session.graph.steps.iter();
    let steps = steps.filter(|step| step.kind == TaskDefinition::TYPE);
    let new = steps.filter(|step| !state.steps.contains_key(&step.id));
    let each = new.filter(planned).filter_map(|step| {
        let spec: TaskDefinition = serde_json::from_value(step.spec.clone()).ok()?;
        let text = spec.to_push();
        (!text.is_empty()).then(|| Attention {
            step: step.id.clone(),
            text,
        })
    });
    each.collect()
}

/// The rules of AWS Config look at both environments, and a region has one recorder: neither goes with one environment, so a run for
/// one makes none of it.
fn unwatched(session: &Session, state: &State) -> Option<Attention> {
    const RULE: &str = "config/rule";
    let rule = session.graph.steps.iter().find(|s| s.kind == RULE);
    let recorded = state.steps.values().any(|record| record.kind == RULE);
    let missing = rule.filter(|_| session.scope.is_some() && !recorded)?;
    Some(Attention {
        step: missing.id.clone(),
        text: "AWS Config does not look at this deployment yet, because its rules are of both environments; run `deployer apply` without --env to make them".to_owned(),
    })
}

/// `--markdown` and `--json` both want standard output.
pub fn one_form(cx: &Context<'_>, markdown: bool) -> Result<(), Failure> {
    if markdown && cx.console.json() {
        return Err(Failure::usage("--markdown and --json exclude each other"));
    }
    Ok(())
}

fn detail(view: &PlanView) -> Detail {
    match view {
        PlanView { shown, .. } if !shown.is_empty() => Detail::Steps(shown.clone()),
        PlanView { detail: true, .. } => Detail::All,
        _ => Detail::Short,
    }
}

/// Says of a step that was asked for why it is not in the plan.
fn unplanned(cx: &Context<'_>, step: &str, plan: &Plan) -> Result<(), Failure> {
    let is_it = |id: &String| crate::engine::matches(step, id);
    if plan.nodes.iter().any(|n| is_it(&n.step)) {
        return Ok(());
    }
    if plan.unchanged.iter().any(is_it) {
        return Ok(cx.console.text(&format!("{step}: unchanged\n"))?);
    }
    let known = plan.nodes.iter().map(|n| n.step.as_str());
    let known = known.chain(plan.unchanged.iter().map(String::as_str));
    Err(
        Failure::usage(format!("no step `{step}` is in the plan")).hint(nearest(
            step,
            known,
            "`deployer graph` shows all",
        )),
    )
}

/// The exit code of a plan that is only shown.
pub fn verdict(plan: &Plan) -> Exit {
    if !plan.problems.is_empty() || plan.nodes.iter().any(|n| n.refused.is_some()) {
        stopped(plan)
    } else if plan.nodes.is_empty() && plan.forget.is_empty() {
        Exit::Done
    } else {
        Exit::Differs
    }
}

/// The exit code of a plan that problems keep from being run.
pub fn stopped(plan: &Plan) -> Exit {
    if plan.needs_choice_alone() {
        Exit::Usage
    } else if plan.is_refused() {
        Exit::Refused
    } else {
        Exit::Failed
    }
}

/// Says in one line where errors go what keeps a plan from being run: its text stands on standard output.
pub fn complain(cx: &Context<'_>, plan: &Plan) -> Result<(), Failure> {
    let mut all = plan.errors();
    let Some((step, error)) = all.next() else {
        return Ok(());
    };
    let more = match all.count() {
        0 => String::new(),
        n => format!("; and {n} more"),
    };
    Ok(cx.console.stopped(&format!("{step}: {error}{more}"))?)
}

/// What `apply` and its like show of a plan before they ask.
pub fn show(cx: &Context<'_>, session: &Session, plan: &Plan) -> Result<(), Failure> {
    let cost = cost::difference(session, plan)?;
    show_with(cx, session, plan, &cost, &Detail::Short)
}

/// Where it goes, preflight, plan, and where it goes once more: the first line may have scrolled away.
pub fn show_with(
    cx: &Context<'_>,
    session: &Session,
    plan: &Plan,
    cost: &Difference,
    detail: &Detail,
) -> Result<(), Failure> {
    let paint = cx.console.paint();
    let place = format!("{}\n", paint.bold(&session.place()));
    cx.console.text(&place)?;
    cx.console
        .text(&report::preflight(&session.preflight.checks, paint))?;
    let text = report::plan(plan, detail, paint);
    if verdict(plan) == Exit::Done {
        cx.console.text(&text)?;
    } else {
        cx.console.say(&text)?;
    }
    cx.console.text(&report::difference(cost, paint))?;
    cx.console.text(&place)?;
    Ok(())
}

/// A first run, or a state that was lost: what an earlier blueprint made is not to be forgotten. With `all`, what the blueprint asks
/// for is read beside the listing, and answered. The second answer is what could not be read of what was listed.
async fn survey(session: &Session, state: &mut State, all: bool) -> (Observations, Observations) {
    let (seen, listed) = if !state.steps.is_empty() {
        (Observations::new(), session.owned_unsearched(state).await)
    } else if all {
        let requests = session.requests(state, |_, _| false);
        session.survey(&requests).await
    } else {
        (Observations::new(), session.owned().await)
    };
    let unread = session.recover_to_make(state, &listed).await;
    (seen, unread)
}

/// Makes the plan of what was asked for.
pub async fn make_plan(
    session: &mut Session,
    state: &mut State,
    asked: &Asked,
) -> Result<(Plan, Observations), Failure> {
    if let (Some(name), Some(scope)) = (elsewhere(session, &asked.steps), &session.scope) {
        let text = format!("--step {name} is not in {scope}");
        return Err(Failure::usage(text).hint("leave --env out"));
    }
    take_back(&session.graph, state, &session.context.registry);
    let (surveyed, unread) = survey(session, state, asked.steps.is_empty()).await;
    set_apart(&session.graph, state, &session.context.registry);
    if !asked.steps.is_empty() {
        let chosen = plan::partial(&session.graph, &session.chosen, state, &asked.steps);
        session.chosen = chosen.map_err(|name| {
            let known = session.graph.steps.iter().map(|s| s.id.as_str());
            Failure::usage(format!("--step {name}: there is no such step")).hint(nearest(
                &name,
                known,
                "`deployer graph` shows all",
            ))
        })?;
    }
    let ids = || session.graph.steps.iter().map(|s| s.id.as_str());
    let mut named = asked.allowed.steps();
    if let Some(name) = named.find(|name| !ids().any(|id| crate::engine::matches(name, id))) {
        return Err(Failure::usage(format!(
            "--restore, --make-empty: there is no step `{name}`"
        ))
        .hint(nearest(name, ids(), "`deployer graph` shows all")));
    }
    let meant = |id: &str| {
        asked.steps.is_empty() || asked.steps.iter().any(|s| crate::engine::matches(s, id))
    };
    let also = |id: &str, record: &Record| {
        // What a run of this scope replaces of what both share, it removes too.
        let replaced = plan::is_replaced_of(&session.graph, &session.chosen, id);
        (session.in_scope(record) || replaced) && meant(id)
    };
    let mut seen = session.refresh(state, surveyed, also).await;
    add_unread(&mut seen, unread);
    check_credentials(&seen, &[])?;
    let is_recorded = |step: &str| state.steps.contains_key(step);
    let begun = is_begun(&state.facts);
    let graph = with_first_weights(&session.graph, &session.chosen, &seen, is_recorded, begun);
    let options = Options {
        ignore_tags: and_of_others(&session.config.tags.ignore),
        scope: session.scope.clone(),
        only: asked.steps.clone(),
        users: Users::new(),
        major_upgrade: asked.allowed.major_upgrade,
        now: asked.at,
    };
    let registry = &session.context.registry;
    let chosen = &session.chosen;
    let mut plan = plan::build_asking(&graph, chosen, state, &seen, registry, options).await;
    let counts = plan::count(&plan, registry).await;
    let rules = DataRules {
        choice: asked.choice,
        protect: session.config.protect,
    };
    plan::guard(&mut plan, &counts, registry, rules, asked.at);
    let vanished = plan::vanished(&plan, state, registry).await;
    plan::restore(&mut plan, vanished, &asked.allowed);
    let needless = plan::needless(&plan, &graph, registry, &asked.allowed);
    plan.notes.extend(needless);
    plan.notes.extend(raised(&plan.nodes, &seen));
    plan.problems.extend(too_early(&session.graph, &seen));
    Ok((plan, seen))
}

/// The first named step that the blueprint has and that is not among the chosen ones. A pattern means what there is of it.
fn elsewhere<'a>(session: &Session, steps: &'a [String]) -> Option<&'a String> {
    let outside = |name: &&String| {
        let at = session.graph.position(name);
        at.is_some_and(|at| !session.chosen[at])
    };
    steps.iter().find(outside)
}

/// Customers ask for the domain that is there: it is given up when the other one can be used.
fn too_early(graph: &Graph, seen: &Observations) -> Option<Problem> {
    let (is, wanted) = moves_too_early(graph, seen)?;
    let text = format!("{wanted} is not delegated yet, and customers ask for {is}");
    let hint = format!(
        "leave `routing.domain` as it is, make a public hosted zone for {wanted} in Route 53 by hand and delegate it; then set `routing.domain` with `routing.create_zone = false`"
    );
    Some(Problem {
        step: record_steps().1[0].clone(),
        error: Error::permanent("routing.domain", text).hint(hint),
    })
}
