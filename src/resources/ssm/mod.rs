//! Systems Manager: parameters.

mod parameter;

pub use parameter::{PATH, Parameter, SsmTags};
