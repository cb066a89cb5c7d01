//! Commands that only look at what is on this machine: `status`, `outputs`, `graph`, `config`.

use super::args::{Common, GraphFormat, Scope};
use super::error::Failure;
use super::exit::Exit;

/// What is recorded.
pub fn status(_common: &Common, _scope: &Scope) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
/// Ids, names and endpoints.
pub fn outputs(_common: &Common, _name: Option<&str>) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
/// The graph of steps.
pub fn graph(_common: &Common, _scope: &Scope, _format: GraphFormat) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
/// The documented configuration.
pub fn config() -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
