//! `deployer traffic status`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::signals::stop_on_signals;
use super::open::account;
use super::resume::elsewhere;
use crate::engine::Error;
use crate::report::{Traffic, TrafficStatusDocument};
use crate::state;
use crate::traffic::account::{Account, green_targets, recent};
use crate::traffic::bridge::{self, Bridge, Env};
use crate::traffic::callers::{self, Callers};
use crate::traffic::gate::{Kind, Totals};
use crate::traffic::levers::Pulled;
use crate::traffic::minimum;
use crate::traffic::note::Act;
use crate::traffic::readiness;
use crate::traffic::world::{Standing, World};
use std::time::Duration;

/// Minutes of requests that are shown: the newest are not published yet.
const MINUTES: i64 = 10;
/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(5);

/// Shows where the traffic is.
pub async fn status(cx: &Context<'_>, watch: bool) -> Result<Exit, Failure> {
    let mode = crate::traffic::mode(&super::configuration(cx)?);
    let declared = mode.as_ref().ok().copied();
    let fallback = crate::traffic::gate::DataMode::TwoWay;
    let (config, mut account) = account(cx, true, declared.unwrap_or(fallback)).await?;
    // Where a side is not there, the weights are shown all the same.
    let eyes = account.open_eyes().await.err().map(|e| e.to_string());
    let mut stop = if watch { Some(stop_on_signals()) } else { None };
    loop {
        let mut document = read(&account, &config.suffix).await?;
        document.locked_by = locked(cx, &config.suffix);
        document.problems.extend(unwatched(&account, &document));
        document.problems.extend(eyes.clone());
        if declared.is_none() && document.weights.green_percent() > 0.0 {
            document.problems.push("the mapping declares no mode of a split: what green takes would be lost with a rollback, so this is not for customers yet".into());
        }
        let exit = if document.problems.is_empty() {
            Exit::Done
        } else {
            Exit::Differs
        };
        document.exit_code = exit.code();
        cx.console.answer(&Traffic::status(&document), &document)?;
        let Some(stop) = stop.as_mut() else {
            return Ok(exit);
        };
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = stop.changed() => return Ok(exit),
        }
        cx.console.text("\n")?;
    }
}

/// A shift of this machine that nobody watches any more, and a history that cannot be read.
fn unwatched(account: &Account, document: &TrafficStatusDocument) -> Option<String> {
    let history = match account.log.read() {
        Ok(history) => history,
        Err(error) => return Some(error.to_string()),
    };
    let note = document.note.as_ref().filter(|note| note.in_progress())?;
    let here = elsewhere(&history, &note.run, &account.by).is_none();
    let known = history.lines.iter().any(|l| l.entry.run == note.run);
    (document.locked_by.is_none() && here && known).then(|| {
        "a shift is going on, and its process has ended: nobody judges green; `deployer traffic resume` goes on, `deployer traffic rollback` ends it".to_owned()
    })
}

/// Who shifts on this machine now.
pub(super) fn locked(cx: &Context<'_>, suffix: &str) -> Option<String> {
    let path = super::state_folder(cx.common).join(format!("{suffix}.traffic.lock"));
    state::holder(&path).map(|holder| holder.to_string())
}

