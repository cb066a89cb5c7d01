//! Secrets Manager: the schedule of a secret that a service keeps for us. No type here has a place for a secret value.

mod rotation;

pub use rotation::Rotation;
