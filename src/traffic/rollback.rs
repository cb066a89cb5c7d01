//! All traffic back to blue: one change, which wins over every state. It takes no lock and waits for nobody's consent. After a
//! cutover the writes come back first.

use super::bridge::{Bridge, Env};
use super::cutover::{Cut, again, bridges};
use super::history::{Entry, Event};
use super::note::{Act, Note};
use super::weights::{Live, Weights};
use super::world::{Standing, World};
use crate::aws::Api;
use crate::aws::elbv2::{
    ADD_TAGS, DESCRIBE_LISTENERS, DESCRIBE_LOAD_BALANCER_ATTRIBUTES, DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_RULES, DESCRIBE_TAGS, DESCRIBE_TARGET_GROUPS, DESCRIBE_TARGET_HEALTH,
    MODIFY_LOAD_BALANCER_ATTRIBUTES, MODIFY_RULE, REMOVE_TAGS,
};
use crate::aws::lambda::INVOKE;
use crate::aws::route53::{
    CHANGE_RESOURCE_RECORD_SETS, GET_CHANGE, LIST_HOSTED_ZONES, LIST_RESOURCE_RECORD_SETS,
};
use crate::aws::sts::GET_CALLER_IDENTITY;
use crate::engine::Error;
use std::time::Duration;
use tokio::time::Instant;

/// All that it may do in AWS.
pub const NEEDS: &[Api] = &[
    LIST_HOSTED_ZONES,
    LIST_RESOURCE_RECORD_SETS,
    CHANGE_RESOURCE_RECORD_SETS,
    GET_CHANGE,
    GET_CALLER_IDENTITY,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES,
    DESCRIBE_TAGS,
    DESCRIBE_TARGET_GROUPS,
    DESCRIBE_LISTENERS,
    DESCRIBE_RULES,
    DESCRIBE_TARGET_HEALTH,
    MODIFY_RULE,
    MODIFY_LOAD_BALANCER_ATTRIBUTES,
    ADD_TAGS,
    REMOVE_TAGS,
    INVOKE,
];
/// When Route 53 has not taken the change after this time, green's health check is made to fail besides.
const ROUTE53_IS_SLOW: Duration = Duration::from_secs(10);
/// Each question before the levers takes so long at most: where the records are, whose account it is, how they stand. They do not
/// wait for a Route 53 that hangs.
pub const LOOK: Duration = Duration::from_secs(3);
/// How the actions of Route 53 begin.
const ROUTE53: &str = "route53:";
/// How often the change is sent when its outcome is not clear.
const ATTEMPTS: u32 = 20;
/// Seconds until all servers of Route 53 know a change: "ChangeResourceRecordSets", generally within 60.
pub(super) const IN_SYNC_SECONDS: u32 = 120;

/// How long `control` may take when it is not known whether green takes the writes.
const UNKNOWN: Duration = Duration::from_secs(15);

/// How a rollback ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Blue had everything, and no shift is going on: nothing was sent to Route 53.
    Nothing {
        /// The weights.
        live: Live,
        /// How green's bridge stands, where a rollback had to see to it.
        bridge: Bridge,
        /// True when it was switched on now: the rollback before could not.
        switched: bool,
    },
    /// Route 53 has taken the change; whether all its servers know it.
    Done {
        /// The weights before.
        before: Live,
        /// The note that it left.
        note: Note,
        /// All servers of Route 53 answer so.
        in_sync: bool,
        /// How green's bridge stands.
        bridge: Bridge,
        /// What became of the writes; `None` when blue had them.
        cut: Option<Cut>,
    },
}

