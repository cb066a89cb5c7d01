//! The cutover: green alone takes writes, and all traffic goes there; and its way back, which is what a rollback is from then on.
//!
//! The note of the zone says `writer=green` before the function `control` is asked, so a rollback from any machine knows that the
//! writes may have to come back first. Each part can be repeated: a cutover that was killed ends with the same command.

use super::bridge::{Bridge, Env};
use super::history::{Entry, Event};
use super::note::{Act, Note};
use super::rollback::{IN_SYNC_SECONDS, kept, wait};
use super::weights::{Live, Weights};
use super::world::{Standing, World};
use crate::engine::{Class, Error};
use serde::Serialize;
use serde_json::Value;

/// How often a change is sent that somebody else's change, or an unclear answer, has undone.
const ATTEMPTS: u32 = 10;

/// What `control` answers to a cutover or its way back (lambda/README.md).
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Cut {
    /// Nothing was to be done: it was so already.
    pub already: bool,
    /// How long writes were refused, in milliseconds, when it is known.
    pub refused_ms: Option<f64>,
    /// Rows of green that could not come to blue.
    pub unreversed: u64,
    /// Green's database could not be reached: blue has what green had committed up to this moment.
    pub blue_has_until: Option<String>,
}

impl Cut {
    /// Of the answer.
    pub fn of(answer: &Value) -> Self {
        let until = answer["blueHas"]["until"].as_str();
        Self {
            already: answer["already"] == true,
            refused_ms: answer["refusedMs"].as_f64(),
            unreversed: answer["unreversed"].as_u64().unwrap_or_default(),
            blue_has_until: match answer["status"].as_str() {
                Some("forced") => Some(until.unwrap_or("an unknown moment").to_owned()),
                _ => None,
            },
        }
    }

    /// For people.
    pub fn text(&self, writer: Env) -> String {
        let mut text = match writer {
            Env::Blue => "blue takes the writes".to_owned(),
            Env::Green => "green takes the writes".to_owned(),
        };
        if let Some(ms) = self.refused_ms {
            text += &format!("; they were refused for {ms:.0} ms");
        }
        if self.unreversed > 0 {
            text += &format!(
                "; {} rows of green are not on blue: `deployer migrate verify` names them",
                self.unreversed
            );
        }
        if let Some(until) = &self.blue_has_until {
            text += &format!(
                "; green's database could not be reached: blue has what green had committed up to {until}, the rest comes when it is there again"
            );
        }
        text
    }
}

/// How a cutover ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Done {
    /// The weights before.
    pub before: Live,
    /// The note that it left.
    pub note: Note,
    /// What `control` answered.
    pub cut: Cut,
    /// How blue's bridge stands.
    pub bridge: Bridge,
    /// All servers of Route 53 answer so.
    pub in_sync: bool,
}

/// What stands in the way of a cutover, before anything is changed.
///
/// # Errors
/// Says what, with what to do.
pub fn ready(standing: &Standing) -> Result<&Note, Error> {
    let no = |text: String, hint: &str| Err(Error::permanent("migrate cutover", text).hint(hint));
    if let Some(other) = standing.foreign.first() {
        return no(
            format!("{other} answers for the same name and is not this deployment's"),
            "remove it if nobody needs it, or set `routing.domain` to a name of this deployment alone",
        );
    }
    let Some(note) = standing.readable() else {
        return no(
            "the record of the traffic command is missing or damaged".into(),
            "`deployer apply` makes it; `deployer traffic rollback` writes a damaged one anew",
        );
    };
    if standing.live.blue.is_none() || standing.live.green.is_none() {
        return no(
            "an environment has no record in the zone".into(),
            "make both environments with `deployer apply`",
        );
    }
    if note.in_progress() {
        return no(
            note.going_on(),
            "let it end, or end it with `deployer traffic rollback`",
        );
    }
    if !note.explains(standing.live) {
        return no(
            format!(
                "the weights are {}, which no traffic command has set",
                standing.live
            ),
            "`deployer traffic rollback` gives everything to blue; then begin again",
        );
    }
    Ok(note)
}

