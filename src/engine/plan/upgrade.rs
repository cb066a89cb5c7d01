//! A change in place that cannot be taken back is planned with the user's word alone, with what it does and what to test first.

use super::Options;
use crate::engine::diff::Change;
use crate::engine::driver::{Live, Meta};
use crate::engine::error::{Error, UPGRADE};
use serde_json::Value;

/// Looks whether these changes hold such a change. Gives what is to be known of it, or why it is refused; `None` when there is none.
pub(super) fn classify(
    changes: &[Change],
    meta: &Meta,
    live: &Live,
    want: &Value,
    options: &Options,
) -> Option<Result<Vec<String>, Error>> {
    let upgrade = meta.upgrade.as_ref()?;
    if !changes.iter().any(|c| c.field() == upgrade.field) {
        return None;
    }
    Some(match (upgrade.judge)(&live.spec, want) {
        Ok(notes) if options.major_upgrade => Ok(notes),
        Ok(notes) => {
            let text = format!(
                "a major upgrade in place is made only with --allow-major-upgrade: {}",
                notes.join("; ")
            );
            Err(Error::permanent("plan", text)
                .code(UPGRADE)
                .hint("test it first, then pass --allow-major-upgrade; or set the version back"))
        }
        Err(error) => Err(error.code(UPGRADE)),
    })
}