/// Gives all traffic to blue. `reason` is for people.
///
/// # Errors
/// When the records cannot be read or written, or blue has none.
pub async fn turn_back<W: World>(world: &W, by: &str, reason: &str) -> Result<Outcome, Error> {
    let began = Instant::now();
    let standing = tokio::time::timeout(LOOK, world.standing()).await;
    let standing = standing.ok().and_then(Result::ok);
    let patience = ROUTE53_IS_SLOW.saturating_sub(began.elapsed());
    let mut cut = None;
    match standing.as_ref().map(Standing::readable) {
        Some(Some(note)) if note.green_writes => cut = Some(give_back(world).await?),
        // A note that is missing or damaged may be that of a cutover.
        Some(None) => cut = give_back_if_prepared(world).await,
        Some(Some(_)) | None => {}
    }
    // Both levers at once: neither waits for the other, and one is enough.
    let needed = needed(standing.as_ref());
    let (records, (bridge, switched)) =
        tokio::join!(records(world, by, reason, cut, patience), async {
            if needed {
                bridges(world, Env::Blue).await
            } else {
                (Bridge::Off, false)
            }
        });
    let (records, unready) = records;
    let note = standing.as_ref().and_then(Standing::readable);
    let note = note.cloned().unwrap_or(Note::FIRST);
    match records {
        Ok(Outcome::Done {
            before,
            note,
            in_sync,
            cut,
            ..
        }) => {
            let writes = cut.as_ref().map(|cut| cut.text(Env::Blue) + "; ");
            kept(
                world,
                Entry::new(
                    Event::RollbackDone,
                    &note,
                    by,
                    format!(
                        "{}{}; {}",
                        writes.unwrap_or_default(),
                        done(in_sync),
                        bridge.text(Env::Green)
                    ),
                ),
            );
            Ok(Outcome::Done {
                before,
                note,
                in_sync,
                bridge,
                cut,
            })
        }
        Err(mut error) => {
            if bridge == Bridge::On {
                let on = "green's load balancer sends on to blue what reaches it, so customers are on blue; the records do not say so yet";
                error.message = format!("{} ({on})", error.message);
            }
            if unready {
                let text = "green says 503 to Route 53's health checks, which answer blue in its place within a minute";
                error.message = format!("{} ({text})", error.message);
            }
            let text = format!("{reason}: {error}");
            kept(world, Entry::new(Event::RollbackFailed, &note, by, text));
            Err(error)
        }
        Ok(Outcome::Nothing { live, .. }) => {
            if switched {
                let text = bridge.text(Env::Green);
                kept(world, Entry::new(Event::RollbackDone, &note, by, text));
            }
            Ok(Outcome::Nothing {
                live,
                bridge,
                switched,
            })
        }
    }
}

fn done(in_sync: bool) -> &'static str {
    if in_sync {
        "all servers of Route 53 answer blue alone; resolvers keep the former answer for up to 60 s"
    } else {
        "Route 53 has taken the change and has not said yet that all its servers know it"
    }
}

/// Whether green may get requests: also when it cannot be seen, and after a rollback that did not switch the bridge on.
fn needed(standing: Option<&Standing>) -> bool {
    standing.is_none_or(|standing| {
        let quiet =
            |note: &Note| !note.in_progress() && !note.green_writes && note.act != Act::Rollback;
        !(standing.live.all_blue() && standing.readable().is_some_and(quiet))
    })
}

fn green_writes(standing: &Standing) -> bool {
    standing.readable().is_some_and(|note| note.green_writes)
}

/// The writes come back to blue. While green has them, blue refuses writes: traffic alone would only find errors there.
async fn give_back<W: World>(world: &W) -> Result<Cut, Error> {
    again(async || world.cut(false).await, world).await.map_err(|mut error| {
        error.message = format!(
            "green takes the writes, and they could not be given back to blue, so the traffic stays on green: {}",
            error.message
        );
        match error.hint {
            Some(_) => error,
            None => error.hint("run the same command again; `deployer migrate status` says who takes the writes"),
        }
    })
}

/// The same when nobody knows whether green takes the writes: what stands in its way does not keep the traffic from blue.
async fn give_back_if_prepared<W: World>(world: &W) -> Option<Cut> {
    let answer = tokio::time::timeout(UNKNOWN, world.cut(false)).await;
    match answer {
        Ok(Ok(cut)) => Some(cut),
        Ok(Err(error)) => {
            world.show(&format!("nobody knows whether green takes the writes, and they were not given back to blue: {error}"));
            None
        }
        Err(_) => {
            world.show("nobody knows whether green takes the writes: `control` did not answer");
            None
        }
    }
}

/// The records; and whether green was made to fail its health check, because Route 53 did not take them. It is no longer made to
/// when they are there after all.
async fn records<W: World>(
    world: &W,
    by: &str,
    reason: &str,
    mut cut: Option<Cut>,
    patience: Duration,
) -> (Result<Outcome, Error>, bool) {
    let mut unready = false;
    let sent = {
        let sending = sent(world, by, &mut cut);
        tokio::pin!(sending);
        match tokio::time::timeout(patience, &mut sending).await {
            Ok(Err(error)) if error.action.starts_with(ROUTE53) => {
                unready = unready_now(world).await;
                Err(error)
            }
            Ok(sent) => sent,
            Err(_) => {
                let (sent, done) = tokio::join!(sending, unready_now(world));
                unready = done;
                sent
            }
        }
    };
    let (before, note, change) = match sent {
        Ok(Sent::Change(before, note, change)) => (before, note, change),
        Ok(Sent::Nothing(live)) => {
            ready_again(world).await;
            let nothing = Outcome::Nothing {
                live,
                bridge: Bridge::Off,
                switched: false,
            };
            return (Ok(nothing), false);
        }
        Err(error) => return (Err(error), unready),
    };
    let mut entry = Entry::new(Event::RollbackStarted, &note, by, reason);
    (entry.before, entry.after) = (Some(before), Some(Weights::BLUE));
    entry.change.clone_from(&change);
    kept(world, entry);
    let (in_sync, ()) = tokio::join!(wait(world, change.as_deref()), ready_again(world));
    let done = Outcome::Done {
        before,
        note,
        in_sync,
        bridge: Bridge::None,
        cut,
    };
    (Ok(done), false)
}