async fn read(account: &Account, suffix: &str) -> Result<TrafficStatusDocument, Failure> {
    let standing = account.standing().await?;
    let (requests, targets, held, levers, callers) = tokio::join!(
        recent(account, MINUTES),
        green_targets(account),
        minimum::held(&account.aws, &account.names),
        levers(account),
        still(account, &standing)
    );
    let mut problems = problems(&standing);
    let held = held.unwrap_or_else(|error| {
        problems.push(error.to_string());
        Vec::new()
    });
    if standing.live.green.unwrap_or_default() > 0 {
        let since = standing.readable().and_then(|note| note.at);
        match account.guarded(since).await {
            Ok(Some(what)) => problems.push(format!(
                "{what}, and the weights do not say so: `deployer traffic resume` or `rollback` makes it a recorded rollback"
            )),
            Ok(None) => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
    let due = standing.readable().and_then(minimum::due);
    if !held.is_empty() && due.is_some_and(|at| at <= account.now()) {
        problems.push(
            "the rollback is older than a day, and both sides still hold the tasks and the capacity of full traffic: `deployer traffic release` gives them back"
                .into(),
        );
    }
    let levers = levers.unwrap_or_else(|error| {
        problems.push(error.to_string());
        Vec::new()
    });
    let callers = callers.unwrap_or_else(|error| {
        problems.push(format!("who still calls green is not known: {error}"));
        None
    });
    let (mut blue, mut green) = (Totals::default(), Totals::default());
    match requests {
        Ok(minutes) => {
            for (_, pair) in minutes {
                blue.add(pair.blue.of_kind(Kind::Bad).unwrap_or_default());
                green.add(pair.green.of_kind(Kind::Bad).unwrap_or_default());
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    Ok(TrafficStatusDocument {
        suffix: suffix.to_owned(),
        domain: account.place().await?.domain.clone(),
        weights: standing.live,
        note: standing.readable().cloned(),
        minutes: MINUTES,
        blue,
        green,
        targets,
        levers,
        callers,
        held,
        locked_by: None,
        problems,
        exit_code: 0,
    })
}

/// Who still calls green, after a rollback.
async fn still(account: &Account, standing: &Standing) -> Result<Option<Callers>, Error> {
    let note = standing.readable();
    match note.and_then(|note| callers::since(note, account.now())) {
        Some(since) => callers::callers(account, since).await.map(Some),
        None => Ok(None),
    }
}

/// What somebody has switched at the load balancers.
async fn levers(account: &Account) -> Result<Vec<String>, Error> {
    let [blue, green] = &account.names.sides;
    let (forth, back, unready) = tokio::try_join!(
        bridge::pulled(&account.aws, blue),
        bridge::pulled(&account.aws, green),
        readiness::pulled(&account.aws, green)
    )?;
    let who = |pulled: Option<Pulled>| pulled.map_or_else(|| "somebody".into(), |p| p.to_string());
    let bridge =
        |env: Env, pulled| format!("{}, switched by {}", Bridge::On.text(env), who(pulled));
    let unready = unready.map(|pulled| {
        format!(
            "green says 503 to Route 53's health checks, switched by {}; the next shift, or `deployer traffic rollback`, sets it back",
            who(pulled)
        )
    });
    let forth = forth.map(|pulled| bridge(Env::Blue, pulled));
    let back = back.map(|pulled| bridge(Env::Green, pulled));
    let all = [forth, back, unready];
    Ok(all.into_iter().flatten().collect())
}

/// What is not as it should be.
fn problems(standing: &Standing) -> Vec<String> {
    let mut all = Vec::new();
    let live = standing.live;
    let foreign = standing.foreign.iter();
    all.extend(
        foreign
            .map(|other| format!("{other} answers for the same name and is not this deployment's")),
    );
    match &standing.note {
        None => all.push(
            "the record of the traffic command is not there: `deployer apply` makes it".into(),
        ),
        Some(Err(why)) => all.push(format!(
            "the record of the traffic command is damaged: {why}; `deployer traffic rollback` gives everything to blue and writes it anew"
        )),
        Some(Ok(note)) if !note.explains(live) => all.push(format!(
            "the weights are {live}, which no traffic command has set: `deployer traffic rollback` gives everything to blue"
        )),
        Some(Ok(note))
            if note.act == Act::None
                && live.blue.unwrap_or(0) > 0
                && live.green.unwrap_or(0) > 0 =>
        {
            all.push("these are the first weights, of `apply`: no gate watches them".into());
        }
        Some(Ok(_)) => {}
    }
    if live.blue.unwrap_or(0) + live.green.unwrap_or(0) == 0 {
        all.push("no weight is above 0: Route 53 gives both sides the same share then".into());
    }
    all
}
