//! `deployer traffic resume`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::run::command_line;
use super::super::session::configuration;
use super::args::OnInterrupt;
use super::checks::{as_noted, ready, refused_by};
use super::notes;
use super::open::{account, me, refused};
use super::shared::{self, carried};
use super::shift::{Course, go, home, lock};
use crate::config::Config;
use crate::report::{First, Notice, TrafficShiftDocument};
use crate::traffic::account::Account;
use crate::traffic::history::{Entry, Event, History};
use crate::traffic::mode;
use crate::traffic::note::{Act, Note};
use crate::traffic::plan::Plan;
use crate::traffic::rollback::{kept, turn_back};
use crate::traffic::shift::progress;
use crate::traffic::world::World;

/// Goes on with a shift.
pub async fn resume(
    cx: &Context<'_>,
    (on_interrupt, take_over): (OnInterrupt, bool),
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let config = configuration(cx)?;
    let mode = mode(&config).map_err(refused_by)?;
    let lock = lock(cx, &config);
    let (config, mut account) = account(cx, false, mode).await?;
    notice.home = home(&config);
    let _lock = match lock {
        Ok(lock) => lock,
        // Its own process is at work: it may wait because of a pause.
        Err(failure) if failure.exit == Exit::Locked => {
            let note = notes::write(&account, Act::Resume, |_| {}).await?;
            let text = "the shift goes on in its own process".to_owned();
            let document = crate::report::TrafficNoteDocument {
                text: text.clone(),
                note,
            };
            cx.console.answer(&format!("{text}\n"), &document)?;
            return Ok(Exit::Done);
        }
        Err(failure) => return Err(failure),
    };
    let history = shared::history(cx, &config, &account.log).await?;
    let standing = account.standing().await?;
    as_noted(&standing)?;
    let mut note = standing.readable().cloned().unwrap_or(Note::FIRST);
    let mut plans = history.lines.iter().rev();
    let begun = plans.find_map(|line| Some((line.entry.plan.clone()?, line.entry.epoch)));
    let is_open = |plan: &Plan| {
        let mine = history
            .lines
            .iter()
            .rev()
            .find(|line| line.entry.run == plan.run);
        let ended = [
            Event::ShiftDone,
            Event::RollbackDone,
            Event::LeverAcked,
            Event::Stragglers,
            Event::RollbackStarted,
            Event::Preempted,
        ];
        mine.is_some_and(|line| !ended.contains(&line.entry.event))
    };
    // It ended before its first note: it begins, unless somebody has moved the traffic since.
    let is_new = !note.in_progress();
    let Some((plan, _)) = begun.filter(|(plan, epoch)| match is_new {
        false => note.run == plan.run,
        true => is_open(plan) && note.epoch == *epoch && !note.green_writes,
    }) else {
        return Err(if note.in_progress() {
            refused(
                format!(
                    "{} began the shift that is going on, and the history on this machine does not know it",
                    note.by
                ),
                "resume it where it was begun, or end it with `deployer traffic rollback`",
            )
        } else {
            refused(
                "no shift is going on",
                "`deployer traffic shift` begins one",
            )
        });
    };
    if let Some(other) = elsewhere(&history, &plan.run, &me()).filter(|_| !take_over) {
        return Err(refused(
            format!("the shift runs, or ran, on another machine: {other}"),
            "resume it there; or, when its process has ended for sure, here with `deployer traffic resume --take-over`",
        ));
    }
    account.mode = plan.mode;
    account.open_eyes().await.map_err(refused_by)?;
    let last = history.lines.last().map(|line| line.at);
    if standing.live.green.unwrap_or_default() > 0
        && let Some(what) = account.guarded(last).await?
    {
        return guard_acted(cx, &config, &account, &plan, &note, &what, notice).await;
    }
    account.begin_probes().await;
    // Another machine may not reach green's addresses.
    let plan = Plan {
        probes: account.prober.is_some(),
        ..plan
    };
    if is_new {
        ready(&account).await?;
    }
    if note.paused {
        note = notes::write(&account, Act::Resume, |_| {}).await?;
    }
    let from = progress(&plan, &history);
    let mut entry = Entry::new(
        Event::Resumed,
        &note,
        &me(),
        format!("goes on at step {}", from.at + 1),
    );
    entry.run.clone_from(&plan.run);
    entry.command = command_line();
    account.record(entry)?;
    let course = Course {
        plan,
        note,
        from,
        on_interrupt,
    };
    go(cx, &config, account, course, notice).await
}

/// Who was at work on a shift last, when that was on another machine: its lock is there.
pub fn elsewhere(history: &History, run: &str, me: &str) -> Option<String> {
    let host = |by: &str| by.rsplit('@').next().unwrap_or_default().to_owned();
    let begins = [Event::ShiftStarted, Event::Resumed];
    let mut lines = history.lines.iter().rev();
    let last = lines.find(|l| l.entry.run == run && begins.contains(&l.entry.event))?;
    (host(&last.entry.by) != host(me)).then(|| last.entry.by.clone())
}

/// What a guard in AWS did while no process ran becomes a rollback: with weights above 0 Route 53 would give customers back to
/// green by itself as soon as it has data that look well.
async fn guard_acted(
    cx: &Context<'_>,
    config: &Config,
    account: &Account,
    plan: &Plan,
    note: &Note,
    what: &str,
    notice: &mut Notice,
) -> Result<Exit, Failure> {
    let by = me();
    let text = format!("while no process ran, {what}");
    let mut entry = Entry::new(Event::GuardActed, note, &by, &text);
    entry.run.clone_from(&plan.run);
    entry.command = command_line();
    kept(account, entry);
    turn_back(account, &by, &text).await?;
    let text = format!("All traffic went back to blue: {text}");
    let next = cx.command_line("traffic history", None, config);
    notice.outcome = "changed";
    notice.first = Some(First {
        step: None,
        message: text.clone(),
        hint: None,
    });
    notice.next = Some(next.clone());
    let document = TrafficShiftDocument {
        run: plan.run.clone(),
        exit_code: Exit::GateFailed.code(),
        text: text.clone(),
        weights: account.standing().await.map(|s| s.live).ok(),
        steps: plan.steps.clone(),
        next: Some(next.clone()),
    };
    cx.console
        .answer(&format!("{text}\n  next: {next}\n"), &document)?;
    carried(cx, config, &account.log).await;
    Ok(Exit::GateFailed)
}
