//! `deployer migrate cutover`.

use super::super::Context;
use super::super::args::Scope;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::notify;
use super::super::run::{answer, can_ask, cancelled};
use super::super::traffic::{
    account, carried, give_back, healthy, hold, lock, me, refused_by, rollback,
};
use super::args::CutoverArgs;
use super::{Open, confirm, done, open, refused};
use crate::config::Config;
use crate::engine::Class;
use crate::migration::answers::{action, ask, ask_patiently, text};
use crate::migration::{Names, switches, turn};
use crate::report::{First, Migration, MigrationDocument, Notice};
use crate::traffic;
use crate::traffic::cutover::{Done, go as give, ready};
use crate::traffic::gate::DataMode;
use crate::traffic::note::Note;
use crate::traffic::records::Place;
use crate::traffic::world::World;
use serde_json::{Value, json};

/// Why blue gets everything back, for the history.
const REVERSE: &str = "migrate cutover --reverse";

/// One part of it.
pub async fn run(cx: &Context<'_>, asked: &CutoverArgs) -> Result<Exit, Failure> {
    let everything = Scope { env: None };
    let part = &asked.part;
    if part.prepare {
        return prepare(cx, &asked.accept, asked.yes).await;
    }
    if part.reverse {
        let back = async |notice: &mut _| rollback(cx, REVERSE, false, notice).await;
        return notify::notified(cx, REVERSE, &everything, back).await;
    }
    if part.finish {
        let finish = async |notice: &mut _| finish(cx, asked.yes, notice).await;
        return notify::notified(cx, "migrate cutover --finish", &everything, finish).await;
    }
    let go = async |notice: &mut _| go(cx, asked.yes, notice).await;
    notify::notified(cx, "migrate cutover --go", &everything, go).await
}

/// The way back: both streams are proven, and the functions that bring data to blue are switched on.
async fn prepare(cx: &Context<'_>, accept: &[String], yes: bool) -> Result<Exit, Failure> {
    can_ask(yes)?;
    let open = open(cx).await?;
    let planned = ask(&open.aws, &open.names.control, &action("plan")).await;
    let planned = planned.map_err(refused)?;
    let lost: Vec<&str> = planned["irreversible"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c.as_str())
        .collect();
    let missing: Vec<&str> = lost
        .iter()
        .copied()
        .filter(|c| !accept.iter().any(|a| a == c))
        .collect();
    if !missing.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "these columns of blue can't come back from green: {}",
                missing.join(", ")
            ),
        )
        .hint(format!("accept each by name: --accept {}", lost.join(","))));
    }
    confirm(
        cx,
        yes,
        &open,
        "Begin the stream from green to blue, with fences as the mode of the mapping says",
    )
    .await?;
    let (_, account) = account(cx, false, DataMode::TwoWay).await?;
    let standing = account.standing().await?;
    hold(&account, standing.readable().unwrap_or(&Note::FIRST)).await?;
    account.expect_calls().await?;
    let event = json!({"action": "prepare", "accept": accept});
    let prepared = ask(&open.aws, &open.names.control, &event).await?;
    let mut document = MigrationDocument::new("cutover --prepare", &open.config.suffix);
    document.changed = turn(&open.aws, &open.names, true, true).await?;
    document.control = Some(prepared);
    document.switches = switches(&open.aws, &open.names).await?;
    document.next = Some(cx.command_line("migrate verify", None, &open.config));
    done(cx, &document)
}

/// Green takes the writes and all traffic.
async fn go(cx: &Context<'_>, yes: bool, notice: &mut Notice) -> Result<Exit, Failure> {
    can_ask(yes)?;
    let mode = crate::traffic::mode(&super::super::session::configuration(cx)?);
    let (config, mut account) = account(cx, false, mode.unwrap_or(DataMode::TwoWay)).await?;
    if config.migration.mapping.is_read_only() {
        let text = "the mapping's mode is read-only: green's load balancer sends writes to blue, and its transaction-processor has no task";
        return Err(Failure::new(Exit::Refused, text).hint(
            "set `\"mode\": \"two-way\"` in the mapping, or remove `mode`, and run `deployer apply`; then `--prepare` and `--go`",
        ));
    }
    let _lock = lock(cx, &config)?;
    account.log.read()?;
    account.open_eyes().await.map_err(refused_by)?;
    let names = Names::of(&config)?;
    let standing = account.standing().await?;
    // A run that was killed goes on: what was proven then is what `control` has decided on.
    if !ready(&standing).map_err(refused_by)?.green_writes {
        healthy(&account).await?;
        let verified = ask_patiently(&account.aws, &names.verify, &json!({})).await;
        let verified = verified.map_err(refused)?;
        if verified["ok"] != true {
            return Err(unequal(&verified));
        }
    }
    ask_first(
        cx,
        yes,
        &config,
        &account.place().await?.domain,
        &standing.live.to_string(),
    )
    .await?;
    let ended = give(&account, &me()).await;
    let ended = ended.map_err(|error| {
        let exit = match error.class {
            Class::Conflict => Exit::Preempted,
            // `control` says what must be so before, and nothing was changed.
            Class::Permanent if !error.code.is_empty() => Exit::Refused,
            _ => Exit::Failed,
        };
        Failure {
            exit,
            ..error.into()
        }
    })?;
    notice.outcome = if ended.cut.already {
        "unchanged"
    } else {
        "changed"
    };
    notice.first = Some(First {
        step: None,
        message: format!(
            "green takes the writes and all traffic, from {}",
            ended.before
        ),
        hint: None,
    });
    let mut document = MigrationDocument::new("cutover --go", &config.suffix);
    // The stream from green to blue is the way back from now on.
    for back in [true, false] {
        match turn(&account.aws, &names, back, true).await {
            Ok(changed) => document.changed.extend(changed),
            Err(error) => document.problems.push(error.to_string()),
        }
    }
    let exit = exit(&mut document, &ended);
    document.next = Some(cx.command_line("migrate status", None, &config));
    document.cutover = Some(ended);
    cx.console.answer(&Migration::text(&document), &document)?;
    carried(cx, &config, &account.log).await;
    Ok(exit)
}

