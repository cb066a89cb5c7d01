//! `deployer migrate`: the migration's functions, called and switched.

pub mod args;
mod cutover;
mod schema;
mod stop;

use super::Context;
use super::args::Scope;
use super::connection::{connection, state_folder};
use super::error::Failure;
use super::exit::Exit;
use super::notify;
use super::run::{answer, can_ask, cancelled};
use super::session::configuration;
use super::signals::stop_on_signals;
use super::traffic::give_back_when_due;
use crate::aws::{Aws, Caller};
use crate::config::Config;
use crate::engine::Error;
use crate::migration::answers::{action, ask, text};
use crate::migration::{Names, Switch, switches, turn};
use crate::report::{Migration, MigrationDocument, Notice};
use crate::traffic::history::Log;
use crate::traffic::minimum::Held;
use crate::traffic::records::Place;
use crate::traffic::world::Standing;
use args::MigrateCommand;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(10);

/// The code of `control` for a green without the mapped tables.
const NO_TABLES: &str = "NO_TABLES";

/// What the commands share.
struct Open {
    config: Config,
    aws: Aws,
    names: Names,
}

/// Drives the migration, or shows how it stands.
pub async fn run(cx: &Context<'_>, command: &MigrateCommand) -> Result<Exit, Failure> {
    let everything = Scope { env: None };
    match command {
        MigrateCommand::Plan => plan(cx).await,
        MigrateCommand::Schema(asked) => {
            let schema = async |notice: &mut _| schema::schema(cx, asked, notice).await;
            notify::notified(cx, "migrate schema", &everything, schema).await
        }
        MigrateCommand::Start { yes } => {
            let start = async |notice: &mut _| start(cx, *yes, notice).await;
            notify::notified(cx, "migrate start", &everything, start).await
        }
        MigrateCommand::Status { watch } => status(cx, *watch).await,
        MigrateCommand::Verify { tables } => {
            let verify = async |notice: &mut _| verify(cx, tables, notice).await;
            notify::notified(cx, "migrate verify", &everything, verify).await
        }
        MigrateCommand::Cutover(asked) => cutover::run(cx, asked).await,
        MigrateCommand::Pause => pause(cx).await,
        MigrateCommand::Stop { yes } => {
            let stop = async |notice: &mut _| stop::stop(cx, *yes, notice).await;
            notify::notified(cx, "migrate stop", &everything, stop).await
        }
    }
}

async fn open(cx: &Context<'_>) -> Result<Open, Failure> {
    let config = configuration(cx)?;
    let connection = connection(cx, &config).await?;
    let events = cx.console.events(None);
    let caller = Caller::new(events, false, config.run.parallelism);
    let caller = caller.with_limits(connection.limits(config.run.api_limits));
    let aws = Aws::new(&connection, Arc::new(caller));
    super::traffic::pinned(&aws, &config).await?;
    Ok(Open {
        names: Names::of(&config)?,
        config,
        aws,
    })
}

/// A check of the functions says no: nothing was changed.
fn refused(error: Error) -> Failure {
    Failure {
        exit: Exit::Refused,
        ..error.into()
    }
}

/// Green's share of the traffic must be 0: what a migration overwrites would be customers' data. Gives what comes back to the
/// configured size, when a rollback is a day old.
async fn no_split(cx: &Context<'_>, open: &Open, what: &str) -> Result<Vec<Held>, Failure> {
    let standing = all_on_blue(open, what).await?;
    let log = log(cx, open);
    give_back_when_due(cx, &open.aws, &open.config, &log, standing.readable()).await
}

