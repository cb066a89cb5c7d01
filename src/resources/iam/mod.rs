//! IAM: roles with their policies.

mod role;

pub use role::{Role, RoleArn, RoleName, RoleOutputs};
