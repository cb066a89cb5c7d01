//! Application Auto Scaling: how the count of an ECS service follows its load.

mod scaling;

pub use scaling::{Scaling, Tracking, range};
