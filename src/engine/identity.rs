//! What a resource is found by, and what was found by it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who a resource is: what is written down before the create call leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The step id.
    pub step: String,
    /// The deterministic name.
    pub name: String,
    /// All tags, the ownership mark among them.
    pub tags: BTreeMap<String, String>,
    /// Idempotency token, new for every generation of the resource; empty in a look-up.
    pub token: String,
}

/// Something in the account that is tagged as ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Owned {
    /// Its type.
    pub kind: String,
    /// The step it says it belongs to.
    pub step: String,
    /// Its id, name or ARN.
    pub id: String,
    /// Its name, when it has one.
    pub name: String,
    pub tags: BTreeMap<String, String>,
}
