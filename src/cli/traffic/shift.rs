//! `deployer traffic shift`, and how it and `resume` end.

use super::super::Context;
use super::super::connection::state_folder;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::run::{answer, can_ask, cancelled, command_line};
use super::super::session::configuration;
use super::args::{OnInterrupt, ShiftArgs};
use super::beside::listen;
use super::checks::{check, planned, ready, refused_by};
use super::minimum::hold;
use super::open::{account, me};
use super::shared::carried;
use crate::config::Config;
use crate::report::{DeploymentRef, First, Notice, TrafficForecastDocument, TrafficShiftDocument};
use crate::state::{Lock, StateError};
use crate::traffic::account::Account;
use crate::traffic::bridge::Bridge;
use crate::traffic::graph::Graph;
use crate::traffic::history::{Entry, Event};
use crate::traffic::mode;
use crate::traffic::note::Note;
use crate::traffic::outside;
use crate::traffic::plan::{self, Plan};
use crate::traffic::rollback::turn_back;
use crate::traffic::shift::{End, Progress, Shift};
use crate::traffic::world::{Standing, World};

/// Seconds that a step waits for approval, and a paused shift to go on.
const APPROVAL_TIMEOUT: i64 = 24 * 3600;

/// Shows the steps, and how long each needs.
pub async fn forecast(cx: &Context<'_>, asked: &ShiftArgs) -> Result<Exit, Failure> {
    let steps =
        plan::steps(&asked.steps).map_err(|why| Failure::usage(format!("--steps: {why}")))?;
    let config = configuration(cx)?;
    let mode = mode(&config).map_err(refused_by)?;
    let (_, mut account) = account(cx, true, mode).await?;
    account.open_eyes().await.map_err(refused_by)?;
    let standing = account.standing().await?;
    check(&standing, &steps)?;
    let plan = planned(&account, asked, steps, &standing).await?;
    let text =
        plan::text(&plan) + "Whether the data is safe in a split is asked when the shift begins.\n";
    let document = TrafficForecastDocument {
        forecast: plan.forecast().into_iter().map(|(_, time)| time).collect(),
        plan,
    };
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}

/// Begins a shift.
pub async fn shift(
    cx: &Context<'_>,
    asked: &ShiftArgs,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let steps =
        plan::steps(&asked.steps).map_err(|why| Failure::usage(format!("--steps: {why}")))?;
    can_ask(asked.yes)?;
    let config = configuration(cx)?;
    let mode = mode(&config).map_err(refused_by)?;
    let _lock = lock(cx, &config)?;
    let (config, mut account) = account(cx, false, mode).await?;
    notice.home = home(&config);
    account.log.read()?;
    account.open_eyes().await.map_err(refused_by)?;
    let standing = account.standing().await?;
    let note = check(&standing, &steps)?;
    account.begin_probes().await;
    let plan = planned(&account, asked, steps, &standing).await?;
    ready(&account).await?;
    cx.console.text(&plan::text(&plan))?;
    confirm(cx, asked.yes, &config, &account).await?;
    let mut first = Entry::new(
        Event::ShiftStarted,
        &note,
        &me(),
        format!("steps {}", asked.steps),
    );
    first.run.clone_from(&plan.run);
    first.command = command_line();
    first.before = Some(standing.live);
    first.plan = Some(plan.clone());
    account.record(first)?;
    let course = Course {
        plan,
        note,
        from: Progress::default(),
        on_interrupt: asked.on_interrupt,
    };
    go(cx, &config, account, course, notice).await
}

/// What a shift has to do from here on.
pub(super) struct Course {
    pub(super) plan: Plan,
    /// The note beside the weights, as it is now.
    pub(super) note: Note,
    pub(super) from: Progress,
    pub(super) on_interrupt: OnInterrupt,
}