/// Refuses while green gets customers, or is about to: also once more when a question was answered, which may have taken hours.
async fn all_on_blue(open: &Open, what: &str) -> Result<Standing, Failure> {
    let place = Place::find(&open.aws, &open.config).await?;
    let standing = place.read(&open.aws).await?;
    let why = match standing.readable() {
        _ if standing.live.green_percent() > 0.0 => {
            format!("green gets customers ({})", standing.live)
        }
        Some(note) if note.in_progress() => note.going_on(),
        _ => return Ok(standing),
    };
    Err(Failure::new(Exit::Refused, format!("{why}: {what}"))
        .hint("`deployer traffic rollback` gives all traffic to blue"))
}

/// The history of the traffic on this machine.
fn log(cx: &Context<'_>, open: &Open) -> Log {
    Log::new(&state_folder(cx.common), &open.config.suffix)
}

async fn confirm(cx: &Context<'_>, yes: bool, open: &Open, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let Config { suffix, region, .. } = &open.config;
    cx.console.note(&format!(
        "{question} (suffix {suffix}, region {region})? Only 'yes' will be accepted:"
    ))?;
    if answer().await? == "yes" {
        Ok(())
    } else {
        Err(cancelled())
    }
}

fn done(cx: &Context<'_>, document: &MigrationDocument) -> Result<Exit, Failure> {
    cx.console.answer(&Migration::text(document), document)?;
    Ok(Exit::Done)
}

async fn plan(cx: &Context<'_>) -> Result<Exit, Failure> {
    let open = open(cx).await?;
    let planned = ask(&open.aws, &open.names.control, &action("plan")).await;
    let mut document = MigrationDocument::new("plan", &open.config.suffix);
    document.control = Some(planned.map_err(|error| without_tables(cx, &open, error))?);
    done(cx, &document)
}

/// Where green has not got the mapped tables, the application makes them.
fn without_tables(cx: &Context<'_>, open: &Open, error: Error) -> Failure {
    let is_without = error.code == NO_TABLES;
    let failure = refused(error);
    if !is_without {
        return failure;
    }
    let command = "migrate schema --service payment-api --command \"...\"";
    let command = cx.command_line(command, None, &open.config);
    failure.hint(format!(
        "the application's own migrations make them: `{command}`; the mapping is wrong when they have other names"
    ))
}

/// Why nobody may be on green when a copy begins.
const OVERWRITTEN: &str = "a copy would overwrite what they write there";

/// Puts the hash key into its secret, and switches the functions of the way from blue to green on.
async fn start(cx: &Context<'_>, yes: bool, notice: &mut Notice) -> Result<Exit, Failure> {
    can_ask(yes)?;
    let open = open(cx).await?;
    let control = ask(&open.aws, &open.names.control, &action("status")).await;
    let control = control.map_err(refused)?;
    if ended(&control) {
        return Err(Failure::new(
            Exit::Refused,
            "the migration has ended: green keeps the writes since `cutover --finish`, and a copy would overwrite them",
        ));
    }
    let given_back = no_split(cx, &open, OVERWRITTEN).await?;
    let status = control["forward"].clone();
    if text(&status, "slot") == "lost" {
        return Err(Failure::new(
            Exit::Refused,
            "blue has dropped the changes that green has not seen (the slot is lost)",
        )
        .hint("`deployer migrate stop`, empty the mapped tables on green, then start again"));
    }
    // What else it finds is the business of `prepare`.
    if let Err(error) = ask(&open.aws, &open.names.control, &action("plan")).await
        && error.code == NO_TABLES
    {
        return Err(without_tables(cx, &open, error));
    }
    confirm(cx, yes, &open, "Copy blue's data to green, and follow it").await?;
    if !yes {
        all_on_blue(&open, OVERWRITTEN).await?;
    }
    let key = ask(&open.aws, &open.names.control, &action("hash-key")).await;
    key.map_err(refused)?;
    let changed = turn(&open.aws, &open.names, false, true).await?;
    notice.outcome = if changed.is_empty() {
        "unchanged"
    } else {
        "changed"
    };
    let mut document = MigrationDocument::new("start", &open.config.suffix);
    document.changed = changed;
    document.given_back = given_back;
    document.sync = Some(status);
    document.switches = switches(&open.aws, &open.names).await?;
    document.next = Some(cx.command_line("migrate status --watch", None, &open.config));
    done(cx, &document)
}

