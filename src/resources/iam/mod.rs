//! IAM: roles with their policies.

mod policies;
mod role;

pub use role::{Role, RoleArn, RoleName, RoleOutputs};
