//! `deployer traffic pause` and `approve`: a note for a shift, wherever it runs.

use super::super::Context;
use super::super::error::Failure;
use super::super::exit::Exit;
use super::open::{account, me, refused};
use super::status::locked;
use crate::report::TrafficNoteDocument;
use crate::traffic::account::Account;
use crate::traffic::gate::DataMode;
use crate::traffic::note::{Act, Note};
use crate::traffic::weights::Weights;
use crate::traffic::world::World;
use jiff::{SignedDuration, Timestamp};

/// How often it is tried when others write at the same time.
const ATTEMPTS: u32 = 10;

/// Lets a shift wait.
pub async fn pause(cx: &Context<'_>) -> Result<Exit, Failure> {
    let (config, account) = account(cx, false, DataMode::TwoWay).await?;
    let note = write(&account, Act::Pause, |_| {}).await?;
    let gate = match locked(cx, &config.suffix) {
        Some(_) => "and the gate goes on",
        None => "but no process of this machine judges green",
    };
    let text = format!(
        "the shift waits; its weight stays, {gate}. `deployer traffic resume` lets it go on"
    );
    say(cx, note, &text)
}

/// Allows a step.
pub async fn approve(cx: &Context<'_>, weight: u8, hours: u16) -> Result<Exit, Failure> {
    let (_, account) = account(cx, false, DataMode::TwoWay).await?;
    let until = account.now() + SignedDuration::from_hours(hours.into());
    let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
    let note = write(&account, Act::Approve, |note| {
        note.approved = Some((weight, until))
    })
    .await?;
    let waits = match note.paused {
        true => "; the shift is paused, and goes on with `deployer traffic resume`",
        false => "",
    };
    let text = format!("weights up to {weight} are approved for {hours} hours{waits}");
    say(cx, note, &text)
}

fn say(cx: &Context<'_>, note: Note, text: &str) -> Result<Exit, Failure> {
    let document = TrafficNoteDocument {
        text: text.to_owned(),
        note,
    };
    cx.console.answer(&format!("{text}\n"), &document)?;
    Ok(Exit::Done)
}

/// Writes a note for the shift that is going on; refused when there is none.
pub async fn write(
    account: &Account,
    act: Act,
    change: impl Fn(&mut Note),
) -> Result<Note, Failure> {
    let mut sent: Option<Note> = None;
    for _ in 0..ATTEMPTS {
        let standing = account.standing().await?;
        let last = match standing.readable() {
            // Its answer was lost.
            Some(note) if sent.as_ref() == Some(note) => return Ok(note.clone()),
            Some(note) if note.in_progress() => note.clone(),
            _ => {
                return Err(refused(
                    "no shift is going on",
                    "`deployer traffic status` shows where the traffic is",
                ));
            }
        };
        let weights = last.weights.unwrap_or(Weights::BLUE);
        let mut note = last.next(act, weights, &last.run, &me(), account.now());
        // Weights that are not percents stay unsaid.
        note.weights = last.weights;
        change(&mut note);
        match account.write(&standing, None, &note).await {
            Ok(_) => return Ok(note),
            Err(error) if error.class == crate::engine::Class::Permanent => {
                return Err(error.into());
            }
            Err(_) => sent = Some(note),
        }
        account.sleep(1).await;
    }
    Err(Failure::new(
        Exit::Failed,
        "others wrote at the same time, or the answers were lost: whether it was noted is not known",
    )
    .hint("`deployer traffic status` shows the last note; try it again"))
}
