//! IAM: roles with their policies.

mod policies;
mod role;
mod tags;

pub use role::Role;
pub use tags::IamTags;