/// Gives green the writes, and then all traffic.
///
/// # Errors
/// When something stands in its way, `control` refuses, or the records cannot be written. It says where things stand.
pub async fn go<W: World>(world: &W, by: &str) -> Result<Done, Error> {
    let (before, note) = intend(world, by).await?;
    let cut = match again(|| world.cut(true), world).await {
        Ok(cut) => cut,
        Err(error) => return Err(refused(world, by, &note, error).await),
    };
    let ((bridge, _), sent) = tokio::join!(bridges(world, Env::Green), weights(world, by));
    let (note, change) = match sent {
        Ok(sent) => sent,
        Err(error) if error.class == Class::Conflict => {
            return Err(followed(world, by, &note, error).await);
        }
        Err(mut error) => {
            error.message = format!("{} ({})", error.message, cut.text(Env::Green));
            return Err(error.hint("run the same command again: it goes on where this one ended; `deployer traffic rollback` gives writes and traffic to blue"));
        }
    };
    let in_sync = match &change {
        Some(change) => wait(world, Some(change)).await,
        None => known(world, &note).await,
    };
    let text = format!("{}; {}", cut.text(Env::Green), bridge.text(Env::Blue));
    let mut entry = Entry::new(Event::CutoverDone, &note, by, text);
    (entry.before, entry.after, entry.change) = (Some(before), Some(Weights::GREEN), change);
    kept(world, entry);
    Ok(Done {
        before,
        note,
        cut,
        bridge,
        in_sync,
    })
}

/// Somebody gave the traffic back to blue while the writes came to green: they follow it, or blue would refuse every payment.
async fn followed<W: World>(world: &W, by: &str, note: &Note, mut error: Error) -> Error {
    let (cut, (bridge, _)) =
        tokio::join!(again(|| world.cut(false), world), bridges(world, Env::Blue));
    let (event, writes, hint) = match cut {
        Ok(cut) => (
            Event::RollbackDone,
            cut.text(Env::Blue),
            "`deployer traffic history` says who",
        ),
        Err(why) => (
            Event::RollbackFailed,
            format!("green takes the writes, and they could not be given back to blue: {why}"),
            "`deployer traffic rollback` tries it again",
        ),
    };
    error.message = format!("{} ({writes}; {})", error.message, bridge.text(Env::Green));
    kept(world, Entry::new(event, note, by, &error.message));
    error.hint(hint)
}

/// Waits until the change of an earlier run, whose id is gone, is known to all servers of Route 53.
async fn known<W: World>(world: &W, note: &Note) -> bool {
    let taken = note.at.map_or(0, |at| at.as_second());
    let age = world.now().as_second().saturating_sub(taken);
    let left = i64::from(IN_SYNC_SECONDS / 2).saturating_sub(age);
    if let Ok(left @ 1..) = u32::try_from(left) {
        world.sleep(left).await;
    }
    true
}

/// Writes into the zone that the writes are about to be green's; gives the weights before.
async fn intend<W: World>(world: &W, by: &str) -> Result<(Live, Note), Error> {
    let mut sent: Option<Note> = None;
    for _ in 0..ATTEMPTS {
        let standing = world.standing().await?;
        let last = ready(&standing)?;
        if last.green_writes {
            // An earlier run came so far.
            return Ok((standing.live, last.clone()));
        }
        let weights = last.weights.unwrap_or(Weights::BLUE);
        let mut note = last.next(Act::Cutover, weights, "", by, world.now());
        note.weights = last.weights;
        note.green_writes = true;
        if sent.is_none() {
            let text = "the writes are given to green, then all traffic";
            let mut entry = Entry::new(Event::CutoverStarted, &note, by, text);
            (entry.before, entry.after) = (Some(standing.live), Some(Weights::GREEN));
            world.record(entry)?;
        }
        match world.write(&standing, None, &note).await {
            Ok(_) => return Ok((standing.live, note)),
            Err(error) if error.class == Class::Permanent => return Err(error),
            Err(_) => sent = Some(note),
        }
        world.sleep(1).await;
    }
    Err(others())
}

