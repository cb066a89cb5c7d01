//! The documents of what shares a state.

use super::Document;
use serde::Serialize;

/// `deployer state init --json`.
#[derive(Debug, Clone, Serialize)]
pub struct StateInitDocument {
    pub bucket: String,
    pub region: String,
    /// True when it was made just now.
    pub created: bool,
    /// The settings that were changed.
    pub changed: Vec<String>,
}
impl Document for StateInitDocument {
    const SCHEMA: &'static str = "deployer.state-init/1";
}

/// `deployer state push --json` and `deployer state pull --json`.
#[derive(Debug, Clone, Serialize)]
pub struct TransferDocument {
    /// Where the state came from.
    pub from: String,
    /// Where it is now, too.
    pub to: String,
    /// False when both were the same before.
    pub written: bool,
    /// The serial of the state.
    pub serial: u64,
    /// How many steps it has.
    pub steps: usize,
}
impl Document for TransferDocument {
    const SCHEMA: &'static str = "deployer.state-transfer/1";
}
