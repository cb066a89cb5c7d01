//! The fewest tasks and the least capacity of both sides, which a shift holds up, and `deployer traffic release`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::checks::{healthy, refused_by};
use super::open::{account, me, refused, time};
use crate::aws::Aws;
use crate::config::Config;
use crate::report::{Notice, TrafficReleaseDocument};
use crate::traffic::account::Account;
use crate::traffic::gate::DataMode;
use crate::traffic::history::{Entry, Event, Log};
use crate::traffic::minimum::{self, Held};
use crate::traffic::names::Names;
use crate::traffic::note::Note;
use crate::traffic::rollback::kept;
use crate::traffic::world::World;

/// Seconds in which tasks come to run, and between two looks.
const START_SECONDS: u32 = 600;
const INTERVAL_SECONDS: u32 = 5;

/// Raises them to what the whole traffic needs, and waits until so many tasks run.
pub async fn hold(account: &Account, note: &Note) -> Result<(), Failure> {
    let (aws, names) = (&account.aws, &account.names);
    let raised = minimum::raise(aws, names, account.now().as_second()).await;
    let raised = raised.map_err(refused_by)?;
    if let Some(why) = &raised.unknown {
        account.show(&format!("warning: the least capacity of the databases stays as it is, since nobody knows what blue needs: {why}"));
    }
    if raised.now.is_empty() {
        return Ok(());
    }
    let text = minimum::text(&raised.now);
    kept(account, Entry::new(Event::MinimumHeld, note, &me(), text));
    for _ in 0..START_SECONDS / INTERVAL_SECONDS {
        let run = minimum::runs(aws, names).await.map_err(refused_by)?;
        // A task runs before its target group says that it is healthy, and a raise asks for that.
        if account.stopping() || run && healthy(account).await.is_ok() {
            return Ok(());
        }
        account.sleep(INTERVAL_SECONDS).await;
    }
    Err(refused(
        format!("not all tasks that full traffic needs run after {START_SECONDS} s"),
        "look at the events of the services in ECS; then run the same command again",
    ))
}

/// Gives them back, and says so in the history of this machine.
pub async fn give_back(
    cx: &Context<'_>,
    aws: &Aws,
    names: &Names,
    log: &Log,
    note: &Note,
) -> Result<Vec<Held>, Failure> {
    let given = minimum::give_back(aws, names).await?;
    if !given.is_empty() {
        let text = minimum::text(&given);
        let entry = Entry::new(Event::MinimumGivenBack, note, &me(), text);
        // They are given back: that nobody can read of it later is no failure.
        if let Err(error) = log.add(entry, time(cx)?.now()) {
            cx.console
                .warning(&format!("not in the history: {error}"))?;
        }
    }
    Ok(given)
}

/// Gives them back when a rollback is a day old.
pub async fn give_back_when_due(
    cx: &Context<'_>,
    aws: &Aws,
    config: &Config,
    log: &Log,
    note: Option<&Note>,
) -> Result<Vec<Held>, Failure> {
    let now = time(cx)?.now();
    match note {
        Some(note) if minimum::due(note).is_some_and(|at| at <= now) => {
            give_back(cx, aws, &Names::of(config)?, log, note).await
        }
        _ => Ok(Vec::new()),
    }
}

/// `deployer traffic release`.
pub async fn release(cx: &Context<'_>, early: bool, notice: &mut Notice) -> Result<Exit, Failure> {
    let (config, account) = account(cx, false, DataMode::TwoWay).await?;
    let standing = account.standing().await?;
    let note = standing.readable().cloned().unwrap_or(Note::FIRST);
    let green = standing.live.green.unwrap_or_default();
    if note.in_progress() {
        return Err(refused(
            "a shift is going on, and needs them",
            "`deployer traffic rollback` ends it",
        ));
    }
    if green > 0 && minimum::due(&note).is_none() && !early {
        return Err(refused(
            format!(
                "green has customers ({}), and without them auto scaling shrinks the way back",
                standing.live
            ),
            "`deployer migrate cutover --finish` gives them back; `--now` does it all the same",
        ));
    }
    if let Some(at) = minimum::due(&note).filter(|at| *at > account.now() && !early) {
        return Err(refused(
            format!("the rollback is younger than a day; they are given back from {at} on"),
            "`--now` does it at once",
        ));
    }
    let given = give_back(cx, &account.aws, &account.names, &account.log, &note).await?;
    let text = match given.as_slice() {
        [] => "no minimum is held\n".to_owned(),
        some => format!("given back: {}\n", minimum::text(some)),
    };
    if !given.is_empty() {
        notice.outcome = "changed";
    }
    let document = TrafficReleaseDocument {
        suffix: config.suffix,
        given_back: given,
    };
    cx.console.answer(&text, &document)?;
    Ok(Exit::Done)
}
