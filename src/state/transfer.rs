//! From one store to another: a folder and a bucket, in both directions. The target is replaced only by what continues it: a
//! history that begins with the target's, line by line and hash by hash, and a serial that is not lower.

use super::history::History;
use super::writer::Writer;
use super::{State, StateError, Store};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transferred {
    /// The target is what the source is, now.
    Written,
    /// It was so before.
    Same,
}

/// Makes the target's state and history those of the source. Both are locked meanwhile; an unfinished journal of the source
/// is part of its state.
pub async fn transfer(
    from: &dyn Store,
    to: &dyn Store,
    region: &str,
    command: &str,
) -> Result<(Transferred, State), StateError> {
    let (source, state) = Writer::open(from, region, command).await?;
    let (mut target, replaced) = Writer::open(to, region, command).await?;
    let nothing = |state: &State, history: &History| state.serial == 0 && history.lines.is_empty();
    let [here, there] = [from, to].map(|store| store.state_name().display().to_string());
    let apart = |why: String| Err(StateError::Apart { why });
    if nothing(&state, source.history()) {
        return apart(format!("there is no state in {here}"));
    }
    let homes = |s: &State| (s.account.clone(), s.region.clone());
    if !replaced.account.is_empty() && homes(&state) != homes(&replaced) {
        return apart(format!(
            "{here} belongs to account {}, region {}, and {there} to account {}, region {}",
            state.account, state.region, replaced.account, replaced.region
        ));
    }
    let same = State {
        serial: replaced.serial,
        ..state.clone()
    } == replaced;
    if same && source.history() == target.history() {
        return Ok((Transferred::Same, state));
    }
    let (ours, theirs) = (&source.history().lines, &target.history().lines);
    if !ours.starts_with(theirs) {
        let why = if theirs.starts_with(ours) {
            format!("{there} is newer: it has runs that {here} does not have")
        } else {
            format!("{here} and {there} have different runs: neither continues the other")
        };
        return apart(why);
    }
    if replaced.serial == state.serial && !same {
        return apart(format!(
            "{here} and {there} have serial {} and differ: neither continues the other",
            state.serial
        ));
    }
    if replaced.serial > state.serial {
        return apart(format!(
            "{there} is newer: it has serial {}, {here} has {}",
            replaced.serial, state.serial
        ));
    }
    let history = from.find().await?.history.unwrap_or_default();
    let whole = history
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    target.replace(&state, history[..whole].to_vec()).await?;
    Ok((Transferred::Written, state))
}
