//! Who made a difference, as far as the account's history of calls tells.

use jiff::Timestamp;
use serde::Serialize;

/// Who changed one thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Author {
    pub step: String,
    /// The id, name or ARN that was asked for; empty when nothing was.
    pub thing: String,
    /// Who, or why that is not known.
    #[serde(flatten)]
    pub found: Found,
}

/// Who, or why that is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Found {
    /// The newest call that changed it.
    Known {
        /// The caller.
        by: String,
        /// When.
        at: Timestamp,
        /// The call.
        event: String,
    },
    /// Nobody was found.
    Unknown { why: String },
}
