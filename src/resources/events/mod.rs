//! EventBridge: rules of the default bus, with their targets.

mod rule;

pub use rule::{Rule, Target};