async fn status(cx: &Context<'_>, watch: bool) -> Result<Exit, Failure> {
    let open = open(cx).await?;
    let mut stop = if watch { Some(stop_on_signals()) } else { None };
    loop {
        // `sync` itself is at work for most of the time; `control` looks at what it has written down.
        let (control, switches) = tokio::join!(
            async { ask(&open.aws, &open.names.control, &action("status")).await },
            switches(&open.aws, &open.names)
        );
        let mut document = MigrationDocument::new("status", &open.config.suffix);
        document.switches = switches?;
        match control {
            Ok(answer) => {
                document.sync = Some(answer["forward"].clone());
                document.control = Some(answer);
            }
            Err(error) => document.problems.push(format!("control: {error}")),
        }
        document
            .problems
            .extend(waiting(&document.switches, &document));
        let exit = if document.problems.is_empty() {
            Exit::Done
        } else {
            Exit::Differs
        };
        cx.console.answer(&Migration::text(&document), &document)?;
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

/// True after `cutover --finish` behind a cutover: no stream is left, and green alone takes the writes.
fn ended(control: &Value) -> bool {
    let none = |way: &str| text(&control[way], "slot") == "none";
    text(control, "writer") == "green" && none("forward") && none("reverse")
}

/// A slot that nobody reads fills a disk.
fn waiting(switches: &[Switch], document: &MigrationDocument) -> Option<String> {
    let slot = document
        .sync
        .as_ref()
        .is_some_and(|s| text(s, "slot") == "active");
    let is_off = switches
        .iter()
        .any(|s| s.function == "sync" && s.on == Some(false));
    (slot && is_off).then(|| {
        "blue keeps its log for a slot that nobody reads: `deployer migrate start` goes on, `deployer migrate stop` ends it".to_owned()
    })
}

async fn verify(cx: &Context<'_>, tables: &[String], notice: &mut Notice) -> Result<Exit, Failure> {
    let open = open(cx).await?;
    let event = if tables.is_empty() {
        json!({})
    } else {
        json!({"tables": tables})
    };
    let verified = ask(&open.aws, &open.names.verify, &event).await?;
    let ok = verified["ok"] == true;
    let exit = match text(&verified, "verdict") {
        _ if ok => Exit::Done,
        "different" | "held-back" => Exit::Differs,
        "incomplete" | "not-following" => Exit::Held,
        other => {
            let text =
                format!("verify gave the verdict `{other}`, which this version does not know");
            return Err(Failure::new(Exit::Failed, text));
        }
    };
    let problems = verified["problems"].as_array().into_iter().flatten();
    let first = problems.filter_map(|p| p.as_str()).next();
    notice.first = first.map(|message| crate::report::First {
        step: None,
        message: message.to_owned(),
        hint: None,
    });
    let mut document = MigrationDocument::new("verify", &open.config.suffix);
    document.verify = Some(verified);
    cx.console.answer(&Migration::text(&document), &document)?;
    Ok(exit)
}

async fn pause(cx: &Context<'_>) -> Result<Exit, Failure> {
    let open = open(cx).await?;
    let given_back = no_split(cx, &open, "without the streams both sides drift apart").await?;
    let mut document = MigrationDocument::new("pause", &open.config.suffix);
    document.given_back = given_back;
    for back in [false, true] {
        document
            .changed
            .extend(turn(&open.aws, &open.names, back, false).await?);
    }
    document.switches = switches(&open.aws, &open.names).await?;
    document.problems.push(
        "slots stay, and keep the log on the databases' disks until the functions are called again"
            .into(),
    );
    document.next = Some(cx.command_line("migrate start", None, &open.config));
    done(cx, &document)
}
