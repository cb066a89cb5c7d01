//! `deployer migrate stop`.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::super::run::can_ask;
use super::{Open, confirm, no_split, open};
use crate::engine::Error;
use crate::migration::answers::{action, ask, is_busy, text};
use crate::migration::{switches, turn};
use crate::report::{Migration, MigrationDocument, Notice};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a run that does not end is waited for: each time the function itself waits 20 seconds.
const ATTEMPTS: u32 = 45;
const PAUSE: Duration = Duration::from_secs(2);

/// Ends the migration. Calls by schedule and stream end first; then slots and publications go.
pub async fn stop(cx: &Context<'_>, yes: bool, notice: &mut Notice) -> Result<Exit, Failure> {
    can_ask(yes)?;
    let open = open(cx).await?;
    no_split(&open, "blue would not get what they write there").await?;
    let control = ask(&open.aws, &open.names.control, &action("status")).await;
    if let Ok(status) = &control
        && text(status, "writer") == "green"
    {
        return Err(Failure::new(
            Exit::Refused,
            "green takes the writes: without the stream blue would not get them",
        )
        .hint("go back with control's cutover in reverse, or end the way back with its action `finish` (lambda/README.md)"));
    }
    confirm(cx, yes, &open, "End the migration")?;
    let mut document = MigrationDocument::new("stop", &open.config.suffix);
    for back in [true, false] {
        document
            .changed
            .extend(turn(&open.aws, &open.names, back, false).await?);
    }
    match &control {
        Ok(status) if prepared(status) => {
            let event = json!({"action": "finish", "release": true});
            document.control = Some(patiently(&open, &open.names.control, &event).await?);
        }
        Ok(_) => {}
        // Green may be gone: blue's slot matters all the more.
        Err(error) => document
            .problems
            .push(format!("the way back could not be looked at: {error}")),
    }
    let stopped = patiently(&open, &open.names.sync, &action("stop")).await?;
    if stopped["targetReached"] == false {
        document.problems.push(
            "green's database could not be reached: its state of the migration stays there".into(),
        );
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

/// Asks again while another run is at work.
async fn patiently(open: &Open, function: &str, event: &Value) -> Result<Value, Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match ask(&open.aws, function, event).await {
            Err(error) if is_busy(&error) && attempt < ATTEMPTS => tokio::time::sleep(PAUSE).await,
            Err(error) if is_busy(&error) => {
                return Err(error.hint("nothing calls the functions any more; run the command again when that run has ended"));
            }
            other => return other,
        }
    }
}
