//! A change in place that cannot be taken back is planned with the user's word alone, with what it does and what to test first.

use super::Options;
use super::decide::Decision;
use crate::engine::driver::{Live, Meta};
use crate::engine::error::Error;
use serde_json::Value;

/// The code of a problem with such a change.
pub(super) const UPGRADE: &str = "MajorUpgrade";

/// Looks whether a decision holds such a change, and notes what is to be known of it or why it is refused.
pub(super) fn judge(
    decision: &mut Decision,
    meta: &Meta,
    live: &Live,
    want: &Value,
    options: &Options,
) {
    let Some(upgrade) = &meta.upgrade else { return };
    let differs = decision.changes.iter().any(|c| c.field() == upgrade.field);
    // A replacement has no way to be upgraded.
    if !differs || decision.is_replacement() {
        return;
    }
    match (upgrade.judge)(&live.spec, want) {
        Ok(notes) if options.major_upgrade => {
            decision.upgrade = true;
            decision.reasons.push("major upgrade in place".into());
            decision.notes = notes;
        }
        Ok(notes) => {
            let text = format!(
                "a major upgrade in place is made only with --allow-major-upgrade: {}",
                notes.join("; ")
            );
            let error = Error::permanent("plan", text).code(UPGRADE);
            decision.problem =
                Some(error.hint(
                    "test it first, then pass --allow-major-upgrade; or set the version back",
                ));
        }
        Err(error) => decision.problem = Some(error.code(UPGRADE)),
    }
}
