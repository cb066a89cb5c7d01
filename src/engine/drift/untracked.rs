//! Things with our mark that belong to no recorded step.

use super::{Input, Unmanaged};
use crate::engine::driver::Owned;
use crate::engine::observe::Observed;
use crate::engine::ownership::{MARK_DEPLOYMENT, MARK_STEP, TAG_OF_SCOPE};
use serde_json::Value;

/// Marked things that are neither a recorded step nor one that a row already tells about.
pub(super) fn untracked(input: &Input<'_>) -> Vec<Unmanaged> {
    let decided = input.owned.iter().map(|owned| (owned, true));
    let all = decided.chain(input.undecided.iter().map(|owned| (owned, false)));
    let mut out: Vec<Unmanaged> = all
        .filter_map(|(owned, decided)| {
            let at = input.graph.position(&owned.step);
            let record = input.state.steps.get(&owned.step);
            let in_scope = match at {
                Some(at) => input.chosen.get(at).copied().unwrap_or(false),
                None => input
                    .scope
                    .is_none_or(|s| owned.tags.get(TAG_OF_SCOPE).is_none_or(|e| e == s)),
            };
            let snapshot = input.registry.get(&owned.kind);
            if !in_scope || snapshot.is_ok_and(|d| d.meta().retention.is_snapshot) {
                return None;
            }
            let live = input.seen.get(&owned.step).and_then(Observed::live);
            let is_it = live.is_some_and(|l| names(&l.outputs, owned))
                || record.is_some_and(|r| names(&r.outputs, owned) || r.name == owned.id);
            if !decided && at.is_some() {
                // The row of the step names it.
                return None;
            }
            let reason = match (is_it, record.is_some(), at.is_some()) {
                (true, _, _) => return None,
                _ if !decided => format!(
                    "it has this suffix, but no tag {MARK_DEPLOYMENT} that says which account and region it belongs to"
                ),
                (false, true, _) => {
                    format!("a second one beside the recorded one of `{}`", owned.step)
                }
                (false, false, true) => "tagged as ours, not in the state file".to_owned(),
                (false, false, false) => {
                    format!("its tag {MARK_STEP} names a step that neither the state nor the blueprint has")
                }
            };
            Some(Unmanaged {
                kind: owned.kind.clone(),
                step: owned.step.clone(),
                id: owned.id.clone(),
                name: owned.name.clone(),
                reason,
            })
        })
        .collect();
    out.sort_by(|a, b| (&a.step, &a.kind, &a.id).cmp(&(&b.step, &b.kind, &b.id)));
    out.dedup();
    out
}

/// True when one of the outputs is this thing's id, or its ARN ends in it (or the other way round).
pub(in crate::engine) fn names(outputs: &Value, owned: &Owned) -> bool {
    let tail = |long: &str, short: &str| {
        !short.is_empty()
            && long
                .strip_suffix(short)
                .is_some_and(|head| head.is_empty() || head.ends_with(['/', ':']))
    };
    match outputs {
        Value::String(text) => tail(text, &owned.id) || tail(&owned.id, text),
        Value::Array(items) => items.iter().any(|v| names(v, owned)),
        Value::Object(map) => map.values().any(|v| names(v, owned)),
        _ => false,
    }
}