/// Shifts, and says how that ended.
pub(super) async fn go(
    cx: &Context<'_>,
    config: &Config,
    mut account: Account,
    course: Course,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let Course {
        plan,
        note,
        from,
        on_interrupt,
    } = course;
    let by = me();
    let (lines, last) = listen(&mut account);
    account.graph = Some(Graph::new(&config.suffix));
    let account = &account;
    let home = home(config);
    let shift = async {
        let shift = Shift::new(account, &plan, &by, note, APPROVAL_TIMEOUT);
        let ended = held(account, shift, from).await;
        last.end();
        ended
    };
    let (end, ()) = tokio::join!(shift, lines.follow(cx, config, &home));
    let end = end?;
    let next = |command: &str| Some(cx.command_line(command, None, config));
    let (exit, text, next) = match &end {
        End::Done => (
            Exit::Done,
            "Green has its last weight, and its step has passed.".to_owned(),
            None,
        ),
        End::RolledBack(why) => (
            Exit::GateFailed,
            format!(
                "All traffic went back to blue: {why}{}",
                seen_from_outside(account).await
            ),
            next("traffic history"),
        ),
        End::Preempted(what) => (
            Exit::Preempted,
            format!("The shift ended: {what}"),
            next("traffic status"),
        ),
        End::Held(why) => (
            Exit::Held,
            format!("The weights stay: {why}"),
            next("traffic resume"),
        ),
        End::Refused(why) => (
            Exit::Refused,
            format!("Not raised: {why}"),
            next("traffic resume"),
        ),
        End::Unjudged(why) => {
            let live = account.standing().await.map(|standing| standing.live);
            let weights = live.map_or("unknown".to_owned(), |live| live.to_string());
            (
                Exit::Refused,
                format!(
                    "The weights stay ({weights}), and nobody judges green now but the alarms in AWS: {why}"
                ),
                next("traffic rollback"),
            )
        }
        End::Interrupted(live) if on_interrupt == OnInterrupt::Rollback => {
            turn_back(account, &by, "interrupted").await?;
            (
                Exit::Interrupted,
                format!("Interrupted: all traffic went back to blue, from {live}"),
                next("traffic status"),
            )
        }
        End::Interrupted(live) => (
            Exit::Interrupted,
            format!(
                "Interrupted. The weights stay as they are ({live}), and nobody judges them now but the alarms in AWS"
            ),
            next("traffic resume"),
        ),
    };
    notice.outcome = "changed";
    if exit != Exit::Done {
        notice.first = Some(First {
            step: None,
            message: text.clone(),
            hint: None,
        });
        notice.next.clone_from(&next);
    }
    let live = account.standing().await.map(|s| s.live).ok();
    let document = TrafficShiftDocument {
        run: plan.run.clone(),
        exit_code: exit.code(),
        text: text.clone(),
        weights: live,
        steps: plan.steps.clone(),
        next: next.clone(),
    };
    let hint = next.map_or_else(String::new, |next| format!("\n  next: {next}"));
    cx.console.answer(&format!("{text}{hint}\n"), &document)?;
    carried(cx, config, &account.log).await;
    Ok(exit)
}

/// The shift, once both sides have the tasks that it needs. Everybody sees it before: whoever gives the traffic back meanwhile
/// ends it.
async fn held(
    account: &Account,
    mut shift: Shift<'_, Account>,
    from: Progress,
) -> Result<End, Failure> {
    if let Some(end) = shift.begin().await? {
        return Ok(end);
    }
    hold(account, shift.note()).await.map_err(|mut failure| {
        let hint = failure.hint.take().unwrap_or_default();
        failure.hint(format!(
            "{hint}; `deployer traffic resume` goes on with the shift, `deployer traffic rollback` ends it"
        ))
    })?;
    Ok(shift.run(from).await?)
}

/// Whether the rollback is over, in lines of their own.
async fn seen_from_outside(account: &Account) -> String {
    let standing = account.standing().await.ok();
    let Some(note) = standing.as_ref().and_then(Standing::readable) else {
        return String::new();
    };
    let [_, green] = &account.names.sides;
    let bridge = if green.bridge.is_some() {
        Bridge::On
    } else {
        Bridge::None
    };
    let over = outside::over(account, note, bridge, false).await;
    format!("\nSeen from outside:\n{}", over.text().trim_end())
}

pub(super) fn home(config: &Config) -> DeploymentRef {
    DeploymentRef {
        suffix: config.suffix.clone(),
        account: config.account.clone(),
        region: config.region.clone(),
        scope: None,
    }
}

/// One command at a time moves the traffic of a deployment from this machine.
pub fn lock(cx: &Context<'_>, config: &Config) -> Result<Lock, Failure> {
    let path = state_folder(cx.common).join(format!("{}.traffic.lock", config.suffix));
    Lock::take(&path, &command_line()).map_err(|error| match error {
        StateError::Locked(holder) => Failure::new(
            Exit::Locked,
            format!("a shift is going on: {holder}"),
        )
        .hint("`deployer traffic status` shows how it stands; `deployer traffic rollback` ends it"),
        other => other.into(),
    })
}

async fn confirm(
    cx: &Context<'_>,
    yes: bool,
    config: &Config,
    account: &Account,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    cx.console.note(&format!(
        "Shift customers of {} (suffix {}, region {})? Only 'yes' will be accepted:",
        account.place().await?.domain,
        config.suffix,
        config.region
    ))?;
    if answer().await? == "yes" {
        Ok(())
    } else {
        Err(cancelled())
    }
}
