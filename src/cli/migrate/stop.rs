//! `deployer migrate stop`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::run::can_ask;
use super::{all_on_blue, confirm, done, ended, no_split, open};
use crate::migration::answers::{action, ask, ask_patiently, text};
use crate::migration::{switches, turn};
use crate::report::{Migration, MigrationDocument, Notice};
use serde_json::Value;

/// Why nobody may be on green when a migration ends.
const LOST: &str = "blue would not get what they write there";

/// Ends the migration. Calls by schedule and stream end first; then slots and publications go.
pub async fn stop(cx: &Context<'_>, yes: bool, notice: &mut Notice) -> Result<Exit, Failure> {
    can_ask(yes)?;
    let open = open(cx).await?;
    let control = ask(&open.aws, &open.names.control, &action("status")).await;
    if let Ok(status) = &control
        && ended(status)
    {
        // Nothing is to be ended, and blue's fence stays: it keeps payments from the side that nobody reads.
        let mut document = MigrationDocument::new("stop", &open.config.suffix);
        document.sync = Some(status["forward"].clone());
        document.switches = switches(&open.aws, &open.names).await?;
        document.control = control.ok();
        notice.outcome = "unchanged";
        cx.console.note(
            "the migration has ended already: green keeps the writes since `cutover --finish`",
        )?;
        return done(cx, &document);
    }
    let given_back = no_split(cx, &open, LOST).await?;
    if let Ok(status) = &control
        && text(status, "writer") == "green"
    {
        return Err(Failure::new(
            Exit::Refused,
            "green takes the writes: without the stream blue would not get them",
        )
        .hint("`deployer migrate cutover --reverse` gives them to blue, `--finish` ends the way back and the migration"));
    }
    confirm(cx, yes, &open, "End the migration").await?;
    if !yes {
        all_on_blue(&open, LOST).await?;
    }
    let mut document = MigrationDocument::new("stop", &open.config.suffix);
    document.given_back = given_back;
    for back in [true, false] {
        document
            .changed
            .extend(turn(&open.aws, &open.names, back, false).await?);
    }
    match &control {
        Ok(status) if prepared(status) => {
            let event = action("finish");
            document.control = Some(ask_patiently(&open.aws, &open.names.control, &event).await?);
        }
        Ok(_) => {}
        // Green may be gone: blue's slot matters all the more.
        Err(error) => document
            .problems
            .push(format!("the way back could not be looked at: {error}")),
    }
    let stopped = ask_patiently(&open.aws, &open.names.sync, &action("stop")).await?;
    if stopped["targetReached"] == false {
        document.problems.push(
            "green's database could not be reached: its state of the migration stays there".into(),
        );
    }
    if stopped["greenClosed"] == true {
        cx.console.note(
            "green stays closed to its applications: it has the rows that were copied, and blue goes on with them. Empty the mapped tables (TRUNCATE) before `deployer migrate start`",
        )?;
    }
    document.sync = Some(stopped);
    document.switches = switches(&open.aws, &open.names).await?;
    notice.outcome = "changed";
    cx.console.answer(&Migration::text(&document), &document)?;
    Ok(if document.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Differs
    })
}

/// A stream from green to blue, or a fence, is there.
fn prepared(status: &Value) -> bool {
    let slot = text(&status["reverse"], "slot");
    let fence = |side: &str| !matches!(text(&status["fences"][side], "state"), "" | "none");
    !matches!(slot, "" | "none") || fence("blue") || fence("green")
}
