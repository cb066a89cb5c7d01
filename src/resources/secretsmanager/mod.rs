//! Secrets Manager: secrets, and the schedule of one that a service keeps for us. No type here has a place for a secret value.

mod exposed;
mod rotation;
mod secret;
mod tags;

pub use rotation::Rotation;
pub use secret::Secret;
