//! `deployer drift`.

use super::args::{Common, Scope};
use super::error::Failure;
use super::exit::Exit;
use super::session::Session;
use crate::engine::Events;

/// Compares the account with the blueprint and the state. Writes nothing.
pub async fn drift(common: &Common, scope: &Scope) -> Result<Exit, Failure> {
    let _session = Session::open(common, scope, &Events::default(), true, false).await?;
    Ok(Exit::Done)
}