/// Sends the change until it is taken.
async fn sent<W: World>(world: &W, by: &str, cut: &mut Option<Cut>) -> Result<Sent, Error> {
    let mut attempt = 0;
    let mut began: Option<(Live, Note)> = None;
    loop {
        attempt += 1;
        match once(world, by, &mut began, cut).await {
            Err(error) if attempt >= ATTEMPTS || is_final(&error) => return Err(error),
            Err(_) => world.sleep(1).await,
            sent => return sent,
        }
    }
}

/// Whether blue refuses writes although all traffic is there: a cutover was at work while a rollback was. Before the first of either
/// nobody is asked.
async fn writes_are_elsewhere<W: World>(world: &W, note: Option<&Note>) -> bool {
    if note.is_some_and(|note| !matches!(note.act, Act::Rollback | Act::Cutover)) {
        return false;
    }
    match tokio::time::timeout(UNKNOWN, world.blue_is_closed()).await {
        Ok(Ok(closed)) => closed,
        Ok(Err(_)) | Err(_) => {
            world.show("whether blue takes the writes is not known: `control` did not answer");
            false
        }
    }
}

async fn unready_now<W: World>(world: &W) -> bool {
    let done = world.ready(false).await;
    if let Err(error) = &done {
        world.show(&format!("warning: green's health check: {error}"));
    }
    done.is_ok()
}

/// What an earlier rollback may have left.
async fn ready_again<W: World>(world: &W) {
    if let Err(error) = world.ready(true).await {
        world.show(&format!(
            "warning: whether green's load balancer says that it is ready is not known: {error}"
        ));
    }
}

enum Sent {
    Nothing(Live),
    Change(Live, Note, Option<String>),
}

async fn once<W: World>(
    world: &W,
    by: &str,
    began: &mut Option<(Live, Note)>,
    cut: &mut Option<Cut>,
) -> Result<Sent, Error> {
    let standing = world.standing().await?;
    if cut.is_none() && green_writes(&standing) {
        *cut = Some(give_back(world).await?);
    }
    if standing.live.blue.is_none() {
        let text = "blue has no record in the zone, so there is nothing to go back to";
        return Err(Error::permanent("traffic rollback", text).hint(
            "make blue with `deployer apply --env blue`; until then traffic stays where it is",
        ));
    }
    let now = standing.readable();
    if let (Some((live, note)), Some(found)) = (began.as_ref(), now)
        && found == note
        && standing.live.all_blue()
    {
        // The answer to the change was lost.
        return Ok(Sent::Change(*live, note.clone(), None));
    }
    let is_in_progress = standing.note.as_ref().is_some_and(|note| {
        // A note that cannot be read may be that of a shift.
        note.as_ref().map_or(true, Note::in_progress)
    });
    if began.is_none() && standing.live.all_blue() && !is_in_progress && cut.is_none() {
        if !writes_are_elsewhere(world, now).await {
            return Ok(Sent::Nothing(standing.live));
        }
        *cut = Some(give_back(world).await?);
    }
    let last = now.cloned().unwrap_or(Note::FIRST);
    let run = last.run.clone();
    let mut note = last.next(Act::Rollback, Weights::BLUE, &run, by, world.now());
    note.green_writes = false;
    let before = began.as_ref().map_or(standing.live, |(live, _)| *live);
    *began = Some((before, note.clone()));
    let change = world.force(&standing, &note).await?;
    Ok(Sent::Change(before, note, Some(change)))
}

/// What no further attempt would change.
fn is_final(error: &Error) -> bool {
    use crate::engine::Class::{Conflict, Permanent};
    error.is_denied() || matches!(error.class, Permanent | Conflict)
}

/// Waits until all servers of Route 53 know a change; false when they do not say so in time.
pub async fn wait<W: World>(world: &W, change: Option<&str>) -> bool {
    let Some(change) = change else {
        // The id came with the answer that was lost: nobody can be asked.
        return false;
    };
    for _ in 0..IN_SYNC_SECONDS / 2 {
        if world.in_sync(change).await.unwrap_or(false) {
            return true;
        }
        world.sleep(2).await;
    }
    false
}

/// A rollback never fails because of its history.
pub fn kept<W: World>(world: &W, entry: Entry) {
    let text = entry.text.clone();
    if let Err(error) = world.record(entry) {
        world.show(&format!("{text} (not in the history: {error})"));
    }
}