/// `control` did not do it. When blue takes writes as before, the note says so again.
async fn refused<W: World>(world: &W, by: &str, intended: &Note, error: Error) -> Error {
    if world.blue_is_closed().await.unwrap_or(true) {
        return error.hint("nobody knows whether green takes the writes: run the same command again, or `deployer traffic rollback`, which gives writes and traffic to blue");
    }
    let text = format!("the cutover was refused: {error}");
    kept(world, Entry::new(Event::CutoverRefused, intended, by, text));
    let back = async {
        let standing = world.standing().await?;
        if standing.readable() == Some(intended) {
            let mut note = intended.next(Act::Cutover, Weights::BLUE, "", by, world.now());
            note.weights = intended.weights;
            note.green_writes = false;
            world.write(&standing, None, &note).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(other) = back.await {
        world.show(&format!(
            "warning: the note of the cutover stays in the zone: {other}"
        ));
    }
    error
}

/// All weight to green, with the note. Somebody else's rollback ends it.
async fn weights<W: World>(world: &W, by: &str) -> Result<(Note, Option<String>), Error> {
    let mut sent: Option<Note> = None;
    for _ in 0..ATTEMPTS {
        let standing = match world.standing().await {
            Ok(standing) => standing,
            Err(error) if error.is_denied() => return Err(error),
            Err(_) => {
                world.sleep(1).await;
                continue;
            }
        };
        let Some(last) = standing.readable().filter(|note| note.green_writes) else {
            let text = "somebody else has given the traffic back to blue in the meantime";
            return Err(Error::of(Class::Conflict, "migrate cutover", text));
        };
        let is_green = standing.live.are(Weights::GREEN);
        if is_green && last.weights == Some(Weights::GREEN) {
            return Ok((last.clone(), None));
        }
        let note = match &sent {
            Some(note) if note.epoch == last.epoch + 1 => note.clone(),
            _ => last.next(Act::Cutover, Weights::GREEN, "", by, world.now()),
        };
        match world.write(&standing, Some(Weights::GREEN), &note).await {
            Ok(change) => return Ok((note, Some(change))),
            Err(error) if error.class == Class::Permanent => return Err(error),
            Err(_) => sent = Some(note),
        }
        world.sleep(1).await;
    }
    Err(others())
}

fn others() -> Error {
    Error::permanent(
        "migrate cutover",
        "others wrote at the same time, or Route 53 does not answer",
    )
    .hint("`deployer traffic status` shows where it is")
}

/// The side that takes the requests answers by itself, and the other one sends on what still reaches it; and whether a bridge was
/// switched for it.
pub(super) async fn bridges<W: World>(world: &W, to: Env) -> (Bridge, bool) {
    let from = match to {
        Env::Blue => Env::Green,
        Env::Green => Env::Blue,
    };
    let (mut stands, mut any) = (Bridge::None, false);
    for (side, on) in [(to, false), (from, true)] {
        match world.bridge(side, on).await {
            Ok((bridge, switched)) => {
                stands = bridge;
                any |= switched;
            }
            Err(error) => {
                world.show(&format!("warning: the bridge: {error}"));
                // Both on would send requests round in a circle.
                return (Bridge::Failed, any);
            }
        }
    }
    (stands, any)
}

/// Asks again while it is not clear what became of the call.
pub(super) async fn again<W: World, T>(
    act: impl AsyncFn() -> Result<T, Error>,
    world: &W,
) -> Result<T, Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match act().await {
            Err(error)
                if matches!(error.class, Class::Unclear | Class::Throttled)
                    && attempt < ATTEMPTS =>
            {
                world.sleep(1).await;
            }
            other => return other,
        }
    }
}