fn exit(document: &mut MigrationDocument, ended: &Done) -> Exit {
    if !ended.in_sync {
        document.problems.push(
            "Route 53 has taken the change and has not said yet that all its servers know it"
                .into(),
        );
    }
    if document.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Differs
    }
}

fn unequal(verified: &Value) -> Failure {
    let problems = verified["problems"].as_array().into_iter().flatten();
    let all: Vec<&str> = problems.filter_map(Value::as_str).collect();
    let text = format!(
        "both sides are not proven equal ({}): {}",
        text(verified, "verdict"),
        all.join("; ")
    );
    Failure::new(Exit::Refused, text).hint("`deployer migrate verify` compares again")
}

async fn ask_first(
    cx: &Context<'_>,
    yes: bool,
    config: &Config,
    domain: &str,
    live: &str,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let Config { suffix, region, .. } = config;
    cx.console.note(&format!(
        "Give green the writes and all traffic of {domain}, now {live} (suffix {suffix}, region {region})? Only 'yes' will be accepted:"
    ))?;
    if answer().await? == "yes" {
        Ok(())
    } else {
        Err(cancelled())
    }
}

/// Everybody is on the side that takes the writes, and no shift moves them: without streams the other side grows old.
async fn settled(open: &Open, writer: &str) -> Result<(), Failure> {
    let place = Place::find(&open.aws, &open.config).await?;
    let standing = place.read(&open.aws).await?;
    if let Some(note) = standing.readable().filter(|note| note.in_progress()) {
        let text = format!("{}: it needs the streams", note.going_on());
        return Err(Failure::new(Exit::Refused, text)
            .hint("let it end, or end it with `deployer traffic rollback`"));
    }
    let green = standing.live.green_percent();
    let (others, hint) = match writer {
        "green" => (
            100.0 - green,
            "`deployer migrate cutover --go` gives green everybody",
        ),
        _ => (
            green,
            "`deployer traffic rollback` gives all traffic to blue",
        ),
    };
    if others > 0.0 {
        let text = format!(
            "{writer} takes the writes, and not everybody is there ({}): the others would read what grows old",
            standing.live
        );
        return Err(Failure::new(Exit::Refused, text).hint(hint));
    }
    Ok(())
}

/// Ends the way back.
async fn finish(cx: &Context<'_>, yes: bool, notice: &mut Notice) -> Result<Exit, Failure> {
    can_ask(yes)?;
    let open = open(cx).await?;
    let status = ask_patiently(&open.aws, &open.names.control, &action("status")).await;
    let status = status.map_err(refused)?;
    let writer = text(&status, "writer");
    if !matches!(writer, "green" | "blue") {
        return Err(Failure::new(
            Exit::Refused,
            format!("one side must take the writes alone, and it is: {writer}"),
        )
        .hint("`deployer migrate cutover --go` gives them to green, `--reverse` to blue"));
    }
    settled(&open, writer).await?;
    confirm(
        cx,
        yes,
        &open,
        &format!(
            "End the way back for good: {writer} keeps the writes, the other side gets them no more"
        ),
    )
    .await?;
    if !yes {
        settled(&open, writer).await?;
    }
    let mut document = MigrationDocument::new("cutover --finish", &open.config.suffix);
    for back in [true, false] {
        document
            .changed
            .extend(turn(&open.aws, &open.names, back, false).await?);
    }
    let event = json!({"action": "finish"});
    document.control = Some(ask_patiently(&open.aws, &open.names.control, &event).await?);
    document.sync = Some(ask_patiently(&open.aws, &open.names.sync, &action("stop")).await?);
    document.switches = switches(&open.aws, &open.names).await?;
    let place = Place::find(&open.aws, &open.config).await?;
    let standing = place.read(&open.aws).await?;
    let note = standing.readable().cloned().unwrap_or(Note::FIRST);
    let names = traffic::names::Names::of(&open.config)?;
    let log = super::log(cx, &open);
    document.given_back = give_back(cx, &open.aws, &names, &log, &note).await?;
    notice.outcome = "changed";
    done(cx, &document)
}
